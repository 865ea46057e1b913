"""The compiled inverse against numpy's."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from thrombokit.numerics.small_matrix import invert_scaled


@given(size=st.integers(1, 6), seed=st.integers(0, 10_000), spread=st.floats(0.0, 6.0))
@settings(max_examples=60, deadline=None)
def test_inverse_agrees_with_numpy(size: int, seed: int, spread: float) -> None:
    """Also where the unknowns' scales differ by up to 12 decades: only the scaled matrix must be well conditioned."""
    rng = np.random.default_rng(seed)
    columns = rng.standard_normal((size + 4, size))
    scale = 10.0 ** rng.uniform(-spread, spread, size)
    normal = (columns.T @ columns) * np.outer(scale, scale)
    inverse = np.full((size, size), np.nan)
    assert invert_scaled(normal, size, inverse)
    expected = np.linalg.inv(columns.T @ columns) / np.outer(scale, scale)
    np.testing.assert_allclose(inverse * np.outer(scale, scale), expected * np.outer(scale, scale), rtol=1e-8, atol=1e-10)


def test_only_the_leading_block_is_read() -> None:
    normal = np.full((4, 4), np.nan)
    normal[:2, :2] = [[4.0, 1.0], [1.0, 3.0]]
    inverse = np.zeros((4, 4))
    assert invert_scaled(normal, 2, inverse)
    np.testing.assert_allclose(inverse[:2, :2], np.array([[3.0, -1.0], [-1.0, 4.0]]) / 11.0, rtol=1e-14)
    assert not inverse[2:].any()


def test_singular_matrices_are_refused() -> None:
    inverse = np.empty((2, 2))
    assert not invert_scaled(np.array([[1.0, 1.0], [1.0, 1.0]]), 2, inverse)
    assert not invert_scaled(np.array([[1.0, 0.0], [0.0, 0.0]]), 2, inverse)
    assert not invert_scaled(np.array([[np.nan, 0.0], [0.0, 1.0]]), 2, inverse)
    assert not invert_scaled(np.array([[1.0, 2.0], [2.0, 1.0]]), 2, inverse)
