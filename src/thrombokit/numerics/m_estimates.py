"""What makes an estimate robust: how far each standardised residual u counts, and the scale it is measured in.

Huber   rho = u^2 / 2 up to |u| = 1.345, a straight line beyond: a far point pulls, but no harder however far it lies.
Tukey   the bisquare, c = 4.685: a point further than that does not count at all.

Both constants give 95 % of the precision of least squares on normal noise. The scale is 1.4826 times the median absolute residual, taken over the
n - p + 1 largest: a fit with p unknowns makes p - 1 residuals of a small curve near zero, and the median of all would be too small.

References: Huber & Ronchetti 2009, Robust Statistics, 2nd ed., ch. 7; Beaton & Tukey 1974, doi:10.1080/00401706.1974.10489171; DuMouchel & O'Brien
1989, Integrating a robust option into a multiple regression computing environment (the scale).
"""

from __future__ import annotations

import numpy as np

from thrombokit.numerics.arrays import Array, IntArray
from thrombokit.numerics.jit import kernel

HUBER, TUKEY = 1, 2
"""Codes of the two kinds."""

HUBER_K, TUKEY_C = 1.345, 4.685
MAD_TO_SD = 1.4826


@kernel
def robust_weight(kind: int, u: float) -> float:
    """psi(u) / u: 1 for a point that counts in full, 0 for one that does not count."""
    if kind == HUBER:
        return 1.0 if abs(u) <= HUBER_K else HUBER_K / abs(u)
    if abs(u) >= TUKEY_C:
        return 0.0
    return (1.0 - (u / TUKEY_C) ** 2) ** 2


@kernel
def robust_slope(kind: int, u: float) -> float:
    """psi'(u), dimensionless."""
    if kind == HUBER:
        return 1.0 if abs(u) <= HUBER_K else 0.0
    if abs(u) >= TUKEY_C:
        return 0.0
    square = (u / TUKEY_C) ** 2
    return (1.0 - square) * (1.0 - 5.0 * square)


@kernel
def robust_loss(kind: int, u: float) -> float:
    """rho(u); u^2 / 2 near 0."""
    if kind == HUBER:
        return 0.5 * u * u if abs(u) <= HUBER_K else HUBER_K * (abs(u) - 0.5 * HUBER_K)
    if abs(u) >= TUKEY_C:
        return TUKEY_C * TUKEY_C / 6.0
    return TUKEY_C * TUKEY_C / 6.0 * (1.0 - (1.0 - (u / TUKEY_C) ** 2) ** 3)


@kernel
def mad_scale(residual: Array, n_parameters: int) -> float:
    """1.4826 x median |residual| of the n - p + 1 largest, shape (n,) in; never 0, so that it can divide."""
    size = np.sort(np.abs(residual))
    first = min(n_parameters - 1, size.size - 1)
    last = size.size - 1
    low, high = (first + last) // 2, (first + last + 1) // 2
    return MAD_TO_SD * 0.5 * (size[low] + size[high])


def mad_scales(residual: Array, starts: IntArray, n_parameters: int) -> Array:
    """`mad_scale` of ragged curves: residuals of shape (n_points,), those of curve i from starts[i] to starts[i + 1], give (n,).

    NaN for a curve without points.
    """
    sizes = np.diff(starts)
    index = np.repeat(np.arange(sizes.size), sizes)
    size = np.abs(residual)
    size = size[np.lexsort((size, index))]
    first = starts[:-1] + np.minimum(n_parameters - 1, sizes - 1)
    last = starts[1:] - 1
    scale = np.full(sizes.size, np.nan)
    some = sizes > 0
    low, high = (first + last)[some] // 2, (first + last + 1)[some] // 2
    scale[some] = MAD_TO_SD * 0.5 * (size[low] + size[high])
    return scale
