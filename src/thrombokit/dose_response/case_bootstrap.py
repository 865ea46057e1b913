"""Case bootstrap of ln EC50: points drawn anew from those that were measured, dose by dose, and the curve refitted.

No noise model is assumed for doses with replicates: their points are drawn, with replacement, from their own dose, and the drawn
deviations from the dose's mean are stretched by sqrt(n / (n - 1)), for n points drawn from n vary by that much less than n wells would (with
duplicates the interval would otherwise be a third too short). A dose with one point has nothing to be drawn from: it gets its fitted value and a
residual drawn from all of its curve's, in units of their standard deviations, centred and stretched by sqrt(n / (n - p)). On a curve without
any replicates this is the residual bootstrap.

References: Davison & Hinkley 1997, Bootstrap Methods and their Application, ch. 6 (cases and residuals); Rao & Wu 1988,
doi:10.1080/01621459.1988.10478591 (the stretch within strata).
"""

from __future__ import annotations

import numpy as np

from thrombokit.dose_response.bootstrap import REPLICATES, percentile_ends, refit_draws
from thrombokit.dose_response.points import CurvePoints
from thrombokit.dose_response.residuals import fitted_points, in_dose_order, point_weights
from thrombokit.dose_response.working import Working
from thrombokit.numerics.arrays import Array, IntArray
from thrombokit.numerics.streams import stream
from thrombokit.numerics.variance_model import VarianceModel


def case_draws(
    x: Array, y: Array, weight: Array, fitted: Array, n_parameters: int, n_draws: int, rng: np.random.Generator
) -> Array:
    """New responses of one curve, shape (n_draws, n_points).

    Parameters
    ----------
    x, y, weight, fitted : arrays of shape (n_points,)
        ln concentration in ascending order, response, 1 / variance, fitted response.
    n_parameters : int
        Unknowns of the fitted curve.
    """
    first = _first_of_doses(x)
    counts = np.diff(np.append(first, x.size))
    count = np.repeat(counts, counts)
    start = np.repeat(first, counts)
    drawn = start + (rng.random((n_draws, x.size)) * count).astype(np.int64)
    total = np.add.reduceat(weight, first)
    mean = np.repeat(np.add.reduceat(weight * y, first) / total, counts)
    deviation = (y - mean) * np.sqrt(count / np.maximum(count - 1, 1))
    out = mean + deviation[drawn]
    alone = count == 1
    if np.any(alone):
        u = np.sqrt(weight) * (y - fitted)
        u = (u - u.mean()) * np.sqrt(x.size / max(x.size - n_parameters, 1))
        pick = rng.integers(0, x.size, (n_draws, int(alone.sum())))
        out[:, alone] = fitted[alone] + u[pick] / np.sqrt(weight[alone])
    return out


def _first_of_doses(x: Array) -> IntArray:
    """Where each dose begins among sorted x (-inf allowed), shape (n_doses,)."""
    return np.flatnonzero(np.append(True, x[1:] != x[:-1]))


def case_intervals(working: Working, points: CurvePoints, variance: dict[str, VarianceModel], first: int) -> tuple[Array, Array]:
    """Percentile interval of ln EC50, each end of shape (n,), +-inf where open; weights stay those of the fit.

    `first` is the number of the batch's first curve in the table: each curve has a stream of its own.
    """
    settings, n = working.settings, working.usable.size
    points = in_dose_order(points)
    weight = point_weights(points, working.theta, settings, variance)
    fitted = fitted_points(points, working.theta, settings.model)
    low, high = np.full(n, -np.inf), np.full(n, np.inf)
    for i in np.flatnonzero(working.usable & working.finite()):
        a, b = int(points.starts[i]), int(points.starts[i + 1])
        x, w = points.x[a:b], weight[a:b]
        rng = stream(settings.seed, settings.interval, first + int(i))
        draws = case_draws(x, points.y[a:b], w, fitted[a:b], settings.n_parameters, REPLICATES, rng)
        doses = _first_of_doses(x)
        total = np.add.reduceat(w, doses)
        means = np.add.reduceat(draws * w, doses, axis=1) / total
        ln_ec50 = refit_draws(x[doses], means, total, settings)
        low[i], high[i] = percentile_ends(ln_ec50, working.x_low[i], working.x_high[i], settings)
    return low, high
