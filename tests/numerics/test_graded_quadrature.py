"""Graded quadrature: exact where it must be, quick to converge at a dose arrival, and honest about its error."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thrombokit.numerics.graded_quadrature import (
    MAX_PANELS,
    N_COEFFICIENTS,
    PANEL_NODES,
    cut_panels,
    graded_nodes,
    place_nodes,
)


def concentration(t: np.ndarray, ka: float = 3.0) -> np.ndarray:
    """One-compartment oral concentration from an empty start."""
    return 40.0 * ka / (ka - 0.1) * (np.exp(-0.1 * t) - np.exp(-ka * t))


def hill(power: float) -> Callable[[np.ndarray], np.ndarray]:
    """1 + Emax C^power / (EC50^power + C^power), EC50 = 30."""
    return lambda t: 1.0 + 12.0 * concentration(t) ** power / (30.0**power + concentration(t) ** power)


def integral(f: Callable[[np.ndarray], np.ndarray], length: float, since: float = 0.0, n_panels: int = 1) -> float:
    """By the mesh under test."""
    times, weights = graded_nodes(length, since=since, n_panels=n_panels)
    return float(weights @ f(times))


def fine(f: Callable[[np.ndarray], np.ndarray], length: float) -> float:
    """By 40 panels that shrink geometrically towards 0, 24 nodes each."""
    x, w = np.polynomial.legendre.leggauss(24)
    edges = np.concatenate([[0.0], length * 0.5 ** np.arange(39, -1, -1)])
    middle, half = 0.5 * (edges[1:] + edges[:-1])[:, None], 0.5 * np.diff(edges)[:, None]
    return float((half * w * f(middle + half * x)).sum())


def estimate(f: Callable[[np.ndarray], np.ndarray], length: float, n_panels: int) -> float:
    """The error of the worst panel, absolute: the larger of its two highest Legendre coefficients."""
    edges, worst = np.linspace(0.0, np.sqrt(length), n_panels + 1), 0.0
    times, weights, rows = np.empty(PANEL_NODES), np.empty(PANEL_NODES), np.empty((PANEL_NODES, N_COEFFICIENTS))
    for panel in range(n_panels):
        place_nodes(0.0, edges[panel], edges[panel + 1], times, weights, rows)
        worst = max(worst, float(np.abs(f(times) @ rows).max()))
    return worst


@given(since=st.floats(0.0, 1000.0), length=st.floats(1e-3, 500.0), power=st.integers(0, 15), n_panels=st.integers(1, 5))
def test_exact_for_polynomials(since: float, length: float, power: int, n_panels: int) -> None:
    """A polynomial of degree 15 in t has degree 31 in y, with the slope 2 y."""
    got = integral(lambda t: (t / length) ** power, length, since, n_panels)
    assert got == pytest.approx(length / (power + 1), rel=1e-9)


def test_square_roots_at_the_arrival_are_exact() -> None:
    """A branch point at the arrival is none in y."""
    assert integral(np.sqrt, 24.0) == pytest.approx(24.0**1.5 / 1.5, rel=1e-14)


@pytest.mark.parametrize("power", [1.0, 1.7, 2.0])
def test_panels_converge_geometrically(power: float) -> None:
    """One, two, four, eight panels: the error falls every time, a hundredfold or more each on average, down to rounding."""
    exact = fine(hill(power), 24.0)
    errors = [abs(integral(hill(power), 24.0, n_panels=n) / exact - 1.0) for n in (1, 2, 4, 8)]
    assert errors[0] > errors[1] > errors[2] > errors[3]
    assert errors[2] < errors[0] / 10**4
    assert errors[3] < 1e-13


@given(
    power=st.sampled_from([0.5, 1.0, 1.3, 1.7, 2.0, 3.0]),
    ka=st.floats(0.2, 12.0),
    k=st.floats(0.01, 0.5),
    size=st.floats(0.03, 300.0),
    n_panels=st.integers(1, 4),
)
def test_an_estimate_below_the_tolerance_is_never_below_the_error(
    power: float, ka: float, k: float, size: float, n_panels: int
) -> None:
    """What passes at 1e-6 of the integral errs by less than 1e-6 of it."""

    def drive(t: np.ndarray) -> np.ndarray:
        c = size * ka * (t * np.exp(-k * t) if abs(ka - k) < 1e-9 else (np.exp(-k * t) - np.exp(-ka * t)) / (ka - k))
        c = np.maximum(c, 0.0)
        return 1.0 + 12.0 * c**power / (1.0 + c**power)

    exact = fine(drive, 24.0)
    if estimate(drive, 24.0, n_panels) <= 1e-6 * exact:
        assert abs(integral(drive, 24.0, n_panels=n_panels) / exact - 1.0) < 1e-6


def test_a_kink_is_seen() -> None:
    """A corner in the middle: the estimate is at least the true error."""
    drive = lambda t: np.abs(t - 7.3)  # noqa: E731
    exact = 0.5 * (7.3**2 + 16.7**2)
    assert estimate(drive, 24.0, 1) >= abs(integral(drive, 24.0) - exact) > 1e-3


def test_only_panels_in_error_are_cut() -> None:
    """Three panels, the middle one in error; the others keep their numbers."""
    edges, origins = np.zeros(MAX_PANELS + 1), np.zeros(MAX_PANELS, np.int64)
    edges[:4] = [0.0, 1.0, 2.0, 4.0]
    assert cut_panels(edges, 3, np.array([1e-9, 1e-3, 1e-9]), 1e-6, origins) == 4
    assert edges[:5].tolist() == [0.0, 1.0, 1.35, 2.0, 4.0]
    assert origins[:4].tolist() == [0, -1, -1, 2]


@pytest.mark.parametrize("n_panels, error", [(MAX_PANELS // 2 + 1, 1.0), (3, 0.0)])
def test_no_room_or_nothing_to_cut_leaves_the_mesh_as_it_was(n_panels: int, error: float) -> None:
    """All panels in error with more than half of the room taken; and no panel in error."""
    edges = np.linspace(0.0, 1.0, MAX_PANELS + 1)
    before = edges.copy()
    assert cut_panels(edges, n_panels, np.full(n_panels, error), 1e-6, np.zeros(MAX_PANELS, np.int64)) == 0
    assert edges.tolist() == before.tolist()


def test_what_is_not_a_number_is_cut() -> None:
    """NaN is never within what is allowed."""
    edges, origins = np.linspace(0.0, 1.0, MAX_PANELS + 1), np.zeros(MAX_PANELS, np.int64)
    assert cut_panels(edges, 1, np.array([np.nan]), 1e-6, origins) == 2
