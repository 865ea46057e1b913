"""The standard normal and its kin, from scipy.special: `scipy.stats` takes longer to import than most commands run."""

from __future__ import annotations

import math

from scipy import special


def normal_quantile(probability: float) -> float:
    """z with P(Z <= z) = probability."""
    return float(special.ndtri(probability))


def two_sided_z(confidence: float) -> float:
    """The z that leaves (1 - confidence) / 2 on either side: 1.96 at 0.95."""
    return -normal_quantile((1.0 - confidence) / 2.0)


def two_sided_p(z: float) -> float:
    """P(|Z| >= |z|)."""
    return float(special.erfc(abs(z) / math.sqrt(2.0)))


def chi_square_p(statistic: float, df: float) -> float:
    """P(X >= statistic) of a chi-square variable."""
    return float(special.chdtrc(df, statistic))
