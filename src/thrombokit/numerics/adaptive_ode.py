"""A system of ordinary differential equations from one break point to the next: adaptive steps, explicit or implicit as the system asks.

Steps are Tsit5 until it shows that stability, not accuracy, holds them short; then Rodas5P takes over, and hands back once its steps have
become so short that explicit ones would be stable. The error of a step is held below `relative` times the size of each state, and below
`absolute_share` of that times the largest size the state has had (a depot that is nearly empty need not be known to five digits of
nothing). Steps are chosen by a proportional-integral rule; since days of dosing resemble each other, the step that suited at the same time
after the last jump is taken where it was noted.

What an interval leaves for the next (step lengths, sizes, which method) rides in `memory`, one float64 array a run: `memory_size(n)` zeros at
the start. Whether the state or the slope jumped at the break point is seen there, so that a dose needs no announcement. Times between break
points are read off (dense output) and never move the path: the same steps are taken whatever is asked for.

References: Hairer, Norsett & Wanner, Solving Ordinary Differential Equations I, section II.4, and II, section IV.2 (step control, how
stiffness is seen); Gustafsson 1991, doi:10.1145/210232.210242 (the proportional-integral rule).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba import types

from thrombokit.numerics.arrays import Array, IntArray
from thrombokit.numerics.driven_derivative import DERIVATIVE, SYSTEM, TRIAL, Derivative, System, Trial, evaluate
from thrombokit.numerics.jit import borrowing_kernel, folded_kernel, inlined
from thrombokit.numerics.linear_modes import MODE_ANCHOR, MODE_KIND, MODE_REACH, MODE_SPAN, anchor_modes, read_modes
from thrombokit.numerics.rosenbrock import IMPLICIT_WORK, ImplicitWork, differences, rodas5p_error, rodas5p_read, rodas5p_step
from thrombokit.numerics.runge_kutta import STABLE_TO, tsit5_error, tsit5_read, tsit5_step, tsit5_stiffness

NEXT_STEP, STARTED, IMPLICIT, SIGNS, LAST_LOG_ERROR, EXPLICIT_STEPS, IMPLICIT_STEPS, TAKEN_BACK = range(8)
_JUMP_TIME, _NOTES_HERE, _NOTED, _NOTED_BEFORE = 8, 9, 10, 11
_NOTES, _MOST_NOTES = 12, 64
_HEAD = _NOTES + 4 * _MOST_NOTES
"""`memory`: scalars, two lists of notes (time since the jump, step that would have suited there), then the arrays of `Work`."""

CONVERGED, MAX_STEPS, NOT_FINITE = 0, 2, 3
"""How an interval ended: the codes of `outcome.OUTCOME_BY_CODE`."""

_STIFF_AT, _MILD_AT, _LOOK_EVERY = 15, 12, 8
"""Signs in a row after which the method changes (explicit to implicit, and back); without a sign, only every eighth step is looked at."""

_F, _A, _I = types.float64, types.float64[::1], types.int64[::1]
_M = types.float64[:, ::1]


class Work(NamedTuple):
    """One run's memory, and scratch arrays: (memory_size,), (n,) x 3, (8 n,), (n,) x 3."""

    memory: Array
    last_x: Array
    last_slope: Array
    sizes: Array
    stages: Array
    end: Array
    sixth: Array
    allowed: Array


WORK: Any = types.NamedUniTuple(_A, 8, Work)


@borrowing_kernel(types.int64(types.int64))
def memory_size(n: int) -> int:
    """Elements of `memory` for n states."""
    return _HEAD + 19 * n + 2 * n * n


def ode_tolerances(*, relative: float, absolute_share: float = 1e-2, floor: float = 1e-13, max_steps: int = 100_000) -> Array:
    """The tolerances as the kernels take them, shape (4,).

    Parameters
    ----------
    relative : float
        Allowed error of one step over the size of each state.
    absolute_share : float
        The same over the largest size the state has had, as a share of `relative`.
    floor : float
        Allowed error of any state over the largest size of all of them: lets a state leave 0.
    max_steps : int
        Steps tried within one interval before it is given up (`MAX_STEPS`).
    """
    return np.array([relative, absolute_share, floor, max_steps], dtype=np.float64)


