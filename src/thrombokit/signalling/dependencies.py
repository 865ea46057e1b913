"""Which value of a model follows from which: formulas put into an order in which each finds its values ready.

A `Quantity` is one value: the `value` of an id in formulas (of a species its concentration, or its amount where it has only substance
units), the `amount` or the `concentration` of a species, the `change` of a value per time, the `flow` (change of the amount) of a
species. What is given (state, constants) comes first; the rest is computed in the order found here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from thrombokit.errors import Fault, InputError
from thrombokit.signalling.expression import Call, Expression, Formula, Name, Values, nodes_of
from thrombokit.signalling.formulas import compile_formula

Quantity: TypeAlias = tuple[str, str]
"""("value" | "amount" | "concentration" | "change" | "flow", id); ("time", "") is the time."""
TIME: Quantity = ("time", "")
Compiled: TypeAlias = tuple[list[Quantity], Callable[[Callable[[Quantity], int]], Formula]]
"""What a quantity is computed from, and how: given the slots of those, a function of the list of values."""


@dataclass(kw_only=True)
class Ordering:
    """Steps found so far: `slots` of quantities, the formulas to fill them with, in order, and the slots each of those `needs`.

    `define(quantity)` says how a quantity is computed, or None where it is given.
    """

    source: str
    define: Callable[[Quantity], Compiled | None]
    slots: dict[Quantity, int] = field(default_factory=dict[Quantity, int])
    given: list[Quantity] = field(default_factory=list[Quantity])
    steps: list[tuple[int, Formula]] = field(default_factory=list[tuple[int, Formula]])
    needs: dict[int, frozenset[int]] = field(default_factory=dict[int, frozenset[int]])
    open: list[Quantity] = field(default_factory=list[Quantity])

    def add(self, quantity: Quantity) -> int:
        """The slot of a quantity; what it needs is added first.

        Raises
        ------
        InputError
            If quantities follow from each other in a circle.
        """
        if quantity in self.slots:
            return self.slots[quantity]
        if quantity in self.open:
            raise InputError(self._circle(quantity))
        self.open.append(quantity)
        compiled = self.define(quantity)
        if compiled is None:
            self.given.append(quantity)
            slot = self._new_slot(quantity)
        else:
            needed, make = compiled
            from_slots = frozenset(self.add(one) for one in needed)
            slot = self._new_slot(quantity)
            self.needs[slot] = from_slots
            self.steps.append((slot, make(self.slots.__getitem__)))
        self.open.pop()
        return slot

    def _new_slot(self, quantity: Quantity) -> int:
        self.slots[quantity] = len(self.slots)
        return self.slots[quantity]

    def _circle(self, quantity: Quantity) -> Fault:
        ids = [id for _, id in (*self.open[self.open.index(quantity) :], quantity)]
        return Fault(
            place=self.source, found=f"values that follow from each other: {' -> '.join(ids)}",
            expected="rules and initial assignments without a circle", cure="Remove one of the rules, or solve them for one variable.",
        )  # fmt: skip

    def evaluate(self, given: Mapping[Quantity, float]) -> Values:
        """All values, those `given` filled in; the order of the list is that of `slots`."""
        values: Values = [0.0] * len(self.slots)
        for quantity in self.given:
            values[self.slots[quantity]] = given[quantity]
        run_steps(self.steps, values)
        return values


def run_steps(steps: Iterable[tuple[int, Formula]], values: Values) -> None:
    """Fill the computed slots of a list whose given slots are filled."""
    for slot, formula in steps:
        values[slot] = formula(values)


def quantities_in(expression: Expression) -> list[Quantity]:
    """What a formula reads."""
    found: dict[Quantity, None] = {}
    inside_rate_of: set[int] = set()
    for node in nodes_of(expression):
        if isinstance(node, Call) and node.function in ("rateOf", "time"):
            found[quantity_of(node)] = None
            inside_rate_of.update(id(argument) for argument in node.arguments)
        elif isinstance(node, Name) and id(node) not in inside_rate_of:
            found[quantity_of(node)] = None
    return list(found)


def quantity_of(node: Expression) -> Quantity:
    """The quantity a name, time() or rateOf(x) stands for."""
    if isinstance(node, Name):
        return ("value", node.id)
    if isinstance(node, Call) and node.function == "rateOf" and isinstance(node.arguments[0], Name):
        return ("change", node.arguments[0].id)
    return TIME


def by_formula(expression: Expression) -> Compiled:
    """A quantity that a formula gives."""
    return quantities_in(expression), lambda slot_of: compile_formula(expression, lambda node: slot_of(quantity_of(node)))


def by_product(first: Quantity, second: Quantity) -> Compiled:
    """first x second."""

    def make(slot_of: Callable[[Quantity], int]) -> Formula:
        a, b = slot_of(first), slot_of(second)
        return lambda values: values[a] * values[b]

    return [first, second], make


def by_quotient(first: Quantity, second: Quantity) -> Compiled:
    """first / second; nan where second is 0."""

    def make(slot_of: Callable[[Quantity], int]) -> Formula:
        a, b = slot_of(first), slot_of(second)
        return lambda values: values[a] / values[b] if values[b] else float("nan")

    return [first, second], make


def by_copy(quantity: Quantity) -> Compiled:
    """The same value under another name."""

    def make(slot_of: Callable[[Quantity], int]) -> Formula:
        slot = slot_of(quantity)
        return lambda values: values[slot]

    return [quantity], make


def by_constant(value: float) -> Compiled:
    """Always the same."""
    return [], lambda _: lambda __: value
