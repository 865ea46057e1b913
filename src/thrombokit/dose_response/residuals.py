"""Single points against their fitted curves: weights, fitted values, residuals in standard deviations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from thrombokit.dose_response.curve_values import fitted_values
from thrombokit.dose_response.fits import CurveFits
from thrombokit.dose_response.points import CurvePoints
from thrombokit.dose_response.settings import FitSettings
from thrombokit.errors import Fault, InputError
from thrombokit.numerics.arrays import Array, IntArray
from thrombokit.numerics.collapse import DoseMeans
from thrombokit.numerics.m_estimates import mad_scales
from thrombokit.numerics.variance_model import VarianceModel

_ROUNDING = 1e-9


def curve_index(points: CurvePoints) -> IntArray:
    """Curve number of each point, shape (n_points,)."""
    return np.repeat(np.arange(points.n_curves), np.diff(points.starts))


def in_dose_order(points: CurvePoints) -> CurvePoints:
    """The same points, those of each curve by ascending dose; points of one dose keep their order."""
    order = np.lexsort((points.x, curve_index(points)))
    return replace(points, x=points.x[order], y=points.y[order], w=None if points.w is None else points.w[order])


def fitted_points(points: CurvePoints, theta: Array, model: str) -> Array:
    """Fitted response at every point, shape (n_points,); NaN for curves without a fit. `theta` is (n, p) as in `CurveFits`."""
    one = np.ones_like(points.y)
    each = DoseMeans(x=points.x, mean=points.y, weight=one, count=one, within_ss=np.zeros_like(one), starts=points.starts)
    return fitted_values(model, each, theta)


def point_weights(
    points: CurvePoints, theta: Array, settings: FitSettings, variance: dict[str, VarianceModel]
) -> Array:  # fmt: skip
    """1 / variance of every point, shape (n_points,): from the noise model at the fitted curve, from the column, or 1."""
    if settings.weights == "column" and points.w is not None:
        return points.w
    if settings.weights == "none":
        return np.ones_like(points.y)
    runs = [str(r) for r in points.keys["run"]] if points.has_runs else [""] * points.n_curves
    index = curve_index(points)
    sigma0 = np.array([variance[run].sigma0 for run in runs])[index]
    phi = np.array([variance[run].phi for run in runs])[index]
    fitted = np.nan_to_num(fitted_points(points, theta, settings.model))
    return 1.0 / np.maximum(sigma0**2 + (phi * fitted) ** 2, 1e-300)


def standardised_residuals(points: CurvePoints, fits: CurveFits) -> Array:
    """Residual of every point at its final weight, divided by its curve's scale: shape (n_points,), NaN for curves without a fit.

    The scale is 1.4826 times the curve's median absolute residual (`numerics.m_estimates`), and no smaller than rounding.

    Raises
    ------
    InputError
        If the points are not those of the fits.
    """
    check_same_curves(points, fits)
    root = np.sqrt(point_weights(points, fits.theta, fits.settings, fits.variance))
    residual = root * (points.y - fitted_points(points, fits.theta, fits.settings.model))
    scale = mad_scales(residual, points.starts, fits.settings.n_parameters)
    largest = np.zeros(points.n_curves)
    index = curve_index(points)
    np.maximum.at(largest, index, root * np.abs(points.y))
    scale = np.maximum(scale, np.maximum(_ROUNDING * largest, 1e-300))
    return residual / scale[index]


def check_same_curves(points: CurvePoints, fits: CurveFits) -> None:
    """Refuse points of other curves than those fitted."""
    if not points.keys.equals(fits.keys):
        raise InputError(
            Fault(
                place="points",
                found=f"{points.n_curves} curves, not those of the {fits.keys.height} fits",
                expected="the points that were fitted, in their order",
                cure="Pass the points that fit_points was given.",
            )
        )
    wrong = np.flatnonzero(np.diff(points.starts) != fits.n_points)
    if wrong.size:
        i = int(wrong[0])
        raise InputError(
            Fault(
                place=f'points, curve "{points.keys["curve"][i]}"',
                found=f"{int(points.starts[i + 1] - points.starts[i])} points",
                expected=f"{int(fits.n_points[i])}, as fitted",
                cure="Pass the points that fit_points was given.",
            )
        )
