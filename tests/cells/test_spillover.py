"""Spillover as a value: what it removes, and the matrices it refuses."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thrombokit.cells.spillover import Spillover, remove_spillover
from thrombokit.errors import InputError

NAMES = ("A", "B", "C")


@given(st.lists(st.floats(0.0, 0.4), min_size=6, max_size=6), st.lists(st.floats(0.0, 1e5), min_size=3, max_size=3))
def test_what_was_spilled_is_found_again(off: list[float], light: list[float]) -> None:
    matrix = np.eye(3)
    matrix[~np.eye(3, dtype=bool)] = off
    if np.linalg.cond(matrix) > 1e4:
        return
    true = np.array([light])
    found = remove_spillover(true @ matrix, NAMES, Spillover(channels=NAMES, matrix=matrix, source="m"))
    np.testing.assert_allclose(found, true, rtol=1e-8, atol=1e-6)


def test_channels_outside_the_matrix_are_left_and_its_order_is_its_own() -> None:
    spillover = Spillover(channels=("C", "A"), matrix=np.array([[1.0, 0.5], [0.0, 1.0]]), source="m")
    events = np.array([[7.0, 1.0, 4.0]], dtype=np.float32)
    assert remove_spillover(events, NAMES, spillover).tolist() == [[5.0, 1.0, 4.0]]
    assert events.tolist() == [[7.0, 1.0, 4.0]]


def test_a_value_that_is_not_finite_stays_with_what_it_spills_into() -> None:
    spillover = Spillover(channels=NAMES, matrix=np.array([[1.0, 0.5, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]), source="m")
    found = remove_spillover(np.array([[np.nan, 1.0, 2.0]]), NAMES, spillover)
    assert np.isnan(found).tolist() == [[True, True, False]]


@pytest.mark.parametrize(
    ("channels", "matrix", "said"),
    [
        (("A", "B"), np.eye(3), "m: found a matrix of shape (3, 3); expected 2 x 2, one row a channel."),
        ((), np.empty((0, 0)), "found a matrix of shape (0, 0)"),
        (("A", "A"), np.eye(2), "found channel named twice: A"),
        (("A", "B"), np.array([[1.0, np.nan], [0.0, 1.0]]), "found a value that is not finite"),
        (("A", "B"), np.array([[1.0, 0.0], [0.0, 0.0]]), "found 0 on the diagonal at B; expected > 0."),
        (("A", "B"), np.ones((2, 2)), "found a singular matrix (condition number"),
    ],
)
def test_matrices_that_cannot_be_used(channels: tuple[str, ...], matrix: np.ndarray, said: str) -> None:
    with pytest.raises(InputError) as caught:
        Spillover(channels=channels, matrix=matrix, source="m")
    assert said in str(caught.value)
    assert caught.value.faults[0].cure.startswith("Take the matrix from the single-stain controls again")


def test_channels_that_the_sample_does_not_have_are_named() -> None:
    spillover = Spillover(channels=("A", "X"), matrix=np.eye(2), source="m.csv")
    with pytest.raises(InputError, match=r"m\.csv: found 'A' \(2 channels of that name\), 'X' \(0 channels of that name\)"):
        remove_spillover(np.ones((1, 2)), ("A", "A"), spillover)
