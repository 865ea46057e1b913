"""Maximise a likelihood within a box: Fisher scoring, damped as Levenberg and Marquardt do, with bounds held by an active set.

Each step solves (I + d diag I) s = g with the Fisher information I and the gradient g of the parameters that are free to move; d shrinks
where the likelihood rises as predicted and grows where it does not. A parameter at a bound that the gradient pushes against rests there.

References
----------
Osborne MR (1992) Fisher's method of scoring. Int Stat Rev 60:99-117, doi:10.2307/1403504.
Nielsen HB (1999) Damping parameter in Marquardt's method. IMM-REP-1999-05, Technical University of Denmark (the rule for d).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from thrombokit.numerics.arrays import Array, BoolArray, FrozenArrays, frozen
from thrombokit.numerics.outcome import Outcome


@dataclass(frozen=True, kw_only=True, eq=False)
class LocalModel(FrozenArrays):
    """A log-likelihood near a point: its value, gradient of shape (n,) and Fisher information of shape (n, n)."""

    value: float
    gradient: Array
    information: Array


STALLED = 1e-2
"""Promised gain above which a search that finds no way up has not converged: its gradient is too noisy, or the maximum a sharp ridge."""
FLAT = 1e-3
"""Information added to each parameter, per its longest step squared: a slope of 0.001 on flat ground makes the longest step."""
Linearise: TypeAlias = Callable[[Array], LocalModel | None]
"""The local model at a point, None where the likelihood does not exist."""
Value: TypeAlias = Callable[[Array], float]
"""The log-likelihood at a point, -inf where it does not exist."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Box(FrozenArrays):
    """Where parameters may be, arrays of shape (n,): `lower`, `upper`, the longest step of each, and which are `free` at all."""

    lower: Array
    upper: Array
    longest_step: Array
    free: BoolArray

    def without(self, parameter: int) -> Box:
        """The same box with one parameter held where it is."""
        free = np.array(self.free)
        free[parameter] = False
        return replace(self, free=frozen(free, np.bool_))


@dataclass(frozen=True, kw_only=True, eq=False)
class Maximum(FrozenArrays):
    """Where a search ended: the point of shape (n,), the value, how it ended, steps taken, and what a further step promised to gain."""

    point: Array
    value: float
    outcome: Outcome
    steps: int
    promised_gain: float


def maximise(value: Value, linearise: Linearise, start: Array, box: Box, *, most_steps: int = 200, gain: float = 1e-6) -> Maximum:
    """The nearest maximum of a log-likelihood.

    Parameters
    ----------
    value, linearise : function
    start : array of shape (n,)
        Moved into the box where it lies outside.
    box : Box
    most_steps : int
        Local models computed at most.
    gain : float
        The search has converged when a full step promises less than this.

    Returns
    -------
    Maximum
        `converged`; `at_bound` when converged with a free parameter at a bound; `max_steps`; `not_finite` when there is no likelihood at
        the start.
    """
    point = np.where(box.free, np.clip(start, box.lower, box.upper), start)
    model = linearise(point)
    if model is None or not math.isfinite(model.value):
        return Maximum(point=frozen(point), value=-math.inf, outcome=Outcome.NOT_FINITE, steps=0, promised_gain=math.inf)
    damping, growth = 1e-2, 2.0
    promised = math.inf
    for steps in range(1, most_steps + 1):
        moving = _moving(point, model.gradient, box)
        promised = _promise(model, moving, box)
        if promised < gain:
            return _ended(point, model, box, steps, promised)
        while True:
            moved = _moved(point, model, moving, box, damping)
            predicted = _predicted(model, moved - point)
            risen = value(moved) - model.value
            if risen > 0.0 and predicted > 0.0:
                ratio = min(risen / predicted, 1.0)
                damping, growth = max(damping * max(1.0 / 3.0, 1.0 - (2.0 * ratio - 1.0) ** 3), 1e-12), 2.0
                break
            damping, growth = damping * growth, growth * 2.0
            if damping > 1e12:  # no step, however short, goes up: what is left is the noise of the solver
                return _ended(point, model, box, steps, promised)
        following = linearise(moved)
        if following is None:
            return Maximum(point=frozen(point), value=model.value, outcome=Outcome.MAX_STEPS, steps=steps, promised_gain=promised)
        point, model = moved, following
    return Maximum(point=frozen(point), value=model.value, outcome=Outcome.MAX_STEPS, steps=most_steps, promised_gain=promised)


def _moving(point: Array, gradient: Array, box: Box) -> BoolArray:
    """Free parameters, without those that their gradient pushes against a bound."""
    held = ((point <= box.lower) & (gradient <= 0.0)) | ((point >= box.upper) & (gradient >= 0.0))
    return box.free & ~held


def _promise(model: LocalModel, moving: BoolArray, box: Box) -> float:
    """Half the gain of the undamped step."""
    if not moving.any():
        return 0.0
    step = _solve(model, moving, box, 0.0)
    return float(0.5 * model.gradient[moving] @ step)


def _solve(model: LocalModel, moving: BoolArray, box: Box, damping: float) -> Array:
    """The damped step of the moving parameters; where the likelihood is flat, their longest step keeps it finite."""
    flat = FLAT / box.longest_step[moving] ** 2
    scale = np.sqrt(np.maximum(np.diag(model.information)[moving], 0.0) + flat)
    information = model.information[np.ix_(moving, moving)] / np.outer(scale, scale)
    information[np.diag_indices_from(information)] += damping + flat / scale**2
    try:
        return np.linalg.solve(information, model.gradient[moving] / scale) / scale
    except np.linalg.LinAlgError:
        return np.linalg.lstsq(information, model.gradient[moving] / scale, rcond=None)[0] / scale


def _moved(point: Array, model: LocalModel, moving: BoolArray, box: Box, damping: float) -> Array:
    """The point after a step; parameters that would leave the box stop at its wall, and the others take their step without them."""
    moving = np.array(moving)
    target = np.array(point)
    for _ in range(4):
        if not moving.any():
            break
        step = _solve(model, moving, box, damping)
        shrink = min(1.0, float(np.min(box.longest_step[moving] / np.maximum(np.abs(step), 1e-300))))
        wanted = point[moving] + shrink * step
        inside = np.clip(wanted, box.lower[moving], box.upper[moving])
        target[moving] = inside
        outside = wanted != inside
        if not outside.any():
            break
        moving[np.flatnonzero(moving)[outside]] = False
    return target


def _predicted(model: LocalModel, step: Array) -> float:
    return float(model.gradient @ step - 0.5 * step @ model.information @ step)


def _ended(point: Array, model: LocalModel, box: Box, steps: int, promised: float) -> Maximum:
    if promised > STALLED:
        return Maximum(point=frozen(point), value=model.value, outcome=Outcome.MAX_STEPS, steps=steps, promised_gain=promised)
    at_bound = box.free & ((point <= box.lower) | (point >= box.upper))
    outcome = Outcome.AT_BOUND if at_bound.any() else Outcome.CONVERGED
    return Maximum(point=frozen(point), value=model.value, outcome=outcome, steps=steps, promised_gain=promised)
