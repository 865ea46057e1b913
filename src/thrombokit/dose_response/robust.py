"""Robust fits of a batch: single points weighted by the noise and, on top of that, by how far they lie from the curve.

The weights of the noise model depend on the fitted curve, which an outlier has pulled: they are formed anew at the robust fit until both stand.
The noise model itself (pooled over the file) is estimated without the points that a first robust fit finds too far. Whether a curve is bell-shaped
is judged by the ordinary fit, because a robust one would take a toxic top dose for an outlier; all else is judged by the robust fit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import stdtrit

from thrombokit.dose_response.bootstrap import REPLICATES, percentile_ends
from thrombokit.dose_response.case_bootstrap import case_draws
from thrombokit.dose_response.outliers import OUTLIER_LIMIT
from thrombokit.dose_response.points import CurvePoints
from thrombokit.dose_response.refit import fit_weighted
from thrombokit.dose_response.residuals import curve_index, fitted_points, in_dose_order, point_weights
from thrombokit.dose_response.settings import FitSettings
from thrombokit.dose_response.verdicts import VerdictSums
from thrombokit.dose_response.working import Working, start_working
from thrombokit.numerics import robust_fit
from thrombokit.numerics.arrays import Array
from thrombokit.numerics.logistic_fit import MAX_STEPS, REACH
from thrombokit.numerics.m_estimates import HUBER, TUKEY
from thrombokit.numerics.streams import stream
from thrombokit.numerics.variance_model import VarianceModel

KIND_CODE = {"huber": HUBER, "tukey": TUKEY}
UNSETTLED = "the robust fit did not settle; take its EC50 with care"
_ROUNDS = 4
_WIDE_ROUNDS = 3


@dataclass(frozen=True, kw_only=True, eq=False)
class RobustFits:
    """Robust fits of a batch of n curves.

    points : those of the batch, each curve's by ascending dose. weight : (n_points,) 1 / variance, no robust weight in it.
    natural : (n, 4) a0, a1, ln EC50, hill. scale : (n,) standard deviation of sqrt(weight) x residual, from the median.
    """

    points: CurvePoints
    weight: Array
    natural: Array
    scale: Array


def fit_robust(working: Working, points: CurvePoints, variance: dict[str, VarianceModel]) -> RobustFits:
    """Robust fits from the ordinary ones in `working`, whose theta, code and rss (sum of weight x residual^2, all points) are replaced."""
    settings = working.settings
    points = in_dose_order(points)
    usable = (working.usable & working.finite()).astype(np.float64)
    natural = working.natural()
    scale = np.full(usable.size, np.nan)
    weight = point_weights(points, working.theta, settings, variance)
    for turn in range(_ROUNDS if settings.weights == "model" else 1):
        robust_fit.fit_robust_many(
            points.x, points.y, weight, points.starts, settings.model == "4pl", KIND_CODE[settings.robust],
            _WIDE_ROUNDS if turn == 0 else 0, usable, natural, scale, working.code,
        )  # fmt: skip
        working.theta[:, :3] = natural[:, :3]
        working.theta[:, 3] = np.log(natural[:, 3])
        if turn < _ROUNDS - 1:
            weight = point_weights(points, working.theta, settings, variance)
    residual = points.y - fitted_points(points, working.theta, settings.model)
    working.rss = np.bincount(curve_index(points), weights=weight * residual**2, minlength=usable.size).astype(np.float64)
    return RobustFits(points=points, weight=weight, natural=natural, scale=scale)


def without_far_points(points: CurvePoints, settings: FitSettings, variance: dict[str, VarianceModel]) -> CurvePoints:
    """The points within 3.5 standard deviations of their robust fit (weights not kept): what the noise is estimated from."""
    working = start_working(points, settings)
    fit_weighted(working, points, variance)
    found = fit_robust(working, points, variance)
    index = curve_index(found.points)
    residual = np.sqrt(found.weight) * (found.points.y - fitted_points(found.points, working.theta, settings.model))
    with np.errstate(invalid="ignore"):
        near = ~(np.abs(residual) > OUTLIER_LIMIT * found.scale[index])
    counts = np.bincount(index[near], minlength=points.n_curves)
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return replace(found.points, x=found.points.x[near], y=found.points.y[near], w=None, starts=starts)


def robust_sums(working: Working, found: RobustFits, ordinary: VerdictSums) -> VerdictSums:
    """What verdicts are formed from: the test against a constant by robust sums, the test of a bell as it was for the ordinary fit."""
    settings, n = working.settings, working.usable.size
    rss, flat_rss = np.full(n, np.nan), np.full(n, np.nan)
    robust_fit.dispersions(
        found.points.x, found.points.y, found.weight, found.points.starts, found.natural, found.scale, KIND_CODE[settings.robust],
        settings.model == "4pl", np.isfinite(found.scale).astype(np.float64), rss, flat_rss,
    )  # fmt: skip
    with np.errstate(divide="ignore", invalid="ignore"):
        bell_rss = rss * (ordinary.bell_rss / ordinary.rss)
    return replace(ordinary, rss=rss, flat_rss=flat_rss, bell_rss=bell_rss)


def robust_intervals(working: Working, found: RobustFits, first: int) -> tuple[Array, Array, Array]:
    """Ends of the interval of ln EC50 (n,), and the sandwich covariance of theta (n, 4, 4); `first` numbers the batch's first curve."""
    settings, n = working.settings, working.usable.size
    covariance = np.full((n, 4, 4), np.nan)
    fitted = np.isfinite(found.scale)
    robust_fit.sandwich_many(
        found.points.x, found.points.y, found.weight, found.points.starts, found.natural, found.scale, KIND_CODE[settings.robust],
        settings.model == "4pl", fitted.astype(np.float64), covariance,
    )  # fmt: skip
    if settings.interval == "sandwich":
        half = stdtrit(np.maximum(working.degrees, 1), 0.5 + settings.confidence / 2) * np.sqrt(covariance[:, 2, 2])
        return *_t_ends(working, half), covariance
    low, high = np.full(n, -np.inf), np.full(n, np.inf)
    for i in np.flatnonzero(fitted):
        low[i], high[i] = percentile_ends(
            _drawn_ln_ec50(working, found, int(i), first), working.x_low[i], working.x_high[i], settings
        )
    return low, high, covariance


