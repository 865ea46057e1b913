"""One fit of the ploidy model to one tube, peaks off the comb included."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from thrombokit.cells.ploidy_comb import Comb
from thrombokit.cells.ploidy_descent import CONVERGED, descend
from thrombokit.cells.ploidy_model import (
    EXPONENT,
    EXTRAS,
    LOG_TAIL_SCALE,
    N_CURVES,
    N_GAPS,
    N_PEAKS,
    PEAKS,
    S_PHASE,
    TAIL,
    TAIL_SHIFT,
    evaluate,
    place_of,
)
from thrombokit.cells.ploidy_prior import EXPONENT_SD, STRETCHED_BOUNDS, ShapePrior, Start, start_of
from thrombokit.cells.ploidy_signal import DnaHistogram, DnaSignal, histogram_for
from thrombokit.numerics.arrays import Array, BoolArray, FrozenArrays, frozen

ROUNDS, STEPS, TOLERANCE = 12, 12, 0.02
MOST_EXTRAS = 4
LEAST_EXCESS_Z, LEAST_EXCESS_SHARE, LEAST_EXCESS_EVENTS = 6.0, 0.01, 40.0
BELOW_G1, LEAST_EXCESS_Z_BELOW, LEAST_EXCESS_SHARE_BELOW = 0.8, 3.0, 0.005
"""Well below 2N a peak too many takes cells from no class, so that a fainter one is admitted."""
EXCESS_OCTAVES = (0.08, 0.14, 0.22)
CLEAR_OF_RUNG_SDS = 3.0
Extra = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True, eq=False)
class CombFit(FrozenArrays):
    """The best parameters of one tube and how the fit ended.

    `theta` (p,), `bounds` (2, p), `prior` (2, p), `lagged` (3, n_bins): see `ploidy_model.evaluate`; `value` the penalised
    log-likelihood.
    """

    histogram: DnaHistogram
    theta: Array
    bounds: Array
    prior: Array
    lagged: Array
    value: float
    converged: bool

    def __post_init__(self) -> None:
        for name in ("theta", "bounds", "prior", "lagged"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    def expect(self, theta: Array | None = None) -> tuple[Array, Array, Array]:
        """(expected (n_bins,), jacobian (p, n_bins), curves (N_CURVES, n_bins)) at the best parameters, or at others."""
        at = self.theta if theta is None else theta
        n = self.histogram.counts.size
        expected, jacobian, curves = np.empty(n), np.empty((at.size, n)), np.empty((N_CURVES, n))
        evaluate(self.histogram.edges, at, self.histogram.unit, self.lagged, expected, jacobian, curves)
        return expected, jacobian, curves

    def rung(self, k: int) -> tuple[float, float]:
        """Position and SD of class k."""
        place = np.empty(14)
        place_of(self.theta, 2.0**k, 0.0, place)
        return float(place[0]), float(place[1])

    @property
    def extras(self) -> list[Extra]:
        """(position, CV, events) of the peaks off the comb."""
        rows = self.theta[EXTRAS:].reshape(-1, 3)
        return [(math.exp(row[0]), math.exp(row[1]), float(row[2])) for row in rows]

    def peak(self, k: int) -> tuple[float, float]:
        """Where class k's peak is highest, and its CV (full width at half height over 2.355 times that place)."""
        mean, sd = self.rung(k)
        tail, scale, shift = self.theta[TAIL], math.exp(self.theta[LOG_TAIL_SCALE]), self.theta[TAIL_SHIFT]
        z = np.linspace(-4.0, 4.0, 1601)
        height = (1.0 - tail) * np.exp(-0.5 * z * z) + tail / scale * np.exp(-0.5 * ((z - shift) / scale) ** 2)
        above = np.flatnonzero(height >= 0.5 * height.max())
        position = mean + sd * float(z[int(np.argmax(height))])
        return position, sd * float(z[above[-1]] - z[above[0]]) / 2.355 / position


def fit_comb(signal: DnaSignal, comb: Comb, prior: ShapePrior, extras: list[Extra]) -> CombFit:
    """Fit the model from a comb; then look for peaks that it leaves over, and fit again with them.

    Parameters
    ----------
    signal : DnaSignal
        The tube.
    comb : Comb
        Where 2N seems to be.
    prior : ShapePrior
        What is believed of the shape.
    extras : list of (position, CV, events)
        Peaks off the comb that are known already.
    """
    if comb.stretched is not None:
        prior = stretched_prior(prior, comb.stretched)
    histogram = histogram_for(signal, comb.g1)

    def fit_with(extras: list[Extra]) -> CombFit:
        start = start_of(comb.g1, comb.cv, float(histogram.counts.sum()), prior, extras)
        close_beyond(start, histogram, comb)
        return run_fit(histogram, start)

    fit = fit_with(extras)
    while len(extras) < MOST_EXTRAS:
        more = left_over(fit)
        if more is None:
            break
        extras = [*extras, more]
        fit = fit_with(extras)
    return fit


