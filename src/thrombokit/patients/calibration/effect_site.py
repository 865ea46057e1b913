"""Hetrombopag without plasma: what daily doses drive through a virtual effect site, and what that does to counts, in closed form.

The site passes on 24 ke x amount (mg/d); the drive is (that / 5 mg/d)^gamma. Between doses the amount falls exponentially, so that the mean drive
over any stretch is exact; the chain of four precursors (eight times slower than a day) sees nothing finer than stretches of 6 hours.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import gammainc

from thrombokit.numerics.arrays import Array
from thrombokit.numerics.jit import kernel

STRETCH_H = 6.0
PRECURSOR_RATE_PER_H = 0.0286
N_PRECURSORS = 4
HALFLIFE_RANGE_H = (12.0, 40.0)
HALFLIFE_RISE = math.log(40.1 / 11.9) / math.log(8.0)
"""Power with which half-lives rise with the dose: 11.9 h after 5 mg, 40.1 h after 40 mg (Zheng 2017, doi:10.1111/bcpt.12815)."""


def halflife_at(dose_mg: float, halflife_5mg_h: float) -> float:
    """Half-life (h) at a dose, kept within the published range."""
    low, high = HALFLIFE_RANGE_H
    return min(max(halflife_5mg_h * (dose_mg / 5.0) ** HALFLIFE_RISE, low), high)


@kernel
def mean_drive(dose_mg: float, n_doses: int, halflife_h: float, gamma: float, stretch_h: float, drive: Array) -> None:
    """Mean drive over each stretch from the first dose on, without theta; `drive` (n_stretches,) is filled; a dose every 24 h."""
    ke = math.log(2.0) / halflife_h
    per_day = round(24.0 / stretch_h)
    fall = math.exp(-ke * stretch_h)
    share = (1.0 - math.exp(-gamma * ke * stretch_h)) / (gamma * ke * stretch_h)
    amount = 0.0
    for k in range(drive.size):
        if k % per_day == 0 and k // per_day < n_doses:
            amount += dose_mg
        drive[k] = (24.0 * ke * amount / 5.0) ** gamma * share
        amount *= fall


def chain_inflow(n_stretches: int) -> Array:
    """Inflow of platelets at 0, 1, ... n stretches after one stretch of production 1 began, shape (n_stretches + 1,): 1e9/L/h."""
    start_h = STRETCH_H * np.arange(n_stretches + 1)
    arrived = gammainc(N_PRECURSORS, PRECURSOR_RATE_PER_H * start_h)
    return np.asarray(np.diff(arrived, prepend=0.0))


def chain_counts(life_d: Array, n_stretches: int) -> Array:
    """Counts at 0, 1, ... n stretches after one stretch of production 1 (1e9/L/h) began, shape (m, n_stretches + 1), 1e9/L.

    What production 1 has delivered rises as the chain's distribution function (Erlang); platelets of each life are carried through it exactly,
    with the inflow taken as straight over 1.5 h.
    """
    times_h = STRETCH_H * np.arange(n_stretches + 1, dtype=np.float64)
    risen = np.stack([_risen(1.0 / (24.0 * life), times_h) for life in life_d])
    return np.asarray(np.diff(risen, axis=1, prepend=0.0))


def _risen(removal: float, times_h: Array) -> Array:
    """Count after production 1 has gone on for each of `times_h`."""
    fine = 4
    step = STRETCH_H / fine
    grid = step * np.arange((times_h.size - 1) * fine + 1)
    inflow = gammainc(N_PRECURSORS, PRECURSOR_RATE_PER_H * grid)
    count, kept = np.zeros(grid.size), math.exp(-removal * step)
    slope = np.diff(inflow) / step
    for k in range(grid.size - 1):
        level = inflow[k] / removal * (1.0 - kept) + slope[k] * (step / removal - (1.0 - kept) / removal**2)
        count[k + 1] = count[k] * kept + level
    return np.asarray(count[::fine])


def reading_matrix(counts: Array, visits_h: Array, n_stretches: int) -> Array:
    """What each stretch of production contributes to the count at each visit, shape (m, n_visits, n_stretches)."""
    whole = np.round(visits_h / STRETCH_H).astype(np.int64)
    lag = whole[:, None] - np.arange(n_stretches)[None, :]
    return np.where(lag[None, :, :] > 0, counts[:, np.clip(lag, 0, counts.shape[1] - 1)], 0.0)
