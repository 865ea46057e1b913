"""Replicates to dose means: what is lost, and what is not."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thrombokit.numerics.collapse import DoseMeans, collapse


def ragged(seed: int, n_curves: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """x, y, w, starts of curves with 0 to 12 points at 4 doses (one of them 0), weights equal within a dose."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(0, 13, n_curves)
    n = int(sizes.sum())
    level = rng.integers(0, 4, n)
    x = np.array([-np.inf, 0.0, 1.1, 2.3])[level]
    w = np.array([0.5, 2.0, 1.0, 7.0])[level]
    return x, rng.normal(5, 2, n), w, np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)


@given(seed=st.integers(0, 10_000), n_curves=st.integers(1, 6))
@settings(max_examples=60, deadline=None)
def test_sum_of_squares_about_any_curve_splits_into_means_and_pure_error(seed: int, n_curves: int) -> None:
    x, y, w, starts = ragged(seed, n_curves)
    means = collapse(x, y, w, starts)
    shape = lambda at: 3.0 + np.exp(np.where(np.isfinite(at), at, -9.0))  # noqa: E731  any function of dose
    for i in range(n_curves):
        a, b, c, d = starts[i], starts[i + 1], means.starts[i], means.starts[i + 1]
        whole = np.sum(w[a:b] * (y[a:b] - shape(x[a:b])) ** 2)
        parts = np.sum(means.weight[c:d] * (means.mean[c:d] - shape(means.x[c:d])) ** 2) + np.sum(means.within_ss[c:d])
        assert parts == pytest.approx(whole, rel=1e-10, abs=1e-10)
        assert means.count[c:d].sum() == b - a
        assert np.all(np.diff(means.x[c:d]) > 0), "ascending, each dose once"
        assert set(means.x[c:d]) == set(x[a:b])


@given(seed=st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_order_of_points_does_not_matter(seed: int) -> None:
    x, y, w, starts = ragged(seed, 1)
    order = np.random.default_rng(seed + 1).permutation(x.size)
    one, other = collapse(x, y, w, starts), collapse(x[order], y[order], w[order], starts)
    assert np.array_equal(one.x, other.x)
    np.testing.assert_allclose(other.mean, one.mean, rtol=1e-13)
    np.testing.assert_allclose(other.within_ss, one.within_ss, rtol=1e-11, atol=1e-25)


def test_worked_by_hand() -> None:
    x = np.array([1.0, -np.inf, 1.0, -np.inf, 2.0])
    means = collapse(x, np.array([4.0, 1.0, 8.0, 2.0, 9.0]), np.array([1.0, 1.0, 3.0, 1.0, 2.0]), np.array([0, 5, 5], np.int64))
    assert means.x.tolist() == [-np.inf, 1.0, 2.0]
    assert means.mean.tolist() == [1.5, 7.0, 9.0]
    assert means.weight.tolist() == [2.0, 4.0, 2.0]
    assert means.count.tolist() == [2.0, 2.0, 1.0]
    assert means.within_ss.tolist() == [0.5, 12.0, 0.0]
    assert means.starts.tolist() == [0, 3, 3], "a curve without points has no dose"
    assert means.curve_index().tolist() == [0, 0, 0]


def test_arrays_cannot_be_written_to_after_unpickling() -> None:
    means = collapse(np.array([0.0, 1.0]), np.array([1.0, 2.0]), np.ones(2), np.array([0, 2], np.int64))
    copy: DoseMeans = pickle.loads(pickle.dumps(means))
    with pytest.raises(ValueError, match="read-only"):
        copy.mean[0] = 3.0
