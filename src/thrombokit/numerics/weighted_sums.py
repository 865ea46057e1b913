"""Sums of columns, each with its weight, in a fixed order: the same sum for an event wherever it stands among the others."""

from __future__ import annotations

import numpy as np

from thrombokit.numerics.arrays import Array
from thrombokit.numerics.jit import kernel


@kernel
def _add_weighted(column: Array, weight: float, total: Array) -> None:
    for i in range(total.size):
        total[i] += weight * column[i]


def weighted_sum(columns: list[Array], weights: Array) -> Array:
    """sum over k of weights[k] columns[k].

    Parameters
    ----------
    columns : m arrays of shape (n,), float64, contiguous
    weights : array of shape (m,)

    Returns
    -------
    array of shape (n,)
        A column of weight zero is left out, so that what is not finite in it does not spread.
    """
    total = np.zeros(columns[0].size)
    for column, weight in zip(columns, weights, strict=True):
        if weight != 0.0:
            _add_weighted(column, float(weight), total)
    return total
