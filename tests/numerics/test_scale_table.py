"""The tables of scales: as good as they say, without gaps, and the same whether events come alone or many at once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thrombokit.cells.scales import HyperlogScale, LogicleScale
from thrombokit.numerics.scale_table import ACCURACY, OCTAVES, look_up, tabulate

TOPS = st.sampled_from([1000.0, 10_000.0, 262_144.0, 1_048_576.0, 4_294_967_296.0])


@st.composite
def scales(draw: st.DrawFn) -> LogicleScale | HyperlogScale:
    top, m = draw(TOPS), draw(st.floats(1.0, 8.0))
    kind = draw(st.sampled_from(["logicle", "hyperlog"]))
    w = draw(st.floats(0.05 if kind == "hyperlog" else 0.0, 0.5 * m))
    a = draw(st.floats(-w, m - 2.0 * w))
    return HyperlogScale(t=top, w=w, m=m, a=a) if kind == "hyperlog" else LogicleScale(t=top, w=w, m=m, a=a)


def _values(scale: LogicleScale | HyperlogScale) -> np.ndarray:
    steps = np.concatenate([[0.0], np.geomspace(1e-12, 10.0, 4000)]) * scale.t
    return np.concatenate([-steps[::-1], steps])


@given(scales())
def test_table_keeps_its_accuracy_for_any_scale(scale: LogicleScale | HyperlogScale) -> None:
    values = _values(scale)
    exact = np.concatenate([scale.apply(part) for part in np.array_split(values, 4)])
    assert np.abs(look_up(values, scale.table()) - exact).max() < ACCURACY


@given(scales())
def test_neighbouring_parts_of_a_table_meet(scale: LogicleScale | HyperlogScale) -> None:
    table = scale.table()
    joints = (np.ldexp(1.0, np.arange(1, OCTAVES)) - 1.0) * table.unit
    below, above = look_up(np.nextafter(joints, 0.0), table), look_up(np.nextafter(joints, np.inf), table)
    assert np.abs(above - below).max() < 1e-13


def test_what_lies_outside_the_table_is_exact_and_not_a_number_stays_so() -> None:
    scale = LogicleScale()
    values = np.array([np.nan, np.inf, -np.inf, 1e300, -1e300, 1e15, 0.0, -0.0])
    found = look_up(values, scale.table())
    np.testing.assert_array_equal(found, scale.apply(values))
    assert np.isnan(found[0])
    assert found[1] == np.inf
    assert found[2] == -np.inf
    assert scale.inverse(found[3:6]) == pytest.approx(values[3:6], rel=1e-9)


def test_tabulating_any_odd_function() -> None:
    table = tabulate(lambda x: 0.5 + np.arcsinh(x), unit=1.0, centre=0.5)
    x = np.linspace(-1e6, 1e6, 10_001)
    assert np.abs(look_up(x, table) - 0.5 - np.arcsinh(x)).max() < 1e-10
