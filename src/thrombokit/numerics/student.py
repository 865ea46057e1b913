"""Mean of a few independent values with Student's t interval: what donors, each with one value, have to say together.

Reference: Student 1908, doi:10.2307/2331554.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit

from thrombokit.numerics.arrays import Array


@dataclass(frozen=True, kw_only=True, slots=True)
class TInterval:
    """Mean, its interval, and the two-sided p of a mean of 0; NaN ends and p for fewer than two values. `sd` is between values."""

    mean: float
    low: float
    high: float
    sd: float
    p: float
    n: int


def t_interval(values: Array, *, confidence: float = 0.95) -> TInterval:
    """Student's interval for the mean of independent values of shape (n,), n >= 1; every value counts alike."""
    n = int(values.size)
    mean = float(np.mean(values))
    if n < 2:
        return TInterval(mean=mean, low=float("nan"), high=float("nan"), sd=float("nan"), p=float("nan"), n=n)
    sd = float(np.std(values, ddof=1))
    half = float(stdtrit(n - 1, 0.5 + confidence / 2)) * sd / float(np.sqrt(n))
    if sd > 0:
        p = 2.0 * float(stdtr(n - 1, -abs(mean) / (sd / np.sqrt(n))))
    else:
        p = 1.0 if mean == 0 else 0.0
    return TInterval(mean=mean, low=mean - half, high=mean + half, sd=sd, p=p, n=n)
