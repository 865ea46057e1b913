"""Where a statistic that falls with the parameter crosses a critical value: the limits of an interval found by inverting a test."""

from __future__ import annotations

import math
from collections.abc import Callable

MOST_HALVINGS = 400


def crossing(statistic: Callable[[float], float], target: float, low: float, high: float) -> float:
    """x in [low, high] where a falling `statistic` equals `target`; the end it never crosses before.

    Bisection on the doubles themselves, so that it ends at the last bit whatever the shape; `statistic` may be infinite at the ends.
    """
    if statistic(low) <= target:
        return low
    if statistic(high) >= target:
        return high
    for _ in range(MOST_HALVINGS):
        middle = 0.5 * (low + high)
        if not low < middle < high:
            break
        if statistic(middle) > target:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


def log_crossing(statistic: Callable[[float], float], target: float, *, start: float) -> float:
    """x > 0 where a statistic that falls over (0, inf) equals `target`; 0 or infinity where it never gets there."""
    low = high = math.log(start) if start > 0.0 and math.isfinite(start) else 0.0
    step = 1.0
    while statistic(math.exp(low)) <= target:
        low -= step
        step *= 2.0
        if low < -600.0:
            return 0.0
    step = 1.0
    while statistic(math.exp(high)) >= target:
        high += step
        step *= 2.0
        if high > 600.0:
            return math.inf
    return math.exp(crossing(lambda x: statistic(math.exp(x)), target, low, high))
