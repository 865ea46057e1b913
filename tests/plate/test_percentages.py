"""Percentages of the window and the absolute EC50, worked by hand on noise-free plates."""

from __future__ import annotations

import numpy as np
import pytest

from thrombokit.plate.analyse import analyse_plates
from thrombokit.plate.layout import Layout
from thrombokit.plate.plate import Plate, Reading

DOSES = np.geomspace(0.01, 100, 9)


def plate_with(top: float, *, rhtpo: bool = True, noise: float = 0.002) -> Plate:
    """Vehicle 1000, rhTPO 11000; one agonist, EC50 1 nM, slope 1, that reaches `top`."""
    rng = np.random.default_rng(4)
    shape = (8, 12)
    role, agonist = np.full(shape, "empty", dtype=object), np.full(shape, "", dtype=object)
    dose, mean = np.full(shape, np.nan), np.full(shape, 1000.0)
    role[:, 0] = "vehicle"
    if rhtpo:
        role[:, 1], agonist[:, 1], mean[:, 1] = "positive_control", "rhTPO", 11_000.0
    for row in range(3):
        role[row, 2:11], agonist[row, 2:11], dose[row, 2:11] = "sample", "x", DOSES
        mean[row, 2:11] = 1000 + (top - 1000) * DOSES / (DOSES + 1.0)
    signal = mean * (1 + noise * rng.standard_normal(shape))
    signal[role == "empty"] = np.nan
    system = np.full(shape, "", dtype=object)
    layout = Layout(role=role, agonist=agonist, concentration_nM=dose, cell_system=system)
    return Plate(reading=Reading(name="P", signal=signal, source="p", reader="memory"), layout=layout, name="P", run="1")


@pytest.mark.parametrize(("top", "expected"), [(11_000.0, 1.0), (16_000.0, 0.5), (8_500.0, 2.0)])
def test_the_absolute_ec50_is_the_dose_at_half_of_the_window(top: float, expected: float) -> None:
    """Half of the window is 6000: with top 16000 it is a third of the curve's own span, with 8500 two thirds."""
    row = analyse_plates([plate_with(top)]).fits.row(0, named=True)
    assert row["ec50_nM"] == pytest.approx(1.0, rel=0.02)
    assert row["ec50_abs_nM"] == pytest.approx(expected, rel=0.02)
    assert row["ec50_abs_nM_low"] < expected < row["ec50_abs_nM_high"]
    assert row["emax_pct"] == pytest.approx((top - 1000) / 100, rel=0.01)


def test_a_partial_agonist_below_half_of_the_window_has_none() -> None:
    row = analyse_plates([plate_with(5_000.0)]).fits.row(0, named=True)
    assert row["emax_pct"] == pytest.approx(40.0, rel=0.02)
    assert row["ec50_abs_nM"] is None
    assert row["ec50_nM"] == pytest.approx(1.0, rel=0.05)


def test_without_rhtpo_there_is_no_absolute_ec50_and_the_unit_says_so() -> None:
    row = analyse_plates([plate_with(11_000.0, rhtpo=False)]).fits.row(0, named=True)
    assert row["response_unit"] == "% of vehicle"
    assert row["ec50_abs_nM"] is None
    assert row["emax_pct"] == pytest.approx(1100.0, rel=0.01)


@pytest.mark.long
def test_the_interval_of_the_absolute_ec50_holds_it_in_95_percent() -> None:
    """400 plates with 8 % noise; standard error of the rate 1.1 points."""
    inside = []
    for seed in range(400):
        plate = plate_with(11_000.0, noise=0.0)
        rng = np.random.default_rng(seed)
        signal = plate.reading.signal * (1 + 0.08 * rng.standard_normal((8, 12)))
        noisy = Plate(reading=Reading(name="P", signal=signal, source="p", reader="memory"), layout=plate.layout, name="P", run="1")
        row = analyse_plates([noisy]).fits.row(0, named=True)
        inside.append(row["ec50_abs_nM_low"] < 1.0 < row["ec50_abs_nM_high"])
    assert 0.92 <= np.mean(inside) <= 0.98
