"""Regimens in words: what is understood, what table it gives, and what each wrong line is told."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import thrombokit as tk
from thrombokit.errors import InputError
from thrombokit.io.patient_models import parse_model
from thrombokit.io.regimens import load_regimen
from thrombokit.patients.model import PatientModel
from thrombokit.patients.regimen import DoseLine, parse_dose_line, regimen_events
from thrombokit.patients.simulate_events import simulate_events
from thrombokit.quantities import dose_in, time_h

Command = Callable[..., Any]
FILE = """
schema = "thrombokit-regimen/1"
title = "a start and a higher dose"
regimen = [
  "2.5 mg once daily fasted from day 0 until day 6",
  {dose = "5 mg", every = "24 h", from = "day 7", until = "day 13", food = "fed"},
]
read = {every = "1 day", until = "day 20"}
[patient]
WT = 70
"""


WRONG = """schema = "thrombokit-regimen/2"
regimens = 1
regimen = [
  "whatever",
  {dose = "5 mL", evry = "24 h"},
  {dose = "5 mg", every = "24 h", from = "day 3", until = "day 1"},
  {dose = "5 mg", food = "breakfast"},
  7,
]
read = {every = "0 h", until = "day 1"}
[patient]
WT = "heavy"
"""


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("2.5 mg once daily fasted from day 0 until day 27",
         DoseLine(amount=2.5, unit="mg", every_h=24.0, until_h=648.0, fed=False)),
        ("50 mg once daily", DoseLine(amount=50.0, unit="mg", every_h=24.0)),
        ("75 mg twice daily with food from week 2 for 3 days",
         DoseLine(amount=75.0, unit="mg", every_h=12.0, from_h=336.0, until_h=336.0 + 72.0 - 12.0, fed=True)),
        ("300 mcg weekly into central", DoseLine(amount=300.0, unit="ug", every_h=168.0, compartment="central")),
        ("1 g once over 30 min from 6 h", DoseLine(amount=1.0, unit="g", from_h=6.0, infusion_h=0.5)),
        ("5 mg every 36 hours", DoseLine(amount=5.0, unit="mg", every_h=36.0)),
        ("5 mg every other day to day 9.", DoseLine(amount=5.0, unit="mg", every_h=48.0, until_h=216.0)),
        ("5 mg", DoseLine(amount=5.0, unit="mg")),
        ("1.5 mcg/kg once weekly", DoseLine(amount=1.5, unit="ug/kg", every_h=168.0)),
    ],
)  # fmt: skip
def test_lines_in_words(text: str, line: DoseLine) -> None:
    assert parse_dose_line(text, place="here") == line


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("take two", ("a regimen such as", "in this order")),
        ("2.5 mL once daily", ('unit "mL"', "g, mg, ug or ng")),
        ("1 IU/kg weekly", ('unit "IU"',)),
        ("2.5 mg once daily for 3 fortnights", ('unit "fortnights"', "min, h, d (day) or week")),
        ("-5 mg once daily", ("a regimen such as",)),
    ],
)
def test_lines_that_are_none(text: str, words: tuple[str, ...]) -> None:
    with pytest.raises(InputError) as caught:
        parse_dose_line(text, place="plan.toml:3")
    assert all(word in str(caught.value) for word in ("plan.toml:3", *words)), str(caught.value)


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    """The regimen file above."""
    path = tmp_path / "plan.toml"
    path.write_text(FILE, encoding="utf-8")
    return path


def test_a_file_becomes_an_event_table(plan: Path, oral: PatientModel) -> None:
    table = regimen_events(load_regimen(plan), oral)
    frame = pl.DataFrame(table.values, schema=list(table.columns))
    doses = frame.filter(pl.col("EVID") == 1)
    assert doses.select("TIME", "AMT", "II", "ADDL", "FED", "WT").rows() == [
        (0.0, 2.5, 24.0, 6.0, 0.0, 70.0),
        (168.0, 5.0, 24.0, 6.0, 1.0, 70.0),
    ]
    assert frame.filter(pl.col("EVID") == 0)["TIME"].to_list() == [24.0 * day for day in range(21)]
    assert frame.filter(pl.col("EVID") == 2).select("TIME", "FED").rows() == [(168.0, 0.0)], (
        "the fasted stretch ends before the fed dose"
    )
    assert frame.filter((pl.col("EVID") == 0) & (pl.col("TIME") >= 168.0))["FED"].to_list() == [1.0] * 14


def test_units_of_the_model_are_met(plan: Path, oral_text: str) -> None:
    other = oral_text.replace('time = "h"', 'time = "d"').replace('amount = "mg"', 'amount = "ug"')
    other = other.replace('CL = "1.1"', 'CL = "24*1.1"').replace('KA = "1.5"', 'KA = "24*1.5"')
    regimen = load_regimen(plan)
    models = parse_model(oral_text, file="h"), parse_model(other, file="d")
    in_hours, in_days = (simulate_events(model, regimen_events(regimen, model)) for model in models)
    np.testing.assert_allclose(in_days.outputs[:, 0], 1000.0 * in_hours.outputs[:, 0], rtol=1e-9)
    np.testing.assert_allclose(in_days.time * 24.0, in_hours.time)
    odd = parse_model(oral_text.replace('amount = "mg"', 'amount = "IU"'), file="odd.toml")
    with pytest.raises(InputError, match=r'odd\.toml, units.amount: found "IU"'):
        regimen_events(regimen, odd)


def test_doses_per_kg_need_a_weight_unless_the_model_counts_so_too(oral_text: str, tmp_path: Path) -> None:
    path = tmp_path / "kg.toml"
    per_kg = parse_model(oral_text.replace('amount = "mg"', 'amount = "ug/kg"'), file="per_kg.toml")
    in_mg = parse_model(oral_text, file="in_mg.toml")
    for text, weight, expected in (("2 mg/kg", "WT = 80", (2000.0, 160.0)), ("160 mg", "WT = 80", (2000.0, 160.0)), ("2 mg/kg", "", (2000.0, None)),
                                   ("160 mg", "", (None, 160.0))):  # fmt: skip
        path.write_text(
            f'schema = "thrombokit-regimen/1"\nregimen = "{text} once"\nread = ["0 h"]\n[patient]\n{weight}\n', encoding="utf-8"
        )
        for model, amount in zip((per_kg, in_mg), expected, strict=True):
            if amount is not None:
                assert regimen_events(load_regimen(path), model).amount[0] == pytest.approx(amount, rel=1e-12)
                continue
            with pytest.raises(
                InputError, match=r"kg\.toml: found a dose in .* and no weight; expected WT in kg under \[patient\]"
            ):
                regimen_events(load_regimen(path), model)


def test_a_dose_after_the_last_time_read_is_left_out_and_the_last_may_be_at_its_end(oral: PatientModel, tmp_path: Path) -> None:
    path = tmp_path / "short.toml"
    path.write_text(
        'schema = "thrombokit-regimen/1"\nregimen = ["5 mg once daily", "1 mg once from day 9"]\nread = ["0 h", "day 2"]\n',
        encoding="utf-8",
    )
    table = regimen_events(load_regimen(path), oral)
    assert table.additional.tolist() == [2, 0, 0]
    assert "FED" not in table.columns


def test_all_faults_of_a_file_with_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(WRONG, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_regimen(path)
    said = str(caught.value)
    expected = ("wrong.toml:1", 'unknown key "regimens"', "wrong.toml:4", '"whatever"', 'unit "mL"', 'unknown key "evry"',
                "an end before the start", '"fed" or "fasted"', "the number 7", "Read less often", '"heavy"')  # fmt: skip
    for words in expected:
        assert words in said, words
    path.write_text('schema = "thrombokit-regimen/1"\n', encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_regimen(path)
    assert "a list of dose lines" in str(caught.value)
    assert "when to read the outputs" in str(caught.value)


def test_the_example_of_the_guide_is_one(tmp_path: Path, oral: PatientModel) -> None:
    guide = Path(__file__).parents[2] / "docs" / "how-to" / "simulate-a-nonmem-data-set.md"
    path = tmp_path / "guide.toml"
    path.write_text(guide.read_text(encoding="utf-8").split("```toml")[1].split("```")[0], encoding="utf-8")
    table = regimen_events(load_regimen(path), oral)
    assert table.amount[table.is_dose].tolist() == [2.5, 5.0]
    assert table.additional[table.is_dose].tolist() == [13, 13]
    assert table.time[-1] == 42 * 24.0


def test_files_tables_and_regimens_run_alike(plan: Path, oral_text: str, tmp_path: Path) -> None:
    model = tmp_path / "oral.toml"
    model.write_text(oral_text, encoding="utf-8")
    by_path = tk.simulate_events(model, plan)
    patient, regimen = tk.load_model(model), tk.load_regimen(plan)
    assert tk.simulate_events(patient, regimen).table().equals(by_path.table())
    table = regimen_events(regimen, patient)
    assert tk.simulate_events(str(model), table).table().equals(by_path.table())
    events = tmp_path / "events.csv"
    pl.DataFrame(table.values, schema=list(table.columns)).write_csv(events)
    assert tk.simulate_events(patient, events).table().equals(by_path.table())


def test_compartments_the_model_lacks(oral: PatientModel, tmp_path: Path) -> None:
    path = tmp_path / "muscle.toml"
    path.write_text('schema = "thrombokit-regimen/1"\nregimen = "5 mg once into muscle"\nread = ["0 h"]\n', encoding="utf-8")
    with pytest.raises(
        InputError, match=r'muscle\.toml: found the compartment "muscle"; expected one of depot, central of oral\.toml'
    ):
        regimen_events(load_regimen(path), oral)


def test_the_command_takes_a_regimen(command: Command, plan: Path, oral_text: str, tmp_path: Path) -> None:
    model, out = tmp_path / "oral.toml", tmp_path / "out.csv"
    model.write_text(oral_text, encoding="utf-8")
    done = command("patients", "simulate", plan, "--model", model, "--out", out)
    assert done.exit_code == 0, done.stderr
    rows = pl.read_csv(out)
    assert rows.height == 24
    assert rows["DEPOT"][0] == 2.5
    first_day = 2.5 / 20 * 1.5 / (1.5 - 0.055) * (math.exp(-0.055 * 24) - math.exp(-1.5 * 24))
    assert rows.filter(pl.col("TIME") == 24.0)["CP"].to_list() == pytest.approx([first_day], rel=1e-9)


def test_quantities_are_exact_and_say_what_is_wrong() -> None:
    assert dose_in("300 mcg", "mg", place="here") == 0.3
    assert dose_in("0.1 mg", "ug", place="here") == 100.0
    assert (time_h("30 min", place="here"), time_h("2 weeks", place="here"), time_h("1.5 d", place="here")) == (0.5, 336.0, 36.0)
    for value, words in (
        ("5", "without a unit"),
        (5, "without a unit"),
        ("", "nothing"),
        ("-1 h", "0 or more"),
        ("1 month", "min, h, d (day) or week"),
    ):
        with pytest.raises(InputError) as caught:
            time_h(value, place="plan.toml:2")
        assert words in str(caught.value)
        assert "plan.toml:2" in str(caught.value)
    with pytest.raises(InputError, match="0 or more"):
        dose_in("-1 mg", "mg", place="here")
    with pytest.raises(InputError, match='unit "IU"'):
        dose_in("1 mg", "IU", place="here")
    with pytest.raises(InputError, match="Multiply by the weight"):
        dose_in("1 mg/kg", "mg", place="here")
