"""Contract of `thrombokit run STUDY --out DIR`: never edited to fit."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from thrombokit.dose_response import fit

Command = Callable[..., Any]

RESULTS = (
    "plate.json",
    "plate_fits.csv",
    "plate_quality.csv",
    "plate_wells.parquet",
    "study.json",
)
FITS_START = ["plate", "agonist", "cell_system", "run", "verdict", "ec50_nM", "ec50_low_nM", "ec50_high_nM", "bound_side"]


@pytest.fixture(scope="module")
def study(command: Command, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plate") / "study"
    assert command("init", folder).exit_code == 0
    return folder


@pytest.fixture(scope="module")
def out(command: Command, study: Path) -> Path:
    folder = study.parent / "out"
    done = command("run", study, "--out", folder, "--quiet")
    assert (done.exit_code, done.stderr) == (0, "")
    return folder


def mismatched(study: Path, folder: Path) -> Path:
    """A copy of the study whose export has its rows the other way up, so that no well holds what the map says."""
    for path in (p for p in study.rglob("*") if p.is_file()):
        target = folder / path.relative_to(study)
        target.parent.mkdir(parents=True, exist_ok=True)
        lines = path.read_text(encoding="utf-8").split("\n")
        if path.parent.name == "exports":
            lines[4:12] = reversed(lines[4:12])
        target.write_text("\n".join(lines), encoding="utf-8")
    return folder


def below(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_writes_report_tables_crate_and_results(out: Path) -> None:
    for name in ("report.html", "tables.xlsx", "ro-crate-metadata.json", *(f"results/{name}" for name in RESULTS)):
        assert (out / name).is_file(), name
    for name, schema in (("study.json", "thrombokit.study/1"), ("plate.json", "thrombokit.plate/1")):
        document = json.loads((out / "results" / name).read_text(encoding="utf-8"))
        assert next(iter(document.items())) == ("schema", schema)


def test_fits_are_keyed_by_plate_agonist_cells_and_run(out: Path) -> None:
    fits = pl.read_csv(out / "results/plate_fits.csv")
    assert fits.columns[: len(FITS_START)] == FITS_START
    assert set(fits["agonist"]) == {"my-agonist", "eltrombopag"}
    assert set(fits["verdict"]) == {"fit"}


def test_the_answer_is_on_stdout_and_the_path_of_the_report_on_stderr(command: Command, study: Path, tmp_path: Path) -> None:
    done = command("run", study, "--out", tmp_path / "out")
    assert done.exit_code == 0
    assert "my-agonist" in done.stdout
    assert "EC50 is" in done.stdout
    assert "report.html" not in done.stdout
    assert f"report: {tmp_path / 'out' / 'report.html'}" in done.stderr


def test_json_is_all_of_stdout_and_holds_the_answer(command: Command, study: Path, tmp_path: Path) -> None:
    done = command("run", study, "--out", tmp_path / "out", "--json")
    document = json.loads(done.stdout)
    assert next(iter(document.items())) == ("schema", "thrombokit.run/1")
    assert {"title", "synthetic", "plate", "published", "missing", "provenance", "notice", "files"} <= document.keys()
    assert document["synthetic"] is True
    assert {"potencies", "ratios", "quality"} <= document["plate"].keys()
    for potency in document["plate"]["potencies"]:
        assert {"agonist", "assay", "ec50_nM", "n_runs", "verdict"} <= potency.keys()
        assert {"estimate", "low", "high"} == potency["ec50_nM"].keys()
    assert sorted(document["files"]) == sorted(below(tmp_path / "out"))


def test_two_workers_and_other_cuts_of_the_work_give_the_same_bytes(
    command: Command, study: Path, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fit, "CURVES_A_TASK", 1)  # two curves, two tasks: the pool has work for both of its processes
    assert command("run", study, "--out", tmp_path / "out", "--workers", "2", "--quiet").exit_code == 0
    assert below(tmp_path / "out/results") == below(out / "results")
    assert (tmp_path / "out/tables.xlsx").read_bytes() == (out / "tables.xlsx").read_bytes()
    assert (tmp_path / "out/report.html").read_bytes() == (out / "report.html").read_bytes()


def test_a_seed_on_the_command_line_is_recorded(command: Command, study: Path, tmp_path: Path) -> None:
    done = command("run", study, "--out", tmp_path / "out", "--seed", "4711", "--json")
    assert json.loads(done.stdout)["provenance"]["seed"] == 4711
    saved = json.loads((tmp_path / "out/results/study.json").read_text(encoding="utf-8"))
    assert saved["provenance"]["seed"] == 4711


def test_a_failed_plate_ends_with_1_under_strict_alone_and_writes_everything(command: Command, study: Path, tmp_path: Path) -> None:
    bad = mismatched(study, tmp_path / "study")
    done = command("run", bad, "--out", tmp_path / "strict", "--strict")
    assert done.exit_code == 1
    assert "failed its quality check" in done.stderr
    assert (tmp_path / "strict/report.html").is_file()
    relaxed = command("run", bad, "--out", tmp_path / "relaxed")
    assert relaxed.exit_code == 0
    assert "failed its quality check" in relaxed.stderr
    assert below(tmp_path / "strict/results") == below(tmp_path / "relaxed/results")


def test_strict_ends_with_0_where_all_plates_pass(command: Command, study: Path, tmp_path: Path) -> None:
    assert command("run", study, "--out", tmp_path / "out", "--strict", "--quiet").exit_code == 0


def test_bad_input_ends_with_3_before_anything_is_written(command: Command, study: Path, tmp_path: Path) -> None:
    broken = mismatched(study, tmp_path / "study")
    (broken / "study.toml").write_text("schema = 1\n")
    done = command("run", broken, "--out", tmp_path / "out")
    assert done.exit_code == 3
    assert done.stdout == ""
    assert not (tmp_path / "out").exists()


def test_usage_errors_end_with_2(command: Command, study: Path, tmp_path: Path) -> None:
    assert command("run", study).exit_code == 2
    assert command("run", study, "--out", tmp_path / "out", "--workers", "0").exit_code == 2
    assert command("run", study, "--out", tmp_path / "out", "--seed", "-1").exit_code == 2
    assert not (tmp_path / "out").exists()
