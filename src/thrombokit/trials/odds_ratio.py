"""Odds ratio, first arm to second: Wald's, the score interval and the exact conditional one.

References
----------
Woolf B (1955) Ann Hum Genet 19:251-253, doi:10.1111/j.1469-1809.1955.tb01348.x. Miettinen O, Nurminen M (1985),
doi:10.1002/sim.4780040211. Conditional: Cornfield J (1956); the estimate is the conditional maximum-likelihood one, as R's fisher.test.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import special

from thrombokit.numerics.arrays import Array
from thrombokit.numerics.normal_distribution import two_sided_z
from thrombokit.numerics.restricted_binomial import under_odds_ratio
from thrombokit.trials.limits import log_crossing
from thrombokit.trials.two_by_two import Interval, TwoByTwo

EVERYTHING = Interval(low=0.0, high=math.inf)


def odds_ratio(table: TwoByTwo) -> float | None:
    """The sample's odds ratio; None where it is infinite or 0/0."""
    below = table.b * (table.n - table.a)
    return table.a * (table.m - table.b) / below if below else None


def wald_interval(table: TwoByTwo, *, confidence: float = 0.95) -> Interval:
    """Normal on the log scale; (0, inf) where a cell is empty."""
    cells = (table.a, table.n - table.a, table.b, table.m - table.b)
    if 0 in cells:
        return EVERYTHING
    centre = math.log(cells[0] * cells[3] / (cells[1] * cells[2]))
    half = two_sided_z(confidence) * math.sqrt(sum(1.0 / cell for cell in cells))
    return Interval(low=math.exp(centre - half), high=math.exp(centre + half))


def odds_ratio_score(table: TwoByTwo, ratio: float, *, corrected: bool = True) -> float:
    """The score statistic z of the hypothesis of this odds ratio; `corrected` for the factor N/(N - 1) in the variance."""
    p1, p2 = under_odds_ratio(table.a, table.n, table.b, table.m, ratio)
    information = _harmonic(table.n * p1 * (1.0 - p1), table.m * p2 * (1.0 - p2))
    difference = table.a - table.n * p1
    if information <= 0.0:
        return 0.0 if abs(difference) < 1e-9 else math.copysign(math.inf, difference)
    factor = table.total / (table.total - 1.0) if corrected else 1.0
    return difference / math.sqrt(information * factor)


def score_interval(table: TwoByTwo, *, confidence: float = 0.95, corrected: bool = True) -> Interval:
    """The interval that inverts the score test; (0, inf) where one margin is empty."""
    if table.a + table.b in (0, table.total):
        return EVERYTHING
    z = two_sided_z(confidence)

    def statistic(ratio: float) -> float:
        return odds_ratio_score(table, ratio, corrected=corrected)

    start = (table.a + 0.5) * (table.m - table.b + 0.5) / ((table.b + 0.5) * (table.n - table.a + 0.5))
    at_lowest, at_highest = table.a == 0 or table.b == table.m, table.b == 0 or table.a == table.n
    low = 0.0 if at_lowest else log_crossing(statistic, z, start=start)
    high = math.inf if at_highest else log_crossing(statistic, -z, start=start)
    return Interval(low=low, high=high)


def conditional(table: TwoByTwo, *, confidence: float = 0.95) -> tuple[float | None, Interval]:
    """The conditional maximum-likelihood odds ratio (None where infinite or unknown) and its exact interval."""
    counts, log_weights = _conditional_law(table)
    if counts.size == 1:
        return None, EVERYTHING
    tail = (1.0 - confidence) / 2.0
    lowest, highest = int(counts[0]), int(counts[-1])

    def probabilities(ratio: float) -> Array:
        exponents = log_weights + counts * math.log(ratio)
        weights = np.exp(exponents - exponents.max())
        return weights / weights.sum()

    def below_mean(ratio: float) -> float:
        return table.a - float(probabilities(ratio) @ counts)

    def not_at_least(ratio: float) -> float:
        return -float(probabilities(ratio)[counts >= table.a].sum())

    def at_most(ratio: float) -> float:
        return float(probabilities(ratio)[counts <= table.a].sum())

    start = (table.a + 0.5) * (table.m - table.b + 0.5) / ((table.b + 0.5) * (table.n - table.a + 0.5))
    low = 0.0 if table.a == lowest else log_crossing(not_at_least, -tail, start=start)
    high = math.inf if table.a == highest else log_crossing(at_most, tail, start=start)
    if table.a in (lowest, highest):
        return (0.0 if table.a == lowest else None), Interval(low=low, high=high)
    return log_crossing(below_mean, 0.0, start=start), Interval(low=low, high=high)


def _conditional_law(table: TwoByTwo) -> tuple[Array, Array]:
    """Counts of the first arm that the margins allow, and the log weights of each at an odds ratio of 1."""
    total = table.a + table.b
    counts = np.arange(max(0, total - table.m), min(table.n, total) + 1, dtype=np.float64)
    return counts, log_choose(table.n, counts) + log_choose(table.m, total - counts)


def log_choose(n: int, k: Array) -> Array:
    """log of n over k, elementwise."""
    logs: Array = special.gammaln(n + 1.0) - special.gammaln(k + 1.0) - special.gammaln(n - k + 1.0)
    return logs


def _harmonic(first: float, second: float) -> float:
    return 1.0 / (1.0 / first + 1.0 / second) if first > 0.0 and second > 0.0 else 0.0