@inlined
def _work_of(memory: Array, n: int) -> Work:
    a = _HEAD
    return Work(
        memory, memory[a : a + n], memory[a + n : a + 2 * n], memory[a + 2 * n : a + 3 * n], memory[a + 3 * n : a + 11 * n],
        memory[a + 11 * n : a + 12 * n], memory[a + 12 * n : a + 13 * n], memory[a + 13 * n : a + 14 * n],
    )  # fmt: skip


@inlined
def _implicit_work_of(memory: Array, n: int) -> ImplicitWork:
    a = _HEAD + 14 * n
    matrices = a + 4 * n
    return ImplicitWork(
        memory[a : a + n], memory[a + n : a + 2 * n], memory[a + 2 * n : a + 3 * n], memory[a + 3 * n : a + 4 * n],
        memory[matrices : matrices + n * n], memory[matrices + n * n : matrices + 2 * n * n],
        memory[matrices + 2 * n * n : matrices + 2 * n * n + n].view(np.int64),
    )  # fmt: skip


@inlined
def _allow(x: Array, end: Array, sizes: Array, tolerances: Array, largest: float, allowed: Array) -> bool:
    """The error allowed for each state over a step from x to end, without bound for the block; whether `end` is finite.

    `sizes` (n,) are the largest so far (infinite for the block), `largest` the largest of them.
    """
    relative, share, total = tolerances[0], tolerances[1], 0.0
    if largest == 0.0:  # everything begins at 0: the first step is the measure
        for i in range(x.size):
            largest = max(largest, abs(end[i]))
    floor = tolerances[2] * largest + 1e-300
    for i in range(x.size):
        allowed[i] = relative * max(abs(x[i]), abs(end[i]), share * sizes[i]) + floor
        total += end[i]
    return math.isfinite(total)


@folded_kernel(_F(_A, _A, _A, _F))
def _first_step(x: Array, slope: Array, allowed: Array, span: float) -> float:
    """A cautious step: no state moves by more than a hundredth of its size, or ten times what is allowed as error."""
    h = span
    for i in range(x.size):
        room = 0.01 * abs(x[i]) + 10.0 * allowed[i]
        if abs(slope[i]) * h > room:
            h = room / abs(slope[i])
    return max(h, 1e-7 * span)


@folded_kernel(types.boolean(_I, _A, _A, WORK))
def _jumped(moving: IntArray, x: Array, slope: Array, work: Work) -> bool:
    """Whether a state, or the slope of a moving one, is not where the last interval left it (rounding of slopes aside)."""
    if work.memory[STARTED] == 0.0:
        return True
    for i in range(x.size):
        if x[i] != work.last_x[i]:
            return True
    for m in range(moving.size):
        now, before = slope[moving[m]], work.last_slope[moving[m]]
        if abs(now - before) > 1e-9 * (abs(now) + abs(before)) + 1e-300:
            return True
    return False


@borrowing_kernel(_F(SYSTEM, _F, _F, _A, _A, _F, WORK, IMPLICIT_WORK, types.boolean))
def _implicit_trial(
    system: System, t: float, h: float, x: Array, tolerances: Array, largest: float, work: Work, implicit: ImplicitWork, again: bool
) -> float:
    """Error of a Rodas5P step over what is allowed; the step is in `work.end`. Tried `again` from the same x, the differences hold."""
    if not again:
        evaluate(system, t, x, implicit.first_slope)
        _allow(x, x, work.sizes, tolerances, largest, work.allowed)
        differences(system, t, h, x, work.allowed, work.end, implicit)
    if not rodas5p_step(system, t, h, x, work.stages, work.end, implicit):
        return math.inf
    finite = _allow(x, work.end, work.sizes, tolerances, largest, work.allowed)
    return rodas5p_error(system.moving, work.stages, work.allowed) if finite else math.inf


