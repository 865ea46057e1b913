"""The state of one batch of fits on its way: dose means, weights, parameters, sums of squares."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thrombokit.dose_response.curve_values import fitted_values
from thrombokit.dose_response.points import CurvePoints
from thrombokit.dose_response.settings import FitSettings
from thrombokit.numerics import logistic_fit
from thrombokit.numerics.arrays import Array, BoolArray, IntArray
from thrombokit.numerics.collapse import DoseMeans, collapse
from thrombokit.numerics.variance_model import VarianceModel


@dataclass(kw_only=True, eq=False)
class Working:
    """One batch of n curves while it is fitted; changed in place by `fit_free` and `weigh`.

    theta : (n, p), order of `numerics.general_fit` (a0, a1, ln EC50, ln hill, ...). weight : (n_groups,) of the dose means.
    mean_rss : (n,) about the means; rss : (n,) with pure error; pure : (n,) the pure error itself.
    """

    settings: FitSettings
    means: DoseMeans
    weight: Array
    pure: Array
    usable: BoolArray
    n_points: IntArray
    degrees: IntArray
    x_low: Array
    x_high: Array
    theta: Array
    mean_rss: Array
    rss: Array
    code: IntArray

    def natural(self) -> Array:
        """(n, 4) a0, a1, ln EC50, hill: the form the 4PL kernels take."""
        four = self.theta[:, :4].copy()
        four[:, 3] = np.exp(four[:, 3])
        return four

    def finite(self) -> BoolArray:
        """Curves whose fit is finite, shape (n,)."""
        return np.isfinite(self.rss) & np.all(np.isfinite(self.theta), axis=1)

    def fitted(self) -> Array:
        """Fitted value of every dose mean, shape (n_groups,); 0 for curves without a fit."""
        return np.nan_to_num(fitted_values(self.settings.model, self.means, self.theta))

    def weigh(self, variance: VarianceModel) -> None:
        """Weights from one noise model at the current fit."""
        self._set_weights(variance.variance(self.fitted()))

    def weigh_by_curve(self, variance: dict[str, VarianceModel], runs: list[str]) -> None:
        """Weights from each curve's own run's noise model at the current fit."""
        sigma0 = np.array([variance[run].sigma0 for run in runs])[self.means.curve_index()]
        phi = np.array([variance[run].phi for run in runs])[self.means.curve_index()]
        self._set_weights(sigma0**2 + (phi * self.fitted()) ** 2)

    def _set_weights(self, variance: Array) -> None:
        safe = np.maximum(variance, 1e-300)
        self.weight = self.means.count / safe
        self.pure = _sum_by_curve(self.means.within_ss / safe, self.means)

    def level(self) -> Array:
        """Weighted mean response of each curve, shape (n,): the fit of a flat curve."""
        total = _sum_by_curve(self.weight, self.means)
        with np.errstate(invalid="ignore", divide="ignore"):
            return _sum_by_curve(self.weight * self.means.mean, self.means) / total

    def flat_rss(self) -> Array:
        """Weighted sum of squares about each curve's mean, pure error included, shape (n,)."""
        residual = self.means.mean - self.level()[self.means.curve_index()]
        return _sum_by_curve(self.weight * residual**2, self.means) + self.pure


def _sum_by_curve(values: Array, means: DoseMeans) -> Array:
    return np.bincount(means.curve_index(), weights=values, minlength=means.starts.size - 1).astype(np.float64)


def start_working(points: CurvePoints, settings: FitSettings) -> Working:
    """Collapse the points and decide which curves can be fitted at all."""
    column = settings.weights == "column" and points.w is not None
    weights = points.w if column and points.w is not None else np.ones_like(points.y)
    means = collapse(points.x, points.y, weights, points.starts)
    n, p = points.n_curves, settings.n_parameters
    n_points = np.diff(points.starts).astype(np.int64)
    positive = np.isfinite(means.x)
    index = means.curve_index()
    doses = np.bincount(index[positive], minlength=n)
    groups = np.diff(means.starts)
    x_low, x_high = np.full(n, np.inf), np.full(n, -np.inf)
    np.minimum.at(x_low, index[positive], means.x[positive])
    np.maximum.at(x_high, index[positive], means.x[positive])
    pure = _sum_by_curve(means.within_ss, means)
    low, high = np.full(n, np.inf), np.full(n, -np.inf)
    np.minimum.at(low, index, means.mean)
    np.maximum.at(high, index, means.mean)
    varied = (high > low) | (pure > 0)
    usable = (groups >= p) & (n_points > p) & (doses >= 3) & varied
    return Working(
        settings=settings, means=means, weight=means.weight if column else means.count.copy(), pure=pure, usable=usable,
        n_points=n_points, degrees=np.maximum(n_points - p, 0), x_low=x_low, x_high=x_high, theta=np.full((n, max(p, 4)), np.nan),
        mean_rss=np.full(n, np.nan), rss=np.full(n, np.nan), code=np.full(n, logistic_fit.NOT_FINITE, np.int64),
    )  # fmt: skip
