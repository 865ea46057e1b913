"""Formulas made callable: a tree becomes a closure that reads a list of values.

Nothing is handed to Python's own compiler: text of a file never becomes code. Where a formula has no value (a logarithm of a negative
number, a division by zero) the result is nan or an infinity, as in floating point, never an exception.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from thrombokit.signalling.expression import Call, Expression, Formula, Name, Number, Values


def compile_formula(expression: Expression, slot_of: Callable[[Expression], int]) -> Formula:
    """The formula as a function of a list of values.

    Parameters
    ----------
    expression : Expression
    slot_of : function
        The place in the list of a `Name`, of `Call("time")` and of `Call("rateOf", (Name(x),))`.

    Returns
    -------
    function
        list of float -> float.
    """
    if isinstance(expression, Number):
        value = expression.value
        return lambda _: value
    if isinstance(expression, Name) or expression.function in ("time", "rateOf"):
        slot = slot_of(expression)
        return lambda values: values[slot]
    arguments = [compile_formula(argument, slot_of) for argument in expression.arguments]
    special = _SPECIAL.get(expression.function)
    if special is not None:
        return special(arguments)
    function = _PLAIN[expression.function]
    if len(arguments) == 1:
        (only,) = arguments
        return lambda values: function(only(values))
    if len(arguments) == 2:
        first, second = arguments
        return lambda values: function(first(values), second(values))
    return lambda values: function(*[argument(values) for argument in arguments])


def evaluate_formula(expression: Expression, names: dict[str, float], *, time: float = 0.0) -> float:
    """The value of a formula, the values of its names given; rateOf is not known here and gives nan."""
    ids = list(names)
    values = [time, math.nan, *names.values()]
    places = {id: 2 + place for place, id in enumerate(ids)}

    def slot_of(node: Expression) -> int:
        if isinstance(node, Name):
            return places[node.id]
        return 0 if isinstance(node, Call) and node.function == "time" else 1

    return compile_formula(expression, slot_of)(values)


def _sum(terms: Sequence[Formula]) -> Formula:
    if len(terms) == 2:
        first, second = terms
        return lambda values: first(values) + second(values)
    return lambda values: sum([term(values) for term in terms])


def _product(factors: Sequence[Formula]) -> Formula:
    if len(factors) == 2:
        first, second = factors
        return lambda values: first(values) * second(values)
    if len(factors) == 3:
        first, second, third = factors
        return lambda values: first(values) * second(values) * third(values)
    return lambda values: math.prod([factor(values) for factor in factors])


def _minus(terms: Sequence[Formula]) -> Formula:
    if len(terms) == 1:
        (only,) = terms
        return lambda values: -only(values)
    first, second = terms
    return lambda values: first(values) - second(values)


def _piecewise(parts: Sequence[Formula]) -> Formula:
    pieces = [(parts[at], parts[at + 1]) for at in range(0, len(parts) - 1, 2)]
    otherwise = parts[-1] if len(parts) % 2 else None

    def chosen(values: Values) -> float:
        for value, condition in pieces:
            if condition(values):
                return value(values)
        return otherwise(values) if otherwise is not None else math.nan

    return chosen


def _all(conditions: Sequence[Formula]) -> Formula:
    return lambda values: float(all(condition(values) for condition in conditions))


def _any(conditions: Sequence[Formula]) -> Formula:
    return lambda values: float(any(condition(values) for condition in conditions))


def _odd(conditions: Sequence[Formula]) -> Formula:
    return lambda values: float(sum(bool(condition(values)) for condition in conditions) % 2)


def _chain(holds: Callable[[float, float], bool]) -> Callable[[Sequence[Formula]], Formula]:
    """a < b < c holds where each pair of neighbours does."""

    def compiled(terms: Sequence[Formula]) -> Formula:
        def value(values: Values) -> float:
            numbers = [term(values) for term in terms]
            return float(all(holds(a, b) for a, b in pairwise(numbers)))

        return value

    return compiled


_SPECIAL: dict[str, Callable[[Sequence[Formula]], Formula]] = {
    "plus": _sum, "times": _product, "minus": _minus, "piecewise": _piecewise, "and": _all, "or": _any, "xor": _odd,
    "eq": _chain(lambda a, b: a == b), "neq": _chain(lambda a, b: a != b), "gt": _chain(lambda a, b: a > b),
    "lt": _chain(lambda a, b: a < b), "geq": _chain(lambda a, b: a >= b), "leq": _chain(lambda a, b: a <= b),
}  # fmt: skip


def _divide(a: float, b: float) -> float:
    if b == 0.0:
        return math.nan if a == 0.0 or math.isnan(a) else math.copysign(math.inf, a) * math.copysign(1.0, b)
    return a / b


def _power(a: float, b: float) -> float:
    try:
        return math.pow(a, b)
    except OverflowError:
        return math.inf if a > 0.0 or b % 2.0 == 0.0 else -math.inf
    except ValueError:
        return math.inf if a == 0.0 else math.nan


def _guarded(function: Callable[..., float]) -> Callable[..., float]:
    """nan where the function is not defined, infinity where the result is too large."""

    def value(*arguments: float) -> float:
        try:
            return float(function(*arguments))
        except (ValueError, ZeroDivisionError):
            return math.nan
        except OverflowError:
            return math.inf

    return value


def _log(x: float) -> float:
    return -math.inf if x == 0.0 else math.log(x)


def _smallest(*numbers: float) -> float:
    return math.nan if any(map(math.isnan, numbers)) else min(numbers)


def _largest(*numbers: float) -> float:
    return math.nan if any(map(math.isnan, numbers)) else max(numbers)


def _reciprocal(function: Callable[[float], float]) -> Callable[[float], float]:
    return lambda x: 1.0 / function(x)


def _of_reciprocal(function: Callable[[float], float]) -> Callable[[float], float]:
    return lambda x: function(1.0 / x)


_PLAIN: dict[str, Callable[..., float]] = {
    "divide": _divide, "power": _power, "root": lambda degree, x: _power(x, _divide(1.0, degree)), "abs": math.fabs,
    "exp": _guarded(math.exp), "ln": _guarded(_log), "log": _guarded(lambda base, x: _log(x) / math.log(base)),
    "floor": _guarded(math.floor), "ceiling": _guarded(math.ceil), "factorial": _guarded(lambda x: math.gamma(x + 1.0)),
    "not": lambda x: float(not x), "implies": lambda a, b: float(not a or bool(b)), "min": _smallest, "max": _largest,
    "rem": _guarded(math.fmod), "quotient": _guarded(lambda a, b: math.trunc(a / b)),
}  # fmt: skip


def _add_trigonometry(table: dict[str, Callable[..., float]]) -> None:
    library: Any = vars(math)
    for hyperbolic in ("", "h"):
        for name, reciprocal in (("sin", "csc"), ("cos", "sec"), ("tan", "cot")):
            forward, backward = library[name + hyperbolic], library["a" + name + hyperbolic]
            table[name + hyperbolic] = _guarded(forward)
            table["arc" + name + hyperbolic] = _guarded(backward)
            table[reciprocal + hyperbolic] = _guarded(_reciprocal(forward))
            table["arc" + reciprocal + hyperbolic] = _guarded(_of_reciprocal(backward))


_add_trigonometry(_PLAIN)
_PLAIN["arccot"] = lambda x: math.copysign(math.pi / 2.0, x) if x == 0.0 else math.atan(1.0 / x)
