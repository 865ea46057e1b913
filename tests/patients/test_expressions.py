"""The expression grammar: what is read, what it is worth, and what is refused."""

from __future__ import annotations

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from thrombokit.patients.expression_parser import (
    DEEPEST_TREE,
    LONGEST_TEXT,
    WORDS_THAT_ARE_NO_NAMES,
    ExpressionError,
    parse_expression,
)
from thrombokit.patients.expression_values import evaluate
from thrombokit.patients.expressions import (
    ARGUMENT_COUNTS,
    Call,
    Expression,
    Name,
    Number,
    expression_text,
    names_in,
    nodes_of,
    substitute,
)

NAMES = ("CL", "V", "central", "_x1")


def calls(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    """Any call with arguments from `inner`."""

    def call(function: str) -> st.SearchStrategy[Expression]:
        least, most = ARGUMENT_COUNTS[function]
        return st.lists(inner, min_size=least, max_size=most or least + 2).map(lambda found: Call(function, tuple(found)))

    return st.sampled_from(sorted(ARGUMENT_COUNTS)).flatmap(call)


numbers = st.floats(min_value=0.0, allow_nan=False, allow_infinity=False).map(lambda value: Number(abs(value)))
expressions: st.SearchStrategy[Expression] = st.recursive(numbers | st.sampled_from(NAMES).map(Name), calls, max_leaves=25)


@given(expressions)
@example(Call("^", (Call("neg", (Name("V"),)), Call("neg", (Number(2.0),)))))
@example(Call("-", (Name("V"), Call("-", (Name("V"), Call("/", (Name("CL"), Call("/", (Name("V"), Name("CL"))))))))))
def test_what_is_printed_is_read_back_as_the_same_tree(expression: Expression) -> None:
    assert parse_expression(expression_text(expression)) == expression


@given(expressions)
def test_spaces_and_capital_function_names_mean_nothing(expression: Expression) -> None:
    text = expression_text(expression)
    spaced = text.replace("(", " ( ").replace(",", " , ").replace("exp", "EXP").replace("min", "Min")
    assert parse_expression(spaced) == expression


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-2^2", -4.0), ("2^-1", 0.5), ("2^3^2", 512.0), ("(2^3)^2", 64.0), ("7 - 2 - 1", 4.0), ("8/4/2", 1.0), ("8/(4/2)", 4.0),
        ("--3", 3.0), ("+3", 3.0), ("2*-3", -6.0), ("1.5e3", 1500.0), (".5", 0.5), ("5.", 5.0), ("2E-2", 0.02), ("1 + 2*3", 7.0),
        ("2 > 1", 1.0), ("2 < 1", 0.0), ("1 == 1", 1.0), ("1 != 1", 0.0), ("1 + 1 >= 2", 1.0), ("(1 < 2) + (2 < 1)", 1.0),
        ("if(1 < 2, 10, 20)", 10.0), ("if(0, 10, 20)", 20.0), ("if(0.1, 10, 20)", 10.0), ("min(3, 1, 2)", 1.0), ("max(3, 1)", 3.0),
        ("exp(log(5))", 5.0), ("sqrt(16)", 4.0), ("if(1 < 2, 1, 1/0)", 1.0), ("if(1 < 2, if(1 > 2, 3, 4), 5)", 4.0),
    ],
)  # fmt: skip
def test_precedence_and_functions(text: str, value: float) -> None:
    assert evaluate(parse_expression(text), {}) == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize("text", ["log(-1)", "sqrt(-1)", "0/0", "(-8)^(1/3)", "min(0/0, 1)", "max(1, 0/0)"])
def test_what_has_no_value_is_nan(text: str) -> None:
    assert math.isnan(evaluate(parse_expression(text), {}))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1/0", math.inf),
        ("-1/0", -math.inf),
        ("log(0)", -math.inf),
        ("exp(1000)", math.inf),
        ("10^400", math.inf),
        ("0^-1", math.inf),
    ],
)
def test_what_is_too_large_is_infinite(text: str, value: float) -> None:
    assert evaluate(parse_expression(text), {}) == value


