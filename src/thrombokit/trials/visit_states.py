"""Response, no response or unknown at each visit: the threshold, then what a rescue means, then what a missing count means.

States are 1 (response), 0 (none) and -1 (not known). A rescue on the day of a count, or before it, touches that count.
"""

from __future__ import annotations

import math

import numpy as np

from thrombokit.numerics.arrays import Array, BoolArray, IntArray
from thrombokit.trials.estimand import Endpoint, MissingRule, Rescue, RescueRule
from thrombokit.trials.trial_data import Subject, TrialData
from thrombokit.trials.visit_windows import VisitCounts

UNKNOWN = -1


def responses(count_1e9_per_L: Array, baseline_1e9_per_L: Array, endpoint: Endpoint) -> IntArray:
    """States of counts by the threshold alone.

    Parameters
    ----------
    count_1e9_per_L : array, any shape, NaN where missing
    baseline_1e9_per_L : array that broadcasts against it, NaN where missing
        Read only where `endpoint.times_baseline` is given; without a baseline, a count above the threshold is then unknown.
    endpoint : Endpoint
    """
    high = count_1e9_per_L >= endpoint.threshold_1e9_per_L
    state = np.where(np.isnan(count_1e9_per_L), UNKNOWN, high.astype(np.int64))
    if endpoint.times_baseline is None:
        return state
    base = np.broadcast_to(baseline_1e9_per_L, count_1e9_per_L.shape)
    risen = count_1e9_per_L >= endpoint.times_baseline * base
    return np.where(state == 1, np.where(np.isnan(base), UNKNOWN, risen.astype(np.int64)), state)


def touched_by_rescue(one: Subject, day: Array, rescue: Rescue) -> BoolArray:
    """Whether a rescue reaches each day (m,) of a subject: any day from the first rescue on, or only `days` after each."""
    touched = np.zeros(day.shape, dtype=np.bool_)
    if rescue.rule is RescueRule.AS_MEASURED:
        return touched
    length = rescue.days if rescue.rule is RescueRule.FAILURE_FOR and rescue.days is not None else math.inf
    for given in one.rescue_days:
        touched |= (day >= given) & (day < given + length)
    return touched


def visit_states(data: TrialData, visits: VisitCounts, baseline_1e9_per_L: Array, endpoint: Endpoint, rescue: Rescue) -> IntArray:
    """States at the planned visits after the rescue rule, shape (s, v).

    A visit that a rescue touches is a failure (0) even where no count was taken, or unknown where the rule sets it missing.
    """
    state = responses(visits.count_1e9_per_L, baseline_1e9_per_L[:, None], endpoint)
    days = visits.day_or_planned
    touched = np.array([touched_by_rescue(one, days[k], rescue) for k, one in enumerate(data.subjects)])
    return np.where(touched, UNKNOWN if rescue.rule is RescueRule.SET_MISSING else 0, state)


def filled(states: IntArray, missing: MissingRule) -> IntArray:
    """States with the missing rule applied, shape (s, v).

    Non-responder: unknown becomes 0. LOCF: the last known state is carried on (the baseline is not), what comes before any becomes 0. Observed only,
    and the tipping point: unknown stays.
    """
    if missing is MissingRule.NON_RESPONDER:
        return np.where(states == UNKNOWN, 0, states)
    if missing is MissingRule.LOCF:
        return np.where(carried(states) == UNKNOWN, 0, carried(states))
    return states.copy()


def carried(states: IntArray) -> IntArray:
    """The last known state carried on to unknown visits, shape (s, v)."""
    place = np.where(states == UNKNOWN, -1, np.arange(states.shape[1]))
    last = np.maximum.accumulate(place, axis=1)
    return np.where(last < 0, UNKNOWN, np.take_along_axis(states, np.maximum(last, 0), axis=1))
