"""The likelihood against scipy's distributions, gradients against differences, errors that say which row."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from thrombokit import petab_llh
from thrombokit.errors import SimulationError
from thrombokit.io.petab import read_petab
from thrombokit.signalling.gradients import checked_gradient
from thrombokit.signalling.likelihood import TIGHT, PetabLikelihood
from thrombokit.signalling.noise_models import log_densities

Petab = Callable[..., Path]
positive = st.floats(0.05, 50.0)
TRANSFORMATIONS, DISTRIBUTIONS = ("lin", "log", "log10"), ("normal", "laplace")


def reference(measured: float, simulated: float, width: float, transformation: str, distribution: str) -> float:
    density = {"normal": stats.norm, "laplace": stats.laplace}[distribution]
    if transformation == "lin":
        return float(density.logpdf(measured, simulated, width))
    base = {"log": math.e, "log10": 10.0}[transformation]
    scaled = density.logpdf(math.log(measured, base), math.log(simulated, base), width)
    return float(scaled) - math.log(measured * math.log(base))


@pytest.mark.parametrize("transformation", TRANSFORMATIONS)
@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
@given(measured=positive, simulated=positive, width=st.floats(0.2, 5.0))
def test_densities_are_those_of_scipy_and_slopes_their_differences(
    transformation: str, distribution: str, measured: float, simulated: float, width: float
) -> None:
    def value(y: float, w: float) -> float:
        one = np.array([y]), np.array([w])
        return float(
            log_densities(np.array([measured]), *one, transformation=transformation, distribution=distribution).log_density[0]
        )

    found = log_densities(
        np.array([measured]), np.array([simulated]), np.array([width]), transformation=transformation, distribution=distribution
    )
    assert found.log_density[0] == pytest.approx(
        reference(measured, simulated, width, transformation, distribution), rel=1e-9, abs=1e-9
    )
    h = 1e-6
    if distribution == "normal" or abs(math.log(measured / simulated)) > 1e-3:  # Laplace has a corner
        slope = (value(simulated + h * simulated, width) - value(simulated - h * simulated, width)) / (2 * h * simulated)
        assert found.slope_value[0] == pytest.approx(slope, rel=1e-3, abs=1e-3)
    slope = (value(simulated, width * (1 + h)) - value(simulated, width * (1 - h))) / (2 * h * width)
    assert found.slope_width[0] == pytest.approx(slope, rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("transformation", TRANSFORMATIONS)
@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_fisher_information_is_the_variance_of_the_slope(transformation: str, distribution: str) -> None:
    rng = np.random.default_rng(4)
    noise = rng.standard_normal(200_000) if distribution == "normal" else rng.laplace(size=200_000)
    simulated, width = 3.0, 0.2
    base = {"lin": None, "log": math.e, "log10": 10.0}[transformation]
    measured = simulated + width * noise if base is None else base ** (math.log(simulated, base) + width * noise)
    found = log_densities(measured, np.full(noise.size, simulated), np.full(noise.size, width),
                          transformation=transformation, distribution=distribution)  # fmt: skip
    assert np.var(found.slope_value) == pytest.approx(found.information_value[0], rel=0.03)
    assert np.var(found.slope_width) == pytest.approx(found.information_width[0], rel=0.03)


def decay(petab: Petab, **more: object) -> Path:
    times = [0, 1, 2, 4]
    return petab(
        parameters=[
            {"parameterId": "A0", "nominalValue": 4, "parameterScale": "log10"},
            {"parameterId": "k", "nominalValue": 0.3, "parameterScale": "log"},
            {"parameterId": "scale", "nominalValue": 2}, {"parameterId": "sd", "nominalValue": 0.2},
        ],
        observables=[
            {"observableId": "y", "observableFormula": "scale*A + 0.5", "noiseFormula": "sd + 0.1*y", **more},
            {"observableId": "z", "observableFormula": "A^2", "noiseFormula": "noiseParameter1_z"},
        ],
        measurements=[{"observableId": id, "time": t, "measurement": 2 + t, "noiseParameters": "sd" if id == "z" else ""}
                      for id in "yz" for t in times],
    )  # fmt: skip


@pytest.mark.parametrize(("transformation", "distribution"), [("lin", "normal"), ("log10", "laplace"), ("log", "normal")])
def test_the_whole_likelihood(petab: Petab, transformation: str, distribution: str) -> None:
    path = decay(petab, observableTransformation=transformation, noiseDistribution=distribution)
    total = 0.0
    for t in (0, 1, 2, 4):
        a = 4 * math.exp(-0.3 * t)
        y = 2 * a + 0.5
        total += reference(2 + t, y, 0.2 + 0.1 * y, transformation, distribution) + reference(2 + t, a * a, 0.2, "lin", "normal")
    assert petab_llh(path) == pytest.approx(total, abs=1e-5)


def test_the_gradient_and_its_error(petab: Petab) -> None:
    problem = read_petab(decay(petab, observableTransformation="log10"))
    likelihood = PetabLikelihood(problem, tolerances=TIGHT)
    point = problem.space.nominal + np.array([0.05, -0.1, 0.3, 0.1])
    found = checked_gradient(likelihood, point)
    assert found.value == pytest.approx(likelihood.value(point), abs=1e-9)
    for at in range(4):
        step = np.where(np.arange(4) == at, 1e-4, 0.0)
        slope = (likelihood.value(point + step) - likelihood.value(point - step)) / 2e-4
        assert found.gradient[at] == pytest.approx(slope, rel=1e-4, abs=1e-4)
    assert (found.error <= 1e-3 * (1 + np.abs(found.gradient))).all()


def test_a_row_without_likelihood_is_named(petab: Petab) -> None:
    path = petab(
        parameters=[{"parameterId": "sd", "nominalValue": -1}],
        observables=[{"observableId": "y", "observableFormula": "A - 3", "noiseFormula": 1, "observableTransformation": "log"},
                     {"observableId": "z", "observableFormula": "A", "noiseFormula": "sd"}],
        measurements=[{"observableId": "y", "time": 0}, {"observableId": "z", "time": 0}],
    )  # fmt: skip
    with pytest.raises(SimulationError) as caught:
        petab_llh(path)
    said = str(caught.value)
    assert "measurements.tsv, row 2: y is simulated as 0 with noise of width 1 (transformation log)" in said
    assert "measurements.tsv, row 3: z is simulated as 3 with noise of width -1" in said
    assert "a width must be positive" in said


def test_an_exploding_model_says_where(petab: Petab) -> None:
    path = petab(
        model="compartment c=1; species A in c; A = 1; G: -> A; k*A*A; k = 1", parameters=[{"parameterId": "k", "nominalValue": 1}],
        observables=[{"observableId": "y", "observableFormula": "A"}], measurements=[{"observableId": "y", "time": 5}],
    )  # fmt: skip
    with pytest.raises(SimulationError, match=r"measurements.tsv, row 2: .*solver stopped"):
        petab_llh(path)


def test_the_gradient_by_way_of_pre_equilibration_and_steady_state(petab: Petab) -> None:
    """A settles at s/k: from 2/k it goes to 6/k as 6/k - 4/k exp(-k t)."""
    path = petab(
        model="compartment c=2; species A in c; A = 7; I: -> A; c*s; J: A -> ; c*k*A; s = 1; k = 0.5",
        parameters=[{"parameterId": "k", "nominalValue": 0.4, "parameterScale": "log"}],
        conditions=[{"conditionId": "pre", "s": 2}, {"conditionId": "c0", "s": 6}],
        observables=[{"observableId": "y", "observableFormula": "A"}],
        measurements=[{"observableId": "y", "time": t, "preequilibrationConditionId": "pre", "measurement": 9} for t in (0, 2, "inf")],
    )  # fmt: skip
    problem = read_petab(path)
    found = checked_gradient(PetabLikelihood(problem, tolerances=TIGHT), problem.space.nominal)
    k, fade = 0.4, math.exp(-0.8)
    values = np.array([2, 6 - 4 * fade, 6]) / k
    slopes = -values + np.array([0, 8 * fade, 0])
    assert found.gradient[0] == pytest.approx(float(((9 - values) * slopes).sum()), rel=1e-5)
    assert found.error[0] < 1e-3
