"""From break point to break point, and no step across a time at which a condition may change its answer.

An interval is cut wherever a condition on time (see `time_conditions`) passes through 0. At a cut both answers must be kept apart: a step ends
with a look at the model at its very end, where `T >= 100` already holds. So each piece ends just before the cut and the next begins just
after it. What is left out, a part in 1e14 of the time, is less than the time itself is known to.
"""

from __future__ import annotations

import math

from numba import types

from thrombokit.numerics.adaptive_ode import CONVERGED, advance
from thrombokit.numerics.arrays import Array, IntArray
from thrombokit.numerics.driven_derivative import DERIVATIVE, TRIAL, Derivative, Trial
from thrombokit.numerics.jit import borrowing_kernel, lean_kernel
from thrombokit.patients.cohort_clock import SAME_TIME, reached

ASIDE = 1e-14
"""How far from a cut a piece ends or begins, relative to the time (or to 1): some fifty units of its rounding."""

_F, _A, _I = types.float64, types.float64[::1], types.int64[::1]


@lean_kernel
def _cut(conditions: IntArray, k: int, r: Array, t0: float, tad0: float) -> float:
    """When condition k passes through 0, on the clock on which the time after dose was `tad0` at `t0`; infinite or nan: never."""
    by_time, by_dose, rest = float(r[conditions[k, 0]]), float(r[conditions[k, 1]]), float(r[conditions[k, 2]])
    slope = by_time + by_dose
    if slope == 0.0:
        return math.inf
    return -rest / by_time if by_dose == 0.0 else t0 - (by_time * t0 + by_dose * tad0 + rest) / slope


@lean_kernel
def next_cut(conditions: IntArray, r: Array, t0: float, tad0: float, after: float) -> float:
    """The soonest cut later than `after`; infinite where there is none.

    Parameters
    ----------
    conditions : int array of shape (n, 3)
        `CompiledModel.time_conditions`.
    r : array of shape (n_record,)
    t0, tad0, after : float
        A time and the time after dose then; the time from which to look.
    """
    soonest = math.inf
    for k in range(conditions.shape[0]):
        time = _cut(conditions, k, r, t0, tad0)
        if time < soonest and not reached(time, after):
            soonest = time
    return soonest


@lean_kernel
def _beside(conditions: IntArray, r: Array, t0: float, tad0: float, time: float, later: bool) -> float:
    """`time`, moved just past all cuts that fall on it, or just before them; as it is where none does."""
    edge, falls = time, False
    for k in range(conditions.shape[0]):
        cut = _cut(conditions, k, r, t0, tad0)
        if abs(cut - time) <= SAME_TIME * max(1.0, abs(time)):
            edge, falls = max(edge, cut) if later else min(edge, cut), True
    if not falls:
        return time
    aside = ASIDE * max(1.0, abs(time))
    return edge + aside if later else edge - aside


@borrowing_kernel(
    types.int64(
        types.FunctionType(DERIVATIVE), types.FunctionType(TRIAL), types.boolean, _F, _F, _F, _F, _A, _A, _A, _I, _I, _A, _A, _A, _A,
        types.float64[:, ::1], types.int64[:, ::1],
    )
)  # fmt: skip
def advance_in_stretches(
    derivative: Derivative, trial: Trial, by_trial: bool, t0: float, t1: float, tad0: float, phase: float, x: Array, r: Array, u: Array,
    moving: IntArray, block: IntArray, modes: Array, tolerances: Array, memory: Array, times: Array, states: Array, conditions: IntArray,
) -> int:  # fmt: skip
    """Move one patient from break point t0 to break point t1, in place; see `adaptive_ode.advance`.

    Parameters
    ----------
    tad0 : float
        Time after dose at t0.
    r : array of shape (n_record,)
        Record values.
    conditions : int array of shape (n, 3)
        `CompiledModel.time_conditions`; without rows this is `advance`.
    derivative, trial, by_trial, t0, t1, phase, x, u, moving, block, modes, tolerances, memory, times, states
        As for `advance`.

    Returns
    -------
    int
        0 converged, 2 max_steps, 3 not finite.
    """
    start, out, status = t0, 0, CONVERGED
    while True:
        stop, until = t1, times.size
        if conditions.shape[0] > 0:
            cut = next_cut(conditions, r, t0, tad0, start)
            if not reached(t1, cut):
                stop, until = cut, out
                while until < times.size and times[until] <= stop:
                    until += 1
        begin = _beside(conditions, r, t0, tad0, start, True)
        end = _beside(conditions, r, t0, tad0, stop, False)
        if not end > begin:
            begin, end = start, stop
        status = advance(
            derivative, trial, by_trial, begin, end, tad0 + (begin - t0), phase, x, r, u, moving, block, modes, tolerances, memory,
            times[out:until], states[out:until],
        )  # fmt: skip
        if status != CONVERGED or stop == t1:
            return status
        start, out = stop, until
