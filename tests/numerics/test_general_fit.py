"""5PL and bell: derivatives by finite differences, recovery of known curves, intervals that end where the profile says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import least_squares

from thrombokit.numerics import curves, general_fit
from thrombokit.numerics.general_models import covariance_general, fit_general, profile_ln_ec50

MODELS = {"5pl": general_fit.FIVE_PARAMETER, "bell": general_fit.BELL}
X = np.concatenate([[-np.inf], np.linspace(-4.0, 8.0, 12)])
CENTRE = st.floats(-3.0, 7.0)


def value(model: int, x: np.ndarray, theta: np.ndarray) -> np.ndarray:
    """The same curve through numerics.curves."""
    a0, a1, m, ln_h = theta[:4]
    if model == general_fit.BELL:
        return curves.bell(x, a0, a1, theta[5], m, theta[4], np.exp(ln_h))
    return curves.five_parameter(x, a0, a1, m, np.exp(ln_h), np.exp(theta[4]))


def known(model: int) -> np.ndarray:
    return np.array([5.0, 80.0, 1.0, 0.4, 5.5, 20.0]) if model == general_fit.BELL else np.array([5.0, 80.0, 2.0, 0.3, -0.5])


@pytest.mark.parametrize("name", MODELS)
@given(a0=st.floats(-50, 50), a1=st.floats(-50, 200), m=CENTRE, ln_h=st.floats(-2, 2), last=st.floats(-2.2, 2.2), m2=CENTRE)
@settings(max_examples=40, deadline=None)
def test_derivatives_by_finite_differences(name: str, a0: float, a1: float, m: float, ln_h: float, last: float, m2: float) -> None:
    model = MODELS[name]
    theta = np.array([a0, a1, m, ln_h, m2, 30 * last] if model == general_fit.BELL else [a0, a1, m, ln_h, last])
    for x in X:
        row = np.zeros(6)
        got = general_fit.point(model, x, theta, row)
        assert got == pytest.approx(float(value(model, np.array([x]), theta)[0]), rel=1e-10, abs=1e-9)
        for k in range(model):
            step = np.zeros(model)
            step[k] = 1e-5
            scratch = np.zeros(6)
            slope = (general_fit.point(model, x, theta + step, scratch) - general_fit.point(model, x, theta - step, scratch)) / 2e-5
            assert row[k] == pytest.approx(slope, rel=1e-4, abs=1e-5), f"unknown {k} at x = {x}"


@pytest.mark.parametrize("name", MODELS)
def test_normal_equations_are_sums_of_points(name: str) -> None:
    model = MODELS[name]
    theta, w = known(model), np.linspace(0.5, 2.0, X.size)
    y = np.linspace(0, 100, X.size)
    normal, gradient = np.empty((model, model)), np.empty(model)
    rss = general_fit.normal_equations(model, X, y, w, theta, normal, gradient)
    rows = np.zeros((X.size, 6))
    fitted = np.array([general_fit.point(model, x, theta, rows[i]) for i, x in enumerate(X)])
    jacobian, residual = rows[:, :model], y - fitted
    assert rss == pytest.approx(np.sum(w * residual**2))
    np.testing.assert_allclose(normal, jacobian.T @ (w[:, None] * jacobian), rtol=1e-12)
    np.testing.assert_allclose(gradient, jacobian.T @ (w * residual), rtol=1e-12)


@pytest.mark.parametrize("name", MODELS)
def test_exact_data_give_back_the_curve(name: str) -> None:
    model = MODELS[name]
    truth = known(model)
    y = value(model, X, truth)
    fit = fit_general(model, X, y, np.ones_like(X), np.array([y[0], y.max(), 2.0, 1.0]))
    np.testing.assert_allclose(fit.theta, truth, rtol=1e-4)
    assert fit.rss < 1e-8 * np.sum((y - y.mean()) ** 2)


@pytest.mark.parametrize("name", MODELS)
def test_noisy_fits_are_no_worse_than_scipy_from_the_truth(name: str) -> None:
    model, rng = MODELS[name], np.random.default_rng(4)
    truth, w = known(model), np.full(X.size, 1 / 9.0)
    for _ in range(20):
        y = value(model, X, truth) + rng.normal(0, 3, X.size)
        fit = fit_general(model, X, y, w, np.array([y[0], y.max(), 2.0, 1.0]))
        peer = least_squares(lambda t: (value(model, X, t) - y) / 3.0, truth, bounds=bounds(model))  # noqa: B023
        assert fit.rss <= 1.001 * 2 * peer.cost
        assert fit.code in (0, 1), "converged, or at a bound"


def bounds(model: int) -> tuple[list[float], list[float]]:
    wide = [-np.inf, -np.inf, -11.0, np.log(0.1)], [np.inf, np.inf, 15.0, np.log(10.0)]
    if model == general_fit.BELL:
        return wide[0] + [-11.0, -np.inf], wide[1] + [15.0, np.inf]
    return wide[0] + [-np.log(10.0)], wide[1] + [np.log(10.0)]


@pytest.mark.parametrize("name", MODELS)
def test_interval_ends_where_the_profile_crosses_its_limit(name: str) -> None:
    model = MODELS[name]
    y = value(model, X, known(model)) + np.random.default_rng(2).normal(0, 1.5, X.size)
    w = np.ones_like(X)
    fit = fit_general(model, X, y, w, np.array([y[0], y.max(), 2.0, 1.0]))
    limit = fit.rss * 1.5
    low, high = profile_ln_ec50(fit, X, y, w, limit, 0.1)
    assert low < fit.theta[2] < high
    for end in (low, high):
        held = np.delete(np.arange(model), 2)

        def rest(t: np.ndarray, end: float = end, held: np.ndarray = held) -> np.ndarray:
            theta = np.empty(model)
            theta[held], theta[2] = t, end
            return value(model, X, theta) - y

        b = np.array(bounds(model))[:, held]
        peer = least_squares(rest, fit.theta[held], bounds=(b[0], b[1]), xtol=1e-13, ftol=1e-13)
        assert 2 * peer.cost == pytest.approx(limit, rel=1e-3)


@pytest.mark.parametrize("name", MODELS)
def test_covariance_is_the_inverse_of_the_normal_matrix(name: str) -> None:
    model = MODELS[name]
    y, w = value(model, X, known(model)), np.linspace(1.0, 2.0, X.size)
    fit = fit_general(model, X, y, w, np.array([y[0], y.max(), 2.0, 1.0]))
    rows = np.zeros((X.size, 6))
    for i, x in enumerate(X):
        general_fit.point(model, x, fit.theta, rows[i])
    expected = np.linalg.inv(rows[:, :model].T @ (w[:, None] * rows[:, :model]))
    np.testing.assert_allclose(covariance_general(fit, X, w), expected, rtol=1e-5)


def test_covariance_of_a_curve_without_span_is_none() -> None:
    fit = fit_general(general_fit.FIVE_PARAMETER, X, np.full(X.size, 3.0), np.ones_like(X), np.array([3.0, 3.0, 2.0, 1.0]))
    assert covariance_general(fit, X, np.ones_like(X)) is None
