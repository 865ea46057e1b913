"""Scales: inverses, order, cuts, values that are odd, and what the checks of the letters say."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thrombokit.cells.scales import (
    AsinhScale,
    BiexponentialScale,
    HyperlogScale,
    LinearScale,
    LogicleScale,
    LogScale,
    Ratio,
    Scale,
)
from thrombokit.errors import InputError

T = 262_144.0
ALL: tuple[Scale, ...] = (
    LinearScale(t=T, a=1000.0), LogScale(t=T, m=5.0), AsinhScale(t=T, m=4.5, a=0.7), LogicleScale(), LogicleScale(w=0.0), LogicleScale(w=2.25),
    LogicleScale(w=1.0, a=-1.0), HyperlogScale(t=T, w=0.5, m=4.5), HyperlogScale(t=T, w=1.0, m=4.0, a=0.5), BiexponentialScale(top=T),
    BiexponentialScale(top=T, width_basis=-100.0, negative=1.0, positive=4.9),
)  # fmt: skip
IDS = [f"{type(scale).__name__}{i}" for i, scale in enumerate(ALL)]
VALUES = st.lists(st.floats(-T, T), min_size=1, max_size=20).map(np.array)


@pytest.mark.parametrize("scale", ALL, ids=IDS)
@given(values=VALUES)
def test_inverse_brings_every_value_back(scale: Scale, values: np.ndarray) -> None:
    if isinstance(scale, LogScale):
        values = np.maximum(values, 1e-9)
    if isinstance(scale, BiexponentialScale):
        values = np.clip(values, *scale.inverse(np.array([0.0, 1.0])))
    back = scale.inverse(scale.apply(values))
    np.testing.assert_allclose(back, values, rtol=1e-9, atol=1e-6)


@pytest.mark.parametrize("scale", ALL, ids=IDS)
@given(values=VALUES)
def test_order_is_kept_and_the_top_lies_at_one(scale: Scale, values: np.ndarray) -> None:
    scaled = scale.apply(np.sort(values))
    assert (np.diff(scaled[np.isfinite(scaled)]) >= -1e-14).all()
    if not isinstance(scale, BiexponentialScale):
        assert scale.apply(np.array([T]))[0] == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("scale", ALL, ids=IDS)
def test_many_events_give_what_few_give(scale: Scale) -> None:
    values = np.sinh(np.linspace(-13.0, 13.0, 30_000)).reshape(-1, 2)
    few = np.concatenate([scale.apply(part) for part in np.array_split(values, 10)])
    np.testing.assert_allclose(scale.apply(values), few, rtol=0.0, atol=1e-11)


@pytest.mark.parametrize("scale", ALL, ids=IDS)
def test_not_a_number_stays_so_and_shapes_are_kept(scale: Scale) -> None:
    values = np.array([[1.0, np.nan, -5.0], [0.0, 1e5, 2e6]], dtype=np.float32)
    scaled = scale.apply(values)
    assert scaled.shape == (2, 3)
    assert scaled.dtype == np.float64
    assert np.isnan(scaled).tolist() == [[False, True, False], [False, False, False]]
    assert scale.apply(np.array([])).size == 0
    assert pickle.loads(pickle.dumps(scale)) == scale
    assert hash(scale) == hash(pickle.loads(pickle.dumps(scale)))


@pytest.mark.parametrize("scale", [LogicleScale(), HyperlogScale(t=T, w=0.5, m=4.5), AsinhScale(t=T, m=4.0)])
@given(value=st.floats(1e-12, 1e300))
def test_negative_values_mirror_positive_ones_about_zero(scale: LogicleScale | HyperlogScale | AsinhScale, value: float) -> None:
    low, middle, high = scale.apply(np.array([-value, 0.0, value]))
    assert low + high == pytest.approx(2.0 * middle, abs=1e-12)


def test_the_logarithm_of_nothing_lies_below_every_bound() -> None:
    values = np.array([-5.0, 0.0, 1e-300, T])
    assert LogScale(t=T, m=5.0).apply(values).tolist()[:2] == [-np.inf, -np.inf]
    assert LogScale(t=T, m=5.0, bound_min=-0.2).apply(values)[:3].tolist() == [-0.2, -0.2, -0.2]


@pytest.mark.parametrize(
    "scale",
    [
        LinearScale(t=1000.0, bound_min=0.1, bound_max=0.9), AsinhScale(t=1000.0, m=4.0, bound_min=0.1, bound_max=0.9),
        LogicleScale(t=1000.0, bound_min=0.1, bound_max=0.9), HyperlogScale(t=1000.0, w=0.5, m=4.5, bound_min=0.1, bound_max=0.9),
        LogScale(t=1000.0, m=4.0, bound_min=0.1, bound_max=0.9), BiexponentialScale(top=1000.0, bound_min=0.1, bound_max=0.9),
    ],
)  # fmt: skip
def test_results_are_cut_at_their_bounds(scale: Scale) -> None:
    scaled = scale.apply(np.array([-1e6, 1e6, np.nan]))
    assert scaled[:2].tolist() == [0.1, 0.9]
    assert np.isnan(scaled[2])


def test_every_wrong_letter_is_named_at_once() -> None:
    with pytest.raises(InputError) as caught:
        LogicleScale(t=float("nan"), w=3.0, m=4.0, bound_min=0.5, bound_max=0.1)
    assert [fault.found for fault in caught.value.faults] == ["T = nan", "W = 3", "boundMin = 0.5 above boundMax = 0.1"]
    assert "logicle scale: found W = 3; expected 0 to M / 2 = 2" in str(caught.value)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: LinearScale(t=100.0, a=200.0), "linear scale: found A = 200; expected 0 to T = 100"),
        (lambda: LinearScale(t=0.0), "found T = 0"),
        (lambda: LogScale(t=100.0, m=0.0), "log scale: found M = 0; expected above 0, up to 30 decades"),
        (lambda: AsinhScale(t=100.0, m=4.0, a=5.0), "asinh scale: found A = 5; expected 0 to M = 4"),
        (lambda: LogicleScale(w=1.0, a=-1.1), "found A = -1.1; expected -W = -1 to M - 2 W = 2.5"),
        (lambda: LogicleScale(w=1.0, a=2.6), "found A = 2.6"),
        (lambda: HyperlogScale(t=100.0, w=0.0, m=4.0), "hyperlog scale: found W = 0; expected 1e-06 to M / 2 = 2"),
        (lambda: BiexponentialScale(width_basis=10.0), "biexponential scale: found width basis = 10; expected -1000000 to -1"),
        (lambda: BiexponentialScale(negative=-1.0), "found negative decades = -1"),
        (lambda: BiexponentialScale(positive=0.2), "found positive decades = 0.2; expected more than half of log10(-width basis)"),
        (lambda: BiexponentialScale(top=0.0), "found max value = 0"),
        (lambda: LogicleScale(bound_min=float("nan")), "found boundMin = nan; expected a number"),
        (lambda: Ratio(numerator="a", denominator="b", a=float("inf")), "ratio a / b: found A = inf; expected a finite number"),
    ],
)
def test_wrong_letters_are_refused_with_what_was_expected(make: object, said: str) -> None:
    assert callable(make)
    with pytest.raises(InputError) as caught:
        make()
    assert said in str(caught.value)


def test_ratio_of_two_channels() -> None:
    ratio = Ratio(numerator="x", denominator="y", a=2.0, b=1.0, c=3.0)
    found = ratio.apply(np.array([5.0, 5.0, 1.0, 0.0]), np.array([5.0, 3.0, 3.0, 3.0]))
    assert found[0] == 4.0
    assert found[1] == np.inf
    assert np.isnan(found[2])
    assert found[3] == -np.inf


@given(w=st.floats(0.0, 2.25), a=st.floats(0.0, 1.0), value=st.floats(-1e6, 1e6))
def test_logicle_solves_its_own_equation(w: float, a: float, value: float) -> None:
    scale = LogicleScale(w=w, a=min(a, 4.5 - 2.0 * w))
    back = scale.inverse(scale.apply(np.array([value])))[0]
    assert back == pytest.approx(value, rel=1e-10, abs=1e-7)
