"""From fates to what is counted: cells of a well over three days, megakaryocytes and their ploidy over ten to fourteen.

The cell number follows dN/dt = (p - d) N - p N^2 / K with time-dependent rates, a Bernoulli equation with a closed solution; no solver is
needed. The culture of megakaryocytes is a small linear system stepped by classical Runge-Kutta. The first is the luminescence
read-out and is tied to measured EC50s; the second is *assumed* and is to be drawn as a band.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.integrate import cumulative_trapezoid

from thrombokit.domain.fates import FateRates
from thrombokit.domain.ploidy import CLASS_PLOIDY, CLASSES
from thrombokit.numerics.arrays import Array, FrozenArrays, frozen

LONGEST_STEP_d = 0.05
"""Of the culture's integration; rates are at most some 5 per day, so that a step errs by less than 1e-6."""
HOURS_PER_DAY = 24.0


@dataclass(frozen=True, kw_only=True, eq=False)
class CultureCourse(FrozenArrays):
    """A culture of CD34+ cells over time, per seeded cell.

    `time_h` (n_times,); `cd41_share` (n_times,) of the living cells; `ploidy` (n_times, 6) shares of the megakaryocytes, 2N to >= 64N;
    `megakaryocytes` and `cells` (n_times,) per seeded cell.
    """

    time_h: Array
    cells: Array
    megakaryocytes: Array
    cd41_share: Array
    ploidy: Array

    def __post_init__(self) -> None:
        for name in ("time_h", "cells", "megakaryocytes", "cd41_share", "ploidy"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    @property
    def ge8N(self) -> Array:
        """Share of megakaryocytes with 8N or more, shape (n_times,)."""
        return self.ploidy[:, CLASSES.index("8N") :].sum(axis=1)

    @property
    def mean_ploidy(self) -> Array:
        """Mean ploidy of the megakaryocytes, shape (n_times,)."""
        return self.ploidy @ CLASS_PLOIDY


def cell_number(fates: FateRates, *, seeded: float, capacity: float) -> Array:
    """Living cells in a well over time.

    Parameters
    ----------
    fates : FateRates
        Rates per day at (n_times,) times, taken as linear between them.
    seeded, capacity : float
        Cells at the start, and cells at which division comes to a stop.

    Returns
    -------
    array of shape (n_times,)
    """
    time_d = fates.time_h / HOURS_PER_DAY
    net, divide = fates.proliferation_per_d - fates.death_per_d, fates.proliferation_per_d
    growth = cumulative_trapezoid(net, time_d, initial=0.0)
    spans = np.diff(time_d)
    halfway = growth[:-1] + spans * (3.0 * net[:-1] + net[1:]) / 8.0
    middle = np.exp(halfway) * 0.5 * (divide[:-1] + divide[1:])
    ends = np.exp(growth) * divide
    crowding = np.concatenate([[0.0], np.cumsum(spans * (ends[:-1] + 4.0 * middle + ends[1:]) / 6.0)])  # Simpson, growth exact
    return np.exp(growth) / (1.0 / seeded + crowding / capacity)


def culture_course(fates: FateRates, rates: Mapping[str, float]) -> CultureCourse:
    """Progenitors to megakaryocytes of 2N to >= 64N, as fates say.

    Parameters
    ----------
    fates : FateRates
    rates : dict of str to float
        `megakaryocyte_division` (at `proliferation_max`), `endomitosis_by_class` of `fate_rates.toml`.

    Returns
    -------
    CultureCourse
        Per seeded CD34+CD41- cell.
    """
    known = np.stack([fates.proliferation_per_d, fates.death_per_d, fates.differentiation_per_d, fates.endomitosis_per_d], axis=1)
    share = rates["megakaryocyte_division"] / rates["proliferation_max"]
    course = _follow(fates.time_h / HOURS_PER_DAY, known, division=share, by_class=rates["endomitosis_by_class"])
    megakaryocytes = course[:, 1:].sum(axis=1)
    divisor = np.where(megakaryocytes > 0.0, megakaryocytes, 1.0)
    shares = course[:, 1:] / divisor[:, None]
    shares[megakaryocytes <= 0.0] = np.eye(len(CLASSES))[0]
    cells = course.sum(axis=1)
    return CultureCourse(
        time_h=fates.time_h, cells=cells, megakaryocytes=megakaryocytes, cd41_share=megakaryocytes / cells, ploidy=shares
    )


def _follow(time_d: Array, rates: Array, *, division: float, by_class: float) -> Array:
    """States (n_times, n_states) from one progenitor on; rates (n_times, 4) are linear between their times."""
    state = np.eye(1 + len(CLASSES))[0]
    states = [state]
    for k in range(time_d.size - 1):
        steps = math.ceil((time_d[k + 1] - time_d[k]) / LONGEST_STEP_d)
        step = (time_d[k + 1] - time_d[k]) / steps
        halves = np.linspace(rates[k], rates[k + 1], 2 * steps + 1)
        matrices = _generators(halves, division=division, by_class=by_class)
        for s in range(steps):
            start, middle, end = matrices[2 * s : 2 * s + 3]
            first = start @ state
            second = middle @ (state + 0.5 * step * first)
            third = middle @ (state + 0.5 * step * second)
            fourth = end @ (state + step * third)
            state = state + step / 6.0 * (first + 2.0 * second + 2.0 * third + fourth)
        states.append(state)
    return np.array(states)


def _generators(rates: Array, *, division: float, by_class: float) -> Array:
    """Matrices of d state / dt per day, shape (n, n_states, n_states), for rates (n, 4); states are progenitors, 2N, 4N ... 64N."""
    divide, die, differentiate, double = rates.T
    last = len(CLASSES)
    matrices = np.zeros((rates.shape[0], 1 + last, 1 + last))
    matrices[:, 0, 0] = divide - die - differentiate
    matrices[:, 1, 0] = differentiate
    matrices[:, 1, 1] = division * divide
    for at in range(1, 1 + last):
        onwards = double * by_class ** (at - 1)
        matrices[:, at, at] -= die
        if at < last:
            matrices[:, at, at] -= onwards
            matrices[:, at + 1, at] = onwards
    return matrices
