"""How fast things change: the amount of a species by its reactions, the value of an id for rateOf."""

from __future__ import annotations

from collections.abc import Callable

from thrombokit.signalling.dependencies import Compiled, Quantity, by_constant, by_copy, by_formula, by_quotient
from thrombokit.signalling.expression import Formula, Values
from thrombokit.signalling.network import Network, Species


def define_change(network: Network, quantity: Quantity) -> Compiled:
    """How ("flow", species) or ("change", id) is computed.

    The change of a concentration counts the reactions alone: rateOf of a concentration in a compartment whose size changes is refused
    where a model is loaded.
    """
    kind, id = quantity
    if kind == "flow":
        return _flow(network, network.species_by_id[id])
    if id in network.rate_rules:
        return by_formula(network.rate_rules[id])
    species = network.species_by_id.get(id)
    if species is None or id not in network.moved_by_reactions:
        return by_constant(0.0)
    return by_copy(("flow", id)) if species.substance_only else by_quotient(("flow", id), ("value", species.compartment))


def stoichiometry_varies(network: Network, id: str) -> bool:
    """Whether a stoichiometry is other than the number in the file: by a rule, an event or an initial assignment."""
    return bool(id) and (network.can_change(id) or id in network.initial_assignments)


def _flow(network: Network, species: Species) -> Compiled:
    """d amount/dt by reactions: conversion factor x sum of stoichiometry x rate."""
    factor = network.factor_of(species)
    fixed: list[tuple[float, Quantity]] = []
    varying: list[tuple[float, Quantity, Quantity]] = []
    for reaction in network.reactions:
        for one, sign in reaction.participants:
            if one.species != species.id:
                continue
            if stoichiometry_varies(network, one.id):
                varying.append((sign, ("value", one.id), ("value", reaction.id)))
            else:
                fixed.append((sign * (one.stoichiometry or 0.0), ("value", reaction.id)))
    needed = [*(rate for _, rate in fixed), *(one for _, *pair in varying for one in pair)]
    if factor:
        needed.append(("value", factor))

    def make(slot_of: Callable[[Quantity], int]) -> Formula:
        fixed_slots = [(number, slot_of(rate)) for number, rate in fixed]
        varying_slots = [(sign, slot_of(by), slot_of(rate)) for sign, by, rate in varying]
        scale = slot_of(("value", factor)) if factor else None

        def flow(values: Values) -> float:
            total = sum([number * values[rate] for number, rate in fixed_slots])
            total += sum([sign * values[by] * values[rate] for sign, by, rate in varying_slots])
            return total if scale is None else total * values[scale]

        return flow

    return needed, make
