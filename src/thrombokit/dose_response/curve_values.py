"""Fitted values of a batch of curves at their own dose means, for every model."""

from __future__ import annotations

import numpy as np

from thrombokit.numerics import curves
from thrombokit.numerics.arrays import Array
from thrombokit.numerics.collapse import DoseMeans


def fitted_values(model: str, means: DoseMeans, theta: Array) -> Array:
    """Fitted value of every dose mean, shape (n_groups,)."""
    each = theta[means.curve_index()]
    a0, a1, m, h = each[:, 0], each[:, 1], each[:, 2], np.exp(each[:, 3])
    g = curves.logistic(means.x, m, h)
    if model == "bell":
        return a0 + (a1 - a0) * g + (each[:, 5] - a1) * curves.logistic(means.x, each[:, 4], h)
    if model == "5pl":
        s = np.exp(each[:, 4])
        with np.errstate(over="ignore", invalid="ignore"):
            g = (1.0 + (2.0 ** (1.0 / s) - 1.0) * np.exp(-h * (means.x - m))) ** (-s)
    return a0 + (a1 - a0) * g
