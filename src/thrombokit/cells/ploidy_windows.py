"""The usual manual read-out: cells counted between cuts half-way (in log2) between the peaks.

Named because reviewers know it. It gives S-phase cells, debris and doublets to whichever class they fall in; its intervals know only
of counting, not of that.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from thrombokit.cells.ploidy_shares import N_CLASSES, derived_numbers, intervals
from thrombokit.cells.ploidy_signal import DnaSignal
from thrombokit.domain.ploidy import Ploidy
from thrombokit.numerics.arrays import Array

COUNTED_ONLY = (
    "Windows count debris, doublets and S-phase cells as cells of whichever class they fall in; the intervals do not know of that."
)


def window_counts(values: Array, g1: float) -> Array:
    """Events nearest (in log2) to each of the six classes; shape (6,). Below half an octave under 2N nothing counts."""
    k = np.rint(np.log2(values / g1)).astype(np.int64)
    return np.bincount(np.minimum(k[k >= 0], N_CLASSES - 1), minlength=N_CLASSES).astype(np.float64)


def windows_ploidy(signal: DnaSignal, fitted: Ploidy) -> Ploidy:
    """A Ploidy by windows, around the 2N position of a fit; what windows cannot tell (S phase, debris, doublets) is NaN.

    Parameters
    ----------
    signal : DnaSignal
        The tube.
    fitted : Ploidy
        Its fit, for the position of 2N, the verdict and the peaks.
    """
    counts = window_counts(signal.values, fitted.g1_peak)
    total = max(float(counts.sum()), 1.0)
    fractions = counts / total
    covariance = (np.diag(fractions) - np.outer(fractions, fractions)) / total
    floor = np.eye(N_CLASSES) * 0.5 / total**2
    low, high = intervals(fractions, covariance + floor, total)
    derived = derived_numbers(fractions, covariance + floor, total)
    unknown = float("nan")
    return replace(
        fitted, fractions=fractions, low=low, high=high, method="windows", s_phase=unknown, debris=unknown, doublets=unknown,
        chi_square_per_df=unknown, n_cells=total, warnings=(*fitted.warnings, COUNTED_ONLY), histogram=None, **derived.fields(),
    )  # fmt: skip
