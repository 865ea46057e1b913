"""Virtual patients from day 0 to the end, one after the other, without a line of Python in between.

The state moves from break point to break point: arrivals of doses, ends of infusions, switches, visits, and the sample of every whole week,
which belongs to the design. At one time come what was planned, the visit, the dose, the weekly sample. The solvers stop besides wherever a
condition on time may change its answer (`stretches`). Any further times of output are read off on the way and move nothing. Path A
(`event_run`) does the same for event tables; both ask one decision machine.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from thrombokit.numerics.arrays import Array, IntArray
from thrombokit.numerics.jit import borrowing_kernel, lean_kernel
from thrombokit.patients.cohort_arrays import (
    ANSWERS,
    DONE,
    DRAWS,
    ENGINE,
    EXACT_PK,
    HAS_TRIAL,
    HORIZON_H,
    LAG_H,
    LAST_DOSE,
    LAST_EVENT,
    LEAVES_H,
    MISSED_TOLERANCE,
    N_LEDGER,
    N_OUTPUTS,
    N_WEEKS,
    NOW,
    PHASE,
    PLAN,
    QUADRATURE,
    SCRATCH,
    SIGNAL,
    STATUS,
    STOPS_AT_NOMINAL,
    UNTIL_H,
    WEEK,
    WEEK_H,
    CohortAnswers,
    CohortDraws,
    CohortPlan,
    CohortScratch,
)  # fmt: skip
from thrombokit.patients.cohort_clock import act_planned, begin_clock, give_dose, next_planned, reached
from thrombokit.patients.cohort_samples import dose_taken, sample_week, see_patient
from thrombokit.patients.exact_pk_engine import prepare_block
from thrombokit.patients.quadrature_engine import advance_quadrature, prepare_quadrature, read_quadrature
from thrombokit.patients.quadrature_memory import QUADRATURE_MEMORY, QuadratureMemory
from thrombokit.patients.signatures import (
    DERIVATIVE_FUNCTION,
    DRIVEN_PANELS_FUNCTION,
    FLOW_MATRIX_FUNCTION,
    OUTPUT_FUNCTION,
    TRIAL_FUNCTION,
)
from thrombokit.patients.stretches import advance_in_stretches
from thrombokit.patients.titration_state import next_dose_h, next_visit_h, start_state

LONG_SINCE_H = 168.0
"""Longer than this since something happened to the drug is told to the quadrature as this long: a mesh good for then is good for later, and a
week off the drug is then the same interval as the week before."""


@lean_kernel
def _prepare(flow_matrix: Any, plan: CohortPlan, scratch: CohortScratch, memory: QuadratureMemory) -> None:
    """Look at the patient's rates once: for both phases of absorption."""
    engine = plan.places[ENGINE]
    if engine == QUADRATURE:
        prepare_quadrature(flow_matrix, scratch.r, memory, scratch.rates)
    elif engine == EXACT_PK:
        for phase in range(2):
            prepare_block(flow_matrix, float(phase), scratch.r, plan.block, scratch.rates, scratch.modes[phase])
    if engine != QUADRATURE:
        for k in range(scratch.memory.size):
            scratch.memory[k] = 0.0


@lean_kernel
def _last_output_before(outputs_h: Array, first: int, time: float) -> int:
    """One past the last of the outputs from `first` on that come before `time`."""
    stop = first
    while stop < outputs_h.size and not reached(time, outputs_h[stop]):
        stop += 1
    return stop


@lean_kernel
def _move_by_quadrature(
    driven_panels: Any,
    output: Any,
    clock: Array,
    plan: CohortPlan,
    scratch: CohortScratch,
    memory: QuadratureMemory,
    told: Array,
    target: float,
) -> None:
    """To `target`, reading off on the way."""
    since = min(clock[NOW] - clock[LAST_EVENT], LONG_SINCE_H)
    first = int(clock[N_OUTPUTS])
    if first < plan.outputs_h.size:
        stop = _last_output_before(plan.outputs_h, first, target)
        for k in range(first, stop):
            time = plan.outputs_h[k]
            ahead = max(time - clock[NOW], 0.0)
            read_quadrature(driven_panels, scratch.r, memory, scratch.x, scratch.u, since, ahead, clock[PHASE], scratch.states[k])
            output(time, time - clock[LAST_DOSE], scratch.states[k], scratch.r, told[k])
        clock[N_OUTPUTS] = stop
    advance_quadrature(driven_panels, scratch.r, memory, scratch.x, scratch.u, since, target - clock[NOW], clock[PHASE])


