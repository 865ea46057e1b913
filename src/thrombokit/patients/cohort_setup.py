"""A model, a regimen and a cohort become one job: checked against each other, the engine chosen, everything as arrays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from thrombokit.domain.toml_faults import did_you_mean
from thrombokit.errors import Fault, SpecError, raise_all
from thrombokit.numerics.arrays import Array
from thrombokit.patients import cohort_arrays as at
from thrombokit.patients import exact_pk_engine, ode_engine, quadrature_memory
from thrombokit.patients.cohort import PLATELETS, Cohort
from thrombokit.patients.cohort_arrays import CohortPlan
from thrombokit.patients.cohort_draws import Population, population_of
from thrombokit.patients.compiled_model import CompiledModel, compile_model
from thrombokit.patients.covariates import Covariate, usual_covariate
from thrombokit.patients.dosing import switch_delay
from thrombokit.patients.exact_pk_engine import exact_pk_tolerances
from thrombokit.patients.expressions import names_in
from thrombokit.patients.fixed_dose import FixedDose
from thrombokit.patients.fluctuation import observation_program
from thrombokit.patients.model import TIME_AFTER_DOSE, PatientModel, Residual
from thrombokit.patients.ode_engine import tolerances
from thrombokit.patients.rescue import rescue_program
from thrombokit.patients.titrated_doses import check_titration
from thrombokit.patients.titration import LimitAction, Signal, Titration
from thrombokit.patients.titration_program import titration_program

ENGINES = {"quadrature": at.QUADRATURE, "exact-pk": at.EXACT_PK, "ode": at.ODE}
"""The three engines, the fastest first."""
STATED_ERRORS = {
    "quadrature": quadrature_memory.STATED_ERROR, "exact-pk": exact_pk_engine.STATED_ERROR, "ode": ode_engine.STATED_ERROR,
}  # fmt: skip
"""Relative error of a count."""
EXACT_PK_RELATIVE = 2e-7
"""Tolerance of a step of the exact-pk engine where no pilot has chosen it (see `pilot`). Where removal saturates the error of a count is up to 50
times that of a step: 1.1e-5 was the largest over 100 half-years of eltrombopag with saturable removal, against a solution at 1e-11."""


@dataclass(frozen=True, kw_only=True, eq=False)
class CohortJob:
    """What every process is told: all that patients have in common. `most_visits` and `most_doses` are more than any of them can have."""

    population: Population
    rule: Titration
    until_h: float
    plan: CohortPlan
    engine: str
    seed: int
    weeks: int
    most_visits: int
    most_doses: int

    @property
    def compiled(self) -> CompiledModel:
        """The model."""
        return self.population.compiled

    @property
    def cohort(self) -> Cohort:
        """The cohort."""
        return self.population.cohort


def cohort_job(
    model: PatientModel, regimen: Titration | FixedDose, cohort: Cohort, *, seed: int, weeks: int, outputs_h: Sequence[float] = (),
    prefer: str | None = None,
) -> CohortJob:  # fmt: skip
    """Check everything and make the job; see `simulate_cohort`.

    Raises
    ------
    SpecError
        What does not go together, all that can be seen in one pass.
    """
    covariates = _covariates(model, cohort)
    faults = _model_faults(model) + _argument_faults(weeks, outputs_h)
    faults += [_covariate_fault(model, cohort, name) for name, value in covariates.items() if value is None]
    raise_all(faults, SpecError)
    compiled = compile_model(model, tuple(covariates))
    signal = _signal(compiled, regimen)
    rule = regimen if isinstance(regimen, Titration) else _as_rule(regimen, compiled, signal)
    check_titration(rule, compiled)
    engine = _engine(compiled, prefer)
    residual = {name.casefold(): value for name, value in model.residual.items()}.get(signal.casefold())
    plan = _plan(compiled, rule, cohort, engine, residual, weeks, outputs_h, getattr(regimen, "until_h", math.inf))
    given = {name: value for name, value in covariates.items() if value is not None}
    population = population_of(
        cohort, compiled, given, signal=compiled.output_index(signal), observation=plan.observation
    )  # fmt: skip
    return CohortJob(
        population=population, rule=rule, until_h=float(plan.numbers[at.UNTIL_H]), plan=plan, engine=engine, seed=seed, weeks=weeks,
        most_visits=_most_visits(rule, weeks), most_doses=_most_doses(rule, weeks),
    )  # fmt: skip


def _covariates(model: PatientModel, cohort: Cohort) -> dict[str, Covariate | None]:
    """Where each column that the model needs comes from; None where nobody says."""
    given = {name.casefold(): value for name, value in cohort.covariates.items()}
    return {name: given.get(name.casefold(), usual_covariate(cohort.population, name)) for name in model.needed_columns}


def _covariate_fault(model: PatientModel, cohort: Cohort, name: str) -> Fault:
    cure = did_you_mean(name, tuple(cohort.covariates), otherwise=f"Give it: covariates = {{{name} = ...}}.")
    return Fault(place=f"{model.file}, data columns", found=f'"{name}", which has no usual value', cure=cure,
                 expected="a value or a distribution in the cohort's covariates")  # fmt: skip


def _model_faults(model: PatientModel) -> list[Fault]:
    """What a cohort cannot run: entries that ask for the time of a record, random effects by occasion."""
    faults = [
        Fault(place=f"{model.file}, {name}", found="TIME in a value of the record", expected="values that stay the same for each patient",
              cure="Write it in [algebra] with T, the time that runs on.")
        for name in model.time_records
    ]  # fmt: skip
    faults += [
        Fault(place=f"{model.file}, random, omega", found=f'{", ".join(block.names)} by occasion ("{block.occasion_column}")',
              expected="random effects by patient: a cohort has no occasions", cure="Leave out the occasion, or run an event table.")
        for block in model.omega if block.occasion_column is not None
    ]  # fmt: skip
    return faults


def _argument_faults(weeks: int, outputs_h: Sequence[float]) -> list[Fault]:
    faults: list[Fault] = []
    if weeks < 1:
        faults.append(Fault(place="cohort, weeks", found=str(weeks), expected="1 week or more", cure="Correct it."))
    times = np.asarray(outputs_h, dtype=np.float64)
    if times.size and not (np.isfinite(times).all() and (np.diff(times) >= 0.0).all() and 0.0 <= times[0] <= times[-1]):
        faults.append(Fault(place="cohort, outputs_h", found="times that fall, are negative or are no numbers",
                            expected="hours in rising order", cure="Sort them."))  # fmt: skip
    elif times.size and times[-1] > weeks * at.WEEK_H:
        faults.append(Fault(place="cohort, outputs_h", found=f"{times[-1]:g} h", expected=f"times within {weeks} weeks, {weeks * at.WEEK_H:g} h",
                            cure="Leave later times out, or simulate more weeks."))  # fmt: skip
    return faults


def _signal(compiled: CompiledModel, regimen: Titration | FixedDose) -> str:
    """The output that is counted: the titration's signal, or the platelet count."""
    if isinstance(regimen, Titration):
        return regimen.signal
    named = next((name for name in compiled.outputs if name.casefold() == PLATELETS.casefold()), None)
    if named is None:
        raise SpecError(
            Fault(place=f"{compiled.model.file}, output", found=f"no {PLATELETS} (outputs: {', '.join(compiled.outputs)})",
                  expected="a model with a platelet count", cure="Take a model that reaches the platelets, or run an event table for plasma.")
        )  # fmt: skip
    return named


