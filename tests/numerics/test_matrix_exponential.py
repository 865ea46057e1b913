"""Exponentials of small matrices: against scipy, against what is known in closed form, and entry by entry where entries are tiny."""

from __future__ import annotations

import math
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.linalg import expm

from thrombokit.numerics.matrix_exponential import exponential, exponential_and_integral

rates = arrays(np.float64, (4, 4), elements=st.floats(0.0, 3.0, width=32))


def of(a: np.ndarray, h: float) -> np.ndarray:
    out = np.empty_like(a)
    exponential(a, h, out)
    return out


def compartments(flows: np.ndarray, losses: np.ndarray) -> np.ndarray:
    """Rates between compartments: what leaves one arrives in another or is lost."""
    a = flows.copy()
    np.fill_diagonal(a, 0.0)
    return a - np.diag(a.sum(axis=0) + losses)


@given(rates, arrays(np.float64, 4, elements=st.floats(0.0, 1.0, width=32)), st.floats(0.0, 40.0))
def test_agrees_with_scipy(flows: np.ndarray, losses: np.ndarray, h: float) -> None:
    a = compartments(flows, losses)
    np.testing.assert_allclose(of(a, h), expm(a * h), rtol=1e-10, atol=1e-13)


@given(rates, st.floats(0.0, 40.0))
def test_nothing_is_lost_and_nothing_turns_negative_in_a_closed_system(flows: np.ndarray, h: float) -> None:
    found = of(compartments(flows, np.zeros(4)), h)
    assert (found >= 0.0).all()
    np.testing.assert_allclose(found.sum(axis=0), 1.0, rtol=1e-11)


@given(rates, st.floats(0.0, 5.0), st.floats(0.0, 5.0))
def test_two_steps_are_one(flows: np.ndarray, first: float, second: float) -> None:
    a = compartments(flows, np.full(4, 0.1))
    np.testing.assert_allclose(of(a, first) @ of(a, second), of(a, first + second), rtol=1e-11, atol=1e-300)


def test_equal_rates_and_tiny_entries_keep_their_digits() -> None:
    k, h = 0.7, 60.0  # a chain of equal rates has no eigenvectors; e^-42 is far below rounding of the largest entry
    a = k * (np.eye(4, k=-1) - np.eye(4))
    expected = [(k * h) ** j * math.exp(-k * h) / math.factorial(j) for j in range(4)]
    np.testing.assert_allclose(of(a, h)[:, 0], expected, rtol=1e-11)


@pytest.mark.parametrize(
    ("fast", "slow", "h"), [(1.5, 0.055, 100.0), (50.0, 0.01, 168.0), (50.0, 0.001, 8760.0), (1000.0, 0.001, 8760.0)]
)
def test_rounding_grows_with_lifetimes_of_the_fastest_compartment(fast: float, slow: float, h: float) -> None:
    found = of(np.array([[-fast, 0.0], [fast, -slow]]), h)
    k, s, t = (Decimal(value) for value in (fast, slow, h))
    exact = k / (k - s) * ((-s * t).exp() - (-k * t).exp())
    assert abs(float(Decimal(float(found[1, 0])) / exact - 1)) < 1e-13 + 4e-16 * fast * h


def test_the_far_end_of_a_long_chain_after_a_short_time() -> None:
    n, x = 20, 0.3
    expected = [x**j * math.exp(-x) / math.factorial(j) for j in range(n)]
    np.testing.assert_allclose(of(np.eye(n, k=-1) - np.eye(n), x)[:, 0], expected, rtol=1e-13)


def test_negative_entries_off_the_diagonal_are_allowed() -> None:
    a = np.array([[0.0, -1.0], [1.0, 0.0]])
    np.testing.assert_allclose(of(a, 1.0), [[math.cos(1.0), -math.sin(1.0)], [math.sin(1.0), math.cos(1.0)]], rtol=1e-14)


@given(rates, st.floats(1e-3, 20.0))
def test_integral_is_that_of_the_exponential(flows: np.ndarray, h: float) -> None:
    a = compartments(flows, np.full(4, 0.2))
    out, integral = np.empty((4, 4)), np.empty((4, 4))
    exponential_and_integral(a, h, out, integral)
    np.testing.assert_allclose(out, of(a, h), rtol=1e-11, atol=1e-300)
    np.testing.assert_allclose(a @ integral, out - np.eye(4), rtol=0.0, atol=1e-9 * (1.0 + h))


def test_integral_of_a_singular_matrix() -> None:
    out, integral = np.empty((1, 1)), np.empty((1, 1))
    exponential_and_integral(np.zeros((1, 1)), 3.0, out, integral)
    assert (out[0, 0], integral[0, 0]) == (1.0, pytest.approx(3.0, rel=1e-14))


def test_what_is_not_finite_stays_so() -> None:
    assert np.isnan(of(np.array([[np.nan]]), 1.0)).all()
    assert np.isnan(of(np.array([[-1.0]]), np.inf)).all()
