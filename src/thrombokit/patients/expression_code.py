"""Expression -> source of a kernel, written from the tree alone: no name and no text of a file enters the source, only places and numbers.

`SMALLER_AND_LARGER` must stand in the module before. A value that cannot be computed is nan or an infinity, as in `expression_values.evaluate`.
"""

from __future__ import annotations

from collections.abc import Callable

from thrombokit.patients.expressions import COMPARISONS, Call, Expression, Name, Number

SMALLER_AND_LARGER = """
@numba.njit(error_model="numpy", inline="never", cache=CACHE, no_cfunc_wrapper=True)
def smaller(a, b):
    return a if a < b or a != a else b


@numba.njit(error_model="numpy", inline="never", cache=CACHE, no_cfunc_wrapper=True)
def larger(a, b):
    return a if a > b or a != a else b
"""

_STRENGTH = {"+": 1, "-": 1, "*": 2, "/": 2}


def value_code(expression: Expression, place_of: Callable[[str], str]) -> str:
    """Source of a float64.

    Parameters
    ----------
    expression : Expression
    place_of : function
        The source text from which the value of a name is read, such as "r[3]".
    """
    if isinstance(expression, Number):
        return repr(float(expression.value))
    if isinstance(expression, Name):
        return place_of(expression.id)
    function = expression.function
    if function in _STRENGTH:
        return f"({_chain(expression, place_of)})"
    if function in COMPARISONS:
        return f"(1.0 if {_condition(expression, place_of)} else 0.0)"
    if function == "if":
        condition, first, second = expression.arguments
        return f"({value_code(first, place_of)} if {_condition(condition, place_of)} else {value_code(second, place_of)})"
    arguments = [value_code(argument, place_of) for argument in expression.arguments]
    if function in ("min", "max"):
        text = arguments[0]
        for argument in arguments[1:]:
            text = f"{'smaller' if function == 'min' else 'larger'}({text}, {argument})"
        return text
    if function == "^":
        return f"({arguments[0]} ** {arguments[1]})"
    return f"(-{arguments[0]})" if function == "neg" else f"math.{function}({arguments[0]})"


def _chain(expression: Call, place_of: Callable[[str], str]) -> str:
    """a + b - c without a parenthesis for each step: long sums stay flat."""
    steps: list[str] = []
    strength = _STRENGTH[expression.function]
    node: Expression = expression
    while isinstance(node, Call) and _STRENGTH.get(node.function) == strength:
        node, right = node.arguments[0], (node.function, node.arguments[1])
        steps.append(f" {right[0]} {value_code(right[1], place_of)}")
    return value_code(node, place_of) + "".join(reversed(steps))


def _condition(expression: Expression, place_of: Callable[[str], str]) -> str:
    if isinstance(expression, Call) and expression.function in COMPARISONS:
        left, right = (value_code(argument, place_of) for argument in expression.arguments)
        return f"{left} {expression.function} {right}"
    return f"{value_code(expression, place_of)} != 0.0"
