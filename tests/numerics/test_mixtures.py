"""Binned mixtures: masses and derivatives, scoring steps within bounds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from thrombokit.numerics.mixtures import (
    free_parameters,
    information,
    log_likelihood,
    normal_mass,
    penalty,
    scored_step,
    solve_positive,
)

EDGES = np.append(np.linspace(10.0, 60.0, 101), np.inf)


def masses(mean: float, sd: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rows = np.zeros((3, EDGES.size - 1))
    normal_mass(EDGES, mean, sd, 9.0, rows[0], rows[1], rows[2])
    return rows[0], rows[1], rows[2]


@given(st.floats(12.0, 70.0), st.floats(0.3, 8.0))
def test_masses_and_derivatives(mean: float, sd: float) -> None:
    mass, by_mean, by_sd = masses(mean, sd)
    assert mass == pytest.approx(np.diff(norm.cdf(EDGES, mean, sd)), abs=1e-12)
    h = 1e-5
    assert by_mean == pytest.approx((masses(mean + h, sd)[0] - masses(mean - h, sd)[0]) / (2 * h), abs=1e-6)
    assert by_sd == pytest.approx((masses(mean, sd + h)[0] - masses(mean, sd - h)[0]) / (2 * h), abs=1e-6)


@given(st.integers(0, 1_000), st.integers(1, 12))
def test_solving(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(n, n)) + 3 * np.eye(n)
    matrix, truth = root @ root.T, rng.normal(size=n)
    right = matrix @ truth
    assert solve_positive(matrix.copy(), right)
    assert right == pytest.approx(truth, rel=1e-6, abs=1e-6)


def test_what_is_not_positive_is_not_solved() -> None:
    assert not solve_positive(np.array([[1.0, 2.0], [2.0, 1.0]]), np.ones(2))
    assert not solve_positive(np.zeros((2, 2)), np.ones(2))


def test_scoring_reaches_the_best_weights_and_stops_at_zero() -> None:
    rng = np.random.default_rng(4)
    rows = np.vstack([masses(25.0, 2.0)[0], masses(40.0, 3.0)[0], masses(33.0, 2.0)[0]])
    counts = rng.poisson(3_000 * rows[0] + 500 * rows[1]).astype(float)
    theta, low, high = np.full(3, 800.0), np.zeros(3), np.full(3, np.inf)
    centre, spread = np.zeros(3), np.full(3, np.inf)
    normal, gradient, trial = np.empty((3, 3)), np.empty(3), np.empty(3)
    for _ in range(40):
        information(counts, theta @ rows + 1e-9, rows, theta, centre, spread, normal, gradient)
        assert scored_step(normal, gradient, theta, low, high, 1e-6, trial)
        theta = trial.copy()
    best = log_likelihood(counts, theta @ rows + 1e-9)
    assert theta[:2] == pytest.approx([3_000, 500], rel=0.08)
    assert theta[2] >= 0.0
    for i in range(3):
        for step in (-5.0, 5.0):
            other = theta.copy()
            other[i] = max(other[i] + step, 0.0)
            assert log_likelihood(counts, other @ rows + 1e-9) <= best + 1e-9


def test_bounds_and_priors() -> None:
    theta, gradient = np.array([0.0, 0.0, 1.0, 0.5]), np.array([-1.0, 1.0, 1.0, 1.0])
    free = free_parameters(theta, gradient, np.array([0.0, 0.0, 0.0, 0.5]), np.array([1.0, 1.0, 1.0, 0.5]))
    assert free.tolist() == [False, True, False, False]
    assert penalty(np.array([3.0, 9.0]), np.array([1.0, 0.0]), np.array([2.0, np.inf])) == pytest.approx(0.5)
