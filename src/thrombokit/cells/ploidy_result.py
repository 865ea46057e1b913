"""From a finished fit to a Ploidy: shares, peaks, verdict, warnings and the histogram behind them."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from thrombokit.cells.ploidy_comb import Comb
from thrombokit.cells.ploidy_fit import CombFit
from thrombokit.cells.ploidy_model import DEBRIS, DOUBLETS, EXPONENT, FRAGMENTS, N_PEAKS, OFFSET, PEAKS, SLIVERS
from thrombokit.cells.ploidy_prior import EXPONENT_BAND
from thrombokit.cells.ploidy_shares import N_CLASSES, Shares, derived_numbers, shares_of
from thrombokit.cells.ploidy_signal import DnaSignal
from thrombokit.cells.ploidy_verdicts import MIN_CELLS, too_few_message
from thrombokit.domain.ploidy import CLASSES, Assignment, Octave, Peak, Ploidy, PloidyHistogram, Verdict, unknown_ploidy

LEAST_PEAK_SHARE, LEAST_PEAK_EVENTS = 0.002, 10.0
SAME_SERIES_OCTAVES = 0.08
LEAST_2N_SHARE, LEAST_2N_LOW = 0.005, 0.0005
POOR_CHI = 2.0
LARGEST_EXTRA_SHARE = 0.02
FAR_FROM_REFERENCE = 0.08


def ploidy_of(
    fit: CombFit, signal: DnaSignal, comb: Comb, *, octave: Octave, reference_2n: float | None, assignment: Assignment
) -> Ploidy:
    """The result of one fit; see `fit_ploidy`."""
    shares = _opened(shares_of(fit, assignment), _unresolved(fit, signal))
    cells = float(shares.events.sum())
    warnings = tuple(_warnings(fit, signal, comb, shares, reference_2n))
    if cells < MIN_CELLS:
        message = too_few_message(round(cells)).replace("events", "cells among the events", 1)
        return unknown_ploidy("too_few_cells", message, n_events=signal.n_events, warnings=warnings)
    verdict, message = _verdict(fit, signal, shares, octave)
    derived = derived_numbers(shares.fractions, shares.covariance, cells)
    events = float(fit.histogram.counts.sum())
    found = Ploidy(
        fractions=shares.fractions, low=shares.low, high=shares.high, verdict=verdict, message=message, octave=octave,
        s_assignment=assignment, g1_peak=fit.peak(0)[0], g1_cv=fit.peak(0)[1],
        exponent=float(fit.theta[EXPONENT]), offset=float(fit.theta[OFFSET]), s_phase=_s_share(fit, shares),
        debris=float(fit.theta[[DEBRIS, FRAGMENTS, SLIVERS]].sum()) / events, doublets=float(fit.theta[DOUBLETS]) / events,
        chi_square_per_df=shares.chi_square_per_df, n_events=signal.n_events, n_cells=cells, peaks=peaks_of(fit),
        warnings=warnings, histogram=picture_of(fit),
    )  # fmt: skip
    return replace(found, **derived.fields())


def _s_share(fit: CombFit, shares: Shares) -> float:
    s_cells = float(shares.s_events.sum())
    return s_cells / max(s_cells + float(fit.theta[PEAKS : PEAKS + N_PEAKS].sum()), 1e-9)


def peaks_of(fit: CombFit) -> tuple[Peak, ...]:
    """Peaks on the comb (series 0) and off it; those an octave apart share a series."""
    extras = fit.extras
    total = float(fit.theta[PEAKS : PEAKS + N_PEAKS].sum()) + sum(events for _, _, events in extras)
    need = max(LEAST_PEAK_SHARE * total, LEAST_PEAK_EVENTS)
    found: list[Peak] = []
    for k in range(N_PEAKS):
        events = float(fit.theta[PEAKS + k])
        position, cv = fit.peak(k)
        inside = position < fit.histogram.edges[-2]
        if events >= need and inside:
            found.append(Peak(position=position, cv=cv, share=events / total, series=0))
    starts: list[float] = []
    for position, cv, events in sorted(extras):
        if events < need:
            continue
        near = [i for i, start in enumerate(starts) if _octaves_off(position / start) < SAME_SERIES_OCTAVES]
        series = near[0] if near else len(starts)
        if not near:
            starts.append(position)
        found.append(Peak(position=position, cv=cv, share=events / total, series=series + 1))
    return tuple(sorted(found, key=lambda peak: peak.position))


def _octaves_off(ratio: float) -> float:
    octaves = math.log2(ratio)
    return abs(octaves - round(octaves))


def picture_of(fit: CombFit) -> PloidyHistogram:
    """The histogram and the model's curves, classes first."""
    curves = fit.expect()[2]
    classes = curves[:N_CLASSES].copy()
    classes[-1] += curves[N_CLASSES:N_PEAKS].sum(axis=0)
    rest = np.vstack([curves[N_PEAKS] + curves[N_PEAKS + 1], curves[N_PEAKS + 2], curves[N_PEAKS + 3]])
    return PloidyHistogram(
        edges=fit.histogram.edges, counts=fit.histogram.counts, names=(*CLASSES, "debris", "doublets", "other series"),
        curves=np.vstack([classes, rest]),
    )  # fmt: skip


