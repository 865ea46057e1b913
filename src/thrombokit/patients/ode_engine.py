"""The engine "ode": every compartment of a model by adaptive integration, explicit or implicit as the model asks.

It takes any model. Both paths use it: event tables call it from Python between two events, cohorts from their own kernels. The state moves
from break point to break point alone; counts in between are read off and change nothing.
"""

from __future__ import annotations

from numba import types

from thrombokit.numerics.adaptive_ode import EXPLICIT_STEPS, IMPLICIT_STEPS, TAKEN_BACK, memory_size, ode_tolerances
from thrombokit.numerics.arrays import Array
from thrombokit.numerics.jit import typed_kernel

ENGINE = "ode"
STATED_ERROR = 2e-5
"""Relative error of a count, and of any drug amount beside its largest, at the default tolerances; held against a solution at 1e-11."""

RELATIVE, ABSOLUTE_SHARE = 4e-6, 0.1
"""Default tolerance of a step, chosen so that the whole year keeps within `STATED_ERROR`."""


def tolerances(relative: float = RELATIVE, absolute_share: float = ABSOLUTE_SHARE, max_steps: int = 100_000) -> Array:
    """Tolerances of `adaptive_ode.advance`, shape (4,); see `numerics.adaptive_ode.ode_tolerances`."""
    return ode_tolerances(relative=relative, absolute_share=absolute_share, max_steps=max_steps)


@typed_kernel(types.int64(types.int64))
def ode_memory_size(n: int) -> int:
    """Elements of the `memory` of a patient with n compartments."""
    return memory_size(n)


def solver_used(memory: Array) -> str:
    """Which solver a patient's run took, from its `memory`: "tsit5", "rodas5p" or "tsit5+rodas5p"."""
    names = [name for name, count in (("tsit5", memory[EXPLICIT_STEPS]), ("rodas5p", memory[IMPLICIT_STEPS])) if count > 0]
    return "+".join(names) or "none"


def steps_taken(memory: Array) -> tuple[int, int, int]:
    """Explicit steps, implicit steps and steps taken back, from a patient's `memory`."""
    return int(memory[EXPLICIT_STEPS]), int(memory[IMPLICIT_STEPS]), int(memory[TAKEN_BACK])
