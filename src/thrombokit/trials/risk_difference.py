"""Difference of two proportions, first minus second: score intervals by inverting the test under the restricted likelihood, and Newcombe's.

References
----------
Miettinen O, Nurminen M (1985), doi:10.1002/sim.4780040211 (variance times N/(N - 1)). Mee RW (1984) Biometrics 40:1175-1176 (without).
Newcombe RG (1998) Stat Med 17:873-890, doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I, method 10.
"""

from __future__ import annotations

import math

from thrombokit.numerics.binomial_intervals import wilson
from thrombokit.numerics.normal_distribution import two_sided_z
from thrombokit.numerics.restricted_binomial import under_difference
from thrombokit.trials.limits import crossing
from thrombokit.trials.two_by_two import Interval, TwoByTwo


def difference_score(table: TwoByTwo, difference: float, *, corrected: bool) -> float:
    """The score statistic z of the hypothesis p1 - p2 = difference; `corrected` for the factor N/(N - 1) in the variance."""
    p1, p2 = under_difference(table.a, table.n, table.b, table.m, difference)
    variance = p1 * (1.0 - p1) / table.n + p2 * (1.0 - p2) / table.m
    factor = table.total / (table.total - 1.0) if corrected else 1.0
    return standardised(table.p1 - table.p2 - difference, variance * factor)


def miettinen_nurminen(table: TwoByTwo, *, confidence: float = 0.95) -> Interval:
    """The score interval with the factor N/(N - 1)."""
    return _score_interval(table, confidence, corrected=True)


def mee(table: TwoByTwo, *, confidence: float = 0.95) -> Interval:
    """The score interval without the factor."""
    return _score_interval(table, confidence, corrected=False)


def newcombe(table: TwoByTwo, *, confidence: float = 0.95) -> Interval:
    """The hybrid score interval: the squares of the distances to Wilson's limits of either arm add."""
    low1, high1 = wilson(table.a, table.n, confidence=confidence)
    low2, high2 = wilson(table.b, table.m, confidence=confidence)
    difference = table.p1 - table.p2
    return Interval(
        low=max(difference - math.hypot(table.p1 - low1, high2 - table.p2), -1.0),
        high=min(difference + math.hypot(high1 - table.p1, table.p2 - low2), 1.0),
    )


def standardised(difference: float, variance: float) -> float:
    """difference / sqrt(variance); 0 for 0/0, infinite where only the variance is 0."""
    if variance > 0.0:
        return difference / math.sqrt(variance)
    return 0.0 if difference == 0.0 else math.copysign(math.inf, difference)


def _score_interval(table: TwoByTwo, confidence: float, *, corrected: bool) -> Interval:
    z = two_sided_z(confidence)
    seen = table.p1 - table.p2

    def statistic(difference: float) -> float:
        return difference_score(table, difference, corrected=corrected)

    return Interval(low=crossing(statistic, z, -1.0, seen), high=crossing(statistic, -z, seen, 1.0))
