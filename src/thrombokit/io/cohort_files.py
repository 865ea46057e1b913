"""Cohorts by name: an agonist, a rule, how many patients; what a person at the command line or in a notebook calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from thrombokit.io.cohort_inputs import DEFAULT_REGIMEN, AgonistLike, RegimenLike, cohort_model, cohort_regimen
from thrombokit.patients import simulate_cohort as runs
from thrombokit.patients.cohort import Cohort
from thrombokit.patients.cohort_result import CohortResult


def simulate_cohort(
    agonist: AgonistLike, regimen: RegimenLike = DEFAULT_REGIMEN, cohort: int | Cohort = 1000, *, seed: int, weeks: int = 52,
    workers: int = 1, outputs_h: Sequence[float] = (), progress: Callable[[int], None] | None = None,
) -> CohortResult:  # fmt: skip
    """Virtual patients on an agonist, dosed by a rule or at a fixed dose, week by week.

    Parameters
    ----------
    agonist : Agonist, PatientModel, name or path
        "hetrombopag" (the model of record of the cohort's population), a shipped model such as "eltrombopag-itp-emax", or an agonist or
        model file of your own.
    regimen : str, path, Titration or FixedDose
        "default": the agonist's own rule; a shipped rule such as "romiplostim-label"; a titration file; a dose in words such as
        "50 mg once daily"; or "placebo".
    cohort : int or Cohort
        How many patients with ITP and a count below 30e9/L before treatment, or a cohort as you describe it.
    seed : int, >= 0
        The same seed gives the same patients under any regimen.
    weeks : int
    workers : int
        Processes; the answer does not depend on it.
    outputs_h : sequence of float
        Further times (h) at which the model's outputs are read off; they never change a dose.
    progress : callable, optional
        Called with the number of patients finished since the last call.

    Returns
    -------
    CohortResult
        `.counts` (patients, weeks + 1) in 1e9/L, `.doses_mg`, `.ledger`, `.engine`, and more.

    Raises
    ------
    InputError
        What is wrong with the files, or between agonist, regimen and cohort.
    SimulationError
        If a patient could not be drawn or run to the end.
    """
    who = cohort if isinstance(cohort, Cohort) else Cohort(n=cohort)
    model, rule_file = cohort_model(agonist, who.population)
    dosed = cohort_regimen(regimen, model, rule_file)
    return runs.simulate_cohort(
        model, dosed, who, seed=seed, weeks=weeks, workers=workers, outputs_h=outputs_h, progress=progress
    )  # fmt: skip
