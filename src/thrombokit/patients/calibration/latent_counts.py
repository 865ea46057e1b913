"""Counts of patients on a drug from what is known beforehand: four ways in which the drug can act (the structures).

absolute: the drug adds the same production as in healthy people; emax: the same, levelling off with the concentration; relative: it multiplies
the patient's own production; saturable: as absolute, but the removal that ITP adds to ageing saturates with the count.
"""

from __future__ import annotations

import math
from enum import StrEnum

import numpy as np

from thrombokit.numerics.arrays import Array
from thrombokit.numerics.jit import kernel

HALF_REMOVAL_1E9_PER_L = 50.0
LIFE_HEALTHY_H = 205.0
KIN_HEALTHY = 1.156
"""As in the model files: 1e9/L/h."""


class Structure(StrEnum):
    """How the drug acts in a patient; equally weighted."""

    ABSOLUTE = "absolute"
    EMAX = "emax"
    SATURABLE = "saturable"
    RELATIVE = "relative"


def linear_counts(structure: Structure, level: Array, life_d: Array, gain: Array, response: Array) -> Array:
    """Counts (m, n) of all structures but the saturable one.

    `response` (m, n): what a gain of 1 adds in production equal to the healthy one (1e9/L); `gain` (m,) of each patient.
    """
    scale = level / (24.0 * life_d * KIN_HEALTHY) if structure is Structure.RELATIVE else 1.0
    return np.asarray(level[:, None] + (gain * scale)[:, None] * response)


@kernel
def saturable_counts(level: Array, life_d: Array, gain: Array, inflow: Array, step_h: float, reads: Array, out: Array) -> None:
    """Counts with saturable removal, by an exponential step with the removal of its middle.

    Parameters
    ----------
    level, life_d, gain : arrays of shape (m,)
        Count without drug (1e9/L), platelet life at that count (d), gain of the drug.
    inflow : array of shape (m or 1, n_steps + 1)
        What a gain of 1 adds to the inflow of platelets at times 0, step_h, 2 step_h, ... (1e9/L/h).
    reads : array of shape (n,)
        Whole numbers of steps at which counts are read, rising.
    out : array of shape (m, n)
        Filled, 1e9/L.
    """
    ageing = 1.0 / LIFE_HEALTHY_H
    for i in range(level.size):
        removal = max(1.0 / (24.0 * life_d[i]), ageing)
        capacity = (removal - ageing) * (HALF_REMOVAL_1E9_PER_L + level[i])
        row = i if inflow.shape[0] > 1 else 0
        count, place = level[i], 0
        for k in range(inflow.shape[1]):
            if place < reads.size and reads[place] == k:
                out[i, place] = count
                place += 1
            if k + 1 == inflow.shape[1] or place == reads.size:
                break
            flow = level[i] * removal + gain[i] * 0.5 * (inflow[row, k] + inflow[row, k + 1])
            rate = ageing + capacity / (HALF_REMOVAL_1E9_PER_L + count)
            middle = flow / rate + (count - flow / rate) * math.exp(-rate * 0.5 * step_h)
            rate = ageing + capacity / (HALF_REMOVAL_1E9_PER_L + middle)
            count = flow / rate + (count - flow / rate) * math.exp(-rate * step_h)
