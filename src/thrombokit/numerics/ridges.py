"""The ridge of a cloud of points, followed from its densest place outwards, and the spread about it on its clean side.

Strips of x are worked through from the densest towards both ends. In each, the ridge is the density's top nearest to where the strips before
point, found by moving a window to the mean of what it holds until it stays. A second cloud beside the ridge, even one that is larger
further out, is not followed, because the window starts on the ridge and is narrow. Where one side of the
ridge is known to be clean, and a good part of a strip lies there, the way was lost and is taken up again.

References
----------
Fukunaga and Hostetler 1975, doi:10.1109/TIT.1975.1055330 (mean shift); Hastie and Stuetzle 1989, doi:10.1080/01621459.1989.10478797.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thrombokit.numerics.arrays import Array, FrozenArrays, frozen

_ROUNDS, _LEAST_IN_STRIP, _LEAST_IN_WIDE_STRIP, _MOST_IN_STRIP, _WIDTHS = 30, 30, 12, 3000, 1.5


@dataclass(frozen=True, kw_only=True, eq=False)
class Ridge(FrozenArrays):
    """y of the ridge at places `x`, rising, shape (n,), and the spread (one standard deviation) on its upper side; `n` points a strip."""

    x: Array
    y: Array
    sd: Array
    n: Array

    def __post_init__(self) -> None:
        for name in ("x", "y", "sd", "n"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    def at(self, x: Array) -> Array:
        """The ridge at any x: straight between its places and, beyond them, on with the slope of the outer part; shape as x."""
        return _on_line(self.x, self.y, x)

    def sd_at(self, x: Array) -> Array:
        """The spread at any x, constant beyond the ends; shape as x."""
        return np.interp(x, self.x, self.sd)


def _on_line(places: Array, values: Array, x: Array) -> Array:
    out = np.interp(x, places, values)
    if places.size > 1:
        k = min(4, places.size)
        first = (values[k - 1] - values[0]) / (places[k - 1] - places[0])
        last = (values[-1] - values[-k]) / (places[-1] - places[-k])
        out = np.where(x < places[0], values[0] + first * (x - places[0]), out)
        out = np.where(x > places[-1], values[-1] + last * (x - places[-1]), out)
    return out


def follow_ridge(
    x: Array, y: Array, *, strip: float, upper_side: bool = True, least_sd: float = 1e-3, one_sided: bool = False
) -> Ridge | None:
    """The ridge of y over x.

    Parameters
    ----------
    x, y : arrays of shape (n,), finite
        The points.
    strip : float
        Width of a strip of x; strips with few points are joined.
    upper_side : bool
        Which side of the ridge is the cleaner one: the spread is taken there.
    one_sided : bool
        Whether the cleaner side is known to be clean, and the ridge concave (seen from there) beyond the densest strip. Then a ridge with
        many points on its clean side is taken for lost, and strips that hold little but the second cloud are bridged.
    least_sd : float
        The spread is nowhere below this; it is told one standard error high, so that a band about few points is not narrow by chance.

    Returns
    -------
    Ridge or None
        None where fewer than 30 points are given.
    """
    strips = _strips(x, strip)
    if not strips:
        return None
    order = np.argsort(x, kind="stable")
    sign = 1.0 if upper_side else -1.0
    parts = [sign * y[order[a : b : -(-(b - a) // _MOST_IN_STRIP)]] for a, b in strips]
    centre = np.array([np.median(x[order[a:b]]) for a, b in strips])
    densest = int(np.argmax([b - a for a, b in strips]))
    top = np.full(len(strips), np.nan)
    sd = np.full(len(strips), np.nan)
    top[densest], sd[densest] = _first_top(parts[densest], least_sd)
    for step in (1, -1):
        done = [densest]
        for place in range(densest + step, len(strips) if step > 0 else -1, step):
            guess = _guess(centre, top, done, centre[place])
            width = max(float(sd[done[-1]]), least_sd)
            start = _start_on_the_clean_side(parts[place], guess, width) if one_sided else guess
            top[place] = _shift_to_top(parts[place], start, _WIDTHS * width)
            sd[place] = _upper_sd(parts[place], top[place], width, least_sd)
            done.append(place)
    n = np.array([b - a for a, b in strips], dtype=np.float64)
    if one_sided:
        top[densest:] = _lifted_to_hull(centre[densest:], top[densest:], sd[densest:])
    spread = np.maximum(_smoothed(sd, n), least_sd) * (1.0 + 1.0 / np.sqrt(n))
    return Ridge(x=centre, y=sign * _smoothed(top, n), sd=spread, n=n)


def _strips(x: Array, width: float) -> list[tuple[int, int]]:
    """Ranges of the sorted points: strips of the width, joined until each holds thirty, or twelve where that takes more than two."""
    if x.size < _LEAST_IN_STRIP:
        return []
    ordered = np.sort(x)
    edges = np.arange(ordered[0], ordered[-1] + width, width)
    cuts, begun = [0], 0
    for place, cut in enumerate(np.searchsorted(ordered, edges[1:])):
        if cut - cuts[-1] >= (_LEAST_IN_STRIP if place - begun < 2 else _LEAST_IN_WIDE_STRIP):
            cuts.append(int(cut))
            begun = place + 1
    if len(cuts) > 1:
        cuts[-1] = x.size
    return list(itertools.pairwise(cuts)) if len(cuts) > 1 else [(0, x.size)]


def _first_top(values: Array, least_sd: float) -> tuple[float, float]:
    """Top and upper spread in the densest strip, by the half-sample mode.

    Bickel and Fruehwirth 2006, doi:10.1016/j.csda.2005.07.011.
    """
    ordered = np.sort(values)
    while ordered.size > 3:
        half = (ordered.size + 1) // 2
        widths = ordered[half - 1 :] - ordered[: ordered.size - half + 1]
        start = int(widths.argmin())
        ordered = ordered[start : start + half]
        if ordered[-1] == ordered[0] or half < 20:
            break
    top = float(np.median(ordered))
    sd = _upper_sd(values, top, np.inf, least_sd)
    top = _shift_to_top(values, top, _WIDTHS * sd)
    return top, _upper_sd(values, top, sd, least_sd)


def _guess(centre: Array, top: Array, done: list[int], at: float) -> float:
    """Where the last strips point."""
    last = done[-5:]
    if len(last) < 3:
        return float(top[last[-1]])
    slope, offset = np.polyfit(centre[last], top[last], 1)
    return float(0.5 * (slope * at + offset) + 0.5 * (top[last[-1]] + slope * (at - centre[last[-1]])))


def _start_on_the_clean_side(values: Array, guess: float, width: float) -> float:
    """The guess, unless the way was lost.

    Where a good part of the strip lies clear above the guess, the strips before were off the ridge: the middle of that part. Where
    little lies near the guess, straight on was wrong: the strip's upper end.
    """
    above = values[(values > guess + 4.0 * width) & (values < guess + 40.0 * width)]
    if above.size >= max(10, 0.15 * values.size):
        return float(np.median(above))
    near = int((np.abs(values - guess) <= 3.0 * width).sum())
    return guess if near > max(2, 0.15 * values.size) else float(np.quantile(values, 0.9))


def _lifted_to_hull(x: Array, y: Array, sd: Array) -> Array:
    """Points that lie more than two spreads below the upper concave hull are put on it."""
    hull: list[int] = []
    for i in range(x.size):
        while len(hull) > 1 and (y[hull[-1]] - y[hull[-2]]) * (x[i] - x[hull[-1]]) <= (y[i] - y[hull[-1]]) * (
            x[hull[-1]] - x[hull[-2]]
        ):
            hull.pop()
        hull.append(i)
    on_hull = np.interp(x, x[hull], y[hull])
    return np.where(y < on_hull - 2.0 * sd, on_hull, y)


def _shift_to_top(values: Array, start: float, width: float) -> float:
    at = start
    for _ in range(_ROUNDS):
        weight = np.exp(-0.5 * ((values - at) / width) ** 2)
        total = float(weight.sum())
        if total < 3.0:
            return start
        moved = float(weight @ values) / total
        if abs(moved - at) < 1e-3 * width:
            return moved
        at = moved
    return at


def _upper_sd(values: Array, top: float, width: float, least_sd: float) -> float:
    """Spread above the top: median distance of the points above, those beyond four widths left out, as a standard deviation."""
    above = values[(values >= top) & (values <= top + 4.0 * width)] - top
    if above.size < 10:
        return max(min(width, 1e300), least_sd)
    return max(1.4826 * float(np.median(above)), least_sd)


def _smoothed(values: Array, n: NDArray[np.float64]) -> Array:
    """Mean over neighbouring strips (weights 1 2 3 2 1 times points), straight lines kept straight at the ends by leaving them."""
    if values.size < 5:
        return values
    out = values.copy()
    for i in range(1, values.size - 1):
        reach = min(2, i, values.size - 1 - i)
        near = slice(i - reach, i + reach + 1)
        weight = (reach + 1 - np.abs(np.arange(-reach, reach + 1))) * np.sqrt(n[near])
        place = np.arange(-reach, reach + 1, dtype=np.float64)
        _, level = np.polyfit(place, values[near], 1, w=np.sqrt(weight)) if reach else (0.0, values[i])
        out[i] = level
    return out
