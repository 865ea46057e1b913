"""Rescue treatment: who needs it when, what it does to the count, and for how long a count then says nothing about the agonist.

Below a threshold of the measured count rescue happens with a hazard that may rise as the count falls; what it adds (or multiplies) comes up
over its onset and fades in a straight line. It acts on the count in the blood, not on how platelets are made.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from thrombokit.errors import Fault, SpecError, raise_all
from thrombokit.numerics.arrays import Array
from thrombokit.numerics.jit import kernel

THRESHOLD, HAZARD_PER_D, STEEPNESS, ADDED, FACTOR, ONSET_D, DURATION_D, APART_D, EXCLUSION_D = range(9)
RESCUE_SIZE = 9
"""Places in a rescue program."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rescue:
    """When rescue is given and what it does.

    Attributes
    ----------
    threshold_1e9_per_L, hazard_per_d, steepness : float
        Below the threshold the hazard is hazard_per_d x (1 - count / threshold)^steepness; steepness 0: constant.
    added_1e9_per_L, factor : float
        At its height the effect multiplies the count by `factor` and then adds `added_1e9_per_L`.
    onset_d, duration_d : float
        The effect rises for `onset_d` days and is gone `duration_d` days after the rescue.
    apart_d : float
        No second rescue sooner than this; the effect is that of the last one.
    exclusion_d : float
        For so many days a count is one after rescue.

    Raises
    ------
    SpecError
        Every value out of range, in one pass.
    """

    threshold_1e9_per_L: float
    hazard_per_d: float
    duration_d: float
    steepness: float = 0.0
    added_1e9_per_L: float = 0.0
    factor: float = 1.0
    onset_d: float = 0.0
    apart_d: float = 0.0
    exclusion_d: float = 28.0

    def __post_init__(self) -> None:
        positive = {"threshold_1e9_per_L": self.threshold_1e9_per_L, "factor": self.factor}
        others = {
            "hazard_per_d": self.hazard_per_d, "steepness": self.steepness, "added_1e9_per_L": self.added_1e9_per_L,
            "onset_d": self.onset_d, "duration_d": self.duration_d, "apart_d": self.apart_d, "exclusion_d": self.exclusion_d,
        }  # fmt: skip
        wrong = [(name, value, "a finite number above 0") for name, value in positive.items() if not 0.0 < value < math.inf]
        wrong += [(name, value, "a finite number, 0 or more") for name, value in others.items() if not 0.0 <= value < math.inf]
        if self.onset_d > self.duration_d:
            wrong.append(("onset_d", self.onset_d, f"at most duration_d, {self.duration_d:g}"))
        raise_all(
            (Fault(place=f"rescue, {name}", found=f"{value:g}", expected=what, cure="Correct it.") for name, value, what in wrong),
            SpecError,
        )


def rescue_program(rescue: Rescue | None) -> Array:
    """The rescue as numbers, shape (RESCUE_SIZE,), for the kernels here; None: none is ever given."""
    if rescue is None:
        return np.array([1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0])
    return np.array([
        rescue.threshold_1e9_per_L, rescue.hazard_per_d, rescue.steepness, rescue.added_1e9_per_L, rescue.factor, rescue.onset_d,
        rescue.duration_d, rescue.apart_d, rescue.exclusion_d,
    ])  # fmt: skip


@kernel
def rescue_hazard_per_d(program: Array, count: float) -> float:
    """Hazard of rescue per day at a measured count (1e9/L); 0 at the threshold and above, and where the count is no number."""
    if not count < program[THRESHOLD]:
        return 0.0
    return program[HAZARD_PER_D] * (1.0 - max(count, 0.0) / program[THRESHOLD]) ** program[STEEPNESS]


@kernel
def rescue_happens(program: Array, count: float, elapsed_d: float, since_last_d: float, uniform: float) -> bool:
    """Whether the `elapsed_d` days since the last visit, spent at `count`, end in a rescue; `uniform` is a draw from [0, 1)."""
    if since_last_d < program[APART_D] or program[HAZARD_PER_D] == 0.0:
        return False
    return uniform < -math.expm1(-rescue_hazard_per_d(program, count) * elapsed_d)


@kernel
def rescued_count(program: Array, count: float, since_d: float) -> float:
    """The count `since_d` days after a rescue, from what it would be without; inf: never rescued."""
    duration, onset = program[DURATION_D], program[ONSET_D]
    if not 0.0 <= since_d < duration:
        return count
    weight = since_d / onset if since_d < onset else (duration - since_d) / (duration - onset)
    return count * program[FACTOR] ** weight + program[ADDED] * weight


@kernel
def under_rescue(program: Array, since_d: float) -> bool:
    """Whether a count so many days after the last rescue falls into the exclusion window."""
    return since_d <= program[EXCLUSION_D]
