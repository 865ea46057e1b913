"""Formulas: what they evaluate to, and that they survive being written as MathML and read again."""

from __future__ import annotations

import math
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thrombokit.io.mathml import Formulas
from thrombokit.io.mathml_shape import misshapen
from thrombokit.io.xml_tree import parse_xml
from thrombokit.numerics.expression_tree import substitute
from thrombokit.signalling.expression import TRIGONOMETRIC, Call, Expression, Name, Number, formula_text, names_in
from thrombokit.signalling.formulas import evaluate_formula
from thrombokit.signalling.mathml_text import math_element

NUMBERS = st.floats(min_value=-1e6, max_value=1e6, allow_nan=False).map(lambda value: Number(float(f"{value:.6g}")))
LEAVES = st.one_of(NUMBERS, st.sampled_from(["a", "b", "c"]).map(Name), st.just(Call("time")))


def calls(children: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    many = st.lists(children, min_size=2, max_size=4).map(tuple)
    pair = st.tuples(children, children)
    return st.one_of(
        st.builds(Call, st.sampled_from(["plus", "times", "min", "max", "and", "or", "xor", "lt", "geq"]), many),
        st.builds(Call, st.sampled_from(["minus", "divide", "power", "root", "log", "rem", "quotient", "implies", "neq"]), pair),
        st.builds(
            Call, st.sampled_from(["minus", "abs", "exp", "ln", "floor", "ceiling", "not", *TRIGONOMETRIC]), st.tuples(children)
        ),
        st.builds(Call, st.just("piecewise"), many),
    )


EXPRESSIONS = st.recursive(LEAVES, calls, max_leaves=12)
VALUES = {"a": 0.7, "b": -2.0, "c": 3.0}


def same(first: float, second: float) -> bool:
    return first == second or (math.isnan(first) and math.isnan(second))


def reread(expression: Expression) -> Expression:
    faults: list[tuple[str, ...]] = []
    element = parse_xml(ElementTree.tostring(math_element(expression)), "formula")
    assert list(misshapen(element)) == []
    read = Formulas(note_fault=lambda *told: faults.append(told)).read(element, "formula")
    assert faults == []
    return read


@given(EXPRESSIONS)
def test_a_formula_written_and_read_again_has_the_same_value(expression: Expression) -> None:
    again = reread(expression)
    assert same(evaluate_formula(again, VALUES, time=1.5), evaluate_formula(expression, VALUES, time=1.5))


@given(EXPRESSIONS)
def test_no_formula_raises(expression: Expression) -> None:
    assert isinstance(evaluate_formula(expression, VALUES, time=1.5), float)
    assert formula_text(expression)


@given(EXPRESSIONS)
def test_replacing_names_by_their_values_changes_nothing(expression: Expression) -> None:
    replaced = substitute(expression, {name: Number(value) for name, value in VALUES.items()})
    assert not names_in(replaced)
    assert same(evaluate_formula(replaced, {}, time=1.5), evaluate_formula(expression, VALUES, time=1.5))


@pytest.mark.parametrize(
    ("function", "arguments", "value"),
    [
        ("divide", (1.0, 0.0), math.inf), ("divide", (-1.0, 0.0), -math.inf), ("divide", (0.0, 0.0), math.nan), ("ln", (0.0,), -math.inf),
        ("ln", (-1.0,), math.nan), ("power", (-8.0, 1 / 3), math.nan), ("power", (0.0, -1.0), math.inf), ("exp", (1e4,), math.inf),
        ("root", (3.0, 27.0), 3.0), ("log", (2.0, 8.0), 3.0), ("factorial", (5.0,), 120.0), ("rem", (-7.0, 3.0), -1.0),
        ("quotient", (-7.0, 3.0), -2.0), ("xor", (1.0, 1.0, 1.0), 1.0), ("xor", (1.0, 1.0), 0.0), ("implies", (1.0, 0.0), 0.0),
        ("gt", (3.0, 2.0, 1.0), 1.0), ("gt", (3.0, 1.0, 2.0), 0.0), ("arcsec", (2.0,), math.pi / 3), ("arccoth", (2.0,), math.atanh(0.5)),
        ("arccot", (0.0,), math.pi / 2), ("sech", (0.0,), 1.0), ("max", (math.nan, 1.0), math.nan), ("minus", (2.0,), -2.0),
        ("piecewise", (5.0, 0.0), math.nan), ("piecewise", (5.0, 0.0, 6.0), 6.0), ("piecewise", (5.0, 1.0, 6.0), 5.0),
    ],
)  # fmt: skip
def test_values_of_functions(function: str, arguments: tuple[float, ...], value: float) -> None:
    found = evaluate_formula(Call(function, tuple(Number(one) for one in arguments)), {})
    assert found == pytest.approx(value, rel=1e-14, nan_ok=True)


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (Call("divide", (Call("times", (Name("k"), Name("S"))), Call("plus", (Name("Km"), Name("S"))))), "k*S/(Km + S)"),
        (Call("minus", (Name("a"), Call("minus", (Name("b"), Name("c"))))), "a - (b - c)"),
        (Call("power", (Call("minus", (Name("a"),)), Number(2.0))), "(-a)^2"),
        (Call("and", (Call("geq", (Call("time"), Number(2.0))), Call("lt", (Name("x"), Number(0.5))))), "time >= 2 && x < 0.5"),
        (Call("times", (Number(-1.0), Name("a"))), "(-1)*a"),
    ],
)
def test_formulas_can_be_read_by_people(expression: Expression, text: str) -> None:
    assert formula_text(expression) == text
