"""When a DNA histogram cannot be read, or only with a warning: the rules and their sentences."""

from __future__ import annotations

import numpy as np

from thrombokit.cells.ploidy_signal import MOST_BINS, DnaSignal
from thrombokit.numerics.arrays import Array
from thrombokit.numerics.log_histogram import count, log_edges
from thrombokit.numerics.peaks import find_peaks

MIN_CELLS = 200
"""Fewer say too little about the shape of six peaks and what lies between them."""
EVEN_SPACING, LARGEST_EVEN_RATIO, SURELY_EVEN = 0.15, 1.7, 4
DOUBLING_OCTAVES = 0.07
NARROWEST_CV, NARROW_RANGE = 0.012, 2.0
LEAST_MAIN_SHARE, LEAST_LEAD_SHARE = 0.005, 0.3
AXIS_OCTAVES = 8.0
FEWEST_DISTINCT = 10


def looks_transformed(signal: DnaSignal) -> Array | None:
    """Peaks of a signal that looks like places on a logarithmic display, as positions (n_peaks,); None where it does not.

    Nothing here depends on the unit. Peaks are looked for on a linear axis. Two rules: three or more main peaks evenly spaced, each less
    than 1.7 times the one before (three of them may be 4N, 6N doublets and 8N: then the outer ones are a doubling); or nearly all values
    within one octave and the main peak narrower than 1.2 %, as no DNA stain is.
    """
    values = signal.values[signal.values < signal.pile_at]
    low, high = np.quantile(values, (0.001, 0.999))
    if not high > low:
        return None
    place = np.clip((values - low) / (high - low), 0.0, 1.0)
    edges = log_edges(2.0 ** (AXIS_OCTAVES * place), 1.0, 2.0**AXIS_OCTAVES, 64, MOST_BINS)
    peaks = find_peaks(edges, count(2.0 ** (AXIS_OCTAVES * place), edges))
    main = np.flatnonzero(peaks.events >= LEAST_MAIN_SHARE * values.size)
    position = low + np.log2(peaks.position[main]) / AXIS_OCTAVES * (high - low)
    if _evenly_spaced(position):
        return position
    if position.size and high < NARROW_RANGE * low:
        lead = int(np.argmax(peaks.events[main]))
        sd = float(peaks.sd_log2[main][lead]) / AXIS_OCTAVES * (high - low)
        leads = peaks.events[main][lead] >= LEAST_LEAD_SHARE * values.size
        if leads and sd < NARROWEST_CV * position[lead]:
            return position
    return None


def _evenly_spaced(position: Array) -> bool:
    if position.size < 3 or position[0] <= 0.0:
        return False
    steps, ratios = np.diff(position), position[1:] / position[:-1]
    even = float(np.max(np.abs(steps / steps.mean() - 1.0))) < EVEN_SPACING and float(ratios.max()) < LARGEST_EVEN_RATIO
    doubling = bool(np.any(np.abs(np.log2(position[:, None] / position[None, :]) - 1.0) < DOUBLING_OCTAVES))
    return even and (position.size >= SURELY_EVEN or not doubling)


def is_one_value(signal: DnaSignal) -> bool:
    """Whether there are too few different values below the end of the scale to speak of a histogram."""
    values = signal.values[signal.values < signal.pile_at]
    return values.size < MIN_CELLS or np.unique(values).size < FEWEST_DISTINCT


def too_few_message(n: int) -> str:
    """For "too_few_cells"."""
    return f"{n} events, and at least {MIN_CELLS} are needed. Acquire more cells, or widen the gate."


def transformed_message(position: Array) -> str:
    """For "display_transformed"."""
    found = ", ".join(f"{value:.4g}" for value in position[:6])
    return (
        f"The peaks ({found}) are evenly spaced or too narrow for a DNA signal: these look like values of a logarithmic, logicle or asinh "
        "display. Export the channel on a linear scale and fit that."
    )


def no_2n_message(reference_2n: float | None) -> str:
    """For "no_2n_peak" without shares."""
    if reference_2n is None:
        return (
            "No peak stands out that could be 2N. Check the gate and the staining, or give the 2N position of a diploid reference."
        )
    return f"No peak stands at 2N ({reference_2n:.4g}) or at a doubling of it. Check that reference and sample were stained and read alike."
