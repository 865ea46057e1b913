"""The engine "ode": every compartment of a model by adaptive integration, explicit or implicit as the model asks.

It takes any model. Both paths use it: event tables call it from Python between two events, cohorts from their own kernels. The state moves
from break point to break point alone; counts in between are read off and change nothing.
"""

from __future__ import annotations

import numpy as np
from numba import types

from thrombokit.numerics.adaptive_ode import EXPLICIT_STEPS, IMPLICIT_STEPS, TAKEN_BACK, advance, memory_size, ode_tolerances
from thrombokit.numerics.arrays import Array
from thrombokit.numerics.driven_derivative import DERIVATIVE, TRIAL, Derivative, Trial
from thrombokit.numerics.jit import typed_kernel

ENGINE = "ode"
STATED_ERROR = 2e-5
"""Relative error of a count, and of any drug amount beside its largest, at the default tolerances; held against a solution at 1e-11."""

RELATIVE, ABSOLUTE_SHARE = 4e-6, 0.1
"""Default tolerance of a step, chosen so that the whole year keeps within `STATED_ERROR`."""

_F, _A = types.float64, types.float64[::1]


def tolerances(relative: float = RELATIVE, absolute_share: float = ABSOLUTE_SHARE, max_steps: int = 100_000) -> Array:
    """Tolerances of `advance_ode` and `advance_exact_pk`, shape (4,); see `numerics.adaptive_ode.ode_tolerances`."""
    return ode_tolerances(relative=relative, absolute_share=absolute_share, max_steps=max_steps)


@typed_kernel(types.int64(types.int64))
def ode_memory_size(n: int) -> int:
    """Elements of the `memory` of a patient with n compartments."""
    return memory_size(n)


@typed_kernel(
    types.int64(
        types.FunctionType(DERIVATIVE), types.FunctionType(TRIAL), types.boolean, _F, _F, _F, _F, _A, _A, _A, _A, _A, _A,
        types.float64[:, ::1],
    )
)  # fmt: skip
def advance_ode(
    derivative: Derivative, trial: Trial, by_trial: bool, t0: float, t1: float, tad0: float, phase: float, x: Array, r: Array, u: Array,
    tolerances: Array, memory: Array, times: Array, states: Array,
) -> int:  # fmt: skip
    """Move all compartments of one patient from break point t0 to break point t1, in place.

    Parameters
    ----------
    derivative : numba function
        The model's right-hand side (signature `driven_derivative.DERIVATIVE`).
    trial, by_trial : numba function, bool
        The model's own trial step, and whether it has one; else `no_trial`, False.
    t0, t1, tad0 : float
        Break points, and the time after dose at t0, in the model's time unit.
    phase : float
        0 before, 1 after the switch of dual absorption.
    x, r, u : arrays of shape (n,), (n_record,), (n,)
        Amounts, record values, constant infusion rates (0 where none runs).
    tolerances : array of shape (4,)
        See `tolerances`.
    memory : array of shape (ode_memory_size(n),)
        Zeros when the patient begins; carries over.
    times, states : arrays of shape (k,), (k, n)
        Times within t0..t1 in rising order and the amounts there, to be filled; k may be 0.

    Returns
    -------
    int
        0 converged, 2 max_steps, 3 not finite (`numerics.outcome.OUTCOME_BY_CODE`).
    """
    return advance(
        derivative, trial, by_trial, t0, t1, tad0, phase, x, r, u, np.arange(x.size), np.empty(0, np.int64), np.empty(0), tolerances, memory, times,
        states,
    )  # fmt: skip


def solver_used(memory: Array) -> str:
    """Which solver a patient's run took, from its `memory`: "tsit5", "rodas5p" or "tsit5+rodas5p"."""
    names = [name for name, count in (("tsit5", memory[EXPLICIT_STEPS]), ("rodas5p", memory[IMPLICIT_STEPS])) if count > 0]
    return "+".join(names) or "none"


def steps_taken(memory: Array) -> tuple[int, int, int]:
    """Explicit steps, implicit steps and steps taken back, from a patient's `memory`."""
    return int(memory[EXPLICIT_STEPS]), int(memory[IMPLICIT_STEPS]), int(memory[TAKEN_BACK])
