"""Robust 4PL and 3PL fits of many curves by iteratively reweighted least squares; compiled.

Each round weighs every point by its residual of the round before (`m_estimates`), on top of the weights it came with, collapses the points
to dose means and fits these by `logistic_fit`. Huber starts from the least-squares fit and takes its scale anew each round; Tukey starts from
Huber's fit and keeps its scale, which makes the rounds go downhill.

References: Holland & Welsch 1977, doi:10.1080/03610927708827533 (reweighting); Huber & Ronchetti 2009, Robust Statistics, ch. 7 (covariance);
MacKinnon & White 1985, doi:10.1016/0304-4076(85)90158-7 (residuals divided by 1 - leverage); Schrader & Hettmansperger 1980,
doi:10.1093/biomet/67.1.93 (the test against a constant).
"""

from __future__ import annotations

import numpy as np

from thrombokit.numerics.arrays import Array, IntArray
from thrombokit.numerics.jit import kernel
from thrombokit.numerics.logistic_fit import MAX_STEPS, NOT_FINITE, fit_one, refit_one
from thrombokit.numerics.m_estimates import HUBER, TUKEY, mad_scale, robust_loss, robust_slope, robust_weight
from thrombokit.numerics.small_matrix import copy_into, invert_scaled

_MOST_ROUNDS = 200
_FREE_SCALE_ROUNDS = 50
_WIDE_ROUNDS = 3
_STILL = 1e-8
_STILL_DRAW = 1e-5
_LEAST_SHARE = 1e-9


@kernel
def point_row(x: float, theta: Array, row: Array) -> float:
    """4PL value at one x; `row` (4,) gets its derivatives by a0, a1, ln EC50, ln hill. `theta` holds a0, a1, ln EC50, hill."""
    span = theta[1] - theta[0]
    g = slope = z = 0.0
    if x > -np.inf:
        z = min(max(theta[3] * (x - theta[2]), -700.0), 700.0)
        small = np.exp(-abs(z))
        g = 1.0 / (1.0 + small) if z >= 0.0 else small / (1.0 + small)
        slope = small / (1.0 + small) ** 2
    row[0], row[1], row[2], row[3] = 1.0 - g, g, -theta[3] * slope * span, z * slope * span
    return theta[0] + span * g


@kernel
def residuals_of(x: Array, y: Array, w: Array, theta: Array, residual: Array) -> None:
    """sqrt(w) (y - fitted) of one curve into `residual` (n,)."""
    row = np.empty(4)
    for k in range(x.size):
        residual[k] = np.sqrt(w[k]) * (y[k] - point_row(x[k], theta, row))


@kernel
def _dose_means(x: Array, y: Array, w: Array, means: Array) -> int:
    """Weighted means of points in ascending x into `means` (3, n): x, mean, weight. Points of weight 0 are left out; returns how many."""
    filled, k = 0, 0
    while k < x.size:
        end = k
        total = sum_y = 0.0
        while end < x.size and x[end] == x[k]:
            total += w[end]
            sum_y += w[end] * y[end]
            end += 1
        if total > 0.0:
            means[0, filled], means[1, filled], means[2, filled] = x[k], sum_y / total, total
            filled += 1
        k = end
    return filled


@kernel
def _least_scale(y: Array, w: Array) -> float:
    """A scale below which residuals are rounding errors: 1e-9 of the largest response, on the scale of the residuals."""
    largest = 0.0
    for k in range(y.size):
        largest = max(largest, np.sqrt(w[k]) * abs(y[k]))
    return max(_LEAST_SHARE * largest, 1e-300)


