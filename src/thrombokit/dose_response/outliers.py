"""Points that lie too far from their curve to be noise: flagged, never dropped.

A point is flagged where its residual exceeds 3.5 standard deviations, the curve's standard deviation being taken from its median absolute
residual, which an outlier hardly moves. It stays in the fit; only the user takes a well out, with a reason. Of well-behaved points about one in
a thousand is flagged, on curves of 9 to 27 points.

Reference: Iglewicz & Hoaglin 1993, How to Detect and Handle Outliers (the limit of 3.5).
"""

from __future__ import annotations

import numpy as np

from thrombokit.dose_response.fits import CurveFits
from thrombokit.dose_response.points import CurvePoints
from thrombokit.dose_response.residuals import standardised_residuals
from thrombokit.numerics.arrays import BoolArray

OUTLIER_LIMIT = 3.5
"""Standard deviations beyond which a point is flagged."""


def flag_outliers(points: CurvePoints, fits: CurveFits) -> BoolArray:
    """Which points lie more than 3.5 standard deviations from their curve.

    Parameters
    ----------
    points : CurvePoints
        The points that were fitted, in their order.
    fits : CurveFits
        Ordinary or robust; after an ordinary fit an outlier can hide itself and its neighbours by drawing the curve.

    Returns
    -------
    boolean array of shape (n_points,)
        All False for a curve without a fit.

    Raises
    ------
    InputError
        If the points are not those of the fits.
    """
    with np.errstate(invalid="ignore"):
        return np.abs(standardised_residuals(points, fits)) > OUTLIER_LIMIT
