"""Peaks of a histogram on a log2 axis, found without being told where or how many.

The histogram is smoothed at several widths; a local maximum counts when it stands above the higher of the two saddles beside it by more
than chance would (its *prominence*, in standard errors of the difference of the two smoothed counts). Narrow smoothing finds narrow
peaks and noise, wide smoothing finds wide peaks and merges neighbours: a peak found at any width counts once, at the narrowest that
shows it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from thrombokit.numerics.arrays import Array, FrozenArrays, IntArray, frozen
from thrombokit.numerics.jit import kernel
from thrombokit.numerics.log_histogram import rebin

GRID_OCTAVES = 1.0 / 64.0
WIDTHS_OCTAVES = (0.03, 0.06, 0.12)
"""SDs of the smoothing: about 2, 4 and 8 % of the signal."""
LEAST_Z = 5.0
LEAST_APART_OCTAVES = 0.1


@dataclass(frozen=True, kw_only=True, eq=False)
class HistogramPeaks(FrozenArrays):
    """Peaks from the lowest to the highest; arrays of shape (n_peaks,).

    `position` in the signal's units, `sd_log2` half-width as an SD in octaves, `events` above the higher saddle within two SDs,
    `prominence_z` how far the top stands above that saddle, in standard errors; `left_saddle`, `right_saddle` the heights of both
    saddles as shares of the top's (an edge where recording begins has a left saddle of 0 and a right one not far from 1).
    """

    position: Array
    sd_log2: Array
    events: Array
    prominence_z: Array
    left_saddle: Array
    right_saddle: Array

    def __post_init__(self) -> None:
        for name in ("position", "sd_log2", "events", "prominence_z", "left_saddle", "right_saddle"):
            object.__setattr__(self, name, frozen(getattr(self, name)))


@kernel
def _saddles(smooth: Array, top: int) -> tuple[int, int]:
    """Lowest places between a maximum and the next higher ground on either side (or the end)."""
    left = top
    i = top
    while i >= 0 and smooth[i] <= smooth[top]:
        if smooth[i] < smooth[left]:
            left = i
        i -= 1
    right = top
    i = top
    while i < smooth.size and smooth[i] <= smooth[top]:
        if smooth[i] < smooth[right]:
            right = i
        i += 1
    return left, right


def _smoothed(counts: Array, width: float) -> Array:
    reach = math.ceil(4.0 * width / GRID_OCTAVES)
    z = np.arange(-reach, reach + 1) * GRID_OCTAVES / width
    weights = np.exp(-0.5 * z * z)
    smooth: Array = np.convolve(counts, weights / weights.sum(), mode="same").astype(np.float64)
    return smooth


def _tops(smooth: Array) -> IntArray:
    inner = (smooth[1:-1] > smooth[:-2]) & (smooth[1:-1] >= smooth[2:])
    return np.flatnonzero(inner) + 1


def _describe(counts: Array, smooth: Array, width: float, top: int) -> tuple[float, ...]:
    """(place in bins, SD in bins, events, z, left saddle, right saddle) of one maximum."""
    left, right = _saddles(smooth, top)
    saddle = max(smooth[left], smooth[right])
    height = smooth[top] - saddle
    noise = math.sqrt(max(smooth[top] + saddle, 1e-9) * GRID_OCTAVES / (2.0 * math.sqrt(math.pi) * width))
    half = saddle + 0.5 * height
    start, stop = top, top
    while start > left and smooth[start] > half:
        start -= 1
    while stop < right and smooth[stop] > half:
        stop += 1
    near = np.arange(start, stop + 1)
    above = np.maximum(smooth[near] - half, 0.0)
    place = float(above @ near / above.sum()) if above.sum() > 0.0 else float(top)
    measured = (stop - start) / 2.355
    sd = math.sqrt(max(measured**2 - (width / GRID_OCTAVES) ** 2, 0.25 * measured**2))
    first, last = max(int(place - 2.0 * measured), 0), min(int(place + 2.0 * measured) + 1, counts.size)
    events = float(np.sum(counts[first:last]) - saddle * (last - first))
    z = height / noise if noise > 0.0 else 0.0
    return place, sd, max(events, 0.0), z, float(smooth[left] / smooth[top]), float(smooth[right] / smooth[top])


def find_peaks(edges: Array, counts: Array, *, least_z: float = LEAST_Z) -> HistogramPeaks:
    """Peaks of a histogram that chance does not explain.

    Parameters
    ----------
    edges : array of shape (n_bins + 1,), positive, rising
        In the signal's units.
    counts : array of shape (n_bins,)
        Events.
    least_z : float
        How far, in standard errors, a top must stand above its saddles.

    Returns
    -------
    HistogramPeaks
        Possibly none.
    """
    low = math.log2(edges[0])
    n = math.ceil((math.log2(edges[-1]) - low + 4.0 * max(WIDTHS_OCTAVES)) / GRID_OCTAVES) + 1  # down to nothing on the right
    grid = rebin(edges, counts, low, GRID_OCTAVES, n)
    found: list[tuple[float, ...]] = []
    for width in WIDTHS_OCTAVES:
        smooth = _smoothed(grid, width)
        for top in _tops(smooth):
            described = _describe(grid, smooth, width, int(top))
            place, sd, _, z = described[:4]
            apart = LEAST_APART_OCTAVES / GRID_OCTAVES
            if z >= least_z and all(abs(place - other[0]) > max(apart, 0.7 * other[1], 0.7 * sd) for other in found):
                found.append(described)
    found.sort()
    table = np.array(found).reshape(-1, 6)
    return HistogramPeaks(
        position=2.0 ** (low + (table[:, 0] + 0.5) * GRID_OCTAVES), sd_log2=table[:, 1] * GRID_OCTAVES, events=table[:, 2],
        prominence_z=table[:, 3], left_saddle=table[:, 4], right_saddle=table[:, 5],
    )  # fmt: skip
