"""Plates in, potencies out: normalise, check, fit, combine runs, compare with the comparator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from thrombokit.dose_response.fit import fit_points
from thrombokit.dose_response.fits import CurveFits
from thrombokit.dose_response.points import CurvePoints, points_from_table
from thrombokit.plate.counter_screen import heed_counter_screens
from thrombokit.plate.curves import CurveKey, curves_of
from thrombokit.plate.growth_curves import Growth, analyse_growth
from thrombokit.plate.normalise import Normalised, normalise, wells_table
from thrombokit.plate.outlier_wells import mark_outliers, without_outliers
from thrombokit.plate.percentages import percent_columns
from thrombokit.plate.plate import Plate
from thrombokit.plate.potencies import combine_potencies, combine_ratios
from thrombokit.plate.quality import FAIL, assess
from thrombokit.plate.result import PlateResult
from thrombokit.plate.settings import PlateSettings
from thrombokit.scale.engine import Engine, Progress, SerialEngine

CURVE_POINTS = 48


def analyse_plates(
    plates: Sequence[Plate],
    settings: PlateSettings | None = None,
    *,
    engine: Engine | None = None,
    progress: Progress | None = None,
) -> PlateResult:
    """Analyse all plates of a study.

    Parameters
    ----------
    plates : sequence of Plate
        Readings with their layouts, in house units (nM). Plates named day 0 are kept in the tables and give no curves.
    settings : PlateSettings, optional
    engine : Engine, optional
        Where curves are fitted; the numbers do not depend on it.
    progress : callable, optional
        Told the number of curves finished since its last call.

    Returns
    -------
    PlateResult
        A plate that fails its checks stays in the tables and leaves the combined values.
    """
    settings = settings or PlateSettings()
    normalised = [normalise(plate) for plate in plates]
    quality = tuple(
        replace(assess(each, settings.limits), operator=each.plate.operator if settings.show_operator else None)
        for each in normalised
    )
    pairs = [(index, *found) for index, each in enumerate(normalised) for found in curves_of(each)]
    owners = [normalised[index].for_cells(key.cell_system) for index, key, _ in pairs]
    keys = [key for _, key, _ in pairs]
    points = _points(pairs) if pairs else None
    fits = fit_points(points, settings.fit, engine=engine or SerialEngine(), progress=progress) if points else None
    failed = {q.plate for q in quality if q.status == FAIL}
    if fits:
        fits = heed_counter_screens(keys, fits)
    potencies = combine_potencies(keys, fits, failed, settings) if fits else ()
    frames = [frame for _, _, frame in pairs]
    growth = analyse_growth(normalised, keys, frames, fits, failed, settings, engine=engine or SerialEngine()) if fits else Growth()
    return PlateResult(
        wells=_with_outliers(_wells_table(normalised, growth), keys, frames, points, fits),
        fits=_fits_table(keys, owners, fits) if fits else pl.DataFrame(),
        curves=_curve_lines(keys, owners, fits) if fits else pl.DataFrame(),
        quality=quality,
        potencies=potencies,
        ratios=combine_ratios(keys, points, fits, failed, settings) if fits and points else (),
        response_unit={each.plate.name: each.unit for each in normalised},
        comparator=settings.comparator,
        confidence=settings.fit.confidence,
        growth=growth.curves,
        growth_potencies=growth.potencies,
        growth_ratios=growth.ratios,
        growth_notes=growth.notes,
    )


def _wells_table(normalised: list[Normalised], growth: Growth) -> pl.DataFrame:
    """`PlateResult.wells`: all plates, with growth rates where there are any."""
    if not normalised:
        return pl.DataFrame()
    wells = pl.concat([wells_table(each) for each in normalised])
    if growth.wells.height == 0:
        return wells
    return wells.join(growth.wells, on=["plate", "row", "column"], how="left", maintain_order="left")


def _with_outliers(
    wells: pl.DataFrame, keys: list[CurveKey], frames: list[pl.DataFrame], points: CurvePoints | None, fits: CurveFits | None
) -> pl.DataFrame:
    """Wells too far from their curve, marked."""
    if wells.width == 0 or points is None or fits is None:
        return without_outliers(wells) if wells.width else wells
    return mark_outliers(wells, keys, frames, points, fits)


def _points(pairs: list[tuple[int, CurveKey, pl.DataFrame]]) -> CurvePoints:
    """All curves as one table whose run is the plate: the noise model is estimated plate by plate."""
    table = pl.concat(
        [frame.with_columns(curve=pl.lit(f"{number}"), run=pl.lit(key.plate)) for number, (_, key, frame) in enumerate(pairs)]
    )
    return points_from_table(table, source="plates")


def _fits_table(keys: list[CurveKey], owners: list[Normalised], fits: CurveFits) -> pl.DataFrame:
    """`PlateResult.fits`: key columns, FITS columns, then plateaus and Emax as a percentage with 95 % intervals."""
    table = fits.table().drop("curve", "run")
    named = pl.DataFrame(
        {
            "plate": [k.plate for k in keys],
            "agonist": [k.agonist for k in keys],
            "cell_system": [k.cell_system for k in keys],
            "run": [k.run for k in keys],
        }
    )
    extra = percent_columns(owners, fits).with_columns(
        response_unit=pl.Series([o.unit for o in owners], dtype=pl.String),
        outcome=pl.Series([str(o) for o in fits.outcomes], dtype=pl.String),
        qualifier=pl.Series(fits.qualifier.astype(str).tolist(), dtype=pl.String).replace("", None),
    )
    return pl.concat([named, table, extra], how="horizontal")


def _curve_lines(keys: list[CurveKey], owners: list[Normalised], fits: CurveFits) -> pl.DataFrame:
    """`PlateResult.curves`: 48 points from the lowest to the highest dose of each curve that was fitted."""
    parts: list[pl.DataFrame] = []
    for i, (key, owner) in enumerate(zip(keys, owners, strict=True)):
        if str(fits.verdict[i]) == "bad":
            continue
        dose = np.geomspace(float(fits.dose_low_nM[i]), float(fits.dose_high_nM[i]), CURVE_POINTS)
        low, high = fits.band(i, dose)
        ends = np.sort(np.stack([owner.percent(low), owner.percent(high)]), axis=0)
        parts.append(
            pl.DataFrame(
                {
                    "plate": [key.plate] * CURVE_POINTS,
                    "agonist": [key.agonist] * CURVE_POINTS,
                    "cell_system": [key.cell_system] * CURVE_POINTS,
                    "run": [key.run] * CURVE_POINTS,
                    "concentration_nM": dose,
                    "fitted_pct": owner.percent(fits.predict(i, dose)),
                    "low_pct": ends[0],
                    "high_pct": ends[1],
                }
            )
        )
    schema = {"plate": pl.String, "agonist": pl.String, "cell_system": pl.String, "run": pl.String, "concentration_nM": pl.Float64}
    empty = pl.DataFrame(schema=schema | {"fitted_pct": pl.Float64, "low_pct": pl.Float64, "high_pct": pl.Float64})
    return pl.concat([empty, *parts]).with_columns(pl.col("low_pct", "high_pct").fill_nan(None))