@lean_kernel
def _move_by_steps(
    derivative: Any, trial: Any, output: Any, clock: Array, plan: CohortPlan, scratch: CohortScratch, told: Array, target: float
) -> None:
    """The same by an adaptive solver."""
    now, phase, tad = clock[NOW], clock[PHASE], clock[NOW] - clock[LAST_DOSE]
    first = int(clock[N_OUTPUTS])
    stop = _last_output_before(plan.outputs_h, first, target)
    times, states = plan.outputs_h[first:stop], scratch.states[first:stop]
    status = advance_in_stretches(
        derivative, trial, plan.places[HAS_TRIAL] != 0, now, target, tad, phase, scratch.x, scratch.r, scratch.u, plan.moving, plan.block,
        scratch.modes[int(phase)], plan.tolerances, scratch.memory, times, states,
        plan.conditions,
    )  # fmt: skip
    if status != 0:
        clock[STATUS] = status
        return
    for k in range(first, stop):
        output(plan.outputs_h[k], plan.outputs_h[k] - clock[LAST_DOSE], scratch.states[k], scratch.r, told[k])
    clock[N_OUTPUTS] = stop


@lean_kernel
def _begin(i: int, plan: CohortPlan, draws: CohortDraws, answers: CohortAnswers, scratch: CohortScratch) -> None:
    """Patient i at day 0, everything of the one before forgotten."""
    clock = scratch.clock
    for k in range(scratch.r.size):
        scratch.r[k] = draws.record[i, k]
    for k in range(scratch.x.size):
        scratch.x[k], scratch.u[k] = draws.initial[i, k], 0.0
    begin_clock(clock, plan.numbers, plan.places, scratch.r)
    clock[LEAVES_H] = draws.leaves_h[i]
    start_state(plan.program, scratch.state)
    for k in range(answers.taken.shape[1]):
        answers.taken[i, k] = 0.0


@lean_kernel
def _latent(output: Any, plan: CohortPlan, scratch: CohortScratch) -> float:
    """The model's count now."""
    clock = scratch.clock
    output(clock[NOW], clock[NOW] - clock[LAST_DOSE], scratch.x, scratch.r, scratch.out)
    return float(scratch.out[plan.places[SIGNAL]])


@lean_kernel
def _dose(i: int, plan: CohortPlan, draws: CohortDraws, answers: CohortAnswers, scratch: CohortScratch) -> None:
    """The dose whose nominal time is now."""
    clock = scratch.clock
    amount = dose_taken(i, clock, plan, draws, scratch.state, answers)
    give_dose(clock, plan.places, plan.gamma_inputs, scratch.x, scratch.u, scratch.r, amount)


