"""The elements of an SBML Level 3 Version 2 document become the nouns of a network.

A formula that is left out has no effect, as Level 3 Version 2 says; where that leaves a reaction without a rate, a note tells of it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from thrombokit.errors import Fault, FileFormatError, raise_all
from thrombokit.io.mathml import Formulas
from thrombokit.io.xml_tree import Element
from thrombokit.signalling.expression import Expression
from thrombokit.signalling.network import Annotation, Compartment, Event, Network, Parameter, Participant, Reaction, Species
from thrombokit.signalling.references import reference_faults

DEEPEST = 800
"""Elements within elements: formulas written as sums of two nest as deep as they have terms."""
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_QUALIFIERS = {"http://biomodels.net/biology-qualifiers/": "bqbiol", "http://biomodels.net/model-qualifiers/": "bqmodel"}


@dataclass(kw_only=True)
class _File:
    """The document while it is read: its faults, and the reader of its formulas."""

    place: str
    faults: list[Fault] = field(default_factory=list[Fault])
    notes: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        self.formulas = Formulas(note_fault=self.note_fault)

    def note_fault(self, place: str, found: str, expected: str, cure: str) -> None:
        """A fault at a part of the model."""
        self.faults.append(Fault(place=f"{self.place}, {place}", found=found, expected=expected, cure=cure))

    def formula(self, owner: Element | None, place: str, local: dict[str, str] | None = None) -> Expression | None:
        """The formula an element holds, None where it holds none."""
        math_elements = [] if owner is None else [child for child in owner.children if child.name == "math"]
        if not math_elements or not math_elements[0].children:
            return None
        return self.formulas.read(math_elements[0], place, local)


def network_of(root: Element, text: str, place: str) -> Network:
    """The network of a document.

    Parameters
    ----------
    root : Element
        Root of a Level 3 Version 2 document without packages.
    text : str
        The same document, for the solver.
    place : str
        The file, for messages.

    Raises
    ------
    FileFormatError
        With every formula that cannot be read, by the part of the model it belongs to.
    """
    file = _File(place=place)
    model = _only(root, "model")
    if model is None:
        raise FileFormatError(
            Fault(place=place, found="no <model>", expected="one model", cure="Choose a file that holds a model.")
        )
    _note_nameless(file, model)
    file.formulas.define([(_word(one, "id"), one) for one in _list(model, "FunctionDefinition")])
    rules = [one for one in _children(model, "listOfRules") if one.name in ("assignmentRule", "rateRule")]
    if _list(model, "Constraint"):
        file.notes.append("The model's constraints are not watched during the simulation.")
    network = Network(
        **_described(model, otherwise=place),
        source=place,
        sbml=text,
        compartments=tuple(_compartment(file, one) for one in _list(model, "Compartment")),
        species=tuple(_species(one) for one in _list(model, "Species")),
        parameters=tuple(_parameter(one) for one in _list(model, "Parameter")),
        reactions=tuple(_reaction(file, one) for one in _list(model, "Reaction")),
        assignment_rules=_formulas(file, [one for one in rules if one.name == "assignmentRule"], "variable", "assignment rule of"),
        rate_rules=_formulas(file, [one for one in rules if one.name == "rateRule"], "variable", "rate rule of"),
        initial_assignments=_formulas(file, _list(model, "InitialAssignment"), "symbol", "initial assignment of"),
        events=tuple(_event(file, one, number) for number, one in enumerate(_list(model, "Event"), 1)),
        conversion_factor=_word(model, "conversionFactor"),
        time_unit=_word(model, "timeUnits"),
        substance_unit=_word(model, "substanceUnits"),
        model_notes=tuple(file.notes),
    )
    raise_all([*file.faults, *reference_faults(network)], FileFormatError)
    return network


def _note_nameless(file: _File, model: Element) -> None:
    for kind in ("Compartment", "Species", "Parameter", "Reaction"):
        for number, one in enumerate(_list(model, kind), 1):
            if not _word(one, "id"):
                file.note_fault(f"{kind.lower()} {number}", "no id", "an id", "Give it one.")


def _children(element: Element | None, name: str) -> list[Element]:
    """Children of the one child called `name`."""
    owner = None if element is None else _only(element, name)
    return [] if owner is None else owner.children


def _list(model: Element, kind: str) -> list[Element]:
    """Elements of listOf<kind>s."""
    plural = kind if kind == "Species" else f"{kind}s"
    return [one for one in _children(model, f"listOf{plural}") if one.name not in ("notes", "annotation")]


def _only(element: Element, name: str) -> Element | None:
    return next((child for child in element.children if child.name == name), None)


def _word(element: Element, name: str) -> str:
    return element.attributes.get(("", name), "").strip()


def _number(element: Element, name: str) -> float | None:
    word = _word(element, name)
    if not word:
        return None
    value = float({"INF": "inf", "-INF": "-inf"}.get(word, word))
    return None if math.isnan(value) else value


def _is(element: Element, name: str, *, otherwise: bool) -> bool:
    word = _word(element, name)
    return otherwise if not word else word in ("true", "1")


def _described(element: Element, *, otherwise: str = "") -> dict[str, Any]:
    notes = _only(element, "notes")
    return {
        "id": _word(element, "id") or otherwise,
        "name": _word(element, "name"),
        "sbo_term": _word(element, "sboTerm"),
        "notes": "" if notes is None else " ".join(" ".join(_texts(notes)).split()),
        "annotations": tuple(_annotations(element)),
    }


def _texts(element: Element) -> Iterator[str]:
    yield element.text
    for child in element.children:
        yield from _texts(child)


def _annotations(element: Element) -> Iterator[Annotation]:
    """MIRIAM links: qualifier and resource, in the order of the file."""
    for rdf in (one for one in _children(element, "annotation") if one.namespace == _RDF and one.name == "RDF"):
        for description in rdf.children:
            for qualifier in description.children:
                prefix = _QUALIFIERS.get(qualifier.namespace)
                for bag in qualifier.children if prefix else ():
                    for item in bag.children:
                        resource = item.attributes.get((_RDF, "resource"), "")
                        if resource:
                            yield Annotation(qualifier=f"{prefix}:{qualifier.name}", resource=resource)


def _compartment(file: _File, one: Element) -> Compartment:
    told, size, dimensions = _described(one), _number(one, "size"), _number(one, "spatialDimensions")
    if size is None and dimensions == 0.0:
        size = 1.0
        file.notes.append(f"Compartment {told['id']} is a point: concentrations in it are amounts.")
    return Compartment(
        **told, size=size, dimensions=dimensions, constant=_is(one, "constant", otherwise=True), unit=_word(one, "units")
    )


def _species(one: Element) -> Species:
    return Species(
        **_described(one), compartment=_word(one, "compartment"), initial_amount=_number(one, "initialAmount"),
        initial_concentration=_number(one, "initialConcentration"), boundary=_is(one, "boundaryCondition", otherwise=False),
        substance_only=_is(one, "hasOnlySubstanceUnits", otherwise=False), constant=_is(one, "constant", otherwise=False),
        conversion_factor=_word(one, "conversionFactor"), unit=_word(one, "substanceUnits"),
    )  # fmt: skip


def _parameter(one: Element, *, prefix: str = "") -> Parameter:
    told = _described(one)
    told["id"] = prefix + told["id"]
    constant = _is(one, "constant", otherwise=True)
    return Parameter(**told, value=_number(one, "value"), constant=constant, unit=_word(one, "units"))


def _reaction(file: _File, one: Element) -> Reaction:
    told = _described(one)
    law = _only(one, "kineticLaw")
    local = () if law is None else tuple(_parameter(p, prefix=f"{told['id']}.") for p in _list(law, "LocalParameter"))
    renamed = {parameter.id.split(".", 1)[1]: parameter.id for parameter in local}
    rate = file.formula(law, f"reaction {told['id']}", renamed)
    if rate is None:
        file.notes.append(f"Reaction {told['id']} has no rate; it is taken not to happen.")
    return Reaction(
        **told, reactants=_participants(one, "Reactant"), products=_participants(one, "Product"),
        modifiers=tuple(_word(modifier, "species") for modifier in _list(one, "Modifier")), rate=rate, local_parameters=local,
        reversible=_is(one, "reversible", otherwise=False), compartment=_word(one, "compartment"),
    )  # fmt: skip


def _participants(reaction: Element, kind: str) -> tuple[Participant, ...]:
    return tuple(
        Participant(species=_word(one, "species"), stoichiometry=_number(one, "stoichiometry"), id=_word(one, "id"),
                    constant=_is(one, "constant", otherwise=True))
        for one in _list(reaction, kind)
    )  # fmt: skip


def _formulas(file: _File, elements: list[Element], key: str, what: str) -> dict[str, Expression]:
    read = {_word(one, key): file.formula(one, f"{what} {_word(one, key)}") for one in elements}
    return {id: formula for id, formula in read.items() if formula is not None}


def _event(file: _File, one: Element, number: int) -> Event:
    told = _described(one, otherwise=f"event {number}")
    trigger = _only(one, "trigger")
    return Event(
        **told,
        trigger=file.formula(trigger, f"trigger of {told['id']}"),
        initial_value=trigger is None or _is(trigger, "initialValue", otherwise=True),
        persistent=trigger is None or _is(trigger, "persistent", otherwise=True),
        delay=file.formula(_only(one, "delay"), f"delay of {told['id']}"),
        priority=file.formula(_only(one, "priority"), f"priority of {told['id']}"),
        assignments=_formulas(file, _list(one, "EventAssignment"), "variable", f"{told['id']}, assignment of"),
        values_of_trigger_time=_is(one, "useValuesFromTriggerTime", otherwise=True),
    )
