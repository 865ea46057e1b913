"""Weighted 5PL and bell fits by bounded Levenberg-Marquardt with analytic derivatives; compiled.

Unknowns, in this order: 5PL (a0, a1, m, ln h, ln s); bell (a0, a1, m, ln h, m2, a2); see `curves.py`. Used where the 4PL is not enough, so it
favours plainness over speed; `logistic_fit.py` is the fast road.
"""

from __future__ import annotations

import numpy as np

from thrombokit.numerics.arrays import Array, BoolArray
from thrombokit.numerics.jit import kernel
from thrombokit.numerics.small_matrix import copy_into, invert_scaled

FIVE_PARAMETER, BELL = 5, 6
"""Model codes; also the number of unknowns."""


@kernel
def _logistic(x: float, m: float, h: float) -> tuple[float, float, float]:
    """g, dg/dm and dg/d(ln h) of the 4PL at one x."""
    if x == -np.inf:
        return 0.0, 0.0, 0.0
    z = min(max(h * (x - m), -700.0), 700.0)
    small = np.exp(-abs(z))
    slope = small / (1.0 + small) ** 2
    g = 1.0 / (1.0 + small) if z >= 0.0 else small / (1.0 + small)
    return g, -h * slope, z * slope


@kernel
def point(model: int, x: float, theta: Array, row: Array) -> float:
    """Response at one x and its derivatives by the unknowns, written to `row`."""
    h = np.exp(theta[3])
    if model == BELL:
        g, g_m, g_h = _logistic(x, theta[2], h)
        k, k_m, k_h = _logistic(x, theta[4], h)
        up, down = theta[1] - theta[0], theta[5] - theta[1]
        row[0], row[1], row[2] = 1.0 - g, g - k, up * g_m
        row[3], row[4], row[5] = up * g_h + down * k_h, down * k_m, k
        return theta[0] + up * g + down * k
    s = np.exp(theta[4])
    span = theta[1] - theta[0]
    if x == -np.inf:
        row[0], row[1], row[2], row[3], row[4] = 1.0, 0.0, 0.0, 0.0, 0.0
        return theta[0]
    z = min(max(h * (x - theta[2]), -650.0), 650.0)
    half = 2.0 ** (1.0 / s) - 1.0
    tail = half * np.exp(-z)
    g = np.exp(-s * np.log1p(tail))
    inner = s * g * tail / (1.0 + tail)
    log_half = -np.log(2.0) / (s * s) * 2.0 ** (1.0 / s) / half
    row[0], row[1] = 1.0 - g, g
    row[2], row[3] = -span * inner * h, span * inner * z
    row[4] = -span * s * (g * np.log1p(tail) + inner * log_half)
    return theta[0] + span * g


@kernel
def normal_equations(model: int, x: Array, y: Array, w: Array, theta: Array, normal: Array, gradient: Array) -> float:
    """RSS at `theta`; fills J'WJ and J'Wr."""
    size = model
    row = np.empty(6)
    rss = 0.0
    for i in range(size):
        gradient[i] = 0.0
        for j in range(size):
            normal[i, j] = 0.0
    for k in range(x.size):
        residual = y[k] - point(model, x[k], theta, row)
        rss += w[k] * residual * residual
        for i in range(size):
            gradient[i] += w[k] * row[i] * residual
            for j in range(size):
                normal[i, j] += w[k] * row[i] * row[j]
    return rss


@kernel
def _solve_free(normal: Array, gradient: Array, free: BoolArray, damping: float, step: Array) -> bool:
    """Damped Newton step of the free unknowns; the others stay."""
    size = gradient.size
    index = np.empty(size, np.int64)
    n_free = 0
    for i in range(size):
        step[i] = 0.0
        if free[i]:
            index[n_free] = i
            n_free += 1
    block, inverse = np.empty((n_free, n_free)), np.empty((n_free, n_free))
    for i in range(n_free):
        for j in range(n_free):
            block[i, j] = normal[index[i], index[j]]
        block[i, i] = block[i, i] * (1.0 + damping) + 1e-290
    if n_free == 0 or not invert_scaled(block, n_free, inverse):
        return False
    for i in range(n_free):
        for j in range(n_free):
            step[index[i]] += inverse[i, j] * gradient[index[j]]
    return True


