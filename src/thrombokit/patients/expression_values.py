"""The value of an expression for given names: the meaning that compiled models must agree with, and what the checks of a file use.

As in floating point, an expression without a value (a logarithm of a negative number, 0/0) is nan or an infinity, never an exception.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping

from thrombokit.patients.expressions import Expression, Name, Number


def evaluate(expression: Expression, values: Mapping[str, float]) -> float:
    """The value of an expression.

    Parameters
    ----------
    expression : Expression
    values : dict of str to float
        The value of every name in it, spelt as in the expression.
    """
    if isinstance(expression, Number):
        return expression.value
    if isinstance(expression, Name):
        return float(values[expression.id])
    if expression.function == "if":
        condition, first, second = expression.arguments
        return evaluate(first if evaluate(condition, values) != 0.0 else second, values)
    arguments = [evaluate(argument, values) for argument in expression.arguments]
    return float(_VALUE_OF[expression.function](*arguments))


def _quotient(a: float, b: float) -> float:
    if b == 0.0:
        return math.nan if a == 0.0 or math.isnan(a) else math.copysign(math.inf, a) * math.copysign(1.0, b)
    return a / b


def _power(a: float, b: float) -> float:
    try:
        return math.pow(a, b)
    except OverflowError:
        return -math.inf if a < 0.0 and b % 2.0 == 1.0 else math.inf
    except ValueError:
        if a != 0.0:
            return math.nan
        return math.copysign(math.inf, a) if b % 2.0 == 1.0 else math.inf


def _exponential(x: float) -> float:
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf


def _logarithm(x: float) -> float:
    return -math.inf if x == 0.0 else math.nan if x < 0.0 else math.log(x)


def _root(x: float) -> float:
    return math.nan if x < 0.0 else math.sqrt(x)


def _smallest(*numbers: float) -> float:
    return math.nan if any(map(math.isnan, numbers)) else min(numbers)


def _largest(*numbers: float) -> float:
    return math.nan if any(map(math.isnan, numbers)) else max(numbers)


_VALUE_OF: dict[str, Callable[..., float]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": _quotient, "^": _power, "neg": lambda x: -x, "<": operator.lt,
    "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne, "exp": _exponential,
    "log": _logarithm, "sqrt": _root, "min": _smallest, "max": _largest,
}  # fmt: skip
