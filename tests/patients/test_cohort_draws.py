"""Who virtual patients are: the same whoever else is drawn, as many of each kind as the model says, drawn anew until they fit."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr

from thrombokit.errors import SimulationError, SpecError
from thrombokit.io.patient_models import parse_model
from thrombokit.numerics.streams import stream
from thrombokit.patients.cohort import Adherence, Cohort, Counted, DropOut, Inclusion
from thrombokit.patients.cohort_draws import DrawnPatients, Population, draw_patients
from thrombokit.patients.cohort_setup import cohort_job
from thrombokit.patients.covariates import LogNormal, Share, Values, covariate_values, usual_covariate
from thrombokit.patients.fixed_dose import FixedDose
from thrombokit.patients.fluctuation import Fluctuation

MODEL = """
schema = "thrombokit-model/1"
units = {time = "h", amount = "mg", concentration = "mg/L"}
compartments = ["drug", "platelets"]
[theta]
BASE = 40.0
[record]
KE = "0.1*(WT/70)^0.75*exp(ETA_KE)"
START = "BASE*exp(ETA_BASE)"
KIN = "START*0.01*if(KIND == 1, 1, 1)"
[flow]
"drug->out" = "KE"
"platelets->out" = "0.01"
[ode]
platelets = "KIN*(1 + drug)"
[initial]
platelets = "START"
[random]
omega = [
  {names = ["ETA_KE", "ETA_BASE"], matrix = [[0.25, 0.15], [0.15, 0.36]]},
]
mixture = [{name = "KIND", shares = [0.6, 0.3, 0.1], labels = ["a", "b", "c"]}]
[residual]
PLATELET = {proportional_sd = 0.1}
[output]
PLATELET = "platelets"
"""


def population(cohort: Cohort, text: str = MODEL) -> Population:
    return cohort_job(parse_model(text, file="m.toml"), FixedDose(amount=1.0), cohort, seed=1, weeks=1).population


def drawn(cohort: Cohort, start: int = 0, stop: int | None = None, seed: int = 1) -> DrawnPatients:
    return draw_patients(population(cohort), seed=seed, start=start, stop=stop or cohort.n)


def test_a_patient_is_the_same_in_any_range() -> None:
    """Drawn alone, in the middle of many, or in another cohort: byte for byte, redraws included."""
    cohort = Cohort(n=60, inclusion=Inclusion(when="< 30"))
    whole = drawn(cohort)
    assert whole.draws.max() > 4, "some patients must need more draws than are made ready at once"
    for start, stop in ((0, 7), (7, 8), (8, 60)):
        part = drawn(cohort, start, stop)
        for name in ("inputs", "record", "initial", "baseline", "draws"):
            assert (getattr(part, name) == getattr(whole, name)[start:stop]).all(), name
    assert (drawn(Cohort(n=10, inclusion=Inclusion(when="< 30"))).inputs == whole.inputs[:10]).all()
    assert (drawn(cohort, seed=2).inputs != whole.inputs).any()


def test_effects_classes_and_covariates_have_the_laws_of_the_model() -> None:
    """4,000 patients: variances, correlation, shares, weights, each within Monte-Carlo error."""
    people = population(Cohort(n=4000, inclusion=None))
    patients = draw_patients(people, seed=1, start=0, stop=4000)
    at = people.compiled.input_index
    effects = patients.inputs[:, [at("ETA_KE"), at("ETA_BASE")]]
    assert np.cov(effects.T) == pytest.approx(np.array([[0.25, 0.15], [0.15, 0.36]]), abs=0.03)
    assert np.abs(effects.mean(axis=0)).max() < 0.03
    shares = np.bincount(patients.inputs[:, at("KIND")].astype(int), minlength=4)[1:] / 4000
    assert shares == pytest.approx([0.6, 0.3, 0.1], abs=0.025)
    weights = patients.inputs[:, at("WT")]
    assert weights.min() >= 40.0
    assert weights.max() <= 130.0
    assert np.median(weights) == pytest.approx(70.0, rel=0.02)
    assert (patients.draws == 1).all()


def test_the_streams_are_those_of_event_tables() -> None:
    """Random effects and classes of patient 7 are those of an individual with ID 7."""
    people = population(Cohort(n=7, inclusion=None))
    seventh, at = draw_patients(people, seed=5, start=6, stop=7).inputs[0], people.compiled.input_index
    normals = stream(5, "patients", "7", "etas").standard_normal(2)
    assert seventh[at("ETA_KE")] == pytest.approx(0.5 * normals[0], rel=1e-14)
    uniform = stream(5, "patients", "7", "classes").random()
    assert seventh[at("KIND")] == 1 + (uniform >= 0.6) + (uniform >= 0.9)


def test_inclusion_is_the_truncated_law_and_nothing_piles_up() -> None:
    """Counts below 30 by redraw follow the log-normal cut at 30: no count at the edge, distribution within 3 Monte-Carlo errors."""
    patients = drawn(Cohort(n=3000, inclusion=Inclusion(when="< 30")))
    counts = np.sort(patients.baseline)
    assert counts[-1] < 30.0
    z = np.log(counts / 40.0) / 0.6
    expected = ndtr(z) / ndtr(math.log(30.0 / 40.0) / 0.6)
    distance = np.abs(expected - (np.arange(3000) + 0.5) / 3000).max()
    assert distance < 1.95 / math.sqrt(3000)
    assert patients.draws.mean() == pytest.approx(1.0 / ndtr(math.log(30.0 / 40.0) / 0.6), rel=0.06)


def test_inclusion_by_a_measured_count_lets_true_counts_above_in() -> None:
    """With fluctuation, some of those who read below 30 are above it in truth, as at a real screening."""
    cohort = Cohort(
        n=400,
        inclusion=Inclusion(when="< 30", counted=Counted.MEASURED),
        fluctuation=Fluctuation(log_sd=0.3, correlation_time_d=6.0),
    )
    patients = drawn(cohort)
    assert (patients.baseline > 30.0).sum() > 20
    read = patients.baseline * np.exp(0.3 * patients.screening[:, 0]) * (1.0 + 0.1 * patients.screening[:, 1])
    assert (read < 30.0).all()


def test_a_criterion_that_nobody_meets_ends_the_run() -> None:
    """The message names the patient, the criterion, what was seen, and the cure."""
    with pytest.raises(SimulationError) as caught:
        drawn(Cohort(n=3, inclusion=Inclusion(when="< 0.01", most_draws=9)))
    assert "patient 1: none of 9 draws from m.toml had PLATELET < 0.01 before treatment" in str(caught.value)
    assert "allow more draws (most_draws)" in str(caught.value)


def test_usual_criterion_and_covariates() -> None:
    """ITP means below 30e9/L; others everybody; columns are as usual for the population, or as given, or asked for."""
    assert Cohort(n=1).criterion == Inclusion(when="< 30")
    assert Cohort(n=1, population="healthy").criterion is None
    assert Cohort(n=1, inclusion=None).criterion is None
    assert usual_covariate("itp", "female") == Share(share=0.71)
    assert usual_covariate("healthy", "FEMALE") == 0.0
    given = draw_patients(population(Cohort(n=5, inclusion=None, covariates={"wt": 90.0})), seed=1, start=0, stop=5)
    assert (given.inputs[:, -1] == 90.0).all()
    with pytest.raises(SpecError) as caught:
        population(Cohort(n=1), MODEL.replace("WT/70", "GFR/90"))
    assert 'm.toml, data columns: found "GFR", which has no usual value' in str(caught.value)
    assert "Give it: covariates = {GFR = ...}." in str(caught.value)


@given(st.floats(0.0, 1.0, exclude_max=True))
def test_covariates_from_uniform_draws(uniform: float) -> None:
    """Every kind stays in its range for any draw."""
    one = np.array([uniform])
    assert covariate_values(Share(share=0.3), one)[0] == float(uniform < 0.3)
    assert 40.0 <= covariate_values(LogNormal(median=70.0, log_sd=0.5, low=40.0, high=100.0), one)[0] <= 100.0
    assert covariate_values(LogNormal(median=70.0, log_sd=0.0), one)[0] == 70.0
    assert covariate_values(Values(of=(1.0, 2.0), shares=(0.25, 0.75)), one)[0] == (1.0 if uniform < 0.25 else 2.0)
    assert covariate_values(5.0, one)[0] == 5.0


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Cohort(n=0), "cohort, n: found 0; expected 1 patient or more"),
        (lambda: Inclusion(when="below 30"), "cohort, inclusion, when"),
        (lambda: DropOut(hazard_per_d=-1.0), "cohort, drop_out, hazard_per_d: found -1"),
        (lambda: Adherence(missed_share=1.0), "cohort, adherence, missed_share: found 1"),
        (lambda: Adherence(missed_share=0.8, run_doses=2.0), "cohort, adherence, run_doses: found 2; expected 4 or more"),
        (lambda: Share(share=1.5), "covariate, share: found 1.5; expected a number from 0 to 1"),
        (lambda: LogNormal(median=-1.0, log_sd=0.1), "covariate, median: found -1; expected a finite number above 0"),
        (lambda: Values(of=(1.0,), shares=(0.5,)), "covariate, shares: found 0.5; expected 1 numbers, 0 or more, that sum to 1"),
        (lambda: FixedDose(amount=-5.0, every_h=0.0), "fixed dose, every_h: found 0"),
    ],
)
def test_values_out_of_range_are_refused(make: object, said: str) -> None:
    """With place, what was found and what was expected."""
    with pytest.raises(SpecError) as caught:
        make()  # type: ignore[operator]
    assert said in str(caught.value)
