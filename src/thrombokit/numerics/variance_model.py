"""Noise that grows with the signal: variance = sigma0^2 + (phi mean)^2, its shape pooled over curves.

The shape lambda = phi^2 / sigma0^2 is found by maximising the profile pseudo-likelihood of replicates and residuals, with a scale of its own
for every curve; the pooled scale then gives sigma0 and phi. sigma0 is kept at 1 % of the largest mean's noise or more, so that a
well near zero can never outweigh the plate.

References: Carroll & Ruppert 1988, Transformation and Weighting in Regression, ch. 3 (pseudo-likelihood); Davidian & Carroll 1987,
doi:10.1080/01621459.1987.10478543.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thrombokit.numerics.arrays import Array, BoolArray, IntArray
from thrombokit.numerics.collapse import DoseMeans

_LARGEST_RATIO = 1e4
_MAX_GROUPS = 60_000


@dataclass(frozen=True, kw_only=True, slots=True)
class VarianceModel:
    """sigma0 (response units) and phi (fraction of the mean)."""

    sigma0: float
    phi: float

    def variance(self, mean: Array) -> Array:
        """sigma0^2 + (phi mean)^2, shape of `mean`."""
        return self.sigma0**2 + (self.phi * mean) ** 2


@dataclass(frozen=True, kw_only=True, eq=False)
class _Pieces:
    """What the pseudo-likelihood needs, per dose group and per curve."""

    relative_mean_squared: Array
    squares: Array
    freedom: Array
    curve: IntArray
    curve_freedom: Array


def _pieces(means: DoseMeans, fitted: Array, n_parameters: int, chosen: BoolArray) -> _Pieces:
    curve = means.curve_index()
    sizes = np.diff(means.starts)
    keep = chosen[curve]
    if int(keep.sum()) > _MAX_GROUPS:  # a sample of curves, evenly spread, is plenty for one number
        every = int(np.ceil(keep.sum() / _MAX_GROUPS))
        numbers = np.flatnonzero(chosen)[::every]
        sampled = np.zeros_like(chosen)
        sampled[numbers] = True
        keep = sampled[curve]
    share = np.maximum(sizes - n_parameters, 0) / np.maximum(sizes, 1)
    freedom = (means.count - 1.0 + share[curve])[keep]
    squares = (means.within_ss + means.count * (means.mean - fitted) ** 2)[keep]
    _, index = np.unique(curve[keep], return_inverse=True)
    largest = max(float(np.max(np.abs(fitted[keep]), initial=0.0)), 1e-300)
    return _Pieces(
        relative_mean_squared=(fitted[keep] / largest) ** 2,
        squares=squares,
        freedom=freedom,
        curve=index,
        curve_freedom=np.bincount(index, weights=freedom).astype(np.float64),
    )


def _minus_log_likelihood(ratio: float, pieces: _Pieces) -> float:
    variance = 1.0 + ratio * pieces.relative_mean_squared
    total = np.bincount(pieces.curve, weights=pieces.squares / variance)
    used = (pieces.curve_freedom > 0) & (total > 0)
    scale = np.log(total[used] / pieces.curve_freedom[used])
    keep = used[pieces.curve]
    return float(np.sum(pieces.curve_freedom[used] * scale) + np.sum((pieces.freedom * np.log(variance))[keep]))


def estimate_variance(means: DoseMeans, fitted: Array, *, n_parameters: int, chosen: BoolArray) -> VarianceModel:
    """Pooled sigma0 and phi from unweighted dose means and their fitted values.

    Parameters
    ----------
    means : DoseMeans
        Collapsed with weight 1, so that `within_ss` is a plain sum of squares.
    fitted : array of shape (n_groups,)
        Fitted response, response units.
    n_parameters : int
        Parameters of each curve.
    chosen : boolean array of shape (n_curves,)
        Curves that take part.
    """
    pieces = _pieces(means, fitted, n_parameters, chosen)
    if pieces.curve_freedom.size == 0 or not np.any(pieces.squares > 0):
        return VarianceModel(sigma0=1.0, phi=0.0)
    grid = np.concatenate([[0.0], np.exp(np.linspace(np.log(1e-3), np.log(_LARGEST_RATIO), 33))])
    values = [_minus_log_likelihood(float(r), pieces) for r in grid]
    best = int(np.argmin(values))
    ratio = float(grid[best])
    if 1 <= best < grid.size - 1:
        ratio = _refine(max(float(grid[best - 1]), 1e-4), float(grid[best + 1]), pieces)
    ratio = _steady(ratio)
    variance = 1.0 + ratio * pieces.relative_mean_squared
    scale = float(np.sum(pieces.squares / variance) / max(float(np.sum(pieces.freedom)), 1e-12))
    largest = float(np.max(np.abs(fitted[chosen[means.curve_index()]]), initial=0.0))
    return VarianceModel(sigma0=_steady(float(np.sqrt(scale))), phi=_steady(float(np.sqrt(scale * ratio)) / max(largest, 1e-300)))


def _steady(value: float) -> float:
    """Rounded to 7 digits: sums taken in another order differ in the 13th, and no number downstream should know."""
    return float(f"{value:.6e}")


def _refine(low: float, high: float, pieces: _Pieces) -> float:
    """Golden-section search of the ratio between two grid neighbours, on the log scale, to 0.1 %."""
    golden = 0.6180339887498949
    a, b = np.log(low), np.log(high)
    c, d = b - golden * (b - a), a + golden * (b - a)
    fc, fd = _minus_log_likelihood(float(np.exp(c)), pieces), _minus_log_likelihood(float(np.exp(d)), pieces)
    while b - a > 1e-3:
        if fc < fd:
            b, d, fd = d, c, fc
            c = b - golden * (b - a)
            fc = _minus_log_likelihood(float(np.exp(c)), pieces)
        else:
            a, c, fc = c, d, fd
            d = a + golden * (b - a)
            fd = _minus_log_likelihood(float(np.exp(d)), pieces)
    return float(np.exp(0.5 * (a + b)))
