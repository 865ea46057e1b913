"""Find the covariance that the restricted likelihood likes best, and what it says of a contrast of the means.

The search runs on the response divided by its residual standard deviation, by damped Fisher scoring from a moment estimate.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from thrombokit.numerics.arrays import Array, FrozenArrays, frozen
from thrombokit.numerics.fisher_scoring import Box, LocalModel, maximise
from thrombokit.numerics.outcome import Outcome
from thrombokit.numerics.restricted_likelihood import Pattern, RestrictedFit, restricted_fit, restricted_minus2
from thrombokit.numerics.visit_covariance import VisitCovariance

SINGULAR = 1e-6
"""Smallest eigenvalue of a correlation matrix below which a covariance counts as lying on its bound."""


@dataclass(frozen=True, kw_only=True, eq=False)
class RepeatedFit(FrozenArrays):
    """A fitted model of repeated measurements.

    `beta` (p,), `beta_covariance` (p, p), `covariance` (m, m) of the visits, `parameters` (q,) of the structure, `parameter_covariance` (q, q)
    from the observed information (NaN where it is not positive definite), `minus2_reml`, `outcome`.
    """

    beta: Array
    beta_covariance: Array
    covariance: Array
    parameters: Array
    parameter_covariance: Array
    minus2_reml: float
    outcome: Outcome
    at_optimum: RestrictedFit

    def contrast(self, weights: Array, *, kenward_roger: bool = False) -> tuple[float, float, float]:
        """Estimate, standard error and degrees of freedom of weights (p,) . beta; NaN degrees where they are not known."""
        spread = self._adjusted() if kenward_roger else self.beta_covariance
        parameters = 2.0 * _inverse(self.at_optimum.expected) if kenward_roger else self.parameter_covariance
        plain = float(weights @ self.beta_covariance @ weights)
        slope = np.einsum("p,apq,q->a", weights, self.at_optimum.covariance_slopes, weights)
        noise = float(slope @ parameters @ slope)
        degrees = 2.0 * plain**2 / noise if noise > 0.0 else math.nan
        return float(weights @ self.beta), math.sqrt(float(weights @ spread @ weights)), degrees

    def _adjusted(self) -> Array:
        """Kenward and Roger's covariance of beta."""
        fit, noise = self.at_optimum, 2.0 * _inverse(self.at_optimum.expected)
        inner = np.einsum("ab,abpq->pq", noise, fit.curvature)
        added = 2.0 * fit.beta_covariance @ (0.5 * (inner + inner.T)) @ fit.beta_covariance
        return fit.beta_covariance + added


def fit_repeated(patterns: Sequence[Pattern], covariance: VisitCovariance, *, kenward_roger: bool = False) -> RepeatedFit:
    """Restricted maximum likelihood.

    Parameters
    ----------
    patterns : sequence of Pattern
        From `by_pattern`; the design has full column rank, and every pair of visits of an unstructured covariance is seen together.
    covariance : VisitCovariance
    kenward_roger : bool
        Whether contrasts with Kenward and Roger's adjustment will be asked for.

    Returns
    -------
    RepeatedFit
        `outcome` says how the search ended; `at_bound` where the covariance is all but singular.
    """
    scale, rough = _moments(patterns, covariance.n_visits)
    scaled = [replace(pattern, response=pattern.response / scale) for pattern in patterns]
    start = covariance.start(rough / scale**2)

    def value(point: Array) -> float:
        return -0.5 * restricted_minus2(scaled, covariance, point)

    def linearise(point: Array) -> LocalModel | None:
        fit = restricted_fit(scaled, covariance, point)
        if fit is None:
            return None
        return LocalModel(value=-0.5 * fit.minus2_reml, gradient=-0.5 * fit.gradient, information=0.5 * fit.expected)

    box = Box(lower=np.full(start.size, -math.inf), upper=np.full(start.size, math.inf), longest_step=np.full(start.size, 10.0),
              free=frozen(np.ones(start.size), np.bool_))  # fmt: skip
    best = maximise(value, linearise, start, box, gain=1e-9)
    if best.outcome is Outcome.CONVERGED:
        best = replace(best, point=_polished(scaled, covariance, best.point))
    return _in_units(patterns, covariance, best.point, best.outcome, scale, curved=kenward_roger)


