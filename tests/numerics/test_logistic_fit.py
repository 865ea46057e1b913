"""The compiled 4PL: gradient by finite differences, covariance by numpy, interval ends by an independent optimiser, how fits end."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import least_squares

from thrombokit.numerics import curves, logistic_fit

X = np.concatenate([[-np.inf], np.linspace(-3.0, 6.0, 9)])
TRUTH = (5.0, 90.0, 1.5, 1.2)


def noisy(seed: int, sd: float = 4.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return curves.four_parameter(X, *TRUTH) + rng.normal(0, sd, X.size), rng.uniform(0.3, 3.0, X.size)


def fitted(y: np.ndarray, w: np.ndarray, *, free_hill: bool = True, x: np.ndarray = X) -> tuple[np.ndarray, float, int]:
    theta = np.empty(4)
    rss, code = logistic_fit.fit_one(x, y, w, free_hill, theta)
    return theta, float(rss), int(code)


@given(seed=st.integers(0, 1000), m=st.floats(-9, 12), ln_h=st.floats(-2.2, 2.2))
@settings(max_examples=80, deadline=None)
def test_reduced_gradient_by_finite_differences(seed: int, m: float, ln_h: float) -> None:
    """d RSS / d(m, ln h) = -2 J'r of the projected problem, wherever (m, ln h) stands."""
    y, w = noisy(seed)
    out, scratch = np.empty(8), np.empty(8)
    logistic_fit.evaluate(X, y, w, m, ln_h, out)
    step = 1e-5
    for k, (dm, dh) in enumerate([(step, 0.0), (0.0, step)]):
        up = logistic_fit.evaluate(X, y, w, m + dm, ln_h + dh, scratch)
        down = logistic_fit.evaluate(X, y, w, m - dm, ln_h - dh, scratch)
        assert -2 * out[2 + k] == pytest.approx((up - down) / (2 * step), rel=1e-4, abs=1e-2)


