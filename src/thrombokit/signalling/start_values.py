"""What a model starts from: initial values, initial assignments and rules at time 0, with some values set by the caller.

A value that is set takes the place of what the file says of that id, its initial assignment included; all initial assignments and rules
that depend on it follow, as if the file had been edited. A species that the file gives as a concentration keeps that concentration when
the size of its compartment is set.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from thrombokit.domain.toml_faults import did_you_mean
from thrombokit.errors import Fault, raise_all
from thrombokit.signalling.changes import define_change, stoichiometry_varies
from thrombokit.signalling.dependencies import (
    TIME,
    Compiled,
    Ordering,
    Quantity,
    by_copy,
    by_formula,
    by_product,
    by_quotient,
    run_steps,
)  # fmt: skip
from thrombokit.signalling.expression import Formula, Values
from thrombokit.signalling.network import Network, Species


@dataclass(frozen=True)
class StartValues:
    """Every quantity of a model at one moment: `values[slots[quantity]]`."""

    slots: Mapping[Quantity, int]
    values: Values

    def of(self, quantity: Quantity) -> float:
        """One of them."""
        return self.values[self.slots[quantity]]

    @property
    def quantities(self) -> dict[Quantity, float]:
        """All of them by name."""
        return {quantity: self.values[slot] for quantity, slot in self.slots.items()}

    def with_values(self, changed: Mapping[Quantity, float]) -> StartValues:
        """The same moment, some quantities changed."""
        values = list(self.values)
        for quantity, value in changed.items():
            values[self.slots[quantity]] = value
        return StartValues(self.slots, values)


class StartPlan:
    """How the start values of a network follow when the ids in `settings` are set by the caller.

    Parameters
    ----------
    network : Network
    settings : iterable of str
        Ids that will be set: parameters and compartments; of a species "S" its amount, "[S]" its concentration.

    Raises
    ------
    InputError
        If an id is unknown or cannot be set, or values follow from each other in a circle; every fault in one pass.
    """

    def __init__(self, network: Network, settings: Iterable[str] = ()) -> None:
        self.network = network
        names = sorted(settings)
        raise_all(setting_faults(network, names))
        self._set = {setting_quantity(network, name): name for name in names}
        self._ordering = Ordering(source=network.source, define=self._define)
        ids = [*network.compartment_by_id, *network.parameter_by_id, *network.species_by_id, *network.stoichiometry_by_id]
        ids.extend(network.reaction_by_id)
        for id in ids:
            self._ordering.add(("value", id))
        for id in network.species_by_id:
            self._ordering.add(("amount", id))
        for reaction in network.reactions:
            for local in reaction.local_parameters:
                self._ordering.add(("value", local.id))
        self._names = names
        self._set_slots = [(self._ordering.add(quantity), name) for quantity, name in self._set.items()]
        self._first: Values | None = None
        self._following: list[tuple[int, Formula]] = []

    def evaluate(self, settings: Mapping[str, float]) -> StartValues:
        """The start values.

        Parameters
        ----------
        settings : dict of str to float
            A number for each id the plan was made for.

        Raises
        ------
        InputError
            If a number is not finite, or the model leaves a value open that its formulas need.
        """
        raise_all(_not_finite(self.network, name, settings[name]) for name in self._names if not math.isfinite(settings[name]))
        if self._first is None:
            self._first = self._all_values(settings)
            self._following = self._steps_behind_settings()
        values = self._first.copy()
        for slot, name in self._set_slots:
            values[slot] = float(settings[name])
        run_steps(self._following, values)
        return StartValues(self._ordering.slots, values)

    def _all_values(self, settings: Mapping[str, float]) -> Values:
        given: dict[Quantity, float] = {}
        faults: list[Fault] = []
        for quantity in self._ordering.given:
            name = self._set.get(quantity)
            value = settings[name] if name is not None else self._said(quantity)
            if value is None and quantity[1] in self.network.used:
                faults.append(_open_value(self.network, quantity[1]))
            given[quantity] = math.nan if value is None else float(value)
        raise_all(faults)
        return self._ordering.evaluate(given)

    def _steps_behind_settings(self) -> list[tuple[int, Formula]]:
        """The steps whose results follow from what is set; all others stay as they are from one start to the next."""
        touched = {slot for slot, _ in self._set_slots}
        following: list[tuple[int, Formula]] = []
        for slot, formula in self._ordering.steps:
            if touched & self._ordering.needs[slot]:
                touched.add(slot)
                following.append((slot, formula))
        return following

    def _said(self, quantity: Quantity) -> float | None:
        """The number the file gives."""
        kind, id = quantity
        network = self.network
        if quantity == TIME:
            return 0.0
        if id in network.species_by_id:
            species = network.species_by_id[id]
            return species.initial_amount if kind == "amount" else species.initial_concentration
        if id in network.compartment_by_id:
            return network.compartment_by_id[id].size
        if id in network.stoichiometry_by_id:
            return network.stoichiometry_by_id[id].stoichiometry
        if id in network.parameter_by_id:
            return network.parameter_by_id[id].value
        return next(p.value for reaction in network.reactions for p in reaction.local_parameters if p.id == id)

    def _define(self, quantity: Quantity) -> Compiled | None:
        kind, id = quantity
        network = self.network
        if kind in ("flow", "change"):
            return define_change(network, quantity)
        if quantity in self._set or quantity == TIME or kind == "concentration":
            return None
        if id in network.species_by_id:
            return self._of_species(kind, network.species_by_id[id])
        rule = network.initial_assignments.get(id, network.assignment_rules.get(id))
        if rule is None and id in network.reaction_by_id:
            rate = network.reaction_by_id[id].rate
            return ([], lambda _: lambda __: 0.0) if rate is None else by_formula(rate)
        return None if rule is None else by_formula(rule)

    def _of_species(self, kind: str, species: Species) -> Compiled | None:
        id = species.id
        size, amount, value, concentration = ("value", species.compartment), ("amount", id), ("value", id), ("concentration", id)
        is_set = amount in self._set or concentration in self._set
        rule = None if is_set else self.network.initial_assignments.get(id, self.network.assignment_rules.get(id))
        if kind == "value":
            if rule is not None:
                return by_formula(rule)
            return by_copy(amount) if species.substance_only else by_quotient(amount, size)
        if rule is not None:
            return by_copy(value) if species.substance_only else by_product(value, size)
        as_concentration = concentration in self._set or (amount not in self._set and species.initial_concentration is not None)
        return by_product(concentration, size) if as_concentration else None


def merge_state(network: Network, values: StartValues, state: Mapping[str, float], settings: Mapping[str, float]) -> StartValues:
    """Start values whose state is that of another moment, except where a setting names it.

    Parameters
    ----------
    network : Network
    values : StartValues
        With the settings in them.
    state : dict of str to float
        Amounts of species, values of all else that changes.
    settings : dict of str to float
        As in `StartPlan.evaluate`.
    """
    fixed = {id for _, id in (setting_quantity(network, name) for name in settings)}
    carried: dict[Quantity, float] = {
        ("amount" if id in network.species_by_id else "value", id): value for id, value in state.items() if id not in fixed
    }
    merged = values.with_values(carried)
    for species in network.species:
        if species.id not in network.assignment_rules:
            amount, size = merged.of(("amount", species.id)), merged.of(("value", species.compartment))
            carried["value", species.id] = amount if species.substance_only else amount / size if size else math.nan
    return values.with_values(carried)


def setting_quantity(network: Network, name: str) -> Quantity:
    """What a name sets: of a species "S" its amount, "[S]" its concentration; of anything else its value."""
    if name.startswith("["):
        return ("concentration", name[1:-1])
    return ("amount" if name in network.species_by_id else "value", name)


def setting_faults(network: Network, names: Iterable[str]) -> list[Fault]:
    """Why some of the names cannot be set."""
    faults: list[Fault] = []
    seen: dict[str, str] = {}
    settable = [*network.parameter_by_id, *network.compartment_by_id, *network.species_by_id]
    for name in names:
        id = name[1:-1] if name.startswith("[") and name.endswith("]") and name[1:-1] in network.species_by_id else name
        place = f'{network.source}, setting "{name}"'
        if id not in settable and not (id in network.stoichiometry_by_id and stoichiometry_varies(network, id)):
            faults.append(_not_settable(network, place, name, settable))
        elif id in network.assignment_rules:
            cure = "Set what the rule depends on."
            faults.append(Fault(place=place, found="a value that a rule of the model gives", expected="a free value", cure=cure))
        elif id in seen:
            faults.append(Fault(place=place, found=f"{seen[id]} set as well", expected="one of the two", cure="Leave one out."))
        seen[id] = name
    return faults


def _not_settable(network: Network, place: str, name: str, settable: list[str]) -> Fault:
    expected = "a parameter, a compartment or a species of the model"
    if name in network.reaction_by_id:
        return Fault(place=place, found="the rate of a reaction", expected=expected, cure="Set the parameters of its rate.")
    if any(name == local.id for reaction in network.reactions for local in reaction.local_parameters):
        cure = "Make it a parameter of the whole model in the file."
        return Fault(place=place, found="a reaction's own parameter", expected=expected, cure=cure)
    listed = f"The model has {', '.join(settable[:12])}{' ...' if len(settable) > 12 else ''}."
    return Fault(place=place, found="an unknown id", expected=expected, cure=did_you_mean(name, settable, otherwise=listed))


def _not_finite(network: Network, name: str, value: float) -> Fault:
    return Fault(
        place=f'{network.source}, setting "{name}"', found=f"{value}", expected="a finite number", cure="Correct the number."
    )


def _open_value(network: Network, id: str) -> Fault:
    return Fault(
        place=f"{network.source}, {id}", found="no value", expected="a value: the model's formulas need it",
        cure=f"Give it one in the file, or set {id} to a number.",
    )  # fmt: skip
