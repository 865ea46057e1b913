"""The dose axis holds every dose, keeps the vehicle apart and ticks whole powers of ten."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from thrombokit.drawing.axes import decades, dose_axis, dose_x

doses = st.lists(st.floats(min_value=1e-4, max_value=1e6), min_size=1, max_size=12)


@given(doses, st.booleans())
def test_every_dose_lies_on_the_axis_and_the_vehicle_left_of_all(values: list[float], vehicle: bool) -> None:
    axis = dose_axis(values, vehicle=vehicle)
    assert axis is not None
    assert axis.low_nM < min(values)
    assert max(values) < axis.high_nM
    assert (axis.vehicle_nM is not None) == vehicle
    if axis.vehicle_nM is not None and axis.break_nM is not None:
        assert axis.low_nM < axis.vehicle_nM < axis.break_nM < min(values)


@given(doses)
def test_ticks_are_powers_of_ten_inside_the_axis_and_few(values: list[float]) -> None:
    axis = dose_axis(values)
    assert axis is not None
    ticks = decades(axis)
    assert len(ticks) <= 5
    assert all(abs(math.log10(tick) - round(math.log10(tick))) < 1e-12 for tick in ticks)
    assert all(axis.low_nM <= tick <= axis.high_nM for tick in ticks)


def test_zero_and_not_finite_doses_make_no_axis() -> None:
    assert dose_axis([0.0, math.nan, math.inf, -1.0]) is None


def test_the_unit_is_on_the_axis_and_the_vehicle_is_labelled_zero() -> None:
    axis = dose_axis([1.0, 100.0], vehicle=True)
    assert axis is not None
    x = dose_x("dose", axis).to_dict()
    assert x["title"] == "concentration (nM)"
    assert x["scale"]["type"] == "log"
    assert "'0'" in x["axis"]["labelExpr"]
    assert x["axis"]["values"] == [axis.vehicle_nM, 1.0, 10.0, 100.0]
