"""Formulas of a model as values: numbers, names and calls, as SBML means them.

A formula is a tree of the three kinds of node of `numerics.expression_tree`. The `Name` of a species is its concentration (its amount
where it has only substance units). `Call.function` is one of `FUNCTIONS`; truth values are the numbers 1 and 0. Functions that a model
defines itself are written out where they are used, so that a tree holds nothing but these.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from thrombokit.numerics.expression_tree import Call, Expression, Name, Number, nodes_of

INFIX = {"plus": " + ", "minus": " - ", "times": "*", "divide": "/", "power": "^", "eq": " == ", "neq": " != ", "gt": " > ",
         "lt": " < ", "geq": " >= ", "leq": " <= ", "and": " && ", "or": " || "}  # fmt: skip
_STRENGTH = {"or": 1, "and": 2, "eq": 3, "neq": 3, "gt": 3, "lt": 3, "geq": 3, "leq": 3, "plus": 4, "minus": 4, "times": 5,
             "divide": 5, "power": 7}  # fmt: skip
TRIGONOMETRIC = tuple(
    arc + name + hyperbolic
    for arc in ("", "arc")
    for name in ("sin", "cos", "tan", "sec", "csc", "cot")
    for hyperbolic in ("", "h")
)
"""sin, sinh ... arccoth, as MathML names them."""
FUNCTIONS = frozenset(
    (*INFIX, *TRIGONOMETRIC, "root", "abs", "exp", "ln", "log", "floor", "ceiling", "factorial", "piecewise", "xor", "not", "implies",
     "min", "max", "rem", "quotient", "time", "rateOf")
)  # fmt: skip
"""Of one or more arguments in the order of MathML. root(degree, x) and log(base, x) always have two; piecewise(value, condition, ...,
otherwise) may end without an otherwise; time() has none; rateOf(name) is the derivative of a variable."""


def names_in(expression: Expression) -> frozenset[str]:
    """Ids the formula reads, those within rateOf included."""
    return frozenset(node.id for node in nodes_of(expression) if isinstance(node, Name))


def calls_in(expression: Expression) -> frozenset[str]:
    """Functions the formula uses."""
    return frozenset(node.function for node in nodes_of(expression) if isinstance(node, Call))


def formula_text(expression: Expression, _outer: int = 0) -> str:
    """The formula for a person to read: "k1*S1/(Km + S1)"."""
    if isinstance(expression, Number):
        text = repr(expression.value).removesuffix(".0")
        return f"({text})" if _outer and text.startswith("-") else text
    if isinstance(expression, Name):
        return expression.id
    function, arguments = expression.function, expression.arguments
    if function == "minus" and len(arguments) == 1:
        return _within(f"-{formula_text(arguments[0], 6)}", 5, _outer)
    if function in INFIX and len(arguments) > 1:
        return _infix_text(function, arguments, _outer)
    if function == "time":
        return "time"
    return f"{function}({', '.join(formula_text(argument) for argument in arguments)})"


def _infix_text(function: str, arguments: tuple[Expression, ...], outer: int) -> str:
    own = _STRENGTH[function]
    first = own + 1 if function == "power" else own
    parts = [formula_text(arguments[0], first)]
    parts.extend(formula_text(argument, own + 1) for argument in arguments[1:])
    return _within(INFIX[function].join(parts), own, outer)


def _within(text: str, own: int, outer: int) -> str:
    return f"({text})" if own < outer else text


Values: TypeAlias = list[float]
Formula: TypeAlias = Callable[[Values], float]
"""A compiled formula: reads the values of names at their slots of a list."""