@borrowing_kernel(types.int64(SYSTEM, _F, _F, types.boolean, _A, WORK, types.int64, _A, _M))
def _read_between(
    system: System, t: float, h: float, last: bool, x: Array, work: Work, out: int, times: Array, states: Array
) -> int:
    """States at the times that an accepted step from x at t has passed; the number of times served by now."""
    while out < times.size and (times[out] <= t + h or last):
        state, share = states[out], min((times[out] - t) / h, 1.0)
        if work.memory[IMPLICIT] == 0.0:
            tsit5_read(system.moving, share, h, x, work.stages, state)
        else:
            rodas5p_read(system.moving, share, x, work.end, work.stages, state)
        if system.block.size > 0:
            read_modes(system.modes, times[out], system.block, state)
        out += 1
    return out


@borrowing_kernel(types.boolean(SYSTEM, _F, WORK, IMPLICIT_WORK))
def _looks_otherwise(system: System, h: float, work: Work, implicit: ImplicitWork) -> bool:
    """Whether the accepted step of h speaks for the other method: as stiff where it was explicit, as mild where it was implicit."""
    moving = system.moving
    if work.memory[IMPLICIT] == 0.0:
        speed = tsit5_stiffness(moving, h, work.stages, work.sixth, work.end, work.allowed)
        return 0.9 * STABLE_TO < speed < math.inf
    fastest = 0.0
    for q in range(moving.size):
        total = 0.0
        for m in range(moving.size):
            total += abs(implicit.jacobian[q * moving.size + m])
        fastest = max(fastest, total)
    return h * fastest < 0.5 * STABLE_TO


@borrowing_kernel(types.void(SYSTEM, _F, WORK, IMPLICIT_WORK))
def _weigh_method(system: System, h: float, work: Work, implicit: ImplicitWork) -> None:
    """Count the signs that speak for the other method after an accepted step of h; change over where they are enough."""
    memory = work.memory
    memory[SIGNS] = memory[SIGNS] + 1.0 if _looks_otherwise(system, h, work, implicit) else 0.0
    by_implicit = memory[IMPLICIT] != 0.0
    if memory[SIGNS] >= (_MILD_AT if by_implicit else _STIFF_AT):
        memory[IMPLICIT], memory[SIGNS] = (0.0 if by_implicit else 1.0), 0.0


@inlined
def _stretch(log_error: float, log_error_before: float, refused: bool) -> float:
    """The next step over an accepted one: proportional-integral, at most five times as long, after a refusal no longer."""
    factor = 0.9 * math.exp(-0.17 * log_error + 0.04 * max(log_error_before, -9.0))
    return min(max(factor, 0.2), 1.0 if refused else 5.0)


@folded_kernel(types.Tuple((_F, _F))(SYSTEM, _F, _F, _A, _A, WORK))
def _start(system: System, t0: float, t1: float, x: Array, tolerances: Array, work: Work) -> tuple[float, float]:
    """The slope at t0 into the first stage, the sizes brought up to date; where there was a jump, new notes are begun.

    Returns the first step to try and the largest size.
    """
    memory, slope = work.memory, work.stages[: x.size]
    largest: float = 0.0
    evaluate(system, t0, x, slope)
    for m in range(system.moving.size):
        i = system.moving[m]
        work.sizes[i] = max(work.sizes[i], abs(x[i]))
        largest = max(largest, float(work.sizes[i]))
    for m in range(system.block.size):
        work.sizes[system.block[m]] = np.inf
    fresh = _jumped(system.moving, x, slope, work)
    h = memory[NEXT_STEP]
    if fresh:
        here = memory[_NOTES_HERE]
        h = memory[_NOTES + 2 * _MOST_NOTES * int(here) + 1] if memory[_NOTED] > 0.0 else 0.0
        memory[_JUMP_TIME], memory[_NOTES_HERE], memory[_NOTED_BEFORE], memory[_NOTED] = t0, 1.0 - here, memory[_NOTED], 0.0
    if not h > 1e-9 * (t1 - t0):
        _allow(x, x, work.sizes, tolerances, largest, work.allowed)
        h = _first_step(x, slope, work.allowed, t1 - t0)
    return h, largest


