"""Sampling-importance resampling against problems with a known answer."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thrombokit.errors import SimulationError
from thrombokit.numerics.importance_resampling import least_effective_sample_size, resample, sd_ratio, weigh
from thrombokit.numerics.streams import stream


def test_normal_mean_with_a_conjugate_prior() -> None:
    rng = stream(1, "test", "normal")
    prior = 2.0 * rng.standard_normal(40_000)
    data, sd = np.array([1.0, 2.0, 1.5]), 1.0
    logs = -0.5 * ((data[:, None] - prior[None, :]) ** 2).sum(axis=0) / sd**2
    weighted = weigh(logs)
    precision = 1.0 / 4.0 + 3.0
    mean, spread = weighted.mean_and_sd(prior)
    assert mean == pytest.approx(data.sum() / precision, abs=0.02)
    assert spread == pytest.approx(precision**-0.5, rel=0.03)
    kept = prior[resample(weighted.weights, 4_000, 0.3)]
    assert kept.mean() == pytest.approx(data.sum() / precision, abs=0.03)
    assert sd_ratio(kept, prior) == pytest.approx(precision**-0.5 / 2.0, rel=0.05)


def test_evidence_of_a_binomial_with_a_flat_prior() -> None:
    """The integral of p^3 (1 - p)^9 over [0, 1] is B(4, 10)."""
    share = stream(2, "test", "binomial").random(60_000)
    weighted = weigh(3.0 * np.log(share) + 9.0 * np.log1p(-share))
    assert weighted.log_evidence == pytest.approx(math.lgamma(4) + math.lgamma(10) - math.lgamma(14), abs=0.02)
    mean, spread = weighted.mean_and_sd(share)
    assert mean == pytest.approx(4 / 14, abs=0.003)
    assert spread == pytest.approx(math.sqrt(4 * 10 / (14**2 * 15)), rel=0.03)


def test_two_steps_are_one_step() -> None:
    """Weighing by half of the data, resampling, and weighing by the other half gives the posterior of all of it."""
    rng = stream(3, "test", "chain")
    prior = rng.standard_normal(40_000)
    first = weigh(-0.5 * (1.0 - prior) ** 2)
    survivors = prior[resample(first.weights, 40_000, 0.5)]
    second = weigh(-0.5 * (0.0 - survivors) ** 2)
    mean, spread = second.mean_and_sd(survivors)
    assert mean == pytest.approx(1.0 / 3.0, abs=0.02)
    assert spread == pytest.approx(3.0**-0.5, rel=0.03)
    assert least_effective_sample_size([first, second]) == min(first.effective_sample_size, second.effective_sample_size)


@given(st.lists(st.floats(-30.0, 30.0), min_size=2, max_size=40), st.floats(0.0, 0.999), st.integers(1, 60))
def test_resampling_gives_floor_or_ceil_of_the_expected_number(logs: list[float], uniform: float, n: int) -> None:
    weighted = weigh(np.array(logs))
    assert 1.0 - 1e-9 <= weighted.effective_sample_size <= len(logs) + 1e-9
    times = np.bincount(resample(weighted.weights, n, uniform), minlength=len(logs))
    expected = n * weighted.weights
    assert times.sum() == n
    assert (times >= np.floor(expected - 1e-6)).all()
    assert (times <= np.ceil(expected + 1e-6)).all()


def test_a_constant_in_the_likelihood_changes_only_the_evidence() -> None:
    logs = np.array([-3.0, -1.0, -math.inf, -2.0])
    one, other = weigh(logs), weigh(logs - 700.0)
    np.testing.assert_array_equal(one.weights, other.weights)
    assert one.weights[2] == 0.0
    assert other.log_evidence == pytest.approx(one.log_evidence - 700.0)


def test_impossible_likelihoods_are_refused() -> None:
    with pytest.raises(SimulationError, match=r"draw 1: found a log-likelihood of nan \(2 draws in all\); expected finite values"):
        weigh(np.array([0.0, math.nan, math.inf]))
    with pytest.raises(SimulationError, match=r"a likelihood of 0 for each of 3 draws.*Widen the prior"):
        weigh(np.full(3, -math.inf))
