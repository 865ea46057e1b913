"""Logicle and hyperlog beside flowutils 1.2's C code (the authors' reference implementation), linear, log and asinh beside its Python.

flowutils leaves -1 in place of values that its own iteration gives up on (|x| below about 1e-8 with W = 0); those are left out here.
"""

from __future__ import annotations

import flowutils.transforms as peer
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from thrombokit.cells.scales import AsinhScale, HyperlogScale, LinearScale, LogicleScale, LogScale

TOLERANCE = 1e-12
LETTERS = st.tuples(st.sampled_from([1000.0, 10_000.0, 262_144.0]), st.floats(1.0, 6.0), st.floats(0.01, 1.0), st.floats(0.0, 1.0))
"""T; M; W as a share of M / 2; A as a share of its range -W to M - 2 W."""


def _letters(drawn: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    t, m, w_share, a_share = drawn
    w = 0.5 * m * w_share
    return t, w, m, min(-w + a_share * (m - w), m - 2.0 * w)


def _values(t: float) -> np.ndarray:
    rising = np.geomspace(1e-4, 2.0, 300) * t
    return np.concatenate([-rising, [0.0], rising])


@given(LETTERS)
def test_logicle_is_the_reference_negatives_included(drawn: tuple[float, float, float, float]) -> None:
    t, w, m, a = _letters(drawn)
    values, scale = _values(t), LogicleScale(t=t, w=w, m=m, a=a)
    expected = peer.logicle(values, None, t=t, m=m, w=w, a=a)
    np.testing.assert_allclose(scale.apply(values), expected, rtol=0.0, atol=TOLERANCE)
    np.testing.assert_allclose(scale.apply(np.tile(values, 20)), np.tile(expected, 20), rtol=0.0, atol=1e-11 + TOLERANCE)


@given(LETTERS)
def test_hyperlog_is_the_reference_negatives_included(drawn: tuple[float, float, float, float]) -> None:
    t, w, m, a = _letters(drawn)
    values, scale = _values(t), HyperlogScale(t=t, w=w, m=m, a=a)
    expected = peer.hyperlog(values, None, t=t, m=m, w=w, a=a)
    np.testing.assert_allclose(scale.apply(values), expected, rtol=0.0, atol=TOLERANCE)
    np.testing.assert_allclose(scale.apply(np.tile(values, 20)), np.tile(expected, 20), rtol=0.0, atol=1e-11 + TOLERANCE)


@given(LETTERS)
def test_inverses_are_the_reference_s(drawn: tuple[float, float, float, float]) -> None:
    t, w, m, a = _letters(drawn)
    places = np.linspace(-0.4, 1.1, 151)
    ours = LogicleScale(t=t, w=w, m=m, a=a).inverse(places)
    np.testing.assert_allclose(ours, peer.logicle_inverse(places, None, t=t, m=m, w=w, a=a), rtol=1e-9, atol=1e-9 * t)
    ours = HyperlogScale(t=t, w=w, m=m, a=a).inverse(places)
    np.testing.assert_allclose(ours, peer.hyperlog_inverse(places, None, t=t, m=m, w=w, a=a), rtol=1e-9, atol=1e-9 * t)


def test_a_logicle_without_linear_part_is_right_where_the_reference_gives_up() -> None:
    values = np.array([-1e-9, 1e-9, 1.0, -1e5])
    expected = peer.logicle(values, None, t=262_144, m=4.5, w=0.0, a=0.0)
    found = LogicleScale(w=0.0).apply(values)
    np.testing.assert_allclose(found[2:], expected[2:], rtol=0.0, atol=TOLERANCE)
    assert expected[0] == expected[1] == -1.0, "flowutils no longer gives up: widen the comparison above"
    np.testing.assert_allclose(LogicleScale(w=0.0).inverse(found[:2]), values[:2], rtol=1e-6)


def test_line_logarithm_and_asinh_are_the_peer_s() -> None:
    values = _values(10_000.0)
    above = values[values > 0.0]
    asinh = peer.asinh(values, None, t=10_000.0, m=4.0, a=1.0)
    np.testing.assert_allclose(AsinhScale(t=10_000.0, m=4.0, a=1.0).apply(values), asinh, rtol=0.0, atol=1e-14)
    log = peer.log(above, None, t=10_000.0, m=5.0)
    np.testing.assert_allclose(LogScale(t=10_000.0, m=5.0).apply(above), log, rtol=0.0, atol=1e-14)
    np.testing.assert_allclose(LinearScale(t=10_000.0, a=500.0).apply(values), (values + 500.0) / 10_500.0, rtol=1e-15)
