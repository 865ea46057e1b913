"""Contract of `thrombokit run STUDY` with a section [patients]: never edited to fit."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest

import thrombokit as tk

Command = Callable[..., Any]

STUDY = """schema = 1

[study]
title = "Two rules"
seed = 7

[[agonists]]
name = "hetrombopag"

[patients]
patients = 60
weeks = 8

[[patients.cohorts]]
agonist = "hetrombopag"
regimens = ["hetrombopag-150-250", "hetrombopag-250-400"]
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("patients") / "study"
    folder.mkdir()
    (folder / "study.toml").write_text(STUDY, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def out(command: Command, study: Path) -> Path:
    folder = study.parent / "out"
    done = command("run", study, "--out", folder, "--quiet")
    assert (done.exit_code, done.stderr) == (0, "")
    return folder


def below(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_results_page_and_workbook_hold_the_patients(out: Path) -> None:
    document = json.loads((out / "results/patients.json").read_text(encoding="utf-8"))
    assert next(iter(document.items())) == ("schema", "thrombokit.patients/1")
    assert {"arms", "weeks", "measures", "reasons", "events", "profiles", "notes", "seed", "summary"} <= document.keys()
    for arm in document["arms"]:
        assert {"engine", "stated_error", "decisions", "near_ties", "parameter_tiers", "rule_tiers", "criterion"} <= arm.keys()
    weeks = pl.read_csv(out / "results/patients_weeks.csv")
    assert {"arm", "week", "patients", "p5", "p50", "p95", "in_range", "in_range_low", "in_range_high", "dose_mean"} <= set(
        weeks.columns
    )
    assert weeks.height == 2 * 9
    ledger = pl.read_parquet(out / "results/patients/ledger.parquet")
    assert {"arm", "ID", "TIME", "VISIT_VALUE", "AMT_BEFORE", "AMT_AFTER", "RULE", "REASON"} <= set(ledger.columns)
    page = (out / "report.html").read_text(encoding="utf-8")
    assert '<h2 id="patients">Patients</h2>' in page
    assert "Research use only" in page
    sheets = openpyxl.load_workbook(out / "tables.xlsx", read_only=True).sheetnames
    assert {"patients arms", "patients weeks", "patients measures", "patients reasons"} <= set(sheets)


def test_the_study_gives_what_the_face_gives(out: Path) -> None:
    cohort = tk.simulate_cohort("hetrombopag", "hetrombopag-250-400", 60, seed=7, weeks=8)
    courses = pl.read_parquet(out / "results/patients/courses.parquet").filter(pl.col("arm") == "hetrombopag-250-400")
    assert courses["count_1e9_per_L"].to_list() == cohort.counts.ravel().tolist()
    decided = pl.read_parquet(out / "results/patients/ledger.parquet").filter(pl.col("arm") == "hetrombopag-250-400")
    assert decided.select(cohort.ledger.table().columns).equals(cohort.ledger.table())


def test_read_again_it_is_the_same(out: Path, tmp_path: Path) -> None:
    result = tk.read_results(out)
    assert result.patients is not None
    assert [arm.name for arm in result.patients.arms] == ["hetrombopag-150-250", "hetrombopag-250-400"]
    tk.write_results(result, tmp_path)
    assert below(tmp_path / "results") == below(out / "results")
    assert tk.run_document(result)["patients"]["schema"] == "thrombokit.patients/1"
    assert any("in the same virtual patients" in sentence for sentence in tk.answer_sentences(result))


def test_two_workers_give_the_same_bytes(command: Command, study: Path, out: Path, tmp_path: Path) -> None:
    assert command("run", study, "--out", tmp_path / "out", "--workers", "2", "--quiet").exit_code == 0
    assert below(tmp_path / "out/results") == below(out / "results")
    assert (tmp_path / "out/report.html").read_bytes() == (out / "report.html").read_bytes()


def test_another_seed_is_other_patients(command: Command, study: Path, out: Path, tmp_path: Path) -> None:
    assert command("run", study, "--out", tmp_path / "out", "--seed", "8", "--quiet").exit_code == 0
    names = ("results/patients_weeks.csv", "results/patients/ledger.parquet")
    assert all((tmp_path / "out" / name).read_bytes() != (out / name).read_bytes() for name in names)


def test_bad_words_end_with_3_all_in_one_pass(command: Command, study: Path, tmp_path: Path) -> None:
    text = STUDY.replace("250-400", "250-40").replace("weeks = 8", 'weeks = 8\ninclusion = "low"')
    (tmp_path / "study.toml").write_text(text, encoding="utf-8")
    for words in (("run", tmp_path, "--out", tmp_path / "out", "--json"), ("check", tmp_path, "--json")):
        done = command(*words)
        assert done.exit_code == 3
        faults = json.loads(done.stdout)["faults"]
        assert [fault["place"].split(":")[1].split(", ")[1] for fault in faults] == [
            "patients.inclusion",
            "patients.cohorts[1].regimens[2]",
        ]
        assert faults[1]["cure"] == 'Did you mean "hetrombopag-250-400"?'
    assert not (tmp_path / "out").exists()
