"""Dose-response shapes as functions of x = ln(concentration); -inf is dose 0.

Four-parameter logistic (4PL)  f = a0 + (a1 - a0) g,            g = 1 / (1 + exp(-h (x - m)))
Five-parameter logistic (5PL)  f = a0 + (a1 - a0) g,            g = (1 + (2^(1/s) - 1) exp(-h (x - m)))^(-s)
Bell                           f = a0 + (a1 - a0) g(m) + (a2 - a1) g(m2), one hill for both limbs

`a0` is the response at dose 0, `a1` the (first) plateau, h > 0; a curve that falls has a1 < a0. In the 5PL m is still the ln EC50: the dose
half-way between a0 and a1. Three-parameter logistic (3PL) is the 4PL with h = 1, as bench software calls it.

Reference: Ritz et al. 2015, doi:10.1371/journal.pone.0146021, eqs. 1-3 (log-logistic models, other parameter names).
"""

from __future__ import annotations

import numpy as np

from thrombokit.numerics.arrays import Array


def logistic(x: Array, m: float | Array, h: float | Array) -> Array:
    """g of the 4PL: 0 at dose 0, 1/2 at x = m, 1 far above; arrays broadcast, dimensionless."""
    with np.errstate(over="ignore", invalid="ignore"):
        return 1.0 / (1.0 + np.exp(-h * (x - m)))


def four_parameter(x: Array, a0: float, a1: float, m: float, h: float) -> Array:
    """4PL response at x = ln(concentration), shape of `x`; -inf gives `a0` exactly."""
    return a0 + (a1 - a0) * logistic(x, m, h)


def five_parameter(x: Array, a0: float, a1: float, m: float, h: float, s: float) -> Array:
    """5PL response at x = ln(concentration), shape of `x`; `m` is the ln of the half-way dose for any asymmetry `s` > 0."""
    with np.errstate(over="ignore", invalid="ignore"):
        return a0 + (a1 - a0) * (1.0 + (2.0 ** (1.0 / s) - 1.0) * np.exp(-h * (x - m))) ** (-s)


def bell(x: Array, a0: float, a1: float, a2: float, m: float, m2: float, h: float) -> Array:
    """Bell-shaped response at x = ln(concentration), shape of `x`: a0 at dose 0, towards a1 around m < x < m2, a2 far above."""
    return a0 + (a1 - a0) * logistic(x, m, h) + (a2 - a1) * logistic(x, m2, h)
