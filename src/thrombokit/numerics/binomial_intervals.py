"""Intervals for one binomial proportion.

References
----------
Clopper CJ, Pearson ES (1934) Biometrika 26:404-413, doi:10.1093/biomet/26.4.404. Wilson EB (1927) J Am Stat Assoc 22:209-212,
doi:10.1080/01621459.1927.10502953. Mid-P: Berry G, Armitage P (1995) The Statistician 44:417-423, doi:10.2307/2348891.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from scipy import optimize, special

from thrombokit.numerics.normal_distribution import two_sided_z


def clopper_pearson(count: int, n: int, *, confidence: float = 0.95) -> tuple[float, float]:
    """The exact interval: each limit leaves at most half of 1 - confidence beyond the count seen; n >= 1."""
    tail = (1.0 - confidence) / 2.0
    low = 0.0 if count == 0 else float(special.betaincinv(count, n - count + 1, tail))
    high = 1.0 if count == n else float(special.betaincinv(count + 1, n - count, 1.0 - tail))
    return low, high


def wilson(count: float, n: float, *, confidence: float = 0.95) -> tuple[float, float]:
    """The score interval; `count` and `n` may be fractions (an effective number)."""
    z2 = two_sided_z(confidence) ** 2
    p = count / n
    centre = (p + z2 / (2.0 * n)) / (1.0 + z2 / n)
    half = math.sqrt(z2) * math.sqrt(p * (1.0 - p) / n + z2 / (4.0 * n * n)) / (1.0 + z2 / n)
    low = 0.0 if count == 0 else max(centre - half, 0.0)
    high = 1.0 if count == n else min(centre + half, 1.0)
    return low, high


def mid_p(count: int, n: int, *, confidence: float = 0.95) -> tuple[float, float]:
    """The exact interval that counts the outcome seen by half: shorter than Clopper-Pearson, right on average."""
    tail = (1.0 - confidence) / 2.0

    def at_least(p: float) -> float:
        return float(0.5 * (special.bdtrc(count, n, p) + (special.bdtrc(count - 1, n, p) if count else 1.0))) - tail

    def at_most(p: float) -> float:
        return float(0.5 * (special.bdtr(count, n, p) + (special.bdtr(count - 1, n, p) if count else 0.0))) - tail

    def root(of: Callable[[float], float], end: float) -> float:
        if of(0.0) * of(1.0) >= 0:
            return end
        found: Any = optimize.brentq(of, 0.0, 1.0, xtol=1e-15)
        return float(found)

    low = 0.0 if count == 0 else root(at_least, 0.0)
    high = 1.0 if count == n else root(at_most, 1.0)
    return low, high
