"""5PL and bell fits of one curve: starts, bounds, best of several descents, and the profile interval of ln EC50.

The compiled part is `general_fit.py`. For the bell, "EC50" is that of the rising (first) limb.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from thrombokit.numerics import general_fit
from thrombokit.numerics.arrays import Array
from thrombokit.numerics.logistic_fit import LN_HILL_HIGH, LN_HILL_LOW, REACH

LN_ASYMMETRY = float(np.log(10.0))
"""Bound of |ln s| in the 5PL: s between 0.1 and 10."""


@dataclass(frozen=True, kw_only=True, eq=False)
class GeneralFit:
    """theta in the order of `general_fit`, its RSS about the dose means, and how it ended (0 converged .. 3 not finite)."""

    model: int
    theta: Array
    rss: float
    code: int


def _bounds(model: int, x: Array) -> tuple[Array, Array]:
    finite = x[np.isfinite(x)]
    m_low, m_high = float(finite.min()) - REACH, float(finite.max()) + REACH
    low = [-np.inf, -np.inf, m_low, LN_HILL_LOW]
    high = [np.inf, np.inf, m_high, LN_HILL_HIGH]
    if model == general_fit.BELL:
        low += [m_low, -np.inf]
        high += [m_high, np.inf]
    else:
        low += [-LN_ASYMMETRY]
        high += [LN_ASYMMETRY]
    return np.array(low), np.array(high)


def fit_general(model: int, x: Array, y: Array, w: Array, four: Array) -> GeneralFit:
    """Best fit of `model` (FIVE_PARAMETER or BELL) to dose means.

    Parameters
    ----------
    x, y, w : arrays of shape (n_doses,)
        ln concentration ascending (-inf for dose 0), mean response, weight.
    four : array of shape (4,)
        The 4PL fit (a0, a1, m, h), the first start.
    """
    low, high = _bounds(model, x)
    held = np.zeros(model, dtype=np.bool_)
    best: GeneralFit | None = None
    for start in _starts(model, x, y, w, four):
        theta = np.clip(start, low, high)
        rss, code = general_fit.descend(model, x, y, w, theta, low, high, held, 300)
        if best is None or rss < best.rss * (1 - 1e-10):
            best = GeneralFit(model=model, theta=theta, rss=float(rss), code=int(code))
    assert best is not None
    return best


def _starts(model: int, x: Array, y: Array, w: Array, four: Array) -> list[Array]:
    a0, a1, m, h = (float(v) for v in four)
    if model == general_fit.FIVE_PARAMETER:
        return [np.array([a0, a1, m, np.log(h), ln_s]) for ln_s in (0.0, -1.2, 1.2)]
    theta = np.empty(6)
    general_fit.bell_start(x, y, w, theta)
    finite = x[np.isfinite(x)]
    no_fall = np.array([a0, a1, m, np.log(h), float(finite.max()) + 1.0, a1])
    return [theta, no_fall]


def profile_ln_ec50(fit: GeneralFit, x: Array, y: Array, w: Array, limit: float, half_width: float) -> tuple[float, float]:
    """Ends of {ln EC50 : profile RSS <= limit}; -inf / inf where the profile stays below within REACH of the doses."""
    low, high = _bounds(fit.model, x)
    held = np.zeros(fit.model, dtype=np.bool_)
    held[2] = True
    target = np.sqrt(max(limit - fit.rss, 0.0))

    def excess(m: float, warm: Array) -> float:
        warm[2] = m
        rss, _ = general_fit.descend(fit.model, x, y, w, warm, low, high, held, 120)
        return float(np.sqrt(max(rss - fit.rss, 0.0)) - target)

    ends: list[float] = []
    for side in (-1.0, 1.0):
        edge = float(low[2] if side < 0 else high[2])
        inside, warm = float(fit.theta[2]), fit.theta.copy()
        step = min(max(half_width, 1e-6), 2.0) if np.isfinite(half_width) else 0.3
        found = side * np.inf
        while True:
            outside = inside + side * step
            last = (outside - edge) * side >= 0
            outside = edge if last else outside
            trial = warm.copy()
            if excess(outside, trial) > 0:
                found = _bisect(excess, inside, outside, warm)
                break
            if last:
                break
            inside, warm, step = outside, trial, step * 1.7
        ends.append(found)
    return ends[0], ends[1]


def _bisect(excess: Callable[[float, Array], float], inside: float, outside: float, warm: Array) -> float:
    for _ in range(40):
        middle = 0.5 * (inside + outside)
        trial = warm.copy()
        if excess(middle, trial) > 0:
            outside = middle
        else:
            inside, warm = middle, trial
        if abs(outside - inside) < 1e-8:
            break
    return 0.5 * (inside + outside)


def covariance_general(fit: GeneralFit, x: Array, w: Array) -> Array | None:
    """Inverse of J'WJ, shape (p, p), or None when singular."""
    size = fit.model
    normal, gradient, inverse = np.empty((size, size)), np.empty(size), np.empty((size, size))
    general_fit.normal_equations(fit.model, x, np.zeros_like(x), w, fit.theta, normal, gradient)
    from_kernel = general_fit.invert_scaled(normal, size, inverse)
    return inverse if from_kernel else None
