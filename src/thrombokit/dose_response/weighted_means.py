"""Dose means of single curves at the weights their fits ended with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thrombokit.dose_response.fits import CurveFits
from thrombokit.dose_response.points import CurvePoints
from thrombokit.numerics.arrays import Array, FrozenArrays
from thrombokit.numerics.collapse import collapse


@dataclass(frozen=True, kw_only=True, eq=False)
class WeightedMeans(FrozenArrays):
    """One curve: ln dose (-inf for 0), mean and weight of each dose, arrays of shape (n_doses,); weighted pure error; number of points."""

    x: Array
    mean: Array
    weight: Array
    pure: float
    n_points: int


def weighted_means(points: CurvePoints, fits: CurveFits, i: int) -> WeightedMeans:
    """Curve `i` of `points` with the final weights of `fits` (which was fitted to those points)."""
    a, b = int(points.starts[i]), int(points.starts[i + 1])
    ends = np.array([0, b - a])
    if fits.settings.weights == "column" and points.w is not None:
        means = collapse(points.x[a:b], points.y[a:b], points.w[a:b], ends)
        return WeightedMeans(x=means.x, mean=means.mean, weight=means.weight, pure=float(means.within_ss.sum()), n_points=b - a)
    means = collapse(points.x[a:b], points.y[a:b], np.ones(b - a), ends)
    variance = np.ones(means.x.size)
    if fits.settings.weights == "model":
        run = str(points.keys["run"][i]) if points.has_runs else ""
        variance = np.maximum(fits.variance[run].variance(fits.predict(i, np.exp(means.x))), 1e-300)
    return WeightedMeans(
        x=means.x, mean=means.mean, weight=means.count / variance, pure=float((means.within_ss / variance).sum()), n_points=b - a
    )
