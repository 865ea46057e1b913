"""Scales of a million events without a logarithm: piecewise polynomials, found through the bits of the value.

Logicle, hyperlog and asinh scales are mirror images of themselves about the place of zero, and far from it grow as a logarithm. With
t = 1 + |x| / unit, the exponent and the first five bits of the mantissa of the float64 t name one of 32 intervals an octave; in
each, a polynomial of degree five through six Lobatto points (ends included, so that neighbours meet) gives the scale to better than 1e-12.
Values above the last octave, and those that are not finite, are left to the exact routine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from thrombokit.numerics.arrays import Array, FrozenArrays, frozen
from thrombokit.numerics.jit import kernel

OCTAVES, PART_BITS = 32, 5
N_PARTS = OCTAVES << PART_BITS
N_TERMS = 6
ACCURACY = 1e-12
"""What a table may differ from the exact scale, in units of the scale."""

FROM_EVENTS = 10_000
"""From so many values on the table is used; below, the exact routine is quick enough."""

_LOBATTO = 0.5 - 0.5 * np.cos(np.pi * np.arange(N_TERMS) / (N_TERMS - 1))
_SHIFT = 52 - PART_BITS
_FIRST = 1023 << PART_BITS
_LOWER_BITS = (1 << _SHIFT) - 1


@dataclass(frozen=True, kw_only=True, eq=False)
class ScaleTable(FrozenArrays):
    """One tabulated scale.

    `coefficients` of shape (N_PARTS, N_TERMS): powers of t - t0, t0 the lower end of the part. `unit` is the value in whose multiples
    t counts, `centre` the place of zero on the scale. `exact` maps values (n,) to the scale, for those outside the table.
    """

    coefficients: Array
    unit: float
    centre: float
    exact: Callable[[Array], Array]


def tabulate(exact: Callable[[Array], Array], *, unit: float, centre: float) -> ScaleTable:
    """A table of the scale `exact`, which must be odd about zero: exact(-x) = 2 centre - exact(x).

    Parameters
    ----------
    exact : callable, (n,) -> (n,)
        The scale itself.
    unit : float
        The value up to which the scale is about linear.
    centre : float
        exact(0).
    """
    low = (1.0 + np.arange(1 << PART_BITS) / (1 << PART_BITS)) * 2.0 ** np.arange(OCTAVES)[:, None]
    width = np.repeat(2.0 ** np.arange(OCTAVES) / (1 << PART_BITS), 1 << PART_BITS)
    t = low.ravel()[:, None] + width[:, None] * _LOBATTO
    y = exact(((t - 1.0) * unit).ravel()).reshape(t.shape)
    powers = np.vander(_LOBATTO, N_TERMS, increasing=True)
    coefficients = np.linalg.solve(powers, y.T).T / width[:, None] ** np.arange(N_TERMS)
    return ScaleTable(coefficients=frozen(coefficients), unit=unit, centre=centre, exact=exact)


@kernel
def _on_table(value: float, coefficients: Array, unit: float, centre: float) -> float:
    """One value on the scale, or not-a-number outside the table."""
    t = 1.0 + abs(value) / unit
    bits = np.float64(t).view(np.int64)
    part = (bits >> _SHIFT) - _FIRST
    if part < 0 or part >= N_PARTS:
        return np.nan
    h = t - np.int64(bits & ~_LOWER_BITS).view(np.float64)
    p = coefficients[part]
    y = p[0] + h * (p[1] + h * (p[2] + h * (p[3] + h * (p[4] + h * p[5]))))
    return y if value >= 0.0 else 2.0 * centre - y


@kernel
def _look_up(values: Array, coefficients: Array, unit: float, centre: float, out: Array) -> int:
    """Values (n,) on the scale, into `out`; how many lie outside the table (not-a-number in `out`)."""
    outside = 0
    for i in range(values.size):
        y = _on_table(values[i], coefficients, unit, centre)
        outside += np.isnan(y)
        out[i] = y
    return outside


def look_up(values: Array, table: ScaleTable) -> Array:
    """Values of any shape on a tabulated scale, within `ACCURACY` of the exact one; float64, same shape."""
    flat = np.ascontiguousarray(values, dtype=np.float64).ravel()
    out = np.empty(flat.size)
    if _look_up(flat, table.coefficients, table.unit, table.centre, out):
        left = np.isnan(out)
        out[left] = table.exact(flat[left])
    return out.reshape(np.shape(values))
