"""From states at visits to responders: at one visit, at any, at a share of them, at most of the last ones.

A visit whose state is unknown (-1) was not assessed: it counts neither for nor against, and a subject never assessed is unknown. The missing rules
come before (`visit_states.filled`); with them no visit is unknown.
"""

from __future__ import annotations

import numpy as np

from thrombokit.errors import Fault, InputError
from thrombokit.numerics.arrays import IntArray
from thrombokit.trials.estimand import Endpoint, EndpointKind
from thrombokit.trials.visit_states import UNKNOWN
from thrombokit.trials.visit_windows import VisitCounts

SHARE_SLACK = 1e-9
"""Three of four visits are 75 %, whatever the doubles say."""


def at_visit(states: IntArray, column: int) -> IntArray:
    """The state at one visit, shape (s,)."""
    return states[:, column].copy()


def at_least_once(states: IntArray) -> IntArray:
    """1 for a response at any visit, shape (s,)."""
    return states.max(axis=1, initial=UNKNOWN)


def at_share(states: IntArray, share: float) -> IntArray:
    """1 for a response at `share` of the assessed visits or more, shape (s,)."""
    assessed, responded = (states != UNKNOWN).sum(axis=1), (states == 1).sum(axis=1)
    enough = responded >= share * assessed - SHARE_SLACK
    return np.where(assessed == 0, UNKNOWN, enough.astype(np.int64))


def durable(states: IntArray, at_least: int, of_last: int) -> IntArray:
    """1 for a response at `at_least` or more of the last `of_last` planned visits, shape (s,)."""
    last = states[:, -of_last:]
    enough = ((last == 1).sum(axis=1) >= at_least).astype(np.int64)
    return np.where((last == UNKNOWN).all(axis=1), UNKNOWN, enough)


def responders(states: IntArray, endpoint: Endpoint, visits: VisitCounts) -> IntArray:
    """Who responded (1), did not (0), or is unknown (-1), shape (s,).

    Raises
    ------
    InputError
        A week that is not planned, more last visits than planned, or an endpoint that has no responders.
    """
    if endpoint.kind is EndpointKind.AT_WEEK:
        return at_visit(states, visits.column(endpoint.week if endpoint.week is not None else visits.plan.weeks[-1]))
    if endpoint.kind is EndpointKind.AT_LEAST_ONCE:
        return at_least_once(states)
    if endpoint.kind is EndpointKind.AT_SHARE:
        return at_share(states, endpoint.share)
    if endpoint.kind is EndpointKind.DURABLE:
        if endpoint.of_last > states.shape[1]:
            raise InputError(Fault(place="endpoint.of_last", found=f"the last {endpoint.of_last} of {states.shape[1]} planned visits",
                                   expected=f"at most {states.shape[1]}", cure="Plan more visits, or ask for fewer."))  # fmt: skip
        return durable(states, endpoint.at_least, endpoint.of_last)
    raise InputError(
        Fault(place="endpoint.kind", found=f'"{endpoint.kind}"', expected="a response", cure="Use the analysis of this endpoint.")
    )


def extreme_responders(states: IntArray, endpoint: Endpoint, visits: VisitCounts) -> tuple[IntArray, IntArray]:
    """Responders if every unknown visit were no response, and if every one were a response; both (s,), 0 or 1."""
    worst = responders(np.where(states == UNKNOWN, 0, states), endpoint, visits)
    best = responders(np.where(states == UNKNOWN, 1, states), endpoint, visits)
    return worst, best
