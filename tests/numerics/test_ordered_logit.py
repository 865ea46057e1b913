"""Ordered classes: two classes are the ordinary logit, turning the order turns the sign, and a drawn shift is found again."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thrombokit.numerics.ordered_logit import class_shares, fit_ordered_logit
from thrombokit.numerics.outcome import Outcome


def test_two_classes_and_two_groups_give_the_log_odds_ratio_and_its_woolf_error() -> None:
    counts = np.array([[30.0, 70.0], [55.0, 45.0]])
    fit = fit_ordered_logit(counts, np.array([[0.0], [1.0]]))
    assert fit.outcome is Outcome.CONVERGED
    assert fit.slopes[0] == pytest.approx(np.log(45 * 30 / (55 * 70)), rel=1e-8)
    assert np.sqrt(fit.covariance[-1, -1]) == pytest.approx(np.sqrt(1 / 30 + 1 / 70 + 1 / 55 + 1 / 45), rel=1e-6)


def test_without_covariates_the_shares_are_those_of_all_wells_together() -> None:
    counts = np.array([[10.0, 20.0, 5.0], [30.0, 10.0, 25.0]])
    fit = fit_ordered_logit(counts, np.empty((2, 0)))
    np.testing.assert_allclose(fit.shares[0], counts.sum(axis=0) / counts.sum(), rtol=1e-9)


@given(st.integers(0, 200))
def test_turning_the_order_of_classes_turns_the_sign(seed: int) -> None:
    rng = np.random.default_rng(seed)
    counts, x = rng.integers(5, 200, (8, 4)).astype(float), rng.standard_normal((8, 1))
    up, down = fit_ordered_logit(counts, x), fit_ordered_logit(counts[:, ::-1], x)
    assert up.slopes[0] == pytest.approx(-down.slopes[0], abs=1e-6)
    assert up.log_likelihood == pytest.approx(down.log_likelihood, rel=1e-9)


def test_a_shift_is_found_within_its_standard_error() -> None:
    rng = np.random.default_rng(1)
    x = np.linspace(-1, 1, 40)[:, None]
    counts = np.array([rng.multinomial(2_000, p) for p in class_shares(np.array([-1.0, 0.5, 2.0]), 0.8 * x[:, 0])]).astype(float)
    fit = fit_ordered_logit(counts, x)
    assert abs(fit.slopes[0] - 0.8) < 3 * np.sqrt(fit.covariance[-1, -1])
    assert np.mean(fit.pearson(counts)) == pytest.approx(3.0, rel=0.3)
    again = fit_ordered_logit(counts, x, start=fit)
    assert again.slopes[0] == pytest.approx(fit.slopes[0], abs=1e-6)


def test_shares_sum_to_one_far_out_too() -> None:
    shares = class_shares(np.array([-2.0, 0.0, 3.0]), np.array([-900.0, 0.0, 900.0]))
    np.testing.assert_allclose(shares.sum(axis=1), 1.0)
    assert np.all(shares >= 0)
