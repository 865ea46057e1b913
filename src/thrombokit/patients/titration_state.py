"""The decision machine of a titrated patient: what a visit decides, and when the next dose and the next visit are.

One machine for every path: event tables call these kernels from Python, cohorts from their own kernels. A patient is one float64 array,
`state`; a rule is one float64 array, `program` (see `titration_program`). Times are in hours from the start. At equal times the visit
comes before the dose.

What the words of a rule mean here:

- The first rule that matches the measured count decides; where none matches the dose is kept.
- A rule with confirmation acts once it has matched at that many further visits in a row; having acted, it needs confirming anew.
- Within `change_at_most_every_h` of the last change of dose or interval, or before `first_change_h`, up, down and set wait (holds and
  stops do not, unless the rule says so). The start of treatment is no change; a resumption is one.
- Up, while doses are further apart than at the start, first restores the interval.
- `stop_after_h` at the highest (lowest) dose counts from when that dose began, or from the first of the unbroken run of visits at which the
  rule has matched, whichever is later: who has answered in between starts anew.
- While held only the resume condition is looked at. Dosing resumes at the first slot of the schedule not before the visit.
"""

from __future__ import annotations

import math
from enum import IntEnum

import numpy as np

from thrombokit.numerics.arrays import Array
from thrombokit.numerics.jit import kernel
from thrombokit.patients.titration_program import (
    ACTION,
    AFTER_LAST_STOPS,
    AMOUNT,
    AT_LEVELS,
    AT_ONCE,
    AT_RULES,
    AT_VISITS,
    CHANGE_EVERY_H,
    CHECK_EVERY_H,
    CONFIRM,
    DOWN,
    EVERY_H,
    FIRST_CHANGE_H,
    FIRST_H,
    HIGHEST,
    HOLD,
    KEEP,
    LIMIT_EVERY,
    LIMIT_HOLD,
    LIMIT_STOP,
    LIMIT_STOP_AFTER,
    LOWEST,
    MAXIMUM,
    MINIMUM,
    N_LEVELS,
    N_RULES,
    N_VISITS,
    RESUME_AT,
    RESUME_COUNT,
    RESUME_LISTED,
    RESUME_LOWER,
    RESUME_WHEN,
    ROUND_TO,
    RULE_EVERY_H,
    RULE_WIDTH,
    SET,
    START,
    STEP_PERCENT,
    STEPS,
    THEN_EVERY_H,
    UP,
    WHEN,
)  # fmt: skip

DOSE, INTERVAL_H, STATUS, NEXT_VISIT_H, NEXT_DOSE_H, LAST_DOSE_H, LAST_CHANGE_H, LEVEL_SINCE_H = range(8)
RUN_RULE, RUN_LENGTH, RUN_SINCE_H, HOLD_RULE, VISIT_NUMBER, FOR_GOOD = range(8, 14)
STATE_HEAD = 14
"""Places in a patient's state; behind them the number of holds by each rule."""

DOSING, HELD, STOPPED_STATUS = 0.0, 1.0, 2.0
NO_RULE_YET, NO_RULE_ROW = -2.0, -1.0
SAME_TIME_h = 1e-6

BEFORE, AFTER, RULE, DISTANCE, THRESHOLD, EVERY_AFTER = range(6)
DECISION_SIZE = 6
"""Places in a decision: dose before and after (0 while held or stopped), the row of the rule (-1: none), the distance of the count from the
nearest threshold that was looked at, that threshold, hours between doses from now on.
"""


class Reason(IntEnum):
    """Why a visit ended as it did."""

    NO_RULE = 0
    KEPT = 1
    UP = 2
    DOWN = 3
    HELD = 4
    STILL_HELD = 5
    RESUMED = 6
    STOPPED = 7
    SET = 8
    INTERVAL = 9
    AWAITING = 10
    TOO_SOON = 11
    AT_LOWEST = 12
    AT_HIGHEST = 13
    UNCHANGED = 14
    HELD_FOR_GOOD = 15
    NOT_FINITE = 16
    AFTER_STOP = 17


REASONS: dict[Reason, str] = {
    Reason.NO_RULE: "kept: no rule matches",
    Reason.KEPT: "kept by rule",
    Reason.UP: "moved up",
    Reason.DOWN: "moved down",
    Reason.HELD: "held",
    Reason.STILL_HELD: "still held",
    Reason.RESUMED: "resumed",
    Reason.STOPPED: "stopped",
    Reason.SET: "dose set",
    Reason.INTERVAL: "interval between doses changed",
    Reason.AWAITING: "kept: not confirmed yet",
    Reason.TOO_SOON: "kept: too soon after the last change",
    Reason.AT_LOWEST: "kept: at the lowest dose",
    Reason.AT_HIGHEST: "kept: at the highest dose",
    Reason.UNCHANGED: "kept: already so",
    Reason.HELD_FOR_GOOD: "still held: no resumption left",
    Reason.NOT_FINITE: "the count is not a number",
    Reason.AFTER_STOP: "stopped before",
}
"""The words of a ledger."""


