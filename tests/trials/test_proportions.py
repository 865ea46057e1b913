"""Two proportions: laws that hold for every table."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thrombokit import InputError, compare_proportions
from thrombokit.numerics.restricted_binomial import under_difference, under_odds_ratio, under_ratio

arms = st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def intervals_of(document: dict[str, Any]) -> list[tuple[str, float | None, list[float | None]]]:
    out = []
    for name in ("risk_difference", "risk_ratio", "odds_ratio"):
        for method, value in document[name].items():
            if method == "estimate":
                continue
            estimate = value["estimate"] if isinstance(value, dict) else document[name]["estimate"]
            out.append((f"{name} {method}", estimate, value["interval"] if isinstance(value, dict) else value))
    return out


def check_table(a: int, n: int, b: int, m: int) -> None:
    """No exception, no NaN, existing estimates inside their intervals."""
    document = compare_proportions(a, n, b, m).to_dict()
    json.dumps(document, allow_nan=False)
    for name, estimate, (low, high) in intervals_of(document):
        lowest, highest = -math.inf if low is None else low, math.inf if high is None else high
        assert lowest <= highest, (name, a, n, b, m)
        if estimate is not None:
            assert lowest - 1e-12 <= estimate <= highest + 1e-12, (name, a, n, b, m)
    for test in document["tests"].values():
        assert test["p"] is None or 0.0 <= test["p"] <= 1.0


@pytest.mark.long
@pytest.mark.parametrize(("n", "m"), [(30, 15), (20, 10)])
def test_every_table_of_two_arms(n: int, m: int) -> None:
    for a in range(n + 1):
        for b in range(m + 1):
            check_table(a, n, b, m)


@settings(max_examples=40)
@given(arms, arms)
def test_any_table(first: tuple[int, int], second: tuple[int, int]) -> None:
    check_table(*first, *second)


@settings(max_examples=40)
@given(arms, arms)
def test_swapping_the_arms_turns_everything_round(first: tuple[int, int], second: tuple[int, int]) -> None:
    one, other = compare_proportions(*first, *second), compare_proportions(*second, *first)
    for method, interval in one.risk_difference.intervals.items():
        turned = other.risk_difference.intervals[method]
        assert (interval.low, interval.high) == pytest.approx((-turned.high, -turned.low), abs=1e-9)
    for measure in ("risk_ratio", "odds_ratio"):
        for method, interval in getattr(one, measure).intervals.items():
            turned = getattr(other, measure).intervals[method]
            assert interval.low * turned.high == pytest.approx(1.0, rel=1e-7) or {interval.low, turned.high} == {0.0, math.inf}
    for test, p in one.p_values.items():
        assert other.p_values[test] == (None if p is None else pytest.approx(p, rel=1e-6))


@given(arms, arms, st.floats(-0.999, 0.999))
def test_the_restricted_likelihood_has_no_higher_point(first: tuple[int, int], second: tuple[int, int], difference: float) -> None:
    def log_likelihood(p1: np.ndarray, p2: np.ndarray) -> np.ndarray:
        with np.errstate(divide="ignore", invalid="ignore"):
            terms = [
                np.where(k > 0, k * np.log(np.maximum(p, 0)), 0.0) for k, p in zip(counts, (p1, 1 - p1, p2, 1 - p2), strict=True)
            ]
        return np.sum(terms, axis=0)

    (a, n), (b, m) = first, second
    counts = (a, n - a, b, m - b)
    grid = np.linspace(0, 1, 2001)[1:-1]
    p2 = max(0.0, -difference) + grid * (min(1.0, 1.0 - difference) - max(0.0, -difference))
    for found, others in (
        (under_difference(a, n, b, m, difference), (p2 + difference, p2)),
        (
            under_ratio(a, n, b, m, math.exp(3 * difference)),
            (grid * min(1.0, math.exp(3 * difference)), grid * min(1.0, math.exp(-3 * difference))),
        ),
        (under_odds_ratio(a, n, b, m, math.exp(3 * difference)), (1 / (1 + (1 / grid - 1) * math.exp(-3 * difference)), grid)),
    ):
        assert log_likelihood(*map(np.array, found)) >= log_likelihood(*others).max() - 1e-9


def test_a_wider_confidence_is_wider() -> None:
    narrow, wide = (compare_proportions(7, 20, 3, 25, confidence=c) for c in (0.9, 0.99))
    for measure in ("risk_difference", "risk_ratio", "odds_ratio"):
        for method, interval in getattr(narrow, measure).intervals.items():
            wider = getattr(wide, measure).intervals[method]
            assert wider.low < interval.low < interval.high < wider.high


def test_a_confidence_that_is_none() -> None:
    with pytest.raises(InputError, match="confidence: found 95"):
        compare_proportions(1, 2, 1, 2, confidence=95)
