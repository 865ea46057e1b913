"""Whether the tables of a PEtab problem fit each other and the model: every name must stand for something that can be there."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from thrombokit.domain.toml_faults import did_you_mean
from thrombokit.errors import Fault
from thrombokit.signalling.expression import names_in
from thrombokit.signalling.network import Network
from thrombokit.signalling.petab_names import Sources, is_in_model
from thrombokit.signalling.petab_problem import Measurement, PetabProblem


def reference_faults(problem: PetabProblem, condition_places: Mapping[str, str]) -> list[Fault]:
    """Every name that stands for nothing, or for something that cannot be set.

    Parameters
    ----------
    problem : PetabProblem
    condition_places : dict of condition id to str
        Where each condition stands.
    """
    in_formulas = _formula_names(problem)
    output = {name for name in in_formulas if not is_in_model(problem.network, name)}
    return [
        *_parameter_faults(problem),
        *_unused_faults(problem, output),
        *_condition_faults(problem, condition_places, output),
        *_formula_faults(problem, in_formulas),
        *_entry_faults(problem),
    ]


def _formula_names(problem: PetabProblem) -> dict[str, str]:
    """Names in formulas that are no placeholders, and where each is read first."""
    found: dict[str, str] = {}
    for one in problem.observables:
        for column, formula in (("observableFormula", one.formula), ("noiseFormula", one.noise)):
            for name in sorted(names_in(formula)):
                if not name.startswith(("observableParameter", "noiseParameter")):
                    found.setdefault(name, f"{one.place}, column {column}")
    return found


def _parameter_faults(problem: PetabProblem) -> Iterator[Fault]:
    network = problem.network
    for one in problem.parameters:
        place = f"{one.place}, column parameterId"
        if one.id in network.species_by_id or one.id in network.reaction_by_id:
            what = "a species" if one.id in network.species_by_id else "a reaction"
            yield Fault(place=place, found=f"{one.id}, {what} of the model", expected="a parameter",
                        cure="Set a species in the condition table, through a parameter of another name.")  # fmt: skip
        elif one.id in network.assignment_rules:
            yield _ruled(place, one.id)


def _unused_faults(problem: PetabProblem, output: set[str]) -> Iterator[Fault]:
    """Parameters to be estimated that nothing reads: most are another's name misspelt. Fixed ones do no harm."""
    used = {entry for entries in problem.conditions.values() for entry in entries.values()} | output
    used |= {entry for one in problem.measurements for entry in (*one.observable_parameters, *one.noise_parameters)}
    for one in problem.parameters:
        if one.estimated and one.id not in used and not is_in_model(problem.network, one.id):
            cure = did_you_mean(one.id, problem.network.parameter_by_id, otherwise="Remove the row, or use the parameter.")
            yield Fault(place=f"{one.place}, column parameterId", found=f'"{one.id}", which nothing uses',
                        expected="a parameter of the model, of a formula or of another table", cure=cure)  # fmt: skip


def _ruled(place: str, id: str) -> Fault:
    return Fault(place=place, found=f"{id}, whose value a rule of the model gives", expected="a value that is free to be set",
                 cure="Set what the rule depends on, or take the rule out of the model.")  # fmt: skip


def _settable(network: Network) -> list[str]:
    ids = (*network.parameter_by_id, *network.species_by_id, *network.compartment_by_id)
    return [id for id in ids if id not in network.assignment_rules]


def _condition_faults(problem: PetabProblem, places: Mapping[str, str], output: set[str]) -> Iterator[Fault]:
    network, parameters = problem.network, {one.id for one in problem.parameters}
    settable = {*_settable(network), *output}
    for condition, entries in problem.conditions.items():
        row = places.get(condition, "").removesuffix(", column conditionId")
        for id, entry in entries.items():
            place = f"{row}, column {id}"
            if id in network.assignment_rules:
                yield _ruled(place, id)
            elif id not in settable:
                cure = did_you_mean(id, settable, otherwise="Remove the column, or add the parameter to the model.")
                yield Fault(place=place, found=f'"{id}"', expected="a parameter, species or compartment of the model", cure=cure)
            if isinstance(entry, str) and entry not in parameters:
                cure = did_you_mean(entry, parameters, otherwise="Add it to the parameter table.")
                yield Fault(place=place, found=f'"{entry}"', expected="a number or an id of the parameter table", cure=cure)
            elif not isinstance(entry, str) and not math.isfinite(entry):
                yield Fault(place=place, found=f"{entry}", expected="a finite number", cure="Correct the number.")


def _formula_faults(problem: PetabProblem, names: Mapping[str, str]) -> Iterator[Fault]:
    network, sources = problem.network, Sources(problem)
    known = {*sources.parameter_at, *_settable(network), *network.assignment_rules, *network.reaction_by_id}
    used = {one.condition for one in problem.measurements}
    for name, place in names.items():
        if is_in_model(network, name) or name in sources.parameter_at:
            continue
        without = sorted(condition for condition in used if name not in problem.conditions[condition])
        if without:
            listed = f", nor by the condition {without[0]}" if len(without) < len(used) else ""
            expected = "an entity of the model, a parameter of the parameter table, or a placeholder"
            cure = did_you_mean(name, known, otherwise="Add it to the parameter table.")
            yield Fault(place=place, found=f'"{name}", given by no table{listed}', expected=expected, cure=cure)


def _entry_faults(problem: PetabProblem) -> Iterator[Fault]:
    sources = Sources(problem)
    for one in problem.measurements:
        for column, entries in (("observableParameters", one.observable_parameters), ("noiseParameters", one.noise_parameters)):
            for entry in entries:
                if isinstance(entry, str) and not _is_constant(sources, entry, one):
                    cure = did_you_mean(entry, sources.parameter_at, otherwise="Add it to the parameter table.")
                    yield Fault(place=f"{one.place}, column {column}", found=f'"{entry}"',
                                expected="a number or an id of the parameter table", cure=cure)  # fmt: skip


def _is_constant(sources: Sources, id: str, measurement: Measurement) -> bool:
    return sources.entry_of(id, measurement.condition) is not None
