"""Firth's logistic regression: closed cases, separated data, and its penalised likelihood maximised by another hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import optimize

from thrombokit.numerics.arrays import Array
from thrombokit.numerics.firth import fit_firth
from thrombokit.numerics.outcome import Outcome


def penalised(design: np.ndarray, responders: np.ndarray, sizes: np.ndarray, beta: np.ndarray) -> float:
    share = 1.0 / (1.0 + np.exp(-design @ beta))
    information = (design * (sizes * share * (1.0 - share))[:, None]).T @ design
    return float(
        np.sum(responders * np.log(share) + (sizes - responders) * np.log1p(-share)) + 0.5 * np.linalg.slogdet(information)[1]
    )


@pytest.mark.parametrize(("a", "n", "b", "m"), [(5, 5, 0, 5), (3, 7, 2, 9), (0, 4, 0, 6)])
def test_two_groups_gain_half_a_subject_a_cell(a: int, n: int, b: int, m: int) -> None:
    """A saturated model: the estimate is the odds ratio of counts + 1/2."""
    fit = fit_firth(np.array([[1.0, 1.0], [1.0, 0.0]]), np.array([a, b], float), np.array([n, m], float))
    expected = math.log((a + 0.5) * (m - b + 0.5) / ((n - a + 0.5) * (b + 0.5)))
    assert fit.coefficients[1] == pytest.approx(expected, abs=1e-9)
    assert fit.outcome is Outcome.CONVERGED
    assert fit.low[1] < expected < fit.high[1]
    assert np.isfinite([fit.low[1], fit.high[1]]).all()


@pytest.mark.parametrize("seed", range(5))
def test_maximum_and_profile_by_another_search(seed: int) -> None:
    rng = np.random.default_rng(seed)
    design: Array = np.column_stack([np.ones(30), rng.integers(0, 2, 30).astype(np.float64), rng.normal(size=30)])
    responders = (rng.uniform(size=30) < 1 / (1 + np.exp(-design @ np.array([-0.5, 1.0, 0.8])))).astype(float)
    sizes = np.ones(30)
    fit = fit_firth(design, responders, sizes)
    best = optimize.minimize(lambda b: -penalised(design, responders, sizes, b), np.zeros(3), method="BFGS", options={"gtol": 1e-9})
    assert fit.coefficients == pytest.approx(best.x, abs=1e-5)
    assert fit.log_likelihood == pytest.approx(-best.fun, abs=1e-9)
    for limit in (fit.low[1], fit.high[1]):
        held = optimize.minimize(
            lambda b, at=limit: -penalised(design, responders, sizes, np.array([b[0], at, b[1]])), np.zeros(2), method="BFGS"
        )
        assert 2.0 * (fit.log_likelihood + held.fun) == pytest.approx(3.841459, abs=1e-5)


def test_separated_covariate_stays_finite() -> None:
    design: Array = np.column_stack([np.ones(10), np.arange(10.0)])
    fit = fit_firth(design, (np.arange(10) > 4).astype(float), np.ones(10))
    assert np.isfinite(fit.coefficients).all()
    assert fit.p_values[1] < 0.01
    assert fit.low[1] > 0.0
