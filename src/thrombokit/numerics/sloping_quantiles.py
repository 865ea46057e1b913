"""A quantile of y that follows x: by location and spread along x, and one quantile of what is left.

A quantile far out in the tail rests on few points, too few to be found anew at every x. Location (median) and spread (distance to an upper
quantile) are well known along x from the bulk; in their units the tail looks much the same everywhere, so all points together tell
the quantile. A slope of the tail over x is added where the points can tell it.

References
----------
Koenker and Bassett 1978, doi:10.2307/1913643 (regression quantiles); He 1997, doi:10.1080/00031305.1997.10473959 (quantile curves by
location and spread, which cannot cross).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.polynomial import Polynomial
from scipy.special import bdtr

from thrombokit.numerics.arrays import Array, FrozenArrays, frozen

_MOST_STRIPS, _EVENTS_A_STRIP = 12, 100.0
_SPREAD_AT = 0.84
_TAIL_EVENTS, _LEAST_FOR_A_BEND, _TAIL_PARTS = 60.0, 300.0, (0.25, 0.5, 0.75, 0.9)


@dataclass(frozen=True, kw_only=True, eq=False)
class SlopingQuantile(FrozenArrays):
    """Quantile of y at the places `x`, rising, shape (k,), and its 95 % interval; `n_effective` points behind it."""

    x: Array
    y: Array
    low: Array
    high: Array
    n_effective: float

    def __post_init__(self) -> None:
        for name in ("x", "y", "low", "high"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    def at(self, x: Array) -> Array:
        """The quantile at any x, constant beyond the ends; shape as x."""
        return np.interp(x, self.x, self.y)


def weighted_quantile(values: Array, weights: Array, share: float) -> float:
    """The value below which `share` of the weights lie, half of each point's own weight counted."""
    order = np.argsort(values, kind="stable")
    below = weights[order].cumsum() - 0.5 * weights[order]
    return float(np.interp(share * weights.sum(), below, values[order]))


def fit_sloping_quantile(x: Array, y: Array, weights: Array, *, share: float, confidence: float = 0.95) -> SlopingQuantile:
    """The quantile of y that `share` of the points lie below, at every x.

    Parameters
    ----------
    x, y, weights : arrays of shape (n,), finite; weights >= 0
        The points; a weight says how much a point counts.
    share : float
        Between 0.5 and 1.
    confidence : float
        Of the interval, which is by order statistics of the points in units of location and spread.

    Returns
    -------
    SlopingQuantile
        Of new points the share below is `share` on average: the shape was fitted to the same points, which makes the tail seem one point
        shorter than it is, so the quantile is taken one point further out.

    Raises
    ------
    ValueError
        If no point has a weight.
    """
    used = weights > 0
    if not used.any():
        raise ValueError("no point has a weight")
    x, y, weights = x[used], y[used], weights[used]
    n_effective = float(weights.sum() ** 2 / (weights**2).sum())
    places, middle, spread = _location_and_spread(x, y, weights, n_effective)
    z = (y - np.interp(x, places, middle)) / np.interp(x, places, spread)
    ends, bend = _tail_bend(x, z, weights, share, n_effective)
    straight = z / bend(np.clip(x, *ends))
    expected = (1.0 - share) * n_effective
    level = weighted_quantile(straight, weights, 1.0 - (1.0 - share) * expected / (expected + 1.0))
    low, high = _order_interval(straight, weights, share, n_effective, confidence)
    at = np.unique(np.concatenate([places, ends]))
    base, unit = np.interp(at, places, middle), np.interp(at, places, spread) * bend(np.clip(at, *ends))
    return SlopingQuantile(
        x=at, y=base + level * unit, low=base + low * unit, high=base + high * unit, n_effective=n_effective
    )  # fmt: skip


def _location_and_spread(x: Array, y: Array, weights: Array, n_effective: float) -> tuple[Array, Array, Array]:
    """Median and (84th percentile - median) in strips of x of equal weight, smoothed by parabolas in x."""
    n_strips = int(np.clip(n_effective / _EVENTS_A_STRIP, 1, _MOST_STRIPS))
    order = np.argsort(x, kind="stable")
    below = weights[order].cumsum()
    strip = np.minimum((below / below[-1] * n_strips * (1 - 1e-12)).astype(np.int64), n_strips - 1)
    rows: list[tuple[float, float, float]] = []
    for k in range(n_strips):
        part = order[strip == k]
        if part.size == 0:
            continue
        middle = weighted_quantile(y[part], weights[part], 0.5)
        upper = weighted_quantile(y[part], weights[part], _SPREAD_AT)
        rows.append((float(np.average(x[part], weights=weights[part])), middle, max(upper - middle, 1e-6)))
    places, middles, spreads = np.array(rows).T
    if places.size < 3:
        return places, middles, spreads
    degree = 2 if places.size >= 6 else 1
    fitted = Polynomial.fit(places, middles, degree)
    wider = Polynomial.fit(places, np.log(spreads), degree)
    ends = np.quantile(x, (0.005, 0.995))
    at = np.unique(np.concatenate([ends[:1], places, ends[1:]]))
    return at, np.asarray(fitted(at)), np.exp(np.asarray(wider(np.clip(at, places[0], places[-1]))))


def _tail_bend(x: Array, z: Array, weights: Array, share: float, n_effective: float) -> tuple[tuple[float, float], Polynomial]:
    """How far the tail reaches along x, in units of the spread: a parabola through a less extreme quantile in five parts of x.

    The quantile is less extreme such that sixty points lie beyond it in all. Returns also the ends of x within which the parabola holds.
    """
    beyond = min(1.0 - _SPREAD_AT, max(1.0 - share, _TAIL_EVENTS / n_effective))
    part = np.searchsorted([weighted_quantile(x, weights, c) for c in _TAIL_PARTS], x)
    rows = [
        (float(np.average(x[p], weights=weights[p])), weighted_quantile(z[p], weights[p], 1.0 - beyond), float(weights[p].sum()))
        for p in (part == k for k in range(len(_TAIL_PARTS) + 1))
        if p.sum() >= 5
    ]
    centres, levels, heavy = np.array(rows).T
    ends = (float(centres.min()), float(centres.max()))
    mean = float(np.average(levels, weights=heavy))
    if n_effective < _LEAST_FOR_A_BEND or centres.size < 4 or not ends[1] > ends[0]:
        return ends, Polynomial([max(mean, 1e-6)])
    bend = Polynomial.fit(centres, levels, 2, w=np.sqrt(heavy))
    if np.asarray(bend(np.linspace(*ends, 20))).min() < 0.2 * mean:  # a tail that vanishes is noise, not shape
        return ends, Polynomial([max(mean, 1e-6)])
    return ends, bend


def _order_interval(values: Array, weights: Array, share: float, n_effective: float, confidence: float) -> tuple[float, float]:
    """Order statistics between which the quantile lies: shares at which the binomial distribution function leaves the tails."""
    n = max(round(n_effective), 1)
    counts = np.arange(n + 1)
    at_most = bdtr(counts, n, share)
    tail = 0.5 * (1.0 - confidence)
    lower = float(np.searchsorted(at_most, tail)) / n
    upper = float(np.searchsorted(at_most, 1.0 - tail) + 1) / n
    return weighted_quantile(values, weights, min(lower, 1.0)), weighted_quantile(values, weights, min(upper, 1.0))
