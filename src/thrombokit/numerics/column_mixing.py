"""Columns of a table replaced by weighted sums of themselves, row by row, in a fixed order of adding.

A matrix product would do the same through the linear-algebra library, whose threads wait on one another on a busy machine (ten times slower
on two cores under load); here the result does not depend on threads either.
"""

from __future__ import annotations

import numpy as np

from thrombokit.numerics.arrays import Array, IntArray
from thrombokit.numerics.jit import kernel


@kernel
def _mix(values: Array, columns: IntArray, weights: Array) -> None:
    n_mixed = columns.size
    row = np.empty(n_mixed)
    for i in range(values.shape[0]):
        for k in range(n_mixed):
            row[k] = values[i, columns[k]]
        for j in range(n_mixed):
            total = 0.0
            for k in range(n_mixed):
                weight = weights[k, j]
                if weight != 0.0:
                    total += weight * row[k]
            values[i, columns[j]] = total


def mix_columns(values: Array, columns: IntArray, weights: Array) -> None:
    """Replace some columns by their products with a matrix, in place.

    Parameters
    ----------
    values : array of shape (n, m), float64, C-contiguous
        Written to.
    columns : int array of shape (k,)
        Which columns.
    weights : array of shape (k, k)
        New column j is the sum over i of old column i times weights[i, j]. A weight of zero leaves its column out, so that what is not
        finite in it does not spread.
    """
    _mix(values, np.ascontiguousarray(columns, dtype=np.int64), np.ascontiguousarray(weights, dtype=np.float64))