@kernel
def _reweigh(
    x: Array,
    y: Array,
    w: Array,
    free_hill: bool,
    kind: int,
    n_wide: int,
    still: float,
    theta: Array,
    scale: float,
    free_scale: bool,
) -> tuple[float, int]:
    """Rounds of one kind from `theta` (4,: a0, a1, ln EC50, hill), changed in place; returns (scale, code).

    The first `n_wide` rounds look for the best fit everywhere, the others go downhill from the fit before, until it moves by less than `still` (in
    ln EC50, ln hill and plateaus as shares of the span).
    """
    n, size = x.size, 4 if free_hill else 3
    residual, weight, means, trial = np.empty(n), np.empty(n), np.empty((3, n)), np.empty(4)
    least = _least_scale(y, w)
    code = MAX_STEPS
    for turn in range(_MOST_ROUNDS):
        residuals_of(x, y, w, theta, residual)
        if free_scale and turn < _FREE_SCALE_ROUNDS:
            scale = mad_scale(residual, size)
        scale = max(scale, least)
        for k in range(n):
            weight[k] = w[k] * robust_weight(kind, residual[k] / scale)
        m = _dose_means(x, y, weight, means)
        if m < size or means[0, max(m - 2, 0)] == -np.inf:  # too few doses still count: the fit before stands
            return scale, MAX_STEPS
        copy_into(trial, theta)
        if turn < n_wide:
            _, ended = fit_one(means[0, :m], means[1, :m], means[2, :m], free_hill, trial)
        else:
            _, ended = refit_one(means[0, :m], means[1, :m], means[2, :m], free_hill, trial)
        if ended == NOT_FINITE:
            return scale, NOT_FINITE
        span = abs(theta[1] - theta[0]) + 1e-300
        moved = abs(trial[2] - theta[2]) + abs(np.log(trial[3] / theta[3]))
        moved += (abs(trial[0] - theta[0]) + abs(trial[1] - theta[1])) / span
        copy_into(theta, trial)
        if moved < still and turn >= n_wide:
            code = ended
            break
    return scale, code


@kernel
def _fit(x: Array, y: Array, w: Array, free_hill: bool, kind: int, n_wide: int, still: float, theta: Array) -> tuple[float, int]:
    scale, code = _reweigh(x, y, w, free_hill, HUBER, n_wide, still, theta, 0.0, True)
    if kind == HUBER or code == NOT_FINITE:
        return scale, code
    kept = theta.copy()
    scale, code = _reweigh(x, y, w, free_hill, TUKEY, 0, still, theta, scale, False)
    if code == NOT_FINITE:
        copy_into(theta, kept)
        code = MAX_STEPS
    return scale, code


@kernel
def fit_robust_one(x: Array, y: Array, w: Array, free_hill: bool, kind: int, n_wide: int, theta: Array) -> tuple[float, int]:
    """Robust fit of one curve from the fit that `theta` (4,: a0, a1, ln EC50, hill) holds; returns (scale, code).

    x : (n,) ln concentration in ascending order, -inf for dose 0; w : (n,) weights before any robust one. Where Tukey's rounds end early Huber's fit
    stands and the code says "out of steps".
    """
    return _fit(x, y, w, free_hill, kind, n_wide, _STILL, theta)


@kernel
def fit_robust_many(
    x: Array, y: Array, w: Array, starts: IntArray, free_hill: bool, kind: int, n_wide: int, usable: Array,
    theta: Array, scale: Array, codes: IntArray,
) -> None:  # fmt: skip
    """`fit_robust_one` of every curve i of the ragged arrays with usable[i] > 0; `theta` (n, 4) in and out, fills scale, codes (n,)."""
    for i in range(starts.size - 1):
        if usable[i] > 0.0:
            a, b = starts[i], starts[i + 1]
            scale[i], codes[i] = fit_robust_one(x[a:b], y[a:b], w[a:b], free_hill, kind, n_wide, theta[i])


@kernel
def fit_robust_draws(x: Array, draws: Array, w: Array, free_hill: bool, kind: int, theta: Array, ln_ec50: Array) -> None:
    """Robust fits of `draws` (n_draws, n), responses drawn anew at the same doses, each from `theta`; fills ln_ec50 (n_draws,)."""
    own = np.empty(4)
    for r in range(draws.shape[0]):
        copy_into(own, theta)
        _fit(x, draws[r], w, free_hill, kind, 0, _STILL_DRAW, own)
        ln_ec50[r] = own[2]


@kernel
def _add_row(matrix: Array, row: Array, size: int, factor: float) -> None:
    for i in range(size):
        for j in range(size):
            matrix[i, j] += factor * row[i] * row[j]


