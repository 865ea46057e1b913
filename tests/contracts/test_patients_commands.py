"""Contracts of `thrombokit patients nca|vpc|compare|export`, and of `simulate` for cohorts: never edited to fit."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

Command = Callable[..., Any]

MODEL = """
schema = "thrombokit-model/1"
units = {time = "h", amount = "mg", concentration = "mg/L"}
compartments = ["depot", "central"]
default_dose = "depot"
[record]
CL = "2*exp(E)"
[flow]
"depot->central" = "1"
"central->out" = "CL/20"
[random]
omega = [{names = ["E"], matrix = [[0.04]]}]
[residual]
CP = {proportional_sd = 0.1}
[output]
CP = "central/20"
"""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.toml"
    path.write_text(MODEL, encoding="utf-8")
    return path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Eight subjects after one dose."""
    rows = ["ID,TIME,AMT,EVID,DV"]
    rng = np.random.default_rng(1)
    for subject in range(1, 9):
        rows.append(f"{subject},0,100,1,.")
        for time in (0.5, 1, 2, 4, 8, 12, 24):
            value = 5 * (np.exp(-0.1 * time) - np.exp(-time)) / 0.9 * np.exp(0.1 * rng.standard_normal())
            rows.append(f"{subject},{time},.,0,{value:.5g}")
    path = tmp_path / "data.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def test_nca(command: Command, data: Path, tmp_path: Path) -> None:
    out, statistics, picture = tmp_path / "nca.csv", tmp_path / "stats.csv", tmp_path / "nca.svg"
    done = command("patients", "nca", data, "--concentration-unit", "mg/L", "--partial", "0-12", "--out", out, "--statistics", statistics,
                   "--picture", picture, "--json")  # fmt: skip
    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["schema"] == "thrombokit.nca/1"
    assert found["profiles"] == 8
    table = pl.read_csv(out)
    assert table.columns == ["USUBJID", "GROUP", "PPTESTCD", "PPSTRESN", "PPSTRESU", "LOW", "HIGH", "START", "END", "STANDING"]
    assert {"CMAX", "TMAX", "AUCLST", "AUCIFO", "LAMZ", "LAMZHL", "CLFO", "VZFO", "AUCINT"} <= set(table["PPTESTCD"])
    assert {"n", "geometric_mean", "geometric_cv_percent", "n_withheld"} <= set(pl.read_csv(statistics).columns)
    assert picture.read_text(encoding="utf-8").startswith("<svg")


def test_vpc(command: Command, data: Path, model: Path, tmp_path: Path) -> None:
    out, picture = tmp_path / "vpc.csv", tmp_path / "vpc.svg"
    arguments = ("patients", "vpc", data, "--model", model, "--output", "CP", "--seed", "1", "--replicates", "40")
    done = command(*arguments, "--out", out, "--picture", picture, "--json")
    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["schema"], found["replicates"]) == ("thrombokit.vpc/1", 40)
    assert {"stratum", "time", "percentile", "observed", "simulated", "low", "high", "inside"} <= set(pl.read_csv(out).columns)
    assert picture.read_text(encoding="utf-8").startswith("<svg")
    assert command(*arguments, "--json").stdout == done.stdout


def test_export(command: Command, data: Path, model: Path, tmp_path: Path) -> None:
    for name, program in (("m.cpp", "mrgsolve"), ("m.mod", "nonmem")):
        done = command("patients", "export", model, "--out", tmp_path / name, "--events", data, "--json")
        assert done.exit_code == 0, done.stderr
        found = json.loads(done.stdout)
        assert (found["schema"], found["program"], found["records"]) == ("thrombokit.patient-export/1", program, 64)
        assert "NOT YET CONFIRMED" in (tmp_path / name).read_text(encoding="utf-8")
        assert pl.read_csv(tmp_path / "m.csv").columns == ["ID", "TIME", "AMT", "RATE", "II", "SS", "EVID", "CMT", "DV", "MDV"]
    refused = command("patients", "export", model, "--out", tmp_path / "m.txt")
    assert refused.exit_code == 3
    assert "ending .cpp (mrgsolve)" in refused.stderr


def test_compare(command: Command, tmp_path: Path) -> None:
    out, picture = tmp_path / "measures.csv", tmp_path / "measures.svg"
    done = command("patients", "compare", "hetrombopag", "--regimen", "default", "--regimen", "placebo", "--start", "2.5", "--seed", "1",
                   "--patients", "20", "--weeks", "4", "--out", out, "--picture", picture, "--json")  # fmt: skip
    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["schema"], found["regimens"]) == ("thrombokit.regimens/1", ["default, start 2.5", "placebo"])
    columns = ["regimen", "measure", "unit", "value", "low", "high", "difference", "difference_low", "difference_high"]
    assert pl.read_csv(out).columns == columns
    assert picture.read_text(encoding="utf-8").startswith("<svg")


def test_simulate_a_cohort(command: Command, tmp_path: Path) -> None:
    folder = tmp_path / "cohort"
    done = command(
        "patients", "simulate", "--agonist", "hetrombopag", "--patients", "20", "--seed", "1", "--weeks", "4", "--out", folder
    )
    assert done.exit_code == 0, done.stderr
    names = {"weeks.parquet", "patients.csv", "ledger.csv", "shares.csv", "cohort.json", "cohort.svg"}
    assert {path.name for path in folder.iterdir()} == names
    assert json.loads((folder / "cohort.json").read_text(encoding="utf-8"))["schema"] == "thrombokit.cohort/1"
    assert pl.read_parquet(folder / "weeks.parquet").height == 100
    assert "research use only" in done.stderr
    again = tmp_path / "again"
    command(
        "patients",
        "simulate",
        "--agonist",
        "hetrombopag",
        "--patients",
        "20",
        "--seed",
        "1",
        "--weeks",
        "4",
        "--out",
        again,
        "--workers",
        "2",
    )
    for name in names:
        assert (again / name).read_bytes() == (folder / name).read_bytes(), name


def test_one_form_of_simulate_or_the_other(command: Command, data: Path, model: Path) -> None:
    for arguments in (
        (),
        (data,),
        (data, "--model", model, "--agonist", "hetrombopag"),
        ("--agonist", "hetrombopag"),
        ("--model", model),
    ):
        done = command("patients", "simulate", *arguments)
        assert done.exit_code == 3
        assert "--agonist and --seed for a cohort" in done.stderr
