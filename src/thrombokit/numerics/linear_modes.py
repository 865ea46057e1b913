"""Exact motion of a small linear system x' = A x + u between break points, read at any time inside.

`prepare_modes` looks at A once. Where A has distinct real eigenvalues (nearly every compartmental system has), the state is a sum of
exponentials and any time costs one exponential an eigenvalue. Where it has not (equal rates in a row, a cycle with complex rates), the state
is summed as a power series of A + q, q the largest rate: for a compartmental matrix every term is positive, so nothing cancels. Which of the
two was taken is `MODE_KIND`; both are exact to rounding.

All numbers live in one float64 array `modes` of `modes_size(n)` elements; the system is walked from anchor to anchor: `anchor_modes` says where
the walk stands and how far it may look ahead, `read_modes` gives the state at a time from there.

Reference: Moler & Van Loan 2003, doi:10.1137/S00361445024180 (methods 3 and 14, and why eigenvectors need a look at their condition).
"""

from __future__ import annotations

import math

import numpy as np
from numba import types

from thrombokit.numerics.arrays import Array, IntArray
from thrombokit.numerics.jit import borrowing_kernel, folded_kernel, inlined, typed_kernel

MODE_KIND, MODE_SHIFT, MODE_REACH, MODE_TERMS, MODE_SPAN, MODE_ANCHOR, MODE_READ = range(7)
"""Places of the head: kind (0 eigen-modes, 1 series), shift q (1/time), longest look ahead (time), terms in use, span of the series (time),
where the walk stands (time), the time last read (eigen-modes; their amplitudes there stand in `modes` too).
"""

HEAD = 7
MOST_TERMS = 160
EIGENVECTORS_TRUSTED = 1e5
"""Largest condition of the eigenvectors at which they are used: they cost that many units in the last place, here below 1e-10."""

_A = types.float64[::1]
_M = types.float64[:, ::1]


@borrowing_kernel(types.int64(types.int64))
def modes_size(n: int) -> int:
    """Elements that `modes` needs for n states."""
    return HEAD + 2 * n + 2 * n * n + 2 * n + (n + 1) * (n + 1) + MOST_TERMS * (n + 1)


@borrowing_kernel(types.boolean(_M, _M, types.int64))
def _inverse(matrix: Array, inverse: Array, n: int) -> bool:
    """Gauss-Jordan with pivots; `matrix` is used up. False where it is singular."""
    for i in range(n):
        for j in range(n):
            inverse[i, j] = 1.0 if i == j else 0.0
    for column in range(n):
        pivot = column
        for i in range(column + 1, n):
            if abs(matrix[i, column]) > abs(matrix[pivot, column]):
                pivot = i
        if not abs(matrix[pivot, column]) > 1e-14:
            return False
        for j in range(n):
            matrix[column, j], matrix[pivot, j] = matrix[pivot, j], matrix[column, j]
            inverse[column, j], inverse[pivot, j] = inverse[pivot, j], inverse[column, j]
        scale = 1.0 / matrix[column, column]
        for j in range(n):
            matrix[column, j] *= scale
            inverse[column, j] *= scale
        for i in range(n):
            if i != column:
                factor = matrix[i, column]
                for j in range(n):
                    matrix[i, j] -= factor * matrix[column, j]
                    inverse[i, j] -= factor * inverse[column, j]
    return True


@typed_kernel(types.boolean(_M, _A))
def _eigen_modes(a: Array, modes: Array) -> bool:
    """Eigenvalues, eigenvectors and their inverse into `modes`; False where they are complex or cannot be trusted."""
    n = a.shape[0]
    values, vectors = np.linalg.eig(a.astype(np.complex128))
    largest = 0.0
    for j in range(n):
        largest = max(largest, abs(values[j]))
    right = np.empty((n, n))
    for j in range(n):
        if abs(values[j].imag) > 1e-13 * largest:
            return False
        top = 0
        for i in range(n):
            if abs(vectors[i, j]) > abs(vectors[top, j]):
                top = i
        for i in range(n):
            right[i, j] = (vectors[i, j] / vectors[top, j]).real
    left = np.empty((n, n))
    if not _inverse(right.copy(), left, n):
        return False
    condition = 0.0
    for i in range(n):
        total = 0.0
        for j in range(n):
            total += abs(left[i, j])
        condition = max(condition, total * n)
    if not condition < EIGENVECTORS_TRUSTED:
        return False
    rates, v, w = HEAD, HEAD + 2 * n, HEAD + 2 * n + n * n
    for j in range(n):
        modes[rates + j] = values[j].real
        for i in range(n):
            modes[v + i * n + j] = right[i, j]
            modes[w + i * n + j] = left[i, j]
    return True


