"""Two binomial proportions that maximise the likelihood under a fixed difference, ratio or odds ratio.

Each is the root of a polynomial (cubic for the difference, quadratics for the ratios). The cubic's trigonometric root loses digits where
it nearly repeats, so it only starts a Newton search on the likelihood's own slope, which is monotone.

References
----------
Miettinen O, Nurminen M (1985) Comparative analysis of two rates. Stat Med 4:213-226, doi:10.1002/sim.4780040211, appendix I.
"""

from __future__ import annotations

import math
from collections.abc import Callable

MOST_STEPS = 200


def under_difference(a: float, n: float, b: float, m: float, difference: float) -> tuple[float, float]:
    """(p1, p2) with p1 - p2 = difference that maximise the likelihood of a of n and b of m.

    Parameters
    ----------
    a, n, b, m : float
        Responders and size of either arm, 0 <= a <= n, n > 0; same for b, m.
    difference : float
        -1 to 1.
    """
    low, high = max(0.0, -difference), min(1.0, 1.0 - difference)
    if high <= low:
        p2 = min(max(low, 0.0), 1.0)
        return _closed(p2 + difference), p2

    def slope(p2: float) -> float:
        p1 = p2 + difference
        return _share(a, p1) - _share(n - a, 1.0 - p1) + _share(b, p2) - _share(m - b, 1.0 - p2)

    p2 = _falling_root(slope, low, high, start=_cubic_root(a, n, b, m, difference))
    return _closed(p2 + difference), p2


def under_ratio(a: float, n: float, b: float, m: float, ratio: float) -> tuple[float, float]:
    """(p1, p2) with p1 = ratio p2 that maximise the likelihood; ratio >= 0, finite."""
    if ratio == 0.0:
        return 0.0, b / m if a == 0 else 0.0
    total = n + m
    second, first, zeroth = total * ratio, -(n * ratio + a + m + b * ratio), a + b
    p2 = _smaller_root(second, first, zeroth)
    p2 = min(max(p2, 0.0), 1.0, 1.0 / ratio)
    return _closed(ratio * p2), p2


def under_odds_ratio(a: float, n: float, b: float, m: float, odds_ratio: float) -> tuple[float, float]:
    """(p1, p2) with p1/(1 - p1) = odds_ratio p2/(1 - p2) that maximise the likelihood; odds_ratio > 0, finite."""
    total = a + b
    if odds_ratio == 1.0:
        pooled = total / (n + m)
        return pooled, pooled
    excess = odds_ratio - 1.0
    second, first, zeroth = m * excess, n * odds_ratio + m - total * excess, -total
    root = math.sqrt(max(first * first - 4.0 * second * zeroth, 0.0))
    p2 = 2.0 * total / (first + root) if first > 0 else (root - first) / (2.0 * second)
    p2 = _closed(p2)
    return _closed(p2 * odds_ratio / (1.0 + p2 * excess)), p2


def _cubic_root(a: float, n: float, b: float, m: float, difference: float) -> float:
    """p2 by Miettinen and Nurminen's closed form; any number where rounding spoils it."""
    total, c = n + m, a + b
    l3 = total
    l2 = (n + 2.0 * m) * difference - total - c
    l1 = (m * difference - total - 2.0 * b) * difference + c
    l0 = b * difference * (1.0 - difference)
    q = (l2 / (3.0 * l3)) ** 3 - l1 * l2 / (6.0 * l3 * l3) + l0 / (2.0 * l3)
    radicand = (l2 / (3.0 * l3)) ** 2 - l1 / (3.0 * l3)
    p = math.copysign(math.sqrt(max(radicand, 0.0)), q)
    if p == 0.0:
        return -l2 / (3.0 * l3)
    cosine = min(max(q / p**3, -1.0), 1.0)
    return 2.0 * p * math.cos((math.pi + math.acos(cosine)) / 3.0) - l2 / (3.0 * l3)


def _falling_root(slope: Callable[[float], float], low: float, high: float, *, start: float) -> float:
    """Where a falling function is zero in [low, high]; an end where it keeps its sign. Secant steps kept inside a shrinking bracket."""
    x = start if low < start < high else 0.5 * (low + high)
    width = high - low
    for _ in range(MOST_STEPS):
        value = slope(x)
        if value > 0.0:
            low = x
        elif value < 0.0:
            high = x
        else:
            return x
        if high - low <= 4e-16 * width + 1e-300:
            break
        nudge = max(1e-9 * (high - low), 1e-15 * width)
        gradient = (slope(min(x + nudge, high)) - value) / max(min(x + nudge, high) - x, 1e-300)
        step = x - value / gradient if gradient < 0.0 and math.isfinite(gradient) else math.nan
        x = step if low < step < high else 0.5 * (low + high)
    return x


def _share(count: float, probability: float) -> float:
    """count / probability, with 0/0 = 0 and a wall at a probability of zero."""
    if count == 0.0:
        return 0.0
    return count / probability if probability > 0.0 else math.inf


def _smaller_root(second: float, first: float, zeroth: float) -> float:
    """The smaller root of a quadratic with second > 0, first < 0, zeroth >= 0, without cancellation."""
    root = math.sqrt(max(first * first - 4.0 * second * zeroth, 0.0))
    return 2.0 * zeroth / (root - first) if root - first > 0 else 0.0


def _closed(probability: float) -> float:
    return min(max(probability, 0.0), 1.0)
