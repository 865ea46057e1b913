"""The engine "exact-pk": the linear drug model exactly, what the drug drives by adaptive integration.

The drug's compartments (`CompiledModel.linear_block`) hear nothing from the rest and move with constant rates, so their amounts are known at
every stage of a step as sums of exponentials (or a series, where rates repeat; see `numerics.linear_modes`). Only the rest is integrated,
with steps that the quick absorption does not dictate.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from numba import types

from thrombokit.numerics.adaptive_ode import advance, ode_tolerances
from thrombokit.numerics.arrays import Array, IntArray
from thrombokit.numerics.driven_derivative import DERIVATIVE, TRIAL, Derivative, Trial
from thrombokit.numerics.jit import typed_kernel
from thrombokit.numerics.linear_modes import modes_size, prepare_modes
from thrombokit.patients.ode_engine import ABSOLUTE_SHARE, ode_memory_size
from thrombokit.patients.signatures import FLOW_MATRIX_FUNCTION

ENGINE = "exact-pk"
STATED_ERROR = 2e-5
"""Relative error of a count at the default tolerances (drug amounts are exact to rounding); held against a solution at 1e-11."""

RELATIVE = 2e-6
"""Default tolerance of a step: tighter than the engine "ode" needs, because the steps are fewer and longer."""

FlowMatrix: TypeAlias = Callable[[float, Array, Array], None]
_F, _A, _I = types.float64, types.float64[::1], types.int64[::1]
_M = types.float64[:, ::1]


def exact_pk_tolerances(relative: float = RELATIVE, max_steps: int = 100_000) -> Array:
    """Tolerances of `advance_exact_pk`, shape (4,); the defaults keep `STATED_ERROR`."""
    return ode_tolerances(relative=relative, absolute_share=ABSOLUTE_SHARE, max_steps=max_steps)


@typed_kernel(types.int64(types.int64))
def block_modes_size(n_block: int) -> int:
    """Elements of `modes` for a block of n compartments."""
    return modes_size(n_block)


@typed_kernel(types.int64(types.int64))
def exact_pk_memory_size(n: int) -> int:
    """Elements of the `memory` of a patient with n compartments in all."""
    return ode_memory_size(n)


@typed_kernel(types.void(FLOW_MATRIX_FUNCTION, _F, _A, _I, _M, _A))
def prepare_block(flow_matrix: FlowMatrix, phase: float, r: Array, block: IntArray, scratch: Array, modes: Array) -> None:
    """Look at the drug model once, whenever the record values `r` or the `phase` change.

    Parameters
    ----------
    flow_matrix : numba function
        `CompiledModel.flow_matrix`.
    phase : float
    r : array of shape (n_record,)
    block : int array of shape (n_block,)
        `CompiledModel.linear_block`.
    scratch : array of shape (n, n)
        Used up.
    modes : array of shape (block_modes_size(n_block),)
        Filled.
    """
    n, size = scratch.shape[0], block.size
    for i in range(n):
        for j in range(n):
            scratch[i, j] = 0.0
    flow_matrix(phase, r, scratch)
    inner = scratch.copy()
    for i in range(size):
        for j in range(size):
            inner[i, j] = scratch[block[i], block[j]]
    prepare_modes(inner[:size, :size].copy(), modes)


@typed_kernel(
    types.int64(
        types.FunctionType(DERIVATIVE),
        types.FunctionType(TRIAL),
        types.boolean,
        _F,
        _F,
        _F,
        _F,
        _A,
        _A,
        _A,
        _I,
        _I,
        _A,
        _A,
        _A,
        _A,
        _M,
    )
)
def advance_exact_pk(
    derivative: Derivative, trial: Trial, by_trial: bool, t0: float, t1: float, tad0: float, phase: float, x: Array, r: Array, u: Array,
    moving: IntArray, block: IntArray, modes: Array, tolerances: Array, memory: Array, times: Array, states: Array,
) -> int:  # fmt: skip
    """Move one patient from break point t0 to break point t1, in place.

    Parameters
    ----------
    derivative : numba function
        `CompiledModel.rest_derivative` (or `.derivative`: what it says of the block is not read).
    moving, block : int arrays
        Compartments that are integrated, and `CompiledModel.linear_block`; both sorted, together all n.
    modes : array
        As `prepare_block` left it.
    trial, by_trial, t0, t1, tad0, phase, x, r, u, tolerances, memory, times, states
        As for `ode_engine.advance_ode`; tolerances from `exact_pk_tolerances`.

    Returns
    -------
    int
        0 converged, 2 max_steps, 3 not finite.
    """
    return advance(
        derivative, trial, by_trial, t0, t1, tad0, phase, x, r, u, moving, block, modes, tolerances, memory, times, states
    )