@typed_kernel(types.void(_M, _A))
def prepare_modes(a: Array, modes: Array) -> None:
    """Choose how x' = A x + u is followed. `a` (n, n) in 1/time, finite; `modes` of `modes_size(n)` elements is filled."""
    n = a.shape[0]
    shift, positive = 0.0, True
    for i in range(n):
        shift = max(shift, -a[i, i])
        for j in range(n):
            if i != j and a[i, j] < 0.0:
                positive = False
    if not positive:  # terms of both signs: keep the series short, so that little cancels
        shift = 0.0
    norm = shift
    for i in range(n):
        total = 0.0
        for j in range(n):
            total += abs(a[i, j] + (shift if i == j else 0.0))
        norm = max(norm, total)
    modes[MODE_SHIFT] = shift
    modes[MODE_REACH] = np.inf if norm == 0.0 else (50.0 / norm if positive else 1.0 / norm)
    modes[MODE_KIND] = 1.0
    if _eigen_modes(a, modes):
        modes[MODE_KIND] = 0.0
        modes[MODE_REACH] = np.inf
        return
    start, size = HEAD + 4 * n + 2 * n * n, n + 1
    for i in range(size):
        for j in range(size):
            modes[start + i * size + j] = a[i, j] + (shift if i == j else 0.0) if i < n and j < n else 0.0
    modes[start + n * size + n] = shift


@folded_kernel(types.void(_A, types.float64, _A, _A, types.int64[::1], types.float64))
def anchor_modes(modes: Array, t: float, x: Array, u: Array, block: IntArray, span: float) -> None:
    """The walk stands at t in state x (whole system; `block` picks the n states) with constant inflow u, to be read up to `span` ahead.

    `span` beyond `modes[MODE_REACH]` is not allowed; the caller takes shorter strides.
    """
    n = block.size
    modes[MODE_ANCHOR], modes[MODE_SPAN], modes[MODE_READ] = t, span, np.nan
    coefficients = HEAD + n
    if modes[MODE_KIND] == 0.0:
        w, inflow = HEAD + 2 * n + n * n, HEAD + 2 * n + 2 * n * n
        for j in range(n):
            c, f = 0.0, 0.0
            for i in range(n):
                c += modes[w + j * n + i] * x[block[i]]
                f += modes[w + j * n + i] * u[block[i]]
            modes[coefficients + j] = c
            modes[inflow + j] = f
        return
    size = n + 1
    matrix, series = HEAD + 4 * n + 2 * n * n, HEAD + 4 * n + 2 * n * n + size * size
    for i in range(n):
        modes[matrix + i * size + n] = u[block[i]]
        modes[series + i] = x[block[i]]
    modes[series + n] = 1.0
    terms = 1
    while terms < MOST_TERMS:
        before, now = series + (terms - 1) * size, series + terms * size
        largest, first = 0.0, 0.0
        for i in range(size):
            total = 0.0
            for j in range(size):
                total += modes[matrix + i * size + j] * modes[before + j]
            modes[now + i] = total * span / terms
            largest = max(largest, abs(modes[now + i]))
            first = max(first, abs(modes[series + i]))
        terms += 1
        if terms > 3 and largest <= 1e-18 * first:
            break
    modes[MODE_TERMS] = terms


@borrowing_kernel(types.void(_A, types.float64, types.int64[::1], _A))
def _read_series(modes: Array, ahead: float, block: IntArray, x: Array) -> None:
    n, terms = block.size, int(modes[MODE_TERMS])
    size = n + 1
    series = HEAD + 4 * n + 2 * n * n + size * size
    share = ahead / modes[MODE_SPAN] if modes[MODE_SPAN] > 0.0 else 0.0
    decay = math.exp(-modes[MODE_SHIFT] * ahead)
    for i in range(n):
        total = 0.0
        for k in range(terms - 1, -1, -1):
            total = total * share + modes[series + k * size + i]
        x[block[i]] = total * decay


@inlined
def read_modes(modes: Array, t: float, block: IntArray, x: Array) -> None:
    """The n states at t (not before the anchor) into their places in x."""
    n, ahead = block.size, t - modes[MODE_ANCHOR]
    if modes[MODE_KIND] != 0.0:
        _read_series(modes, ahead, block, x)
    else:
        coefficients, v, inflow, now = HEAD + n, HEAD + 2 * n, HEAD + 2 * n + 2 * n * n, HEAD + 3 * n + 2 * n * n
        modes[MODE_READ] = t
        for j in range(n):
            rate = modes[HEAD + j]
            value = modes[coefficients + j] * math.exp(rate * ahead)
            if modes[inflow + j] != 0.0:
                value += modes[inflow + j] * (math.expm1(rate * ahead) / rate if rate != 0.0 else ahead)
            modes[now + j] = value
        for i in range(n):
            total = 0.0
            for j in range(n):
                total += modes[v + i * n + j] * modes[now + j]
            x[block[i]] = total
