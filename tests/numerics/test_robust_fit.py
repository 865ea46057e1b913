"""The robust fit against a general minimiser, its covariance against plain matrix algebra."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from thrombokit.numerics.logistic_fit import CONVERGED, MAX_STEPS, fit_one
from thrombokit.numerics.m_estimates import HUBER, TUKEY, mad_scale, robust_loss, robust_slope, robust_weight
from thrombokit.numerics.robust_fit import fit_robust_one, point_row, sandwich_one

X = np.repeat(np.concatenate([[-np.inf], np.log(0.3) + np.log(3.0) * np.arange(8)]), 2)
KINDS = pytest.mark.parametrize("kind", [HUBER, TUKEY])


def value(theta: np.ndarray) -> np.ndarray:
    return theta[0] + (theta[1] - theta[0]) / (1.0 + np.exp(-theta[3] * (X - theta[2])))


def spoilt_curve(seed: int = 4) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = value(np.array([10.0, 100.0, 3.0, 1.2])) + 2.0 * rng.standard_normal(X.size)
    y[[5, 12]] += [60.0, -45.0]
    return y, rng.uniform(0.5, 2.0, X.size)


def robust(kind: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    y, w = spoilt_curve()
    theta = np.empty(4)
    fit_one(X, y, w, True, theta)
    scale, code = fit_robust_one(X, y, w, True, kind, 3, theta)
    assert code == CONVERGED
    return y, w, theta, scale


@KINDS
def test_no_other_curve_has_a_smaller_sum_of_rho(kind: int) -> None:
    y, w, theta, scale = robust(kind)

    def loss(four: np.ndarray) -> float:
        return float(sum(robust_loss(kind, u) for u in np.sqrt(w) * (y - value(four)) / scale))

    best = minimize(loss, theta * 1.02, method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-12, "maxiter": 5_000})
    assert loss(theta) <= best.fun + 1e-8
    np.testing.assert_allclose(theta, best.x, rtol=1e-3)


def test_hubers_scale_is_that_of_its_own_residuals() -> None:
    y, w, theta, scale = robust(HUBER)
    assert scale == pytest.approx(mad_scale(np.sqrt(w) * (y - value(theta)), 4), rel=1e-6)


@KINDS
def test_the_covariance_is_the_sandwich_written_out(kind: int) -> None:
    y, w, theta, scale = robust(kind)
    rows = np.empty((X.size, 4))
    for k in range(X.size):
        point_row(X[k], theta, rows[k])
    u = np.sqrt(w) * (y - value(theta)) / scale
    inverse = np.linalg.inv(rows.T @ (w[:, None] * rows))
    leverage = w * np.einsum("ki,ij,kj->k", rows, inverse, rows)
    psi = np.array([v * robust_weight(kind, v) for v in u]) / (1 - leverage)
    slope = np.mean([robust_slope(kind, v) for v in u])
    expected = (scale / slope) ** 2 * inverse @ (rows.T @ ((w * psi**2)[:, None] * rows)) @ inverse
    found = np.empty((4, 4))
    assert sandwich_one(X, y, w, theta, scale, kind, True, found)
    np.testing.assert_allclose(found, expected, rtol=1e-8)


def test_derivatives_are_those_of_the_curve() -> None:
    theta, row = np.array([10.0, 90.0, 1.5, 1.7]), np.empty(4)
    for x in (-np.inf, -2.0, 1.0, 3.0, 60.0):
        at = point_row(x, theta, row)
        for k in range(4):
            up = theta.copy()
            up[k] = up[k] * np.exp(1e-6) if k == 3 else up[k] + 1e-6
            assert (point_row(x, up, np.empty(4)) - at) / 1e-6 == pytest.approx(row[k], abs=2e-4)


def test_a_fit_whose_points_all_lie_on_it_stands() -> None:
    y, theta = value(np.array([10.0, 100.0, 3.0, 1.2])), np.array([12.0, 95.0, 2.8, 1.0])
    y[7] += 50.0
    fit_robust_one(X, y, np.ones(X.size), True, TUKEY, 3, theta)
    np.testing.assert_allclose(theta, [10.0, 100.0, 3.0, 1.2], rtol=1e-6)


def test_too_few_doses_that_count_end_in_out_of_steps() -> None:
    """Half the points on a line, half far off it in pairs: Tukey may leave too few doses, and says so instead of guessing."""
    x = np.log(np.array([1.0, 2.0, 4.0, 8.0]))
    theta = np.array([0.0, 1.0, 1.0, 1.0])
    _, code = fit_robust_one(x[:3], np.array([0.0, 5.0, 1.0]), np.ones(3), True, TUKEY, 0, theta)
    assert code == MAX_STEPS
    assert np.all(np.isfinite(theta))
