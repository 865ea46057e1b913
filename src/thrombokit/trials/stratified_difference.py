"""A common risk difference over strata by inverting score tests: Miettinen and Nurminen's, and Newcombe's hybrid.

Both weight strata by n m / (n + m). Miettinen-Nurminen finds the differences that sum w (d - D) / sqrt(sum w^2 V(D)) does not reject, V being each
stratum's restricted variance with its own N/(N - 1). Newcombe's squares distances to stratified Wilson limits of either arm.

References
----------
Miettinen O, Nurminen M (1985), doi:10.1002/sim.4780040211, section on stratified data. Yan X, Su XG (2010) Stat Biopharm Res 2:329-335
(stratified Wilson and Newcombe).
"""

from __future__ import annotations

import math

import numpy as np

from thrombokit.numerics.arrays import Array
from thrombokit.numerics.normal_distribution import two_sided_z
from thrombokit.numerics.restricted_binomial import under_difference
from thrombokit.trials.limits import crossing
from thrombokit.trials.mantel_haenszel import common_difference
from thrombokit.trials.risk_difference import standardised
from thrombokit.trials.strata import Strata
from thrombokit.trials.two_by_two import Interval


def stratified_score(strata: Strata, difference: float) -> float:
    """The score statistic z of the hypothesis that every stratum has this difference."""
    variance = 0.0
    for weight, t in zip(strata.weights(), strata.tables, strict=True):
        p1, p2 = under_difference(t.a, t.n, t.b, t.m, difference)
        corrected = t.total / (t.total - 1.0)
        variance += float(weight) ** 2 * (p1 * (1.0 - p1) / t.n + p2 * (1.0 - p2) / t.m) * corrected
    return standardised(common_difference(strata) - difference, variance)


def stratified_miettinen_nurminen(strata: Strata, *, confidence: float = 0.95) -> Interval:
    """The differences that the stratified score test does not reject."""
    z, seen = two_sided_z(confidence), common_difference(strata)

    def statistic(difference: float) -> float:
        return stratified_score(strata, difference)

    return Interval(low=crossing(statistic, z, -1.0, seen), high=crossing(statistic, -z, seen, 1.0))


def stratified_newcombe(strata: Strata, *, confidence: float = 0.95) -> Interval:
    """Distances to the stratified Wilson limits, each with the spread of its arm over the strata."""
    weights, z, seen = strata.weights(), two_sided_z(confidence), common_difference(strata)
    first = np.array([[t.a, t.n] for t in strata.tables], dtype=np.float64)
    second = np.array([[t.b, t.m] for t in strata.tables], dtype=np.float64)
    low1, high1 = _stratified_wilson(first[:, 0], first[:, 1], weights, z)
    low2, high2 = _stratified_wilson(second[:, 0], second[:, 1], weights, z)
    of_first, of_second = float((weights**2 / first[:, 1]).sum()), float((weights**2 / second[:, 1]).sum())
    below = z * math.sqrt(of_first * low1 * (1.0 - low1) + of_second * high2 * (1.0 - high2))
    above = z * math.sqrt(of_first * high1 * (1.0 - high1) + of_second * low2 * (1.0 - low2))
    return Interval(low=max(seen - below, -1.0), high=min(seen + above, 1.0))


def _stratified_wilson(responders: Array, sizes: Array, weights: Array, z: float) -> tuple[float, float]:
    """Weighted Wilson limits at a z that makes their sum as wide as the weighted mean's interval should be."""
    shares = responders / sizes
    spreads = np.sqrt(shares * (1.0 - shares) / sizes)
    total = float((weights * spreads).sum())
    own = z * math.sqrt(float((weights**2 * spreads**2).sum())) / total if total > 0.0 else z * math.sqrt(float((weights**2).sum()))
    middle = (shares + own**2 / (2.0 * sizes)) / (1.0 + own**2 / sizes)
    half = own / (1.0 + own**2 / sizes) * np.sqrt(shares * (1.0 - shares) / sizes + own**2 / (4.0 * sizes**2))
    return max(float(weights @ (middle - half)), 0.0), min(float(weights @ (middle + half)), 1.0)
