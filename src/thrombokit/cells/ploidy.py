"""Ploidy of megakaryocytes: shares of cells in 2N to >= 64N from the DNA signal of one tube, with intervals and a verdict.

`fit_ploidy` finds the peaks, takes the comb among them that holds most cells, fits the whole histogram by maximum likelihood, and says how
sure it is of the octave. What cannot be known (too few cells, no peak that could be 2N, values that are a picture's and not a signal's) is a
verdict and no number. `docs/explanation/ploidy.md` tells the model and its limits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from thrombokit.cells.dean_jett_fox import dean_jett_fox_prior
from thrombokit.cells.ploidy_comb import FAINT_Z, Comb, comb_by_reference, find_comb, off_the_comb
from thrombokit.cells.ploidy_fit import CombFit, fit_comb
from thrombokit.cells.ploidy_prior import ShapePrior, usual_prior
from thrombokit.cells.ploidy_result import ploidy_of
from thrombokit.cells.ploidy_signal import DnaSignal, check_reference, overview, read_signal
from thrombokit.cells.ploidy_verdicts import (
    MIN_CELLS,
    is_one_value,
    looks_transformed,
    no_2n_message,
    too_few_message,
    transformed_message,
)
from thrombokit.cells.ploidy_windows import windows_ploidy
from thrombokit.domain.ploidy import Assignment, Method, Octave, Ploidy, unknown_ploidy
from thrombokit.numerics.arrays import Array
from thrombokit.numerics.peaks import HistogramPeaks, find_peaks


@dataclass(frozen=True, kw_only=True, eq=False)
class PreparedTube:
    """One tube's signal, the peaks in it, and the comb they make."""

    signal: DnaSignal
    peaks: HistogramPeaks
    comb: Comb


def fit_ploidy(
    dna_signal: Array,
    *,
    reference_2n: float | None = None,
    method: Method = "maximum_likelihood",
    s_assignment: Assignment = "lower",
    octave: Octave = "reference",
) -> Ploidy:
    """Share of cells in each DNA-content class, 2N to >= 64N.

    Parameters
    ----------
    dna_signal : array of shape (n_cells,)
        Propidium-iodide (or other DNA dye) area of gated cells, linear scale, arbitrary units. Values <= 0 are left out.
    reference_2n : float, optional
        2N peak of an in-tube or plate reference, same scale; without it the octave is an assumption.
    method : "maximum_likelihood", "windows" or "dean_jett_fox"
        The model of this package; counts between cuts half-way (in log2) between peaks; Gaussian peaks at exact doublings with a
        second-degree S phase and exponential debris. The last two are here for comparison with older work.
    s_assignment : "lower", "upper" or "excluded"
        Where cells in S phase count; windows cannot tell them apart.
    octave : "reference" or "plate"
        What kind of reference it is; told in the result.

    Returns
    -------
    Ploidy
        Fractions of shape (6,) that sum to 1, with 95 % intervals, and a verdict; NaN where they cannot be known.

    Raises
    ------
    InputError
        If the signal is not one-dimensional or not finite, or the reference is not a positive number; the message says where.

    References
    ----------
    Dean PN, Jett JH (1974) doi:10.1083/jcb.60.2.523; Fox MH (1980) Cytometry 1:71-77, doi:10.1002/cyto.990010114. Ours differs in the
    tails, S shape, exponent, debris and doublets; see docs/explanation/ploidy.md.
    """
    tube = prepare_tube(dna_signal, reference_2n)
    if isinstance(tube, Ploidy):
        return replace(tube, method=method, s_assignment=s_assignment)
    said: Octave = "assumed" if reference_2n is None else octave
    prior = usual_prior(None if reference_2n is None else tube.comb.g1)
    if method == "dean_jett_fox":
        prior = dean_jett_fox_prior(prior)
    fit = fit_tube(tube, prior)
    found = ploidy_of(fit, tube.signal, tube.comb, octave=said, reference_2n=reference_2n, assignment=s_assignment)
    if method == "windows" and found.is_known:
        return windows_ploidy(tube.signal, found)
    return replace(found, method=method)


def prepare_tube(dna_signal: Array, reference_2n: float | None) -> PreparedTube | Ploidy:
    """Check a tube and find its comb; where that cannot be, the Ploidy that says why.

    Raises
    ------
    InputError
        See `fit_ploidy`.
    """
    check_reference(reference_2n)
    signal = read_signal(dna_signal)
    if signal.values.size < MIN_CELLS:
        return unknown_ploidy("too_few_cells", too_few_message(signal.values.size), n_events=signal.n_events)
    if is_one_value(signal):
        return unknown_ploidy("no_2n_peak", no_2n_message(reference_2n), n_events=signal.n_events)
    evenly_spaced = looks_transformed(signal)
    if evenly_spaced is not None:
        return unknown_ploidy("display_transformed", transformed_message(evenly_spaced), n_events=signal.n_events)
    peaks = find_peaks(*overview(signal), least_z=FAINT_Z)
    comb = find_comb(peaks) if reference_2n is None else comb_by_reference(peaks, reference_2n)
    if comb is None or (reference_2n is not None and not comb.members):
        return unknown_ploidy("no_2n_peak", no_2n_message(reference_2n), n_events=signal.n_events)
    return PreparedTube(signal=signal, peaks=peaks, comb=comb)


def fit_tube(tube: PreparedTube, prior: ShapePrior) -> CombFit:
    """The model's best fit to one tube."""
    return fit_comb(tube.signal, tube.comb, prior, off_the_comb(tube.peaks, tube.comb))


def class_probabilities(dna_signal: Array, ploidy: Ploidy) -> Array:
    """How probable it is that each event is a cell of each class; to weigh a marker's intensity by class, say.

    Parameters
    ----------
    dna_signal : array of shape (n_events,)
        The same signal, or other events of the same tube.
    ploidy : Ploidy
        A fit that has its histogram.

    Returns
    -------
    array of shape (n_events, 6)
        Rows sum to at most 1: the rest is the probability of debris, a doublet or another series. Below the fitted range 0.

    Raises
    ------
    ValueError
        If the fit has no histogram (its verdict says why).
    """
    histogram = ploidy.histogram
    if histogram is None:
        raise ValueError(f"no classes to assign events to: {ploidy.message}")
    values = np.asarray(dna_signal, dtype=np.float64)
    n_classes = ploidy.fractions.size
    expected = np.maximum(histogram.expected, 1e-12)
    per_bin = histogram.curves[:n_classes] / expected
    place = np.searchsorted(histogram.edges, values, side="right") - 1
    inside = (place >= 0) & (place < expected.size) & np.isfinite(values)
    out = np.zeros((values.size, n_classes))
    out[inside] = per_bin[:, place[inside]].T
    return out


def class_medians(dna_signal: Array, marker: Array, ploidy: Ploidy) -> Array:
    """Median of a marker's linear signal in each class, events weighted by `class_probabilities`; NaN for a class worth < 1 event.

    Parameters
    ----------
    dna_signal, marker : arrays of shape (n_events,)
        DNA and marker of the same events.
    ploidy : Ploidy
        The fit.

    Returns
    -------
    array of shape (6,)
    """
    weights = class_probabilities(dna_signal, ploidy)
    order = np.argsort(marker, kind="stable")
    out = np.full(weights.shape[1], math.nan)
    for k in range(weights.shape[1]):
        up_to = np.cumsum(weights[order, k])
        if up_to.size and up_to[-1] >= 1.0:
            out[k] = float(np.asarray(marker)[order[np.searchsorted(up_to, 0.5 * up_to[-1])]])
    return out
