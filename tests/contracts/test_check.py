"""Contract of `thrombokit check STUDY`: never edited to fit."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Any]


@pytest.fixture
def study(command: Command, tmp_path: Path) -> Path:
    assert command("init", tmp_path / "study").exit_code == 0
    return tmp_path / "study"


def test_a_sound_study_is_said_to_be_so_and_nothing_is_written(command: Command, study: Path) -> None:
    before = {p: p.read_bytes() for p in study.rglob("*") if p.is_file()}
    done = command("check", study)
    assert done.exit_code == 0
    assert "no faults, 1 plates" in done.stdout
    assert "read as envision" in done.stderr
    assert {p: p.read_bytes() for p in study.rglob("*") if p.is_file()} == before


def test_the_study_file_may_be_named_itself(command: Command, study: Path) -> None:
    assert command("check", study / "study.toml").stdout == command("check", study).stdout


def test_json_names_reader_map_run_and_cells_of_every_plate(command: Command, study: Path) -> None:
    done = command("check", study, "--json")
    document = json.loads(done.stdout)
    assert next(iter(document)) == "schema"
    assert document["schema"] == "thrombokit.check/1"
    assert {"title", "faults", "plates", "missing"} <= document.keys()
    assert document["faults"] == []
    assert document["missing"] == []
    (plate,) = document["plates"]
    assert {"plate", "file", "reader", "why", "wells", "map", "run", "cell_system", "notes"} <= plate.keys()
    assert (plate["reader"], plate["wells"], plate["run"], plate["cell_system"]) == ("envision", 96, "run 1", "32D-MPL")


def test_all_faults_of_all_files_come_in_one_pass(command: Command, study: Path) -> None:
    (export,) = (study / "exports").iterdir()
    (plate_map,) = (study / "maps").iterdir()
    export.write_text(export.read_text().replace("16411", "sixteen", 1))
    plate_map.write_text(plate_map.read_text().replace("A02,sample", "A02,smple", 1).replace("A03,", "H13,", 1))
    toml = study / "study.toml"
    (study / "mine.toml").write_text("schema = 2\n")
    toml.write_text(toml.read_text() + '\n[[agonists]]\nfile = "mine.toml"\n')
    done = command("check", study, "--json")
    assert done.exit_code == 3
    document = json.loads(done.stdout)
    assert document["schema"] == "thrombokit.error/1"
    assert document["exit_code"] == 3
    places = " | ".join(fault["place"] for fault in document["faults"])
    assert export.name in places
    assert "mine.toml" in places


def test_faults_of_an_export_and_of_its_map_come_together(command: Command, study: Path) -> None:
    (export,) = (study / "exports").iterdir()
    (plate_map,) = (study / "maps").iterdir()
    export.rename(study / "exports/export.csv")
    plate_map.rename(study / "maps/map.csv")
    toml = study / "study.toml"
    text = (
        toml.read_text().replace(f"exports/{export.name}", "exports/export.csv").replace(f"maps/{plate_map.name}", "maps/map.csv")
    )
    second = '\n[[plate.files]]\nfile = "exports/second.csv"\nmap = "maps/second.csv"\nrun = "run 2"\n'
    toml.write_text(text + second)
    (study / "exports/second.csv").write_text("no plate at all\n")
    (study / "maps/second.csv").write_text("well,role\nA01,vehicle\n")
    (study / "maps/map.csv").write_text("well,role,agonist,concentration,unit\nA02,smple,x,1,nM\nH13,sample,x,1,nM\n")
    done = command("check", study, "--json")
    assert done.exit_code == 3
    faults = json.loads(done.stdout)["faults"]
    told = " | ".join(f"{fault['place']}: {fault['found']}" for fault in faults)
    assert "second.csv" in told
    assert "map.csv, row 2" in told
    assert "smple" in told
    assert "H13" in told


def test_every_fault_has_place_found_expected_and_cure_on_stderr_too(command: Command, study: Path) -> None:
    toml = study / "study.toml"
    toml.write_text(toml.read_text().replace("[plate]", "[plate]\ncomparater = 1", 1))
    done = command("check", study)
    assert done.exit_code == 3
    assert done.stdout == ""
    for word in ("study.toml:", "found", "expected", "cure", "comparator", "1 fault found"):
        assert word in done.stderr
    assert "Traceback" not in done.stderr


def test_quiet_leaves_the_result_and_drops_the_log(command: Command, study: Path) -> None:
    done = command("check", study, "--quiet")
    assert (done.exit_code, done.stderr) == (0, "")
    assert "no faults" in done.stdout


def test_no_study_is_bad_input_and_no_argument_a_usage_error(command: Command, tmp_path: Path) -> None:
    assert command("check", tmp_path / "nowhere").exit_code == 3
    assert command("check").exit_code == 2
