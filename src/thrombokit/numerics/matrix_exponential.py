"""e^{A h} of small matrices, entry by entry accurate where A moves amounts between compartments.

A compartment matrix has no negative entry off its diagonal. Shifted by its largest loss s it has no negative entry at all, so neither
the Taylor sum of (A + s I) h / 2^k nor the k squarings after it can cancel: every entry of the result, however small, keeps its
leading digits, none turns negative, and equal rates need no special case. A matrix with negative entries off the diagonal takes the
same road without the shift, with the usual accuracy relative to the largest entry.

Reference: Xue & Ye 2013, Mathematics of Computation 82, 1577, doi:10.1090/S0025-5718-2013-02677-4 (shift, Taylor and squaring of
essentially non-negative matrices); the number of terms and the bound on the scaled norm are ours.
"""

from __future__ import annotations

import numpy as np

from thrombokit.numerics.arrays import Array
from thrombokit.numerics.jit import kernel

SCALED_NORM = 2.0
"""The scaled matrix has at most this norm (largest column sum). Each squaring doubles the rounding, so fewer are better than fewer terms."""
SMALLEST_TERM = 1e-21
"""The Taylor sum ends where norm^k / k! is below this, counted from the first term that reaches an entry (n - 1 steps away at most)."""


@kernel
def _multiply(left: Array, right: Array, out: Array) -> None:
    n = left.shape[0]
    for i in range(n):
        for j in range(n):
            out[i, j] = 0.0
        for k in range(n):
            value = left[i, k]
            if value != 0.0:
                for j in range(n):
                    out[i, j] += value * right[k, j]


@kernel
def _shift_of(a: Array) -> float:
    """Largest loss -A[i, i] of a matrix without negative entries off its diagonal; 0 for any other."""
    n = a.shape[0]
    shift = 0.0
    for i in range(n):
        for j in range(n):
            if i != j and a[i, j] < 0.0:
                return 0.0
        shift = max(shift, -a[i, i])
    return shift


@kernel
def _largest_column_sum(a: Array, shift: float) -> float:
    n = a.shape[0]
    largest = 0.0
    for j in range(n):
        total = 0.0
        for i in range(n):
            total += abs(a[i, j] + shift) if i == j else abs(a[i, j])
        largest = max(largest, total)
    return largest


@kernel
def _n_terms(norm: float) -> int:
    """Least k with norm^k / k! below `SMALLEST_TERM`."""
    size, k = 1.0, 0
    while size > SMALLEST_TERM:
        k += 1
        size *= norm / k
    return k


@kernel
def exponential(a: Array, h: float, out: Array) -> None:
    """Write e^{a h} into `out`.

    Parameters
    ----------
    a : array of shape (n, n), finite
        Rates in 1/time: column from, row to. Not changed.
    h : float, >= 0
        Time.
    out : array of shape (n, n)
        Receives the result; NaN throughout where a h is not finite.
    """
    n = a.shape[0]
    shift = _shift_of(a)
    norm = _largest_column_sum(a, shift) * h
    if not (norm < np.inf):
        out[:, :] = np.nan
        return
    halvings = 0
    while norm > SCALED_NORM:
        norm *= 0.5
        halvings += 1
    step = h / 2.0**halvings
    scaled = np.empty((n, n))
    spare = np.empty((n, n))
    for i in range(n):
        for j in range(n):
            scaled[i, j] = (a[i, j] + shift if i == j else a[i, j]) * step
            out[i, j] = 1.0 if i == j else 0.0
    for term in range(n + _n_terms(norm), 0, -1):
        _multiply(scaled, out, spare)
        for i in range(n):
            for j in range(n):
                out[i, j] = spare[i, j] / term
            out[i, i] += 1.0
    decay = np.exp(-shift * step)
    for i in range(n):
        for j in range(n):
            out[i, j] *= decay
    for _ in range(halvings):
        _multiply(out, out, spare)
        for i in range(n):
            for j in range(n):
                out[i, j] = spare[i, j]


@kernel
def exponential_and_integral(a: Array, h: float, out: Array, integral: Array) -> None:
    """Write e^{a h} into `out` and the integral of e^{a s} over s from 0 to h into `integral`, both of shape (n, n).

    A constant inflow u over h then gives x(h) = out x(0) + integral u, also where `a` is singular. Both come from the exponential of the
    matrix [[a, I], [0, 0]] (Van Loan 1978, doi:10.1109/TAC.1978.1101743), which is a compartment matrix when `a` is one.
    """
    n = a.shape[0]
    augmented = np.zeros((2 * n, 2 * n))
    whole = np.empty((2 * n, 2 * n))
    for i in range(n):
        for j in range(n):
            augmented[i, j] = a[i, j]
        augmented[i, n + i] = 1.0
    exponential(augmented, h, whole)
    for i in range(n):
        for j in range(n):
            out[i, j] = whole[i, j]
            integral[i, j] = whole[i, n + j]
