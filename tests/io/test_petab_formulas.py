"""Formulas of PEtab: what they mean, over arrays, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thrombokit.io.petab_formulas import FormulaError, parse_formula
from thrombokit.signalling.array_formulas import compile_arrays, derivatives, evaluate_arrays

NAMES = {"x": np.array([0.3, 2.0]), "y": np.array([1.5, 0.5]), "time": np.array([4.0, 5.0])}


def values(text: str) -> np.ndarray:
    return evaluate_arrays(compile_arrays(parse_formula(text), place="here"), NAMES, 2)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-2^2", -4), ("2^3^2", 512), ("2**-1", 0.5), ("6/3/2", 1), ("8-3-2", 3), ("2*-3", -6), ("1e-2*100", 1), (".5+1.", 1.5),
        ("log(100, 10)", 2), ("log(exp(3))", 3), ("ln(exp(3))", 3), ("log10(1000)", 3), ("log2(8)", 3), ("sqrt(16)", 4), ("pow(2, 5)", 32),
        ("abs(-3)", 3), ("min(4, 2, 3)", 2), ("max(4, 2, 3)", 4), ("sign(-2)", -1), ("floor(2.7) + ceil(2.2)", 5),
        ("piecewise(1, 2 > 3, 5)", 5), ("piecewise(1, 2 < 3, 5)", 1), ("1 < 2 && !(2 <= 1) || 0", 1), ("3 == 3 != 1", 0),
        ("heaviside(0)", 0.5), ("sin(0) + cos(0)", 1), ("arctan(1) - atan(1)", 0), ("sec(0)", 1), ("arccot(1) - arctan(1)", 0),
    ],
)  # fmt: skip
def test_meanings(text: str, expected: float) -> None:
    np.testing.assert_allclose(values(text), expected, rtol=1e-14, atol=1e-15)


def test_names_are_columns() -> None:
    np.testing.assert_allclose(values("100 * x / (y + x) - time"), 100 * NAMES["x"] / (NAMES["x"] + NAMES["y"]) - NAMES["time"])


def test_a_long_sum_is_no_tower() -> None:
    assert values(" + ".join(["x"] * 3000))[0] == pytest.approx(900)
    assert values(" - ".join(["x"] * 1001) + " + 1")[0] == pytest.approx(-298.7)
    assert values("*".join(["1.001"] * 2000))[0] == pytest.approx(1.001**2000)
    assert values("(x + y) + (x + y) - x")[1] == pytest.approx(3.0)


_SMOOTH = (
    "x*y + x/y - y", "x^3 * y^2.5", "exp(-x)*log(y + 1)", "sqrt(x*x + y)", "piecewise(x*x, x > 1, y*x)", "abs(x - y)",
    "log10(x) + log(y, 3)", "max(x, y)*min(x, y)", "x^y", "tanh(x) + arcsin(x/10) + cot(y)", "0^x + x^0", "(x - x)^2*y",
)  # fmt: skip


@pytest.mark.parametrize("text", _SMOOTH)
@given(x=st.floats(0.1, 3.0), y=st.floats(0.2, 3.0))
def test_derivatives_are_exact(text: str, x: float, y: float) -> None:
    if abs(x - y) < 1e-3 or abs(x - 1) < 1e-3:
        return  # at a corner there is none
    formula = compile_arrays(parse_formula(text), place="here")
    at = {"x": np.array([x]), "y": np.array([y])}
    found = derivatives(formula, at, ["x", "y"], 1)
    for name in ("x", "y"):
        step = 1e-6
        up, down = ({**at, name: at[name] + sign * step} for sign in (1, -1))
        slope = (evaluate_arrays(formula, up, 1) - evaluate_arrays(formula, down, 1))[0] / (2 * step)
        assert found[name][0] == pytest.approx(slope, rel=1e-5, abs=1e-6)


@given(
    numbers=st.lists(st.floats(0.1, 9.0), min_size=2, max_size=6), signs=st.lists(st.sampled_from("+-*/"), min_size=5, max_size=5)
)
def test_chains_of_operators_are_those_of_arithmetic(numbers: list[float], signs: list[str]) -> None:
    text = repr(numbers[0]) + "".join(f" {sign} {number!r}" for sign, number in zip(signs, numbers[1:], strict=False))
    terms, factor = [0.0], [numbers[0]]
    outer = 1.0
    for sign, number in zip(signs, numbers[1:], strict=False):
        if sign in "+-":
            terms.append(outer * factor.pop())
            factor, outer = [number], 1.0 if sign == "+" else -1.0
        else:
            factor[0] = factor[0] * number if sign == "*" else factor[0] / number
    assert values(text)[0] == pytest.approx(math.fsum([*terms, outer * factor[0]]), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the end of the formula, where a number, a name or a bracket was expected"),
        ("2 +", "the end of the formula, where a number"),
        ("(1", 'the end of the formula, where ")" was expected'),
        ("a b", '"b" at character 3, where an operator'),
        ("a $ b", '"$" at character 3, which no formula has'),
        ("gamma(2)", 'the function "gamma" at character 1, which PEtab 1 does not have'),
        ("__import__(1)", 'the function "__import__"'),
        ("exp(1, 2)", "exp with 2 arguments at character 1, it takes 1"),
        ("(" * 300 + "1" + ")" * 300, "more than 50 brackets"),
    ],
)
def test_what_is_no_formula(text: str, words: str) -> None:
    with pytest.raises(FormulaError) as caught:
        parse_formula(text)
    assert words in str(caught.value)


@given(text=st.text(alphabet="xy12.+-*/^()<>=!&|, elog", max_size=40))
def test_any_text_is_a_formula_or_refused(text: str) -> None:
    said = "a formula"
    try:
        compile_arrays(parse_formula(text), place="here")
    except FormulaError as error:
        said = str(error)
    assert said