def first_beyond(histogram: DnaHistogram, g1: float, exponent: float = 1.0) -> int:
    """The lowest class whose peak lies at or beyond the end of the histogram, N_PEAKS where none does."""
    end = float(histogram.edges[-2])
    beyond = [k for k in range(N_PEAKS) if g1 * 2.0 ** (k * exponent) > end]
    return beyond[0] if beyond else N_PEAKS


def close_beyond(start: Start, histogram: DnaHistogram, comb: Comb) -> None:
    """Let one class alone stand for all that lies beyond the scale: nothing tells those classes apart."""
    exponent = 1.0 if comb.stretched is None else comb.stretched
    first = first_beyond(histogram, comb.g1, exponent)
    for k in range(first + 1, N_PEAKS):
        start.theta[PEAKS + k] = start.bounds[1, PEAKS + k] = 0.0
    for k in range(first, N_GAPS):
        start.theta[S_PHASE + k] = start.bounds[1, S_PHASE + k] = 0.0


def stretched_prior(prior: ShapePrior, exponent: float) -> ShapePrior:
    """The prior of a comb whose peaks ask for an exponent outside the band."""
    return replace(prior.with_parameter(EXPONENT, exponent, EXPONENT_SD), exponent_bounds=STRETCHED_BOUNDS)


def run_fit(histogram: DnaHistogram, start: Start) -> CombFit:
    """Scoring steps from one start to the end."""
    lagged = np.zeros((3, histogram.counts.size))
    value, code = descend(
        histogram.edges, histogram.counts, histogram.unit, start.theta, start.bounds, start.prior, lagged, ROUNDS, STEPS, TOLERANCE
    )
    return CombFit(
        histogram=histogram, theta=start.theta, bounds=start.bounds, prior=start.prior, lagged=lagged, value=float(value),
        converged=code == CONVERGED,
    )  # fmt: skip


def left_over(fit: CombFit) -> Extra | None:
    """The clearest peak that the model does not explain and that lies clear of its rungs; None where there is none."""
    edges, counts = fit.histogram.edges[:-1], fit.histogram.counts[:-1]
    if counts.size < 8:
        return None
    expected = fit.expect()[0][:-1]
    octaves = np.log2(edges)
    observed_up_to = np.concatenate([[0.0], np.cumsum(counts)])
    expected_up_to = np.concatenate([[0.0], np.cumsum(expected)])
    middle = np.sqrt(edges[1:] * edges[:-1])
    below = middle < BELOW_G1 * fit.rung(0)[0]
    need = np.maximum(np.where(below, LEAST_EXCESS_SHARE_BELOW, LEAST_EXCESS_SHARE) * counts.sum(), LEAST_EXCESS_EVENTS)
    need_z = np.where(below, LEAST_EXCESS_Z_BELOW, LEAST_EXCESS_Z)
    clear = _clear_of_rungs(fit, middle)
    best: tuple[float, Extra] | None = None
    for width in EXCESS_OCTAVES:
        stop = np.clip(np.searchsorted(octaves, octaves[:-1] + width), 1, counts.size)
        within = octaves[stop] - octaves[:-1] > 0.7 * width
        first = np.arange(counts.size)
        excess = observed_up_to[stop] - observed_up_to[first] - (expected_up_to[stop] - expected_up_to[first])
        z = excess / np.sqrt(np.maximum(expected_up_to[stop] - expected_up_to[first], 1.0))
        centre = np.minimum((first + stop) // 2, counts.size - 1)
        z[~(within & clear[centre]) | (excess < need[centre])] = 0.0
        z /= need_z[centre]
        i = int(np.argmax(z))
        if z[i] >= 1.0 and (best is None or z[i] > best[0]):
            position = float(np.sqrt(edges[i] * edges[stop[i]]))
            best = (float(z[i]), (position, float(np.clip(0.25 * width, 0.012, 0.12)), float(excess[i])))
    return best[1] if best else None


def _clear_of_rungs(fit: CombFit, middle: Array) -> BoolArray:
    clear = np.ones(middle.size, dtype=np.bool_)
    for k in range(N_PEAKS):
        position, sd = fit.rung(k)
        clear &= np.abs(middle - position) > CLEAR_OF_RUNG_SDS * sd
    for position, cv, _ in fit.extras:
        clear &= np.abs(middle - position) > CLEAR_OF_RUNG_SDS * cv * position
    return clear
