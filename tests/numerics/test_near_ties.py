"""Times equal within rounding are one moment; the unit does not matter."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thrombokit.numerics.near_ties import merge_near_ties

days = st.lists(st.integers(0, 400), min_size=1, max_size=40)


def test_sums_and_products_that_miss_by_the_last_bit() -> None:
    times = np.array([3.3, 1.1 * 3.0, 0.1 + 0.2, 0.3, 5.0])
    assert np.unique(times).size == 5
    merged, n_merged = merge_near_ties(times)
    assert n_merged == 2
    assert merged[0] == merged[1] == min(times[:2])
    assert merged[2] == merged[3] == 0.3


def test_a_chain_of_neighbours_is_one_moment() -> None:
    times = 1.0 + 1e-8 * np.arange(6)
    merged, n_merged = merge_near_ties(times)
    assert n_merged == 5
    assert set(merged) == {1.0}


@given(days, st.floats(1e-12, 1e12))
def test_true_differences_stay_in_any_unit(values: list[int], unit: float) -> None:
    times = np.array(values, np.float64) * unit
    merged, n_merged = merge_near_ties(times)
    assert n_merged == 0
    assert np.array_equal(merged, times)


@given(days, st.integers(0, 2**32 - 1))
def test_noise_is_taken_away(values: list[int], seed: int) -> None:
    times = np.array(values, np.float64) + 1.0
    noisy = times * (1.0 + np.random.default_rng(seed).uniform(-1e-12, 1e-12, times.size))
    merged, _ = merge_near_ties(noisy)
    assert np.unique(merged).size == np.unique(times).size
    assert merged == pytest.approx(times, rel=1e-11)
