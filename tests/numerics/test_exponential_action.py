"""e^{A t} v at many times, against scipy's matrix exponential and laws it must keep."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import expm

from thrombokit.numerics.exponential_action import act_exponential

TWO_COMPARTMENTS = np.array([[-5.0, 0.0, 0.0], [5.0, -0.7, 0.05], [0.0, 0.3, -0.05]])
CHAIN = np.diag([-0.1] * 21) + np.diag([0.1] * 20, -1)
SIGNED = np.array([[-0.2, -0.4, 0.1], [0.3, -0.1, 0.0], [0.2, -0.6, -0.5]])


def acted(a: np.ndarray, start: np.ndarray, times: np.ndarray) -> np.ndarray:
    """The kernel's answer, shape (n, n_times)."""
    out = np.empty((start.size, times.size))
    act_exponential(a, start, times, out)
    return out


@pytest.mark.parametrize("a", [TWO_COMPARTMENTS, 100.0 * TWO_COMPARTMENTS, CHAIN, SIGNED, np.zeros((2, 2))])
def test_agrees_with_scipy(a: np.ndarray) -> None:
    """Fast, slow, equal and signed rates, and times from 1e-6 to 168."""
    start, times = np.linspace(1.0, 2.0, a.shape[0]), np.geomspace(1e-6, 168.0, 24)
    expected = np.stack([expm(a * t) @ start for t in times], axis=1)
    np.testing.assert_allclose(acted(a, start, times), expected, rtol=1e-10, atol=1e-12 * np.abs(expected).max())


@given(rates=st.lists(st.floats(1e-4, 40.0), min_size=4, max_size=4), last=st.floats(1e-3, 500.0))
def test_amounts_are_kept_and_never_negative(rates: list[float], last: float) -> None:
    """A closed chain: what leaves one compartment arrives in the next."""
    a = np.diag([-rates[0], -rates[1], -rates[2], 0.0]) + np.diag(rates[:3], -1)
    out = acted(a, np.array([1.0, 0.0, 0.0, 0.0]), np.linspace(0.0, last, 9))
    assert (out >= 0.0).all()
    np.testing.assert_allclose(out.sum(axis=0), 1.0, rtol=1e-14 * (100.0 + max(rates) * last))


def test_small_entries_keep_their_digits() -> None:
    """The last of 21 equal transits after a short time: (k t)^20 e^{-k t} / 20!, far below rounding of the largest entry."""
    out = acted(CHAIN, np.eye(21)[0], np.array([0.5]))[-1, 0]
    assert out == pytest.approx(0.05**20 * np.exp(-0.05) / np.prod(np.arange(1.0, 21.0)), rel=1e-13)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e300])
def test_what_is_not_finite_is_not_a_number_throughout(bad: float) -> None:
    """No finite fragment is left of an answer that cannot be known."""
    a = TWO_COMPARTMENTS.copy()
    a[1, 0] = bad
    assert np.isnan(acted(a, np.ones(3), np.array([1.0, 2.0]))).all()
