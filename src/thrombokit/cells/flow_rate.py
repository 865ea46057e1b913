"""Stretches of a tube in which events came much too slowly or too fast: clogs, bursts after them, air bubbles.

Counts in windows of many lengths are held against the running median of the rate; a window is odd when chance does not explain it (all
windows that were looked at are counted, and the flow's own unevenness is measured from neighbouring bins) *and* the rate is far off.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import pdtr, pdtrc

from thrombokit.numerics.arrays import Array, BoolArray

_EVENTS_A_BIN, _TICKS_A_BIN, _MOST_BINS = 20.0, 4.0, 4000
_WINDOW_BINS = (2, 4, 8, 16, 32)


@dataclass(frozen=True, kw_only=True, slots=True)
class RateStretch:
    """A stretch of odd flow, start <= time < stop, its rate as a multiple of the rate around it, and the slowest and fastest part of it."""

    start: float
    stop: float
    relative_rate: float
    slowest: float
    fastest: float


def odd_rates(time: Array, *, false_alarm: float, slow: float, fast: float) -> tuple[RateStretch, ...]:
    """Stretches in which the event rate was below `slow` or above `fast` times the rate around them.

    Parameters
    ----------
    time : array of shape (n_events,), not falling
        Any unit.
    false_alarm : float
        Chance that an even flow has any such stretch.
    slow, fast : float
        Multiples of the rate around.

    Returns
    -------
    tuple of RateStretch, in order, not touching
    """
    edges = _bin_edges(time)
    if edges.size < 12:
        return ()
    counts = np.histogram(time, edges)[0].astype(np.float64)
    expected = _running_median(counts)
    odd = _odd_bins(counts, expected, false_alarm, slow, fast)
    return tuple(_stretch(edges, counts, expected, a, b) for a, b in zip(*_runs(odd), strict=True))


def _stretch(edges: Array, counts: Array, expected: Array, a: int, b: int) -> RateStretch:
    """The stretch of bins a to b; its slowest and fastest part are told over a fifth of it at a time, three bins at least."""
    got, due = counts[a:b], expected[a:b]
    length = min(max(got.size // 5, 3), got.size)
    taps = np.ones(length)
    parts = np.convolve(got, taps, "valid") / np.convolve(due, taps, "valid")
    return RateStretch(
        start=float(edges[a]), stop=float(edges[b]), relative_rate=float(got.sum() / due.sum()), slowest=float(parts.min()),
        fastest=float(parts.max()),
    )  # fmt: skip


def _bin_edges(time: Array) -> Array:
    """Equal bins of about twenty events, never finer than the clock allows; the last, incomplete bin is left out."""
    steps = np.diff(time)
    ticks = steps[steps > 0]
    duration = float(time[-1] - time[0]) if time.size else 0.0
    if ticks.size == 0 or duration <= 0:
        return np.zeros(0)
    tick = float(ticks.min())
    width = max(_EVENTS_A_BIN * duration / time.size, _TICKS_A_BIN * tick, duration / _MOST_BINS)
    if width < 100 * tick:
        width = tick * np.ceil(width / tick)  # whole ticks: else bins would hold unequal numbers of them
    return time[0] - 0.5 * tick + width * np.arange(int(duration / width) + 1)


def _running_median(counts: Array) -> Array:
    """Median of the counts around each bin, over half of the tube; nowhere below half of the tube's own."""
    reach = max(counts.size // 4, 5)
    places = np.linspace(0, counts.size - 1, 25).astype(np.int64)
    local = [np.median(counts[max(0, p - reach) : p + reach + 1]) for p in places]
    return np.maximum(np.interp(np.arange(counts.size), places, local), max(0.5 * float(np.median(counts)), 1.0))


def _odd_bins(counts: Array, expected: Array, false_alarm: float, slow: float, fast: float) -> BoolArray:
    neighbours = np.diff(counts / np.sqrt(expected))
    dispersion = max(1.0, 0.5 * float(1.4826 * np.median(np.abs(neighbours - np.median(neighbours)))) ** 2)
    limit = 0.5 * false_alarm / (counts.size * len(_WINDOW_BINS))
    odd = np.zeros(counts.size, dtype=np.bool_)
    seen, due = np.concatenate([[0.0], counts.cumsum()]), np.concatenate([[0.0], expected.cumsum()])
    for length in _WINDOW_BINS:
        if length > counts.size // 4:
            break
        got, wanted = seen[length:] - seen[:-length], due[length:] - due[:-length]
        far = (got < slow * wanted) | (got > fast * wanted)
        tail = np.minimum(
            pdtr(got / dispersion, wanted / dispersion), pdtrc(np.maximum(got / dispersion - 1.0, 0.0), wanted / dispersion)
        )
        for start in np.flatnonzero(far & (tail < limit)):
            odd[start : start + length] = True
    return odd & _near_a_deviating_bin(counts, expected, odd, slow, fast)


def _near_a_deviating_bin(counts: Array, expected: Array, odd: BoolArray, slow: float, fast: float) -> BoolArray:
    """Within each run of odd bins, from the first to the last that deviates by itself, and one bin of margin on either side."""
    deviating = (counts < slow * expected) | (counts > fast * expected)
    keep = np.zeros(counts.size, dtype=np.bool_)
    for a, b in zip(*_runs(odd), strict=True):
        inside = a + np.flatnonzero(deviating[a:b])
        if inside.size:
            keep[max(a, inside[0] - 1) : min(b, inside[-1] + 2)] = True
    return keep


def _runs(flags: BoolArray) -> tuple[list[int], list[int]]:
    """Starts and stops (exclusive) of the runs of True."""
    edges = np.diff(np.concatenate([[0], flags.astype(np.int8), [0]]))
    return [int(i) for i in np.flatnonzero(edges == 1)], [int(i) for i in np.flatnonzero(edges == -1)]
