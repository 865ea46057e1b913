"""Fits and profiles: closed forms, honesty about open sides, the same numbers on any number of processes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from thrombokit.errors import SimulationError
from thrombokit.io.petab import read_petab
from thrombokit.numerics.arrays import frozen
from thrombokit.numerics.outcome import Outcome
from thrombokit.scale.engine import make_engine
from thrombokit.signalling.calibrate import fit_petab
from thrombokit.signalling.petab_problem import PetabProblem
from thrombokit.signalling.profiles import profile_petab

Petab = Callable[..., Path]
MEASURED = np.array([4.1, 5.3, 4.6, 5.2, 4.9, 5.5])
BEST = -138.22198
"""Log-likelihood of the best fit known of Boehm 2014 (doi:10.1021/pr5006923), bounds of the collection."""


def boehm(reference_data: Path) -> PetabProblem:
    name = "Boehm_JProteomeRes2014"
    return read_petab(reference_data / "models/petab_benchmark" / name / f"{name}.yaml")


def constant_level(petab: Petab, noise: str) -> PetabProblem:
    """Measurements of one level that never changes; a rate that moves nothing; the width of the noise."""
    path = petab(
        model="compartment c=1; species A in c; A = level; J: A -> ; 0*idle*A; level = 1; idle = 1",
        parameters=[
            {"parameterId": "level", "nominalValue": 2}, {"parameterId": "idle", "nominalValue": 1, "parameterScale": "log10"},
            {"parameterId": "sd", "nominalValue": 0.4, "parameterScale": "log", "estimate": int(noise == "sd")},
        ],
        observables=[{"observableId": "y", "observableFormula": "A", "noiseFormula": noise}],
        measurements=[{"observableId": "y", "time": t, "measurement": m} for t, m in enumerate(MEASURED)],
    )  # fmt: skip
    return read_petab(path)


def test_mean_and_standard_deviation(petab: Petab) -> None:
    found = fit_petab(constant_level(petab, "sd"), starts=3, seed=2)
    estimates = {one.id: one.estimate for one in found.parameters}
    assert estimates["level"] == pytest.approx(MEASURED.mean(), rel=1e-5)
    assert estimates["sd"] == pytest.approx(MEASURED.std(), rel=1e-4)
    assert found.n_near_best == 3
    assert found.outcome is Outcome.CONVERGED
    assert "3 of 3 searches ended within 0.1" in found.summary()
    assert found.table().columns[:2] == ["parameter", "name"]


def test_a_profile_interval_is_that_of_a_normal_mean_and_what_nothing_limits_is_open(petab: Petab) -> None:
    problem = constant_level(petab, "0.4")
    found = profile_petab(problem, fit_petab(problem, starts=2, seed=2))
    level, idle = found.fit.parameters
    half = 1.959964 * 0.4 / np.sqrt(MEASURED.size)
    assert level.low is not None
    assert level.high is not None
    assert (level.low, level.high) == pytest.approx((MEASURED.mean() - half, MEASURED.mean() + half), rel=2e-3)
    assert (idle.low, idle.high) == (None, None)
    assert idle.low_end == "open: the bound 0.001 is reached first"
    assert "Not determined on one side or both: idle." in found.summary()
    assert found.better == ""


def test_a_profile_that_climbs_tells(petab: Petab) -> None:
    problem = constant_level(petab, "0.4")
    fit = fit_petab(problem, starts=1, seed=2)
    point = frozen([fit.point[0] + 0.3, fit.point[1]])
    below = replace(fit, point=point, log_likelihood=fit.log_likelihood - 0.5 * (0.3 / 0.4) ** 2 * MEASURED.size)
    found = profile_petab(problem, below, parameters=["level"])
    assert "The profile of level met a better fit" in found.summary()


def test_a_start_is_the_same_whatever_the_number_of_starts(petab: Petab) -> None:
    problem = constant_level(petab, "sd")
    few, many = (fit_petab(problem, starts=n, seed=5) for n in (2, 4))
    for a, b in zip(few.searches, many.searches, strict=False):
        np.testing.assert_array_equal(a.point, b.point)
    other = fit_petab(problem, starts=2, seed=6)
    assert (other.searches[0].start != few.searches[0].start).any()


def test_no_start_that_can_be_simulated(petab: Petab) -> None:
    path = petab(
        model="compartment c=1; species A in c; A = 1; G: -> A; k*A*A; k = 1", parameters=[{"parameterId": "k", "nominalValue": 1, "lowerBound": 1}],
        observables=[{"observableId": "y", "observableFormula": "A"}], measurements=[{"observableId": "y", "time": 5}],
    )  # fmt: skip
    with pytest.raises(SimulationError, match="none of 1 starts could be simulated"):
        fit_petab(read_petab(path), starts=1)


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 2])
def test_boehm_is_found_again_from_random_starts(reference_data: Path, seed: int, print_figure: Callable[[str], None]) -> None:
    began = time.process_time()
    found = fit_petab(boehm(reference_data), starts=20, seed=seed)
    seconds = time.process_time() - began
    print_figure(f"Boehm 2014, seed {seed}: {found.n_near_best} of 20 searches within 0.1 of the best (bar 8), {seconds:.0f} CPU s")
    assert found.log_likelihood == pytest.approx(BEST, abs=0.001)
    assert found.n_near_best >= 8


@pytest.mark.long
def test_profiles_of_boehm_and_the_same_bytes_from_two_processes(reference_data: Path, print_figure: Callable[[str], None]) -> None:
    problem = boehm(reference_data)
    fit = fit_petab(problem, starts=4, seed=1)
    assert [s.point.tobytes() for s in fit_petab(problem, starts=4, seed=1, engine=make_engine(2)).searches] == [
        s.point.tobytes() for s in fit.searches
    ]
    began = time.process_time()
    found = profile_petab(problem, fit)
    print_figure(f"Boehm 2014: all 9 profiles in {time.process_time() - began:.0f} CPU s on one core (bar 120 s)")
    open_sides = {
        one.id: (one.low is None, one.high is None) for one in found.fit.parameters if one.low is None or one.high is None
    }
    assert open_sides == {"k_exp_hetero": (True, False), "k_imp_homo": (False, True)}
    again = profile_petab(problem, fit, parameters=["k_phos", "sd_pSTAT5A_rel"], engine=make_engine(2))
    ours = found.profiles_table().filter(found.profiles_table()["parameter"].is_in(["k_phos", "sd_pSTAT5A_rel"]))
    assert again.profiles_table().equals(ours)