@given(seed=st.integers(0, 1000), m=st.floats(-6, 9), ln_h=st.floats(-1, 2.2))
@settings(max_examples=60, deadline=None)
def test_plateaus_are_the_weighted_regression_on_the_logistic(seed: int, m: float, ln_h: float) -> None:
    y, w = noisy(seed)
    out = np.empty(8)
    rss = logistic_fit.evaluate(X, y, w, m, ln_h, out)
    g = curves.logistic(X, m, float(np.exp(ln_h)))
    root = np.sqrt(w)
    coefficients, *_ = np.linalg.lstsq(np.stack([1 - g, g], axis=1) * root[:, None], y * root, rcond=None)
    assert rss == pytest.approx(np.sum(w * (y - (1 - g) * coefficients[0] - g * coefficients[1]) ** 2), rel=1e-9)
    if np.linalg.cond(np.stack([1 - g, g], axis=1)) < 1e5:
        np.testing.assert_allclose(out[:2], coefficients, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("falling", [False, True])
def test_exact_data_give_back_the_curve(falling: bool) -> None:
    a0, a1, m, h = TRUTH
    truth = (a1, a0, m, h) if falling else TRUTH
    theta, rss, code = fitted(curves.four_parameter(X, *truth), np.ones_like(X))
    np.testing.assert_allclose(theta, truth, rtol=1e-7)
    assert rss < 1e-12
    assert code == logistic_fit.CONVERGED


def test_three_parameters_hold_the_hill_at_one() -> None:
    y, w = noisy(3)
    theta, rss, _ = fitted(y, w, free_hill=False)
    peer = least_squares(lambda t: np.sqrt(w) * (curves.four_parameter(X, *t, 1.0) - y), TRUTH[:3], xtol=1e-14, ftol=1e-14)
    assert theta[3] == 1.0
    assert rss == pytest.approx(2 * peer.cost, rel=1e-9)
    np.testing.assert_allclose(theta[:3], peer.x, rtol=1e-5)


@pytest.mark.parametrize("free_hill", [True, False])
def test_covariance_is_the_inverse_of_the_normal_matrix(free_hill: bool) -> None:
    y, w = noisy(1)
    theta, _, _ = fitted(y, w, free_hill=free_hill)
    size = 4 if free_hill else 3
    natural = np.concatenate([theta[:3], [np.log(theta[3])]])
    jacobian = np.empty((X.size, size))
    for k in range(size):
        step = np.zeros(4)
        step[k] = 1e-6
        up, down = natural + step, natural - step
        jacobian[:, k] = (
            curves.four_parameter(X, *up[:3], np.exp(up[3])) - curves.four_parameter(X, *down[:3], np.exp(down[3]))
        ) / 2e-6
    matrix = np.full((4, 4), np.nan)
    assert logistic_fit.covariance(X, w, theta, free_hill, matrix)
    np.testing.assert_allclose(matrix[:size, :size], np.linalg.inv(jacobian.T @ (w[:, None] * jacobian)), rtol=1e-4, atol=1e-7)
    assert not matrix[size:].any(), "a hill that is held has no error"


def test_covariance_of_a_curve_without_span_is_refused() -> None:
    assert not logistic_fit.covariance(X, np.ones_like(X), np.array([3.0, 3.0, 1.0, 1.0]), True, np.empty((4, 4)))


@pytest.mark.parametrize("seed", range(6))
def test_interval_ends_where_the_profile_crosses_its_limit(seed: int) -> None:
    y, w = noisy(seed)
    theta, rss, _ = fitted(y, w)
    limit = rss * 2.0
    for side in (-1.0, 1.0):
        end = logistic_fit.profile_end(X, y, w, theta, rss, limit, 0.1, side, True)
        assert (end - theta[2]) * side > 0
        best = min(
            2
            * least_squares(
                lambda t: np.sqrt(w) * (curves.four_parameter(X, t[0], t[1], end, np.exp(t[2])) - y),  # noqa: B023
                (theta[0], theta[1], ln_h),
                bounds=([-np.inf, -np.inf, np.log(0.1)], [np.inf, np.inf, np.log(10.0)]),
            ).cost
            for ln_h in (-1.0, float(np.log(theta[3])), 1.5)
        )
        assert best == pytest.approx(limit, rel=1e-4)


def test_interval_is_open_where_the_profile_never_reaches_its_limit() -> None:
    """Doses that stop on the slope: the EC50 has a lower end and no upper one."""
    x = np.linspace(-3.0, 1.2, 6)
    y = curves.four_parameter(x, 0.0, 100.0, 2.0, 1.0) + np.random.default_rng(5).normal(0, 1.0, x.size)
    w = np.ones_like(x)
    theta, rss, _ = fitted(y, w, x=x)
    limit = rss * 10.0
    assert logistic_fit.profile_end(x, y, w, theta, rss, limit, 0.3, 1.0, True) == np.inf
    assert np.isfinite(logistic_fit.profile_end(x, y, w, theta, rss, limit, 0.3, -1.0, True))


def test_a_step_between_two_doses_ends_at_the_bound_of_the_hill() -> None:
    """And converges there: undamped, the undershooting second derivative lets Gauss-Newton hop across the minimum for ever."""
    theta, _, code = fitted(np.where(X < 1.5, 0.0, 100.0), np.ones_like(X))
    assert theta[3] == pytest.approx(10.0)
    assert theta[2] == pytest.approx(0.9375, abs=1e-6), "half-way between the two doses"
    assert code == logistic_fit.AT_BOUND


def test_curves_marked_unusable_are_left_alone() -> None:
    y, w = noisy(1)
    theta, rss, codes = np.full((2, 4), np.nan), np.full(2, np.nan), np.full(2, 9, np.int64)
    starts = np.array([0, X.size, 2 * X.size], np.int64)
    logistic_fit.fit_many(np.tile(X, 2), np.tile(y, 2), np.tile(w, 2), starts, True, np.array([0.0, 1.0]), theta, rss, codes)
    assert np.isnan(theta[0]).all()
    assert np.isnan(rss[0])
    assert codes.tolist() == [9, 0]
    np.testing.assert_array_equal(theta[1], fitted(y, w)[0])
