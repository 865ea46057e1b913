"""Contract of `thrombokit cells analyse SHEET --panels PANELS --out DIR`: the guide's tubes of one donor."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import thrombokit as tk
from thrombokit.study.archive_cells import read_cells
from thrombokit.study.templates.guide_cells_files import write_guide_cells

Command = Callable[..., Any]


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The surface tubes of donor A with their controls."""
    folder = tmp_path_factory.mktemp("a study")
    write_guide_cells(folder, 20181)
    sheet = folder / "cells" / "sheet.csv"
    with sheet.open(encoding="utf-8", newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["donor"] == "donor A" and row["panel"] == "surface"]
    with (folder / "cells" / "one.csv").open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return folder / "cells"


def test_a_sheet_becomes_tables_gates_and_a_record(cells: Path, command: Command, tmp_path: Path) -> None:
    done = command("cells", "analyse", cells / "one.csv", "--panels", cells / "panels.toml", "--out", tmp_path / "out", "--json")
    assert done.exit_code == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["schema"] == "thrombokit.cells/1"
    assert document["spillover"] == [{"panel": "surface", "origin": "single stains of the sample sheet"}]
    assert set(document["files"]) == {
        p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*") if p.is_file()
    }
    stages = pl.read_csv(tmp_path / "out" / "cells_stages.csv")
    shares = stages.group_by("tube").agg(pl.col("percent").sum())
    assert shares["percent"].to_list() == pytest.approx([100.0] * shares.height)
    thresholds = pl.read_csv(tmp_path / "out" / "cells_thresholds.csv")
    assert set(thresholds["rule"].to_list()) == {"FMO"}
    (gates,) = (tmp_path / "out" / "cells").glob("gates_*.xml")
    sample = tk.read_fcs(cells / "donor-A_rhTPO_surface.fcs")
    inside = tk.apply_gates(sample, tk.read_gatingml(gates))
    told = pl.read_csv(tmp_path / "out" / "cells_populations.csv").filter(
        (pl.col("tube") == "donor-A_rhTPO_surface") & (pl.col("population") == "CD41+")
    )
    assert int(inside["CD41+"].sum()) == told["count"][0]
    ec50 = {row["population"]: row for row in document["potencies"]}["CD41+"]
    assert ec50["method"] == "descriptive", "one donor gives no interval over donors"
    assert read_cells(tmp_path / "out").gating.populations.height == pl.read_csv(tmp_path / "out" / "cells_populations.csv").height


def test_a_panel_with_a_dna_dye_tells_every_population_by_ploidy(cells: Path, command: Command, tmp_path: Path) -> None:
    with (cells / "sheet.csv").open(encoding="utf-8", newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["donor"] == "donor A" and row["panel"] == "ploidy"]
    with (cells / "dna.csv").open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    done = command("cells", "analyse", cells / "dna.csv", "--panels", cells / "panels.toml", "--out", tmp_path / "out", "--json")
    assert done.exit_code == 0, done.stderr
    assert {one["verdict"] for one in json.loads(done.stdout)["ploidy"]} == {"fit"}
    by_ploidy = pl.read_csv(tmp_path / "out" / "cells_by_ploidy.csv").filter(pl.col("population") == "CD41+")
    summed = by_ploidy.group_by("tube").agg(pl.col("count").sum(), pl.col("parent_count").first())
    assert (summed["count"] <= summed["parent_count"]).all()
    assert (summed["count"] > 0.9 * summed["parent_count"]).all()
    middle = by_ploidy.group_by("ploidy").agg(pl.col("median_CD41").median()).to_dict(as_series=False)
    marker = dict(zip(middle["ploidy"], middle["median_CD41"], strict=True))
    assert marker["2N"] < marker["4N"] < marker["8N"], "larger cells carry more CD41"


def test_a_sheet_with_faults_names_them_all(cells: Path, command: Command, tmp_path: Path) -> None:
    text = (cells / "one.csv").read_text(encoding="utf-8").replace("donor-A_vehicle_surface.fcs", "nowhere.fcs")
    (cells / "wrong.csv").write_text(text.replace("0.4,nM,", "0.4,furlongs,", 1), encoding="utf-8")
    done = command("cells", "analyse", cells / "wrong.csv", "--panels", cells / "panels.toml", "--out", tmp_path / "out")
    assert done.exit_code == 3
    assert "nowhere.fcs" in done.stderr
    assert "furlongs" in done.stderr
    assert not (tmp_path / "out").exists()
