"""What a network refers to and does not have."""

from __future__ import annotations

from collections.abc import Iterator

from thrombokit.errors import Fault
from thrombokit.signalling.expression import names_in
from thrombokit.signalling.network import Network


def reference_faults(network: Network) -> list[Fault]:
    """Ids that are used and stand for nothing, with the part of the model that uses them; each pair once."""
    known = {
        *network.species_by_id, *network.compartment_by_id, *network.parameter_by_id, *network.reaction_by_id,
        *network.stoichiometry_by_id, *(local.id for reaction in network.reactions for local in reaction.local_parameters),
    }  # fmt: skip
    missing = dict.fromkeys(pair for pair in _uses(network) if pair[1] not in known)
    return [
        Fault(place=f"{network.source}, {place}", found=f'the id "{id}", which nothing in the model has' if id else "an empty id",
              expected="ids of the model's parts", cure="Correct the id, or add what it names.")
        for place, id in missing
    ]  # fmt: skip


def _uses(network: Network) -> Iterator[tuple[str, str]]:
    for species in network.species:
        yield f"species {species.id}", species.compartment
        if network.factor_of(species):
            yield f"species {species.id}", network.factor_of(species)
    for reaction in network.reactions:
        yield from ((f"reaction {reaction.id}", one.species) for one, _ in reaction.participants)
        yield from ((f"reaction {reaction.id}", id) for id in reaction.modifiers)
    for kind, formulas in (
        ("assignment rule", network.assignment_rules), ("rate rule", network.rate_rules),
        ("initial assignment", network.initial_assignments), *((f"event {one.id}", one.assignments) for one in network.events),
    ):  # fmt: skip
        yield from ((kind, id) for id in formulas)
    yield from (("a formula", id) for formula in network.formulas for id in sorted(names_in(formula)))
