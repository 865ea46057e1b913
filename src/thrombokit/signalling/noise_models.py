"""Densities of measurements around a simulated value, with their slopes and Fisher information: arrays in, arrays out.

Residuals are taken on the scale of the observable (lin, log, log10), the density is that of the measurement as written; on a logarithmic
scale that is the log-normal or log-Laplace density.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from thrombokit.numerics.arrays import Array

_LN10 = math.log(10.0)


@dataclass(frozen=True, kw_only=True, eq=False)
class Densities:
    """Of each measurement, all of shape (n,): log density, its slopes and the Fisher information in the simulated value and the width."""

    log_density: Array
    slope_value: Array
    slope_width: Array
    information_value: Array
    information_width: Array


def log_densities(measured: Array, simulated: Array, width: Array, *, transformation: str, distribution: str) -> Densities:
    """Log densities of measurements.

    Parameters
    ----------
    measured, simulated, width : array of shape (n,)
        `width` is the standard deviation of normal noise, the scale b of Laplace noise, on the scale of the residuals.
    transformation : "lin", "log" or "log10"
    distribution : "normal" or "laplace"

    Returns
    -------
    Densities
        -inf where a width is not positive, or a simulated value not positive on a logarithmic scale; nan where a value is nan.
    """
    with np.errstate(all="ignore"):
        residual, slope, correction = _residuals(measured, simulated, transformation)
        z = residual / width
        if distribution == "laplace":
            log_density = -np.log(2.0 * width) - np.abs(z) - correction
            pull, slope_width, information_width = np.sign(z) / width, (np.abs(z) - 1.0) / width, 1.0 / width**2
        else:
            log_density = -0.5 * math.log(2.0 * math.pi) - np.log(width) - 0.5 * z * z - correction
            pull, slope_width, information_width = z / width, (z * z - 1.0) / width, 2.0 / width**2
        impossible = (width <= 0.0) | ((transformation != "lin") & (simulated <= 0.0))
        return Densities(
            log_density=np.where(impossible, -np.inf, log_density), slope_value=pull * slope, slope_width=slope_width,
            information_value=(slope / width) ** 2, information_width=information_width,
        )  # fmt: skip


def _residuals(measured: Array, simulated: Array, transformation: str) -> tuple[Array, Array, Array]:
    """Residual, d(scaled value)/d(value), and the logarithm of d(measurement)/d(scaled measurement)."""
    if transformation == "log":
        return np.log(measured) - np.log(simulated), 1.0 / simulated, np.log(measured)
    if transformation == "log10":
        residual = (np.log(measured) - np.log(simulated)) / _LN10
        return residual, 1.0 / (simulated * _LN10), np.log(measured * _LN10)
    return measured - simulated, np.ones_like(simulated), np.zeros_like(simulated)
