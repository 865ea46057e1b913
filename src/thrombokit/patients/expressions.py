"""Expressions of a model file as values: numbers, names and calls.

A tree has the three kinds of node of `numerics.expression_tree`: `Number` (of 0 or more as written; a negative one is
`Call("neg", ...)`), `Name` (of a compartment, a record value, a data column ...), and `Call` with a function of `ARGUMENT_COUNTS`.
Comparisons are the numbers 1 (holds) and 0; `if` is lazy: the branch that is not taken is never computed.

Precedence, weakest first: comparison (one, never a chain), `+ -`, `* /`, unary minus, `^` (from right to left). So -2^2 is -4,
2^-1 is 0.5, 2^3^2 is 512.
"""

from __future__ import annotations

from thrombokit.numerics.expression_tree import Call, Expression, Name, Number, names_in, nodes_of, substitute

__all__ = [
    "ARGUMENT_COUNTS", "COMPARISONS", "FUNCTIONS", "ONE", "ZERO", "Call", "Expression", "Name", "Number", "expression_text", "minus",
    "names_in", "negative", "nodes_of", "over", "plus", "substitute", "times",
]  # fmt: skip

COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")
FUNCTIONS = ("exp", "log", "sqrt", "min", "max", "if")
ARGUMENT_COUNTS: dict[str, tuple[int, int | None]] = {
    **dict.fromkeys(("+", "-", "*", "/", "^", *COMPARISONS), (2, 2)),
    **dict.fromkeys(("neg", "exp", "log", "sqrt"), (1, 1)),
    **dict.fromkeys(("min", "max"), (2, None)),
    "if": (3, 3),
}
"""Every function a `Call` may have, with the least and the largest number of its arguments (None: any)."""

_STRENGTH = {**dict.fromkeys(COMPARISONS, 1), "+": 2, "-": 2, "*": 3, "/": 3, "neg": 4, "^": 5}
_ATOM = 6


ZERO, ONE = Number(0.0), Number(1.0)


def expression_text(expression: Expression) -> str:
    """The expression as a model file writes it, with no more parentheses than needed: "CL/(V*1000)"."""
    return _text(expression, 0)


def _text(expression: Expression, outer: int) -> str:
    if isinstance(expression, Number):
        return repr(expression.value).removesuffix(".0")
    if isinstance(expression, Name):
        return expression.id
    function, arguments = expression.function, expression.arguments
    own = _STRENGTH.get(function, _ATOM)
    if function == "neg":
        text = f"-{_text(arguments[0], own)}"
    elif own == _ATOM:
        return f"{function}({', '.join(_text(argument, 0) for argument in arguments)})"
    else:
        text = _infix_text(function, arguments, own)
    return f"({text})" if own < outer else text


def _infix_text(function: str, arguments: tuple[Expression, ...], own: int) -> str:
    if function == "^":  # right-associative; its exponent may begin with a minus sign
        return f"{_text(arguments[0], own + 1)}^{_text(arguments[1], _STRENGTH['neg'])}"
    left, right = _text(arguments[0], own + 1 if own == 1 else own), _text(arguments[1], own + 1)
    return f"{left}{function}{right}" if own == _STRENGTH["*"] else f"{left} {function} {right}"


def plus(first: Expression, second: Expression) -> Expression:
    """The sum, without zeros."""
    if first == ZERO:
        return second
    return first if second == ZERO else Call("+", (first, second))


def minus(first: Expression, second: Expression) -> Expression:
    """The difference, without zeros."""
    if second == ZERO:
        return first
    return negative(second) if first == ZERO else Call("-", (first, second))


def times(first: Expression, second: Expression) -> Expression:
    """The product, without zeros and ones."""
    if ZERO in (first, second):
        return ZERO
    if first == ONE:
        return second
    return first if second == ONE else Call("*", (first, second))


def over(first: Expression, second: Expression) -> Expression:
    """The quotient, without ones below and zeros above."""
    return first if second == ONE or first == ZERO else Call("/", (first, second))


def negative(expression: Expression) -> Expression:
    """The expression with its sign turned."""
    if expression == ZERO:
        return ZERO
    if isinstance(expression, Call) and expression.function == "neg":
        return expression.arguments[0]
    return Call("neg", (expression,))
