"""Contract of `thrombokit plate read EXPORT`: never edited to fit."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

Command = Callable[..., Any]

SIGNALS = [[1000 + 100 * row + column for column in range(12)] for row in range(8)]
COLUMNS = ["well", "row", "column", "role", "agonist", "concentration_nM", "signal"]


@pytest.fixture
def grid(tmp_path: Path) -> Path:
    """A bare grid of 96 signals: 1000 + 100 x row + column."""
    path = tmp_path / "grid.csv"
    path.write_text("\n".join(",".join(map(str, row)) for row in SIGNALS) + "\n")
    return path


@pytest.fixture
def plate_map(tmp_path: Path) -> Path:
    path = tmp_path / "map.csv"
    path.write_text("well,role,agonist,concentration,unit\nA01,vehicle,,,\nB02,sample,eltrombopag,0.5,uM\nH12,blank,,,\n")
    return path


def test_says_which_reader_was_chosen_why_and_why_not_the_others(command: Command, grid: Path) -> None:
    done = command("plate", "read", grid)
    assert done.exit_code == 0
    assert "8 x 12 wells" in done.stdout
    assert "read as grid" in done.stderr
    assert "not envision" in done.stderr
    assert "not tidy" in done.stderr


def test_json_holds_reader_reasons_and_wells(command: Command, grid: Path, plate_map: Path) -> None:
    document = json.loads(command("plate", "read", grid, "--map", plate_map, "--json").stdout)
    assert next(iter(document.items())) == ("schema", "thrombokit.reading/1")
    assert {"plate", "file", "rows", "columns", "reader", "why", "rejected", "metadata", "notes", "wells"} <= document.keys()
    assert (document["rows"], document["columns"], document["reader"], document["file"]) == (8, 12, "grid", "grid.csv")
    wells = {well["well"]: well for well in document["wells"]}
    assert (wells["B02"]["role"], wells["B02"]["agonist"], wells["B02"]["concentration_nM"]) == ("sample", "eltrombopag", 500.0)
    assert wells["H12"]["role"] == "blank"
    assert [wells[name]["signal"] for name in ("A01", "B02", "H12")] == [1000.0, 1101.0, 1711.0]


def test_the_position_in_the_grid_gives_the_well(command: Command, grid: Path, tmp_path: Path) -> None:
    lines = grid.read_text().splitlines()
    lines[0] = "," * 11  # a row of empty wells: the rows below stay where they are
    grid.write_text("\n".join(lines) + "\n")
    assert command("plate", "read", grid, "--out", tmp_path / "wells.csv").exit_code == 0
    wells = pl.read_csv(tmp_path / "wells.csv").drop_nulls("signal")
    assert wells.filter(pl.col("well") == "B01")["signal"].to_list() == [1100.0]
    assert not wells["well"].str.starts_with("A").any()


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".parquet"])
def test_writes_the_wells_in_the_form_the_name_says(command: Command, grid: Path, tmp_path: Path, ending: str) -> None:
    out = tmp_path / f"wells{ending}"
    assert command("plate", "read", grid, "--out", out, "--quiet").stderr == ""
    wells = pl.read_parquet(out) if ending == ".parquet" else pl.read_csv(out, separator="," if ending == ".csv" else "\t")
    assert set(COLUMNS) <= set(wells.columns)
    assert wells.height == 96
    assert sorted(wells["signal"]) == sorted(float(value) for row in SIGNALS for value in row)


def test_map_origin_moves_an_unlabelled_map(command: Command, grid: Path, tmp_path: Path) -> None:
    rows = [["" for _ in range(13)] for _ in range(9)]
    rows[1][1] = "eltrombopag"
    (tmp_path / "drugs.csv").write_text("\n".join(",".join(row) for row in rows) + "\n")
    (tmp_path / "roles.csv").write_text("well,role,agonist,concentration\nA01,sample,eltrombopag,3\n")
    done = command("plate", "read", grid, "--map", tmp_path / "roles.csv", "--map-unit", "uM", "--json")
    (sample,) = [well for well in json.loads(done.stdout)["wells"] if well["role"] == "sample"]
    assert (sample["well"], sample["concentration_nM"]) == ("A01", 3000.0)
    wrong = command("plate", "read", grid, "--map", tmp_path / "roles.csv", "--map-origin", "2B")
    assert wrong.exit_code == 3
    assert "map_origin" in wrong.stderr


def test_one_of_several_plates_is_chosen_by_name(command: Command, tmp_path: Path) -> None:
    rows = [
        f"{plate},{chr(65 + r)}{c + 1:02d},{100 * p + r}"
        for p, plate in enumerate(("P1", "P2"))
        for r in range(8)
        for c in range(12)
    ]
    path = tmp_path / "two.csv"
    path.write_text("\n".join(["plate,well,signal", *rows]) + "\n")
    unnamed = command("plate", "read", path)
    assert unnamed.exit_code == 3
    assert '"P1"' in unnamed.stderr
    assert '"P2"' in unnamed.stderr
    named = command("plate", "read", path, "--plate", "P2", "--json")
    document = json.loads(named.stdout)
    assert document["plate"] == "P2"
    assert {well["signal"] for well in document["wells"]} == {float(100 + r) for r in range(8)}


def test_a_file_no_reader_knows_is_bad_input_with_each_readers_reason(command: Command, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear colleague,\nhere are the plates.\n")
    done = command("plate", "read", tmp_path / "letter.txt", "--json")
    assert done.exit_code == 3
    (fault,) = json.loads(done.stdout)["faults"]
    for reader in ("envision", "tidy", "grid"):
        assert reader in fault["found"]
    assert command("plate", "read").exit_code == 2
