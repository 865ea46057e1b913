"""Quantiles that follow x."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thrombokit.numerics.sloping_quantiles import fit_sloping_quantile, weighted_quantile


def cloud(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    x = rng.normal(0.6, 0.1, n)
    return x, 0.2 + 0.3 * x + 0.05 * (0.5 + x) * rng.standard_normal(n)


def test_the_share_below_is_right_along_x() -> None:
    rng = np.random.default_rng(1)
    beyond, large = [], []
    new_x, new_y = cloud(rng, 400_000)
    top = new_x > np.quantile(new_x, 0.9)
    for _ in range(20):
        x, y = cloud(rng, 8000)
        line = fit_sloping_quantile(x, y, np.ones(x.size), share=0.995)
        above = new_y > line.at(new_x)
        beyond.append(above.mean())
        large.append(above[top].mean())
    assert np.mean(beyond) == pytest.approx(0.005, abs=0.0008)
    assert np.mean(large) == pytest.approx(0.005, abs=0.0015)


def test_the_interval_covers_the_true_quantile() -> None:
    rng, inside = np.random.default_rng(2), []
    for _ in range(200):
        x, y = cloud(rng, 3000)
        line = fit_sloping_quantile(x, y, np.ones(x.size), share=0.99)
        truth = 0.2 + 0.3 * 0.6 + 0.05 * 1.1 * 2.3263
        low, high = (np.interp(0.6, line.x, part) for part in (line.low, line.high))
        inside.append(low <= truth <= high)
    assert np.mean(inside) >= 0.90


@given(st.integers(0, 1000))
def test_weights_stand_for_repeated_points(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values, counts = rng.standard_normal(200), rng.integers(1, 4, 200)
    assert weighted_quantile(values, counts.astype(float), 0.7) == pytest.approx(
        weighted_quantile(np.repeat(values, counts), np.ones(int(counts.sum())), 0.7), abs=0.15
    )


def test_points_without_weight_do_not_count() -> None:
    rng = np.random.default_rng(3)
    x, y = cloud(rng, 3000)
    off = np.concatenate([np.ones(3000), np.zeros(500)])
    with_others = fit_sloping_quantile(np.append(x, np.full(500, 0.6)), np.append(y, np.full(500, 9.0)), off, share=0.99)
    alone = fit_sloping_quantile(x, y, np.ones(3000), share=0.99)
    assert with_others.at(alone.x) == pytest.approx(alone.at(alone.x), rel=1e-12)
    with pytest.raises(ValueError, match="no point has a weight"):
        fit_sloping_quantile(x, y, np.zeros(3000), share=0.99)


def test_few_points_still_give_a_line() -> None:
    line = fit_sloping_quantile(np.zeros(5), np.arange(5.0), np.ones(5), share=0.9)
    assert np.isfinite(line.y).all()
