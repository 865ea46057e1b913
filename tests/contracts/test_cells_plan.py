"""Contract of `thrombokit cells plan PLAN.toml --out DIR [--json]`."""

from __future__ import annotations

import csv
import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Any]
FILES = ["bench_sheet.html", "panels.toml", "samples.csv", "study.toml", "yields.csv"]


@pytest.fixture
def example(command: Command, tmp_path: Path) -> Path:
    assert command("cells", "plan", tmp_path / "PLAN.toml", "--example", "--quiet").exit_code == 0
    return tmp_path / "PLAN.toml"


def test_the_example_is_written_once_and_never_over_another_file(command: Command, example: Path) -> None:
    example.write_text("mine")
    done = command("cells", "plan", example, "--example")
    assert done.exit_code == 3
    assert "a file that is there already" in done.stderr
    assert example.read_text() == "mine"


def test_five_files_are_written_and_said(command: Command, example: Path, tmp_path: Path) -> None:
    done = command("cells", "plan", example, "--out", tmp_path / "plan")
    assert done.exit_code == 0, done.stderr
    assert sorted(p.name for p in (tmp_path / "plan").iterdir()) == FILES
    assert "213 tubes of 3 donors" in done.stdout
    assert "bench_sheet.html" in done.stderr


def test_every_key_of_the_document(command: Command, example: Path, tmp_path: Path) -> None:
    done = command("cells", "plan", example, "--out", tmp_path / "plan", "--json")
    document = json.loads(done.stdout)
    assert next(iter(document)) == "schema"
    assert document["schema"] == "thrombokit.cells_plan/1"
    assert set(document) == {
        "schema", "title", "cell_source", "donors", "days", "seeding", "timetable", "conditions", "tubes", "numbers", "notes", "files",
    }  # fmt: skip
    assert document["files"] == FILES
    assert document["days"] == {"expansion": 3, "differentiation": 12, "read": [15]}
    seeding = document["seeding"]
    assert {"wells", "control_wells", "vessel", "well_volume_mL", "CD34_per_well", "MKs_per_tube", "CD34_to_start"} <= set(seeding)
    assert seeding["MKs_per_tube"]["low"] >= 5000
    assert all({"source", "tier", "low", "high", "unit"} <= set(number) for number in document["numbers"])
    assert len(document["tubes"]) == 213


def test_the_tables_are_what_their_readers_expect(command: Command, example: Path, tmp_path: Path) -> None:
    assert command("cells", "plan", example, "--out", tmp_path / "plan", "--quiet").exit_code == 0
    rows = list(csv.DictReader((tmp_path / "plan/samples.csv").read_text(encoding="utf-8").splitlines()))
    assert len({row["file"] for row in rows}) == len(rows) == 213
    assert {row["kind"] for row in rows} == {"full", "fmo", "single_stain", "unstained", "diploid_reference"}
    study = tomllib.loads((tmp_path / "plan/study.toml").read_text(encoding="utf-8"))
    assert study["cells"] == {"sheet": "samples.csv", "panels": "panels.toml", "yields": "yields.csv"}
    panels = tomllib.loads((tmp_path / "plan/panels.toml").read_text(encoding="utf-8"))["panels"]
    assert [panel["name"] for panel in panels] == ["surface", "ploidy"]


def test_nothing_that_may_have_been_filled_in_is_written_over(command: Command, example: Path, tmp_path: Path) -> None:
    assert command("cells", "plan", example, "--out", tmp_path / "plan").exit_code == 0
    assert command("cells", "plan", example, "--out", tmp_path / "plan").exit_code == 0
    before = {p.name: p.read_bytes() for p in (tmp_path / "plan").iterdir()}
    (tmp_path / "plan/yields.csv").write_text("filled in")
    done = command("cells", "plan", example, "--out", tmp_path / "plan", "--json")
    assert done.exit_code == 3
    (fault,) = json.loads(done.stdout)["faults"]
    assert "yields.csv" in fault["place"]
    assert fault["found"] == "a file with other content"
    before["yields.csv"] = b"filled in"
    assert {p.name: p.read_bytes() for p in (tmp_path / "plan").iterdir()} == before


def test_without_a_folder_nothing_is_written(command: Command, example: Path, tmp_path: Path) -> None:
    done = command("cells", "plan", example)
    assert done.exit_code == 0
    assert "nothing was written" in done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["PLAN.toml"]


def test_all_faults_of_a_plan_come_at_once_with_their_lines(command: Command, example: Path) -> None:
    text = (
        example.read_text().replace('cell_source = "cord_blood"', 'cell_source = "cordblood"').replace("n_doses = 6", "n_dose = 6")
    )
    example.write_text(text.replace('dose = "100 ng/mL"', 'dose = "100"'))
    done = command("cells", "plan", example, "--json")
    assert done.exit_code == 3
    faults = json.loads(done.stdout)["faults"]
    assert {fault["place"].split(", ")[1] for fault in faults} == {
        "plan.cell_source",
        "agonists[1].n_dose",
        "positive_control.dose",
    }
    assert all(fault["place"].startswith("PLAN.toml:") for fault in faults)


def test_a_plan_that_is_not_there_is_bad_input(command: Command, tmp_path: Path) -> None:
    done = command("cells", "plan", tmp_path / "none.toml")
    assert done.exit_code == 3
    assert "no such file" in done.stderr


def test_a_folder_that_cannot_be_made_is_bad_input(command: Command, example: Path) -> None:
    done = command("cells", "plan", example, "--out", example / "inside")
    assert done.exit_code == 3
    assert "a place that cannot be written" in done.stderr
