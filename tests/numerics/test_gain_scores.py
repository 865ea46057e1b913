"""Scores of a change of gain: what they are worth, and that they measure the change."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thrombokit.numerics.gain_scores import gain_axis, gain_scores, residuals_given_others


def mixture(rng: np.random.Generator, n: int) -> np.ndarray:
    """A dull half around zero and a bright, narrow half."""
    return np.where(rng.random(n) < 0.5, rng.normal(0.0, 100.0, n), 20_000.0 * np.exp(0.3 * rng.standard_normal(n)))


@given(st.integers(0, 10_000), st.floats(-0.1, 0.1))
def test_the_mean_score_measures_the_change_of_gain(seed: int, change: float) -> None:
    rng = np.random.default_rng(seed)
    values = mixture(rng, 20_000)
    after = np.arange(20_000) >= 10_000
    values[after] *= 1.0 + change
    scores, per_score = gain_scores(*gain_axis(values))
    told = (scores[after].mean() - scores[~after].mean()) * per_score
    assert told == pytest.approx(change, abs=0.03)


def test_scores_are_standardised_and_blind_to_events_near_zero() -> None:
    values = mixture(np.random.default_rng(1), 50_000)
    scores, per_score = gain_scores(*gain_axis(values))
    assert scores.mean() == pytest.approx(0.0, abs=1e-9)
    assert scores.std() == pytest.approx(1.0, abs=1e-9)
    assert 0 < per_score < 1
    assert np.abs(scores[np.abs(values) < 20]).max() < 0.3 * np.abs(scores[values > 5000]).mean()


def test_equal_values_tell_nothing() -> None:
    scores, per_score = gain_scores(*gain_axis(np.full(100, 7.0)))
    assert not scores.any()
    assert np.isinf(per_score)


def test_residuals_single_out_one_channel_and_the_shared_shift_is_shared() -> None:
    rng = np.random.default_rng(2)
    size = rng.standard_normal(4000)
    y = np.column_stack([size + 0.1 * rng.standard_normal(4000) for _ in range(3)] + [np.zeros(4000)])
    beyond, _ = residuals_given_others(y)
    assert beyond[:, 0].std() < 0.2 * y[:, 0].std()
    assert not beyond[:, 3].any()
    moved = y.copy()
    moved[2000:, :3] += 0.5
    _, shared = residuals_given_others(moved)
    assert shared[2000:].mean() - shared[:2000].mean() == pytest.approx(0.5, abs=0.1)
