"""Counts that scatter more than counting: binomial and multinomial wells with an intraclass correlation.

Two wells of the same dose differ by more than the chance of drawing cells: cells of a well share their culture, staining and gate. With
correlation rho between two cells of a well, a share pi from n cells has the variance pi (1 - pi) / n x (1 + (n - 1) rho), which is
the beta-binomial's (and, class by class, the Dirichlet-multinomial's). More cells help only down to rho pi (1 - pi): a well of
50,000 cells is then worth little more than one of 5,000, and never 1,000 times one of 50.

rho is the value at which Pearson's chi-squared equals its degrees of freedom (Williams' procedure): it needs no form of the distribution
beyond this variance, and counts what the fitted curves have used up.

References: Williams 1982, doi:10.2307/2347977; Crowder 1978, doi:10.2307/2346223 (beta-binomial regression).
"""

from __future__ import annotations

import numpy as np

from thrombokit.numerics.arrays import Array

_HALVINGS = 60


def inflation(n: Array, rho: float | Array) -> Array:
    """1 + (n - 1) rho, not below 1: how many times the variance of n independent cells; shape of `n`, dimensionless."""
    return 1.0 + np.maximum(n - 1.0, 0.0) * rho


def effective_count(n: Array, rho: float | Array) -> Array:
    """Independent cells that say as much as `n` correlated ones, shape of `n`; below 1 / rho for any n."""
    return n / inflation(n, rho)


def share_variance(share: Array, n: Array, rho: float | Array) -> Array:
    """Variance of an observed share.

    Parameters
    ----------
    share : array
        Expected share, 0 to 1. It is kept half a cell away from 0 and 1, where no variance would be left.
    n : array, same shape
        Cells counted, above 0.
    rho : float or array of the same shape
        Intraclass correlation, 0 or more.

    Returns
    -------
    array of the same shape
        share (1 - share) / n x (1 + (n - 1) rho).
    """
    edge = 0.5 / (n + 1.0)
    kept = np.clip(share, edge, 1.0 - edge)
    return kept * (1.0 - kept) / n * inflation(n, rho)


def intraclass_correlation(chi_squared: Array, n: Array, degrees: float) -> float:
    """rho at which the wells' chi-squared comes to its degrees of freedom.

    Parameters
    ----------
    chi_squared : array of shape (n_wells,)
        Each well's Pearson sum against its fitted share(s), as if its cells were independent: (y - n pi)^2 / (n pi (1 - pi)) for one share,
        sum over classes of (y - n pi)^2 / (n pi) for several.
    n : array of shape (n_wells,)
        Cells counted in each well, above 0.
    degrees : float
        Wells (times classes - 1) less fitted parameters.

    Returns
    -------
    float
        0 where the wells scatter no more than counting explains; at most 1. NaN without a degree of freedom: the scatter is then unknown.
    """
    if not degrees > 0:
        return float("nan")
    if float(np.sum(chi_squared)) <= degrees:
        return 0.0
    if float(np.sum(chi_squared / inflation(n, 1.0))) >= degrees:
        return 1.0
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        if float(np.sum(chi_squared / inflation(n, middle))) > degrees:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


def extra_variance(squares: Array, variances: Array, degrees: float) -> float:
    """Variance between wells beyond their own `variances`: the additive counterpart of `intraclass_correlation`.

    Parameters
    ----------
    squares : array of shape (n_wells,)
        Squared residuals.
    variances : array of shape (n_wells,), above 0
        Each well's own variance, in the units of `squares`.
    degrees : float
        Wells less fitted parameters.

    Returns
    -------
    float
        tau^2 >= 0 with sum squares / (variances + tau^2) = degrees; NaN without a degree of freedom.
    """
    if not degrees > 0:
        return float("nan")
    if float(np.sum(squares / variances)) <= degrees:
        return 0.0
    low, high = 0.0, float(np.sum(squares)) / degrees
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        if float(np.sum(squares / (variances + middle))) > degrees:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)
