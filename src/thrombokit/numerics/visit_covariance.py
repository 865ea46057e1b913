"""Covariance of one subject's visits, as a function of a few parameters, with first and second derivatives.

unstructured: every variance and covariance its own; compound symmetry: one variance, one covariance; AR(1): variance and correlation rho, which
falls as rho^lag; Toeplitz: one covariance a lag. The heterogeneous forms (ending in h) scale a correlation matrix of that shape by a
standard deviation a visit.

Reference: SAS/STAT, The MIXED Procedure, table of covariance structures (UN, CS, AR(1), TOEP, CSH, ARH(1), TOEPH).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from thrombokit.numerics.arrays import Array, FrozenArrays

STRUCTURES = ("us", "ar1", "cs", "toeplitz", "ar1h", "csh", "toeplitzh")
"""What may be asked for; an ending h means a standard deviation of its own a visit."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Shape(FrozenArrays):
    """A covariance of shape (m, m), `first` (q, m, m) and `second` (q, q, m, m) derivatives by its q parameters."""

    matrix: Array
    first: Array
    second: Array


@dataclass(frozen=True, kw_only=True)
class VisitCovariance:
    """One structure for `n_visits` visits; `parameter_names` in the order of the parameters."""

    structure: str
    n_visits: int

    def __post_init__(self) -> None:
        if self.structure not in STRUCTURES:
            raise ValueError(f"no covariance structure {self.structure!r}; there are {', '.join(STRUCTURES)}")

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """us: cov(j,k) with j >= k; ar1: variance, rho; cs: variance, covariance; toeplitz: cov(lag 0) ...; heterogeneous: sd(j) first."""
        m = self.n_visits
        if self.structure == "us":
            return tuple(f"cov({j + 1},{k + 1})" for j in range(m) for k in range(j + 1))
        if self.structure.endswith("h"):
            return (*(f"sd({j + 1})" for j in range(m)), *_CORRELATION_NAMES[self.structure[:-1]](m))
        return _HOMOGENEOUS_NAMES[self.structure](m)

    def at(self, parameters: Array) -> Shape:
        """The covariance and its derivatives at parameters of shape (q,); not checked to be positive definite."""
        if self.structure.endswith("h"):
            return _scaled(self.structure[:-1], parameters, self.n_visits)
        return _HOMOGENEOUS[self.structure](parameters, self.n_visits)

    def start(self, covariance: Array) -> Array:
        """Parameters near a rough covariance of shape (m, m) whose diagonal is positive; their matrix is positive definite."""
        m = self.n_visits
        variances = np.diag(covariance)
        correlation = covariance / np.sqrt(np.outer(variances, variances))
        lag_1 = float(np.clip(np.mean(np.diag(correlation, 1)), 0.0, 0.8)) if m > 1 else 0.0
        if self.structure == "us":
            matrix = _made_definite(covariance)
            return np.array([matrix[j, k] for j in range(m) for k in range(j + 1)])
        even = float(np.mean(correlation[np.triu_indices(m, 1)])) if m > 1 else 0.0
        shape = {
            "ar1": [lag_1],
            "cs": [float(np.clip(even, 0.0, 0.8))],
            "toeplitz": [lag_1**lag for lag in range(1, m)],
        }[self.structure.removesuffix("h")]
        if self.structure.endswith("h"):
            return np.array([*np.sqrt(variances), *shape])
        variance = float(np.mean(variances))
        return np.array([variance, shape[0]]) if self.structure == "ar1" else variance * np.array([1.0, *shape])


def _made_definite(covariance: Array) -> Array:
    """The covariance, drawn towards its diagonal until it is safely positive definite."""
    diagonal = np.diag(np.diag(covariance))
    for share in (0.0, 0.1, 0.3, 0.6, 1.0):
        drawn = (1.0 - share) * covariance + share * diagonal
        scale = np.sqrt(np.outer(np.diag(drawn), np.diag(drawn)))
        if np.linalg.eigvalsh(drawn / scale)[0] > 0.02:
            return drawn
    return diagonal


