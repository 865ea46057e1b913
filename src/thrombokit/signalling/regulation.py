"""The edges of a network: what is consumed, what is produced, and what speeds a reaction up or slows it down.

Signs are read from the rates themselves. A rate is evaluated at seeded points of the state (each concentration over three powers of ten
around its scale, parameters as the model has them) and one regulator at a time is moved: a rate that never falls as the regulator
grows has sign +1, one that never rises -1, one that does both 0. A regulator that stands in the file and changes nothing also has 0.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from thrombokit.numerics.expression_tree import substitute
from thrombokit.numerics.streams import stream
from thrombokit.signalling.expression import Expression, Name, names_in, nodes_of
from thrombokit.signalling.formulas import evaluate_formula
from thrombokit.signalling.network import Network, Reaction
from thrombokit.signalling.start_values import StartPlan, StartValues

POINTS = 48
"""Points at which a sign is read."""
_SPREAD = 1.5
_STEP = 3.0
_NOISE = 1e-9


class EdgeKind(StrEnum):
    """What an edge says: a species goes into a reaction, comes out of it, regulates it, or enters the rate of change of a variable."""

    CONSUMPTION = "consumption"
    PRODUCTION = "production"
    REGULATION = "regulation"
    RATE_RULE = "rate_rule"
    ASSIGNMENT = "assignment"


@dataclass(frozen=True, kw_only=True, slots=True)
class Edge:
    """From `source` to `target`, both ids.

    Of a consumption the source is a species and the target a reaction, of a production the other way round; a regulation goes from a
    species to a reaction, a rule from a species to the variable it gives. `sign` is +1, -1, or 0 where it depends on the state.
    """

    source: str
    target: str
    kind: EdgeKind
    sign: int = 1


def network_edges(network: Network) -> tuple[Edge, ...]:
    """Every edge of a network, in the order of its reactions and rules.

    Parameters
    ----------
    network : Network

    Returns
    -------
    tuple of Edge
        Species that only a rule lies between are joined to the reaction directly (a parameter that follows from a species is no node).
        The reactants of a reaction are not listed again as its regulators, nor are the products of a reversible one.
    """
    scales = _Scales(network)
    edges: list[Edge] = []
    for reaction in network.reactions:
        edges.extend(_of_reaction(network, reaction, scales))
    for id, formula in network.rate_rules.items():
        edges.extend(_of_rule(network, id, formula, EdgeKind.RATE_RULE, scales))
    for id in (species.id for species in network.species if species.id in network.assignment_rules):
        edges.extend(_of_rule(network, id, network.assignment_rules[id], EdgeKind.ASSIGNMENT, scales))
    return tuple(edges)


def _of_reaction(network: Network, reaction: Reaction, scales: _Scales) -> Iterable[Edge]:
    reactants = dict.fromkeys(one.species for one in reaction.reactants)
    products = dict.fromkeys(one.species for one in reaction.products)
    for id in reactants:
        yield Edge(source=id, target=reaction.id, kind=EdgeKind.CONSUMPTION)
    rate = None if reaction.rate is None else through_rules(network, reaction.rate)
    read = names_in(rate) & network.species_by_id.keys() if rate is not None else frozenset[str]()
    told = [*dict.fromkeys(reaction.modifiers), *sorted(read - set(reaction.modifiers))]
    for id in told:
        if id in reactants or (id in products and reaction.reversible):
            continue
        sign = scales.sign(rate, id) if rate is not None and id in read else 0
        yield Edge(source=id, target=reaction.id, kind=EdgeKind.REGULATION, sign=sign)
    for id in products:
        yield Edge(source=reaction.id, target=id, kind=EdgeKind.PRODUCTION)


def _of_rule(network: Network, target: str, formula: Expression, kind: EdgeKind, scales: _Scales) -> Iterable[Edge]:
    whole = through_rules(network, formula)
    for id in sorted(names_in(whole) & network.species_by_id.keys()):
        if id != target:
            yield Edge(source=id, target=target, kind=kind, sign=scales.sign(whole, id))


def through_rules(network: Network, formula: Expression) -> Expression:
    """The formula with every name that is no species, and that an assignment rule or a reaction gives, written out."""
    for _ in range(len(network.assignment_rules) + len(network.reactions) + 1):
        replacements = {id: whole for id in names_in(formula) if (whole := _behind(network, id)) is not None}
        if not replacements:
            return formula
        formula = substitute(formula, replacements)
    return formula


def _behind(network: Network, id: str) -> Expression | None:
    if id in network.species_by_id:
        return None
    if id in network.reaction_by_id:
        return network.reaction_by_id[id].rate
    return network.assignment_rules.get(id)


class _Scales:
    """Points of the state at which signs are read; the same for every call."""

    def __init__(self, network: Network) -> None:
        start = StartPlan(network).evaluate({})
        self.fixed = {id: value for (kind, id), value in start.quantities.items() if kind == "value"}
        self.scale = _typical(network, start)
        rng = stream(0, "signs of regulation", network.id)
        factors = 10.0 ** rng.uniform(-_SPREAD, _SPREAD, (POINTS, len(network.species)))
        self.points: list[Mapping[str, float]] = [
            {species.id: self.scale[species.id] * factor for species, factor in zip(network.species, row, strict=True)}
            for row in factors.tolist()
        ]

    def sign(self, formula: Expression, id: str) -> int:
        """+1, -1 or 0: how the value of a formula goes with one species."""
        names = [node.id for node in nodes_of(formula) if isinstance(node, Name)]
        rises = falls = False
        for at, point in enumerate(self.points):
            values = {name: point.get(name, self.fixed.get(name, math.nan)) for name in dict.fromkeys(names)}
            low = evaluate_formula(formula, values, time=float(at))
            high = evaluate_formula(formula, {**values, id: values[id] * _STEP}, time=float(at))
            noise = _NOISE * max(abs(low), abs(high))
            rises |= high - low > noise
            falls |= low - high > noise
        return int(rises) - int(falls)


def _typical(network: Network, start: StartValues) -> dict[str, float]:
    """A scale for each species: where it starts, else the middle of where the others do, else 1."""
    begins = {species.id: abs(start.of(("value", species.id))) for species in network.species}
    positive = sorted(value for value in begins.values() if value > 0.0 and math.isfinite(value))
    middle = positive[len(positive) // 2] if positive else 1.0
    return {id: value if value > 0.0 and math.isfinite(value) else middle for id, value in begins.items()}
