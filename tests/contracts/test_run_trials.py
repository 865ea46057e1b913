"""Contract of `thrombokit run STUDY` with a section [trials]: never edited to fit."""

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

ESTIMANDS = """schema = "thrombokit-estimand/1"
title = "Small"
reference = "placebo"

[visits]
weeks = [1, 2]

[[estimand]]
name = "week 2"
endpoint = {kind = "response_at_week", week = 2}

[[estimand]]
name = "week 2, carried on"
endpoint = {kind = "response_at_week", week = 2}
missing = "locf"

[[estimand]]
name = "first response"
endpoint = {kind = "time_to_first_response"}
"""
STUDY = """schema = 1

[study]
title = "Small trial"
synthetic = true

[trials]
data = "counts.csv"
subjects = "subjects.csv"
estimands = "estimands.toml"
published = ["hetrombopag-phase3"]
"""
# week 2: 3 of 4 on the drug (p4 missing, responded in week 1), 1 of 4 on placebo
COURSES = {
    "p1": ("drug", (10, 60, 70)), "p2": ("drug", (12, 40, 55)), "p3": ("drug", (9, 80, 90)), "p4": ("drug", (11, 52, None)),
    "p5": ("placebo", (10, 20, 15)), "p6": ("placebo", (8, 9, 60)), "p7": ("placebo", (14, None, 20)), "p8": ("placebo", (13, 12, 11)),
}  # fmt: skip


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trials") / "study"
    folder.mkdir()
    counts = [
        f"{name},{7 * week},{count},10^9/L"
        for name, (_, seen) in COURSES.items()
        for week, count in enumerate(seen)
        if count is not None
    ]
    (folder / "counts.csv").write_text("\n".join(["subject,day,count,unit", *counts, ""]), encoding="utf-8")
    people = "\n".join(["subject,arm", *(f"{name},{arm}" for name, (arm, _) in COURSES.items()), ""])
    (folder / "subjects.csv").write_text(people, encoding="utf-8")
    (folder / "estimands.toml").write_text(ESTIMANDS, encoding="utf-8")
    (folder / "study.toml").write_text(STUDY, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def out(command: Command, study: Path) -> Path:
    folder = study.parent / "out"
    done = command("run", study, "--out", folder, "--quiet")
    assert (done.exit_code, done.stderr) == (0, "")
    return folder


def test_results_page_and_workbook_hold_trials(out: Path) -> None:
    document = json.loads((out / "results/trials.json").read_text(encoding="utf-8"))
    assert next(iter(document.items())) == ("schema", "thrombokit.trials/1")
    assert {"arms", "reference", "trial", "published", "sources", "summary", "include_subjects"} <= document.keys()
    assert document["trial"]["schema"] == "thrombokit.trial/1"
    names = {p.name for p in (out / "results").iterdir()}
    assert {
        "trials_estimands.csv", "trials_by_visit.csv", "trials_flow.csv", "trials_curves.csv", "trials_published.csv",
        "trials_analysis_results.csv", "trials_analysis_results.parquet",
    } <= names  # fmt: skip
    page = (out / "report.html").read_text(encoding="utf-8")
    assert '<h2 id="trials">Trials</h2>' in page
    for heading in ("Subjects", "Response by visit", "Estimands side by side", "Time to an event", "Published trials"):
        assert f"<h3>{heading}</h3>" in page
    sheets = openpyxl.load_workbook(out / "tables.xlsx", read_only=True).sheetnames
    assert {"trials estimands", "trials by visit", "trials flow", "trials published", "trials analysis results"} <= set(sheets)


def test_counts_are_those_of_the_files(out: Path) -> None:
    rows = pl.read_csv(out / "results/trials_estimands.csv")
    told = {(r["estimand"], r["arm"]): (r["responders"], r["n"]) for r in rows.to_dicts() if r["measure"] == "share responding"}
    assert told == {
        ("week 2", "drug"): (3, 4), ("week 2", "placebo"): (1, 4), ("week 2, carried on", "drug"): (4, 4), ("week 2, carried on", "placebo"): (1, 4),
    }  # fmt: skip
    times = {r["arm"]: r["responders"] for r in rows.filter(pl.col("estimand") == "first response").to_dicts()}
    assert times == {"drug": 4, "placebo": 1}


def test_one_data_set_holds_every_number(out: Path) -> None:
    table = pl.read_parquet(out / "results/trials_analysis_results.parquet")
    assert {
        "id",
        "estimand",
        "measure",
        "group",
        "method",
        "value",
        "low",
        "high",
        "p",
        "n",
        "population",
        "options",
        "input_sha256",
        "version",
    } <= set(table.columns)
    assert {"trial", "week 2", "week 2, carried on", "first response"} <= set(table["estimand"])
    (share,) = table.filter(pl.col("id") == "week 2/share/drug/clopper_pearson")["value"]
    assert share == 0.75


def test_run_json_and_the_saved_result_say_the_same(command: Command, study: Path, out: Path, tmp_path: Path) -> None:
    done = command("run", study, "--out", tmp_path / "again", "--json")
    assert done.exit_code == 0
    trials = json.loads(done.stdout)["trials"]
    saved = json.loads((out / "results/trials.json").read_text(encoding="utf-8"))
    assert trials == {key: value for key, value in saved.items() if key != "tables"}
    assert tk.run_document(tk.read_results(out))["trials"] == trials
    assert "drug 3/4 (75.0 %)" in "\n".join(tk.answer_sentences(tk.read_results(out)))


def test_report_is_made_again_from_what_was_saved(out: Path, tmp_path: Path) -> None:
    tk.write_report(tk.read_results(out), tmp_path / "again.html")
    assert (tmp_path / "again.html").read_bytes() == (out / "report.html").read_bytes()


def test_faults_end_with_3_and_nothing_is_written(command: Command, study: Path, tmp_path: Path) -> None:
    for path in study.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    text = STUDY.replace('"counts.csv"', '"count.csv"').replace("hetrombopag-phase3", "hetrombopag-phase9")
    (tmp_path / "study.toml").write_text(text, encoding="utf-8")
    done = command("check", tmp_path, "--json")
    assert done.exit_code == 3
    (fault,) = json.loads(done.stdout)["faults"]
    assert 'Did you mean "counts.csv"?' in fault["cure"]
    (tmp_path / "study.toml").write_text(text.replace('"count.csv"', '"counts.csv"'), encoding="utf-8")
    done = command("run", tmp_path, "--out", tmp_path / "out", "--json")
    assert done.exit_code == 3
    assert "hetrombopag-phase3" in json.loads(done.stdout)["faults"][0]["cure"]
    assert not (tmp_path / "out").exists()
