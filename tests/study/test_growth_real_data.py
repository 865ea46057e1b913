"""Growth rates of real CellTiter-Glo plates by others (nine lines, day 0 and 120 h): read in place into a folder of its own."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from thrombokit.plate.analyse import analyse_plates
from thrombokit.plate.result import PlateResult
from thrombokit.study.load import load_study

STUDY = """\
schema = 1
[study]
title = "Nine lines"
[plate]
manifest = "Manifest.xlsx"
map_origin = "B2"
map_unit = "uM"
"""


@pytest.fixture(scope="module")
def lines(reference_data: Path, tmp_path_factory: pytest.TempPathFactory) -> PlateResult:
    source = reference_data / "plates" / "gDRimport" / "data4_envision_celltiterglo_384"
    study = Path(shutil.copytree(source, tmp_path_factory.mktemp("lines") / "study"))
    (study / "study.toml").write_text(STUDY, encoding="utf-8")
    return analyse_plates(load_study(study).plates)


def test_every_line_grows_from_its_own_day0_plate(lines: PlateResult, print_figure: Callable[[str], None]) -> None:
    growth = lines.growth
    assert lines.growth_notes == ()
    assert growth.height == 9 * 22
    assert growth["cell_system"].n_unique() == 9
    assert (growth["plate"].str.replace("D01", "D00") == growth["day0_plate"]).all()
    assert set(growth["hours"]) == {120.0}
    assert growth["n_excluded"].sum() == 0
    rates = growth.group_by("cell_system", maintain_order=True).agg(pl.col("vehicle_per_d").first())["vehicle_per_d"].to_numpy()
    doubling_h = np.log(2) / rates * 24
    print_figure(
        f"doubling times of nine lines: median {np.median(doubling_h):.1f} h, {doubling_h.min():.0f} to {doubling_h.max():.0f} h"
    )
    # cancer cell lines in culture double in about 20 to 100 h
    assert doubling_h.min() > 15
    assert doubling_h.max() < 120


def test_vehicle_wells_have_gr_one(lines: PlateResult) -> None:
    wells = lines.wells.filter((pl.col("role") == "vehicle") & pl.col("gr_value").is_not_null())
    assert wells.height == 9 * 54
    means = wells.group_by("plate").agg(pl.col("gr_value").mean())["gr_value"].to_numpy()
    # the reference is the mean signal; the mean of a concave function of single wells lies a little below
    assert np.abs(means - 1).max() < 0.005


def test_a_rate_agrees_with_the_exports_read_by_hand(lines: PlateResult) -> None:
    """ln(vehicle / day 0) / 5 days, straight from the raw signals."""
    signal = lines.wells.filter((pl.col("role") == "vehicle") & ~pl.col("excluded") & pl.col("signal").is_not_null())
    means = dict(signal.group_by("plate").agg(pl.col("signal").mean()).iter_rows())
    for plate, rate in lines.growth.select("plate", "vehicle_per_d").unique().iter_rows():
        assert rate == pytest.approx(np.log(means[plate] / means[plate.replace("D01", "D00")]) / 5, rel=1e-12)


def test_compounds_that_slow_growth_have_their_end_point_ec50_below(
    lines: PlateResult, print_figure: Callable[[str], None]
) -> None:
    both = lines.growth.filter((pl.col("verdict") == "fit") & (pl.col("hill_slope") < 0) & pl.col("endpoint_ec50_nM").is_not_null())
    fold = (both["ec50_nM"] / both["endpoint_ec50_nM"]).to_numpy()
    print_figure(f"EC50 of the growth rate / of the end-point: median {np.median(fold):.2f} over {fold.size} complete curves")
    assert fold.size >= 20
    assert np.mean(fold > 1) > 0.9


def test_gr50_lies_between_measured_doses_on_either_side_of_half(lines: PlateResult) -> None:
    found = lines.growth.filter(pl.col("gr50_nM").is_not_null())
    assert found.height > 60
    for row in found.iter_rows(named=True):
        wells = lines.wells.filter((pl.col("plate") == row["plate"]) & (pl.col("agonist") == row["agonist"]))
        near = wells.filter((pl.col("concentration_nM") / row["gr50_nM"]).log().abs() < 2.5 * np.log(3.1))
        assert near["gr_value"].max() > 0.4
        assert near["gr_value"].min() < 0.6
