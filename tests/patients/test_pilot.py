"""What the pilot chooses: fine enough for the stated error, coarser where the model forgives it, and the same whoever is simulated."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from thrombokit import load_model, load_titration
from thrombokit.patients.cohort import Cohort
from thrombokit.patients.cohort_setup import STATED_ERRORS, CohortJob, cohort_job
from thrombokit.patients.cohort_task import simulate_range
from thrombokit.patients.exact_pk_engine import exact_pk_tolerances
from thrombokit.patients.fixed_dose import FixedDose
from thrombokit.patients.pilot import piloted_job

MODEL = "hetrombopag-itp-saturable"


def job_for(n: int = 4, seed: int = 1, weeks: int = 3, dose: float = 5.0) -> CohortJob:
    """A cohort of the model whose removal saturates, on a fixed dose."""
    return piloted_job(load_model(MODEL), FixedDose(amount=dose), Cohort(n=n), seed=seed, weeks=weeks)


def test_tolerance_depends_on_nothing_of_the_run_that_it_serves() -> None:
    chosen = job_for().plan.tolerances
    for other in (job_for(n=9), job_for(seed=8), job_for(weeks=1)):
        np.testing.assert_array_equal(other.plan.tolerances, chosen)


def test_what_the_quadrature_takes_has_no_pilot() -> None:
    model, rule = load_model("hetrombopag-itp"), load_titration("hetrombopag-150-250")
    job = piloted_job(model, rule, Cohort(n=2), seed=1, weeks=2)
    assert job.engine == "quadrature"
    np.testing.assert_array_equal(job.plan.tolerances, cohort_job(model, rule, Cohort(n=2), seed=1, weeks=2).plan.tolerances)


@pytest.mark.parametrize(
    ("name", "rule"), [("hetrombopag-itp-saturable", "hetrombopag-150-250"), ("eltrombopag-itp-saturable", "eltrombopag-us")]
)
def test_counts_keep_within_the_stated_error(name: str, rule: str) -> None:
    """Twenty patients whom the pilot has not seen, half a year."""
    model, regimen = load_model(name), load_titration(rule)
    job = piloted_job(model, regimen, Cohort(n=20), seed=5, weeks=26)
    truth = simulate_range(replace(job, plan=job.plan._replace(tolerances=exact_pk_tolerances(1e-11))), 0, 20)
    ours = simulate_range(job, 0, 20)
    same = (ours.doses == truth.doses).all(axis=1)
    assert same.sum() >= 19
    assert np.abs(ours.counts / truth.counts - 1.0)[same].max() <= STATED_ERRORS["exact-pk"]


def test_models_that_forgive_it_take_coarser_steps() -> None:
    """Saturating removal of eltrombopag's model makes errors larger than hetrombopag's does: their tolerances differ by a factor of ten or more."""
    rule = load_titration("eltrombopag-us")
    strict = piloted_job(load_model("eltrombopag-itp-saturable"), rule, Cohort(n=2), seed=1, weeks=2)
    assert job_for().plan.tolerances[0] >= 10.0 * strict.plan.tolerances[0]
