"""Morris' walks: exact on straight lines, one dimension a step, the same again from the same stream."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from thrombokit.numerics.elementary_effects import walk_effects
from thrombokit.numerics.streams import stream


@given(st.lists(st.floats(-10.0, 10.0), min_size=1, max_size=6), st.integers(0, 1000))
def test_effects_of_a_straight_line_are_its_slopes(slopes: list[float], seed: int) -> None:
    weights = np.array(slopes)
    effects = walk_effects(lambda place: np.array([weights @ place, 1.0]), weights.size, stream(seed, "walk"))
    np.testing.assert_allclose(effects[:, 0], weights, atol=1e-9)
    np.testing.assert_array_equal(effects[:, 1], 0.0)


@given(st.integers(1, 8), st.integers(0, 1000))
def test_a_walk_stays_in_the_box_and_moves_each_dimension_once(n: int, seed: int) -> None:
    places: list[np.ndarray] = []

    def answer(place: np.ndarray) -> np.ndarray:
        places.append(place.copy())
        return np.zeros(1)

    walk_effects(answer, n, stream(seed, "walk"))
    assert len(places) == n + 1
    assert min(place.min() for place in places) > -1e-12
    assert max(place.max() for place in places) < 1.0 + 1e-12
    moved = [np.flatnonzero(later != earlier) for earlier, later in pairwise(places)]
    assert sorted(int(one[0]) for one in moved) == list(range(n))
    assert all(one.size == 1 for one in moved)


def test_a_curve_has_another_effect_elsewhere() -> None:
    found = {round(float(walk_effects(lambda place: place**2, 1, stream(seed, "walk"))[0, 0]), 9) for seed in range(20)}
    assert len(found) > 1
