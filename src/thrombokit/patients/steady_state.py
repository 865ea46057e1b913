"""The state of an individual who has taken the same dose at the same interval for ever.

A linear model's steady state is solved for: over one interval x -> M x + c, so x = (I - M)^-1 (c + dose). Any other model is run,
interval after interval, until what is still to come is below a stated share; the remaining way is estimated from how much each
interval shrinks the last change, so that a slow approach is not taken for an arrival.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from thrombokit.errors import SimulationError
from thrombokit.numerics.arrays import Array
from thrombokit.patients.dose_cycle import Leg, cycle_legs
from thrombokit.patients.linear_engine import LinearEngine
from thrombokit.patients.movers import Mover
from thrombokit.patients.schedule import Dose

REMAINING = 1e-7
"""Largest share of a compartment's amount that may still be to come when iteration ends."""
MOST_INTERVALS = 20_000
SMALL = 1e-9
"""Compartments below this share of the fullest are held to its scale."""
NOISE = 1e-11
"""Changes below this share are rounding of the solver."""
_NO_TIMES = np.empty(0)


def periodic_state(mover: Mover, dose: Dose, *, switch_after: float, start: Array) -> Array:
    """Amounts (n,) right after an arrival of a dose that repeats for ever.

    Parameters
    ----------
    mover : Mover
        With the record values of the dose.
    dose : Dose
        With interval > 0.
    switch_after : float
        From the arrival to the switch of absorption; not a number where there is none.
    start : array of shape (n,)
        Where iteration begins, for models that are not linear: the model's initial amounts.

    Raises
    ------
    SimulationError
        If there is no steady state, or it was not reached; the message names the compartments.
    """
    legs = cycle_legs(dose, switch_after)
    taken = np.zeros(start.size)
    if not dose.is_infusion:
        taken[dose.compartment] = dose.amount
    if isinstance(mover, LinearEngine):
        return _solved(mover, legs, dose.compartment, taken)

    def one_interval(x: Array) -> Array:
        moved = x.copy()
        run_legs(mover, legs, dose.compartment, moved)
        return moved + taken

    return _iterated(one_interval, start + taken, f"a dose every {dose.interval:g}")


def constant_state(mover: Mover, compartment: int, rate: float, start: Array) -> Array:
    """Amounts (n,) under a constant inflow `rate` into `compartment`, given for ever.

    Raises
    ------
    SimulationError
        If there is no steady state, or it was not reached.
    """
    inflow = np.zeros(start.size)
    inflow[compartment] = rate
    if isinstance(mover, LinearEngine):
        return _balanced(mover, inflow)
    length = [0.125]

    def longer_and_longer(x: Array) -> Array:
        moved = x.copy()
        length[0] *= 1.1
        mover.advance(0.0, length[0], 0.0, 1.0, moved, inflow, _NO_TIMES, np.empty((0, x.size)))
        return moved

    return _iterated(longer_and_longer, start.copy(), f"a constant inflow of {rate:g}", most=200)


def run_legs(mover: Mover, legs: tuple[Leg, ...], compartment: int, x: Array) -> None:
    """Move `x` (n,) in place through `legs`."""
    inflow = np.zeros(x.size)
    for leg in legs:
        inflow[compartment] = leg.rate
        mover.advance(leg.start, leg.stop, leg.tad, leg.phase, x, inflow, _NO_TIMES, np.empty((0, x.size)))


def _solved(engine: LinearEngine, legs: tuple[Leg, ...], compartment: int, taken: Array) -> Array:
    matrix, added = np.eye(taken.size), np.zeros(taken.size)
    for leg in legs:
        propagator, integral = engine.propagator_and_integral(leg.stop - leg.start, leg.phase)
        matrix = propagator @ matrix
        added = propagator @ added + integral[:, compartment] * leg.rate
    return _solution(np.eye(taken.size) - matrix, added + taken, engine, lambda k: matrix[k, k] > 1.0 - 1e-12)


def _balanced(engine: LinearEngine, inflow: Array) -> Array:
    matrix = engine.matrix(1.0)
    return _solution(-matrix, inflow, engine, lambda k: not matrix[k, k] < 0.0)


def _solution(matrix: Array, right: Array, engine: LinearEngine, never_empties: Callable[[int], bool]) -> Array:
    """Solution of `matrix` x = `right` over the compartments that matter; those nothing flows into stay at 0."""
    reached = _reached(engine.matrix(0.0) + engine.matrix(1.0), right)
    full = [engine.compiled.compartments[k] for k in np.flatnonzero(reached) if never_empties(int(k))]
    if full:
        raise SimulationError(f"no steady state: {', '.join(full)} fills for ever, since nothing leaves it")
    x = np.zeros(right.size)
    x[reached] = np.linalg.solve(matrix[np.ix_(reached, reached)], right[reached])
    if not np.isfinite(x).all():
        raise SimulationError("no steady state: the amounts grow without bound")
    return x


def _reached(matrix: Array, right: Array) -> np.ndarray:
    """Which compartments something flows into, directly or through others."""
    reached = right != 0.0
    for _ in range(right.size):
        reached = reached | ((matrix != 0.0) @ reached)
    return reached


def _iterated(step: Callable[[Array], Array], start: Array, what: str, most: int = MOST_INTERVALS) -> Array:
    """`start` carried on by `step` until the way that remains is below REMAINING in every compartment."""
    x, before = start, np.full(start.size, np.inf)
    left = np.full(start.size, np.inf)
    for _ in range(most):
        following = step(x)
        change = np.abs(following - x)
        scale = np.maximum(np.abs(following), SMALL * np.abs(following).max(initial=1e-300))
        shrink = np.clip(np.divide(change, before, out=np.zeros(x.size), where=before > 0.0), 0.0, 1.0)
        to_come = np.where(change <= NOISE * scale, 0.0, change * shrink / np.maximum(1.0 - shrink, 1e-12))
        x, left = following, np.maximum(to_come, change) / scale
        if np.isfinite(before).all() and (to_come <= REMAINING * scale).all() and (change <= 1e-4 * scale).all():
            return x
        before = change
    raise SimulationError(f"no steady state of {what} after {most} intervals: compartment {int(np.argmax(left)) + 1} still changes")
