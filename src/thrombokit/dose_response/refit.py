"""Fit a batch at its current weights, and again until the weights of the noise model stand still."""

from __future__ import annotations

import numpy as np

from thrombokit.dose_response import other_models
from thrombokit.dose_response.points import CurvePoints
from thrombokit.dose_response.working import Working
from thrombokit.numerics import logistic_fit
from thrombokit.numerics.variance_model import VarianceModel

NOISE_ROUNDS = 4
"""Rounds of fits and weights after which both stand still."""


def fit_free(working: Working) -> None:
    """Fit all usable curves at the current weights."""
    means, settings = working.means, working.settings
    n = working.usable.size
    four, rss = np.full((n, 4), np.nan), np.full(n, np.nan)
    logistic_fit.fit_many(
        means.x,
        means.mean,
        working.weight,
        means.starts,
        settings.model != "3pl",
        working.usable.astype(np.float64),
        four,
        rss,
        working.code,
    )
    if settings.model in ("5pl", "bell"):
        other_models.fit_all(working, four)
    else:
        working.theta[:, :3] = four[:, :3]
        working.theta[:, 3] = np.log(four[:, 3])
        working.mean_rss = rss
    working.rss = working.mean_rss + working.pure


def fit_weighted(working: Working, points: CurvePoints, variance: dict[str, VarianceModel]) -> None:
    """Fit all usable curves; with weights "model", refit until the weights of the noise model (by run) stand still."""
    fit_free(working)
    if working.settings.weights != "model":
        return
    runs = [str(r) for r in points.keys["run"]] if points.has_runs else [""] * points.n_curves
    for _ in range(NOISE_ROUNDS):
        working.weigh_by_curve(variance, runs)
        fit_free(working)
