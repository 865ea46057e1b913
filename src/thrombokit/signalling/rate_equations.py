"""A network as differential equations: dx/dt from its reactions and rate rules, by our own reading of the SBML.

The solver reads the same model by itself. Two readings that agree at the start and at the end of a simulation are what the solver's
numbers are trusted on (`roadrunner_model`); scipy on these equations is the independent solver of the tests.

References
----------
Hucka M et al. (2019) SBML Level 3 Version 2 Core, sections 4.9, 4.11. doi:10.1515/jib-2019-0021.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np

from thrombokit.numerics.arrays import Array
from thrombokit.signalling.changes import define_change
from thrombokit.signalling.dependencies import (
    TIME,
    Compiled,
    Ordering,
    Quantity,
    by_constant,
    by_copy,
    by_formula,
    by_product,
    by_quotient,
    run_steps,
)
from thrombokit.signalling.expression import Values
from thrombokit.signalling.network import Network, Species
from thrombokit.signalling.start_values import StartValues


class RateEquations:
    """dx/dt of a network.

    The state holds, in the order of `state`, the amount of each species that reactions change and the value of each variable of a rate
    rule. All else is constant between events (`start` says what) or follows by formulas.

    Parameters
    ----------
    network : Network

    Raises
    ------
    InputError
        If values follow from each other in a circle.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        moved = [("amount", s.id) for s in network.species if s.id in network.moved_by_reactions and s.id not in network.rate_rules]
        self.state: tuple[Quantity, ...] = (*moved, *(("value", id) for id in network.rate_rules))
        self._ordering = Ordering(source=network.source, define=self._define)
        for quantity in self.quantities:
            self._ordering.add(quantity)
        self._changes = [self._ordering.add(("flow" if kind == "amount" else "change", id)) for kind, id in self.state]

    @cached_property
    def quantities(self) -> tuple[Quantity, ...]:
        """What the model lets one ask for: the value of every id, and the amount of every species."""
        network = self.network
        ids = [*network.compartment_by_id, *network.parameter_by_id, *network.species_by_id, *network.reaction_by_id]
        return (
            *(("value", id) for id in (*ids, *network.stoichiometry_by_id)),
            *(("amount", species.id) for species in network.species),
        )

    def values(self, time: float, state: Array, start: StartValues) -> dict[Quantity, float]:
        """Every quantity of the model at a time and a state of shape (n_state,); `start` gives what is constant."""
        values = self._filled(time, start, np.asarray(state, dtype=np.float64).tolist())
        run_steps(self._ordering.steps, values)
        return {quantity: values[slot] for quantity, slot in self._ordering.slots.items()}

    def start_state(self, start: StartValues) -> Array:
        """The state at time 0, shape (n_state,)."""
        return np.array([start.of(quantity) for quantity in self.state])

    def right_hand_side(self, start: StartValues) -> Callable[[float, Array], Array]:
        """f(time, state) -> dstate/dt, each of shape (n_state,)."""
        values = self._filled(0.0, start, [0.0] * len(self.state))
        places = [self._ordering.slots[quantity] for quantity in self.state]
        time_slot = self._ordering.slots.get(TIME)
        steps, changes = self._ordering.steps, self._changes

        def change(time: float, state: Array) -> Array:
            if time_slot is not None:
                values[time_slot] = time
            for place, value in zip(places, state.tolist(), strict=True):
                values[place] = value
            run_steps(steps, values)
            return np.array([values[slot] for slot in changes])

        return change

    def _filled(self, time: float, start: StartValues, state: list[float]) -> Values:
        known = dict(zip(self.state, state, strict=True))
        values: Values = [0.0] * len(self._ordering.slots)
        for quantity in self._ordering.given:
            slot = self._ordering.slots[quantity]
            values[slot] = time if quantity == TIME else known[quantity] if quantity in known else start.of(quantity)
        return values

    def _define(self, quantity: Quantity) -> Compiled | None:
        kind, id = quantity
        network = self.network
        if kind in ("flow", "change"):
            return define_change(network, quantity)
        if quantity in self.state or quantity == TIME:
            return None
        if id in network.species_by_id:
            return self._of_species(kind, network.species_by_id[id])
        if id in network.assignment_rules:
            return by_formula(network.assignment_rules[id])
        if id in network.reaction_by_id:
            rate = network.reaction_by_id[id].rate
            return by_constant(0.0) if rate is None else by_formula(rate)
        return None

    def _of_species(self, kind: str, species: Species) -> Compiled | None:
        """The value and the amount of a species, one from the other by the size of its compartment."""
        ruled_by_value = species.id in self.network.assignment_rules or species.id in self.network.rate_rules
        size, amount, value = ("value", species.compartment), ("amount", species.id), ("value", species.id)
        if kind == "amount":
            if not ruled_by_value:
                return None
            return by_copy(value) if species.substance_only else by_product(value, size)
        if ruled_by_value:
            return by_formula(self.network.assignment_rules[species.id])
        return by_copy(amount) if species.substance_only else by_quotient(amount, size)
