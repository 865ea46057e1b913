"""Several curves fitted together: each unknown free in every curve, shared by all, or held at a value.

The model behind parallelism (common plateaus and slope), global fits of a compound over plates, and single fits with a known plateau.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from thrombokit.dose_response.weighted_means import WeightedMeans
from thrombokit.errors import Fault, InputError
from thrombokit.numerics.arrays import Array, FrozenArrays, IntArray
from thrombokit.numerics.least_squares import LeastSquares, least_squares
from thrombokit.numerics.logistic_fit import CLEAN, LN_HILL_HIGH, LN_HILL_LOW, REACH
from thrombokit.numerics.outcome import Outcome

UNKNOWNS = ("a0", "a1", "ln_ec50", "ln_hill")
"""Of each curve: response at dose 0, plateau at high dose, ln EC50 (nM), ln hill slope."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SharedFit(FrozenArrays):
    """theta : (n_curves, 4) in the order of `UNKNOWNS`. covariance : (n_curves * 4, n_curves * 4), residual scale included, 0 where held.

    rss : weighted, pure error included. degrees : points minus free parameters.
    """

    theta: Array
    covariance: Array
    rss: float
    degrees: int
    n_parameters: int
    n_points: int
    outcome: Outcome

    def ln_ratio(self, reference: int, test: int) -> tuple[float, float]:
        """ln(EC50 of curve `reference` / EC50 of curve `test`) and its standard error."""
        i, j = 4 * reference + 2, 4 * test + 2
        variance = self.covariance[i, i] + self.covariance[j, j] - 2.0 * self.covariance[i, j]
        return float(self.theta[reference, 2] - self.theta[test, 2]), float(np.sqrt(max(variance, 0.0)))

    @property
    def aicc(self) -> float:
        """Akaike's criterion, corrected for few points (Hurvich & Tsai 1989, doi:10.1093/biomet/76.2.297); the noise scale counts."""
        k = self.n_parameters + 1
        n = self.n_points
        return n * float(np.log(self.rss / n)) + 2.0 * k * n / max(n - k - 1, 1)


def fit_shared(
    curves: Sequence[WeightedMeans], starts: Array, *, shared: Sequence[str] = (), held: Mapping[str, float] | None = None
) -> SharedFit:
    """Weighted least squares over several curves.

    Parameters
    ----------
    curves : sequence of WeightedMeans
        Dose means with their final weights.
    starts : array of shape (n_curves, 4)
        Their free fits, in the order of `UNKNOWNS`.
    shared : names of `UNKNOWNS`
        Equal in all curves.
    held : name of `UNKNOWNS` -> value, optional
        Not estimated.

    Returns
    -------
    SharedFit

    Raises
    ------
    InputError
        If a name is none of `UNKNOWNS`, or both shared and held.
    """
    held = dict(held or {})
    _check(shared, held)
    index = _parameter_index(len(curves), shared, held)
    problem = _Problem(curves, index, held)
    best: LeastSquares | None = None
    low, high = problem.bounds()
    for start in problem.starts(starts):
        found = least_squares(problem.residual, start, jacobian=problem.jacobian, low=low, high=high, max_steps=300, tolerance=1e-9)
        if best is None or found.rss < best.rss:
            best = found
        if best.rss < CLEAN * problem.spread:
            break  # clean curves have one minimum; others are tried from every start
    assert best is not None
    n_points = sum(c.n_points for c in curves)
    rss = best.rss + sum(c.pure for c in curves)
    degrees = n_points - best.parameters.size
    return SharedFit(
        theta=problem.unpacked(best.parameters),
        covariance=problem.spread_out(best.inverse) * rss / max(degrees, 1),
        rss=rss,
        degrees=degrees,
        n_parameters=best.parameters.size,
        n_points=n_points,
        outcome=best.outcome,
    )


def _check(shared: Sequence[str], held: Mapping[str, float]) -> None:
    expected = "of " + ", ".join(UNKNOWNS)
    faults = [
        Fault(place="fit_shared", found=f'"{name}"', expected=expected, cure="Use one of these names.")
        for name in (*shared, *held)
        if name not in UNKNOWNS
    ]
    faults += [
        Fault(place="fit_shared", found=f'"{name}" both shared and held', expected="one of the two", cure="Leave one out.")
        for name in shared
        if name in held
    ]
    if faults:
        raise InputError(faults)


