"""The derivative as the solvers call it: a model's own function, constant inflows added, and the exactly known states put in place first.

The states of a system fall into `moving` (integrated step by step) and `block` (followed exactly by `linear_modes`; may be empty). A model's
function is `derivative(t, clock, phase, x, parameters, dx)`: `clock` runs with t but counts from elsewhere, `phase` is passed through.
It fills dx for the moving states; what it writes for the block is not used.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from numba import types

from thrombokit.numerics.arrays import Array, IntArray
from thrombokit.numerics.jit import borrowing_kernel, inlined, typed_kernel
from thrombokit.numerics.linear_modes import read_modes

_F, _A, _I = types.float64, types.float64[::1], types.int64[::1]

Derivative: TypeAlias = Callable[[float, float, float, Array, Array, Array], None]
"""A model's function: t, clock, phase, x (n,), parameters, dx (n,) to fill."""

Trial: TypeAlias = Callable[
    [float, float, float, Array, float, Array, IntArray, Array, Array, Array, Array, Array, Array, Array, float], float
]
"""A system's own trial step; see `TRIAL`."""

DERIVATIVE = types.void(_F, _F, _F, _A, _A, _A)
"""The numba signature a `Derivative` has to be compiled with."""


TRIAL = _F(_F, _F, _F, _A, _F, _A, _I, _A, _A, _A, _A, _A, _A, _A, _F)
"""trial(t, clock, phase, parameters, h, modes, block, x, stages, sixth, end, sizes, allowed, tolerances, largest) -> error: a system's own trial
step, written out, for a start without constant inflows and (where there is a block) with `MODE_KIND` 0. It fills stages k2 to k7, the
sixth state, the end and what is allowed as error; the error is over what is allowed, infinite where the end is not finite."""


@typed_kernel(TRIAL)
def no_trial(
    t: float, clock: float, phase: float, parameters: Array, h: float, modes: Array, block: IntArray, x: Array, stages: Array, sixth: Array,
    end: Array, sizes: Array, allowed: Array, tolerances: Array, largest: float,
) -> float:  # fmt: skip
    """Stands where a system has no trial step of its own."""
    return math.inf


class System(NamedTuple):
    """What stays the same between two break points; a tuple, because compiled code passes it on without cost."""

    derivative: Derivative
    clock_offset: float
    phase: float
    parameters: Array
    inflow: Array
    any_inflow: bool
    moving: IntArray
    block: IntArray
    modes: Array


SYSTEM: Any = types.NamedTuple((types.FunctionType(DERIVATIVE), _F, _F, _A, _A, types.boolean, _I, _I, _A), System)
"""The numba type of a `System`."""


@borrowing_kernel(types.void(SYSTEM, _F, _A, _A))
def evaluate_in_place(system: System, t: float, x: Array, dx: Array) -> None:
    """dx (n,) at time t and state x (n,), all of whose entries stand already."""
    system.derivative(t, t + system.clock_offset, system.phase, x, system.parameters, dx)
    if system.any_inflow:
        for i in range(x.size):
            dx[i] += system.inflow[i]


@borrowing_kernel(types.void(SYSTEM, _F, _A, _A))
def evaluate(system: System, t: float, x: Array, dx: Array) -> None:
    """The same; the block's entries of x are first set to their exact values at t."""
    if system.block.size > 0:
        read_modes(system.modes, t, system.block, x)
    evaluate_in_place(system, t, x, dx)


@inlined
def slope_at(
    derivative: Derivative, t: float, clock: float, phase: float, parameters: Array, inflow: Array, any_inflow: bool, block: IntArray,
    modes: Array, x: Array, dx: Array,
) -> None:  # fmt: skip
    """`evaluate` for inner loops, from the parts of a `System`."""
    if block.size > 0:
        read_modes(modes, t, block, x)
    derivative(t, clock, phase, x, parameters, dx)
    if any_inflow:
        for i in range(x.size):
            dx[i] += inflow[i]
