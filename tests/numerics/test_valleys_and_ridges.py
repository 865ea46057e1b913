"""Valleys of densities, and ridges of clouds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thrombokit.numerics.ridges import follow_ridge
from thrombokit.numerics.valleys import smooth_density, valleys


@given(st.floats(0.2, 0.8), st.integers(0, 1000))
def test_the_valley_lies_between_two_hills(share: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = np.where(rng.random(8000) < share, rng.normal(0, 1, 8000), rng.normal(8, 1, 8000))
    found = min(valleys(values, -4, 12, narrower=1.0), key=lambda v: v.depth)
    assert 2.0 < found.at < 6.0
    assert found.depth < 0.05
    assert found.share_below == pytest.approx(share, abs=0.03)


def test_one_hill_has_no_deep_valley_and_the_density_sums_to_one() -> None:
    values = np.random.default_rng(1).normal(0, 1, 8000)
    assert all(v.depth > 0.6 for v in valleys(values, -4, 4, narrower=1.0, least_share=0.02))
    assert smooth_density(values, -4, 4)[1].sum() == pytest.approx(1.0, abs=0.02)
    assert not smooth_density(values, 50, 60)[1].any()


def test_the_ridge_is_followed_past_a_larger_cloud_below_it() -> None:
    rng = np.random.default_rng(2)
    x = np.concatenate([np.clip(rng.gamma(4.0, 0.3, 20_000), 0, 4), rng.uniform(2, 3, 4_000)])  # beyond 2 the second is the larger
    y = np.concatenate([-0.1 * x[:20_000] ** 2, -0.1 * x[20_000:] ** 2 - 0.5])
    assert (x[:20_000] > 2).sum() < 3000
    y += 0.03 * rng.standard_normal(x.size)
    ridge = follow_ridge(x, y, strip=0.1)
    assert ridge is not None
    places = np.linspace(0.3, 2.8, 50)
    assert ridge.at(places) == pytest.approx(-0.1 * places**2, abs=0.02)
    assert ridge.sd_at(places) == pytest.approx(np.full(50, 0.03), abs=0.012)


def test_a_gap_that_holds_only_the_second_cloud_is_bridged() -> None:
    rng = np.random.default_rng(4)
    x = np.concatenate([rng.uniform(0, 1, 20_000), rng.uniform(1.6, 2, 600), rng.uniform(1, 1.6, 2000)])
    y = -0.2 * x**2 + np.concatenate([np.zeros(20_600), np.full(2000, -0.15)]) + 0.02 * rng.standard_normal(x.size)
    ridge = follow_ridge(x, y, strip=0.05, one_sided=True)
    assert ridge is not None
    places = np.linspace(0.1, 1.95, 40)
    assert np.abs(ridge.at(places) + 0.2 * places**2).max() < 0.05


def test_the_ridge_goes_on_straight_beyond_its_ends() -> None:
    x = np.linspace(0.0, 1.0, 2000)
    ridge = follow_ridge(x, 2.0 * x + 0.01 * np.random.default_rng(3).standard_normal(2000), strip=0.05)
    assert ridge is not None
    assert ridge.at(np.array([-1.0, 2.0])) == pytest.approx([-2.0, 4.0], abs=0.1)


def test_few_points_have_no_ridge_and_equal_ones_a_flat_one() -> None:
    assert follow_ridge(np.arange(20.0), np.arange(20.0), strip=0.1) is None
    flat = follow_ridge(np.ones(100), np.full(100, 3.0), strip=0.1)
    assert flat is not None
    assert flat.at(np.array([0.0, 5.0])) == pytest.approx([3.0, 3.0])