@kernel
def state_size(program: Array) -> int:
    """Elements of a patient's state."""
    return STATE_HEAD + int(program[N_RULES])


@kernel
def ordinary_visit_h(program: Array, number: float) -> float:
    """Time of the visit of that number, from 0: the listed ones, then every `then_every_h` from the last; inf where there is none."""
    listed = int(program[N_VISITS])
    if number < listed:
        return program[int(program[AT_VISITS]) + int(number)]
    last = program[int(program[AT_VISITS]) + listed - 1] if listed > 0 else program[FIRST_H]
    return last + (number - listed + 1.0) * program[THEN_EVERY_H]


@kernel
def start_state(program: Array, state: Array) -> None:
    """A patient at the beginning, into `state` (state_size,): the start dose, first due at `first_h`."""
    for i in range(state.size):
        state[i] = 0.0
    state[DOSE], state[INTERVAL_H], state[NEXT_DOSE_H] = program[START], program[EVERY_H], program[FIRST_H]
    state[LAST_DOSE_H], state[LAST_CHANGE_H], state[LEVEL_SINCE_H] = -np.inf, -np.inf, program[FIRST_H]
    state[RUN_RULE] = NO_RULE_YET
    state[NEXT_VISIT_H] = ordinary_visit_h(program, 0.0)


@kernel
def next_visit_h(state: Array) -> float:
    """Time of the next visit; inf when there is none."""
    return state[NEXT_VISIT_H]


@kernel
def next_dose_h(state: Array) -> float:
    """Nominal time of the next dose (before any lag); inf while held or stopped."""
    return state[NEXT_DOSE_H]


@kernel
def take_dose(program: Array, state: Array) -> float:
    """The amount of the dose due at `next_dose_h`, which moves on to the one after."""
    state[LAST_DOSE_H] = state[NEXT_DOSE_H]
    state[NEXT_DOSE_H] = state[LAST_DOSE_H] + state[INTERVAL_H]
    return state[DOSE]


@kernel
def amount_in_force(state: Array) -> float:
    """The dose as it is taken now: 0 while held or stopped."""
    return state[DOSE] if state[STATUS] == DOSING else 0.0


@kernel
def miss_visit(program: Array, state: Array) -> None:
    """The visit due now does not take place: only the next one is set."""
    _set_next_visit(program, state, state[NEXT_VISIT_H])


@kernel
def _set_next_visit(program: Array, state: Array, time_h: float) -> None:
    """The next visit after one at `time_h`: while held by a rule with `check_every_h` that long after, else the next ordinary one."""
    while ordinary_visit_h(program, state[VISIT_NUMBER]) <= time_h + SAME_TIME_h:
        state[VISIT_NUMBER] += 1.0
    state[NEXT_VISIT_H] = ordinary_visit_h(program, state[VISIT_NUMBER])
    if state[STATUS] == HELD:
        check = program[_row(program, int(state[HOLD_RULE])) + CHECK_EVERY_H]
        if check > 0.0:
            state[NEXT_VISIT_H] = time_h + check
    elif state[STATUS] == STOPPED_STATUS:
        state[NEXT_VISIT_H] = np.inf


@kernel
def _row(program: Array, rule: int) -> int:
    return int(program[AT_RULES]) + rule * RULE_WIDTH


@kernel
def _inside(program: Array, at: int, value: float, decision: Array) -> bool:
    """Whether `value` is in the interval at `at`; its ends are noted where they are nearer to the value than any before."""
    for end in (at, at + 2):
        distance = abs(value - program[end])
        if distance < decision[DISTANCE]:
            decision[DISTANCE], decision[THRESHOLD] = distance, program[end]
    low, high = program[at], program[at + 2]
    above = value > low or (value == low and program[at + 1] != 0.0)
    below = value < high or (value == high and program[at + 3] != 0.0)
    return above and below


@kernel
def _one_up(program: Array, dose: float) -> float:
    """The next dose above, or the dose itself at the highest."""
    levels = int(program[N_LEVELS])
    if levels > 0:
        for k in range(levels):
            level = program[int(program[AT_LEVELS]) + k]
            if level > dose * (1.0 + 1e-9):
                return level
        return dose
    target, unit = dose * (1.0 + 0.01 * program[STEP_PERCENT]), program[ROUND_TO]
    if unit > 0.0:
        target = max(math.floor(target / unit + 0.5 + 1e-9), math.floor(dose / unit + 1e-9) + 1.0) * unit
    return max(dose, min(target, program[MAXIMUM]))