def _as_rule(dose: FixedDose, compiled: CompiledModel, signal: str) -> Titration:
    default = compiled.model.default_dose or compiled.compartments[0]
    return dose.as_rule(signal=signal, compartment=default)


def _engine(compiled: CompiledModel, prefer: str | None) -> str:
    """The fastest engine that the structure allows, or a slower one that was asked for."""
    best = "ode" if compiled.gamma_inputs.size else "exact-pk" if compiled.engine == "exact" else compiled.engine
    allowed = list(ENGINES)[list(ENGINES).index(best) :]
    if prefer is None:
        return best
    if prefer not in allowed:
        raise SpecError(Fault(place="cohort, engine", found=f'"{prefer}"', expected=f"one of {', '.join(allowed)} for {compiled.model.file}",
                              cure="Leave it out: the fastest engine is chosen."))  # fmt: skip
    return prefer


def _plan(
    compiled: CompiledModel, rule: Titration, cohort: Cohort, engine: str, residual: Residual | None, weeks: int,
    outputs_h: Sequence[float], until_h: float,
) -> CohortPlan:  # fmt: skip
    numbers, n = np.zeros(at.PLAN_SIZE), len(compiled.compartments)
    numbers[at.HORIZON_H], numbers[at.UNTIL_H], numbers[at.DOSE_RATE] = weeks * at.WEEK_H, until_h, rule.rate
    numbers[at.READS_RESIDUAL] = rule.observed_with is Signal.RESIDUAL
    numbers[at.STOPS_AT_NOMINAL] = _reads_time_after_dose(compiled)
    numbers[at.FLUCTUATES] = cohort.fluctuation is not None and cohort.fluctuation.log_sd > 0.0
    numbers[at.RESCUES], numbers[at.MISSES] = cohort.rescue is not None, cohort.adherence is not None
    numbers[at.REMISSION_COUNT] = cohort.remission.count_1e9_per_L if cohort.remission is not None else 0.0
    block = np.array(compiled.linear_block if engine != "ode" else [], dtype=np.int64)
    return CohortPlan(
        numbers=numbers, places=_plan_places(compiled, rule, engine, weeks), program=titration_program(rule),
        observation=observation_program(cohort.fluctuation, residual), rescue=rescue_program(cohort.rescue),
        outputs_h=np.array(outputs_h, dtype=np.float64), block=block,
        moving=np.setdiff1d(np.arange(n), block).astype(np.int64), gamma_inputs=np.array(compiled.gamma_inputs),
        tolerances=tolerances() if engine == "ode" else exact_pk_tolerances(EXACT_PK_RELATIVE),
        conditions=np.array(compiled.time_conditions),
    )  # fmt: skip


