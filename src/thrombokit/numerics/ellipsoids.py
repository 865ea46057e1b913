"""Which points lie in an ellipsoid, its surface included: (x - mean) covariance^-1 (x - mean) <= distance_square."""

from __future__ import annotations

import numpy as np

from thrombokit.numerics.arrays import Array, BoolArray, frozen


def inside_ellipsoid(columns: list[Array], mean: Array, covariance: Array, distance_square: float) -> BoolArray:
    """Whether each point lies in the ellipsoid or on its surface.

    Parameters
    ----------
    columns : d arrays of shape (n,)
        One coordinate each; a point with one that is not a number lies outside.
    mean : array of shape (d,)
    covariance : array of shape (d, d)
        Symmetric and positive definite for an ellipsoid; with any other that can be inverted, the formula as it stands.
    distance_square : float
        The square of the Mahalanobis distance of the surface.

    Returns
    -------
    bool array of shape (n,)
    """
    precision = _precision(covariance)
    away = [column - centre for column, centre in zip(columns, mean, strict=True)]
    total = np.zeros(columns[0].size)
    for i, one in enumerate(away):
        for j, other in enumerate(away):
            total += precision[i, j] * one * other
    with np.errstate(invalid="ignore"):
        return np.asarray(total <= distance_square)


def ellipsoid_box(mean: Array, covariance: Array, distance_square: float) -> tuple[Array, Array] | None:
    """The lowest and highest coordinates, each of shape (d,), of any point in the ellipsoid; None if it is not closed.

    Only the symmetric part of the inverse covariance counts in the formula. The box is wider by a part in 10^9, against rounding.
    """
    precision = _precision(covariance)
    spread = _precision(0.5 * (precision + precision.T))
    if not np.linalg.eigvalsh(equilibrated(spread)[0]).min() > 0.0:
        return None
    half = np.sqrt(np.diag(spread) * distance_square) * (1.0 + 1e-9) + np.abs(mean) * 1e-12
    return mean - half, mean + half


def equilibrated(matrix: Array) -> tuple[Array, Array]:
    """A square matrix with its units taken out: entry (i, j) over the roots of diagonal entries i and j, and those roots, shape (d,).

    Dimensions of an ellipsoid may be on scales of one and of a hundred thousand; that alone must not make it look singular.
    """
    diagonal = np.abs(np.diag(matrix))
    roots = np.sqrt(np.where(diagonal > 0.0, diagonal, 1.0))
    return matrix / np.outer(roots, roots), roots


def _precision(matrix: Array) -> Array:
    bare, roots = equilibrated(matrix)
    return frozen(np.linalg.inv(bare) / np.outer(roots, roots))
