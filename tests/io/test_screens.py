"""Screens fitted piece by piece from disk: the numbers of the whole table in memory, for any number of workers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from thrombokit.dose_response.fit import fit_curves
from thrombokit.dose_response.settings import FitSettings
from thrombokit.errors import FileFormatError
from thrombokit.io import screens
from thrombokit.scale.engine import make_engine


def screen_table(n: int = 120) -> pl.DataFrame:
    rng = np.random.default_rng(0)
    dose = np.logspace(-2, 2.5, 8)
    mean = 2 + 98 / (1 + (np.exp(rng.uniform(-1.5, 3, n))[:, None] / dose) ** 1.1)
    response = mean + rng.normal(0, 1, mean.shape) * np.hypot(1.0, 0.08 * mean)
    return pl.DataFrame(
        {"curve": np.repeat([f"c{i}" for i in range(n)], 8), "concentration_nM": np.tile(dose, n), "response": response.ravel()}
    )


@pytest.mark.parametrize("weights", ["none", "model"])
def test_pieces_give_the_numbers_of_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, weights: str) -> None:
    monkeypatch.setattr(screens, "CURVES_A_PIECE", 25)
    monkeypatch.setattr(screens, "_ROWS_A_LOOK", 100)
    table = screen_table()
    table.write_parquet(tmp_path / "points.parquet", row_group_size=64)
    counts = screens.fit_screen(tmp_path / "points.parquet", tmp_path / "fits.parquet", FitSettings(weights=weights))
    whole = fit_curves(table, weights=weights).table()
    assert pl.read_parquet(tmp_path / "fits.parquet").equals(whole)
    assert sum(counts.values()) == 120
    assert not list(tmp_path.glob(".screen-*"))


def test_two_workers_write_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screens, "CURVES_A_PIECE", 60)
    screen_table().write_parquet(tmp_path / "points.parquet")
    for workers in (1, 2):
        screens.fit_screen(
            tmp_path / "points.parquet", tmp_path / f"{workers}.parquet", FitSettings(weights="none"), engine=make_engine(workers)
        )
    assert (tmp_path / "1.parquet").read_bytes() == (tmp_path / "2.parquet").read_bytes()


def test_csv_in_and_out(tmp_path: Path) -> None:
    table = screen_table(10)
    table.write_csv(tmp_path / "points.csv")
    screens.fit_screen(tmp_path / "points.csv", tmp_path / "fits.csv", FitSettings(weights="none"))
    assert pl.read_csv(tmp_path / "fits.csv")["ec50_nM"].to_list() == fit_curves(table, weights="none").table()["ec50_nM"].to_list()


def test_a_curve_that_comes_twice_is_named_with_its_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screens, "_ROWS_A_LOOK", 30)
    table = screen_table(6)
    pl.concat([table, table.head(8)]).write_parquet(tmp_path / "points.parquet")
    with pytest.raises(FileFormatError) as caught:
        screens.fit_screen(tmp_path / "points.parquet", tmp_path / "fits.parquet", FitSettings())
    assert 'points.parquet, row 50: found curve "c0" again' in str(caught.value)


def test_a_bad_cell_in_a_late_piece_has_its_own_row_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screens, "CURVES_A_PIECE", 2)
    table = (
        screen_table(6)
        .with_row_index("i")
        .with_columns(concentration_nM=pl.when(pl.col("i") == 41).then(-1.0).otherwise(pl.col("concentration_nM")))
    )
    table.drop("i").write_parquet(tmp_path / "points.parquet")
    with pytest.raises(FileFormatError) as caught:
        screens.fit_screen(tmp_path / "points.parquet", tmp_path / "fits.parquet", FitSettings(weights="none"))
    assert "points.parquet, row 43, column concentration_nM" in str(caught.value)