@borrowing_kernel(types.void(SYSTEM, _F, _F, types.boolean, _A, WORK))
def _settle(system: System, t: float, t1: float, by_implicit: bool, x: Array, work: Work) -> None:
    """After a step to t: the block read and anchored anew where need be; the slope after an implicit step."""
    modes = system.modes
    if system.block.size > 0:
        read_modes(modes, t, system.block, x)
        if modes[MODE_KIND] != 0.0 and t1 > modes[MODE_ANCHOR] + modes[MODE_SPAN]:
            anchor_modes(modes, t, x, system.inflow, system.block, min(modes[MODE_REACH], t1 - t))
    if by_implicit:
        evaluate(system, t, x, work.stages[: x.size])


@folded_kernel(types.void(SYSTEM, _F, _A, WORK))
def _leave(system: System, h: float, x: Array, work: Work) -> None:
    """What the next interval is to know: where this one ended, and the step that would have come next."""
    work.memory[NEXT_STEP], work.memory[STARTED] = h, 1.0
    for i in range(x.size):
        work.last_x[i] = x[i]
        work.last_slope[i] = work.stages[i]


@inlined
def _total(values: Array) -> float:
    total = 0.0
    for value in values:
        total += value
    return total


@inlined
def _go_on(x: Array, k1: Array, sizes: Array, end: Array, k7: Array, largest: float) -> float:
    """x moves to the end of the step, whose slope becomes the first stage of the next; the largest size by now."""
    for i in range(x.size):
        x[i], k1[i] = end[i], k7[i]
        sizes[i] = max(sizes[i], abs(x[i]))
        largest = max(largest, abs(x[i]))
    return largest


@folded_kernel(types.int64(_F, _A, _A, _M))
def _read_at_start(t0: float, x: Array, times: Array, states: Array) -> int:
    """The state at the times that are t0 itself (or before); how many they are."""
    out = 0
    while out < times.size and times[out] <= t0:
        for i in range(x.size):
            states[out, i] = x[i]
        out += 1
    return out


@borrowing_kernel(types.int64(SYSTEM, types.FunctionType(TRIAL), types.boolean, WORK, IMPLICIT_WORK, _F, _F, _A, _A, _A, _M))
def _march(
    system: System, trial: Trial, by_trial: bool, work: Work, implicit: ImplicitWork, t0: float, t1: float, x: Array, tolerances: Array,
    times: Array, states: Array,
) -> int:  # fmt: skip
    """The steps from t0 to t1; see `advance`."""
    derivative, offset, phase, parameters, inflow, any_inflow, _, block, modes = system
    memory, _, _, sizes, stages, end, sixth, allowed = work
    n = x.size
    k1, k2, k3, k4 = stages[:n], stages[n : 2 * n], stages[2 * n : 3 * n], stages[3 * n : 4 * n]
    k5, k6, k7 = stages[4 * n : 5 * n], stages[5 * n : 6 * n], stages[6 * n : 7 * n]
    h, largest = _start(system, t0, t1, x, tolerances, work)
    out = _read_at_start(t0, x, times, states)
    own_trial = by_trial and not any_inflow and (block.size == 0 or modes[MODE_KIND] == 0.0)
    reach = modes[MODE_REACH] if block.size > 0 else math.inf
    t, tried, looked, again, by_implicit, log_error = t0, 0, 0, False, memory[IMPLICIT] != 0.0, memory[LAST_LOG_ERROR]
    jump_time, noted, here = memory[_JUMP_TIME], int(memory[_NOTED]), int(memory[_NOTES_HERE])
    write, read = _NOTES + 2 * (_MOST_NOTES * here + noted), _NOTES + 2 * _MOST_NOTES * (1 - here)
    read_to = read + 2 * (int(memory[_NOTED_BEFORE]) - 1)
    while t < t1:
        wanted, left, tried = min(h, reach), t1 - t, tried + 1
        last = wanted >= left * (1.0 - 1e-9)
        step = left if last else min(wanted, 0.5 * left) if 2.0 * wanted > left else wanted
        if tried > tolerances[3] or not t + step > t:
            return MAX_STEPS if math.isfinite(step + _total(k1)) else NOT_FINITE
        if by_implicit:
            error = _implicit_trial(system, t, step, x, tolerances, largest, work, implicit, again)
        elif own_trial and largest > 0.0:
            error = trial(
                t, t + offset, phase, parameters, step, modes, block, x, stages, sixth, end, sizes, allowed, tolerances, largest
            )
        else:
            tsit5_step(
                derivative, t, t + offset, phase, parameters, inflow, any_inflow, block, modes, step, x, k1, k2, k3, k4, k5, k6, k7,
                sixth, end,
            )  # fmt: skip
            finite = _allow(x, end, sizes, tolerances, largest, allowed)
            error = tsit5_error(step, k1, k2, k3, k4, k5, k6, k7, allowed) if finite else math.inf
        if not error <= 1.0:
            memory[TAKEN_BACK] += 1.0
            h, again = step * (max(0.2, 0.9 * error**-0.2) if error < math.inf else 0.1), True
            continue
        if out < times.size:
            out = _read_between(system, t, step, last, x, work, out, times, states)
        memory[IMPLICIT_STEPS if by_implicit else EXPLICIT_STEPS] += 1.0
        looked += 1
        if looked >= _LOOK_EVERY or by_implicit or memory[SIGNS] > 0.0:
            looked = 0
            _weigh_method(system, step, work, implicit)
        begun, t = t, t1 if last else t + step
        largest = _go_on(x, k1, sizes, end, k7, largest)
        if by_implicit or (block.size > 0 and modes[MODE_KIND] != 0.0):
            _settle(system, t, t1, by_implicit, x, work)
        log_before, log_error = log_error, math.log(max(error, 1e-10))
        following = step * _stretch(log_error, log_before, again)
        h = max(h, following) if step < h else following  # a step cut short by the break point says little
        if noted < _MOST_NOTES:
            memory[write], memory[write + 1] = begun - jump_time, h
            write, noted = write + 2, noted + 1
        again, by_implicit = False, memory[IMPLICIT] != 0.0
        while read < read_to and memory[read + 2] <= (t - jump_time) * (1.0 + 1e-9):
            read += 2
        if read <= read_to and t - jump_time < memory[read] + memory[read + 1]:
            h = min(max(memory[read + 1], 0.25 * h), 3.0 * h)  # what suited there last time, within bounds
    memory[LAST_LOG_ERROR], memory[_NOTED] = log_error, noted
    _leave(system, h, x, work)
    return CONVERGED


