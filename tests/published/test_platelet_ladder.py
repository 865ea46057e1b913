"""A published dose ladder on platelet counts, run as a model file and a titration file.

The counts and doses are those of mrgsolve 1.7.2 in the reference data of ferx-core (expected.md of its platelet ladder; MIT). Printed to
five or more digits; allowed here: 0.006e9/L.
"""

from __future__ import annotations

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
compartments = ["central", "proliferating", "transit1", "transit2", "transit3", "circulating"]
[theta]
CL = 0.22
V = 15
CIRC0 = 250
MTT = 120
GAMMA = 0.20
SLOPE = 0.06
[record]
KTR = "4/MTT"
[algebra]
CP = "central/V"
[flow]
"central->out" = "CL/V"
[ode]
proliferating = "KTR*proliferating*((1 - SLOPE*CP)*(CIRC0/circulating)^GAMMA - 1)"
transit1 = "KTR*(proliferating - transit1)"
transit2 = "KTR*(transit1 - transit2)"
transit3 = "KTR*(transit2 - transit3)"
circulating = "KTR*(transit3 - circulating)"
[initial]
proliferating = "CIRC0"
transit1 = "CIRC0"
transit2 = "CIRC0"
transit3 = "CIRC0"
circulating = "CIRC0"
[output]
PLATELET = "circulating"
"""
RULE = """
schema = "thrombokit-titration/1"
signal = "PLATELET"
observed_with = "latent"
dose = {compartment = "central", every_h = 168, first_h = 0, rate = 0}
levels = [25, 50, 75, 100]
start = 100
visits_h = [0]
then_every_h = 168
rules = [
  {when = "< 30", do = "stop"},
  {when = "< 120", do = "down", at_lowest = "keep"},
]
"""
COUNTS = [250.0, 169.5627, 94.26696, 98.68749, 151.28066, 178.50394, 166.77151, 158.40487, 160.12363, 162.54006]
DOSES = [100, 100, 75, 50, 50, 50, 50, 50, 50, 50]


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Model and rule on disk."""
    model, rule = tmp_path / "friberg.toml", tmp_path / "ladder.toml"
    model.write_text(MODEL, encoding="utf-8")
    rule.write_text(RULE, encoding="utf-8")
    return model, rule


def test_every_count_and_every_dose_of_the_ladder(
    command: Command, reference_data: Path, files: tuple[Path, Path], tmp_path: Path, print_figure: Callable[[str], None]
) -> None:
    out, ledger = tmp_path / "out.csv", tmp_path / "ledger.csv"
    subject = reference_data / "pkpd" / "ferx-core" / "platelet_subject.csv"
    done = command("patients", "simulate", subject, "--model", files[0], "--titration", files[1], "--out", out, "--ledger", ledger)
    assert done.exit_code == 0, done.stderr
    counts, decisions = pl.read_csv(out)["PLATELET"].to_numpy(), pl.read_csv(ledger)
    difference = float(np.abs(counts - COUNTS).max())
    print_figure(f"platelet ladder: largest difference from the published counts {difference:.1e} x 1e9/L")
    assert difference < 0.006
    assert decisions["AMT_AFTER"].to_list() == DOSES
    assert decisions["AMT_AFTER"].sum() == 625
    assert (decisions["AMT_AFTER"] < decisions["AMT_BEFORE"]).sum() == 2
    assert (decisions["VISIT_VALUE"] >= 100).mean() == pytest.approx(0.8)


def test_the_grid_of_outputs_never_changes_a_dose(command: Command, files: tuple[Path, Path], tmp_path: Path) -> None:
    ledgers: list[bytes] = []
    counts: list[float] = []
    for name, times in (("none", [1512.0]), ("weekly", np.arange(0, 1513, 168.0)), ("daily", np.arange(0, 1513, 24.0)),
                        ("hourly", np.arange(0, 1513, 1.0)), ("odd", [*np.arange(0.37, 1512, 7.3), 1512.0])):  # fmt: skip
        events, ledger, out = tmp_path / f"{name}.csv", tmp_path / f"{name}_ledger.csv", tmp_path / f"{name}_out.csv"
        pl.DataFrame({"ID": [1.0] * len(times) + [2.0] * len(times), "TIME": [*times, *times]}).write_csv(events)
        line = ("patients", "simulate", events, "--model", files[0], "--titration", files[1], "--out", out, "--ledger", ledger)
        done = command(*line, "--quiet")
        assert done.exit_code == 0, done.stderr
        ledgers.append(ledger.read_bytes())
        counts.append(pl.read_csv(out)["PLATELET"][-1])
    assert len(set(ledgers)) == 1
    assert max(counts) == min(counts)
