"""Random numbers that are spread evenly in every dimension."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from thrombokit.numerics.stratified_draws import stratified_normals, stratified_uniforms
from thrombokit.numerics.streams import stream


@given(st.integers(1, 60), st.integers(1, 5), st.integers(0, 1000))
def test_one_in_every_nth(n: int, dimensions: int, seed: int) -> None:
    drawn = stratified_uniforms(stream(seed, "strata"), n, dimensions)
    assert drawn.shape == (n, dimensions)
    for column in drawn.T:
        np.testing.assert_array_equal(np.sort(np.floor(column * n)), np.arange(n))


def test_normals_have_mean_0_and_variance_1_almost_exactly() -> None:
    drawn = stratified_normals(stream(4, "strata"), 400, 3)
    assert np.abs(drawn.mean(axis=0)).max() < 0.005
    assert np.abs(drawn.var(axis=0) - 1.0).max() < 0.03
    assert np.abs(np.corrcoef(drawn.T) - np.eye(3)).max() < 0.2