@kernel
def descend(
    model: int, x: Array, y: Array, w: Array, theta: Array, low: Array, high: Array, held: BoolArray, max_steps: int
) -> tuple[float, int]:
    """Levenberg-Marquardt from `theta`, changed in place, within [low, high]; `held` unknowns do not move.

    Returns (rss, code): 0 converged, 1 at a bound, 2 out of steps, 3 not finite.
    """
    size = model
    normal, gradient = np.empty((size, size)), np.empty(size)
    new_normal, new_gradient = np.empty((size, size)), np.empty(size)
    step, trial = np.empty(size), np.empty(size)
    free = np.empty(size, np.bool_)
    rss = normal_equations(model, x, y, w, theta, normal, gradient)
    damping, code = 1e-3, 2
    for _ in range(max_steps):
        for i in range(size):
            outward = (theta[i] <= low[i] and gradient[i] < 0.0) or (theta[i] >= high[i] and gradient[i] > 0.0)
            free[i] = not held[i] and not outward
        if not _solve_free(normal, gradient, free, damping, step):
            damping = max(damping, 1e-6) * 10.0
            if damping > 1e14:
                code = 0
                break
            continue
        moved = 0.0
        for i in range(size):
            trial[i] = min(max(theta[i] + step[i], low[i]), high[i])
            moved = max(moved, abs(trial[i] - theta[i]) / (abs(theta[i]) + 1e-3))
        new_rss = normal_equations(model, x, y, w, trial, new_normal, new_gradient)
        if new_rss <= rss:
            done = moved < 1e-9 or (rss - new_rss) <= 1e-14 * new_rss
            rss = new_rss
            copy_into(theta, trial)
            copy_into(gradient, new_gradient)
            normal, new_normal = new_normal, normal
            damping = max(damping * 0.1, 1e-14)
        else:
            done = moved < 1e-12
            damping *= 8.0
        if done or damping > 1e14:
            code = 0
            break
    if not np.isfinite(rss):
        return rss, 3
    for i in range(size):
        if code == 0 and not held[i] and (theta[i] <= low[i] or theta[i] >= high[i]):
            code = 1
    return rss, code


@kernel
def bell_start(x: Array, y: Array, w: Array, theta: Array) -> float:
    """Best of a grid of (m, m2, h) with the three plateaus by linear least squares; fills `theta` (6,), returns its RSS."""
    first = 0
    while first < x.size - 1 and x[first] == -np.inf:
        first += 1
    normal, inverse, right, beta = np.empty((3, 3)), np.empty((3, 3)), np.empty(3), np.empty(3)
    row = np.empty(3)
    best = np.inf
    for ln_h in (0.0, 0.7, 1.6):
        h = np.exp(ln_h)
        for i in range(first, x.size - 1):
            for j in range(i + 1, x.size):
                m, m2 = x[i], 0.5 * (x[j] + x[j - 1])
                if m2 <= m:
                    continue
                for a in range(3):
                    right[a] = 0.0
                    for b in range(3):
                        normal[a, b] = 0.0
                for k in range(x.size):
                    g, _, _ = _logistic(x[k], m, h)
                    d, _, _ = _logistic(x[k], m2, h)
                    row[0], row[1], row[2] = 1.0 - g, g - d, d
                    for a in range(3):
                        right[a] += w[k] * row[a] * y[k]
                        for b in range(3):
                            normal[a, b] += w[k] * row[a] * row[b]
                if not invert_scaled(normal, 3, inverse):
                    continue
                rss = 0.0
                for a in range(3):
                    beta[a] = inverse[a, 0] * right[0] + inverse[a, 1] * right[1] + inverse[a, 2] * right[2]
                for k in range(x.size):
                    g, _, _ = _logistic(x[k], m, h)
                    d, _, _ = _logistic(x[k], m2, h)
                    residual = y[k] - beta[0] * (1.0 - g) - beta[1] * (g - d) - beta[2] * d
                    rss += w[k] * residual * residual
                if rss < best:
                    best = rss
                    theta[0], theta[1], theta[2], theta[3], theta[4], theta[5] = beta[0], beta[1], m, ln_h, m2, beta[2]
    return best
