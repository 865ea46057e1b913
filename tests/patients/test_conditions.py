"""Conditions of titration rules: what they hold for, and what is refused."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thrombokit.patients.conditions import ConditionError, parse_condition

NUMBERS = st.floats(0.0, 1000.0).map(lambda x: round(x, 3))


@given(NUMBERS, NUMBERS)
def test_a_comparison_holds_as_it_reads(bound: float, value: float) -> None:
    assert parse_condition(f"> {bound}").holds(value) == (value > bound)
    assert parse_condition(f">={bound}").holds(value) == (value >= bound)
    assert parse_condition(f"  <  {bound} ").holds(value) == (value < bound)
    assert parse_condition(f"<= {bound}").holds(value) == (value <= bound)


@given(NUMBERS, NUMBERS, NUMBERS)
def test_ranges_and_conjunctions(low: float, high: float, value: float) -> None:
    low, high = sorted((low, high + 0.01))
    assert parse_condition(f"{low}..{high}").holds(value) == (low <= value <= high)
    if low < high:
        assert parse_condition(f">= {low} and < {high}").holds(value) == (low <= value < high)
        assert parse_condition(f"> {low} and < {high} and < {high + 5}").holds(value) == (low < value < high)


def test_one_covers_another() -> None:
    assert parse_condition("> 150").covers(parse_condition("> 250"))
    assert not parse_condition("> 250").covers(parse_condition("> 150"))
    assert parse_condition(">= 150").covers(parse_condition("> 150"))
    assert not parse_condition("> 150").covers(parse_condition(">= 150"))
    assert parse_condition("<= 5").high == 5.0
    assert parse_condition("<= 5").low == -math.inf


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("250", '"250", which is no comparison'),
        (">> 3", '">> 3", which is no comparison'),
        ("> 3e", '"3e" in the place of a number'),
        ("> 1e999", '"1e999" in the place of a finite number'),
        ("> 5 and < 3", '"> 5 and < 3", which no value satisfies'),
        ("> 5 and <= 5", "which no value satisfies"),
        ("> 5 and", "a comparison that is missing"),
        ("> 5 or < 3", "which is no comparison"),
        ("PLATELET > 3", "which is no comparison"),
        ("9..3", "which no value satisfies"),
    ],
)
def test_what_is_no_condition_says_why(text: str, said: str) -> None:
    with pytest.raises(ConditionError) as caught:
        parse_condition(text)
    assert said in str(caught.value)
