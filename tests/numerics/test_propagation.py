"""Error propagation: laws of products and sums, limits of counts, shared sources."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta, gamma

from thrombokit.numerics.propagation import (
    count_spread,
    exact,
    factor_spread,
    interval_of,
    measured,
    share_spread,
    upper_limit_of_none,
    variance_shares,
)

POSITIVE = st.floats(0.01, 1e6)


def test_limits_of_counts_and_shares_are_those_of_jeffreys() -> None:
    spread = count_spread(7, confidence=0.95)
    assert 7 * math.exp(-spread.down) == pytest.approx(gamma.ppf(0.025, 7.5), rel=1e-9)
    assert 7 * math.exp(spread.up) == pytest.approx(gamma.ppf(0.975, 7.5), rel=1e-9)
    share = share_spread(3, 40, confidence=0.9)
    assert 3 / 40 * math.exp(share.up) == pytest.approx(beta.ppf(0.95, 3.5, 37.5), rel=1e-9)
    assert share_spread(40, 40, confidence=0.95).up == 0.0
    assert upper_limit_of_none(confidence=0.95) == pytest.approx(3.6889, abs=1e-4)


def test_a_small_count_is_skewed_and_a_factor_is_not() -> None:
    small, factor = count_spread(3, confidence=0.95), factor_spread(0.1, confidence=0.95)
    assert small.down > 1.2 * small.up
    assert factor.down == factor.up == pytest.approx(1.96 * math.sqrt(math.log(1.01)), rel=1e-4)


@given(POSITIVE, POSITIVE, POSITIVE)
def test_elasticities_of_products_and_quotients_are_one_and_minus_one(a: float, b: float, c: float) -> None:
    number = measured(a, "a") * measured(b, "b") / measured(c, "c")
    assert number.value == pytest.approx(a * b / c)
    elasticity = {source: slope / number.value for source, slope in number.slopes.items()}
    assert elasticity == pytest.approx({"a": 1.0, "b": 1.0, "c": -1.0})


@given(POSITIVE, POSITIVE)
def test_a_source_that_cancels_leaves_no_error(a: float, b: float) -> None:
    volume = measured(a, "volume")
    number = volume * b / volume
    spreads = {"volume": factor_spread(0.3, confidence=0.95)}
    low, high = interval_of(number, spreads)
    assert (low, high) == pytest.approx((b, b), rel=1e-6)


@given(st.floats(1, 100), st.floats(0.01, 0.99))
def test_slopes_agree_with_differences(a: float, share: float) -> None:
    def kept(factor: float) -> float:
        taken = share * a * factor
        return (a - taken) / a

    number = (measured(a, "v") - measured(share * a, "t")) / measured(a, "v")
    step = 1e-6
    slope = (kept(math.exp(step)) - kept(math.exp(-step))) / (2 * step)
    assert number.slopes["t"] == pytest.approx(slope, rel=1e-5, abs=1e-9)


@given(st.floats(0.001, 1e6))
def test_the_interval_of_an_exact_number_is_the_number(value: float) -> None:
    assert interval_of(exact(value) * exact(2.0), {}) == (value * 2.0, value * 2.0)
    assert variance_shares(exact(value), {}) == {}


def test_shares_of_the_error_sum_to_one_and_follow_the_squares() -> None:
    spreads = {"a": factor_spread(0.03, confidence=0.95), "b": factor_spread(0.04, confidence=0.95)}
    shares = variance_shares(measured(5.0, "a") / measured(2.0, "b"), spreads)
    assert shares == pytest.approx({"a": 9 / 25, "b": 16 / 25}, rel=1e-3)


def test_a_skewed_denominator_swaps_its_sides() -> None:
    spreads = {"n": count_spread(4, confidence=0.95)}
    low, high = interval_of(exact(1.0) / measured(4.0, "n"), spreads)
    assert (1 / high, 1 / low) == pytest.approx((gamma.ppf(0.025, 4.5), gamma.ppf(0.975, 4.5)))


@pytest.mark.long
def test_a_ratio_of_small_counts_is_covered(print_figure: Callable[[str], None]) -> None:
    rng = np.random.default_rng(20260511)
    worst = 1.0
    for top, bottom in ((5, 50), (20, 20), (200, 1000), (8, 4000)):
        k, b = rng.poisson(top, 20_000), rng.poisson(bottom, 20_000)
        both = np.unique(np.column_stack([k, b])[(k > 0) & (b > 0)], axis=0, return_counts=True)
        hits = total = 0
        for (x, y), times in zip(*both, strict=True):
            spreads = {"x": count_spread(int(x), confidence=0.95), "y": count_spread(int(y), confidence=0.95)}
            low, high = interval_of(measured(float(x), "x") / measured(float(y), "y"), spreads)
            hits += times * (low <= top / bottom <= high)
            total += times
        print_figure(f"ratio of counts {top} to {bottom}: coverage {100 * hits / total:.2f} %")
        worst = min(worst, hits / total)
    assert worst >= 0.935
