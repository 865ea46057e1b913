"""The patients stage of a study: cohorts under their regimens, event tables through models, concentrations without one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import polars as pl

from thrombokit.errors import Fault, InputError, SpecError, raise_all
from thrombokit.patients.cohort_diagnostics import diagnose_cohort
from thrombokit.patients.cohort_result import CohortResult
from thrombokit.patients.cohort_setup import cohort_job
from thrombokit.patients.compare_regimens import compare_cohorts
from thrombokit.patients.nca import analyse_nca
from thrombokit.patients.simulate_cohort import simulate_cohort
from thrombokit.patients.simulate_draws import simulate_draws
from thrombokit.patients.simulate_events import simulate_events
from thrombokit.patients.stage import EventsRun, PatientsArm, PatientsStage, ProfilesRun
from thrombokit.patients.stage_arms import LEDGER_SCHEMA, arm_of, event_rows, events_run, ledger_table, profiles_run, reasons_table
from thrombokit.patients.titration import Titration
from thrombokit.scale.engine import Engine, SerialEngine
from thrombokit.study.load_patients import CohortInput, EventsInput, PatientsInput, ProfilesInput
from thrombokit.study.spec import StudySpec
from thrombokit.study.spec_patients import PatientsSection

ONE_SET = (
    "Each model runs with one set of parameters: bands are of patients, intervals of the simulation; "
    "what is not known of the model is in neither."
)

WITH_DRAWS = (
    "The weeks of each arm run with one set of parameters: bands are of patients, intervals of the simulation. Beside them stand draws of frozen "
    "parameters, each with patients of its own: their intervals hold what is not known of these parameters, and nothing of another structure."
)

WORTH_PROCESSES = 100_000
"""Patient-weeks from which starting processes takes less time than it saves; the numbers are the same either way."""


def check_patients(given: PatientsInput, spec: StudySpec, *, seed: int) -> None:
    """Refuse cohorts whose model, regimen and patients do not go together, before anything is computed.

    Raises
    ------
    SpecError
        Every fault, with the line of the study file.
    """
    section = spec.patients
    assert section is not None
    faults: list[Fault] = []
    for cohort in given.cohorts:
        for name, regimen in cohort.regimens:
            try:
                cohort_job(cohort.model, regimen, given.who, seed=seed, weeks=section.weeks)
            except InputError as error:
                place = f"{spec.place_of(f'patients.{cohort.key}')}, {name}"
                faults += [replace(fault, place=f"{place}: {fault.place}") for fault in error.faults]
    raise_all(faults, SpecError)


def run_patients(given: PatientsInput, section: PatientsSection, *, seed: int, engine: Engine) -> PatientsStage:
    """Run the patients stage of a study.

    Parameters
    ----------
    given : PatientsInput
    section : PatientsSection
    seed : int
        Of the study; the same patients under every regimen.
    engine : Engine
        Used for cohorts large enough to be worth its processes.

    Raises
    ------
    SpecError
        What does not go together in a model, its regimen and the patients.
    SimulationError
        If a patient could not be drawn or run to the end.
    """
    cohorts = _Gathered()
    chosen = engine if section.patients * section.weeks >= WORTH_PROCESSES else SerialEngine()
    for_draws = engine if section.patients * section.weeks * given.draws >= WORTH_PROCESSES else SerialEngine()
    for one in given.cohorts:
        _run_cohort(one, given, section, cohorts, seed=seed, engine=chosen, for_draws=for_draws)
    events = [_run_events(one, seed) for one in given.events]
    analyses = [_analyse(one) for one in given.profiles]
    ledger = pl.concat(cohorts.ledger) if cohorts.ledger else pl.DataFrame(schema=LEDGER_SCHEMA)
    return PatientsStage(
        arms=tuple(cohorts.arms), seed=seed, counts_in=given.counts_in, confidence=section.confidence, weeks=_joined(cohorts.weeks),
        measures=_joined(cohorts.measures), reasons=reasons_table(ledger), ledger=ledger,
        near_ties=pl.concat(cohorts.near_ties) if cohorts.near_ties else pl.DataFrame(schema=LEDGER_SCHEMA),
        courses=_joined(cohorts.courses), members=_joined(cohorts.members), events=tuple(run for run, _, _ in events),
        event_rows=_joined([rows for _, rows, _ in events]),
        event_ledger=_joined([decided for _, _, decided in events if decided is not None]),
        profiles=tuple(run for run, _, _ in analyses), nca_statistics=_joined([statistics for _, statistics, _ in analyses]),
        nca_parameters=_joined([parameters for _, _, parameters in analyses]),
        draws=_joined(cohorts.draws), notes=(*given.notes, *([WITH_DRAWS if cohorts.draws else ONE_SET] if cohorts.arms else [])),
    )  # fmt: skip


@dataclass(kw_only=True)
class _Gathered:
    """Arms and tables of all cohorts, in the order of the study file."""

    arms: list[PatientsArm] = field(default_factory=list[PatientsArm])
    weeks: list[pl.DataFrame] = field(default_factory=list[pl.DataFrame])
    measures: list[pl.DataFrame] = field(default_factory=list[pl.DataFrame])
    ledger: list[pl.DataFrame] = field(default_factory=list[pl.DataFrame])
    near_ties: list[pl.DataFrame] = field(default_factory=list[pl.DataFrame])
    courses: list[pl.DataFrame] = field(default_factory=list[pl.DataFrame])
    members: list[pl.DataFrame] = field(default_factory=list[pl.DataFrame])
    draws: list[pl.DataFrame] = field(default_factory=list[pl.DataFrame])


def _run_cohort(
    one: CohortInput,
    given: PatientsInput,
    section: PatientsSection,
    into: _Gathered,
    *,
    seed: int,
    engine: Engine,
    for_draws: Engine,
) -> None:
    results: dict[str, CohortResult] = {}
    for regimen, rule in one.regimens:
        name = arm_name(one.name, regimen)
        result = simulate_cohort(one.model, rule, given.who, seed=seed, weeks=section.weeks, engine=engine)
        told = diagnose_cohort(result, counts_in=given.counts_in, confidence=section.confidence)
        titration = rule if isinstance(rule, Titration) else None
        results[name] = result
        drawn = simulate_draws(
            one.sets, rule, given.who, draws=given.draws, seed=seed, weeks=section.weeks, engine=for_draws, counts_in=given.counts_in
        ) if one.sets else None  # fmt: skip
        into.arms.append(arm_of(name, one.name, regimen, result, told, one.model, titration, drawn))
        if drawn is not None:
            into.draws.append(_first(drawn.table(), arm=name))
        into.weeks.append(_first(told.table(), arm=name))
        into.courses.append(_first(result.table(), arm=name))
        into.members.append(_first(result.patients, arm=name))
        if len(result.ledger):
            into.ledger.append(ledger_table(name, result.ledger))
            into.near_ties.append(ledger_table(name, result.near_ties()))
    if len(results) > 1:
        compared = compare_cohorts(results, counts_in=given.counts_in, confidence=section.confidence)
        into.measures.append(_first(compared.table().rename({"regimen": "arm"}), cohort=one.name))


def arm_name(cohort: str, regimen: str) -> str:
    """A name for a cohort under a regimen; a rule that begins with the cohort's name needs no more."""
    return regimen if regimen.startswith(f"{cohort}-") else f"{cohort}: {regimen}"


def _run_events(one: EventsInput, seed: int) -> tuple[EventsRun, pl.DataFrame, pl.DataFrame | None]:
    result = simulate_events(one.model, one.events, one.titration, seed=seed if one.random else None)
    decided = None if result.ledger is None else _first(result.ledger.table(), run=one.name)
    return events_run(one.name, result), event_rows(one.name, result), decided


def _analyse(one: ProfilesInput) -> tuple[ProfilesRun, pl.DataFrame, pl.DataFrame]:
    result = analyse_nca(one.profiles, one.settings)
    run = profiles_run(one.name, result)
    return run, _first(result.statistics(), run=one.name), _first(result.table(), run=one.name)


def _first(table: pl.DataFrame, **named: str) -> pl.DataFrame:
    """The table with a column in front that holds one word."""
    return table.select(*(pl.lit(value).alias(name) for name, value in named.items()), pl.all())


def _joined(tables: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """All rows; a column that one table lacks is null there."""
    return pl.concat(tables, how="diagonal_relaxed") if tables else pl.DataFrame()
