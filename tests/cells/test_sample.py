"""The sample as a noun: what it refuses to be, and that its arrays cannot be written to."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thrombokit.cells.sample import Channel, Sample
from thrombokit.cells.spillover import Spillover, remove_spillover
from thrombokit.errors import InputError

TWO = (Channel(name="FITC"), Channel(name="PE", gain=2.0))


def test_no_stage_can_be_written_to() -> None:
    own = np.ones((3, 2))
    matrix = Spillover(channels=("PE", "FITC"), matrix=np.array([[1.0, 0.2], [0.1, 1.0]]), source="m.csv")
    sample = Sample(name="s", channels=TWO, stored=own, spillover=matrix)
    own[0, 0] = 7.0
    for one in (sample, pickle.loads(pickle.dumps(sample))):
        for stage in ("stored", "decoded", "compensated"):
            assert not one.events(stage).flags.writeable
        assert one.events("stored")[0, 0] == 1.0
        np.testing.assert_array_equal(one.events("decoded")[:, 1], 0.5)
    with pytest.raises(ValueError, match="no stage 'raw': stored, decoded or compensated"):
        sample.events("raw")  # type: ignore[arg-type]


def test_shapes_and_types_are_checked() -> None:
    with pytest.raises(ValueError, match=r"events of shape \(3, 1\) for 2 channels"):
        Sample(name="s", channels=TWO, stored=np.ones((3, 1)))
    with pytest.raises(ValueError, match="are no numbers"):
        Sample(name="s", channels=TWO, stored=np.array([["a", "b"]]))
    with pytest.raises(ValueError, match="no gain"):
        Channel(name="a", gain=0.0)
    with pytest.raises(ValueError, match="no amplifier"):
        Channel(name="a", decades=-1.0)
    with pytest.raises(ValueError, match="needs the range"):
        Channel(name="a", decades=4.0)


@pytest.mark.parametrize(
    "matrix, words",
    [
        ([[1.0, 1.0], [1.0, 1.0]], "found a singular matrix"),
        ([[1.0, np.nan], [0.0, 1.0]], "not finite"),
        ([[0.0, 1.0], [1.0, 1.0]], "found 0 on the diagonal at PE"),
        ([[1.0]], r"matrix of shape \(1, 1\); expected 2 x 2"),
    ],
)
def test_matrices_that_cannot_be_used(matrix: list[list[float]], words: str) -> None:
    with pytest.raises(InputError, match=words):
        Spillover(channels=("PE", "FITC"), matrix=np.array(matrix), source="m.csv")
    with pytest.raises(InputError, match="channel named twice: PE"):
        Spillover(channels=("PE", "PE"), matrix=np.eye(2), source="m.csv")


def test_a_channel_of_the_matrix_that_the_sample_lacks() -> None:
    matrix = Spillover(channels=("PE", "APC"), matrix=np.eye(2), source="m.csv")
    with pytest.raises(InputError, match=r"m.csv: found 'APC' \(0 channels of that name\)"):
        remove_spillover(np.ones((1, 2)), ("FITC", "PE"), matrix)


@given(st.lists(st.floats(0.0, 0.2), min_size=6, max_size=6), st.integers(0, 2**31))
def test_removing_undoes_spilling(leaks: list[float], seed: int) -> None:
    matrix = np.eye(3)
    matrix[~np.eye(3, dtype=bool)] = leaks
    true = np.random.default_rng(seed).normal(100.0, 50.0, (20, 3))
    spillover = Spillover(channels=("a", "b", "c"), matrix=matrix, source="law")
    np.testing.assert_allclose(remove_spillover(true @ matrix, ("a", "b", "c"), spillover), true, atol=1e-10)
