"""The DNA signal of one tube made ready for a fit: checked, its piled-up top found, counted into bins."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from thrombokit.errors import Fault, InputError
from thrombokit.numerics.arrays import Array, FrozenArrays, frozen
from thrombokit.numerics.log_histogram import count, log_edges

BINS_PER_OCTAVE = 60
MOST_BINS = 720
LOWEST_OVER_G1 = 0.35
"""Nothing below this share of the 2N position is looked at in the fit: it holds debris only, and tells nothing of the cells."""
HIGHEST_OVER_G1 = 2.0**7.5
LEAST_PILE, LEAST_PILE_SHARE, PILE_OVER_NEIGHBOURS = 10, 1e-3, 5.0
RANGE_OCTAVES, STRAY_FACTOR = 11.0, 4.0
"""The widest view for peaks; a few events far above all others must not draw it away from the cells."""


@dataclass(frozen=True, kw_only=True, eq=False)
class DnaSignal(FrozenArrays):
    """`values` (n,) positive and finite; `n_events` all that were given; `pile` events at the largest value, `pile_at`, where they are
    so many that the detector or the file ended there (else 0 and infinity)."""

    values: Array
    n_events: int
    pile: int
    pile_at: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", frozen(self.values))


@dataclass(frozen=True, kw_only=True, eq=False)
class DnaHistogram(FrozenArrays):
    """`edges` (n_bins + 1,), the last infinite: what lies above is one bin; `counts` (n_bins,); `unit` the 2N position it was cut for."""

    edges: Array
    counts: Array
    unit: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "edges", frozen(self.edges))
        object.__setattr__(self, "counts", frozen(self.counts))


def read_signal(dna_signal: Array, *, name: str = "dna_signal") -> DnaSignal:
    """Check a DNA signal.

    Parameters
    ----------
    dna_signal : array of shape (n_cells,)
        Linear scale, arbitrary units.
    name : str
        What messages call it.

    Raises
    ------
    InputError
        If it is not one-dimensional or holds values that are not finite; the message says where.
    """
    values = np.asarray(dna_signal, dtype=np.float64)
    if values.ndim != 1:
        raise InputError(
            Fault(place=name, found=f"an array of shape {values.shape}", expected="one value per event, shape (n_events,)",
                  cure="Pass the area signal of one DNA channel.")
        )  # fmt: skip
    bad = np.flatnonzero(~np.isfinite(values))
    if bad.size:
        raise InputError(
            Fault(place=f"{name}, event {int(bad[0]) + 1}", found=f"{values[bad[0]]} ({bad.size} such values in all)",
                  expected="finite numbers", cure="Leave these events out, or export the channel again.")
        )  # fmt: skip
    pile, pile_at = _pile(values)
    return DnaSignal(values=values[values > 0.0], n_events=int(values.size), pile=pile, pile_at=pile_at)


def check_reference(reference_2n: float | None) -> None:
    """Refuse a reference that is no position.

    Raises
    ------
    InputError
        If it is not a finite number above zero.
    """
    if reference_2n is not None and not (math.isfinite(reference_2n) and reference_2n > 0.0):
        raise InputError(
            Fault(place="reference_2n", found=f"{reference_2n}", expected="the 2N peak of a diploid reference, above zero",
                  cure="Give its position in the units of the DNA signal, or leave it out.")
        )  # fmt: skip


def _pile(values: Array) -> tuple[int, float]:
    """Events at the very largest value, where there are more than its neighbourhood explains."""
    positive = values[values > 0.0]
    if positive.size == 0:
        return 0, math.inf
    top = float(positive.max())
    at_top = int(np.count_nonzero(positive == top))
    if at_top < max(LEAST_PILE, LEAST_PILE_SHARE * positive.size):
        return 0, math.inf
    below = positive[(positive >= 0.9 * top) & (positive < top)]
    each = below.size / max(np.unique(below).size, 1)
    return (at_top, top) if at_top > PILE_OVER_NEIGHBOURS * max(each, 1.0) else (0, math.inf)


def overview(signal: DnaSignal) -> tuple[Array, Array]:
    """Edges and counts over the whole range (at most 11 octaves), without the pile and far strays; to look for peaks in."""
    values = signal.values[signal.values < signal.pile_at]
    high = min(float(values.max()), STRAY_FACTOR * float(np.quantile(values, 0.999))) * (1.0 + 1e-9)
    low = max(float(np.quantile(values, 1e-3)), high / 2.0**RANGE_OCTAVES)
    edges = log_edges(values, min(low, high / 2.0), high, 64, MOST_BINS)
    return edges, count(values, edges)


def histogram_for(signal: DnaSignal, g1: float) -> DnaHistogram:
    """The histogram for a fit whose 2N lies at about `g1`."""
    values = signal.values
    high = min(float(values.max()) * (1.0 + 1e-9), HIGHEST_OVER_G1 * g1)
    if math.isfinite(signal.pile_at):
        high = min(high, signal.pile_at)
    low = LOWEST_OVER_G1 * g1
    inside = np.sort(values[(values >= low) & (values <= high)])
    if inside.size:
        low = max(low, float(inside[min(inside.size - 1, inside.size // 2000)]))  # where recording begins
    edges = log_edges(values, low, max(high, 1.2 * low), BINS_PER_OCTAVE, MOST_BINS)
    edges = edges[edges <= signal.pile_at]
    edges = np.append(edges[:-1] if edges[-1] >= high else edges, math.inf)
    return DnaHistogram(edges=edges, counts=count(values, edges), unit=g1)
