"""The hyperlog scale: its constants, its values and their inverse; compiled.

A value x lies at the y that solves a e^(by) + cy - f = x: a straight line near zero, a logarithm far above. Below x1, where x = 0 lies,
the scale is the mirror image of what lies above, as in the reference implementation. Newton's method as for the logicle.

References
----------
Bagwell CB (2005) Hyperlog: a flexible log-like transform for negative, zero, and positive valued data. Cytometry A 64:34-42,
doi:10.1002/cyto.a.20114. Constants: Gating-ML 2.0, doi:10.1002/cyto.a.22690.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from thrombokit.numerics.arrays import Array, frozen
from thrombokit.numerics.jit import kernel
from thrombokit.numerics.logicle import FAR, MOST_STEPS


@lru_cache(maxsize=256)
def hyperlog_constants(t: float, w: float, m: float, a: float) -> Array:
    """The constants of one scale: a, b, c, f and x1, shape (5,).

    Parameters
    ----------
    t, w, m, a : float
        Top of the scale (> 0), decades of the linear part (> 0, up to m / 2), decades in all (> 0), additional negative decades (-w to m - 2w).
    """
    wide = m + a
    width, x2 = w / wide, a / wide
    x1, x0 = x2 + width, x2 + 2.0 * width
    b = wide * math.log(10.0)
    c_over_a = math.exp(b * x0) / width
    f_over_a = math.exp(b * x1) + c_over_a * x1
    scale = t / (math.exp(b) + c_over_a - f_over_a)
    return frozen([scale, b, c_over_a * scale, f_over_a * scale, x1])


@kernel
def hyperlog_exact(values: Array, constants: Array, out: Array) -> None:
    """Values (n,) on the scale, into `out` (n,), to the rounding of float64."""
    a, b, c, f, x1 = constants[0], constants[1], constants[2], constants[3], constants[4]
    rise = f - c * x1
    for i in range(values.size):
        v = values[i]
        x = abs(v)
        if x == 0.0 or np.isnan(x):
            out[i] = x1 + v
            continue
        if x > FAR:
            y = np.log(x / a) / b
        else:
            y = min(np.log((x + rise) / a) / b, x1 + x / c)
            for _ in range(MOST_STEPS):
                up = a * np.exp(b * y)
                step = (up + c * y - f - x) / (b * up + c)
                y -= step
                if not step > 1e-16:
                    break
        out[i] = y if v > 0.0 else 2.0 * x1 - y


@kernel
def hyperlog_inverse(scaled: Array, constants: Array, out: Array) -> None:
    """The plain values (n,) that lie at `scaled` (n,)."""
    a, b, c, f, x1 = constants[0], constants[1], constants[2], constants[3], constants[4]
    for i in range(scaled.size):
        y = scaled[i]
        above = y if y >= x1 else 2.0 * x1 - y
        x = a * np.exp(b * above) + c * above - f
        out[i] = x if y >= x1 else -x
