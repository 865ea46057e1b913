"""Logistic regression with Firth's penalty: finite odds ratios where a group has only responders, or none.

The log-likelihood gains half the log determinant of its information, which removes the first-order bias and keeps every estimate finite.
Intervals and p are those of the penalised likelihood's profile, not Wald's, which fail just where the penalty is needed.

References
----------
Firth D (1993) Biometrika 80:27-38, doi:10.1093/biomet/80.1.27. Heinze G, Schemper M (2002) Stat Med 21:2409-2419, doi:10.1002/sim.1047.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import optimize

from thrombokit.numerics.arrays import Array, FrozenArrays
from thrombokit.numerics.normal_distribution import chi_square_p, two_sided_z
from thrombokit.numerics.outcome import Outcome

MOST_STEPS = 200
FARTHEST = 40.0
"""Log odds beyond which a limit counts as infinite."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FirthFit(FrozenArrays):
    """Coefficients (p,), limits `low` and `high` (p,), p values (p,), the penalised log-likelihood and how the search ended."""

    coefficients: Array
    low: Array
    high: Array
    p_values: Array
    log_likelihood: float
    outcome: Outcome


def fit_firth(
    design: Array, responders: Array, sizes: Array, *, confidence: float = 0.95, profiled: Sequence[int] | None = None
) -> FirthFit:
    """Penalised logistic regression of grouped counts.

    Parameters
    ----------
    design : array of shape (n, p)
        One row a group (or a subject, with size 1), full column rank; include a column of ones for an intercept.
    responders, sizes : arrays of shape (n,)
        0 <= responders <= sizes, sizes > 0.
    confidence : float
        Of the profile intervals.
    profiled : sequence of int, optional
        Coefficients whose interval and p are wanted (NaN for the others); all by default.

    Returns
    -------
    FirthFit
        A limit is infinite where the profile never falls far enough.

    References
    ----------
    Heinze & Schemper 2002, doi:10.1002/sim.1047.
    """
    p = design.shape[1]
    best, top, outcome = _maximise(design, responders, sizes, np.zeros(p), None)
    low, high, p_values = np.full(p, math.nan), np.full(p, math.nan), np.full(p, math.nan)
    drop = two_sided_z(confidence) ** 2 / 2.0
    for j in range(p) if profiled is None else profiled:
        low[j] = _limit(design, responders, sizes, best, top - drop, j, -1.0)
        high[j] = _limit(design, responders, sizes, best, top - drop, j, 1.0)
        _, without, _ = _maximise(design, responders, sizes, _moved(best, j, 0.0), j)
        p_values[j] = chi_square_p(max(2.0 * (top - without), 0.0), 1)
    return FirthFit(coefficients=best, low=low, high=high, p_values=p_values, log_likelihood=top, outcome=outcome)


def _moved(point: Array, j: int, value: float) -> Array:
    moved = np.array(point)
    moved[j] = value
    return moved


def _penalised(design: Array, responders: Array, sizes: Array, beta: Array) -> tuple[float, Array, Array]:
    """Penalised log-likelihood, its score and the information, at coefficients (p,)."""
    eta = design @ beta
    share = 1.0 / (1.0 + np.exp(-np.clip(eta, -700.0, 700.0)))
    weights = sizes * share * (1.0 - share)
    information = (design * weights[:, None]).T @ design
    sign, log_determinant = np.linalg.slogdet(information)
    if sign <= 0:
        return -math.inf, np.zeros_like(beta), information
    value = float(responders @ eta - sizes @ np.logaddexp(0.0, eta)) + 0.5 * log_determinant
    leverage = weights * np.einsum("ij,jk,ik->i", design, np.linalg.inv(information), design)
    score = design.T @ (responders - sizes * share + leverage * (0.5 - share))
    return value, score, information


def _maximise(design: Array, responders: Array, sizes: Array, start: Array, held: int | None) -> tuple[Array, float, Outcome]:
    """Scoring steps, halved until the penalised likelihood rises; `held` keeps one coefficient where it starts."""
    free = np.array([j for j in range(start.size) if j != held], dtype=np.int64)
    beta = np.array(start)
    value, score, information = _penalised(design, responders, sizes, beta)
    if not math.isfinite(value):
        beta = np.where(np.arange(beta.size) == (-1 if held is None else held), beta, 0.0)
        value, score, information = _penalised(design, responders, sizes, beta)
    for _ in range(MOST_STEPS):
        if free.size == 0:
            return beta, value, Outcome.CONVERGED
        step = np.linalg.solve(information[np.ix_(free, free)], score[free]).astype(np.float64)
        step *= min(1.0, 5.0 / max(float(np.abs(step).max()), 1e-300))
        if _largest(step) < 1e-12:
            return beta, value, Outcome.CONVERGED
        for _ in range(60):
            trial = np.array(beta)
            trial[free] += step
            following = _penalised(design, responders, sizes, trial)
            if following[0] > value or (following[0] > value - 1e-9 and _largest(following[1][free]) < 0.5 * _largest(score[free])):
                break
            step *= 0.5
        else:
            return beta, value, Outcome.CONVERGED  # no step, however short, goes up
        beta, (value, score, information) = trial, following
    return beta, value, Outcome.MAX_STEPS


def _largest(values: Array) -> float:
    return float(np.abs(values).max())


def _limit(design: Array, responders: Array, sizes: Array, best: Array, target: float, j: int, side: float) -> float:
    """Where the profile of coefficient j falls to `target` on one side; infinite past FARTHEST."""
    inside, step, start = float(best[j]), 1.0, best
    while True:
        outside = inside + side * step
        if abs(outside) > FARTHEST:
            return side * math.inf
        start, height, _ = _maximise(design, responders, sizes, _moved(start, j, outside), j)
        if height < target:
            break
        inside, step = outside, step * 1.6

    def above(value: float) -> float:
        return _maximise(design, responders, sizes, _moved(start, j, value), j)[1] - target

    found: Any = optimize.brentq(above, inside, outside, xtol=1e-10)
    return float(found)
