"""Days to an event of counts: the first response, and the relapse after a response or after the stop of treatment.

Every count after the first dose is looked at, scheduled or not. What ends the observation first decides; on one day a rescue goes before a
response or
a relapse, and these before a drop-out. Without any of them the subject is censored at the last count.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from thrombokit.numerics.arrays import Array, BoolArray, IntArray
from thrombokit.trials.estimand import Endpoint, Estimand, RescueRule
from thrombokit.trials.trial_data import TrialData, baseline_1e9_per_L, first_rescue_day
from thrombokit.trials.visit_states import responses, touched_by_rescue

RESPONSE, RELAPSE, RESCUE, DROPOUT = "first response", "relapse", "rescue", "drop-out"


@dataclass(frozen=True, kw_only=True)
class EventDays:
    """Subjects at risk by index, days under observation, and what ended it: 0 censored, k = `causes[k - 1]`; all of length n."""

    subject: IntArray
    day: Array
    cause: IntArray
    causes: tuple[str, ...]


def first_responses(data: TrialData, estimand: Estimand, inside: Sequence[bool]) -> EventDays:
    """Days from the first dose to the first response of subjects in the population.

    Rescue as the estimand says: as measured, it is passed over; failure from rescue, it competes; failure for days, counts within them are no
    response; set missing, the subject is censored at it.
    """
    causes = (RESPONSE, *_competing(estimand))
    first, states = first_rescue_day(data), _states(data, estimand)
    rows = [
        (k, *_ended(0.0, _first_day(data, k, states == 1, 0.0), float(first[k]), data, k, estimand, causes, counts_as=RESCUE))
        for k in range(len(data.subjects)) if inside[k]
    ]  # fmt: skip
    return _event_days(rows, causes)


def relapses(data: TrialData, estimand: Estimand, inside: Sequence[bool]) -> EventDays:
    """Days from the first response, or from the stop of treatment, to the first later count below the threshold.

    At risk are those who responded; for a relapse after the stop, those whose last count up to the stop was a response. A rescue under "failure from
    rescue" is itself the relapse; a rescue before the start takes the subject out of those at risk.
    """
    causes = (RELAPSE, *(cause for cause in _competing(estimand) if cause != RESCUE))
    first, states = first_rescue_day(data), _states(data, estimand)
    rows: list[tuple[int, float, int]] = []
    for k in range(len(data.subjects)):
        start = _start(data, k, states, estimand.endpoint) if inside[k] else math.inf
        rescued = float(first[k])
        if not math.isfinite(start) or (
            rescued <= start and estimand.rescue.rule in (RescueRule.FAILURE_FROM_RESCUE, RescueRule.SET_MISSING)
        ):
            continue
        fall = _first_day(data, k, states == 0, start)
        rows.append((k, *_ended(start, fall, rescued, data, k, estimand, causes, counts_as=RELAPSE)))
    return _event_days(rows, causes)


def _states(data: TrialData, estimand: Estimand) -> IntArray:
    """State of every count (n,): by the threshold, then failures of a rescue that lasts days."""
    base = baseline_1e9_per_L(data)[data.subject]
    state = responses(data.count_1e9_per_L, base, estimand.endpoint)
    if estimand.rescue.rule is not RescueRule.FAILURE_FOR:
        return state
    for k, one in enumerate(data.subjects):
        rows = data.counts_of(k)
        state[rows] = np.where(touched_by_rescue(one, data.day[rows], estimand.rescue), 0, state[rows])
    return state


def _first_day(data: TrialData, k: int, seen: BoolArray, after: float) -> float:
    """The first day after `after` on which `seen` (n,) is true for subject k; infinite where none is."""
    rows = data.counts_of(k)
    days = data.day[rows][seen[rows] & (data.day[rows] > after)]
    return float(days[0]) if days.size else math.inf


def _start(data: TrialData, k: int, states: IntArray, endpoint: Endpoint) -> float:
    """The day from which subject k can relapse; infinite where never."""
    if endpoint.after == "response":
        return _first_day(data, k, states == 1, 0.0)
    stop = data.subjects[k].stop_day
    rows = data.counts_of(k)
    if stop is None:
        return math.inf
    before = np.flatnonzero((data.day[rows] <= stop) & (data.day[rows] > 0.0))
    return stop if before.size and states[rows][before[-1]] == 1 else math.inf


def _competing(estimand: Estimand) -> tuple[str, ...]:
    rescue = (RESCUE,) if estimand.rescue.rule is RescueRule.FAILURE_FROM_RESCUE else ()
    return (*rescue, *((DROPOUT,) if estimand.dropout_competes else ()))


def _ended(
    start: float,
    event: float,
    rescued: float,
    data: TrialData,
    k: int,
    estimand: Estimand,
    causes: tuple[str, ...],
    *,
    counts_as: str,
) -> tuple[float, int]:
    """Days from `start`, and the cause's code."""
    one, rows = data.subjects[k], data.counts_of(k)
    last = max(float(data.day[rows.stop - 1]) if rows.stop > rows.start else start, start)
    left = (one.dropout_day if one.dropout_day is not None else last) if one.dropped_out else math.inf
    left = max(left, start)
    rule = estimand.rescue.rule
    counts = math.isfinite(rescued) and rule in (RescueRule.FAILURE_FROM_RESCUE, RescueRule.SET_MISSING)
    if counts and start <= rescued <= min(event, left):
        return rescued - start, causes.index(counts_as) + 1 if rule is RescueRule.FAILURE_FROM_RESCUE else 0
    if event <= left:
        return (event - start, 1) if math.isfinite(event) else (last - start, 0)
    return left - start, causes.index(DROPOUT) + 1 if DROPOUT in causes else 0


def _event_days(rows: Sequence[tuple[int, float, int]], causes: tuple[str, ...]) -> EventDays:
    subject, day, cause = zip(*rows, strict=True) if rows else ((), (), ())
    return EventDays(
        subject=np.array(subject, np.int64), day=np.array(day, np.float64), cause=np.array(cause, np.int64), causes=causes
    )
