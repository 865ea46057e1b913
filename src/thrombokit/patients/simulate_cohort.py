"""`simulate_cohort`: virtual patients of a model, dosed by a titration or at a fixed dose, week by week."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from thrombokit.numerics.arrays import frozen
from thrombokit.patients.cohort import Cohort
from thrombokit.patients.cohort_result import CohortResult
from thrombokit.patients.cohort_setup import STATED_ERRORS, CohortJob
from thrombokit.patients.cohort_task import CohortPart, simulate_range
from thrombokit.patients.fixed_dose import FixedDose
from thrombokit.patients.ledger import ledger_from_rows
from thrombokit.patients.model import PatientModel
from thrombokit.patients.pilot import piloted_job
from thrombokit.patients.titration import Titration
from thrombokit.scale.engine import Engine, make_engine

PATIENTS_A_RANGE = 50
"""Patients that a process is given at a time; never depends on the number of processes."""


def simulate_cohort(
    model: PatientModel, regimen: Titration | FixedDose, cohort: Cohort, *, seed: int, weeks: int = 52, workers: int = 1,
    engine: Engine | None = None, outputs_h: Sequence[float] = (), prefer: str | None = None,
    progress: Callable[[int], None] | None = None,
) -> CohortResult:  # fmt: skip
    """Draw virtual patients and follow each from day 0.

    Parameters
    ----------
    model : PatientModel
        With an output of platelet counts, 1e9/L, and time in hours.
    regimen : Titration or FixedDose
        A rule that doses on counts, or the same dose whatever they are.
    cohort : Cohort
        Who the patients are, and what happens to them besides the drug.
    seed : int, >= 0
        Patient number k has the same draws for this seed in any cohort, under any regimen: differences between regimens are within patients.
    weeks : int, >= 1
    workers : int
        Processes; the answer does not depend on it.
    engine : Engine, optional
        An engine of `scale.engine`, instead of `workers`.
    outputs_h : sequence of float
        Further times (h, rising) at which the model's outputs are read off; they never change a dose.
    prefer : str, optional
        "exact-pk" or "ode": a slower engine than the structure of the model allows, to check it by.
    progress : callable, optional
        Called with the number of patients finished since the last call.

    Returns
    -------
    CohortResult
        Counts, doses and decisions of each patient; the engine and its stated error.

    Raises
    ------
    SpecError
        What does not go together in model, regimen and cohort, all that can be seen in one pass.
    SimulationError
        If a patient could not be drawn or run to the end; the message names the patient.
    """
    job = piloted_job(model, regimen, cohort, seed=seed, weeks=weeks, outputs_h=outputs_h, prefer=prefer)
    runner = engine or make_engine(workers)
    parts = runner.map_ranges(simulate_range, job, cohort.n, chunk=PATIENTS_A_RANGE, progress=progress)
    return _result(job, regimen, parts)


def _result(job: CohortJob, regimen: Titration | FixedDose, parts: Sequence[CohortPart]) -> CohortResult:
    def joined(name: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        return np.concatenate([getattr(part, name) for part in parts])

    def drawn(name: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        return np.concatenate([getattr(part.drawn, name) for part in parts])

    model, cohort = job.compiled.model, job.cohort
    since, leaves_h = joined("since_rescue_d"), joined("leaves_h")
    weeks_h = np.arange(job.weeks + 1) * 168.0
    exclusion_d = cohort.rescue.exclusion_d if cohort.rescue is not None else 0.0
    slower = sum(part.slower.size for part in parts)
    criterion = cohort.criterion
    return CohortResult(
        model_file=model.file, model_title=model.title or model.file, model_hash=model.hash, regimen=job.rule.title,
        population=cohort.population, criterion=criterion.when if criterion else None, seed=job.seed, engine=job.engine,
        stated_error=STATED_ERRORS[job.engine], amount_unit=model.units.amount, signal=job.rule.signal, counts=frozen(joined("counts")),
        measured=frozen(joined("measured")), doses_mg=frozen(joined("doses")), taken_mg=frozen(joined("taken")),
        rescued=frozen(since <= exclusion_d, np.bool_), rescue_given=frozen(since == 0.0, np.bool_),
        dropped_out=frozen(leaves_h[:, None] <= weeks_h[None, :], np.bool_), ledger=ledger_from_rows(joined("ledger_rows"), job.rule),
        titrated=isinstance(regimen, Titration), baseline=frozen(drawn("baseline")), draws=frozen(drawn("draws"), np.int64),
        remission_d=frozen(joined("remits_h") / 24.0),
        inputs=frozen(drawn("inputs")), input_names=job.compiled.inputs, class_labels={m.name: m.labels for m in model.mixtures},
        outputs=frozen(joined("outputs")), outputs_h=frozen(job.plan.outputs_h), output_names=job.compiled.outputs,
        quadrature_error=float(joined("error").max(initial=0.0)), notes=_notes(job, slower),
    )  # fmt: skip


def _notes(job: CohortJob, slower: int) -> tuple[str, ...]:
    if not slower:
        return ()
    told = f"{slower} of {job.cohort.n} patients by exact-pk"
    return (
        f"The quadrature did not reach its tolerance everywhere: {told}, with an error of at most {STATED_ERRORS['exact-pk']:.0e}.",
    )
