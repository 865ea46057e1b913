"""How much of one signal shows in another: two estimates of a slope, each with its standard error.

*Ratio of median differences*: (median of y in the stained tube - in the unstained) / (the same for x). Its error follows from the medians' influence
functions, so that no random numbers are needed.

*Grouped slope*: the line y = a + b x for which the robust mean of the residuals is zero in the dim events and in the bright ones alike.
Least squares would come out too flat, because x carries noise of its own; grouping the events is the classical remedy (Wald 1940), and
Huber's weights keep dead cells and debris from pulling.

References
----------
Wald A (1940) The fitting of straight lines if both variables are subject to error. Ann Math Stat 11:284-300, doi:10.1214/aoms/1177731868.
Hall P, Sheather SJ (1988) On the distribution of a studentized quantile. J R Stat Soc B 50:381-391 (the width for the density at a median).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thrombokit.numerics.arrays import Array, BoolArray
from thrombokit.numerics.m_estimates import HUBER_K, MAD_TO_SD

MOST_ROUNDS = 50


@dataclass(frozen=True, kw_only=True)
class Medians:
    """Medians of p columns, shape (p,), and their covariance, shape (p, p)."""

    medians: Array
    covariance: Array


def medians_of(values: Array) -> Medians:
    """Medians of the columns of `values`, shape (n, p) with n >= 2, and the covariance of these estimates.

    The density at each median comes from the quantiles Hall and Sheather's distance to either side. Where the values are steps (the
    channels of a logarithmic amplifier), a step's own width counts as a further uncertainty.
    """
    n, p = values.shape
    medians = np.median(values, axis=0)
    reach = min(0.49, 0.971 * n ** (-1.0 / 3.0))
    ends = np.quantile(values, (0.5 - reach, 0.5 + reach), axis=0)
    sparsity = (ends[1] - ends[0]) / (2.0 * reach)
    signs = np.sign(values - medians)
    correlation = signs.T @ signs / n
    np.fill_diagonal(correlation, 1.0)
    covariance = correlation * np.outer(sparsity, sparsity) / (4.0 * n)
    steps = np.array([_step_at(values[:, column], medians[column]) for column in range(p)])
    covariance[np.diag_indices(p)] += steps**2 / 12.0
    return Medians(medians=medians, covariance=covariance)


def _step_at(column: Array, median: float) -> float:
    """Half of the distance between the values next below and next above the median."""
    below, above = column[column < median], column[column > median]
    if below.size == 0 or above.size == 0:
        return 0.0
    return 0.5 * float(above.min() - below.max())


def median_ratios(stained: Medians, unstained: Medians, own: int) -> tuple[Array, Array]:
    """Ratios of median differences to that of column `own`, shape (p,), and their standard errors, shape (p,)."""
    rise = stained.medians - unstained.medians
    covariance = stained.covariance + unstained.covariance
    ratio = rise / rise[own]
    variance = np.diag(covariance) - 2.0 * ratio * covariance[own] + ratio**2 * covariance[own, own]
    error = np.sqrt(np.maximum(variance, 0.0)) / abs(rise[own])
    error[own] = 0.0
    return ratio, error


def grouped_slope(x: Array, y: Array, bright: BoolArray) -> tuple[float, float]:
    """The slope of y on x through the dim and the bright events, and its standard error.

    Parameters
    ----------
    x, y : arrays of shape (n,)
    bright : bool array of shape (n,)
        Which events are bright in x; some must be and some not.

    Returns
    -------
    slope, error : float
        The error is the sandwich estimate for the last weights.
    """
    slope = (np.median(y[bright]) - np.median(y[~bright])) / (np.median(x[bright]) - np.median(x[~bright]))
    intercept = float(np.median(y[~bright] - slope * x[~bright]))
    weight = np.ones_like(x)
    for _ in range(MOST_ROUNDS):
        weight = _weights(y - intercept - slope * x, bright)
        new_intercept, new_slope = np.linalg.solve(_moments(weight, x, bright), _group_sums(weight * y, bright))
        moved = abs(new_slope - slope)
        intercept, slope = float(new_intercept), float(new_slope)
        if moved <= 1e-10 * max(abs(slope), 1e-6):
            break
    total, lit = _group_sums((weight * (y - intercept - slope * x)) ** 2, bright)
    middle = np.array([[total, lit], [lit, lit]])
    straight = (weight == 1.0).astype(np.float64)  # the derivative of Huber's psi
    bread = np.linalg.inv(_moments(straight, x, bright))
    return float(slope), float(np.sqrt(max((bread @ middle @ bread.T)[1, 1], 0.0)))


def _group_sums(values: Array, bright: BoolArray) -> Array:
    """Sums over all events and over the bright ones, shape (2,); by numpy, whose order of adding does not depend on the machine's threads."""
    return np.array([values.sum(), values[bright].sum()])


def _moments(weight: Array, x: Array, bright: BoolArray) -> Array:
    """Left side of the two equations in intercept and slope, shape (2, 2)."""
    return np.column_stack([_group_sums(weight, bright), _group_sums(weight * x, bright)])


def _weights(residual: Array, bright: BoolArray) -> Array:
    """Huber's weights, all measured by the spread of the wider group.

    Autofluorescence is skewed: measured by their own narrow spread, the dim events would be cut closer to their median than the bright ones
    are, and the difference would come out as slope.
    """
    spread = 0.0
    for group in (bright, ~bright):
        inside = residual[group]
        spread = max(spread, MAD_TO_SD * float(np.median(np.abs(inside - np.median(inside)))))
    if not spread > 0.0:
        return np.ones_like(residual)
    return np.minimum(1.0, HUBER_K * spread / np.maximum(np.abs(residual), 1e-300))