@lean_kernel
def _run_patient(
    i: int, driven_panels: Any, derivative: Any, trial: Any, flow_matrix: Any, output: Any, plan: CohortPlan, draws: CohortDraws,
    answers: CohortAnswers, scratch: CohortScratch, memory: QuadratureMemory,
) -> None:  # fmt: skip
    _begin(i, plan, draws, answers, scratch)
    _prepare(flow_matrix, plan, scratch, memory)
    clock, state, numbers, told = scratch.clock, scratch.state, plan.numbers, answers.outputs[i]
    by_quadrature = plan.places[ENGINE] == QUADRATURE
    last_dose_h = min(numbers[UNTIL_H], clock[LEAVES_H])
    dose_is_felt = clock[LAG_H] == 0.0 or numbers[STOPS_AT_NOMINAL] != 0.0
    while clock[STATUS] == DONE:
        visit_h, dose_h, week_h = next_visit_h(state), next_dose_h(state), clock[WEEK] * WEEK_H
        visit_h = visit_h if visit_h < clock[LEAVES_H] else np.inf
        dose_h = dose_h if dose_h < last_dose_h else np.inf
        week_h = week_h if clock[WEEK] <= plan.places[N_WEEKS] else np.inf
        planned_h = next_planned(clock)
        soonest = min(min(planned_h, visit_h), min(dose_h, week_h))
        if not reached(soonest, numbers[HORIZON_H]):
            break
        if not dose_is_felt and reached(dose_h, soonest) and not reached(min(planned_h, visit_h), soonest):
            now, clock[NOW] = clock[NOW], dose_h
            _dose(i, plan, draws, answers, scratch)
            clock[NOW] = now
            continue
        if not reached(soonest, clock[NOW]):
            if by_quadrature:
                _move_by_quadrature(driven_panels, output, clock, plan, scratch, memory, told, soonest)
            else:
                _move_by_steps(derivative, trial, output, clock, plan, scratch, told, soonest)
            clock[NOW] = soonest
        if clock[STATUS] != DONE:
            break
        if reached(planned_h, soonest):
            act_planned(clock, plan.places, plan.gamma_inputs, scratch.x, scratch.u, scratch.r)
        elif reached(visit_h, soonest):
            see_patient(i, clock, _latent(output, plan, scratch), plan, draws, state, scratch.decision, answers)
        elif reached(dose_h, soonest):
            _dose(i, plan, draws, answers, scratch)
        else:
            sample_week(i, clock, _latent(output, plan, scratch), plan, draws, state, answers)
    _finish(i, output, plan, answers, scratch, memory)


@lean_kernel
def _finish(
    i: int, output: Any, plan: CohortPlan, answers: CohortAnswers, scratch: CohortScratch, memory: QuadratureMemory
) -> None:
    """Outputs at the very end, and how it ended."""
    clock = scratch.clock
    if clock[STATUS] == DONE:
        for k in range(int(clock[N_OUTPUTS]), plan.outputs_h.size):
            output(plan.outputs_h[k], plan.outputs_h[k] - clock[LAST_DOSE], scratch.x, scratch.r, answers.outputs[i, k])
    error = 0.0
    if plan.places[ENGINE] == QUADRATURE:
        error = memory.account[0]
        if clock[STATUS] == DONE and memory.account[1] > 0.0:
            clock[STATUS] = MISSED_TOLERANCE
    ends = answers.ends[i]
    ends[0], ends[1], ends[2], ends[3] = clock[STATUS], clock[N_LEDGER], clock[NOW], error


@borrowing_kernel(
    types.void(
        DRIVEN_PANELS_FUNCTION, DERIVATIVE_FUNCTION, TRIAL_FUNCTION, FLOW_MATRIX_FUNCTION, OUTPUT_FUNCTION, PLAN, DRAWS, ANSWERS,
        SCRATCH, QUADRATURE_MEMORY,
        types.int64[::1],
    )
)  # fmt: skip
def run_patients(
    driven_panels: Any, derivative: Any, trial: Any, flow_matrix: Any, output: Any, plan: CohortPlan, draws: CohortDraws,
    answers: CohortAnswers, scratch: CohortScratch, memory: QuadratureMemory, who: IntArray,
) -> None:  # fmt: skip
    """Run some of the patients of `draws` from day 0 to the end, and fill their rows of `answers`.

    Parameters
    ----------
    driven_panels, derivative, trial, flow_matrix, output : functions of a `CompiledModel`
        `derivative` and `trial` are those of `CompiledModel.steps(engine)`; "quadrature" asks neither.
    plan, draws, answers, scratch, memory
        See `cohort_arrays`; `memory` is that of the quadrature engine (any, for other engines).
    who : int64 array
        Rows of `draws` to run; each patient's answer is the same whoever ran before.
    """
    for k in range(who.size):
        _run_patient(who[k], driven_panels, derivative, trial, flow_matrix, output, plan, draws, answers, scratch, memory)
