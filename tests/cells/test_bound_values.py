"""A bound carried over to plain values: one number decides as the scale itself would."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thrombokit.cells.bound_values import first_value_at
from thrombokit.cells.scales import AsinhScale, BiexponentialScale, HyperlogScale, LinearScale, LogicleScale, LogScale, Scale

SCALES: tuple[Scale, ...] = (
    LinearScale(t=1000.0, a=10.0),
    LogScale(t=10_000.0, m=5.0),
    LogScale(t=10_000.0, m=5.0, bound_min=0.1, bound_max=0.9),
    AsinhScale(t=10_000.0, m=4.0, a=1.0),
    LogicleScale(t=262144.0, w=0.5, m=4.5, a=0.0),
    LogicleScale(t=262144.0, w=0.5, m=4.5, a=0.0, bound_max=0.7),
    HyperlogScale(t=10_000.0, w=1.0, m=4.5, a=0.0),
    BiexponentialScale(),
)


@given(st.sampled_from(SCALES), st.floats(-0.5, 1.2), st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20))
def test_comparing_plain_values_is_comparing_on_the_scale(scale: Scale, bound: float, values: list[float]) -> None:
    first = first_value_at(scale, bound)
    beside = [np.nextafter(first, -math.inf), first] if math.isfinite(first) else []
    plain = np.array([*values, *beside])
    with np.errstate(invalid="ignore"):
        assert np.array_equal(plain >= first, scale.apply(plain) >= bound)


def test_a_bound_beyond_the_cut_of_a_scale_is_reached_by_none_and_one_below_it_by_all() -> None:
    cut = LogScale(t=10_000.0, m=5.0, bound_min=0.1, bound_max=0.9)
    assert math.isnan(first_value_at(cut, 0.95))
    assert first_value_at(cut, 0.05) == -math.inf


def test_without_a_scale_the_bound_is_the_value() -> None:
    assert first_value_at(None, 12.5) == 12.5


@pytest.mark.parametrize("scale", SCALES[:1] + SCALES[3:5])
def test_an_uncut_scale_gives_its_inverse_to_the_last_digits(scale: Scale) -> None:
    assert first_value_at(scale, 0.5) == pytest.approx(float(scale.inverse(np.array([0.5]))[0]), rel=1e-12)
