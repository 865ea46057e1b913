"""The titration rules that ship: each line says whether it was read or assumed, and they do what the labels say."""

from __future__ import annotations

import numpy as np
import pytest

from thrombokit.agonists.library import model_path, rule_path, shipped_rules
from thrombokit.agonists.load import load_agonist, shipped_agonists
from thrombokit.io.patient_models import load_model
from thrombokit.io.titrations import load_titration
from thrombokit.patients.titration import Signal
from thrombokit.patients.titration_program import titration_program
from thrombokit.patients.titration_state import decide, next_dose_h, next_visit_h, start_state, state_size, take_dose

WEEK_H = 168.0


def _doses(rule: str, counts: list[float]) -> list[float]:
    """The dose in force (0 while held) after each weekly count, from week 1 on."""
    program = titration_program(load_titration(rule_path(rule)))
    state, decision = np.zeros(state_size(program)), np.zeros(6)
    start_state(program, state)
    taken: list[float] = []
    for week, count in enumerate(counts, start=1):
        while next_dose_h(state) < week * WEEK_H:
            take_dose(program, state)
        while next_visit_h(state) <= week * WEEK_H:
            decide(program, state, next_visit_h(state), count, decision)
        taken.append(float(decision[1]))
    return taken


@pytest.mark.parametrize("name", shipped_rules())
def test_every_line_says_read_or_assumed(name: str) -> None:
    titration = load_titration(rule_path(name))
    assert titration.observed_with is Signal.RESIDUAL
    assert titration.never_reached == ()
    said = dict(titration.tier)
    assert len(said["rules"]) == len(titration.rules)
    for key in ("levels", "start", "observed_with", "then_every_h", "rules"):
        for sentence in said[key]:
            assert sentence.startswith(("read: ", "assumed: ")), (name, key, sentence)
    assert ("change_at_most_every_h" in said) == (titration.change_at_most_every_h > 0.0)


def test_rules_fit_the_models_they_go_with() -> None:
    for agonist in map(load_agonist, shipped_agonists()):
        for model in agonist.models:
            known = load_model(model_path(model.file))
            for rule in model.rules:
                titration = load_titration(rule_path(rule))
                assert titration.dose_compartment in known.compartments
                assert titration.signal in known.output


def test_eltrombopag_us_steps_every_two_weeks() -> None:
    assert _doses("eltrombopag-us", [20, 20, 20, 20, 20]) == [50, 75, 75, 75, 75]
    assert _doses("eltrombopag-us", [20, 250, 250, 250]) == [50, 25, 25, 12.5]
    assert _doses("eltrombopag-us", [450, 200, 149]) == [0, 0, 25]


def test_eltrombopag_us_stops_after_four_weeks_at_the_top() -> None:
    doses = _doses("eltrombopag-us", [20] * 8)
    assert doses[1] == 75
    assert doses[-1] == 0


def test_eltrombopag_china_starts_low() -> None:
    assert _doses("eltrombopag-china", [20, 20, 20, 20]) == [25, 50, 50, 75]
    assert _doses("eltrombopag-china", [20, 20, 260, 120, 99]) == [25, 50, 0, 0, 25]


def test_romiplostim_label_steps_weekly() -> None:
    assert _doses("romiplostim-label", [20, 20, 60, 250, 250, 60]) == [2, 3, 3, 3, 2, 2]
    assert _doses("romiplostim-label", [20, 20, 450, 250, 199]) == [2, 3, 0, 0, 2]


def test_romiplostim_study_waits_for_two_weeks_and_steps_by_two() -> None:
    assert _doses("romiplostim-study", [20, 20, 60, 300, 300]) == [1, 3, 3, 3, 2]
    assert _doses("romiplostim-study", [300, 300, 100, 50, 60]) == [1, 0, 0, 1, 1]


@pytest.mark.parametrize(("down", "hold", "resume"), [(150, 250, 100), (250, 400, 150)])
def test_hetrombopag_thresholds(down: int, hold: int, resume: int) -> None:
    rule = f"hetrombopag-{down}-{hold}"
    assert _doses(rule, [20, 20, 20, 20, 20, 20]) == [2.5, 3.75, 3.75, 5, 5, 7.5]
    assert _doses(rule, [20, 20, 20, down + 1, down + 1]) == [2.5, 3.75, 3.75, 2.5, 2.5]
    assert _doses(rule, [20, 20, hold + 1, resume, resume - 1]) == [2.5, 3.75, 0, 0, 2.5]
