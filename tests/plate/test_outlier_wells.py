"""Outlier wells: marked with a caveat, kept in the fit until the user excludes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import polars as pl

from thrombokit.plate.analyse import analyse_plates
from thrombokit.plate.plate import Plate
from thrombokit.plate.result import PlateResult

PlateOf = Callable[..., Plate]


def with_signal(plate: Plate, row: int, column: int, factor: float) -> Plate:
    signal = plate.reading.signal.copy()
    signal[row, column] *= factor
    return replace(plate, reading=replace(plate.reading, signal=signal))


def outliers(result: PlateResult) -> pl.DataFrame:
    return result.wells.filter(pl.col("outlier"))


def test_a_gross_well_is_marked_and_stays_in_the_fit(plate_of: PlateOf) -> None:
    plain = plate_of()
    before = analyse_plates([plain])
    after = analyse_plates([with_signal(plain, 4, 3, 1.9)])
    well = outliers(after).filter(pl.col("well") == "E04")
    assert well.height == 1
    assert "standard deviations above the curve of reference-1; kept in the fit; " in well["caveat"][0]
    assert "[[plate.exclude]] with a reason" in well["caveat"][0]
    assert not well["excluded"][0]
    name = pl.col("agonist") == "reference-1"
    assert after.fits.filter(name)["n_points"].to_list() == before.fits.filter(name)["n_points"].to_list()
    assert after.fits.filter(name)["rss"][0] != before.fits.filter(name)["rss"][0]


def test_an_excluded_well_is_no_outlier(plate_of: PlateOf) -> None:
    spoilt = with_signal(plate_of(), 4, 3, 1.9)
    result = analyse_plates([replace(spoilt, excluded={"E04": "bubble"})])
    (well,) = result.wells.filter(pl.col("well") == "E04").rows(named=True)
    assert (well["excluded"], well["reason"], well["outlier"], well["caveat"]) == (True, "bubble", False, None)


def test_a_vehicle_well_far_from_every_curve_is_one_row(plate_of: PlateOf) -> None:
    plain = plate_of()
    row, column = (int(v) for v in np.argwhere(plain.layout.role == "vehicle")[0])
    result = analyse_plates([with_signal(plain, row, column, 4.0)])
    marked = outliers(result).filter((pl.col("row") == row) & (pl.col("column") == column))
    assert marked.height == 1
    assert result.wells.height == analyse_plates([plain]).wells.height


def test_wells_in_no_curve_are_false_and_order_is_kept(plate_of: PlateOf) -> None:
    plates = [plate_of(), plate_of(name="plate-2", seed=2), plate_of(name="plate-0", day0=True)]
    wells = analyse_plates(plates).wells
    assert wells["outlier"].null_count() == 0
    assert not wells.filter(pl.col("role").is_in(["blank", "empty"]) | (pl.col("plate") == "plate-0"))["outlier"].any()
    assert wells["plate"].unique(maintain_order=True).to_list() == ["plate-1", "plate-2", "plate-0"]
    assert wells.filter(pl.col("outlier")).height < 0.03 * wells.height


def test_a_study_without_curves_has_the_columns_too(plate_of: PlateOf) -> None:
    wells = analyse_plates([plate_of(day0=True)]).wells
    assert wells["outlier"].sum() == 0
    assert wells["caveat"].null_count() == wells.height
