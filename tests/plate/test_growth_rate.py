"""Growth rates and GR values of plain numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thrombokit.plate.growth_rate import (
    dose_means,
    four_parameter_dose_nM,
    gr_area_over_curve,
    gr_half_crossings_nM,
    gr_value,
    growth_rate_per_d,
    half_gr_rate_per_d,
)


def test_two_doublings_in_two_days() -> None:
    assert growth_rate_per_d(np.array([400.0]), 100.0, hours=48.0) == pytest.approx([np.log(2.0)])


def test_signals_at_or_below_the_blank_have_no_rate() -> None:
    rates = growth_rate_per_d(np.array([-1.0, 0.0, 100.0]), 100.0, hours=24.0)
    assert np.isnan(rates).tolist() == [True, True, False]


@given(st.floats(1.0, 1e6), st.floats(1.01, 50.0), st.floats(1.0, 240.0))
def test_gr_is_one_as_vehicle_zero_at_rest_and_negative_below(start: float, fold: float, hours: float) -> None:
    vehicle = float(growth_rate_per_d(np.array(start * fold), start, hours=hours))
    rates = growth_rate_per_d(start * np.array([fold, 1.0, 0.5]), start, hours=hours)
    gr = gr_value(rates, vehicle)
    assert gr[:2] == pytest.approx([1.0, 0.0], abs=1e-9)
    assert -1.0 <= gr[2] < 0.0


@given(st.floats(1.1, 50.0), st.floats(0.05, 50.0), st.floats(1.0, 240.0))
def test_gr_does_not_depend_on_the_hours(vehicle_fold: float, fold: float, hours: float) -> None:
    vehicle, rate = (growth_rate_per_d(np.array([f]), 1.0, hours=hours) for f in (vehicle_fold, fold))
    published = 2.0 ** (np.log2(fold) / np.log2(vehicle_fold)) - 1.0
    assert gr_value(rate, float(vehicle[0])) == pytest.approx([published], rel=1e-9)


@pytest.mark.parametrize("vehicle", [0.0, -0.2, float("nan")])
def test_no_gr_value_where_the_vehicle_does_not_grow(vehicle: float) -> None:
    assert np.isnan(gr_value(np.array([0.1, 0.2]), vehicle)).all()


def test_the_rate_at_half_gr() -> None:
    assert gr_value(np.array([half_gr_rate_per_d(0.7)]), 0.7) == pytest.approx([0.5])


def test_the_dose_where_a_curve_passes_a_rate() -> None:
    theta = np.array([1.0, 0.2, np.log(30.0), np.log(1.5)])
    dose = four_parameter_dose_nM(0.6, theta)
    assert dose == pytest.approx(30.0)
    assert np.isnan(four_parameter_dose_nM(1.1, theta))
    assert np.isnan(four_parameter_dose_nM(0.6, np.array([1.0, 1.0, 0.0, 0.0])))


def test_area_over_a_straight_line() -> None:
    doses = np.array([1.0, 10.0, 100.0])
    assert gr_area_over_curve(doses, np.array([1.0, 0.5, 0.0])) == pytest.approx(0.5)
    assert gr_area_over_curve(doses, np.ones(3)) == 0.0
    assert gr_area_over_curve(doses, np.array([1.0, 1.5, 2.0])) == pytest.approx(-0.5)
    assert np.isnan(gr_area_over_curve(doses[:1], np.ones(1)))


def test_means_of_doses_leave_vehicle_and_missing_wells_out() -> None:
    doses, means = dose_means(np.array([0.0, 10.0, 1.0, 10.0, 3.0]), np.array([1.0, 0.2, 0.9, 0.4, np.nan]))
    assert doses.tolist() == [1.0, 10.0]
    assert means == pytest.approx([0.9, 0.3])


def test_crossings_are_interpolated_on_log_dose() -> None:
    doses = np.array([1.0, 10.0, 100.0, 1000.0])
    assert gr_half_crossings_nM(doses, np.array([1.0, 0.75, 0.25, 0.0])) == pytest.approx([10**1.5])
    assert gr_half_crossings_nM(doses, np.array([1.0, 0.0, 1.0, 0.0])) == pytest.approx([10**0.5, 10**2.5])
    assert gr_half_crossings_nM(doses, np.ones(4)).size == 0
