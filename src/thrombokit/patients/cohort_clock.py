"""What happens to the drug of one virtual patient: doses on their way, infusions that run, the switch of absorption.

The rules are those of `course.Course`, which does the same for event tables; here they are kernels on one array, the patient's clock.
"""

from __future__ import annotations

import math

import numpy as np

from thrombokit.numerics.arrays import Array, IntArray
from thrombokit.numerics.jit import lean_kernel
from thrombokit.patients.cohort_arrays import (
    AT_ARRIVALS,
    AT_INFUSIONS,
    BETWEEN_H,
    CLOCK_HEAD,
    COMPARTMENT,
    DOSE_RATE,
    DURATION,
    FIRST_ARRIVAL,
    INFUSION_H,
    INFUSION_RATE,
    LAG,
    LAG_H,
    LAST_DOSE,
    LAST_EVENT,
    LAST_READ_H,
    MOST_UNDER_WAY,
    N_ARRIVALS,
    N_INFUSIONS,
    NOT_FINITE,
    NOW,
    PHASE,
    RATE,
    RESCUED_H,
    SHARE,
    STATUS,
    SWITCH,
    SWITCH_AFTER,
    SWITCH_AT,
    SWITCH_FROM_RECORD,
    TAKEN_UP,
    TOO_MANY_UNDER_WAY,
)  # fmt: skip
from thrombokit.patients.gamma_inputs import note_arrival

SAME_TIME = 1e-12
"""Times nearer than this, relative to their size (or to 1), are the same."""


@lean_kernel
def reached(due: float, time: float) -> bool:
    """Whether what is due at `due` happens no later than `time`."""
    return due <= time + SAME_TIME * max(1.0, abs(time))


@lean_kernel
def _value(r: Array, place: int, otherwise: float) -> float:
    return r[place] if place >= 0 else otherwise


@lean_kernel
def begin_clock(clock: Array, numbers: Array, places: IntArray, r: Array) -> None:
    """A patient at time 0, with the lag, the share taken up and the infusion of its own record values `r`."""
    for k in range(CLOCK_HEAD):
        clock[k] = 0.0
    clock[SWITCH_AT] = np.inf
    clock[LAST_READ_H] = clock[BETWEEN_H] = clock[RESCUED_H] = -np.inf
    clock[LAG_H], clock[TAKEN_UP] = _value(r, places[LAG], 0.0), _value(r, places[SHARE], 1.0)
    rate = numbers[DOSE_RATE]
    clock[INFUSION_RATE] = _value(r, places[RATE], np.nan) if rate == -1.0 else max(rate, 0.0)
    clock[INFUSION_H] = _value(r, places[DURATION], np.nan) if rate == -2.0 else 0.0
    delay = _value(r, places[SWITCH], np.nan)
    clock[SWITCH_AFTER] = max(delay - clock[LAG_H], 0.0) if places[SWITCH_FROM_RECORD] and not math.isnan(delay) else delay


@lean_kernel
def next_planned(clock: Array) -> float:
    """When the next dose arrives, an infusion ends or absorption switches."""
    soonest = clock[SWITCH_AT]
    if clock[N_ARRIVALS] > 0.0:
        soonest = min(soonest, clock[AT_ARRIVALS + 2 * int(clock[FIRST_ARRIVAL])])
    for k in range(int(clock[N_INFUSIONS])):
        soonest = min(soonest, clock[AT_INFUSIONS + 2 * k])
    return soonest


