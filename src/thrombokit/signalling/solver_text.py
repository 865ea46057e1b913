"""The text libroadrunner is given, and what it must not be given because it would read it wrongly.

Initial assignments are taken out (their values are computed here and set), so is what no
simulation needs (notes, annotations), and parameters without a value get one that is then replaced. Of conditions made of several ("a and
b") each part gets an event of its own that changes nothing: the solver then finds the moment each part turns, where it could step over a
short time in which the whole holds. Delayed events that may be triggered at time 0 wait for a flag, so that loading the text with the
values it happens to hold leaves none of them pending.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from xml.etree import ElementTree

from thrombokit.errors import Fault
from thrombokit.numerics.expression_tree import substitute
from thrombokit.signalling.expression import Call, Expression, Name, Number, calls_in, names_in, nodes_of
from thrombokit.signalling.formulas import evaluate_formula
from thrombokit.signalling.mathml_text import MATHML, math_element
from thrombokit.signalling.network import Network

_CORE = "{http://www.sbml.org/sbml/level3/version2/core}"
_RESERVED = ("time", "Time", "TIME")
_JOINING = frozenset(("and", "or", "xor", "not", "implies"))
_ORDER = frozenset(("gt", "lt", "geq", "leq"))
WATCHED = "thrombokit_watched"
"""What the events that watch conditions assign."""
STARTED = "thrombokit_started"
"""1 once the start values are set."""
_AFTER_PARAMETERS = ("listOfInitialAssignments", "listOfRules", "listOfConstraints", "listOfReactions", "listOfEvents")


def solver_text(network: Network, *, last_first: bool = False) -> str:
    """The model as the solver is given it; see `SimulationSession` for `last_first`."""
    root = ElementTree.fromstring(network.sbml)
    model = root.find(f"{_CORE}model")
    assert model is not None
    for element in list(root.iter()):
        for child in list(element):
            if child.tag in (f"{_CORE}notes", f"{_CORE}annotation"):
                element.remove(child)
    for assignments in model.findall(f"{_CORE}listOfInitialAssignments"):
        model.remove(assignments)
    for reference in model.iter(f"{_CORE}speciesReference"):
        if reference.get("id") in network.initial_assignments:
            reference.attrib.update({"stoichiometry": "1", "constant": "false"})
    for parameter in model.iter(f"{_CORE}parameter"):
        if parameter.get("value") is None and parameter.get("id") not in network.assignment_rules:
            parameter.set("value", "0")
    for compartment in model.iter(f"{_CORE}compartment"):
        if compartment.get("size") is None and compartment.get("id") not in network.assignment_rules:
            compartment.set("size", "1")
    _order_ties(model, network, last_first=last_first)
    _hold_back(model)
    _watch(model, _parts_of_conditions(network))
    ElementTree.register_namespace("", _CORE[1:-1])
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True)


def _parts_of_conditions(network: Network) -> list[Expression]:
    """Comparisons that are part of a larger condition, each once; what a reaction calls its own is written out as a number."""
    local = {
        p.id: Number(math.nan if p.value is None else p.value) for reaction in network.reactions for p in reaction.local_parameters
    }
    found: dict[Expression, None] = {}
    for formula in network.formulas:
        for node in nodes_of(formula):
            if isinstance(node, Call) and node.function in _JOINING:
                parts = (part for argument in node.arguments for part in nodes_of(argument))
                compared = (part for part in parts if isinstance(part, Call) and part.function in _ORDER)
                found.update((substitute(part, local), None) for part in compared)
    return list(found)


def _order_ties(model: ElementTree.Element, network: Network, *, last_first: bool) -> None:
    """Give events of equal or no priority one order; libroadrunner would draw it anew each time.

    Priorities that are numbers are ranked, the place in the file decides among equals. Where a priority depends on the state nothing is
    done.
    """
    said = [event.priority for event in network.events]
    if len(said) < 2 or any(one is not None and names_in(one) | calls_in(one) & {"time"} for one in said):
        return
    values = [-math.inf if one is None else evaluate_formula(one, {}) for one in said]
    places = sorted(range(len(said)), key=lambda at: (-values[at], -at if last_first else at))
    rank = {at: len(places) - order for order, at in enumerate(places)}
    for at, event in enumerate(model.iter(f"{_CORE}event")):
        for old in event.findall(f"{_CORE}priority"):
            event.remove(old)
        priority = ElementTree.Element(f"{_CORE}priority")
        priority.append(math_element(Number(float(rank[at]))))
        after = [place for place, child in enumerate(event) if child.tag in (f"{_CORE}trigger", f"{_CORE}delay")]
        event.insert(after[-1] + 1 if after else 0, priority)


def _hold_back(model: ElementTree.Element) -> None:
    """Let delayed events that count as false before the start be triggered only once the start values are set."""
    waiting = [
        trigger
        for event in model.iter(f"{_CORE}event")
        if event.find(f"{_CORE}delay") is not None
        and (trigger := event.find(f"{_CORE}trigger")) is not None
        and trigger.get("initialValue") in ("false", "0")
    ]
    if waiting:
        _add_parameter(model, STARTED, constant=True)
    for trigger in waiting:
        for math_ in trigger.findall(f"{{{MATHML}}}math"):
            both = ElementTree.Element(f"{{{MATHML}}}apply")
            started = math_element(Call("gt", (Name(STARTED), Number(0.5))))
            both.extend((ElementTree.Element(f"{{{MATHML}}}and"), *started, *math_))
            math_[:] = [both]


def _add_parameter(model: ElementTree.Element, id: str, *, constant: bool) -> None:
    parameters = _listed(model, "listOfParameters", before=_AFTER_PARAMETERS)
    ElementTree.SubElement(parameters, f"{_CORE}parameter", {"id": id, "value": "0", "constant": str(constant).lower()})


def _watch(model: ElementTree.Element, conditions: list[Expression]) -> None:
    """Two events for each condition, when it turns true and when it turns false; they assign what nothing reads."""
    if not conditions:
        return
    _add_parameter(model, WATCHED, constant=False)
    events = _listed(model, "listOfEvents", before=())
    for at, condition in enumerate(conditions):
        for side, trigger in (("up", condition), ("down", Call("not", (condition,)))):
            event = ElementTree.SubElement(
                events, f"{_CORE}event", {"id": f"{WATCHED}_{side}_{at}", "useValuesFromTriggerTime": "true"}
            )
            turning = ElementTree.SubElement(event, f"{_CORE}trigger", {"initialValue": "true", "persistent": "true"})
            turning.append(math_element(trigger))
            assignments = ElementTree.SubElement(event, f"{_CORE}listOfEventAssignments")
            ElementTree.SubElement(assignments, f"{_CORE}eventAssignment", {"variable": WATCHED}).append(math_element(Number(0.0)))


def _listed(model: ElementTree.Element, name: str, *, before: tuple[str, ...]) -> ElementTree.Element:
    """The list of that name, put in front of those that come after it where there is none."""
    found = model.find(f"{_CORE}{name}")
    if found is not None:
        return found
    made = ElementTree.Element(f"{_CORE}{name}")
    places = [at for at, child in enumerate(model) if child.tag in {f"{_CORE}{one}" for one in before}]
    model.insert(places[0] if places else len(model), made)
    return made


def solver_faults(network: Network) -> list[Fault]:
    """What libroadrunner would simulate wrongly, by name."""
    return [*_reserved_names(network), *_rates_of(network)]


def _reserved_names(network: Network) -> Iterator[Fault]:
    ids = (*network.parameter_by_id, *network.species_by_id, *network.compartment_by_id, *network.reaction_by_id)
    for id in ids:
        if id in _RESERVED:
            yield Fault(
                place=f"{network.source}, {id}", found=f'the id "{id}"', expected='ids other than "time"',
                cure="Rename it in the model: results could not tell it from the simulation's time.",
            )  # fmt: skip


def _rates_of(network: Network) -> Iterator[Fault]:
    told: set[str] = set()
    for place, formula in _formulas(network):
        for node in nodes_of(formula):
            if not isinstance(node, Call) or node.function != "rateOf":
                continue
            id = node.arguments[0].id if isinstance(node.arguments[0], Name) else "a formula"
            why = _wrong_rate(network, id)
            if why and id not in told:
                told.add(id)
                cure = "Write the rate as a formula."
                yield Fault(
                    place=f"{network.source}, {place}", found=f"rateOf {id}, {why}", expected="rates of other variables", cure=cure
                )


def _wrong_rate(network: Network, id: str) -> str:
    species = network.species_by_id.get(id)
    if species is not None:
        compartment = network.compartment_by_id[species.compartment]
        if not species.substance_only and network.can_change(compartment.id):
            return "a concentration in a compartment whose size changes"
    if id in network.assignment_rules:
        return "which a rule gives"
    known = (*network.species_by_id, *network.parameter_by_id, *network.compartment_by_id, *network.stoichiometry_by_id)
    return "" if id in known else "which has no rate"


def _formulas(network: Network) -> Iterator[tuple[str, Expression]]:
    yield from ((f"rule of {id}", one) for id, one in (*network.assignment_rules.items(), *network.rate_rules.items()))
    yield from ((f"initial assignment of {id}", one) for id, one in network.initial_assignments.items())
    yield from ((f"reaction {one.id}", one.rate) for one in network.reactions if one.rate is not None)
    for event in network.events:
        parts = (event.trigger, event.delay, event.priority, *event.assignments.values())
        yield from ((f"event {event.id}", one) for one in parts if one is not None)
