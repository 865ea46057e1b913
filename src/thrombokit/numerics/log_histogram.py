"""Histograms on a log2 axis, and what two sums of their own contents look like.

Digitised signals lie on a lattice (channels 0..1023, say); bins cut anywhere would hold now one, now two lattice points and so beat.
Edges are therefore moved to the nearest gap between neighbouring values. `sums_of_two` gives the distribution of x1 + x2 for two
independent draws (two cells in one droplet): on a regular log2 grid the place of a sum depends only on the distance of the two bins,
so that no density has to be evaluated.
"""

from __future__ import annotations

import numpy as np

from thrombokit.numerics.arrays import Array
from thrombokit.numerics.jit import kernel

FEWEST_BINS = 64
TIES = 0.5
"""Fewer distinct values than this share of all values: the signal lies on a lattice."""


def log_edges(values: Array, low: float, high: float, bins_per_octave: int, most_bins: int) -> Array:
    """Rising bin edges, about evenly spaced in log2, from `low` to `high` (both > 0), never through a value of a lattice.

    Parameters
    ----------
    values : array of shape (n,)
        The signal; looked at only for its lattice.
    low, high : float
        0 < low < high.
    bins_per_octave, most_bins : int
        The wanted density, and the largest number of bins; there are at least 64, fewer only on a coarse lattice.

    Returns
    -------
    array of shape (n_bins + 1,)
    """
    octaves = np.log2(high / low)
    n_bins = int(np.clip(np.ceil(octaves * bins_per_octave), FEWEST_BINS, most_bins))
    edges = low * 2.0 ** (octaves * np.arange(n_bins + 1) / n_bins)
    distinct = np.unique(values[(values >= low) & (values <= high)])
    if distinct.size < 3 or distinct.size > TIES * values.size:
        return edges
    first = max(distinct[0] - (distinct[1] - distinct[0]) / 2.0, low / 2.0)
    last = distinct[-1] + (distinct[-1] - distinct[-2]) / 2.0
    gaps = np.concatenate([[first], (distinct[1:] + distinct[:-1]) / 2.0, [last]])
    place = np.clip(np.searchsorted(gaps, edges), 1, gaps.size - 1)
    nearer = np.where(edges - gaps[place - 1] < gaps[place] - edges, gaps[place - 1], gaps[place])
    return np.unique(nearer)


def count(values: Array, edges: Array) -> Array:
    """Values in each bin, lower edge included, upper not; shape (n_bins,). The last edge may be infinite."""
    place = np.searchsorted(edges, values, side="right") - 1
    inside = (place >= 0) & (place < edges.size - 1)
    return np.bincount(place[inside], minlength=edges.size - 1).astype(np.float64)


@kernel
def rebin(edges: Array, masses: Array, low_log2: float, step: float, n: int) -> Array:
    """Masses on a regular log2 grid of `n` bins of width `step` from `low_log2`, spread evenly within their old (finite) bins."""
    out = np.zeros(n)
    for b in range(masses.size):
        if masses[b] == 0.0 or not np.isfinite(edges[b + 1]) or edges[b] <= 0.0:
            continue
        start = (np.log2(edges[b]) - low_log2) / step
        stop = (np.log2(edges[b + 1]) - low_log2) / step
        density = masses[b] / (stop - start)
        i = max(int(np.floor(start)), 0)
        while i < n and i < stop:
            part = min(stop, i + 1.0) - max(start, float(i))
            if part > 0.0:
                out[i] += density * part
            i += 1
    return out


@kernel
def _onto_edges(grid: Array, low_log2: float, step: float, edges: Array, row: Array) -> None:
    """Masses of a regular log2 grid put into bins; a last bin that is open upwards takes all that lies above."""
    total = np.zeros(grid.size + 1)
    for i in range(grid.size):
        total[i + 1] = total[i] + grid[i]
    before = 0.0
    for b in range(edges.size):
        place = float(grid.size) if not np.isfinite(edges[b]) else (np.log2(edges[b]) - low_log2) / step
        place = min(max(place, 0.0), float(grid.size))
        i = min(int(place), grid.size - 1)
        here = total[i] + (place - i) * grid[i]
        if b > 0:
            row[b - 1] = here - before
        before = here


@kernel
def sums_of_two(edges: Array, first: Array, second: Array, step: float, row: Array) -> None:
    """Distribution of the sum of two independent draws, one from each of two histograms, written to `row` (n_bins,), summing to at most 1.

    `first`, `second` (n_bins,) need not sum to 1; an open last bin is left out. `step` is the grid's width in octaves.
    """
    low = np.log2(edges[0])
    last = edges[edges.size - 1] if np.isfinite(edges[edges.size - 1]) else edges[edges.size - 2]
    n = int(np.ceil((np.log2(last) - low) / step)) + 1
    one, other = rebin(edges, first, low, step, n), rebin(edges, second, low, step, n)
    total = one.sum() * other.sum()
    grid = np.zeros(n + int(1.0 / step) + 2)
    if total <= 0.0:
        row[:] = 0.0
        return
    for d in range(n):
        rise = np.log2(1.0 + 2.0 ** (-d * step)) / step
        whole = int(rise)
        part = rise - whole
        factor = (0.5 if d == 0 else 1.0) / total
        for j in range(d, n):
            mass = factor * (one[j] * other[j - d] + one[j - d] * other[j])
            if mass > 0.0:
                grid[j + whole] += mass * (1.0 - part)
                grid[j + whole + 1] += mass * part
    _onto_edges(grid, low, step, edges, row)


@kernel
def self_sums(edges: Array, masses: Array, step: float, row: Array) -> None:
    """Distribution of the sum of two independent draws from one histogram; see `sums_of_two`."""
    sums_of_two(edges, masses, masses, step, row)


@kernel
def fragments(edges: Array, masses: Array, rows: Array) -> None:
    """Pieces of what is in a histogram, cut at random once or twice, written to `rows` (2, n_bins), each summing to 1 over the finite bins.

    A stick broken at n even random places gives pieces of u times its length with density n (1 - u)^(n - 1): even for one cut, falling
    to none at the whole length for two.
    """
    n = masses.size
    above, above_twice = 0.0, 0.0
    rows[:, :] = 0.0
    for b in range(n - 1, -1, -1):
        if not np.isfinite(edges[b + 1]):
            continue
        width = edges[b + 1] - edges[b]
        middle = 0.5 * (edges[b + 1] + edges[b])
        rows[0, b] = width * (above + 0.5 * masses[b] / middle)
        rows[1, b] = width * (above - middle * above_twice)
        above += masses[b] / middle
        above_twice += masses[b] / middle**2
    for i in range(2):
        total = rows[i].sum()
        if total > 0.0:
            rows[i] /= total
