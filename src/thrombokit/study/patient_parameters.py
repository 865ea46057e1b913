"""`parameters` and `draws` of [patients]: which frozen sets each cohort of a study is run under as well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from thrombokit.domain.agonist import Agonist
from thrombokit.errors import InputError
from thrombokit.io.parameter_inputs import CALIBRATED, calibrated_models, drawn_model
from thrombokit.patients.drawn_cohort import DrawnModel
from thrombokit.patients.model import PatientModel
from thrombokit.patients.simulate_draws import DRAWS, choose_replicates
from thrombokit.study.spec_patients import PatientsSection
from thrombokit.study.virtual_patients import PatientFaults


@dataclass(frozen=True, kw_only=True, eq=False)
class Calibrated:
    """A cohort as far as its parameters go: its name, the agonist or model it was asked for by, and the model it runs."""

    name: str
    source: Agonist | PatientModel | str
    model: PatientModel


def find_sets(
    section: PatientsSection, cohorts: Sequence[Calibrated], told: PatientFaults
) -> tuple[list[tuple[DrawnModel, ...]], list[str]]:
    """The sets of each cohort, and notes on cohorts that have none.

    Parameters
    ----------
    section : PatientsSection
    cohorts : sequence of Calibrated
    told : PatientFaults
        Gathers a set that does not exist or fits no cohort, and draws that sets cannot share evenly.
    """
    named, draws = section.parameters, section.draws
    if named is None:
        if draws is not None:
            told.add("draws", found="draws without parameters", expected="frozen sets to draw from",
                     cure='Add parameters = "calibrated", or remove draws.')  # fmt: skip
        return [() for _ in cohorts], []
    before = len(told.faults)
    found = [_all_of(one.model) for one in cohorts] if named == (CALIBRATED,) else _by_name(section, named, cohorts, told)
    notes: list[str] = []
    for one, sets in zip(cohorts, found, strict=True):
        if sets:
            key = "draws" if draws is not None else "parameters"
            told.attempt(key, lambda sets=sets: choose_replicates(sets, draws or DRAWS, seed=0))
        else:
            notes.append(
                f"{one.name} runs with the values of its model file alone: no frozen set of those asked for was fitted with it."
            )
    if cohorts and not any(found) and len(told.faults) == before:
        told.add("parameters", found=f'"{CALIBRATED}"', expected="a cohort whose model was calibrated",
                 cure="Remove parameters: the model files' own values hold.")  # fmt: skip
    return found, notes


def _all_of(model: PatientModel) -> tuple[DrawnModel, ...]:
    try:
        return calibrated_models(model)
    except InputError:
        return ()


def _by_name(
    section: PatientsSection, named: tuple[str, ...], cohorts: Sequence[Calibrated], told: PatientFaults
) -> list[tuple[DrawnModel, ...]]:
    """Each set goes to the cohorts that it fits; one that fits none is told as the first cohort refuses it."""
    sets: list[list[DrawnModel]] = [[] for _ in cohorts]
    for at, name in enumerate(named, 1):
        refusals: list[InputError] = []
        for one, into in zip(cohorts, sets, strict=True):
            try:
                into.append(drawn_model(one.source, one.model, name, section.population))
            except InputError as error:
                refusals.append(error)
        if refusals and len(refusals) == len(cohorts):
            key = f"parameters[{at}]" if len(named) > 1 else "parameters"
            told.faults += [replace(fault, place=f"{told.place(key)}: {fault.place}") for fault in refusals[0].faults]
    return [tuple(into) for into in sets]