def _parameter_index(n_curves: int, shared: Sequence[str], held: Mapping[str, float]) -> IntArray:
    """Position in the parameter vector of unknown k of curve i, shape (n_curves, 4); -1 where held."""
    index = np.full((n_curves, 4), -1, dtype=np.int64)
    used = 0
    for k, name in enumerate(UNKNOWNS):
        if name in held:
            continue
        for i in range(n_curves):
            if name in shared and i > 0:
                index[i, k] = index[0, k]
            else:
                index[i, k] = used
                used += 1
    return index


class _Problem:
    """Residuals and their derivatives for one arrangement of free, shared and held unknowns."""

    def __init__(self, curves: Sequence[WeightedMeans], index: IntArray, held: Mapping[str, float]) -> None:
        self.index = index
        self.held = np.array([held.get(name, np.nan) for name in UNKNOWNS])
        self.curve = np.repeat(np.arange(len(curves)), [c.x.size for c in curves])
        self.x = np.concatenate([c.x for c in curves])
        self.y = np.concatenate([c.mean for c in curves])
        self.root = np.sqrt(np.concatenate([c.weight for c in curves]))
        self.at_zero = np.isneginf(self.x)
        self.n_parameters = int(index.max()) + 1
        weight = self.root**2
        self.spread = float(np.sum(weight * (self.y - np.sum(weight * self.y) / np.sum(weight)) ** 2))

    def unpacked(self, parameters: Array) -> Array:
        """theta (n_curves, 4) from the parameter vector."""
        theta = np.where(self.index >= 0, parameters[np.maximum(self.index, 0)], self.held[None, :])
        return theta.astype(np.float64)

    def packed(self, theta: Array) -> Array:
        """Parameter vector from theta; a shared unknown takes the mean of its curves."""
        total, count = np.zeros(self.n_parameters), np.zeros(self.n_parameters)
        used = self.index >= 0
        np.add.at(total, self.index[used], theta[used])
        np.add.at(count, self.index[used], 1.0)
        return total / count

    def starts(self, theta: Array) -> list[Array]:
        """The curves' own fits, and the same with every slope at 1."""
        plain = theta.copy()
        plain[:, 3] = 0.0
        first = theta.copy()
        first[:, [0, 1, 3]] = theta[0, [0, 1, 3]]
        return [self.packed(t) for t in (theta, plain, first)]

    def bounds(self) -> tuple[Array, Array]:
        """Bounds of the parameter vector: hill slope 0.1 to 10, EC50 within reach of the doses."""
        finite = self.x[~self.at_zero]
        low = np.tile([-np.inf, -np.inf, finite.min() - REACH, LN_HILL_LOW], (self.index.shape[0], 1))
        high = np.tile([np.inf, np.inf, finite.max() + REACH, LN_HILL_HIGH], (self.index.shape[0], 1))
        ends: list[Array] = []
        for values in (low, high):
            packed = np.empty(self.n_parameters)
            packed[self.index[self.index >= 0]] = values[self.index >= 0]
            ends.append(packed)
        return ends[0], ends[1]

    def _parts(self, parameters: Array) -> tuple[Array, Array, Array, Array, Array]:
        a0, a1, m, ln_h = self.unpacked(parameters)[self.curve].T
        h = np.exp(ln_h)
        z = np.clip(h * (np.where(self.at_zero, 0.0, self.x) - m), -700.0, 700.0)
        g = np.where(self.at_zero, 0.0, 1.0 / (1.0 + np.exp(-z)))
        small = np.exp(-np.abs(z))
        slope = np.where(self.at_zero, 0.0, small / (1.0 + small) ** 2) * (a1 - a0)
        return a0 + (a1 - a0) * g, g, slope, h, z

    def residual(self, parameters: Array) -> Array:
        """Weighted residuals of the dose means, shape (n_means,)."""
        return self.root * (self._parts(parameters)[0] - self.y)

    def jacobian(self, parameters: Array) -> Array:
        """Their derivatives, shape (n_means, n_parameters)."""
        _, g, slope, h, z = self._parts(parameters)
        out = np.zeros((self.x.size, self.n_parameters))
        rows = np.arange(self.x.size)
        for k, column in enumerate((1.0 - g, g, -h * slope, z * slope)):
            at = self.index[self.curve, k]
            keep = at >= 0
            out[rows[keep], at[keep]] += (self.root * column)[keep]
        return out

    def spread_out(self, inverse: Array) -> Array:
        """The parameters' matrix as one over all unknowns of all curves, 0 where held."""
        flat = self.index.ravel()
        out = inverse[np.ix_(np.maximum(flat, 0), np.maximum(flat, 0))]
        out[flat < 0, :] = 0.0
        out[:, flat < 0] = 0.0
        return out
