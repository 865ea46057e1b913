"""What a name in a PEtab problem stands for: a parameter, a number, or something the simulation gives.

A name in a formula is looked for in this order: what changes in the model (species, rule targets, compartments, rates), what the row's
condition sets, the parameter table, the model's constant parameters. The first are columns of the simulation; the others are places in
one vector that holds all parameters and, after them, every number the tables give.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from thrombokit.numerics.arrays import Array
from thrombokit.signalling.network import Network
from thrombokit.signalling.petab_problem import Entry, PetabProblem


def is_in_model(network: Network, id: str) -> bool:
    """Whether the model knows an id that formulas may read."""
    return (
        id in network.species_by_id
        or id in network.parameter_by_id
        or id in network.compartment_by_id
        or id in network.reaction_by_id
        or id in network.stoichiometry_by_id
    )


@dataclass
class Sources:
    """The vector of parameters and numbers, and where each name stands in it.

    `at(entry)` gives the place of a parameter or of a number, which is added when it is new.
    """

    problem: PetabProblem
    numbers: dict[float, int] = field(default_factory=dict[float, int])

    @cached_property
    def parameter_at(self) -> Mapping[str, int]:
        """Place of each parameter."""
        return {one.id: at for at, one in enumerate(self.problem.parameters)}

    def at(self, entry: Entry) -> int:
        """The place of a parameter id or of a number."""
        if isinstance(entry, str):
            return self.parameter_at[entry]
        return len(self.parameter_at) + self.numbers.setdefault(entry, len(self.numbers))

    def vector(self, parameters: Array) -> Array:
        """All values: parameters of shape (n_parameters,) on linear scale, then the numbers."""
        return np.concatenate([parameters, np.fromiter(self.numbers, dtype=np.float64, count=len(self.numbers))])

    def entry_of(self, id: str, condition: str) -> Entry | None:
        """What `id` is under a condition; None where it is no constant, or nothing says."""
        network = self.problem.network
        changes = network.can_change(id) or id in network.assignment_rules
        if id in network.species_by_id or id in network.reaction_by_id or id in network.compartment_by_id or changes:
            return None
        if id in self.problem.conditions[condition]:
            return self.problem.conditions[condition][id]
        if id in self.parameter_at:
            return id
        parameter = network.parameter_by_id.get(id)
        return None if parameter is None or id in network.initial_assignments else parameter.value

    def settings_of(self, condition: str) -> dict[str, int]:
        """What a condition and the parameter table set in the model: setting name to place."""
        network = self.problem.network
        entries: dict[str, Entry] = {id: id for id in self.parameter_at if is_in_model(network, id)}
        entries |= {id: entry for id, entry in self.problem.conditions[condition].items() if is_in_model(network, id)}
        return {setting_name(network, id): self.at(entry) for id, entry in entries.items()}


def setting_name(network: Network, id: str) -> str:
    """How the simulation calls what PEtab calls `id`: a species is a concentration, unless it has only substance units."""
    species = network.species_by_id.get(id)
    return id if species is None or species.substance_only else f"[{id}]"
