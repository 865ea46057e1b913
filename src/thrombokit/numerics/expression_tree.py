"""Expressions as values: a tree of numbers, names and calls, whatever language it was written in.

Each language says which functions a `Call` may have, how many arguments they take and what they mean; here is only what holds for all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Number:
    """A number."""

    value: float


@dataclass(frozen=True, slots=True)
class Name:
    """The value of something that has a name in the model."""

    id: str


@dataclass(frozen=True, slots=True)
class Call:
    """An operator or a function with its arguments."""

    function: str
    arguments: tuple[Expression, ...] = ()


Expression: TypeAlias = Number | Name | Call


def nodes_of(expression: Expression) -> Iterator[Expression]:
    """Every node of the tree, from the root down."""
    waiting = [expression]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, Call):
            waiting.extend(reversed(node.arguments))


def names_in(expression: Expression) -> tuple[str, ...]:
    """The names the expression reads, each once, in the order they are written."""
    return tuple(dict.fromkeys(node.id for node in nodes_of(expression) if isinstance(node, Name)))


def substitute(expression: Expression, replacements: Mapping[str, Expression]) -> Expression:
    """The expression with some names replaced, all at once; the others stay."""
    if isinstance(expression, Name):
        return replacements.get(expression.id, expression)
    if isinstance(expression, Call):
        return Call(expression.function, tuple(substitute(argument, replacements) for argument in expression.arguments))
    return expression