@lean_kernel
def give_dose(clock: Array, places: IntArray, gamma_inputs: IntArray, x: Array, u: Array, r: Array, amount: float) -> None:
    """A dose whose nominal time is now: it arrives at once or after its lag; a dose of 0 does nothing but count."""
    clock[LAST_DOSE] = clock[NOW]
    taken = amount * clock[TAKEN_UP]
    if taken == 0.0:
        return
    if clock[LAG_H] == 0.0:
        arrive(clock, places, gamma_inputs, x, u, r, taken)
        return
    if clock[N_ARRIVALS] == MOST_UNDER_WAY:
        clock[STATUS] = TOO_MANY_UNDER_WAY
        return
    k = AT_ARRIVALS + 2 * (int(clock[FIRST_ARRIVAL] + clock[N_ARRIVALS]) % MOST_UNDER_WAY)
    clock[k], clock[k + 1] = clock[NOW] + clock[LAG_H], taken
    clock[N_ARRIVALS] += 1.0


@lean_kernel
def arrive(clock: Array, places: IntArray, gamma_inputs: IntArray, x: Array, u: Array, r: Array, taken: float) -> None:
    """`taken` of a dose reaches its compartment, at once or as an infusion; absorption begins anew."""
    clock[LAST_EVENT] = clock[NOW]
    if not math.isnan(clock[SWITCH_AFTER]):
        later = clock[SWITCH_AFTER] > 0.0
        clock[PHASE] = 0.0 if later else 1.0
        clock[SWITCH_AT] = clock[NOW] + clock[SWITCH_AFTER] if later else np.inf
    if clock[INFUSION_RATE] == 0.0 and clock[INFUSION_H] == 0.0:
        x[places[COMPARTMENT]] += taken
        if gamma_inputs.shape[0] > 0 and not note_arrival(r, gamma_inputs, places[COMPARTMENT], clock[NOW], taken):
            clock[STATUS] = TOO_MANY_UNDER_WAY
        return
    rate = taken / clock[INFUSION_H] if clock[INFUSION_H] > 0.0 else clock[INFUSION_RATE]
    if not rate > 0.0:
        clock[STATUS] = NOT_FINITE
    elif clock[N_INFUSIONS] == MOST_UNDER_WAY:
        clock[STATUS] = TOO_MANY_UNDER_WAY
    else:
        k = AT_INFUSIONS + 2 * int(clock[N_INFUSIONS])
        clock[k], clock[k + 1] = clock[NOW] + taken / rate, rate
        clock[N_INFUSIONS] += 1.0
        u[places[COMPARTMENT]] += rate


@lean_kernel
def act_planned(clock: Array, places: IntArray, gamma_inputs: IntArray, x: Array, u: Array, r: Array) -> None:
    """Do all that is planned for now: ends of infusions, the switch, arrivals."""
    if clock[N_INFUSIONS] > 0.0:
        _end_infusions(clock, places, u)
    if reached(clock[SWITCH_AT], clock[NOW]):
        clock[PHASE], clock[SWITCH_AT], clock[LAST_EVENT] = 1.0, np.inf, clock[NOW]
    while clock[N_ARRIVALS] > 0.0:
        k = AT_ARRIVALS + 2 * int(clock[FIRST_ARRIVAL])
        if not reached(clock[k], clock[NOW]):
            break
        clock[FIRST_ARRIVAL] = (clock[FIRST_ARRIVAL] + 1.0) % MOST_UNDER_WAY
        clock[N_ARRIVALS] -= 1.0
        arrive(clock, places, gamma_inputs, x, u, r, clock[k + 1])


@lean_kernel
def _end_infusions(clock: Array, places: IntArray, u: Array) -> None:
    """Forget the infusions that have ended, and add the rates of the others up anew, so that no rounding is left behind."""
    kept, total = 0, 0.0
    for k in range(int(clock[N_INFUSIONS])):
        at = AT_INFUSIONS + 2 * k
        if reached(clock[at], clock[NOW]):
            clock[LAST_EVENT] = clock[NOW]
            continue
        clock[AT_INFUSIONS + 2 * kept], clock[AT_INFUSIONS + 2 * kept + 1] = clock[at], clock[at + 1]
        total += clock[at + 1]
        kept += 1
    clock[N_INFUSIONS] = kept
    u[places[COMPARTMENT]] = total
