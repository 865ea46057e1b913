"""How strongly each event speaks for a change of gain: the score of a small multiplicative shift, in a density of any shape.

If a detector's gain rises by a share d, every value x becomes (1 + d) x. How much likelier each single event has become is its score, the
derivative of its log density along that movement; the sum of scores is the most powerful test of a small change, whatever the shape of the
density: narrow populations and sharp edges count most, broad ones little, and values near zero, which a gain does not move, nothing.
Events are put on an asinh axis, where the movement is an even shift except near zero.

References
----------
Cox and Hinkley 1974, Theoretical Statistics, section 4.8 (locally most powerful tests); Hajek and Sidak 1967, Theory of Rank Tests
(optimal scores).
"""

from __future__ import annotations

import numpy as np

from thrombokit.numerics.arrays import Array, IntArray
from thrombokit.numerics.jit import kernel

_BINS, _LARGEST_SCORE, _LEAST_INFORMATION = 400, 5.0, 1e-3


def gain_axis(values: Array) -> tuple[Array, Array]:
    """Values on an asinh axis, and how far a change of gain moves them there.

    Parameters
    ----------
    values : array of shape (n,)
        Linear signal, finite.

    Returns
    -------
    (y, movement) : arrays of shape (n,)
        y = asinh(x / c) with c = 2 % of the upper quartile of |x|; a relative change d of the gain moves y by d x movement.
    """
    typical = float(np.quantile(np.abs(_thinned(values)), 0.75)) if values.size else 0.0
    c = 0.02 * typical or 1.0
    return _asinh_and_movement(np.ascontiguousarray(values, dtype=np.float64), c)


@kernel
def _asinh_and_movement(values: Array, c: float) -> tuple[Array, Array]:
    y, movement = np.empty(values.size), np.empty(values.size)
    for i in range(values.size):
        u = values[i] / c
        root = np.sqrt(1.0 + u * u)
        y[i] = np.log(u + root) if u >= 0.0 else -np.log(root - u)
        movement[i] = u / root
    return y, movement


def _thinned(values: Array) -> Array:
    """Every k-th value, about ten thousand: enough for a quantile."""
    return values[:: max(1, values.size // 10_000)]


def gain_scores(y: Array, movement: Array) -> tuple[Array, float]:
    """Score of each event for a change of gain, and what one event tells.

    Parameters
    ----------
    y : array of shape (n,)
        Position on a near-logarithmic axis; also a residual of such positions.
    movement : array of shape (n,)
        How far a relative change of 1 in gain moves each event on that axis.

    Returns
    -------
    scores : array of shape (n,)
        Mean 0, standard deviation 1 over the events.
    change_per_score : float
        Relative change of gain that moves the mean score by 1; infinite where the axis tells nothing (all values equal).
    """
    n = y.size
    low, high = np.quantile(_thinned(y), (0.001, 0.999)) if n else (0.0, 0.0)
    if not high > low:
        return np.zeros(n), np.inf
    width = float(high - low) / _BINS
    cell, counts, flow = _bin(y, movement, float(low), width)
    taps = _taps(counts, n)
    density, current = np.convolve(counts, taps, "same"), np.convolve(flow, taps, "same")
    floor = 3.0 * taps.max()  # three events' worth: beyond it the slope is noise
    table = _standardised(-np.gradient(current, width) / (density + floor), counts)
    if not table.any():
        return np.zeros(n), np.inf
    return table[cell], _change_per_score(table, counts, flow / np.maximum(counts, 1.0), width)


@kernel
def _bin(y: Array, movement: Array, low: float, width: float) -> tuple[IntArray, Array, Array]:
    """Cell of each event, and per cell the events and the sum of their movements; the outermost cells take what lies beyond."""
    cell, counts, flow = np.empty(y.size, np.int64), np.zeros(_BINS), np.zeros(_BINS)
    for i in range(y.size):
        k = int(min(max((y[i] - low) / width, 0.0), _BINS - 1.0))
        cell[i] = k
        counts[k] += 1.0
        flow[k] += movement[i]
    return cell, counts, flow


def _standardised(raw: Array, counts: Array) -> Array:
    """Scores of the cells such that the events' mean is 0 and their standard deviation 1, far ones drawn in; 0 where all are equal."""
    for limit in (np.inf, _LARGEST_SCORE):
        raw = np.clip(raw, -limit, limit)
        raw = raw - np.average(raw, weights=counts)
        spread = float(np.sqrt(np.average(raw**2, weights=counts)))
        if not spread > 0.0:
            return np.zeros(raw.size)
        raw = raw / spread
    return raw


def _taps(counts: Array, n: int) -> Array:
    """Gaussian weights that smooth a histogram: narrower than Silverman's rule, for densities with several peaks."""
    place = np.arange(counts.size)
    mean = float((counts * place).sum() / n)
    sd = float(np.sqrt((counts * (place - mean) ** 2).sum() / n))
    bandwidth = max(0.5 * 1.06 * sd * n**-0.2, 1.5)
    reach = min(int(4 * bandwidth) + 1, counts.size // 2 - 1)
    taps = np.exp(-0.5 * (np.arange(-reach, reach + 1) / bandwidth) ** 2)
    return taps / taps.sum()


def _change_per_score(table: Array, counts: Array, movement: Array, width: float) -> float:
    """1 / (rise of the mean score per unit of gain), by moving each cell's events up the axis and reading the score there."""
    place, step = np.arange(_BINS, dtype=np.float64), 0.05
    seen = counts > 0
    smooth = np.interp(place, place[seen], table[seen])
    up, down = (np.interp(place + sign * step * movement / width, place, smooth) for sign in (1.0, -1.0))
    rise = float(np.average(up - down, weights=counts)) / (2.0 * step)
    return 1.0 / rise if rise > _LEAST_INFORMATION else np.inf


def residuals_given_others(y: Array) -> tuple[Array, Array]:
    """What each column holds beyond a linear prediction from the others, and what all of them say of a rise that they share.

    Parameters
    ----------
    y : array of shape (n, m)
        Positions of n events in m channels.

    Returns
    -------
    residuals : array of shape (n, m)
        A change of one channel's gain stands out against channels that rise and fall with it; a constant column stays 0.
    shared : array of shape (n,)
        The best estimate of an equal shift of all columns.

    References
    ----------
    Whittaker 1990, Graphical Models in Applied Multivariate Statistics, section 5.8 (residuals from the inverse covariance).
    """
    centred = y - y.mean(axis=0)
    spread = centred.std(axis=0)
    alive = spread > 0
    out = np.zeros_like(centred)
    if not alive.any():
        return out, np.zeros(len(y))
    unit = centred[:, alive] / spread[alive]
    covariance = unit.T @ unit / max(len(unit), 1)
    precision = np.linalg.inv(covariance + 1e-4 * np.eye(int(alive.sum())))
    out[:, alive] = (unit @ precision) / np.diag(precision) * spread[alive]
    weights = precision @ (1.0 / spread[alive])
    return out, unit @ weights / float((weights / spread[alive]).sum())
