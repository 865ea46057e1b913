"""How fast cells grew between day 0 and the read-out, and the growth-rate inhibition (GR) values made of it.

The growth rate of a well is ln(x / x0) / time, x its blank-corrected signal and x0 the mean blank-corrected day-0 signal. GR sets it
beside the vehicle's on the same plate, as 2^(k / k_vehicle) - 1: 1 where a well grows as vehicle does, 0 where it stands still, below 0
where cells are lost, above 1 where an agonist drives growth beyond vehicle.

Reference: Hafner et al. 2016, doi:10.1038/nmeth.3853 (GR value, GR50, GR_max, GR_AOC).
"""

from __future__ import annotations

import numpy as np

from thrombokit.numerics.arrays import Array

HOURS_A_DAY = 24.0
GR_HALF = 0.5


def growth_rate_per_d(signal: Array, day0_signal: float, *, hours: float) -> Array:
    """Growth rate per day of wells with blank-corrected `signal` (any shape).

    NaN where the signal is 0 or below: such a well has no growth rate, and counting it as the blank would invent one.
    `day0_signal` is the mean blank-corrected day-0 signal, `hours` the time since; both above 0.
    """
    values = np.asarray(signal, dtype=np.float64)
    grown = np.log(np.where(values > 0, values, np.nan) / day0_signal)
    return grown * (HOURS_A_DAY / hours)


def gr_value(rate_per_d: Array, vehicle_rate_per_d: float) -> Array:
    """GR value 2^(k / k_vehicle) - 1 of growth rates of any shape; NaN throughout where the vehicle does not grow."""
    rates = np.asarray(rate_per_d, dtype=np.float64)
    if not vehicle_rate_per_d > 0:
        return np.full_like(rates, np.nan)
    return np.exp2(rates / vehicle_rate_per_d) - 1.0


def dose_means(concentration_nM: Array, values: Array) -> tuple[Array, Array]:
    """Doses above 0, rising, and the mean of the finite `values` (n_points,) at each; doses without one are left out."""
    keep = np.isfinite(values) & (concentration_nM > 0)
    doses, index = np.unique(concentration_nM[keep], return_inverse=True)
    counts = np.bincount(index, minlength=doses.size)
    return doses, np.bincount(index, weights=values[keep], minlength=doses.size) / np.maximum(counts, 1)


def gr_area_over_curve(concentration_nM: Array, gr: Array) -> float:
    """GR_AOC: mean of 1 - GR over log10 dose by trapezoids, from the lowest to the highest of the doses (n_doses,), rising.

    0 where nothing changes, below 0 where growth exceeds the vehicle's; NaN with fewer than two doses.
    """
    if concentration_nM.size < 2:
        return float("nan")
    x = np.log10(concentration_nM)
    return float(np.trapezoid(1.0 - gr, x) / (x[-1] - x[0]))


def gr_half_crossings_nM(concentration_nM: Array, gr: Array) -> Array:
    """Doses in nM at which `gr` falls through 0.5, by straight lines over log dose between the doses (n_doses,), rising."""
    x = np.log(concentration_nM)
    before, after = gr[:-1], gr[1:]
    falls = np.flatnonzero((before >= GR_HALF) & (after < GR_HALF))
    share = (before[falls] - GR_HALF) / (before[falls] - after[falls])
    return np.exp(x[falls] + share * (x[falls + 1] - x[falls]))


def half_gr_rate_per_d(vehicle_rate_per_d: float) -> float:
    """Growth rate per day at which GR is 0.5."""
    return vehicle_rate_per_d * float(np.log2(1.0 + GR_HALF))


def four_parameter_dose_nM(rate_per_d: float, theta: Array) -> float:
    """Dose in nM at which a 4PL (a0, a1, ln EC50, ln hill) of the growth rate passes `rate_per_d`; NaN where it never does."""
    a0, a1, ln_ec50, ln_hill = (float(v) for v in theta[:4])
    share = (rate_per_d - a0) / (a1 - a0) if a1 != a0 else float("nan")
    if not 0.0 < share < 1.0:
        return float("nan")
    return float(np.exp(ln_ec50 + np.log(share / (1.0 - share)) / np.exp(ln_hill)))
