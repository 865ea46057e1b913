"""Formulas over whole columns at once: a tree becomes a function of named arrays, with exact derivatives.

Derivatives are complex steps: the formula is evaluated once more with one name moved by i x 1e-30, and the imaginary part is the
derivative to the last digit, as no difference is taken. Comparisons look at the real part alone. Where a formula has no value the result
is nan or an infinity, never an exception. Text never becomes code.

References
----------
Squire W, Trapp G (1998) Using complex variables to estimate derivatives of real functions. SIAM Rev 40:110-112,
doi:10.1137/S003614459631241X.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import gamma

from thrombokit.errors import Fault, InputError
from thrombokit.numerics.arrays import Array
from thrombokit.signalling.expression import Expression, Name, Number, calls_in

Numbers: TypeAlias = NDArray[Any]
ArrayFormula: TypeAlias = Callable[[Mapping[str, Numbers]], Numbers]
TIME_NAME = "time"
_STEP = 1e-30


def compile_arrays(expression: Expression, *, place: str) -> ArrayFormula:
    """The formula as a function of a dict of name to array; `time()` reads the name "time".

    Parameters
    ----------
    expression : Expression
    place : str
        Where the formula stands, for the message.

    Returns
    -------
    function
        dict of arrays of one shape (float or complex) -> array that broadcasts to that shape.

    Raises
    ------
    InputError
        If the formula uses a function that has no meaning here (rateOf).
    """
    unknown = sorted(calls_in(expression) - set(_FUNCTIONS) - {"piecewise", "time"})
    if unknown:
        raise InputError(
            Fault(
                place=place, found=f"the function {', '.join(unknown)}", expected="functions of PEtab 1", cure="Write it otherwise."
            )
        )
    return _compile(expression)


def evaluate_arrays(formula: ArrayFormula, names: Mapping[str, Array], size: int) -> Array:
    """Values of shape (size,); names hold arrays of that shape."""
    with np.errstate(all="ignore"):
        return np.broadcast_to(np.asarray(formula(names), dtype=np.float64), (size,))


def derivatives(formula: ArrayFormula, names: Mapping[str, Array], wanted: Iterable[str], size: int) -> dict[str, Array]:
    """d formula / d name for each wanted name, each of shape (size,)."""
    found: dict[str, Array] = {}
    with np.errstate(all="ignore"):
        for name in wanted:
            moved = {**names, name: names[name] + 1j * _STEP}
            found[name] = np.broadcast_to(np.imag(np.asarray(formula(moved))) / _STEP, (size,))
    return found


def _compile(expression: Expression) -> ArrayFormula:
    if isinstance(expression, Number):
        value = np.float64(expression.value)
        return lambda _: value  # pyright: ignore[reportReturnType]
    if isinstance(expression, Name):
        id = expression.id
        return lambda names: names[id]
    if expression.function == "time":
        return lambda names: names[TIME_NAME]
    arguments = [_compile(argument) for argument in expression.arguments]
    if expression.function == "piecewise":
        return _piecewise(arguments)
    function = _FUNCTIONS[expression.function]
    if len(arguments) == 2:
        first, second = arguments
        return lambda names: function(first(names), second(names))
    return lambda names: function(*[argument(names) for argument in arguments])


def _piecewise(arguments: list[ArrayFormula]) -> ArrayFormula:
    pairs = [(arguments[at], arguments[at + 1]) for at in range(0, len(arguments) - 1, 2)]
    otherwise = arguments[-1] if len(arguments) % 2 else None

    def choose(names: Mapping[str, Numbers]) -> Numbers:
        result: Any = np.nan if otherwise is None else otherwise(names)
        for value, condition in reversed(pairs):
            result = np.where(np.real(condition(names)) != 0.0, value(names), result)
        return result

    return choose


def _compared(compare: Callable[..., Any]) -> Callable[..., Any]:
    return lambda a, b: compare(np.real(a), np.real(b)).astype(float)


def _folded(fold: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    def apply(*values: Any) -> Any:
        result = values[0]
        for value in values[1:]:
            result = fold(result, value)
        return result

    return apply


def _minus(*values: Any) -> Any:
    return -values[0] if len(values) == 1 else values[0] - values[1]


def _power(base: Any, exponent: Any) -> Any:
    """As floating point has it for real numbers; a small whole exponent is multiplied out, exact also at a base of 0."""
    whole = np.real(exponent)
    if not np.iscomplexobj(exponent) and np.ndim(exponent) == 0 and whole == np.round(whole) and 0 <= whole <= 8:
        result = np.ones_like(base)
        for _ in range(int(whole)):
            result = result * base
        return result
    if np.iscomplexobj(base) or np.iscomplexobj(exponent):
        real = np.power(np.real(base), np.real(exponent))
        slope_base = np.real(exponent) * np.power(np.real(base), np.real(exponent) - 1.0) * np.imag(base)
        turn = np.where((np.imag(exponent) == 0.0) | (real == 0.0), 0.0, real * np.log(np.real(base)) * np.imag(exponent))
        return real + 1j * (np.where(np.imag(base) == 0.0, 0.0, slope_base) + turn)
    return np.power(base, exponent)


def _along(real: Callable[[Any], Any], slope: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A real function with its derivative, for arguments that may carry a small imaginary part."""

    def apply(x: Any) -> Any:
        if not np.iscomplexobj(x):
            return real(x)
        at, step = np.real(x), np.imag(x)
        return real(at) + 1j * np.where(step == 0.0, 0.0, slope(at) * step)

    return apply