def _t_ends(working: Working, half: Array) -> tuple[Array, Array]:
    """Ends of ln EC50 -+ half, each (n,); open (+-inf) where the half-width is not known or reaches beyond where EC50s are looked for."""
    m = working.theta[:, 2]
    with np.errstate(invalid="ignore"):
        low = np.where(m - half > working.x_low - REACH, m - half, -np.inf)
        high = np.where(m + half < working.x_high + REACH, m + half, np.inf)
    return low, high


def _drawn_ln_ec50(working: Working, found: RobustFits, i: int, first: int) -> Array:
    """ln EC50 of curve i refitted robustly to `REPLICATES` new sets of responses, at its weights; shape (REPLICATES,)."""
    settings = working.settings
    a, b = int(found.points.starts[i]), int(found.points.starts[i + 1])
    x, y, weight = found.points.x[a:b], found.points.y[a:b], found.weight[a:b]
    curve = found.points.slice(i, i + 1)
    fitted = fitted_points(curve, working.theta[i : i + 1], settings.model)
    rng = stream(settings.seed, settings.interval, first + i)
    if settings.interval == "bootstrap":
        draws = fitted + rng.standard_normal((REPLICATES, b - a)) * found.scale[i] / np.sqrt(weight)
    else:
        draws = case_draws(x, y, weight, fitted, settings.n_parameters, REPLICATES, rng)
    ln_ec50 = np.empty(REPLICATES)
    robust_fit.fit_robust_draws(
        x, draws, weight, settings.model == "4pl", KIND_CODE[settings.robust], found.natural[i].copy(), ln_ec50
    )
    return ln_ec50


def say_unsettled(message: np.ndarray, verdict: np.ndarray, code: np.ndarray) -> None:
    """Add a sentence to the messages (n,) of robust fits that ran out of rounds, in place."""
    for i in np.flatnonzero((code == MAX_STEPS) & ~np.isin(verdict, ("bad", "flat"))):
        message[i] = f"{message[i]}; {UNSETTLED}" if message[i] else UNSETTLED