@kernel
def _one_down(program: Array, dose: float) -> float:
    """The next dose below, or the dose itself at the lowest."""
    levels = int(program[N_LEVELS])
    if levels > 0:
        for k in range(levels - 1, -1, -1):
            level = program[int(program[AT_LEVELS]) + k]
            if level < dose * (1.0 - 1e-9):
                return level
        return dose
    target, unit = dose * (1.0 - 0.01 * program[STEP_PERCENT]), program[ROUND_TO]
    if unit > 0.0:
        target = min(math.floor(target / unit + 0.5 + 1e-9), math.ceil(dose / unit - 1e-9) - 1.0) * unit
    return min(dose, max(target, program[MINIMUM]))


@kernel
def _first_slot(program: Array, state: Array, time_h: float) -> float:
    """The first dose time not before `time_h`: a slot of the schedule, and a whole interval after the last dose."""
    slots = math.ceil((time_h - SAME_TIME_h - program[FIRST_H]) / program[EVERY_H])
    slot = program[FIRST_H] + max(slots, 0.0) * program[EVERY_H]
    return max(slot, state[LAST_DOSE_H] + state[INTERVAL_H])


@kernel
def _change(program: Array, state: Array, time_h: float, dose: float, every_h: float) -> None:
    """From this visit on: another dose, another interval, or both."""
    if every_h != state[INTERVAL_H]:
        state[INTERVAL_H] = every_h
        state[NEXT_DOSE_H] = _first_slot(program, state, time_h)
    if dose != state[DOSE]:
        state[DOSE], state[LEVEL_SINCE_H] = dose, time_h
    state[LAST_CHANGE_H], state[RUN_LENGTH] = time_h, 0.0


@kernel
def _stop(state: Array) -> int:
    state[STATUS], state[NEXT_DOSE_H] = STOPPED_STATUS, np.inf
    return Reason.STOPPED.value


@kernel
def _hold(program: Array, state: Array, rule: int) -> int:
    """Doses are held; where the list of resumptions is used up, for good."""
    row = _row(program, rule)
    state[STATUS], state[NEXT_DOSE_H], state[HOLD_RULE], state[RUN_LENGTH] = HELD, np.inf, rule, 0.0
    state[STATE_HEAD + rule] += 1.0
    if program[row + RESUME_LISTED] != 0.0 and state[STATE_HEAD + rule] > program[row + RESUME_COUNT]:
        if program[row + AFTER_LAST_STOPS] != 0.0:
            return _stop(state)
        state[FOR_GOOD] = 1.0
    return Reason.HELD.value


@kernel
def _look_while_held(program: Array, state: Array, time_h: float, value: float, decision: Array) -> int:
    rule = int(state[HOLD_RULE])
    row = _row(program, rule)
    decision[RULE] = rule
    if state[FOR_GOOD] != 0.0:
        return Reason.HELD_FOR_GOOD.value
    if not _inside(program, row + RESUME_WHEN, value, decision):
        return Reason.STILL_HELD.value
    word = int(state[STATE_HEAD + rule]) - 1 if program[row + RESUME_LISTED] != 0.0 else 0
    if program[int(program[row + RESUME_AT]) + word] == RESUME_LOWER:
        state[DOSE] = _one_down(program, state[DOSE])
    state[STATUS], state[LAST_CHANGE_H], state[LEVEL_SINCE_H], state[RUN_RULE] = DOSING, time_h, time_h, NO_RULE_YET
    state[NEXT_DOSE_H] = _first_slot(program, state, time_h)
    return Reason.RESUMED.value


@kernel
def _too_soon(program: Array, state: Array, time_h: float, row: int) -> bool:
    if program[row + AT_ONCE] != 0.0:
        return False
    since = time_h - state[LAST_CHANGE_H]
    return time_h < program[FIRST_CHANGE_H] - SAME_TIME_h or since < program[CHANGE_EVERY_H] - SAME_TIME_h


@kernel
def _beyond(program: Array, state: Array, time_h: float, rule: int, limit: int, kept: int) -> int:
    """A rule that would leave the ladder: `limit` is the place of what to do then, `kept` the reason where nothing is done."""
    row = _row(program, rule)
    action, hours = program[row + limit], program[row + limit + 1]
    if action == LIMIT_STOP:
        return _stop(state)
    if action == LIMIT_HOLD:
        return _hold(program, state, rule)
    if action == LIMIT_STOP_AFTER and time_h - max(state[LEVEL_SINCE_H], state[RUN_SINCE_H]) >= hours - SAME_TIME_h:
        return _stop(state)
    if action == LIMIT_EVERY and state[INTERVAL_H] != hours:
        if _too_soon(program, state, time_h, row):
            return Reason.TOO_SOON.value
        _change(program, state, time_h, state[DOSE], hours)
        return Reason.INTERVAL.value
    return kept