_log = _along(np.log, lambda x: 1.0 / x)
_TURNS = {
    "sin": (np.sin, np.cos), "cos": (np.cos, lambda x: -np.sin(x)), "tan": (np.tan, lambda x: 1.0 / np.cos(x) ** 2),
    "sinh": (np.sinh, np.cosh), "cosh": (np.cosh, np.sinh), "tanh": (np.tanh, lambda x: 1.0 - np.tanh(x) ** 2),
    "arcsin": (np.arcsin, lambda x: 1.0 / np.sqrt(1.0 - x * x)), "arccos": (np.arccos, lambda x: -1.0 / np.sqrt(1.0 - x * x)),
    "arctan": (np.arctan, lambda x: 1.0 / (1.0 + x * x)), "arcsinh": (np.arcsinh, lambda x: 1.0 / np.sqrt(1.0 + x * x)),
    "arccosh": (np.arccosh, lambda x: 1.0 / np.sqrt(x * x - 1.0)), "arctanh": (np.arctanh, lambda x: 1.0 / (1.0 - x * x)),
}  # fmt: skip
_RECIPROCAL = {"sec": "cos", "csc": "sin", "cot": "tan", "sech": "cosh", "csch": "sinh", "coth": "tanh"}


def _choose(keep_first: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda a, b: np.where(keep_first(np.real(a), np.real(b)), a, b)


_PLAIN: dict[str, Callable[..., Any]] = {
    "plus": _folded(lambda a, b: a + b),
    "times": _folded(lambda a, b: a * b),
    "minus": _minus,
    "divide": lambda a, b: a / b,
    "power": _power,
    "root": lambda degree, x: _power(x, 1.0 / degree),
    "exp": _along(np.exp, np.exp),
    "ln": _log,
    "log": lambda base, x: _log(x) / _log(base),
    "abs": _along(np.abs, np.sign),
    "floor": lambda x: np.floor(np.real(x)),
    "ceiling": lambda x: np.ceil(np.real(x)),
    "factorial": lambda x: gamma(np.real(x) + 1.0),
    "min": _folded(_choose(np.less_equal)),
    "max": _folded(_choose(np.greater_equal)),
    "eq": _compared(np.equal),
    "neq": _compared(np.not_equal),
    "lt": _compared(np.less),
    "gt": _compared(np.greater),
    "leq": _compared(np.less_equal),
    "geq": _compared(np.greater_equal),
    "and": _folded(lambda a, b: ((np.real(a) != 0.0) & (np.real(b) != 0.0)) * 1.0),
    "or": _folded(lambda a, b: ((np.real(a) != 0.0) | (np.real(b) != 0.0)) * 1.0),
    "xor": _folded(lambda a, b: ((np.real(a) != 0.0) != (np.real(b) != 0.0)) * 1.0),
    "not": lambda a: (np.real(a) == 0.0) * 1.0,
}
_TURNED = {name: _along(real, slope) for name, (real, slope) in _TURNS.items()}
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    **_PLAIN,
    **_TURNED,
    **{name: (lambda x, turn=_TURNED[of]: 1.0 / turn(x)) for name, of in _RECIPROCAL.items()},
    **{f"arc{name}": (lambda x, turn=_TURNED[f"arc{of}"]: turn(1.0 / x)) for name, of in _RECIPROCAL.items()},
}
