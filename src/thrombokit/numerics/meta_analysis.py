"""Combine estimates from independent runs or donors: REML between-run variance, Hartung-Knapp t interval.

The run is the unit: with k runs the interval uses Student's t with k - 1 degrees of freedom and the weighted residual variance between runs,
which keeps its coverage for few runs where the normal interval does not.

References: Hartung & Knapp 2001, doi:10.1002/sim.791; IntHout et al. 2014, doi:10.1186/1471-2288-14-25; Viechtbauer 2005,
doi:10.3102/10769986030003261 (REML).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from thrombokit.numerics.arrays import Array


@dataclass(frozen=True, kw_only=True, slots=True)
class Pooled:
    """Mean over runs with its interval and the between-run variance, all on the scale of the input (ln EC50)."""

    mean: float
    low: float
    high: float
    se: float
    between_variance: float
    n: int


def reml_variance(values: Array, variances: Array) -> float:
    """Between-run variance (>= 0) that maximises the restricted likelihood; values and variances of shape (k,), k >= 2."""
    spread = float(np.var(values, ddof=1))
    upper = max(10.0 * spread, 10.0 * float(np.max(variances)), 1e-12)
    grid = np.concatenate([[0.0], np.exp(np.linspace(np.log(upper * 1e-8), np.log(upper), 200))])
    weight = 1.0 / (variances[None, :] + grid[:, None])
    total = weight.sum(axis=1)
    mean = (weight * values).sum(axis=1) / total
    spread_at = (weight * (values - mean[:, None]) ** 2).sum(axis=1)
    best = int(np.argmin(np.log(total) - np.log(weight).sum(axis=1) + spread_at))
    low, high = float(grid[max(best - 1, 0)]), float(grid[min(best + 1, grid.size - 1)])
    golden = 0.6180339887498949
    for _ in range(50):
        c, d = high - golden * (high - low), low + golden * (high - low)
        if _restricted(c, values, variances) <= _restricted(d, values, variances):
            high = d
        else:
            low = c
    middle = 0.5 * (low + high)
    return 0.0 if _restricted(0.0, values, variances) <= _restricted(middle, values, variances) else middle


def _restricted(tau2: float, values: Array, variances: Array) -> float:
    """Minus twice the restricted log-likelihood, up to a constant."""
    weight = 1.0 / (variances + tau2)
    total = float(np.sum(weight))
    mean = float(np.sum(weight * values)) / total
    return float(-np.sum(np.log(weight)) + np.log(total) + np.sum(weight * (values - mean) ** 2))


def hartung_knapp(values: Array, variances: Array, *, confidence: float = 0.95) -> Pooled:
    """Pooled mean of k >= 2 runs with a Hartung-Knapp interval.

    Parameters
    ----------
    values : array of shape (k,)
        One estimate a run (ln EC50).
    variances : array of shape (k,), positive
        Its squared standard error.
    confidence : float
        Two-sided, between 0 and 1.
    """
    k = values.size
    tau2 = reml_variance(values, variances)
    weight = 1.0 / (variances + tau2)
    total = float(np.sum(weight))
    mean = float(np.sum(weight * values)) / total
    se = float(np.sqrt(np.sum(weight * (values - mean) ** 2) / ((k - 1) * total)))
    half = float(stdtrit(k - 1, 0.5 + confidence / 2)) * se
    return Pooled(mean=mean, low=mean - half, high=mean + half, se=se, between_variance=tau2, n=k)
