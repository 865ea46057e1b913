"""Formulas of a PEtab problem: text to a tree of `signalling.expression`, never to code.

The language is PEtab's: + - * / ^ (or **), comparisons, && || !, brackets, and named functions; `log(x)` is the natural logarithm,
`log(x, base)` any other. A power binds stronger than a sign before it and groups from the right, so -2^2 is -4 and 2^3^2 is 512.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from thrombokit.signalling.expression import TRIGONOMETRIC, Call, Expression, Name, Number

MOST_CHARACTERS, MOST_DEPTH = 200_000, 50
_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_]\w*)|(?P<sign>\*\*|&&|\|\||==|!=|<=|>=|[-+*/^()<>!,]))",
    re.ASCII,
)
_LEVELS: tuple[dict[str, str], ...] = (
    {"||": "or"},
    {"&&": "and"},
    {"==": "eq", "!=": "neq", "<": "lt", ">": "gt", "<=": "leq", ">=": "geq"},
    {"+": "plus", "-": "minus"},
    {"*": "times", "/": "divide"},
)
CONSTANTS = {"pi": math.pi, "inf": math.inf, "e": math.e, "true": 1.0, "false": 0.0}
"""Names that are numbers, where neither the model nor the tables use the name for something else."""


class FormulaError(ValueError):
    """The text is no formula; the message says what was found and at which character."""


def parse_formula(text: str) -> Expression:
    """The tree of a formula.

    Parameters
    ----------
    text : str
        As written in an observable or noise formula.

    Raises
    ------
    FormulaError
        If the text is no formula, or uses a function that PEtab 1 does not have.

    References
    ----------
    Schmiester et al. 2021, doi:10.1371/journal.pcbi.1008646 (PEtab); the grammar is written anew from its documentation.
    """
    if len(text) > MOST_CHARACTERS:
        raise FormulaError(f"{len(text)} characters, at most {MOST_CHARACTERS} are read")
    reader = _Reader(text)
    expression = reader.binary(0)
    if not reader.at_end:
        raise FormulaError(f'"{reader.symbol}" at character {reader.position + 1}, where an operator or the end was expected')
    return expression


class _Reader:
    """A cursor over the symbols of one text."""

    def __init__(self, text: str) -> None:
        self.symbols = _symbols_of(text)
        self.at, self.depth = 0, 0

    @property
    def at_end(self) -> bool:
        return self.symbols[self.at][0] == "end"

    @property
    def symbol(self) -> str:
        return self.symbols[self.at][1]

    @property
    def position(self) -> int:
        return self.symbols[self.at][2]

    def takes(self, *signs: str) -> str | None:
        """The sign at the cursor, passed over, if it is one of these."""
        kind, symbol, _ = self.symbols[self.at]
        if kind != "sign" or symbol not in signs:
            return None
        self.at += 1
        return symbol

    def needs(self, sign: str) -> None:
        if self.takes(sign) is None:
            said = "the end of the formula" if self.at_end else f'"{self.symbol}" at character {self.position + 1}'
            raise FormulaError(f'{said}, where "{sign}" was expected')

    def binary(self, level: int) -> Expression:
        if level == len(_LEVELS):
            return self.signed()
        left = self.binary(level + 1)
        while (sign := self.takes(*_LEVELS[level])) is not None:
            left = _joined(_LEVELS[level][sign], left, self.binary(level + 1))
        return left

    def signed(self) -> Expression:
        self.depth += 1
        if self.depth > MOST_DEPTH:
            raise FormulaError(f"more than {MOST_DEPTH} brackets or signs within one another")
        sign = self.takes("-", "+", "!")
        if sign is None:
            result = self.power()
        elif sign == "!":
            result = Call("not", (self.signed(),))
        else:
            inner = self.signed()
            result = inner if sign == "+" else Number(-inner.value) if isinstance(inner, Number) else Call("minus", (inner,))
        self.depth -= 1
        return result

    def power(self) -> Expression:
        base = self.atom()
        return base if self.takes("^", "**") is None else Call("power", (base, self.signed()))

    def atom(self) -> Expression:
        if self.takes("(") is not None:
            inner = self.binary(0)
            self.needs(")")
            return inner
        kind, symbol, position = self.symbols[self.at]
        if kind in ("end", "sign"):
            said = "the end of the formula" if kind == "end" else f'"{symbol}" at character {position + 1}'
            raise FormulaError(f"{said}, where a number, a name or a bracket was expected")
        self.at += 1
        if kind == "number":
            return Number(float(symbol))
        if self.takes("(") is None:
            return Call("time") if symbol == "time" else Name(symbol)
        arguments = [] if self.takes(")") is not None else self.arguments()
        return _call(symbol, tuple(arguments), position)

    def arguments(self) -> list[Expression]:
        found = [self.binary(0)]
        while self.takes(",") is not None:
            found.append(self.binary(0))
        self.needs(")")
        return found


def _joined(function: str, left: Expression, right: Expression) -> Expression:
    """Two operands; a sum or product goes on growing in breadth, so that a sum of a thousand terms is no tower of a thousand."""
    if not isinstance(left, Call) or len(left.arguments) < 2:
        return Call(function, (left, right))
    if function == left.function == "times":
        return Call("times", (*left.arguments, right))
    if function in ("plus", "minus") and left.function in ("plus", "minus"):
        terms = left.arguments if left.function == "plus" else (left.arguments[0], Call("minus", left.arguments[1:]))
        return Call("plus", (*terms, right if function == "plus" else Call("minus", (right,))))
    return Call(function, (left, right))


def _symbols_of(text: str) -> list[tuple[str, str, int]]:
    found: list[tuple[str, str, int]] = []
    at, end = 0, len(text.rstrip())
    while at < end:
        matched = _TOKEN.match(text, at)
        if matched is None:
            place = at + len(text[at:]) - len(text[at:].lstrip())
            raise FormulaError(f'"{text[place]}" at character {place + 1}, which no formula has')
        kind = str(matched.lastgroup)
        found.append((kind, matched[kind], matched.start(kind)))
        at = matched.end()
    return [*found, ("end", "", end)]


def _call(function: str, arguments: tuple[Expression, ...], position: int) -> Expression:
    made = _CALLS.get(function)
    if made is None:
        raise FormulaError(f'the function "{function}" at character {position + 1}, which PEtab 1 does not have')
    counts, build = made
    if (counts and len(arguments) not in counts) or not arguments:
        wanted = " or ".join(str(n) for n in counts) or "at least 1"
        raise FormulaError(f"{function} with {len(arguments)} arguments at character {position + 1}, it takes {wanted}")
    return build(arguments)


def _log(arguments: tuple[Expression, ...]) -> Expression:
    return Call("ln", arguments) if len(arguments) == 1 else Call("log", (arguments[1], arguments[0]))


def _sign(arguments: tuple[Expression, ...]) -> Expression:
    (x,) = arguments
    zero = Number(0.0)
    return Call("piecewise", (Number(1.0), Call("gt", (x, zero)), Number(-1.0), Call("lt", (x, zero)), zero))


def _step(arguments: tuple[Expression, ...]) -> Expression:
    at_zero = arguments[1] if len(arguments) == 2 else Number(0.5)
    x, zero = arguments[0], Number(0.0)
    return Call("piecewise", (Number(1.0), Call("gt", (x, zero)), zero, Call("lt", (x, zero)), at_zero))


def _plain(name: str) -> Callable[[tuple[Expression, ...]], Expression]:
    return lambda arguments: Call(name, arguments)


_Made = tuple[tuple[int, ...], Callable[[tuple[Expression, ...]], Expression]]
_ONE_ARGUMENT: dict[str, _Made] = {name: ((1,), _plain(name)) for name in ("exp", "ln", "abs", "floor", *TRIGONOMETRIC)}
_CALLS: dict[str, _Made] = {
    **_ONE_ARGUMENT,
    **{"a" + name[3:]: made for name, made in _ONE_ARGUMENT.items() if name.startswith("arc")},
    "ceil": ((1,), _plain("ceiling")),
    "ceiling": ((1,), _plain("ceiling")),
    "min": ((), _plain("min")),
    "max": ((), _plain("max")),
    "piecewise": ((), _plain("piecewise")),
    "pow": ((2,), _plain("power")),
    "power": ((2,), _plain("power")),
    "sqrt": ((1,), lambda arguments: Call("root", (Number(2.0), *arguments))),
    "log": ((1, 2), _log),
    "log10": ((1,), lambda arguments: Call("log", (Number(10.0), *arguments))),
    "log2": ((1,), lambda arguments: Call("log", (Number(2.0), *arguments))),
    "sign": ((1,), _sign),
    "heaviside": ((1, 2), _step),
}
