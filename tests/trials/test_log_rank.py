"""Log-rank and its kin: laws, a sum done by hand, and the cases without an answer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.trials.survival_samples import data_of, subjects

from thrombokit import InputError
from thrombokit.trials.log_rank import compare_arms

Rows = list[tuple[int, int, int, int]]


def test_by_hand() -> None:
    # arm 0: events at 1 and 3; arm 1: event at 2, censored at 4
    test = compare_arms(data_of([(1, 1, 0, 0), (3, 1, 0, 0), (2, 1, 1, 0), (4, 0, 1, 0)], n_arms=2))
    expected = 2 / 4 + 1 / 3 + 1 / 2
    variance = 1 / 4 + 2 / 9 + 1 / 4
    assert test.expected[0] == pytest.approx(expected)
    assert test.observed == (2, 1)
    assert test.statistic == pytest.approx((2 - expected) ** 2 / variance)
    assert (test.df, test.verdict, test.name) == (1, "tested", "log-rank")


def test_weights_by_hand() -> None:
    rows = [(1, 1, 0, 0), (3, 1, 0, 0), (2, 1, 1, 0), (4, 0, 1, 0)]
    before = np.array([1.0, 3 / 4, 2 / 4])
    excess, spread = np.array([1 - 1 / 2, -1 / 3, 1 - 1 / 2]), np.array([1 / 4, 2 / 9, 1 / 4])
    for rho, gamma in ((1.0, 0.0), (0.0, 1.0), (0.5, 2.0)):
        weight = before**rho * (1 - before) ** gamma
        test = compare_arms(data_of(rows, n_arms=2), rho=rho, gamma=gamma)
        assert test.statistic == pytest.approx((weight @ excess) ** 2 / (weight**2 @ spread))
        assert test.name == f"Fleming-Harrington ({rho:g}, {gamma:g})"


@settings(max_examples=40)
@given(subjects(n_arms=3), st.permutations(range(3)), st.sampled_from([(0.0, 0.0), (1.0, 0.0), (0.0, 1.0)]))
def test_the_names_of_the_arms_do_not_matter(rows: Rows, order: list[int], weights: tuple[float, float]) -> None:
    rho, gamma = weights
    one = compare_arms(data_of(rows, n_arms=3), rho=rho, gamma=gamma)
    other = compare_arms(data_of([(t, c, order[a], s) for t, c, a, s in rows], n_arms=3), rho=rho, gamma=gamma)
    assert (one.verdict, one.df) == (other.verdict, other.df)
    if one.statistic is not None:
        assert other.statistic == pytest.approx(one.statistic, rel=1e-6, abs=1e-9)
        assert one.statistic >= -1e-12
        assert 0.0 <= one.p <= 1.0
    assert [other.expected[order[k]] for k in range(3)] == pytest.approx(list(one.expected))
    assert sum(one.expected) == pytest.approx(sum(one.observed))


@settings(max_examples=40)
@given(subjects(n_arms=2), st.floats(0.5, 50.0))
def test_only_the_order_of_the_times_matters(rows: Rows, power: float) -> None:
    data = data_of(rows, n_arms=2)
    later = data_of([(t * 2 + 1, c, a, s) for t, c, a, s in rows], n_arms=2)
    one, other = compare_arms(data), compare_arms(later)
    assert one.statistic == (None if other.statistic is None else pytest.approx(other.statistic, rel=1e-9, abs=1e-12))


@settings(max_examples=40)
@given(subjects(n_arms=2, n_strata=3))
def test_one_stratum_repeated_at_other_times_is_the_stratified_test(rows: Rows) -> None:
    """Strata that share no time are compared apart: shifting each by its own constant does not change a stratified test."""
    one = compare_arms(data_of(rows, n_arms=2, n_strata=3))
    other = compare_arms(data_of([(t + 100 * s, c, a, s) for t, c, a, s in rows], n_arms=2, n_strata=3))
    assert one.stratified
    assert one.name == "stratified log-rank"
    assert other.statistic == (None if one.statistic is None else pytest.approx(one.statistic, rel=1e-9, abs=1e-12))


@settings(max_examples=40)
@given(subjects(n_arms=2))
def test_a_copy_of_the_data_as_second_stratum_doubles_the_statistic(rows: Rows) -> None:
    single = compare_arms(data_of(rows, n_arms=2))
    double = compare_arms(data_of([*rows, *((t, c, a, 1) for t, c, a, _ in rows)], n_arms=2, n_strata=2))
    if single.statistic is not None:
        assert double.statistic == pytest.approx(2 * single.statistic, rel=1e-9, abs=1e-12)


def test_cases_without_an_answer() -> None:
    none = compare_arms(data_of([(1, 0, 0, 0), (2, 0, 1, 0)], n_arms=2))
    assert (none.verdict, none.statistic, none.p, none.df) == ("no_events", None, None, 0)
    apart = compare_arms(data_of([(1, 1, 0, 0), (2, 1, 1, 1)], n_arms=2, n_strata=2))
    assert (apart.verdict, apart.p) == ("not_comparable", None)


def test_an_arm_that_is_never_compared_costs_no_degree_of_freedom() -> None:
    rows = [(5, 1, 0, 0), (6, 1, 1, 0), (7, 0, 0, 0), (8, 1, 1, 0), (1, 0, 2, 0)]
    with_third, without = compare_arms(data_of(rows, n_arms=3)), compare_arms(data_of(rows[:-1], n_arms=2))
    assert with_third.df == without.df == 1
    assert with_third.statistic == pytest.approx(without.statistic)


def test_a_subject_of_unknown_stratum_is_in_no_stratified_test() -> None:
    rows = [(1, 1, 0, 0), (3, 1, 0, 0), (2, 1, 1, 0), (4, 0, 1, 1), (2, 1, 0, 1)]
    with_unknown = compare_arms(data_of([*rows, (1, 1, 1, -1)], n_arms=2, n_strata=2))
    assert with_unknown.to_dict() == compare_arms(data_of(rows, n_arms=2, n_strata=2)).to_dict()


def test_what_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        compare_arms(data_of([(1, 1, 0, 0)], n_arms=1), rho=-1.0, gamma=float("nan"))
    said = str(caught.value)
    assert [
        word for word in ("rho: found -1.0", "gamma: found nan", "arm: found one arm", "Name the column") if word not in said
    ] == []


def test_data_that_are_none() -> None:
    with pytest.raises(InputError) as caught:
        data_of([(-1, 3, 2, 0), (2, 1, 0, 0)], n_arms=2)
    said = str(caught.value)
    words = ("time of subject 1: found -1", "cause: found codes from 1 to 3; expected 0 to 1", "arm: found codes from 0 to 2")
    assert [word for word in words if word not in said] == []