def _plan_places(compiled: CompiledModel, rule: Titration, engine: str, weeks: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    compartment = compiled.compartment_index(rule.dose_compartment)
    places = np.full(at.PLACES_SIZE, -1, dtype=np.int64)
    places[at.ENGINE], places[at.COMPARTMENT] = ENGINES[engine], compartment
    places[at.SIGNAL], places[at.N_WEEKS] = compiled.output_index(rule.signal), weeks
    places[[at.LAG, at.SHARE, at.RATE, at.DURATION]] = compiled.dose_index[compartment]
    if not math.isnan(switch_delay(compiled.model, compiled, compartment, np.zeros(compiled.n_record))):
        places[at.SWITCH] = compiled.switch_index
    places[at.SWITCH_FROM_RECORD], places[at.HAS_TRIAL] = compiled.switch_from_record, compiled.has_trial(engine)
    return places


def _reads_time_after_dose(compiled: CompiledModel) -> bool:
    """Whether anything that runs on hears of the time of the last dose; then its nominal time is a break point."""
    expanded = compiled.expanded
    entries = [*expanded.algebra.values(), *(flow.coefficient for flow in expanded.flows), *(term.entry for term in expanded.terms),
               *expanded.output.values()]  # fmt: skip
    return any(name.casefold() == TIME_AFTER_DOSE.casefold() for entry in entries for name in names_in(entry.expression))


def _most_visits(rule: Titration, weeks: int) -> int:
    gaps = [rule.then_every_h or math.inf, *(r.resume.check_every_h or math.inf for r in rule.rules if r.resume is not None)]
    return len(rule.visits_h) + (2 + math.floor(weeks * at.WEEK_H / min(gaps)) if min(gaps) < math.inf else 1)


def _most_doses(rule: Titration, weeks: int) -> int:
    limits = [limit.hours for r in rule.rules for limit in (r.at_lowest, r.at_highest) if limit.action is LimitAction.EVERY]
    every_h = [rule.every_h, *(r.every_h for r in rule.rules if r.every_h is not None), *limits]
    return 2 + math.floor(weeks * at.WEEK_H / min(every_h))


def dose_value(compiled: CompiledModel, record: Array, place: int, otherwise: float) -> Array:
    """A dose setting of every patient, shape (n,), from record values (n, n_record)."""
    return record[:, place] if place >= 0 else np.full(record.shape[0], otherwise)
