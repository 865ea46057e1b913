"""Likelihoods of published shares and medians, against counting and closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binom, norm

from thrombokit.numerics.streams import stream
from thrombokit.patients.calibration.arm_likelihood import (
    LOG_WIDTH,
    log_binomial,
    log_density,
    log_mean_binomial,
    log_share_and_median,
    median_predictive_p,
    predictive_p,
    share_below,
)


def test_binomial_agrees_with_scipy() -> None:
    for k, n, share in ((0, 8, 0.2), (7, 12, 0.58), (12, 12, 0.9)):
        assert log_binomial(k, n, share) == pytest.approx(binom.logpmf(k, n, share))
    expected = np.log(np.mean([binom.pmf(3, 27, 0.1), binom.pmf(3, 28, 0.1)]))
    assert log_mean_binomial([(3, 27), (3, 28)], 0.1) == pytest.approx(expected)


def test_smoothing_is_a_normal_on_the_log_scale() -> None:
    one = np.array([math.log(40.0)])
    assert share_below(one, 50.0) == pytest.approx(norm.cdf(math.log(50 / 40) / LOG_WIDTH))
    assert log_density(one, 50.0) == pytest.approx(norm.logpdf(math.log(50 / 40), scale=LOG_WIDTH))
    assert 0.0 < share_below(one, 1e-9) < 1e-8


@pytest.mark.parametrize(("k", "n", "median"), [(3, 9, 30.0), (6, 9, 80.0), (4, 9, 45.0)])
def test_share_and_median_together_agree_with_simulation(k: int, n: int, median: float) -> None:
    """Of 400,000 simulated arms of 9: how many have k above 50 and a median within 2 % of the one asked for."""
    centres = np.log(np.array([20.0, 35.0, 60.0, 90.0]))
    rng = stream(5, "arms", str(k))
    logs = centres[rng.integers(0, 4, (400_000, n))] + LOG_WIDTH * rng.standard_normal((400_000, n))
    half_width = 0.02
    hits = ((logs >= math.log(50.0)).sum(axis=1) == k) & (np.abs(np.median(logs, axis=1) - math.log(median)) < half_width)
    seen = hits.mean() / (2.0 * half_width)
    assert math.exp(log_share_and_median(k, n, median, 50.0, centres)) == pytest.approx(
        seen, rel=4.0 / math.sqrt(hits.sum()) + 0.02
    )


def test_a_median_that_contradicts_the_share_is_impossible() -> None:
    """With 7 of 9 above 50 the middle one cannot stand at 30."""
    assert log_share_and_median(7, 9, 30.0, 50.0, np.log(np.array([20.0, 90.0]))) == -math.inf
    assert log_share_and_median(2, 9, 80.0, 50.0, np.log(np.array([20.0, 90.0]))) == -math.inf


def test_predictive_p_counts_both_tails() -> None:
    share = np.array([0.3])
    assert predictive_p(1, 12, share) == pytest.approx(2.0 * binom.cdf(1, 12, 0.3))
    assert predictive_p(9, 12, share) == pytest.approx(2.0 * binom.sf(8, 12, 0.3))
    assert predictive_p(12, 12, share) == pytest.approx(2.0 * 0.3**12)
    assert predictive_p(0, 12, share) == pytest.approx(2.0 * 0.7**12)
    assert predictive_p(4, 12, share) == pytest.approx(1.0)


def test_median_p_is_that_of_an_order_statistic() -> None:
    """The median of 9 is below a value that 30 % are below, if 5 or more are."""
    assert median_predictive_p(9, np.array([0.3])) == pytest.approx(2.0 * binom.sf(4, 9, 0.3))
    assert median_predictive_p(9, np.array([0.5])) == pytest.approx(1.0)