def _polished(patterns: Sequence[Pattern], covariance: VisitCovariance, point: Array) -> Array:
    """Newton steps from a maximum that the likelihood's own rounding hides; taken while the gradient shrinks."""
    fit = restricted_fit(patterns, covariance, point)
    for _ in range(4):
        if fit is None or not np.isfinite(inverse := _inverse(fit.hessian)).all():
            return point
        moved = point - inverse @ fit.gradient
        following = restricted_fit(patterns, covariance, moved)
        if following is None or not np.abs(following.gradient).max() < np.abs(fit.gradient).max():
            return point
        point, fit = moved, following
    return point


def _moments(patterns: Sequence[Pattern], n_visits: int) -> tuple[float, Array]:
    """Residual standard deviation, and the covariance of ordinary residuals over the pairs of visits seen together."""
    design = np.concatenate([pattern.design.reshape(-1, pattern.design.shape[2]) for pattern in patterns])
    response = np.concatenate([pattern.response.ravel() for pattern in patterns])
    beta = np.linalg.lstsq(design, response, rcond=None)[0]
    total, seen = np.zeros((n_visits, n_visits)), np.zeros((n_visits, n_visits))
    for pattern in patterns:
        left = pattern.response - pattern.design @ beta
        at = np.ix_(pattern.visits, pattern.visits)
        total[at] += left.T @ left
        seen[at] += left.shape[0]
    covariance = total / np.maximum(seen, 1.0)
    overall = float(np.trace(total) / max(np.trace(seen), 1.0))
    floor = max(overall * 1e-4, np.finfo(float).tiny)
    np.fill_diagonal(covariance, np.maximum(np.diag(covariance), floor))
    return math.sqrt(max(overall, np.finfo(float).tiny)), covariance


def _in_units(
    patterns: Sequence[Pattern], covariance: VisitCovariance, point: Array, outcome: Outcome, scale: float, *, curved: bool
) -> RepeatedFit:
    """From the scaled response back to its unit."""
    parameters = _unscaled(covariance, point, scale)
    matrix = covariance.at(parameters).matrix
    fit = restricted_fit(patterns, covariance, parameters, curved=curved)
    if fit is None:
        return _without_answer(covariance, point.size, patterns[0].design.shape[2])
    sd = np.sqrt(np.diag(matrix))
    if outcome is Outcome.CONVERGED and np.linalg.eigvalsh(matrix / np.outer(sd, sd))[0] < SINGULAR:
        outcome = Outcome.AT_BOUND
    return RepeatedFit(beta=fit.beta, beta_covariance=fit.beta_covariance, covariance=matrix, parameters=parameters,
                       parameter_covariance=2.0 * _inverse(fit.hessian), minus2_reml=fit.minus2_reml, outcome=outcome, at_optimum=fit)  # fmt: skip


def _unscaled(covariance: VisitCovariance, point: Array, scale: float) -> Array:
    """Parameters in the response's unit: variances and covariances by scale^2, standard deviations by scale, correlations as they are."""
    factors = {"cov": scale**2, "var": scale**2, "sd(": scale, "rho": 1.0}
    return point * np.array([factors[name[:3]] for name in covariance.parameter_names])


def _inverse(matrix: Array) -> Array:
    """The inverse of a positive definite matrix, NaN for another; balanced first, as parameters may have different units."""
    if not (np.diag(matrix) > 0.0).all():
        return np.full(matrix.shape, math.nan)
    scale = np.sqrt(np.diag(matrix))
    balanced = matrix / np.outer(scale, scale)
    try:
        np.linalg.cholesky(balanced)
    except np.linalg.LinAlgError:
        return np.full(matrix.shape, math.nan)
    return np.linalg.inv(balanced) / np.outer(scale, scale)


def _without_answer(covariance: VisitCovariance, q: int, p: int) -> RepeatedFit:
    m = covariance.n_visits
    nothing = RestrictedFit(minus2_reml=math.nan, beta=np.full(p, math.nan), beta_covariance=np.full((p, p), math.nan),
                            gradient=np.full(q, math.nan), hessian=np.full((q, q), math.nan), expected=np.full((q, q), math.nan),
                            covariance_slopes=np.full((q, p, p), math.nan), curvature=np.full((q, q, p, p), math.nan))  # fmt: skip
    return RepeatedFit(beta=nothing.beta, beta_covariance=nothing.beta_covariance, covariance=np.full((m, m), math.nan),
                       parameters=np.full(q, math.nan), parameter_covariance=np.full((q, q), math.nan), minus2_reml=math.nan,
                       outcome=Outcome.NOT_FINITE, at_optimum=nothing)  # fmt: skip
