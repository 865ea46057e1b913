"""Inverse of a small symmetric positive matrix, compiled; quicker to compile than LAPACK's face and enough for 3 to 6 unknowns."""

from __future__ import annotations

import numpy as np

from thrombokit.numerics.arrays import Array
from thrombokit.numerics.jit import kernel


@kernel
def copy_into(target: Array, source: Array) -> None:
    """Elements of `source` into `target` (same length); a plain loop compiles in a tenth of a slice assignment's time."""
    for i in range(source.size):
        target[i] = source[i]


@kernel
def invert_scaled(normal: Array, size: int, inverse: Array) -> bool:
    """Inverse of the leading (size, size) block of `normal` into `inverse`, by Cholesky after scaling the diagonal to 1.

    False, with `inverse` undefined, when the scaled matrix is singular to 1e-13.
    """
    scale = np.empty(size)
    factor = np.empty((size, size))
    for i in range(size):
        if not normal[i, i] > 0.0:
            return False
        scale[i] = 1.0 / np.sqrt(normal[i, i])
    for i in range(size):
        for j in range(i + 1):
            total = normal[i, j] * scale[i] * scale[j]
            for k in range(j):
                total -= factor[i, k] * factor[j, k]
            if i == j:
                if not total > 1e-13:
                    return False
                factor[i, i] = np.sqrt(total)
            else:
                factor[i, j] = total / factor[j, j]
    column = np.empty(size)
    for c in range(size):
        for i in range(size):
            total = 1.0 if i == c else 0.0
            for k in range(i):
                total -= factor[i, k] * column[k]
            column[i] = total / factor[i, i]
        for i in range(size - 1, -1, -1):
            total = column[i]
            for k in range(i + 1, size):
                total -= factor[k, i] * column[k]
            column[i] = total / factor[i, i]
        for i in range(size):
            inverse[i, c] = column[i] * scale[i] * scale[c]
    return True
