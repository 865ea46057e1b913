"""What makes the shape of a gate impossible: arrays of the wrong size, numbers that are not finite, ellipsoids that are none.

Each function gives triples (found, expected, cure); who calls it adds the place.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from thrombokit.numerics.arrays import Array
from thrombokit.numerics.ellipsoids import equilibrated

Trouble = tuple[str, str, str]
WORST_CONDITION = 1e12
LARGEST_COORDINATE = 1e150
"""Beyond it the products that tell left from right would overflow."""

CORRECT = "Correct the gate where it was drawn, and export it again."


def range_troubles(low: float | None, high: float | None) -> Iterator[Trouble]:
    """What is wrong with low <= value < high; None is an open side."""
    for name, value in (("lower", low), ("upper", high)):
        if value is not None and not math.isfinite(value):
            yield f"the {name} bound {value}", "a finite number", "Leave a bound away where the range is open."
    if low is not None and high is not None and low >= high:
        yield f"the range {low!r} to {high!r}, which holds no event", "a lower bound below the upper one", CORRECT


def polygon_troubles(vertices: Array) -> Iterator[Trouble]:
    """What is wrong with vertices that should have shape (n, 2), n >= 3."""
    if vertices.ndim != 2 or vertices.shape[1] != 2 or len(vertices) < 3:
        yield f"vertices of shape {vertices.shape}", "three or more vertices of two coordinates", CORRECT
    elif not (np.abs(vertices) <= LARGEST_COORDINATE).all():
        yield "a vertex that is not finite, or endlessly far", f"coordinates up to {LARGEST_COORDINATE:g}", CORRECT


def ellipsoid_troubles(n_dimensions: int, mean: Array, covariance: Array, distance_square: float) -> Iterator[Trouble]:
    """What is wrong with a mean that should have shape (n,), a covariance (n, n) and the square of a distance."""
    if n_dimensions < 2:
        yield f"an ellipsoid of {n_dimensions} dimension(s)", "two or more", "Use a rectangle gate for a range."
    if mean.shape != (n_dimensions,):
        yield f"a mean of shape {mean.shape}", f"{n_dimensions} coordinates, one a dimension", CORRECT
    elif not np.isfinite(mean).all():
        yield "a mean that is not finite", "finite coordinates", CORRECT
    if not 0.0 < distance_square < math.inf:
        yield f"the squared distance {distance_square!r}", "a finite number above 0", CORRECT
    if covariance.shape != (n_dimensions, n_dimensions):
        yield f"a covariance matrix of shape {covariance.shape}", f"{n_dimensions} x {n_dimensions}", CORRECT
    elif not np.isfinite(covariance).all():
        yield "a covariance that is not finite", "finite numbers", CORRECT
    elif not np.linalg.cond(equilibrated(covariance)[0]) < WORST_CONDITION:
        yield "a covariance matrix that is singular", "one that can be inverted", CORRECT


def is_ellipsoid(covariance: Array) -> bool:
    """Whether a covariance matrix is symmetric and positive definite, as one should be; else the shape is not closed, or not as drawn."""
    symmetric = bool(np.allclose(covariance, covariance.T, rtol=1e-9, atol=0.0))
    return symmetric and bool(np.linalg.eigvalsh(equilibrated(covariance)[0]).min() > 0.0)


def divider_troubles(values: Sequence[float]) -> Iterator[Trouble]:
    """What is wrong with the values at which a dimension is cut."""
    if not values:
        yield "a divider without a value", "one value or more", CORRECT
    elif not all(math.isfinite(value) for value in values):
        yield "a divider whose value is not finite", "finite numbers", CORRECT
    elif any(later <= earlier for earlier, later in pairwise(values)):
        yield f"divider values {', '.join(repr(value) for value in values)}", "rising values, each once", CORRECT


def interval_of(values: Sequence[float], location: float) -> tuple[float | None, float | None]:
    """The interval (low, high) between neighbouring rising `values` that holds `location`; None at an open end."""
    below = [value for value in values if value <= location]
    above = [value for value in values if value > location]
    return (below[-1] if below else None, above[0] if above else None)