REFUSED = [
    ('__import__("os")', 'the function "__import__"', "one of the functions exp, log, sqrt, min, max, if", "Only these functions"),
    ("__class__", 'the word "__class__"', "a number, a name or (", "one underscore"),
    ("CL.real", '"."', "an expression", "nothing is looked up inside it"),
    ('"text"', '"""', "an expression", "give categories numbers"),
    ("'a'", '"\'"', "an expression", "give categories numbers"),
    ("x[0]", '"["', "an expression", "no lists"),
    ("a; b", '";"', "an expression", "One expression an entry"),
    ("CL**2", '"**"', "an expression", "Write ^"),
    ("a = b", '"="', "an expression", "Write =="),
    ("a && b", '"&"', "an expression", "two conditions"),
    ("a | b", '"|"', "an expression", "either of two"),
    ("!a", '"!"', "an expression", "if(cond, 0, 1)"),
    ("a ? b : c", '"?"', "an expression", "if(cond, a, b)"),
    ("7 % 2", '"%"', "an expression", "no remainder"),
    ("a and b", '"and"', "an expression", "the product of the two"),
    ("a or b", '"or"', "an expression", "the max of the two"),
    ("not a", 'the word "not"', "a name", "if(cond, 0, 1)"),
    ("a if b else c", '"if"', "an expression", "if(cond, a, b)"),
    ("exp", 'the word "exp"', "a name", "exp(...)"),
    ("lambda x", '"x"', "an expression", "Put an operator"),
    ("2 CL", '"CL"', "an expression", "Put an operator"),
    ("ln(2)", 'the function "ln"', "one of the functions", "natural logarithm"),
    ("log10(2)", 'the function "log10"', "one of the functions", "log(x)/log(10)"),
    ("abs(2)", 'the function "abs"', "one of the functions", "max(x, -x)"),
    ("sqr(2)", 'the function "sqr"', "one of the functions", 'Did you mean "sqrt"?'),
    ("eval(2)", 'the function "eval"', "one of the functions", ""),
    ("if(1, 2)", "if with 2 arguments", "expected 3", "if(cond, a, b)"),
    ("exp()", "exp with 0 arguments", "expected 1", "exp(...)"),
    ("max(1)", "max with 1 argument;", "2 or more", "max(...)"),
    ("a < b < c", "a second comparison <", "an expression", "two sides"),
    ("(1 + 2", "the end of the text", '")"', "Complete"),
    ("1 + 2)", '")"', "an expression", "Correct"),
    ("1 +", "the end of the text", "an expression", "Complete"),
    ("", "an empty text", "an expression", "remove the entry"),
    ("   ", "an empty text", "an expression", "remove the entry"),
    ("1e999", "the number 1e999", "below 1.8e308", "Correct the number"),
    ("Cl\u00e9", '"\u00e9"', "an expression", ""),
    ("(" * 5000, "nested too deep", f"at most {DEEPEST_TREE}", "entries of their own"),
    ("-" * 5000 + "1", "nested too deep", f"at most {DEEPEST_TREE}", "entries of their own"),
    ("2^" * 5000 + "1", "nested too deep", f"at most {DEEPEST_TREE}", "entries of their own"),
    ("1+" * 5000 + "1", "nested too deep", f"at most {DEEPEST_TREE}", "entries of their own"),
    ("1" * (LONGEST_TEXT + 1), f"{LONGEST_TEXT + 1} characters", f"at most {LONGEST_TEXT}", "entries of their own"),
]


@pytest.mark.parametrize(("text", "found", "expected", "cure"), REFUSED, ids=[text[:16] or "empty" for text, *_ in REFUSED])
def test_everything_else_is_refused_with_a_cure(text: str, found: str, expected: str, cure: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_expression(text)
    message = str(caught.value)
    assert found in message
    assert expected in message
    assert cure in message
    assert 1 <= caught.value.position <= len(text) + 1


@given(st.text(max_size=60))
def test_any_text_is_an_expression_or_refused(text: str) -> None:
    position, names = _read(text)
    assert 1 <= position <= len(text) + 1
    assert all(name.isascii() and name.casefold() not in WORDS_THAT_ARE_NO_NAMES for name in names)


def _read(text: str) -> tuple[int, tuple[str, ...]]:
    """Where the text was refused (1: nowhere), and the names it reads."""
    try:
        return 1, names_in(parse_expression(text))
    except ExpressionError as error:
        return error.position, ()


@given(expressions)
def test_a_substituted_name_is_gone(expression: Expression) -> None:
    replaced = substitute(expression, {"CL": Number(3.0), "V": Name("W")})
    assert not {"CL", "V"} & set(names_in(replaced))
    assert len(list(nodes_of(replaced))) == len(list(nodes_of(expression)))
    assert substitute(expression, {}) == expression
