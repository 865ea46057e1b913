"""Fit dose-response curves: a table of points in, fits with intervals and verdicts out.

1. collapse replicates to dose means (nothing is lost, see `numerics.collapse`);
2. fit by least squares; estimate sigma0^2 + (phi mean)^2 over the file (or per run) and refit until the weights stand still;
3. profile the likelihood of ln EC50 at those weights: the interval ends where F(1, n - p) says;
4. judge each curve (`verdicts`).

A robust fit (`robust`) takes the place of step 3 and gives its own interval.

The noise is estimated once, on all curves or an evenly spread sample; after that curves are independent, so any number of workers
and any order of curves gives the same numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.special import stdtrit

from thrombokit.dose_response import other_models, verdicts
from thrombokit.dose_response.bootstrap import bootstrap_intervals
from thrombokit.dose_response.case_bootstrap import case_intervals
from thrombokit.dose_response.fits import CurveFits
from thrombokit.dose_response.points import CurvePoints, points_from_table
from thrombokit.dose_response.refit import NOISE_ROUNDS, fit_free, fit_weighted
from thrombokit.dose_response.robust import fit_robust, robust_intervals, robust_sums, say_unsettled, without_far_points
from thrombokit.dose_response.settings import FitSettings, Interval, Model, Robust, Weights, usual_interval
from thrombokit.dose_response.working import Working, start_working
from thrombokit.errors import Fault, InputError
from thrombokit.numerics import logistic_fit
from thrombokit.numerics.arrays import Array
from thrombokit.numerics.variance_model import VarianceModel, estimate_variance
from thrombokit.scale.engine import Engine, Progress, SerialEngine

CURVES_A_TASK = 2_000
NOISE_CURVES = 6_000
_STRETCHES = 60
_CLEANINGS = 2


def fit_curves(
    table: pl.DataFrame, *, model: Model = "4pl", weights: Weights = "model", interval: Interval | None = None,
    confidence: float = 0.95, seed: int = 1, robust: Robust = "none", sort: bool = False,
    engine: Engine | None = None, progress: Progress | None = None, source: str = "table",
) -> CurveFits:  # fmt: skip
    """Fit every curve of a tidy table; a bad curve gets a verdict, never an exception.

    Parameters
    ----------
    table : DataFrame with columns `curve`, `concentration_nM`, `response`, optional `weight` (1 / variance) and `run`
        Shape (n_points, 3 to 5). Concentration in nM, 0 = vehicle; rows of a curve (and run) next to each other, or `sort=True`.
    model : "4pl", "3pl" (hill slope 1), "5pl" or "bell"
    weights : "model" (sigma0^2 + (phi mean)^2 estimated over the table, or per run), "column" (the `weight` column) or "none"
    interval : "profile" (F(1, n - p) at final weights; the default), "wald" (on ln EC50), "bootstrap" (parametric), "case_bootstrap"
        (points drawn anew within doses) or, with a robust fit, "sandwich" (the default there)
    confidence : float
        Two-sided confidence of every interval, between 0.5 and 1.
    seed : int
        For the bootstraps alone.
    robust : "none" (least squares), "huber" or "tukey" (M-estimates on single points, 4PL and 3PL; see `robust`)
    engine : Engine, optional
        Where to run; the numbers do not depend on it.

    Returns
    -------
    CurveFits
        `.table()` has the columns of FITS.csv.

    Raises
    ------
    InputError
        If the table or an option is not usable; the message says which row.

    References
    ----------
    Ritz et al. 2015, doi:10.1371/journal.pone.0146021; Bates & Watts 1988, Nonlinear Regression Analysis, ch. 6 (profile intervals).
    """
    settings = FitSettings(
        model=model, weights=weights, interval=interval or usual_interval(robust), confidence=confidence, seed=seed, robust=robust
    )
    points = points_from_table(table, source=source, sort=sort)
    return fit_points(points, settings, engine=engine, progress=progress)


def fit_points(
    points: CurvePoints, settings: FitSettings, *, engine: Engine | None = None, progress: Progress | None = None,
    variance: dict[str, VarianceModel] | None = None, first_curve: int = 0,
) -> CurveFits:  # fmt: skip
    """As `fit_curves`, from points that are already checked.

    A caller that fits a table piece by piece gives the noise of the whole (`estimate_noise`) and the number of the first curve.
    """
    if settings.weights == "column" and points.w is None:
        raise InputError(
            Fault(place="weights", found='"column" without a weight column', expected="a column `weight` (1 / variance)",
                  cure="Add the column, or use --weights model.")
        )  # fmt: skip
    if variance is None:
        variance = estimate_noise(points, settings) if settings.weights == "model" else {}
    task = _Task(points=points, settings=settings, variance=variance, first_curve=first_curve)
    parts = (engine or SerialEngine()).map_ranges(_fit_range, task, points.n_curves, chunk=CURVES_A_TASK, progress=progress)
    return _joined(parts, points, settings, variance)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Task:
    points: CurvePoints
    settings: FitSettings
    variance: dict[str, VarianceModel]
    first_curve: int


def estimate_noise(points: CurvePoints, settings: FitSettings) -> dict[str, VarianceModel]:
    """sigma0 and phi over the file ("") or for each run, from at most `NOISE_CURVES` curves each."""
    runs = points.keys["run"].to_numpy() if points.has_runs else np.full(points.n_curves, "", dtype=object)
    models: dict[str, VarianceModel] = {}
    for run in dict.fromkeys(str(r) for r in runs):
        chosen = np.flatnonzero(runs == run)
        chosen = chosen[np.concatenate([np.arange(a, b) for a, b in noise_stretches(chosen.size)])]
        sample = _take(points, chosen)
        models[run] = _noise_of(sample, settings)
        for _ in range(_CLEANINGS if settings.robust != "none" else 0):  # far points would pass for noise that grows, or does not
            models[run] = _noise_of(without_far_points(sample, settings, {run: models[run]}), settings)
    return models


def noise_stretches(n_curves: int) -> list[tuple[int, int]]:
    """The curves that the noise is estimated on: all of them, or stretches of neighbours spread evenly over the table."""
    if n_curves <= NOISE_CURVES:
        return [(0, n_curves)]
    length = NOISE_CURVES // _STRETCHES
    return [(int(a), int(a) + length) for a in np.linspace(0, n_curves - length, _STRETCHES).astype(np.int64)]


def _take(points: CurvePoints, chosen: np.ndarray) -> CurvePoints:
    """The chosen curves, copied."""
    sizes = np.diff(points.starts)[chosen]
    index = (
        np.concatenate([np.arange(int(points.starts[i]), int(points.starts[i + 1])) for i in chosen])
        if chosen.size
        else np.empty(0, np.int64)
    )
    return CurvePoints(
        keys=points.keys[chosen], x=points.x[index], y=points.y[index], w=None,
        starts=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64), n_excluded=points.n_excluded[chosen],
    )  # fmt: skip


def _noise_of(points: CurvePoints, settings: FitSettings) -> VarianceModel:
    """Alternate between fits and the variance of their residuals until both stand still."""
    working = start_working(points, settings)
    fit_free(working)
    found = VarianceModel(sigma0=1.0, phi=0.0)
    for _ in range(NOISE_ROUNDS):
        before = found
        found = estimate_variance(
            working.means, working.fitted(), n_parameters=working.settings.n_parameters, chosen=working.usable & working.finite()
        )
        if abs(found.phi - before.phi) <= 1e-4 * found.phi and abs(found.sigma0 - before.sigma0) <= 1e-4 * found.sigma0:
            break
        working.weigh(found)
        fit_free(working)
    return found


def _fit_range(task: _Task, start: int, stop: int) -> CurveFits:
    """Fit curves start to stop - 1; what a worker runs."""
    points, settings = task.points.slice(start, stop), task.settings
    working = start_working(points, settings)
    fit_weighted(working, points, task.variance)
    bell_rss, bell_turn = other_models.try_bells(working)
    sums = verdicts.VerdictSums(rss=working.rss, flat_rss=working.flat_rss(), bell_rss=bell_rss, bell_turn=bell_turn)
    if settings.robust == "none":
        scale = working.rss / np.maximum(working.degrees, 1)
        ends = _intervals(working, points, scale, task, task.first_curve + start)
    else:
        robust = fit_robust(working, points, task.variance)
        scale, sums = robust.scale**2, robust_sums(working, robust, sums)
        ends = robust_intervals(working, robust, task.first_curve + start)
    return _judged(working, points, sums, scale, ends, task.variance)


def _intervals(working: Working, points: CurvePoints, scale: Array, task: _Task, first: int) -> tuple[Array, Array, Array]:
    """Ends of the interval of ln EC50 (n,), and the covariance of theta (n, p, p) with the residual scale in it."""
    settings = task.settings
    t = stdtrit(np.maximum(working.degrees, 1), 0.5 + settings.confidence / 2)
    limit = working.mean_rss + t * t * scale
    profile = settings.interval == "profile"
    if settings.model in ("5pl", "bell"):
        low, high, covariance = other_models.intervals(working, t, scale, limit, profile=profile)
    else:
        n = working.usable.size
        low, high, covariance = np.full(n, -np.inf), np.full(n, np.inf), np.full((n, 4, 4), np.nan)
        means = working.means
        logistic_fit.intervals_many(
            means.x, means.mean, working.weight, means.starts, settings.model == "4pl", working.usable.astype(np.float64),
            working.natural(), working.mean_rss, scale, t, profile, covariance, low, high, limit,
        )  # fmt: skip
    covariance = covariance * scale[:, None, None]
    if settings.interval == "bootstrap":
        low, high = bootstrap_intervals(working, scale, settings, first)
    elif settings.interval == "case_bootstrap":
        low, high = case_intervals(working, points, task.variance, first)
    return low, high, covariance


def _judged(
    working: Working, points: CurvePoints, sums: verdicts.VerdictSums, scale: Array, ends: tuple[Array, Array, Array],
    variance: dict[str, VarianceModel],
) -> CurveFits:  # fmt: skip
    settings = working.settings
    low, high, covariance = ends
    evidence = verdicts.Evidence(
        usable=working.usable & working.finite(), theta=working.theta, covariance=covariance, ln_low=low, ln_high=high, rss=sums.rss,
        flat_rss=sums.flat_rss, bell_rss=sums.bell_rss, bell_turn=sums.bell_turn, degrees=working.degrees,
        n_parameters=settings.n_parameters, x_low=working.x_low, x_high=working.x_high, confidence=settings.confidence,
    )  # fmt: skip
    verdict, open_plateau, p_flat = verdicts.judge(evidence)
    qualifier = verdicts.off_target(verdict, working.theta[:, 1] >= working.theta[:, 0])
    message = verdicts.messages(verdict, open_plateau, qualifier, evidence, p_flat, working.code)
    if settings.robust != "none":
        say_unsettled(message, verdict, working.code)
    return CurveFits(
        keys=points.keys, settings=settings, theta=working.theta, covariance=covariance, ln_low=low, ln_high=high, rss=working.rss,
        scale=scale, degrees=working.degrees, n_points=working.n_points,
        n_excluded=points.n_excluded, code=working.code, p_flat=p_flat, dose_low_nM=np.exp(working.x_low),
        dose_high_nM=np.exp(working.x_high), verdict=verdict, open_plateau=open_plateau, qualifier=qualifier,
        message=message, level=working.level(), variance=variance,
    )  # fmt: skip


_STACKED = (
    "theta", "covariance", "ln_low", "ln_high", "rss", "scale", "degrees", "n_points", "n_excluded", "code", "p_flat", "dose_low_nM",
    "dose_high_nM", "verdict", "open_plateau", "qualifier", "message", "level",
)  # fmt: skip


def _joined(parts: list[CurveFits], points: CurvePoints, settings: FitSettings, variance: dict[str, VarianceModel]) -> CurveFits:
    stacked = {name: np.concatenate([getattr(part, name) for part in parts]) for name in _STACKED}
    return CurveFits(keys=points.keys, settings=settings, variance=variance, **stacked)
