"""The derivative as the solvers call it: a model's own function, constant inflows added, and the exactly known states put in place first.

The states of a system fall into `moving` (integrated step by step) and `block` (followed exactly by `linear_modes`; may be empty). A model's
function is `derivative(t, clock, phase, x, parameters, dx)`: `clock` runs with t but counts from elsewhere, `phase` is passed through.
It fills dx for the moving states; what it writes for the block is not used.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from numba import types

from thrombokit.numerics.arrays import Array, IntArray
from thrombokit.numerics.jit import borrowing_kernel, inlined
from thrombokit.numerics.linear_modes import read_modes

_F, _A, _I = types.float64, types.float64[::1], types.int64[::1]

Derivative: TypeAlias = Callable[[float, float, float, Array, Array, Array], None]
"""A model's function: t, clock, phase, x (n,), parameters, dx (n,) to fill."""

DERIVATIVE = types.void(_F, _F, _F, _A, _A, _A)
"""The numba signature a `Derivative` has to be compiled with."""


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
