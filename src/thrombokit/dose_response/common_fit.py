"""Two curves fitted together with common plateaus and slope, each with its own EC50: the model behind parallelism and relative potency."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thrombokit.dose_response.weighted_means import WeightedMeans
from thrombokit.numerics.arrays import Array, FrozenArrays
from thrombokit.numerics.least_squares import LeastSquares, least_squares
from thrombokit.numerics.logistic_fit import LN_HILL_HIGH, LN_HILL_LOW, REACH
from thrombokit.numerics.outcome import Outcome


@dataclass(frozen=True, kw_only=True, eq=False)
class CommonFit(FrozenArrays):
    """Unknowns a0, a1, ln hill, then ln EC50 of the reference and of the test: theta (5,), inverse of J'WJ (5, 5).

    `rss` includes the pure error of both curves; `degrees` is points minus 5.
    """

    theta: Array
    inverse: Array
    rss: float
    degrees: int
    outcome: Outcome

    @property
    def ln_ratio(self) -> float:
        """ln(EC50 of the reference / EC50 of the test)."""
        return float(self.theta[3] - self.theta[4])

    @property
    def se_ln_ratio(self) -> float:
        """Its standard error with the fit's own residual scale."""
        contrast = np.array([0.0, 0.0, 0.0, 1.0, -1.0])
        return float(np.sqrt(contrast @ self.inverse @ contrast * self.rss / self.degrees))


def fit_common(reference: WeightedMeans, test: WeightedMeans, starts: tuple[Array, Array]) -> CommonFit:
    """Weighted least squares of two curves that differ in EC50 alone.

    Parameters
    ----------
    reference, test : WeightedMeans
        Dose means with their final weights.
    starts : two arrays of shape (4,)
        Their free fits: a0, a1, ln EC50, ln hill.
    """
    x = np.concatenate([reference.x, test.x])
    y = np.concatenate([reference.mean, test.mean])
    root = np.sqrt(np.concatenate([reference.weight, test.weight]))
    second = np.concatenate([np.zeros(reference.x.size, dtype=bool), np.ones(test.x.size, dtype=bool)])
    finite = x[np.isfinite(x)]
    low = np.array([-np.inf, -np.inf, LN_HILL_LOW, finite.min() - REACH, finite.min() - REACH])
    high = np.array([np.inf, np.inf, LN_HILL_HIGH, finite.max() + REACH, finite.max() + REACH])

    def residual(theta: Array) -> Array:
        return root * (_logistic(theta, x, second)[0] - y)

    def jacobian(theta: Array) -> Array:
        return root[:, None] * _logistic(theta, x, second)[1]

    best: LeastSquares | None = None
    for start in _starts(*starts):
        found = least_squares(residual, start, jacobian=jacobian, low=low, high=high, max_steps=300)
        if best is None or found.rss < best.rss:
            best = found
    assert best is not None
    n = reference.n_points + test.n_points
    rss = best.rss + reference.pure + test.pure
    return CommonFit(theta=best.parameters, inverse=best.inverse, rss=rss, degrees=n - 5, outcome=best.outcome)


def _starts(reference: Array, test: Array) -> list[Array]:
    both = 0.5 * (reference + test)
    return [
        np.array([both[0], both[1], both[3], reference[2], test[2]]),
        np.array([reference[0], reference[1], reference[3], reference[2], test[2]]),
        np.array([test[0], test[1], 0.0, reference[2], test[2]]),
    ]


def _logistic(theta: Array, x: Array, second: Array) -> tuple[Array, Array]:
    """Fitted values (n,) and their derivatives (n, 5)."""
    a0, a1, ln_h = theta[0], theta[1], theta[2]
    h = np.exp(ln_h)
    m = np.where(second, theta[4], theta[3])
    at_zero = np.isneginf(x)
    z = np.clip(h * (np.where(at_zero, 0.0, x) - m), -700.0, 700.0)
    g = np.where(at_zero, 0.0, 1.0 / (1.0 + np.exp(-z)))
    slope = np.where(at_zero, 0.0, np.exp(-np.abs(z)) / (1.0 + np.exp(-np.abs(z))) ** 2) * (a1 - a0)
    by_m = -h * slope
    return a0 + (a1 - a0) * g, np.stack([1.0 - g, g, z * slope, np.where(second, 0.0, by_m), np.where(second, by_m, 0.0)], axis=1)
