"""Outlier wells of a plate: marked in the table of wells and kept in the fit; only the user takes a well out, with a reason."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from thrombokit.dose_response.fits import CurveFits
from thrombokit.dose_response.outliers import OUTLIER_LIMIT
from thrombokit.dose_response.points import CurvePoints
from thrombokit.dose_response.residuals import curve_index, standardised_residuals
from thrombokit.plate.curves import CurveKey

_PLACE = ("plate", "row", "column")


def mark_outliers(
    wells: pl.DataFrame, keys: Sequence[CurveKey], frames: Sequence[pl.DataFrame], points: CurvePoints, fits: CurveFits
) -> pl.DataFrame:
    """`wells` with `outlier` and, where that is true, `caveat`.

    Parameters
    ----------
    wells : DataFrame with columns plate, row, column
    keys, frames : the curves and their points, columns row and column (zero-based), as `curves_of` gives them
    points, fits : the same points as fitted

    Returns
    -------
    DataFrame
        outlier (boolean) is false for wells in no curve. A vehicle well is in several curves: it is an outlier where it lies too far
        from any of them, and the caveat names the one it is furthest from.
    """
    residual = np.nan_to_num(standardised_residuals(points, fits))
    far = np.abs(residual) > OUTLIER_LIMIT
    each = curve_index(points)[far]
    places = pl.concat([frame.select("row", "column") for frame in frames])
    found = places.filter(pl.Series(far)).with_columns(
        plate=pl.Series([keys[i].plate for i in each], dtype=pl.String),
        caveat=pl.Series([_caveat(keys[i], u) for i, u in zip(each, residual[far], strict=True)], dtype=pl.String),
        size=pl.Series(np.abs(residual[far])),
    )
    found = found.sort("size", descending=True).unique(_PLACE, keep="first", maintain_order=True).drop("size")
    return wells.join(found, on=list(_PLACE), how="left", maintain_order="left").with_columns(
        outlier=pl.col("caveat").is_not_null()
    )


def without_outliers(wells: pl.DataFrame) -> pl.DataFrame:
    """`wells` with the columns of `mark_outliers` where nothing was fitted: no well is an outlier."""
    return wells.with_columns(caveat=pl.lit(None, dtype=pl.String), outlier=pl.lit(False))


def _caveat(key: CurveKey, residual: float) -> str:
    side = "above" if residual > 0 else "below"
    size = f"{abs(residual):.1f}" if abs(residual) < 100 else "over 100"
    return (
        f"{size} standard deviations {side} the curve of {key.agonist}; kept in the fit; "
        "to leave the well out, name it in [[plate.exclude]] with a reason"
    )
