"""Parametric bootstrap of ln EC50: new dose means from the fitted curve and its noise, refitted at the same weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from thrombokit.dose_response.settings import FitSettings
from thrombokit.errors import Fault, InputError
from thrombokit.numerics import logistic_fit
from thrombokit.numerics.arrays import Array
from thrombokit.numerics.streams import stream

if TYPE_CHECKING:
    from thrombokit.dose_response.working import Working

REPLICATES = 999


def bootstrap_intervals(working: Working, scale: Array, settings: FitSettings, first: int) -> tuple[Array, Array]:
    """Percentile interval of ln EC50, each end of shape (n,); an end that reaches the bound of the search is open (+-inf).

    `first` is the number of the batch's first curve in the table: each curve has a stream of its own.
    """
    if settings.model not in ("4pl", "3pl"):
        raise InputError(
            Fault(
                place="interval",
                found=f'"bootstrap" with model "{settings.model}"',
                expected="model 4pl or 3pl",
                cure="Use --interval profile.",
            )
        )
    means, n = working.means, working.usable.size
    low, high = np.full(n, -np.inf), np.full(n, np.inf)
    fitted = working.fitted()
    tail = (1.0 - settings.confidence) / 2
    for i in np.flatnonzero(working.usable & working.finite()):
        a, b = int(means.starts[i]), int(means.starts[i + 1])
        rng = stream(settings.seed, "bootstrap", first + int(i))
        sd = np.sqrt(scale[i] / working.weight[a:b])
        drawn = fitted[a:b] + rng.standard_normal((REPLICATES, b - a)) * sd
        theta, rss, code = np.empty((REPLICATES, 4)), np.empty(REPLICATES), np.empty(REPLICATES, np.int64)
        logistic_fit.fit_many(
            np.tile(means.x[a:b], REPLICATES), drawn.ravel(), np.tile(working.weight[a:b], REPLICATES),
            np.arange(REPLICATES + 1, dtype=np.int64) * (b - a), settings.model == "4pl", np.ones(REPLICATES), theta, rss, code,
        )  # fmt: skip
        ends = np.quantile(theta[:, 2], [tail, 1.0 - tail])
        reach = logistic_fit.REACH - 1e-6
        low[i] = ends[0] if ends[0] > working.x_low[i] - reach else -np.inf
        high[i] = ends[1] if ends[1] < working.x_high[i] + reach else np.inf
    return low, high