@kernel
def sandwich_one(x: Array, y: Array, w: Array, theta: Array, scale: float, kind: int, free_hill: bool, matrix: Array) -> bool:
    """Covariance of (a0, a1, ln EC50, ln hill) of a robust fit, scale included, into `matrix` (4, 4); False when singular.

    B^-1 M B^-1 with B the mean of psi' times sum w J J' and M the sum of (psi / (1 - leverage))^2 w J J', both in units of the scale.
    """
    n, size = x.size, 4 if free_hill else 3
    row, residual = np.empty(4), np.empty(n)
    bread, meat, inverse = np.zeros((size, size)), np.zeros((size, size)), np.empty((size, size))
    residuals_of(x, y, w, theta, residual)
    slope = 0.0
    for k in range(n):
        point_row(x[k], theta, row)
        _add_row(bread, row, size, w[k])
        slope += robust_slope(kind, residual[k] / scale) / n
    for i in range(4):
        for j in range(4):
            matrix[i, j] = 0.0
    if not slope > 0.0 or not invert_scaled(bread, size, inverse):
        return False
    for k in range(n):
        point_row(x[k], theta, row)
        leverage = 0.0
        for i in range(size):
            for j in range(size):
                leverage += w[k] * row[i] * inverse[i, j] * row[j]
        u = residual[k] / scale
        psi = u * robust_weight(kind, u) / max(1.0 - leverage, 1e-3)
        _add_row(meat, row, size, w[k] * psi * psi)
    factor = (scale / slope) ** 2
    for i in range(size):
        for j in range(size):
            for a in range(size):
                for b in range(size):
                    matrix[i, j] += factor * inverse[i, a] * meat[a, b] * inverse[b, j]
    return True


@kernel
def sandwich_many(
    x: Array, y: Array, w: Array, starts: IntArray, theta: Array, scale: Array, kind: int, free_hill: bool, usable: Array,
    matrices: Array,
) -> None:  # fmt: skip
    """`sandwich_one` of every curve with usable[i] > 0 into `matrices` (n, 4, 4); NaN where singular."""
    for i in range(starts.size - 1):
        if usable[i] > 0.0:
            a, b = starts[i], starts[i + 1]
            if not sandwich_one(x[a:b], y[a:b], w[a:b], theta[i], scale[i], kind, free_hill, matrices[i]):
                matrices[i] = np.full((4, 4), np.nan)


@kernel
def _flat_loss(y: Array, w: Array, scale: float, kind: int) -> float:
    """Smallest sum of rho about a constant, at a given scale."""
    level = total = 0.0
    for k in range(y.size):
        level += w[k] * y[k]
        total += w[k]
    level /= total
    for turn in range(_MOST_ROUNDS):
        own = HUBER if turn < _FREE_SCALE_ROUNDS else kind
        top = bottom = 0.0
        for k in range(y.size):
            weight = w[k] * robust_weight(own, np.sqrt(w[k]) * (y[k] - level) / scale)
            top += weight * y[k]
            bottom += weight
        if not bottom > 0.0:
            break
        done = abs(top / bottom - level) <= 1e-12 * abs(level) and own == kind
        level = top / bottom
        if done:
            break
    loss = 0.0
    for k in range(y.size):
        loss += robust_loss(kind, np.sqrt(w[k]) * (y[k] - level) / scale)
    return loss


@kernel
def dispersions(
    x: Array, y: Array, w: Array, starts: IntArray, theta: Array, scale: Array, kind: int, free_hill: bool, usable: Array,
    residual_sum: Array, flat_sum: Array,
) -> None:  # fmt: skip
    """What takes the place of sums of squares in the F test against a constant, filled into residual_sum and flat_sum, both (n,).

    residual_sum = scale^2 sum(psi^2) / mean(psi'); flat_sum lies above it by 2 scale^2 (sum of rho about a constant - sum of rho of
    the fit), so that the F formed from both is that of the dispersion test.
    """
    size = 4 if free_hill else 3
    for i in range(starts.size - 1):
        if usable[i] <= 0.0:
            continue
        a, b = starts[i], starts[i + 1]
        residual = np.empty(b - a)
        residuals_of(x[a:b], y[a:b], w[a:b], theta[i], residual)
        loss = squares = slope = 0.0
        for k in range(b - a):
            u = residual[k] / scale[i]
            loss += robust_loss(kind, u)
            squares += (u * robust_weight(kind, u)) ** 2
            slope += robust_slope(kind, u) / (b - a)
        gain = _flat_loss(y[a:b], w[a:b], scale[i], kind) - loss
        residual_sum[i] = scale[i] ** 2 * squares / slope if b - a > size and slope > 0.0 else np.nan
        flat_sum[i] = residual_sum[i] + 2.0 * scale[i] ** 2 * max(gain, 0.0)
