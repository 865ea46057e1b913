"""Named streams: the same names give the same numbers, whatever else was drawn before."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thrombokit.numerics.streams import StreamReel, stream

PINNED = [1.4403948186819078, 1.08771069246867, 0.3066631620640233]
NAMES = st.lists(st.one_of(st.text(max_size=8), st.integers(0, 99)), max_size=3)


def test_the_numbers_of_a_stream_are_pinned() -> None:
    """They are part of every seeded result: if these three move, `Numbers that moved` of the changelog must say so."""
    drawn = stream(20181, "guide", "32D-MPL", 1).standard_normal(3)
    assert drawn.tolist() == pytest.approx(PINNED, rel=1e-15)


def test_streams_do_not_depend_on_the_order_of_calls() -> None:
    first = {name: stream(7, "patient", name).random(4).tolist() for name in (1, 2, 3)}
    again = {name: stream(7, "patient", name).random(4).tolist() for name in (3, 1, 2)}
    assert first == again


@given(seed=st.integers(0, 2**63), one=NAMES, other=NAMES)
@settings(max_examples=60, deadline=None)
def test_other_names_are_another_stream(seed: int, one: list[str | int], other: list[str | int]) -> None:
    same = [(type(n), n) for n in one] == [(type(n), n) for n in other]
    assert np.array_equal(stream(seed, *one).random(4), stream(seed, *other).random(4)) == same


def test_a_number_and_its_text_are_different_names() -> None:
    assert stream(1, 1).random() != stream(1, "1").random()
    assert stream(1, "ab", "c").random() != stream(1, "a", "bc").random()
    assert stream(1, "a").random() != stream(2, "a").random()


def test_two_streams_are_uncorrelated() -> None:
    a, b = stream(1, "a").standard_normal(20_000), stream(1, "b").standard_normal(20_000)
    assert abs(np.corrcoef(a, b)[0, 1]) < 5 / np.sqrt(20_000)


def test_a_reel_gives_the_numbers_of_the_streams() -> None:
    """Whatever was drawn before, and however much of it: normals, uniforms and halves of 64-bit words."""
    reel = StreamReel()
    for seed, names in ((1, ("patients", "1", "etas")), (1, ("patients", 1, "etas")), (7, ("x",)), (1, ("patients", "1", "etas"))):
        wound, own = reel.stream(seed, *names), stream(seed, *names)
        assert (wound.standard_normal(7) == own.standard_normal(7)).all()
        assert (wound.integers(0, 100, 3, dtype=np.uint32) == own.integers(0, 100, 3, dtype=np.uint32)).all()
        assert wound.random() == own.random()
