"""Huber's and Tukey's functions: consistent with each other, 95 % efficient as published, and a scale that divides."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from thrombokit.numerics.m_estimates import (
    HUBER,
    HUBER_K,
    TUKEY,
    TUKEY_C,
    mad_scale,
    mad_scales,
    robust_loss,
    robust_slope,
    robust_weight,
)

KINDS = pytest.mark.parametrize("kind", [HUBER, TUKEY])


@KINDS
@pytest.mark.parametrize("u", [-6.0, -3.0, -1.0, 0.2, 1.2, 2.5, 4.5, 9.0])
def test_psi_is_the_slope_of_rho_and_its_own_slope_is_told(kind: int, u: float) -> None:
    step = 1e-5
    psi = lambda v: v * robust_weight(kind, v)  # noqa: E731
    assert (robust_loss(kind, u + step) - robust_loss(kind, u - step)) / (2 * step) == pytest.approx(psi(u), abs=1e-6)
    assert (psi(u + step) - psi(u - step)) / (2 * step) == pytest.approx(robust_slope(kind, u), abs=1e-6)


@KINDS
def test_on_normal_noise_they_keep_95_per_cent_of_the_precision(kind: int) -> None:
    """Published with the constants 1.345 and 4.685 (Huber & Ronchetti 2009; Holland & Welsch 1977): variance ratio 0.95."""
    density = lambda u: np.exp(-u * u / 2) / np.sqrt(2 * np.pi)  # noqa: E731
    edges = [-TUKEY_C, -HUBER_K, HUBER_K, TUKEY_C]
    slope = quad(lambda u: robust_slope(kind, u) * density(u), -9, 9, points=edges, limit=200)[0]
    square = quad(lambda u: (u * robust_weight(kind, u)) ** 2 * density(u), -9, 9, points=edges, limit=200)[0]
    assert slope**2 / square == pytest.approx(0.95, abs=5e-4)


def test_a_far_point_pulls_no_harder_with_huber_and_not_at_all_with_tukey() -> None:
    assert 50.0 * robust_weight(HUBER, 50.0) == pytest.approx(5.0 * robust_weight(HUBER, 5.0)) == pytest.approx(1.345)
    assert robust_weight(TUKEY, 4.7) == 0.0


@given(st.lists(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=12), min_size=1, max_size=5), st.integers(1, 6))
def test_scales_of_many_curves_are_those_of_each(curves: list[list[float]], n_parameters: int) -> None:
    starts = np.concatenate([[0], np.cumsum([len(c) for c in curves])])
    expected = []
    for curve in curves:
        kept = np.sort(np.abs(curve))[min(n_parameters - 1, len(curve) - 1) :]
        expected.append(1.4826 * np.median(kept))
        assert mad_scale(np.array(curve), n_parameters) == pytest.approx(expected[-1])
    np.testing.assert_allclose(mad_scales(np.concatenate(curves), starts, n_parameters), expected)


def test_it_is_the_standard_deviation_of_normal_noise_and_a_third_of_wild_points_does_not_break_it() -> None:
    noise = 3.0 * np.random.default_rng(1).standard_normal(20_000)
    assert mad_scale(noise, 4) == pytest.approx(3.0, rel=0.03)
    noise[::3] = 1e9
    assert mad_scale(noise, 4) < 6.0
