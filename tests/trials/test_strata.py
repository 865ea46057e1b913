"""Two arms within strata: laws that every set of tables obeys."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thrombokit.errors import InputError
from thrombokit.numerics.arrays import Array
from thrombokit.trials.cochran_mantel_haenszel import cmh_test, generalised_cmh
from thrombokit.trials.mantel_haenszel import klingenberg, sato_variance
from thrombokit.trials.multiplicity import fixed_sequence, holm
from thrombokit.trials.proportions import compare_proportions
from thrombokit.trials.several_arms import compare_arms
from thrombokit.trials.strata import Strata
from thrombokit.trials.stratified import compare_strata
from thrombokit.trials.two_by_two import TwoByTwo


def strata_of(*counts: tuple[int, int, int, int]) -> Strata:
    tables = tuple(TwoByTwo(a=a, n=n, b=b, m=m) for a, n, b, m in counts)
    return Strata(names=tuple(f"s{k}" for k in range(len(tables))), tables=tables)


@st.composite
def tables(draw: st.DrawFn) -> tuple[int, int, int, int]:
    n, m = draw(st.integers(1, 20)), draw(st.integers(1, 20))
    return draw(st.integers(0, n)), n, draw(st.integers(0, m)), m


several = st.lists(tables(), min_size=1, max_size=4)


@given(several)
@settings(max_examples=60, deadline=None)
def test_every_set_of_tables_has_an_answer(counts: list[tuple[int, int, int, int]]) -> None:
    found = compare_strata(strata_of(*counts))
    assert -1.0 <= found.difference <= 1.0
    for name in ("miettinen_nurminen", "newcombe", "sato"):
        interval = found.difference_intervals[name]
        assert -1.0 <= interval.low <= found.difference + 1e-9
        assert found.difference - 1e-9 <= interval.high <= 1.0
    for interval in (found.odds_ratio.interval, found.risk_ratio.interval, found.exact.interval, found.firth.interval):
        assert 0.0 <= interval.low <= interval.high
        assert not math.isnan(interval.high)
    if found.exact.estimate is not None:
        assert found.exact.interval.low <= found.exact.estimate <= found.exact.interval.high
    assert found.firth.interval.low <= found.firth.estimate <= found.firth.interval.high
    assert math.isfinite(found.firth.estimate)
    assert all(t.p is None or 0.0 <= t.p <= 1.0 for t in found.tests.values())


@given(several)
@settings(max_examples=30, deadline=None)
def test_swapping_arms_turns_everything_round(counts: list[tuple[int, int, int, int]]) -> None:
    one, other = compare_strata(strata_of(*counts)), compare_strata(strata_of(*[(b, m, a, n) for a, n, b, m in counts]))
    assert other.difference == pytest.approx(-one.difference, abs=1e-12)
    for name, interval in one.difference_intervals.items():
        turned = other.difference_intervals[name]
        assert (-turned.high, -turned.low) == pytest.approx((interval.low, interval.high), abs=1e-9), name
    assert other.firth.estimate == pytest.approx(1.0 / one.firth.estimate, rel=1e-5)
    assert other.exact.p == (None if one.exact.p is None else pytest.approx(one.exact.p, rel=1e-9))
    if one.exact.interval.low > 0.0:
        assert other.exact.interval.high == pytest.approx(1.0 / one.exact.interval.low, rel=1e-6)


@given(tables())
@settings(max_examples=40, deadline=None)
def test_one_stratum_is_no_stratum(counts: tuple[int, int, int, int]) -> None:
    stratified, plain = compare_strata(strata_of(counts)), compare_proportions(*counts)
    plain_mn = plain.risk_difference.intervals["miettinen_nurminen"]
    assert stratified.difference_intervals["miettinen_nurminen"].to_list() == pytest.approx(plain_mn.to_list(), abs=1e-9)
    plain_newcombe = plain.risk_difference.intervals["newcombe"]
    assert stratified.difference_intervals["newcombe"].to_list() == pytest.approx(plain_newcombe.to_list(), abs=1e-9)
    exact = plain.odds_ratio.intervals["exact_conditional"]
    assert stratified.exact.interval.low == pytest.approx(exact.low, rel=1e-6)
    assert stratified.exact.interval.high == pytest.approx(exact.high, rel=1e-6)
    if stratified.exact.p is not None:
        assert stratified.exact.p == pytest.approx(plain.p_values["fisher"], rel=1e-9)


@given(several)
@settings(max_examples=40, deadline=None)
def test_two_by_two_is_a_case_of_the_general_tests(counts: list[tuple[int, int, int, int]]) -> None:
    strata = strata_of(*counts)
    general, plain = generalised_cmh(strata.counts()), cmh_test(strata)
    for test in (general.correlation, general.row_mean_scores, general.general_association):
        assert test.statistic == (None if plain.statistic is None else pytest.approx(plain.statistic, rel=1e-8, abs=1e-10))


def test_exact_law_by_enumeration() -> None:
    """The law of the sum of responders, against all tables of two strata with their margins."""
    strata = strata_of((3, 5, 1, 4), (2, 3, 2, 6))
    weight: dict[int, float] = {}
    for a1, a2 in itertools.product(range(6), range(4)):
        b1, b2 = 4 - a1, 4 - a2
        if 0 <= b1 <= 4 and 0 <= b2 <= 6:
            ways = math.comb(5, a1) * math.comb(4, b1) * math.comb(3, a2) * math.comb(6, b2)
            weight[a1 + a2] = weight.get(a1 + a2, 0.0) + ways
    total = sum(weight.values())
    p = sum(w for w in weight.values() if w <= weight[5] * (1 + 1e-7)) / total
    assert compare_strata(strata).exact.p == pytest.approx(p, rel=1e-12)


def test_satos_variance_is_unbiased() -> None:
    """Its expectation over all tables of two uneven strata that share a difference is the variance of the common difference."""
    shares, sizes = [(0.5, 0.3), (0.7, 0.5)], [(3, 5), (4, 2)]
    expected = 0.0
    for a1, b1, a2, b2 in itertools.product(range(4), range(6), range(5), range(3)):
        chance = math.prod(
            math.comb(n, x) * p**x * (1 - p) ** (n - x)
            for x, n, p in ((a1, 3, shares[0][0]), (b1, 5, shares[0][1]), (a2, 4, shares[1][0]), (b2, 2, shares[1][1]))
        )
        expected += chance * sato_variance(strata_of((a1, 3, b1, 5), (a2, 4, b2, 2)), 0.2)
    weights = np.array([n * m / (n + m) for n, m in sizes])
    weights /= weights.sum()
    spread = [p1 * (1 - p1) / n + p2 * (1 - p2) / m for (p1, p2), (n, m) in zip(shares, sizes, strict=True)]
    assert expected == pytest.approx(float(weights**2 @ np.array(spread)), rel=1e-12)


def test_klingenbergs_interval_does_not_collapse() -> None:
    interval = klingenberg(strata_of((0, 10, 0, 12), (0, 5, 0, 6)))
    assert interval.low < -0.01 or interval.high > 0.01 or interval.low == interval.high == 0.0
    both = klingenberg(strata_of((10, 10, 0, 12), (5, 5, 0, 6)))
    assert both.low < 1.0


def test_strata_without_one_arm_are_counted_and_left_out() -> None:
    counts = {"active": {"A": (3, 10), "B": (2, 4)}, "placebo": {"A": (1, 9), "C": (0, 3)}}
    found = compare_arms(counts, reference="placebo").comparisons[0].stratified
    assert found is not None
    assert found.strata.names == ("A",)
    assert found.strata.without_comparison == ("B", "C")
    with pytest.raises(InputError, match="no stratum with subjects in both arms"):
        compare_arms({"active": {"A": (1, 2)}, "placebo": {"B": (1, 2)}}, reference="placebo")


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=6))
def test_adjusted_p_values(p_values: list[float]) -> None:
    adjusted, sequence = holm(p_values), fixed_sequence(p_values)
    assert all(p <= q <= 1.0 for p, q in zip(p_values, adjusted, strict=True))
    assert max(adjusted) <= min(1.0, max(p * (len(p_values) - r) for r, p in enumerate(sorted(p_values)))) + 1e-15
    assert list(sequence) == [max(p_values[: k + 1]) for k in range(len(p_values))]
    assert sorted(range(len(p_values)), key=lambda k: (adjusted[k], p_values[k])) == sorted(
        range(len(p_values)), key=lambda k: p_values[k]
    )


@given(st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_scores_may_be_shifted_and_scaled(seed: int) -> None:
    counts: Array = np.random.default_rng(seed).integers(0, 6, (3, 3, 4)).astype(np.float64)
    plain = generalised_cmh(counts)
    other = generalised_cmh(counts, row_scores=np.array([5.0, 7.0, 9.0]), column_scores=-3.0 * np.arange(4.0) + 1.0)
    assert other.correlation.statistic == pytest.approx(plain.correlation.statistic, rel=1e-7, abs=1e-9)
    assert other.row_mean_scores.statistic == pytest.approx(plain.row_mean_scores.statistic, rel=1e-7, abs=1e-9)
