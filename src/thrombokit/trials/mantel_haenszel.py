"""Common odds ratio, risk ratio and risk difference over strata, weighted as Mantel and Haenszel did, and tests of homogeneity.

References
----------
Mantel N, Haenszel W (1959) J Natl Cancer Inst 22:719-748, doi:10.1093/jnci/22.4.719. Robins J, Breslow N, Greenland S (1986) Biometrics
42:311-323, doi:10.2307/2531052 (variance of the log odds ratio). Greenland S, Robins JM (1985) Biometrics 41:55-68, doi:10.2307/2530643 (risk
ratio and difference). Sato T (1989) Biometrics 45:1323-1324 (variance of the difference). Klingenberg B (2014) Stat Med 33:2968-2983,
doi:10.1002/sim.6122 (its score interval). Tarone RE (1985) Biometrika 72:91-95, doi:10.1093/biomet/72.1.91 (Breslow and Day's test corrected).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from thrombokit.numerics.arrays import Array
from thrombokit.numerics.normal_distribution import chi_square_p, two_sided_z
from thrombokit.trials.strata import Strata
from thrombokit.trials.two_by_two import Interval

EVERYTHING = Interval(low=0.0, high=math.inf)


@dataclass(frozen=True, kw_only=True)
class CommonMeasure:
    """A measure that all strata share: None where it does not exist."""

    estimate: float | None
    interval: Interval


@dataclass(frozen=True, kw_only=True)
class Homogeneity:
    """Whether strata agree on the odds ratio: a chi-square statistic, None where it cannot be computed."""

    statistic: float | None
    df: int
    p: float | None


def _cells(strata: Strata) -> tuple[Array, Array, Array, Array, Array]:
    counts = strata.counts()
    return counts[:, 0, 0], counts[:, 0, 1], counts[:, 1, 0], counts[:, 1, 1], counts.sum(axis=(1, 2))


def common_odds_ratio(strata: Strata, *, confidence: float = 0.95) -> CommonMeasure:
    """First arm to second, with the interval of Robins, Breslow and Greenland on the log scale; (0, inf) where it is 0, infinite or unknown."""
    a, b, c, d, total = _cells(strata)
    across, back = a * d / total, b * c / total
    r, s = float(across.sum()), float(back.sum())
    if s == 0.0:
        return CommonMeasure(estimate=None, interval=EVERYTHING)
    if r == 0.0:
        return CommonMeasure(estimate=0.0, interval=EVERYTHING)
    p, q = (a + d) / total, (b + c) / total
    mixed = float((p * back + q * across).sum())
    variance = float((p * across).sum()) / (2 * r * r) + mixed / (2 * r * s) + float((q * back).sum()) / (2 * s * s)
    return CommonMeasure(estimate=r / s, interval=_on_log_scale(r / s, variance, confidence))


def common_risk_ratio(strata: Strata, *, confidence: float = 0.95) -> CommonMeasure:
    """First arm over second, with the interval of Greenland and Robins on the log scale."""
    a, b, c, d, total = _cells(strata)
    n, m = a + b, c + d
    r, s = float((a * m / total).sum()), float((c * n / total).sum())
    if s == 0.0:
        return CommonMeasure(estimate=None, interval=EVERYTHING)
    if r == 0.0:
        return CommonMeasure(estimate=0.0, interval=EVERYTHING)
    variance = float(((n * m * (a + c) - a * c * total) / total**2).sum()) / (r * s)
    return CommonMeasure(estimate=r / s, interval=_on_log_scale(r / s, variance, confidence))


def _on_log_scale(estimate: float, variance: float, confidence: float) -> Interval:
    half = two_sided_z(confidence) * math.sqrt(max(variance, 0.0))
    return Interval(low=estimate * math.exp(-half), high=estimate * math.exp(half))


def common_difference(strata: Strata) -> float:
    """First minus second, weighted by n m / (n + m)."""
    differences = np.array([t.p1 - t.p2 for t in strata.tables])
    return float(strata.weights() @ differences)


def sato(strata: Strata, *, confidence: float = 0.95) -> Interval:
    """Wald interval of the common difference with Sato's variance, which holds for many small and for few large strata."""
    d = common_difference(strata)
    half = two_sided_z(confidence) * math.sqrt(max(sato_variance(strata, d), 0.0))
    return Interval(low=max(d - half, -1.0), high=min(d + half, 1.0))


def sato_variance(strata: Strata, difference: float) -> float:
    """Variance of the common difference where it is `difference` in every stratum; unbiased there."""
    p, q, size = _sato_parts(strata)
    return (difference * p + q) / size**2


def klingenberg(strata: Strata, *, confidence: float = 0.95) -> Interval:
    """The same variance taken at the limits: an interval that does not collapse where nobody, or everybody, responded."""
    p, q, size = _sato_parts(strata)
    d, z = common_difference(strata), two_sided_z(confidence)
    shift = z * z * p / (2.0 * size * size)
    middle = d + shift
    half = math.sqrt(max(middle * middle - d * d + z * z * q / (size * size), 0.0))
    return Interval(low=max(middle - half, -1.0), high=min(middle + half, 1.0))


def _sato_parts(strata: Strata) -> tuple[float, float, float]:
    """The variance is (difference x first + second) / third^2."""
    a, b, c, d, total = _cells(strata)
    n, m = a + b, c + d
    first = (n * n * c - m * m * a + n * m * (m - n) / 2.0) / total**2
    second = (a * (m - c) + c * (n - a)) / (2.0 * total)
    return float(first.sum()), float(second.sum()), float((n * m / total).sum())


def breslow_day(strata: Strata, *, tarone: bool = True) -> Homogeneity:
    """Whether the strata share one odds ratio; `tarone` corrects for the ratio having been estimated."""
    df = len(strata.tables) - 1
    ratio = common_odds_ratio(strata).estimate
    if ratio is None or ratio == 0.0 or df == 0:
        return Homogeneity(statistic=None, df=df, p=None)
    excess, spread, statistic = 0.0, 0.0, 0.0
    for table in strata.tables:
        responders = table.a + table.b
        if responders in (0, table.total):
            df -= 1
            continue
        expected = _expected(table.n, table.m, responders, ratio)
        cells = (expected, table.n - expected, responders - expected, table.m - responders + expected)
        variance = 1.0 / sum(1.0 / cell for cell in cells)
        statistic += (table.a - expected) ** 2 / variance
        excess, spread = excess + table.a - expected, spread + variance
    if df < 1 or spread <= 0.0:
        return Homogeneity(statistic=None, df=max(df, 0), p=None)
    statistic -= excess * excess / spread if tarone else 0.0
    return Homogeneity(statistic=statistic, df=df, p=chi_square_p(statistic, df))


def _expected(n: int, m: int, responders: int, ratio: float) -> float:
    """Responders of the first arm that give this odds ratio with the margins held."""
    if ratio == 1.0:
        return n * responders / (n + m)
    second, first, zeroth = ratio - 1.0, -(ratio * (n + responders) + m - responders), ratio * n * responders
    root = math.sqrt(max(first * first - 4.0 * second * zeroth, 0.0))
    low, high = max(0.0, float(responders - m)), float(min(n, responders))
    stable = 2.0 * zeroth / (root - first)  # the root that lies within the margins, without cancellation
    return min(max(stable, low), high)
