"""What is counted of one virtual patient: at the visits of a titration, which decide, and every week, which is told.

A sample taken at a visit and in a whole week is one sample. What is read at a visit hangs on the number of the visit and on the day alone, so no
other sample changes it.
"""

from __future__ import annotations

import math

import numpy as np

from thrombokit.numerics.arrays import Array
from thrombokit.numerics.jit import lean_kernel
from thrombokit.patients.cohort_arrays import (
    BETWEEN_H,
    BETWEEN_PHI,
    DAY_H,
    FLUCTUATES,
    LAST_READ_H,
    LAST_READING,
    LEAVES_H,
    MISSES,
    N_DOSES,
    N_LEDGER,
    N_VISITS,
    NOT_FINITE,
    NOW,
    READS_RESIDUAL,
    REMISSION_COUNT,
    RESCUED_H,
    RESCUES,
    STATUS,
    UNTIL_H,
    WEEK,
    WEEK_H,
    CohortAnswers,
    CohortDraws,
    CohortPlan,
)  # fmt: skip
from thrombokit.patients.fluctuation import assayed, fluctuation_between
from thrombokit.patients.rescue import rescue_happens, rescued_count
from thrombokit.patients.titration_state import (
    AFTER,
    BEFORE,
    DISTANCE,
    RULE,
    THRESHOLD,
    Reason,
    amount_in_force,
    decide,
    next_visit_h,
    take_dose,
)

_NOT_FINITE = Reason.NOT_FINITE.value


@lean_kernel
def _fluctuation_at(i: int, clock: Array, draws: CohortDraws, observation: Array, visit: int) -> float:
    """The log factor now; between two days drawn for this visit, given the days and what was drawn since the last of them."""
    days = draws.days
    day = math.floor(clock[NOW] / DAY_H + 1e-9)
    since = clock[NOW] - day * DAY_H
    if since <= 1e-6 or visit < 0:
        return days[i, day]
    left, left_h = days[i, day], day * DAY_H
    if clock[BETWEEN_H] > left_h:
        left, left_h = clock[BETWEEN_PHI], clock[BETWEEN_H]
    since_d, until_d = (clock[NOW] - left_h) / DAY_H, ((day + 1) * DAY_H - clock[NOW]) / DAY_H
    phi = fluctuation_between(left, since_d, days[i, day + 1], until_d, draws.between[i, visit], observation[0], observation[1])
    clock[BETWEEN_H], clock[BETWEEN_PHI] = clock[NOW], phi
    return phi


@lean_kernel
def _count_now(i: int, clock: Array, latent: float, plan: CohortPlan, draws: CohortDraws, visit: int) -> float:
    """The count in the blood: the model's, after a remission at least as high as that makes it, with fluctuation and what a rescue does."""
    count = latent
    if clock[NOW] >= draws.remits_h[i] and count < plan.numbers[REMISSION_COUNT]:
        count = plan.numbers[REMISSION_COUNT]
    if plan.numbers[FLUCTUATES] != 0.0:
        count *= math.exp(_fluctuation_at(i, clock, draws, plan.observation, visit))
    if plan.numbers[RESCUES] != 0.0:
        count = rescued_count(plan.rescue, count, (clock[NOW] - clock[RESCUED_H]) / DAY_H)
    if not math.isfinite(count):
        clock[STATUS] = NOT_FINITE
    return count


@lean_kernel
def see_patient(
    i: int, clock: Array, latent: float, plan: CohortPlan, draws: CohortDraws, state: Array, decision: Array, answers: CohortAnswers
) -> None:
    """A visit of the titration, now: the count is read, the rule decides, the ledger has a row more."""
    visit, observation = int(clock[N_VISITS]), plan.observation
    count = _count_now(i, clock, latent, plan, draws, visit)
    if plan.numbers[READS_RESIDUAL] != 0.0:
        normals = draws.visits
        count = assayed(count, normals[i, visit, 0], normals[i, visit, 1], observation[2], observation[3], observation[4])
        clock[LAST_READ_H], clock[LAST_READING] = clock[NOW], count
    clock[N_VISITS] += 1.0
    time_h = next_visit_h(state)
    reason = decide(plan.program, state, time_h, count, decision)
    if reason == _NOT_FINITE:
        clock[STATUS] = NOT_FINITE
        return
    row = answers.ledger[i, int(clock[N_LEDGER])]
    row[0], row[1], row[2], row[3], row[4], row[5] = i, time_h, count, decision[BEFORE], decision[AFTER], decision[RULE]
    row[6], row[7], row[8] = reason, decision[DISTANCE], decision[THRESHOLD]
    clock[N_LEDGER] += 1.0


@lean_kernel
def sample_week(
    i: int, clock: Array, latent: float, plan: CohortPlan, draws: CohortDraws, state: Array, answers: CohortAnswers
) -> None:
    """The sample of a whole week, now; what it reads decides about rescue in the week before, given right after it."""
    week, observation = int(clock[WEEK]), plan.observation
    here = clock[NOW] < clock[LEAVES_H]
    count = _count_now(i, clock, latent, plan, draws, -1)
    reading = np.nan
    if here:
        normals = draws.weeks
        reading = assayed(count, normals[i, week, 0], normals[i, week, 1], observation[2], observation[3], observation[4])
        if abs(clock[NOW] - clock[LAST_READ_H]) <= 1e-6:
            reading = clock[LAST_READING]
    if here and plan.numbers[RESCUES] != 0.0:
        elapsed_d = WEEK_H / DAY_H if week > 0 else 0.0
        if rescue_happens(plan.rescue, reading, elapsed_d, (clock[NOW] - clock[RESCUED_H]) / DAY_H, draws.rescue[i, week]):
            clock[RESCUED_H] = clock[NOW]
    in_force = amount_in_force(state) if here and clock[NOW] < plan.numbers[UNTIL_H] else 0.0
    answers.counts[i, week], answers.measured[i, week], answers.doses[i, week] = count, reading, in_force
    answers.since_rescue_d[i, week] = (clock[NOW] - clock[RESCUED_H]) / DAY_H
    clock[WEEK] += 1.0


@lean_kernel
def dose_taken(i: int, clock: Array, plan: CohortPlan, draws: CohortDraws, state: Array, answers: CohortAnswers) -> float:
    """The dose that is due now, 0 where it is not taken; the schedule moves on."""
    amount = take_dose(plan.program, state)
    dose = int(clock[N_DOSES])
    clock[N_DOSES] += 1.0
    if plan.numbers[MISSES] != 0.0 and draws.missed[i, dose] != 0.0:
        return 0.0
    week = math.floor(clock[NOW] / WEEK_H + 1e-9)
    if week < answers.taken.shape[1]:
        answers.taken[i, week] += amount
    return amount
