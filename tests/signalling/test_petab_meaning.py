"""What the tables of a PEtab problem mean, against closed forms: overrides, initial values, pre-equilibration, steady state."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from thrombokit.io.petab import read_petab
from thrombokit.signalling.likelihood import PetabLikelihood

Petab = Callable[..., Path]
TURNOVER = "compartment c = 2; species A in c; A = 7; I: -> A; c*s; J: A -> ; c*k*A; s = 1; k = 0.5"


def simulated(path: Path) -> np.ndarray:
    problem = read_petab(path)
    return PetabLikelihood(problem).evaluate(problem.space.all_nominal).simulated


def rows_at(times: list[Any], **more: Any) -> list[dict[str, Any]]:
    return [{"observableId": "y", "time": time, **more} for time in times]


def turnover(a0: float, s: float, k: float, t: float) -> float:
    return s / k + (a0 - s / k) * math.exp(-k * t)


def test_parameters_reach_initial_assignments_and_numbers_are_on_linear_scale(petab: Petab) -> None:
    path = petab(
        parameters=[
            {"parameterId": "A0", "nominalValue": 8, "parameterScale": "log10"},
            {"parameterId": "k", "nominalValue": 0.25, "estimate": 0, "parameterScale": "log"},
        ],
        observables=[{"observableId": "y", "observableFormula": "A"}], measurements=rows_at([0, 2, 5, 2]),
    )  # fmt: skip
    expected = [8 * math.exp(-0.25 * t) for t in (0, 2, 5, 2)]
    np.testing.assert_allclose(simulated(path), expected, rtol=1e-7)


def test_a_parameter_that_an_initial_assignment_gives_follows_or_is_overridden(petab: Petab) -> None:
    model = "compartment c=1; species A in c; A = 2; J: A -> ; k2*A; k1 = 1; k2 = 0.5*k1"
    path = petab(
        model=model, parameters=[{"parameterId": "k1", "nominalValue": 3}],
        conditions=[{"conditionId": "follows"}, {"conditionId": "overridden", "k2": 0.1}],
        observables=[{"observableId": "y", "observableFormula": "A*k2"}],
        measurements=[*rows_at([1], simulationConditionId="follows"), *rows_at([1], simulationConditionId="overridden")],
    )  # fmt: skip
    np.testing.assert_allclose(simulated(path), [1.5 * 2 * math.exp(-1.5), 0.1 * 2 * math.exp(-0.1)], rtol=1e-7)


def test_a_species_is_a_concentration_unless_it_has_only_substance_units(petab: Petab) -> None:
    model = "compartment c=2; species A in c; substanceOnly species D in c; A = 1; D = 1; B := 10*A; species E in c; E = 2*A; p = 1"
    path = petab(
        model=model, parameters=[{"parameterId": "p", "nominalValue": 1}],
        conditions=[{"conditionId": "c0", "A": 5, "D": 6}, {"conditionId": "c1", "A": "p", "D": ""}],
        observables=[{"observableId": id, "observableFormula": f} for id, f in (("a", "A"), ("d", "D"), ("b", "B"), ("e", "E"))],
        measurements=[{"observableId": id, "time": 0, "simulationConditionId": c} for c in ("c0", "c1") for id in "adbe"],
    )  # fmt: skip
    np.testing.assert_allclose(simulated(path), [5, 6, 50, 10, 1, 1, 10, 2], rtol=1e-12)


def test_a_compartment_may_be_set_and_concentrations_stay(petab: Petab) -> None:
    model = "compartment c=2; species A in c; A = 3; species N in c; N = 4/c; v = 1; J: A -> ; v*A"
    path = petab(
        model=model, parameters=[{"parameterId": "v", "nominalValue": 1}],
        conditions=[{"conditionId": "c0", "c": 4}],
        observables=[{"observableId": "y", "observableFormula": "A*c"}, {"observableId": "n", "observableFormula": "N"}],
        measurements=[*rows_at([0, 1]), {"observableId": "n", "time": 0}],
    )  # fmt: skip
    np.testing.assert_allclose(simulated(path), [12, 12 * math.exp(-1 / 4), 1], rtol=1e-7)


def test_pre_equilibration_hands_its_state_on_except_what_the_condition_sets(petab: Petab) -> None:
    path = petab(
        model=TURNOVER, parameters=[{"parameterId": "k", "nominalValue": 0.4}],
        conditions=[{"conditionId": "pre", "s": 2, "A": ""}, {"conditionId": "keep", "s": 6, "A": ""}, {"conditionId": "reset", "s": 6, "A": 1}],
        observables=[{"observableId": "y", "observableFormula": "A"}],
        measurements=[
            *rows_at([0, 3], simulationConditionId="keep", preequilibrationConditionId="pre"),
            *rows_at([0, 3], simulationConditionId="reset", preequilibrationConditionId="pre"),
            *rows_at([0, 3], simulationConditionId="keep"),
        ],
    )  # fmt: skip
    expected = [turnover(a0, 6, 0.4, t) for a0 in (5.0, 1.0, 7.0) for t in (0, 3)]
    np.testing.assert_allclose(simulated(path), expected, rtol=1e-6)


def test_time_inf_is_the_steady_state_also_of_a_stiff_model(petab: Petab) -> None:
    model = f"{TURNOVER}; species F in c, G in c; F = 1; G = 0; R: F -> G; c*(1e6*F - 3e6*G)"
    path = petab(
        model=model, parameters=[{"parameterId": "k", "nominalValue": 1e-3}],
        observables=[{"observableId": "y", "observableFormula": "A"}, {"observableId": "g", "observableFormula": "G"}],
        measurements=[*rows_at(["inf", 2]), {"observableId": "g", "time": "inf"}],
    )  # fmt: skip
    np.testing.assert_allclose(simulated(path), [1000, turnover(7, 1, 1e-3, 2), 0.25], rtol=1e-6)


def test_conditions_that_set_the_same_share_one_run_and_what_an_event_changed_is_put_back(petab: Petab) -> None:
    model = "compartment c=1; species A in c; A = 0; dose = 1; when = 2; hits = 0; var hits; at (time >= when): A = A + dose, hits = hits + 1"
    path = petab(
        model=model, parameters=[{"parameterId": "dose", "nominalValue": 3}, {"parameterId": "late", "nominalValue": 4}],
        conditions=[{"conditionId": "c0", "when": 2}, {"conditionId": "c1", "when": "late"}, {"conditionId": "c2", "when": 2}],
        observables=[{"observableId": "y", "observableFormula": "A + 100*hits"}],
        measurements=[row for c in ("c0", "c1", "c2") for row in rows_at([1, 3, 5], simulationConditionId=c)],
    )  # fmt: skip
    problem = read_petab(path)
    assert len(PetabLikelihood(problem).plan.runs) == 2
    np.testing.assert_allclose(simulated(path), [0, 103, 103, 0, 0, 103, 0, 103, 103], rtol=1e-9)


def test_placeholders_take_numbers_parameters_and_what_conditions_set(petab: Petab) -> None:
    path = petab(
        parameters=[{"parameterId": "scale", "nominalValue": 10}, {"parameterId": "k", "nominalValue": 0.5}],
        conditions=[{"conditionId": "c0", "shift": 1}, {"conditionId": "c1", "shift": "scale"}],
        observables=[{"observableId": "y", "noiseFormula": "noiseParameter1_y + 0.1*y",
                      "observableFormula": "observableParameter1_y*A + observableParameter2_y*time + shift"}],
        measurements=[
            *rows_at([1], observableParameters="scale;2.5", noiseParameters="scale"),
            *rows_at([1], observableParameters="0.5;k", noiseParameters=0.25, simulationConditionId="c1"),
        ],
    )  # fmt: skip
    problem = read_petab(path)
    found = PetabLikelihood(problem).evaluate(problem.space.all_nominal)
    a = 3 * math.exp(-0.5)
    expected = np.array([10 * a + 2.5 + 1, 0.5 * a + 0.5 + 10])
    np.testing.assert_allclose(found.simulated, expected, rtol=1e-7)
    np.testing.assert_allclose(found.width, [10, 0.25] + 0.1 * expected, rtol=1e-7)


def test_what_rises_without_end_has_no_steady_state(petab: Petab) -> None:
    path = petab(
        model="compartment c=1; species A in c; A = 0; I: -> A; s; s = 1", parameters=[{"parameterId": "s", "nominalValue": 1}],
        observables=[{"observableId": "y", "observableFormula": "A"}], measurements=rows_at(["inf"]),
    )  # fmt: skip
    with pytest.raises(Exception, match=r"measurements.tsv, row 2: no steady state; after .* units of time the model still moves"):
        simulated(path)