def _unresolved(fit: CombFit, signal: DnaSignal) -> list[int]:
    """Classes whose peak lies at or beyond the end of the scale."""
    if signal.pile == 0:
        return []
    return [k for k in range(N_CLASSES) if fit.rung(k)[0] + fit.rung(k)[1] > signal.pile_at]


def _opened(shares: Shares, beyond: list[int]) -> Shares:
    """Classes that the end of the scale hides share one upper limit, and none has a lower one."""
    if not beyond:
        return shares
    low, high = shares.low.copy(), shares.high.copy()
    low[beyond], high[beyond] = 0.0, float(np.max(high[beyond]))
    return replace(shares, low=low, high=high)


def _no_2n(shares: Shares) -> bool:
    return bool(shares.fractions[0] < LEAST_2N_SHARE and shares.low[0] < LEAST_2N_LOW)


def _verdict(fit: CombFit, signal: DnaSignal, shares: Shares, octave: Octave) -> tuple[Verdict, str]:
    beyond = _unresolved(fit, signal)
    if octave in ("reference", "plate") and _no_2n(shares):
        return "no_2n_peak", "No cells at 2N: the classes are placed by the reference alone."
    if beyond:
        names = ", ".join(CLASSES[k] for k in beyond)
        return "saturated", (
            f"{signal.pile} of {signal.n_events} events lie at the end of the scale ({signal.pile_at:.6g}), where {names} would be: "
            "what lies there counts as the lowest of these classes, a lower limit of ploidy. Lower the detector's voltage and acquire again."
        )
    if octave == "assumed":
        return "octave_assumed", (
            "The lowest peak of the comb is taken as 2N; without a diploid reference a 4N/8N/16N culture looks the same. "
            "Give the 2N position of CD41-negative cells of the same tube."
        )
    return "fit", f"2N is placed by the {'in-tube reference' if octave == 'reference' else 'plate'}."


def _warnings(fit: CombFit, signal: DnaSignal, comb: Comb, shares: Shares, reference_2n: float | None) -> list[str]:
    out: list[str] = []
    exponent = float(fit.theta[EXPONENT])
    if not EXPONENT_BAND[0] <= exponent <= EXPONENT_BAND[1]:
        said = f"The exponent is {exponent:.3f}, outside {EXPONENT_BAND[0]} to {EXPONENT_BAND[1]}: background or uneven staining, not biology."
        if comb.stretched is not None:
            said += f" (A second series at {2.0**comb.stretched:.2f} times the first peak would look the same.)"
        out.append(said)
    if signal.pile and not _unresolved(fit, signal):
        out.append(f"{signal.pile} events lie at the end of the scale ({signal.pile_at:.6g}); they count in the highest class.")
    others = sum(events for _, _, events in fit.extras)
    if others > LARGEST_EXTRA_SHARE * fit.histogram.counts.sum():
        places = ", ".join(f"{position:.4g}" for position, _, _ in fit.extras)
        out.append(f"Peaks off the comb, at {places}: another series (an internal standard, say); its cells are in no class.")
    if reference_2n is not None and abs(math.log(fit.rung(0)[0] / reference_2n)) > FAR_FROM_REFERENCE:
        out.append(f"2N of the cells ({fit.rung(0)[0]:.4g}) lies more than 8 % from the reference's ({reference_2n:.4g}).")
    if shares.chi_square_per_df > POOR_CHI:
        out.append(
            f"The model fits poorly (chi-square {shares.chi_square_per_df:.1f} per degree of freedom); intervals are widened by it."
        )
    if not fit.converged:
        out.append("The fit ran out of steps; shares may still move a little.")
    return out
