"""Nonlinear least squares for any model: Levenberg-Marquardt with scaling that follows the Jacobian, in floating point to the last digits.

For one problem with a handful of parameters, not for a million curves (those have kernels of their own). Steps are solved by
orthogonal factors of the stacked Jacobian, never by normal equations, so ill-conditioned problems keep their digits; the Jacobian is
exact to rounding through complex steps where the model allows.

References: Moré 1978, doi:10.1007/BFb0067700 (scaling, trust); Nielsen 1999, IMM-REP-1999-05 (damping); Squire & Trapp 1998,
doi:10.1137/S003614459631241X (complex step).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from thrombokit.numerics.arrays import Array, BoolArray, FrozenArrays
from thrombokit.numerics.outcome import Outcome

Residual = Callable[[Array], Array]
_COMPLEX_STEP = 1e-20


@dataclass(frozen=True, kw_only=True, eq=False)
class LeastSquares(FrozenArrays):
    """Where the iteration ended: parameters (p,), rss, the inverse of J'J (p, p; NaN where singular) and how it ended."""

    parameters: Array
    rss: float
    inverse: Array
    outcome: Outcome
    steps: int


def complex_step_jacobian(residual: Residual, parameters: Array) -> Array:
    """d residual / d parameters, shape (n, p), exact to rounding; central differences where the model refuses complex numbers."""
    columns: list[Array] = []
    for k in range(parameters.size):
        shifted = parameters.astype(np.complex128)
        shifted[k] += 1j * _COMPLEX_STEP
        try:
            columns.append(np.imag(residual(shifted)) / _COMPLEX_STEP)  # pyright: ignore[reportArgumentType]
        except TypeError:
            step = 6e-6 * max(abs(float(parameters[k])), 1e-6)
            up, down = parameters.copy(), parameters.copy()
            up[k] += step
            down[k] -= step
            columns.append((residual(up) - residual(down)) / (2 * step))
    return np.stack(columns, axis=1)


def least_squares(
    residual: Residual, start: Array, *, jacobian: Callable[[Array], Array] | None = None, low: Array | None = None,
    high: Array | None = None, max_steps: int = 2_000, tolerance: float = 1e-14,
) -> LeastSquares:  # fmt: skip
    """Minimise the sum of squared residuals within bounds.

    Parameters
    ----------
    residual : function of parameters (p,) giving residuals (n,), already multiplied by the root of their weights
    start : array of shape (p,)
    jacobian : function giving d residual / d parameters (n, p), optional
        Without it complex steps are used.
    low, high : arrays of shape (p,), optional
        Bounds; a parameter whose step leads out stays on its bound.
    max_steps : int
    tolerance : float
        Ends when every parameter's step is this small beside the parameter.

    Returns
    -------
    LeastSquares
        `outcome` is converged, at_bound, max_steps or not_finite; never an exception.
    """
    jacobian = jacobian or (lambda p: complex_step_jacobian(residual, p))
    low = np.full(start.size, -np.inf) if low is None else low
    high = np.full(start.size, np.inf) if high is None else high
    current = np.clip(np.array(start, dtype=np.float64), low, high)
    with np.errstate(all="ignore"):
        values = residual(current)
        rss = float(values @ values)
        if not np.isfinite(rss):
            return _ended(current, rss, np.full((start.size, start.size), np.nan), Outcome.NOT_FINITE, 0)
        return _iterate(residual, jacobian, current, values, rss, low, high, max_steps, tolerance)


def _iterate(
    residual: Residual, jacobian: Callable[[Array], Array], current: Array, values: Array, rss: float, low: Array, high: Array,
    max_steps: int, tolerance: float,
) -> LeastSquares:  # fmt: skip
    matrix = jacobian(current)
    scale = np.maximum(np.linalg.norm(matrix, axis=0), 1e-300)
    damping, growth, outcome, steps = 1e-3, 2.0, Outcome.MAX_STEPS, 0
    while steps < max_steps:
        steps += 1
        gradient = matrix.T @ values
        free = ~(((current <= low) & (gradient > 0)) | ((current >= high) & (gradient < 0)))
        step = _solve(matrix, values, scale, damping, free)
        trial = np.clip(current + step, low, high)
        trial_values = residual(trial)
        trial_rss = float(trial_values @ trial_values)
        small = bool(np.all(np.abs(trial - current) <= tolerance * (np.abs(current) + 1e-300)))
        predicted = float(step @ (damping * scale**2 * step - gradient))
        if np.isfinite(trial_rss) and trial_rss < rss:
            ratio = (rss - trial_rss) / predicted if predicted > 0 else 1.0
            current, values, rss = trial, trial_values, trial_rss
            matrix = jacobian(current)
            scale = np.maximum(scale, np.linalg.norm(matrix, axis=0))
            damping, growth = damping * max(1.0 / 3.0, 1.0 - (2.0 * min(ratio, 1.0) - 1.0) ** 3), 2.0
        else:
            damping, growth = damping * growth, growth * 2.0
        if small or rss == 0.0 or damping > 1e60:
            outcome = Outcome.CONVERGED
            break
    if outcome is Outcome.CONVERGED and bool(np.any((current <= low) | (current >= high))):
        outcome = Outcome.AT_BOUND
    return _ended(current, rss, _inverse(matrix), outcome, steps)


def _solve(matrix: Array, values: Array, scale: Array, damping: float, free: BoolArray) -> Array:
    step = np.zeros(matrix.shape[1])
    chosen = np.flatnonzero(free)
    if chosen.size == 0 or not np.all(np.isfinite(matrix)):
        return step
    scaled = matrix[:, chosen] / scale[chosen]
    stacked = np.vstack([scaled, np.sqrt(damping) * np.eye(chosen.size)])
    right = np.concatenate([-values, np.zeros(chosen.size)])
    step[chosen] = np.linalg.lstsq(stacked, right, rcond=None)[0] / scale[chosen]
    return step


def _inverse(matrix: Array) -> Array:
    size = matrix.shape[1]
    if not np.all(np.isfinite(matrix)):
        return np.full((size, size), np.nan)
    norms = np.linalg.norm(matrix, axis=0)
    if np.any(norms == 0):
        return np.full((size, size), np.nan)
    _, singular, right = np.linalg.svd(matrix / norms, full_matrices=False)
    if singular[-1] <= 1e-14 * singular[0]:
        return np.full((size, size), np.nan)
    root = right.T / singular
    return (root @ root.T) / np.outer(norms, norms)


def _ended(parameters: Array, rss: float, inverse: Array, outcome: Outcome, steps: int) -> LeastSquares:
    return LeastSquares(parameters=parameters, rss=rss, inverse=inverse, outcome=outcome, steps=steps)
