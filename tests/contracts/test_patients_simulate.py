"""Contract of `thrombokit patients simulate EVENTS.csv --model MODEL.toml --out OUT.csv`: never edited to fit."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

Command = Callable[..., Any]

MODEL = """
schema = "thrombokit-model/1"
units = {time = "h", amount = "mg", concentration = "ng/mL"}
compartments = ["depot", "central"]
default_dose = "depot"
default_observation = "central"
[theta]
TVCL = 1.1
[record]
CL = "TVCL*exp(ETA_CL)"
V = "20"
KA = "1.5"
[algebra]
CP = "central/(V/1000)"
[flow]
"depot->central" = "KA"
"central->out" = "CL/V"
[dose.central]
lag = "LAGT"
F = "BIOAV"
rate = "RAT2"
duration = "DUR2"
[random]
omega = [{names = ["ETA_CL"], matrix = [[0.09]]}]
[residual]
CP = {additive_sd = 0.0, proportional_sd = 0.1}
[output]
CP = "CP"
"""
"""One file for every NONMEM scenario."""
EVENTS = """\
ID,time,evid,amt,cmt,LAGT,BIOAV,RAT2,DUR2
1,0,1,100,2,0,0.5,1,1
1,2,0,.,.,0,1,1,1
1.5,0,0,.,.,0,1,1,1
1.5,3,1,10,2,0,1,1,1
"""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """The model of the contract."""
    path = tmp_path / "model.toml"
    path.write_text(MODEL, encoding="utf-8")
    return path


@pytest.fixture
def events(tmp_path: Path) -> Path:
    """A few records."""
    path = tmp_path / "events.csv"
    path.write_text(EVENTS, encoding="utf-8")
    return path


def test_one_row_a_record_in_order_with_id_time_and_outputs(command: Command, events: Path, model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    done = command("patients", "simulate", events, "--model", model, "--out", out)
    assert done.exit_code == 0, done.stderr
    table = pl.read_csv(out)
    assert table.columns == ["ID", "TIME", "CP"]
    assert table["ID"].to_list() == [1.0, 1.0, 1.5, 1.5]
    assert table["TIME"].to_list() == [0.0, 2.0, 0.0, 3.0]
    assert table["CP"].to_list() == pytest.approx([2500.0, 2500.0 * math.exp(-0.11), 0.0, 500.0], rel=1e-12)
    assert "Engine exact" in done.stderr
    assert "without random effects" in done.stderr


def test_etas_and_residuals_are_zero_unless_a_seed_is_given(command: Command, events: Path, model: Path) -> None:
    line = ("patients", "simulate", events, "--model", model, "--quiet")
    typical, first, again, other = (
        command(*line, *more).stdout for more in ((), ("--seed", "1"), ("--seed", "1"), ("--seed", "2"))
    )
    assert first == again
    assert len({typical, first, other}) == 3
    assert typical.splitlines()[0] == "ID,TIME,CP"


def test_json(command: Command, events: Path, model: Path) -> None:
    done = command("patients", "simulate", events, "--model", model, "--json", "--quiet")
    document = json.loads(done.stdout)
    assert next(iter(document)) == "schema"
    assert document["schema"] == "thrombokit.events/1"
    assert {"events", "model", "engine", "stated_error", "seed", "columns", "ledger", "notes"} <= document.keys()
    assert document["columns"]["TIME"] == [0.0, 2.0, 0.0, 3.0]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("1,5,1,-3,2,0,1,1,1", ("events.csv, row 4, column amt", "AMT -3".lower(), "Correct the sign")),
        ("1,1,0,0,2,0,1,1,1", ("events.csv, row 4, column time", "time 1 after 2")),
        ("1,5,1,3,9,0,1,1,1", ("events.csv, row 4, column cmt", "compartment 9", "1 = depot, 2 = central")),
        ("1,5,1,3,2,.,x,1,1", ("events.csv, row 4, column BIOAV", 'the text "x"')),
    ],
)
def test_what_is_wrong_is_said_with_row_and_cure(
    command: Command, events: Path, model: Path, line: str, words: tuple[str, ...]
) -> None:
    rows = EVENTS.splitlines()
    events.write_text("\n".join([*rows[:3], line, *rows[3:]]) + "\n", encoding="utf-8")
    done = command("patients", "simulate", events, "--model", model)
    assert done.exit_code == 3
    assert done.stdout == ""
    for word in words:
        assert word in done.stderr, done.stderr


def test_ledger_needs_a_titration(command: Command, events: Path, model: Path, tmp_path: Path) -> None:
    done = command("patients", "simulate", events, "--model", model, "--ledger", tmp_path / "ledger.csv")
    assert done.exit_code == 3
    assert "--ledger" in done.stderr


def test_as_a_process(events: Path, model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    line = [sys.executable, "-m", "thrombokit", "patients", "simulate", str(events), "--model", str(model), "--out", str(out)]
    done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert pl.read_csv(out).height == 4


def test_all_scenarios_of_nonmem_to_five_digits(command: Command, reference_data: Path, model: Path, tmp_path: Path) -> None:
    folder, out = reference_data / "pkpd" / "nmtests", tmp_path / "out.csv"
    done = command("patients", "simulate", folder / "dosing_data.csv", "--model", model, "--out", out)
    assert done.exit_code == 0, done.stderr
    ours, theirs = pl.read_csv(out), pl.read_csv(folder / "dosing_nonmem.csv")
    assert ours["ID"].to_list() == theirs["ID"].to_list()
    assert ours["TIME"].to_list() == theirs["TIME"].to_list()
    printed = theirs["CP"].to_numpy()
    rounded = np.array([float(f"{value:.4e}") for value in ours["CP"]])
    last_digit = 10.0 ** (np.floor(np.log10(np.maximum(printed, 1e-12))) - 4)
    assert np.abs(rounded - printed).max() == pytest.approx(0.0, abs=1.0), "sanity: same scale"
    assert (np.abs(rounded - printed) <= 1.001 * last_digit).all()
    assert theirs["ID"].n_unique() == 16
