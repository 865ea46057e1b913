"""The logicle scale: its constants, its values and their inverse; compiled.

A value x lies at the y that solves a e^(by) - c e^(-dy) - f = x. Above x1, where x = 0 lies, the left side rises and is convex, so Newton's
method started above the root comes down to it without a guard. Below x1 the scale is the mirror image of what lies above, as in
the authors' own implementation: B(y) itself is symmetric about x1 only to third order.

References
----------
Moore WA, Parks DR (2012) Update for the logicle data scale including operational code implementations. Cytometry A 81:273-277,
doi:10.1002/cyto.a.22030. Parks DR, Roederer M, Moore WA (2006) Cytometry A 69:541-551, doi:10.1002/cyto.a.20258.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from thrombokit.numerics.arrays import Array, frozen
from thrombokit.numerics.jit import kernel

MOST_STEPS = 60
"""Newton's method needs 5 to 12 steps; from there on only rounding moves."""

FAR = 1e250
"""Beyond this the logarithm alone is exact to the last digit, and e^(by) would soon overflow."""


@lru_cache(maxsize=256)
def logicle_constants(t: float, w: float, m: float, a: float) -> Array:
    """The constants of one scale: a, b, c, d, f and x1, shape (6,).

    Parameters
    ----------
    t, w, m, a : float
        Top of the scale (> 0), decades of the linear part (0 to m / 2), decades in all (> 0), additional negative decades (-w to m - 2w).
    """
    wide = m + a
    width, x2 = w / wide, a / wide
    x1, x0 = x2 + width, x2 + 2.0 * width
    b = wide * math.log(10.0)
    d = second_exponent(b, width)
    c_over_a = math.exp(x0 * (b + d))
    f_over_a = math.exp(b * x1) - c_over_a * math.exp(-d * x1)
    scale = t / (math.exp(b) - f_over_a - c_over_a * math.exp(-d))
    return frozen([scale, b, c_over_a * scale, d, f_over_a * scale, x1])


def second_exponent(b: float, width: float) -> float:
    """The d in (0, b] with 2 (ln d - ln b) + width (b + d) = 0, which makes the scale linear to second order about x1."""
    if width == 0.0:
        return b
    low, high = 0.0, b
    for _ in range(200):
        middle = 0.5 * (low + high)
        if middle in (low, high):
            break
        if 2.0 * math.log(middle / b) + width * (b + middle) > 0.0:
            high = middle
        else:
            low = middle
    return 0.5 * (low + high)


@kernel
def logicle_exact(values: Array, constants: Array, out: Array) -> None:
    """Values (n,) on the scale, into `out` (n,), to the rounding of float64."""
    a, b, c, d, f, x1 = constants[0], constants[1], constants[2], constants[3], constants[4], constants[5]
    rise = f + c * np.exp(-d * x1)
    for i in range(values.size):
        v = values[i]
        x = abs(v)
        if x == 0.0 or np.isnan(x):
            out[i] = x1 + v
            continue
        if x > FAR:
            y = np.log(x / a) / b
        else:
            y = np.log((x + rise) / a) / b
            for _ in range(MOST_STEPS):
                up, down = a * np.exp(b * y), c * np.exp(-d * y)
                step = (up - down - f - x) / (b * up + d * down)
                y -= step
                if not step > 1e-16:
                    break
        out[i] = y if v > 0.0 else 2.0 * x1 - y


@kernel
def logicle_inverse(scaled: Array, constants: Array, out: Array) -> None:
    """The plain values (n,) that lie at `scaled` (n,)."""
    a, b, c, d, f, x1 = constants[0], constants[1], constants[2], constants[3], constants[4], constants[5]
    for i in range(scaled.size):
        y = scaled[i]
        above = y if y >= x1 else 2.0 * x1 - y
        x = a * np.exp(b * above) - c * np.exp(-d * above) - f
        out[i] = x if y >= x1 else -x