@borrowing_kernel(
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
def advance(
    derivative: Derivative, trial: Trial, by_trial: bool, t0: float, t1: float, clock0: float, phase: float, x: Array, parameters: Array,
    inflow: Array, moving: IntArray, block: IntArray, modes: Array, tolerances: Array, memory: Array, times: Array, states: Array,
) -> int:  # fmt: skip
    """Move x (n,) from t0 to t1, in place.

    Parameters
    ----------
    derivative : Derivative
        Gives the slopes of the moving states.
    trial, by_trial : Trial, bool
        The system's own trial step, and whether it has one; else `no_trial`, False.
    t0, t1 : float
        Break points; nothing jumps between them.
    clock0 : float
        The derivative's clock at t0.
    phase : float
        Passed through.
    x, parameters, inflow : arrays of shape (n,), (p,), (n,)
        State, what the derivative needs, constant inflows (state units/time).
    moving, block : int arrays
        States that are integrated, and states followed exactly by `modes` (prepared; may be empty); together all n.
    tolerances : array of shape (4,)
        See `ode_tolerances`.
    memory : array of shape (memory_size(n),)
        Zeros at the start of a run; carries over.
    times, states : arrays of shape (k,), (k, n)
        Times within t0..t1 in rising order, and the states there, to be filled. k may be 0.

    Returns
    -------
    int
        CONVERGED, MAX_STEPS or NOT_FINITE; unless converged, x is where the last good step left it.
    """
    n, any_inflow = x.size, False
    if not t1 > t0:
        for k in range(times.size):
            for i in range(n):
                states[k, i] = x[i]
        return CONVERGED
    for i in range(n):
        any_inflow = any_inflow or inflow[i] != 0.0
    system = System(derivative, clock0 - t0, phase, parameters, inflow, any_inflow, moving, block, modes)
    if block.size > 0:
        anchor_modes(modes, t0, x, inflow, block, min(modes[MODE_REACH], t1 - t0))
    return _march(system, trial, by_trial, _work_of(memory, n), _implicit_work_of(memory, n), t0, t1, x, tolerances, times, states)
