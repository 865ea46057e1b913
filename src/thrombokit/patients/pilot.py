"""How finely an adaptive engine has to step for the counts of a model under a regimen to keep within its stated error.

The error of a count is not that of a step: what each step leaves adds up over the life of what was driven in, and a removal that saturates
makes it larger still. Over the shipped models the ratio of the two goes from one thousandth to forty. So a few virtual patients are run
for some weeks beforehand, as closely as can be and then with coarser steps, and the coarsest that does is taken.

The pilot has its own patients: nothing about it depends on the seed, the number of patients, the weeks or the times of output of the run
that it serves.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from thrombokit.errors import SimulationError
from thrombokit.numerics.adaptive_ode import ode_tolerances
from thrombokit.patients.cohort import Cohort
from thrombokit.patients.cohort_setup import STATED_ERRORS, CohortJob, cohort_job
from thrombokit.patients.cohort_task import CohortPart, simulate_range
from thrombokit.patients.fixed_dose import FixedDose
from thrombokit.patients.model import PatientModel
from thrombokit.patients.ode_engine import ABSOLUTE_SHARE
from thrombokit.patients.titration import Titration

PILOT_PATIENTS, PILOT_WEEKS, PILOT_SEED = 12, 8, 20_260_101
REFERENCE = 1e-9
"""Tolerance of the run that others are held against."""
FIRST_TRIED = 2e-6
COARSEST, FINEST = 5e-6, 1e-8
_ROUND = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)
MARGIN = 2.5
"""The largest error over the pilot is kept below the stated one by this factor; among hundreds of patients some err more than any of twelve."""


def piloted_job(
    model: PatientModel, regimen: Titration | FixedDose, cohort: Cohort, *, seed: int, weeks: int, outputs_h: Sequence[float] = (),
    prefer: str | None = None,
) -> CohortJob:  # fmt: skip
    """`cohort_job`, with the tolerance that this model needs where the engine is an adaptive one.

    Where a patient of the pilot cannot be drawn or run, the tolerance stays as it is: whatever is wrong is said of the patients asked for.

    Raises
    ------
    SpecError
        As `cohort_job`.
    """
    job = cohort_job(model, regimen, cohort, seed=seed, weeks=weeks, outputs_h=outputs_h, prefer=prefer)
    if job.engine == "quadrature":
        return job
    pilot = cohort_job(model, regimen, replace(cohort, n=PILOT_PATIENTS), seed=PILOT_SEED, weeks=PILOT_WEEKS, prefer=job.engine)
    try:
        return _at(job, _tolerance(pilot))
    except SimulationError:
        return job


def _tolerance(pilot: CohortJob) -> float:
    """The coarsest tolerance that keeps the pilot's error; the error falls about in proportion to the tolerance."""
    truth, allowed = _run(pilot, REFERENCE), STATED_ERRORS[pilot.engine] / MARGIN
    error = _error(_run(pilot, FIRST_TRIED), truth)
    tolerance = _round_down(min(FIRST_TRIED * allowed / error if error > 0.0 else COARSEST, COARSEST))
    while tolerance > FINEST and not _error(_run(pilot, tolerance), truth) <= allowed:
        tolerance = _round_down(0.8 * tolerance)
    return max(tolerance, FINEST)


def _round_down(tolerance: float) -> float:
    """The next of a few round numbers, not above."""
    if not tolerance > FINEST:
        return FINEST
    power = 10.0 ** math.floor(math.log10(tolerance) + 1e-9)
    return float(f"{max(step * power for step in _ROUND if step * power <= tolerance * (1.0 + 1e-9)):.2g}")


def _at(job: CohortJob, relative: float) -> CohortJob:
    tolerances = ode_tolerances(relative=relative, absolute_share=ABSOLUTE_SHARE)
    return replace(job, plan=job.plan._replace(tolerances=tolerances))


def _run(pilot: CohortJob, relative: float) -> CohortPart:
    return simulate_range(_at(pilot, relative), 0, PILOT_PATIENTS)


def _error(part: CohortPart, truth: CohortPart) -> float:
    """Largest relative error of a weekly count; without bound where a dose is another one."""
    if not np.array_equal(part.doses, truth.doses):
        return math.inf
    return float(np.max(np.abs(part.counts - truth.counts) / np.maximum(np.abs(truth.counts), 1e-300)))
