"""How well each curve describes its points, and whether there is a curve at all: figures beside FITS.csv.

aicc            Akaike's criterion for few points: n ln(RSS / n) - sum ln w + 2k + 2k(k + 1) / (n - k - 1), k = parameters + 1 (the noise); the
                sum makes models comparable whose weights differ, and is 0 for weights "none"
p_flat, q_flat  F test against a constant (robust fits: dispersion test), and its false discovery rate over the whole table
p_lack_of_fit   F test of the residuals of dose means against the scatter of replicates
r_squared       weighted share of the spread that the curve explains
n_outliers      points beyond 3.5 standard deviations, see `outliers`

A robust fit does not make the RSS smallest, so criteria built on the smallest RSS (aicc, p_lack_of_fit) are null for it: ask them of
the ordinary fit.

References: Hurvich & Tsai 1989, doi:10.1093/biomet/76.2.297 (AICc); Benjamini & Hochberg 1995, doi:10.1111/j.2517-6161.1995.tb02031.x; Bates &
Watts 1988, Nonlinear Regression Analysis, sec. 3.12 (lack of fit).
"""

from __future__ import annotations

import numpy as np
import polars as pl
from scipy.special import fdtrc

from thrombokit.dose_response.fits import CurveFits
from thrombokit.dose_response.outliers import flag_outliers
from thrombokit.dose_response.points import CurvePoints
from thrombokit.dose_response.residuals import check_same_curves, curve_index, fitted_points, point_weights
from thrombokit.numerics.arrays import Array
from thrombokit.numerics.collapse import collapse
from thrombokit.numerics.false_discovery import benjamini_hochberg


def fit_statistics(fits: CurveFits, points: CurvePoints) -> pl.DataFrame:
    """Statistics of every fit.

    Parameters
    ----------
    fits : CurveFits
    points : CurvePoints
        The points that were fitted, in their order.

    Returns
    -------
    DataFrame, one row a curve (and run)
        curve[, run], aicc, p_flat, q_flat, p_lack_of_fit, r_squared, n_outliers; null where a figure cannot be formed (no fit, no replicates).

    Raises
    ------
    InputError
        If the points are not those of the fits.
    """
    check_same_curves(points, fits)
    fitted = fits.verdict != "bad"
    weight = point_weights(points, fits.theta, fits.settings, fits.variance)
    residual = points.y - fitted_points(points, fits.theta, fits.settings.model)
    rss = _sums(weight * residual**2, points)
    p_flat = np.where(fitted, fits.p_flat, np.nan)
    least_squares = fitted & (fits.settings.robust == "none")
    columns = {
        "aicc": np.where(least_squares, _aicc(rss, weight, points, fits.settings.n_parameters), np.nan),
        "p_flat": p_flat,
        "q_flat": benjamini_hochberg(p_flat),
        "p_lack_of_fit": np.where(least_squares, _lack_of_fit(rss, weight, points, fits.settings.n_parameters), np.nan),
        "r_squared": np.where(fitted, _r_squared(rss, weight, points), np.nan),
        "n_outliers": _sums(flag_outliers(points, fits).astype(np.float64), points).astype(np.int64),
    }
    table = pl.DataFrame(columns).with_columns(pl.col(pl.Float64).replace([np.inf, -np.inf], [None, None]).fill_nan(None))
    return pl.concat([points.keys, table], how="horizontal")


def _sums(values: Array, points: CurvePoints) -> Array:
    return np.bincount(curve_index(points), weights=values, minlength=points.n_curves).astype(np.float64)


def _aicc(rss: Array, weight: Array, points: CurvePoints, n_parameters: int) -> Array:
    n, k = np.diff(points.starts).astype(np.float64), n_parameters + 1.0
    with np.errstate(divide="ignore", invalid="ignore"):
        value = n * np.log(rss / n) - _sums(np.log(weight), points) + 2 * k + 2 * k * (k + 1) / (n - k - 1)
    return np.where(n - k - 1 > 0, value, np.nan)


def _lack_of_fit(rss: Array, weight: Array, points: CurvePoints, n_parameters: int) -> Array:
    """p of F = (lack of fit / (doses - p)) / (pure error / (points - doses)); NaN without replicates or with doses <= p."""
    means = collapse(points.x, points.y, weight, points.starts)
    pure = np.bincount(means.curve_index(), weights=means.within_ss, minlength=points.n_curves)
    doses = np.diff(means.starts)
    df_lack, df_pure = doses - n_parameters, np.diff(points.starts) - doses
    with np.errstate(divide="ignore", invalid="ignore"):
        f = np.maximum(rss - pure, 0.0) / df_lack / (pure / df_pure)
    p = fdtrc(np.maximum(df_lack, 1), np.maximum(df_pure, 1), np.where(np.isfinite(f), f, 0.0))
    p = np.where(np.isinf(f), 0.0, p)
    return np.where((df_lack > 0) & (df_pure > 0) & ~np.isnan(f), p, np.nan)


def _r_squared(rss: Array, weight: Array, points: CurvePoints) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = _sums(weight * points.y, points) / _sums(weight, points)
        spread = _sums(weight * (points.y - mean[curve_index(points)]) ** 2, points)
        return np.where(spread > 0, 1.0 - rss / spread, np.nan)
