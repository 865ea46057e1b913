"""The engine "exact-pk": the linear drug model exactly, what the drug drives by adaptive integration.

The drug's compartments (`CompiledModel.linear_block`) hear nothing from the rest and move with constant rates, so their amounts are known at
every stage of a step as sums of exponentials (or a series, where rates repeat; see `numerics.linear_modes`). Only the rest is integrated,
with steps that the quick absorption does not dictate.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from numba import types

from thrombokit.numerics.adaptive_ode import ode_tolerances
from thrombokit.numerics.arrays import Array, IntArray
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
    """Tolerances of `adaptive_ode.advance`, shape (4,); the defaults keep `STATED_ERROR`."""
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