def _linear(basis: Array, parameters: Array) -> Shape:
    q, m = basis.shape[0], basis.shape[1]
    return Shape(matrix=np.tensordot(parameters, basis, 1), first=basis, second=np.zeros((q, q, m, m)))


def _lags(m: int) -> Array:
    return np.abs(np.subtract.outer(np.arange(m), np.arange(m))).astype(np.float64)


def _unstructured(parameters: Array, m: int) -> Shape:
    pairs = [(j, k) for j in range(m) for k in range(j + 1)]
    basis = np.zeros((len(pairs), m, m))
    for place, (j, k) in enumerate(pairs):
        basis[place, j, k] = basis[place, k, j] = 1.0
    return _linear(basis, parameters)


def _compound(parameters: Array, m: int) -> Shape:
    return _linear(np.stack([np.eye(m), 1.0 - np.eye(m)]), parameters)


def _toeplitz(parameters: Array, m: int) -> Shape:
    return _linear(np.stack([(_lags(m) == lag).astype(np.float64) for lag in range(m)]), parameters)


def _power(rho: float, lags: Array, order: int) -> Array:
    """The derivative of rho^lag of an order 0, 1 or 2."""
    factor = np.ones_like(lags)
    for step in range(order):
        factor = factor * (lags - step)
    return factor * np.where(lags >= order, float(rho) ** np.maximum(lags - order, 0.0), 0.0)


def _autoregressive(parameters: Array, m: int) -> Shape:
    variance, rho = parameters
    power = [_power(rho, _lags(m), order) for order in range(3)]
    second = np.zeros((2, 2, m, m))
    second[0, 1] = second[1, 0] = power[1]
    second[1, 1] = variance * power[2]
    return Shape(matrix=variance * power[0], first=np.stack([power[0], variance * power[1]]), second=second)


def _correlation(structure: str, parameters: Array, m: int) -> Shape:
    """A correlation matrix: the homogeneous structure with a variance of 1."""
    if structure == "ar1":
        power = [_power(parameters[0], _lags(m), order) for order in range(3)]
        return Shape(matrix=power[0], first=power[1][None], second=power[2][None, None])
    whole = _HOMOGENEOUS[structure](np.array([1.0, *parameters]), m)
    return Shape(matrix=whole.matrix, first=whole.first[1:], second=whole.second[1:, 1:])


def _scaled(structure: str, parameters: Array, m: int) -> Shape:
    """D R D with D the diagonal of standard deviations."""
    sd, inner = parameters[:m], _correlation(structure, parameters[m:], m)
    outer, q = np.outer(sd, sd), parameters.size
    unit = np.eye(m)
    first, second = np.zeros((q, m, m)), np.zeros((q, q, m, m))
    by_sd = np.stack([np.outer(unit[j], sd) + np.outer(sd, unit[j]) for j in range(m)])  # of outer, by each standard deviation
    first[:m], first[m:] = by_sd * inner.matrix, outer * inner.first
    for j in range(m):
        for k in range(m):
            second[j, k] = (np.outer(unit[j], unit[k]) + np.outer(unit[k], unit[j])) * inner.matrix
        second[j, m:] = second[m:, j] = by_sd[j] * inner.first
    second[m:, m:] = outer * inner.second
    return Shape(matrix=outer * inner.matrix, first=first, second=second)


_HOMOGENEOUS: dict[str, Callable[[Array, int], Shape]] = {
    "us": _unstructured, "cs": _compound, "toeplitz": _toeplitz, "ar1": _autoregressive,
}  # fmt: skip
_CORRELATION_NAMES: dict[str, Callable[[int], tuple[str, ...]]] = {
    "ar1": lambda _: ("rho",),
    "cs": lambda _: ("rho",),
    "toeplitz": lambda m: tuple(f"rho(lag {lag})" for lag in range(1, m)),
}
_HOMOGENEOUS_NAMES: dict[str, Callable[[int], tuple[str, ...]]] = {
    "ar1": lambda _: ("variance", "rho"),
    "cs": lambda _: ("variance", "covariance"),
    "toeplitz": lambda m: tuple(f"cov(lag {lag})" for lag in range(m)),
}
