"""Cohorts by name: an agonist, a rule, how many patients; what a person at the command line or in a notebook calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from thrombokit.domain.parameter_set import ParameterSet
from thrombokit.errors import Fault, SpecError
from thrombokit.io.cohort_inputs import DEFAULT_REGIMEN, AgonistLike, RegimenLike, cohort_model, cohort_regimen
from thrombokit.io.parameter_inputs import CALIBRATED, ParametersLike, drawn_models, one_drawn_model
from thrombokit.patients import simulate_cohort as runs
from thrombokit.patients import simulate_draws as many
from thrombokit.patients.cohort import Cohort
from thrombokit.patients.cohort_diagnostics import CountRange
from thrombokit.patients.cohort_result import CohortResult
from thrombokit.patients.drawn_cohort import simulate_drawn_cohort
from thrombokit.patients.draws_result import DrawsResult


def simulate_cohort(
    agonist: AgonistLike, regimen: RegimenLike = DEFAULT_REGIMEN, cohort: int | Cohort = 1000, *, seed: int, weeks: int = 52,
    workers: int = 1, outputs_h: Sequence[float] = (), parameters: str | ParameterSet | None = None, draw: int | None = None,
    progress: Callable[[int], None] | None = None,
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
    parameters : str or ParameterSet, optional
        A frozen set (`shipped_parameter_sets()`): the cohort is run under one of its joint draws, with the fluctuation, rescue and lasting
        remission of that draw where the cohort says nothing of them, and patients admitted by their measured count, as in the fit. Without it:
        the model file's own values, and none of these.
    draw : int, optional
        Row of the set, from 0; goes with `parameters`.
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
    if (parameters is None) != (draw is None):
        raise SpecError(Fault(place="parameters, draw", found="one without the other", expected="a frozen set and a row of it, or neither",
                              cure="Give both, or take simulate_draws for many draws."))  # fmt: skip
    if parameters is not None and draw is not None:
        drawn, rule_file = one_drawn_model(agonist, parameters, who.population)
        dosed = cohort_regimen(regimen, drawn.model, rule_file)
        return simulate_drawn_cohort(
            drawn, draw, dosed, who, seed=seed, weeks=weeks, workers=workers, outputs_h=outputs_h, progress=progress
        )  # fmt: skip
    model, rule_file = cohort_model(agonist, who.population)
    dosed = cohort_regimen(regimen, model, rule_file)
    return runs.simulate_cohort(
        model, dosed, who, seed=seed, weeks=weeks, workers=workers, outputs_h=outputs_h, progress=progress
    )  # fmt: skip


def simulate_draws(
    agonist: AgonistLike, regimen: RegimenLike = DEFAULT_REGIMEN, cohort: int | Cohort = 1000, *, parameters: ParametersLike = CALIBRATED,
    draws: int = many.DRAWS, seed: int, weeks: int = 52, workers: int = 1, counts_in: CountRange | None = None,
    progress: Callable[[int], None] | None = None,
) -> DrawsResult:  # fmt: skip
    """Virtual patients under many joint draws of frozen parameters: what is not known of the model becomes an interval.

    Parameters
    ----------
    agonist, regimen, cohort, seed, weeks, workers
        As in `simulate_cohort`; `cohort` is the number of new patients in each replicate.
    parameters : str, ParameterSet, or several of them
        "calibrated": all posterior sets of the agonist's model of record, for hetrombopag both readings of its first trial in patients. Or
        names of frozen sets; they weigh equally, and an agonist runs each with that set's own model.
    draws : int
        Replicates, a multiple of the number of sets.
    counts_in : CountRange, optional
        Target 50 to 200 x 1e9/L by default.
    progress : callable, optional
        Called with the number of replicates finished since the last call.

    Returns
    -------
    DrawsResult
        By week, over all sets and reading by reading: median and 5 to 95 % interval of the median count, the shares in and at or above the
        target, and the median dose; the variance split into sampling and parameters.

    Raises
    ------
    InputError
        What is wrong with sets, files, or between agonist, regimen and cohort.
    SimulationError
        If a patient could not be drawn or run to the end.
    """
    who = cohort if isinstance(cohort, Cohort) else Cohort(n=cohort)
    models, rule_file = drawn_models(agonist, parameters, who.population)
    dosed = cohort_regimen(regimen, models[0].model, rule_file)
    return many.simulate_draws(
        models, dosed, who, draws=draws, seed=seed, weeks=weeks, workers=workers, counts_in=counts_in, progress=progress
    )  # fmt: skip
