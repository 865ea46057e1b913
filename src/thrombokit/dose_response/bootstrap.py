"""Parametric bootstrap of ln EC50: new dose means from the fitted curve and its noise, refitted at the same weights."""

from __future__ import annotations

import numpy as np

from thrombokit.dose_response.settings import FitSettings
from thrombokit.dose_response.working import Working
from thrombokit.numerics import logistic_fit
from thrombokit.numerics.arrays import Array
from thrombokit.numerics.streams import stream

REPLICATES = 999


def bootstrap_intervals(working: Working, scale: Array, settings: FitSettings, first: int) -> tuple[Array, Array]:
    """Percentile interval of ln EC50, each end of shape (n,); an end that reaches the bound of the search is open (+-inf).

    `first` is the number of the batch's first curve in the table: each curve has a stream of its own.
    """
    means, n = working.means, working.usable.size
    low, high = np.full(n, -np.inf), np.full(n, np.inf)
    fitted = working.fitted()
    for i in np.flatnonzero(working.usable & working.finite()):
        a, b = int(means.starts[i]), int(means.starts[i + 1])
        rng = stream(settings.seed, "bootstrap", first + int(i))
        sd = np.sqrt(scale[i] / working.weight[a:b])
        drawn = fitted[a:b] + rng.standard_normal((REPLICATES, b - a)) * sd
        ln_ec50 = refit_draws(means.x[a:b], drawn, working.weight[a:b], settings)
        low[i], high[i] = percentile_ends(ln_ec50, working.x_low[i], working.x_high[i], settings)
    return low, high


def refit_draws(x: Array, means: Array, weight: Array, settings: FitSettings) -> Array:
    """ln EC50 of least-squares fits to dose means drawn anew, shape (n_draws,).

    x, weight : (n_doses,) ln concentration in ascending order, 1 / variance of a mean. means : (n_draws, n_doses).
    """
    n_draws, n = means.shape
    theta, rss, code = np.empty((n_draws, 4)), np.empty(n_draws), np.empty(n_draws, np.int64)
    logistic_fit.fit_many(
        np.tile(x, n_draws), np.ascontiguousarray(means).ravel(), np.tile(weight, n_draws),
        np.arange(n_draws + 1, dtype=np.int64) * n, settings.model == "4pl", np.ones(n_draws), theta, rss, code,
    )  # fmt: skip
    return theta[:, 2]


def percentile_ends(ln_ec50: Array, x_low: float, x_high: float, settings: FitSettings) -> tuple[float, float]:
    """Percentile interval of drawn ln EC50s, shape (n_draws,); an end at the bound of the search beyond the doses is open (+-inf)."""
    tail = (1.0 - settings.confidence) / 2
    ends = np.quantile(ln_ec50, [tail, 1.0 - tail])
    reach = logistic_fit.REACH - 1e-6
    low = float(ends[0]) if ends[0] > x_low - reach else -np.inf
    high = float(ends[1]) if ends[1] < x_high + reach else np.inf
    return low, high
