"""Binned mixtures by maximum likelihood: masses of Gaussians in bins, and bounded Fisher scoring of a Poisson likelihood.

A model fills `expected` (n_bins,), the events it expects in each bin, and `jacobian` (n_parameters, n_bins), its derivatives. Given
counts, `scored_step` makes one damped scoring step within bounds and with Gaussian priors; `information` is the expected information
(jacobian / expected jacobian^T) plus the priors'. Components too close to tell apart only make the information nearly singular, which
the damping and the priors take.

References
----------
McLachlan GJ, Jones PN (1988) Fitting mixture models to grouped and truncated data. Biometrics 44:571-578, doi:10.2307/2531869.
"""

from __future__ import annotations

import math

import numpy as np

from thrombokit.numerics.arrays import Array, BoolArray
from thrombokit.numerics.jit import kernel

LEAST_EXPECTED = 1e-7
"""Events that every bin is taken to expect at least, so that a stray event costs much and not everything."""
_ROOT_2, _ROOT_2PI = math.sqrt(2.0), math.sqrt(2.0 * math.pi)


@kernel
def normal_mass(edges: Array, mean: float, sd: float, reach: float, mass: Array, by_mean: Array, by_sd: Array) -> tuple[int, int]:
    """Mass of a Gaussian in each bin within `reach` SDs, and its derivatives by mean and SD; returns the first and last bin + 1."""
    first = max(int(np.searchsorted(edges, mean - reach * sd)) - 1, 0)
    last = min(int(np.searchsorted(edges, mean + reach * sd)) + 1, edges.size - 1)
    if first >= last:
        return first, first
    z = (edges[first] - mean) / sd
    below = 0.5 * (1.0 + math.erf(z / _ROOT_2))
    height = math.exp(-0.5 * z * z) / _ROOT_2PI if abs(z) < 38.0 else 0.0
    slope = z * height if height > 0.0 else 0.0
    for b in range(first, last):
        z = (edges[b + 1] - mean) / sd
        up_to = 0.5 * (1.0 + math.erf(z / _ROOT_2))
        new_height = math.exp(-0.5 * z * z) / _ROOT_2PI if abs(z) < 38.0 else 0.0
        new_slope = z * new_height if new_height > 0.0 else 0.0
        mass[b] = up_to - below
        by_mean[b] = (height - new_height) / sd
        by_sd[b] = (slope - new_slope) / sd
        below, height, slope = up_to, new_height, new_slope
    return first, last


@kernel
def log_likelihood(counts: Array, expected: Array) -> float:
    """Poisson log-likelihood of the counts, without its constant."""
    total = 0.0
    for b in range(counts.size):
        total -= expected[b]
        if counts[b] > 0.0:
            total += counts[b] * math.log(expected[b])
    return total


@kernel
def penalty(theta: Array, centre: Array, spread: Array) -> float:
    """Half the squared distances from the priors' centres; an infinite spread is no prior."""
    total = 0.0
    for i in range(theta.size):
        if np.isfinite(spread[i]):
            total += 0.5 * ((theta[i] - centre[i]) / spread[i]) ** 2
    return total


@kernel
def information(
    counts: Array, expected: Array, jacobian: Array, theta: Array, centre: Array, spread: Array, normal: Array, gradient: Array
) -> None:
    """Expected information and gradient of the penalised likelihood, written to `normal` (p, p) and `gradient` (p,)."""
    p, n = jacobian.shape
    scaled = np.empty((p, n))
    score = np.empty(n)
    for b in range(n):
        score[b] = counts[b] / expected[b] - 1.0
    for i in range(p):
        total = 0.0
        for b in range(n):
            scaled[i, b] = jacobian[i, b] / math.sqrt(expected[b])
            total += score[b] * jacobian[i, b]
        gradient[i] = total
    normal[:, :] = scaled @ scaled.T
    for i in range(p):
        if np.isfinite(spread[i]):
            normal[i, i] += 1.0 / spread[i] ** 2
            gradient[i] -= (theta[i] - centre[i]) / spread[i] ** 2


@kernel
def free_parameters(theta: Array, gradient: Array, low: Array, high: Array) -> BoolArray:
    """Which parameters may move: not those at a bound that the likelihood pushes against, nor those whose bounds meet."""
    free = np.empty(theta.size, np.bool_)
    for i in range(theta.size):
        at_low = theta[i] <= low[i] and gradient[i] <= 0.0
        at_high = theta[i] >= high[i] and gradient[i] >= 0.0
        free[i] = not (at_low or at_high) and low[i] < high[i]
    return free


@kernel
def scored_step(normal: Array, gradient: Array, theta: Array, low: Array, high: Array, damping: float, trial: Array) -> bool:
    """One damped scoring step of the free parameters, cut at the bounds, written to `trial`; False when it cannot be solved.

    A step that would leave the bounds is stopped at them and the rest solved again, so that one weight at zero does not hold the others.
    """
    p = theta.size
    free = free_parameters(theta, gradient, low, high)
    fixed = np.zeros(p)
    for _ in range(12):
        index = np.flatnonzero(free)
        block, right = np.empty((index.size, index.size)), np.empty(index.size)
        for i in range(index.size):
            right[i] = gradient[index[i]]
            for j in range(p):
                right[i] -= normal[index[i], j] * fixed[j]
            for j in range(index.size):
                block[i, j] = normal[index[i], index[j]]
            block[i, i] = block[i, i] * (1.0 + damping) + 1e-12
        if index.size and not solve_positive(block, right):
            return False
        trial[:] = theta + fixed
        again = False
        for i in range(index.size):
            k = index[i]
            trial[k] = theta[k] + right[i]
            if trial[k] < low[k] or trial[k] > high[k]:
                trial[k] = min(max(trial[k], low[k]), high[k])
                fixed[k] = trial[k] - theta[k]
                free[k] = False
                again = True
        if not again:
            return True
    return True


@kernel
def solve_positive(matrix: Array, right: Array) -> bool:
    """Solve a positive definite system in place by Cholesky's decomposition; False when it is none. Overwrites both."""
    n = right.size
    scale = np.empty(n)
    for i in range(n):
        if not matrix[i, i] > 0.0:
            return False
        scale[i] = 1.0 / math.sqrt(matrix[i, i])
    for i in range(n):
        for j in range(n):
            matrix[i, j] *= scale[i] * scale[j]
        right[i] *= scale[i]
    for i in range(n):
        for j in range(i + 1):
            total = matrix[i, j]
            for k in range(j):
                total -= matrix[i, k] * matrix[j, k]
            if i == j:
                if total <= 1e-14:
                    return False
                matrix[i, i] = math.sqrt(total)
            else:
                matrix[i, j] = total / matrix[j, j]
    for i in range(n):
        for k in range(i):
            right[i] -= matrix[i, k] * right[k]
        right[i] /= matrix[i, i]
    for i in range(n - 1, -1, -1):
        for k in range(i + 1, n):
            right[i] -= matrix[k, i] * right[k]
        right[i] /= matrix[i, i]
    for i in range(n):
        right[i] *= scale[i]
    return True
