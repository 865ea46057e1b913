"""GR50, GR_max and GR_AOC of one curve, or why there are none.

GR50 is read off the 4PL of the growth rate, at the rate where GR is 0.5, only between the tested doses, and only where the measured means
pass 0.5 within one dose step of it: a curve that falls twice is no 4PL, and its GR50 would be wrong in silence. The authors' own programs
(gr50_tools) fit a three-parameter curve to the GR values instead, with its top held at 1: GR50s differ where the two shapes do. Their
GR_max is the lower of the two highest doses, which suits inhibitors alone; here it is GR at the highest dose, as in the paper.

Reference: Hafner et al. 2016, doi:10.1038/nmeth.3853.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from thrombokit.dose_response.fits import CurveFits
from thrombokit.numerics.arrays import Array
from thrombokit.plate.day_zero import DayZero
from thrombokit.plate.growth_rate import (
    dose_means,
    four_parameter_dose_nM,
    gr_area_over_curve,
    gr_half_crossings_nM,
    gr_value,
    growth_rate_per_d,
    half_gr_rate_per_d,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class GrMetrics:
    """GR metrics of one curve; None where not available, with the reason in `message`. `vehicle_per_d` is the vehicle's growth rate."""

    vehicle_per_d: float | None = None
    gr50_nM: float | None = None
    gr_max: float | None = None
    gr_aoc: float | None = None
    message: str = ""


def vehicle_rate_per_d(zero: DayZero) -> float:
    """Growth rate per day of the mean vehicle signal; NaN without vehicle wells, or where they stand at or below the blank."""
    if zero.vehicle is None:
        return float("nan")
    return float(growth_rate_per_d(np.array(zero.vehicle.mean), zero.start.mean, hours=zero.hours))


def gr_metrics(points: pl.DataFrame, zero: DayZero, fits: CurveFits, i: int) -> GrMetrics:
    """GR metrics of fit `i`, whose `points` hold concentration_nM and growth_rate_per_d (null where a well has none)."""
    vehicle = vehicle_rate_per_d(zero)
    if not vehicle > 0:
        if zero.vehicle is None:
            return GrMetrics(message="no GR values: no vehicle wells of these cells on the plate")
        rate = None if np.isnan(vehicle) else vehicle
        said = f"no GR values: vehicle does not grow (signal {zero.vehicle.mean:.3g}, day 0 {zero.start.mean:.3g})"
        return GrMetrics(vehicle_per_d=rate, message=said)
    rates = points["growth_rate_per_d"].cast(pl.Float64).fill_null(float("nan")).to_numpy()
    doses, gr = dose_means(points["concentration_nM"].to_numpy(), gr_value(rates, vehicle))
    if doses.size == 0:
        return GrMetrics(vehicle_per_d=vehicle, message="no GR values: no treated well stands above the blank")
    gr50, message = _gr50(fits, i, half_gr_rate_per_d(vehicle), doses, gr)
    area = gr_area_over_curve(doses, gr)
    return GrMetrics(
        vehicle_per_d=vehicle,
        gr50_nM=gr50,
        gr_max=float(gr[-1]),
        gr_aoc=None if np.isnan(area) else area,
        message=message,
    )


def _gr50(fits: CurveFits, i: int, half_rate: float, doses_nM: Array, gr: Array) -> tuple[float | None, str]:
    """The dose at GR 0.5, or why there is none; `gr` holds the mean GR at each of the doses (n_doses,), rising."""
    verdict = str(fits.verdict[i])
    if verdict in _NO_CURVE:
        return None, f"no GR50: {_NO_CURVE[verdict]}"
    if float(fits.theta[i, 1]) >= float(fits.theta[i, 0]):
        return None, "no GR50: growth rises with dose"
    dose = four_parameter_dose_nM(half_rate, fits.theta[i])
    if not dose <= float(fits.dose_high_nM[i]):
        return None, "no GR50: GR stays above 0.5 at the doses tested"
    if dose < float(fits.dose_low_nM[i]):
        return None, "no GR50: GR is below 0.5 at the lowest dose already"
    step = (doses_nM[-1] / doses_nM[0]) ** (1.0 / max(doses_nM.size - 1, 1))
    measured = gr_half_crossings_nM(doses_nM, gr)
    if not np.any(np.abs(np.log(measured / dose)) <= np.log(step)):
        near = f"at {measured[0]:.3g} nM" if measured.size else "nowhere"
        return None, f"no GR50: the curve passes GR 0.5 at {dose:.3g} nM, the measured means {near}; a 4PL does not describe them"
    return dose, ""


_NO_CURVE = {"bad": "no curve was fitted", "flat": "no effect of dose on growth", "not_sigmoid": "growth turns back at high dose"}