@kernel
def _move(program: Array, state: Array, time_h: float, rule: int) -> int:
    """Up or down the ladder."""
    row = _row(program, rule)
    up = program[row + ACTION] == UP
    every_h, dose = state[INTERVAL_H], state[DOSE]
    if up and every_h > program[EVERY_H]:
        if _too_soon(program, state, time_h, row):
            return Reason.TOO_SOON.value
        _change(program, state, time_h, dose, program[EVERY_H])
        return Reason.INTERVAL.value
    for _ in range(int(program[row + STEPS])):
        dose = _one_up(program, dose) if up else _one_down(program, dose)
    if dose == state[DOSE]:
        limit, kept = (HIGHEST, Reason.AT_HIGHEST.value) if up else (LOWEST, Reason.AT_LOWEST.value)
        return _beyond(program, state, time_h, rule, limit, kept)
    if _too_soon(program, state, time_h, row):
        return Reason.TOO_SOON.value
    _change(program, state, time_h, dose, every_h)
    return Reason.UP.value if up else Reason.DOWN.value


@kernel
def _set(program: Array, state: Array, time_h: float, rule: int) -> int:
    """To the dose, the interval, or both, that the rule names."""
    row = _row(program, rule)
    dose, every_h = program[row + AMOUNT], program[row + RULE_EVERY_H]
    dose = state[DOSE] if math.isnan(dose) else dose
    every_h = state[INTERVAL_H] if math.isnan(every_h) else every_h
    if dose == state[DOSE] and every_h == state[INTERVAL_H]:
        return Reason.UNCHANGED.value
    if _too_soon(program, state, time_h, row):
        return Reason.TOO_SOON.value
    reason = Reason.SET.value if dose != state[DOSE] else Reason.INTERVAL.value
    _change(program, state, time_h, dose, every_h)
    return reason


@kernel
def _note_run(state: Array, time_h: float, rule: int) -> None:
    """How often in a row, and since when, the same rule has matched. The first visit after the start speaks for the time before it."""
    if state[RUN_RULE] != rule:
        state[RUN_SINCE_H] = -np.inf if state[RUN_RULE] == NO_RULE_YET else time_h
        state[RUN_RULE], state[RUN_LENGTH] = rule, 0.0
    state[RUN_LENGTH] += 1.0


@kernel
def _look_while_dosing(program: Array, state: Array, time_h: float, value: float, decision: Array) -> int:
    rule = int(NO_RULE_ROW)
    for k in range(int(program[N_RULES])):
        if _inside(program, _row(program, k) + WHEN, value, decision):
            rule = k
            break
    decision[RULE] = rule
    _note_run(state, time_h, rule)
    if rule < 0:
        return Reason.NO_RULE.value
    row = _row(program, rule)
    action = program[row + ACTION]
    if action == KEEP:
        return Reason.KEPT.value
    if state[RUN_LENGTH] <= program[row + CONFIRM]:
        return Reason.AWAITING.value
    if action == SET:
        return _set(program, state, time_h, rule)
    if action in (UP, DOWN):
        return _move(program, state, time_h, rule)
    if _too_soon(program, state, time_h, row):
        return Reason.TOO_SOON.value
    return _hold(program, state, rule) if action == HOLD else _stop(state)


@kernel
def decide(program: Array, state: Array, time_h: float, value: float, decision: Array) -> int:
    """One visit: the measured count decides about the doses from now on.

    Parameters
    ----------
    program : array
        The rule, from `titration_program`.
    state : array of shape (state_size,)
        The patient; changed in place.
    time_h : float
        Time of the visit, h; not before the last one.
    value : float
        The measured count.
    decision : array of shape (DECISION_SIZE,)
        Filled; see `BEFORE` and the places beside it.

    Returns
    -------
    int
        A `Reason`; NOT_FINITE where `value` is no number, and then nothing has changed.
    """
    decision[BEFORE] = decision[AFTER] = amount_in_force(state)
    decision[RULE], decision[DISTANCE], decision[THRESHOLD] = NO_RULE_ROW, np.inf, np.nan
    decision[EVERY_AFTER] = state[INTERVAL_H]
    if state[STATUS] == STOPPED_STATUS:
        return Reason.AFTER_STOP.value
    if not math.isfinite(value):
        return Reason.NOT_FINITE.value
    if state[STATUS] == HELD:
        reason = _look_while_held(program, state, time_h, value, decision)
    else:
        reason = _look_while_dosing(program, state, time_h, value, decision)
    _set_next_visit(program, state, time_h)
    decision[AFTER], decision[EVERY_AFTER] = amount_in_force(state), state[INTERVAL_H]
    return reason
