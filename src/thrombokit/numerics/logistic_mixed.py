"""One 4PL over several donors: plateaus, ln EC50 and ln hill vary from donor to donor about a common value, all fitted at once.

Lindstrom and Bates' alternation: every donor's curve is linearised where it stands, a linear mixed model (REML) gives the common parameters,
their variances and each donor's own parameters, and the curves are linearised anew there until nothing moves. A donor whose doses
stop before the plateau borrows what the others know about it, in the measure in which donors are alike.

Reference: Lindstrom & Bates 1990, doi:10.2307/2532087.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thrombokit.numerics.arrays import Array, FrozenArrays, IntArray
from thrombokit.numerics.mixed_model import MixedFit, fit_mixed
from thrombokit.numerics.outcome import Outcome

_MAX_ROUNDS = 60
_LARGEST_STEP = np.array([np.inf, np.inf, 1.0, 0.5])
_LN_HILLS = (float(np.log(0.1)), float(np.log(10.0)))
_TOLERANCE = 1e-5
_ROUGH = 1e-3


@dataclass(frozen=True, kw_only=True, eq=False)
class LogisticMixed(FrozenArrays):
    """Common curve, donor curves and their spread, in the order a0, a1, ln EC50, ln hill.

    theta : (4,) common. donors : (g, 4). between_variance : (4,). linear : the last linear mixed model, with the covariance of theta.
    """

    theta: Array
    donors: Array
    between_variance: Array
    linear: MixedFit
    outcome: Outcome
    rounds: int


def fit_logistic_mixed(x: Array, y: Array, weight: Array, group: IntArray, start: Array) -> LogisticMixed:
    """Fit one 4PL with donor effects on all four parameters.

    Parameters
    ----------
    x : array of shape (n,)
        ln concentration, -inf for dose 0.
    y, weight : arrays of shape (n,)
        Response, and 1 / variance up to a common factor.
    group : integer array of shape (n,)
        Donor of each point, 0 to g - 1; g >= 2.
    start : array of shape (g, 4)
        a0, a1, ln EC50, ln hill of each donor to start from.

    Returns
    -------
    LogisticMixed
        `outcome` is converged, at_bound (a donor variance of 0), max_steps or not_finite; never an exception.
    """
    donors = start.copy()
    span = float(np.ptp(y)) or 1.0
    step_scale = np.array([span, span, 1.0, 1.0])
    linear, moved, rounds, ratio = None, np.inf, 0, None
    while rounds < _MAX_ROUNDS and moved > _TOLERANCE:
        rounds += 1
        value, slope = _linearised(x, donors[group])
        working = y - value + np.einsum("np,np->n", slope, donors[group])
        linear = fit_mixed(working, slope, slope, group, weight=weight, start=ratio, inference=False, flat=_ROUGH)
        if linear.outcome is Outcome.NOT_FINITE:
            return _ended(linear, donors, Outcome.NOT_FINITE, rounds)
        ratio = linear.ratio
        step = np.clip(linear.beta + linear.effects - donors, -_LARGEST_STEP, _LARGEST_STEP)
        moved = float(np.max(np.abs(step) / step_scale))
        donors = donors + step * (1.0 if rounds < 15 else 0.5)
        donors[:, 3] = np.clip(donors[:, 3], *_LN_HILLS)
    value, slope = _linearised(x, donors[group])
    working = y - value + np.einsum("np,np->n", slope, donors[group])
    linear = fit_mixed(working, slope, slope, group, weight=weight, start=ratio)
    return _ended(linear, donors, linear.outcome if moved <= _TOLERANCE else Outcome.MAX_STEPS, rounds)


def _ended(linear: MixedFit, donors: Array, outcome: Outcome, rounds: int) -> LogisticMixed:
    return LogisticMixed(
        theta=linear.beta, donors=donors, between_variance=linear.random_variance, linear=linear, outcome=outcome, rounds=rounds
    )


def _linearised(x: Array, theta: Array) -> tuple[Array, Array]:
    """Value (n,) and slopes (n, 4) of the 4PL at every point's own parameters (n, 4)."""
    a0, a1, m, hill = theta[:, 0], theta[:, 1], theta[:, 2], np.exp(theta[:, 3])
    seen = np.isfinite(x)
    z = np.clip(hill * (np.where(seen, x, 0.0) - m), -700.0, 700.0)
    g = np.where(seen, 1.0 / (1.0 + np.exp(-z)), 0.0)
    bend = (a1 - a0) * g * (1.0 - g)
    slope = np.stack([1.0 - g, g, -hill * bend, np.where(seen, z, 0.0) * bend], axis=1)
    return a0 + (a1 - a0) * g, slope
