"""Ratio of two proportions, first to second: the score interval and the one on the log scale.

References
----------
Miettinen O, Nurminen M (1985), doi:10.1002/sim.4780040211. Koopman PAR (1984) Biometrics 40:513-517, doi:10.2307/2531405.
Katz D et al. (1978) Biometrics 34:469-474, doi:10.2307/2530610.
"""

from __future__ import annotations

import math

from thrombokit.numerics.normal_distribution import two_sided_z
from thrombokit.numerics.restricted_binomial import under_ratio
from thrombokit.trials.limits import log_crossing
from thrombokit.trials.risk_difference import standardised
from thrombokit.trials.two_by_two import Interval, TwoByTwo


def risk_ratio(table: TwoByTwo) -> float | None:
    """p1 / p2; None where the second arm has no responder."""
    return table.p1 / table.p2 if table.b else None


def ratio_score(table: TwoByTwo, ratio: float, *, corrected: bool = True) -> float:
    """The score statistic z of the hypothesis p1 = ratio p2; `corrected` for the factor N/(N - 1) in the variance."""
    p1, p2 = under_ratio(table.a, table.n, table.b, table.m, ratio)
    variance = p1 * (1.0 - p1) / table.n + ratio * ratio * p2 * (1.0 - p2) / table.m
    factor = table.total / (table.total - 1.0) if corrected else 1.0
    return standardised(table.p1 - ratio * table.p2, variance * factor)


def score_interval(table: TwoByTwo, *, confidence: float = 0.95, corrected: bool = True) -> Interval:
    """Miettinen and Nurminen's interval; Koopman's without the correction. (0, inf) where neither arm has a responder."""
    if table.a == 0 and table.b == 0:
        return Interval(low=0.0, high=math.inf)
    z = two_sided_z(confidence)

    def statistic(ratio: float) -> float:
        return ratio_score(table, ratio, corrected=corrected)

    start = ((table.a + 0.5) / (table.n + 0.5)) / ((table.b + 0.5) / (table.m + 0.5))
    low = 0.0 if table.a == 0 else log_crossing(statistic, z, start=start)
    high = math.inf if table.b == 0 else log_crossing(statistic, -z, start=start)
    return Interval(low=low, high=high)


def log_interval(table: TwoByTwo, *, confidence: float = 0.95) -> Interval:
    """Normal on the log scale; (0, inf) where an arm has no responder, because the log then has no variance to go by."""
    if table.a == 0 or table.b == 0:
        return Interval(low=0.0, high=math.inf)
    centre = math.log(table.p1 / table.p2)
    half = two_sided_z(confidence) * math.sqrt(1.0 / table.a - 1.0 / table.n + 1.0 / table.b - 1.0 / table.m)
    return Interval(low=math.exp(centre - half), high=math.exp(centre + half))
