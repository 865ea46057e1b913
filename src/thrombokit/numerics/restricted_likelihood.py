"""Restricted likelihood of repeated measurements: rows of one subject share a covariance, subjects are independent.

Subjects with the same pattern of visits share one inverse and enter through a few (visits x visits) sums, so a step costs about the same for
twenty subjects and for two thousand. -2 REML = log|V| + log|X'V^-1 X| + r'V^-1 r + (n - p) log 2 pi, the count
of SAS PROC MIXED.

References
----------
Patterson & Thompson 1971, doi:10.1093/biomet/58.3.545 (REML). Fai & Cornelius 1996, doi:10.1080/00949659608811740 (Satterthwaite for a contrast).
Kenward & Roger 1997, doi:10.2307/2533558 (adjusted covariance of the estimates).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from thrombokit.numerics.arrays import Array, FrozenArrays, IntArray
from thrombokit.numerics.visit_covariance import Shape, VisitCovariance


@dataclass(frozen=True, kw_only=True, eq=False)
class Pattern(FrozenArrays):
    """Subjects seen at the same visits: `visits` (d,), `design` (k, d, p), `response` (k, d)."""

    visits: IntArray
    design: Array
    response: Array


@dataclass(frozen=True, kw_only=True, eq=False)
class RestrictedFit(FrozenArrays):
    """What a set of covariance parameters (q,) means for the data.

    `beta` (p,) and `beta_covariance` (p, p); `minus2_reml`; `gradient` (q,), `hessian` (q, q) and `expected` (q, q) of -2 REML;
    `covariance_slopes` (q, p, p): d(beta_covariance)/d(parameter); `curvature` (q, q, p, p): what Kenward and Roger's adjustment sums,
    empty unless asked for.
    """

    minus2_reml: float
    beta: Array
    beta_covariance: Array
    gradient: Array
    hessian: Array
    expected: Array
    covariance_slopes: Array
    curvature: Array


def by_pattern(subject: IntArray, visit: IntArray, design: Array, response: Array) -> tuple[Pattern, ...]:
    """Rows (n,) gathered by subject, subjects gathered by the visits they have; each subject at most once at a visit."""
    order = np.lexsort((visit, subject))
    starts = np.flatnonzero(np.r_[True, np.diff(subject[order]) != 0])
    rows_by_visits: dict[tuple[int, ...], list[IntArray]] = {}
    for rows in np.split(order, starts[1:]):
        rows_by_visits.setdefault(tuple(int(v) for v in visit[rows]), []).append(rows)
    return tuple(
        Pattern(visits=np.array(visits, dtype=np.int64), design=design[np.stack(rows)], response=response[np.stack(rows)])
        for visits, rows in sorted(rows_by_visits.items())
    )


@dataclass(frozen=True, eq=False)
class _Seen:
    """One pattern under one covariance: the inverse, and the sums over its subjects."""

    count: int
    visits: IntArray
    inverse: Array
    whitened: Array  # (k, d, p): V^-1 X
    log_determinant: float


def _seen(pattern: Pattern, matrix: Array) -> _Seen | None:
    part = matrix[np.ix_(pattern.visits, pattern.visits)]
    try:
        factor = np.linalg.cholesky(part)
    except np.linalg.LinAlgError:
        return None
    half = np.linalg.inv(factor)
    inverse = half.T @ half
    determinant = 2.0 * float(np.sum(np.log(np.diag(factor))))
    return _Seen(pattern.response.shape[0], pattern.visits, inverse, np.einsum("de,kep->kdp", inverse, pattern.design), determinant)


def restricted_minus2(patterns: Sequence[Pattern], covariance: VisitCovariance, parameters: Array) -> float:
    """-2 REML at covariance parameters of shape (q,); infinite where a covariance is not positive definite."""
    solved = _solve(patterns, covariance.at(parameters).matrix)
    return math.inf if solved is None else solved.minus2


@dataclass(frozen=True, eq=False)
class _Solved:
    seen: tuple[_Seen, ...]
    minus2: float
    beta: Array
    beta_covariance: Array
    residuals: tuple[Array, ...]  # (k, d) a pattern: V^-1 (y - X beta)


def _solve(patterns: Sequence[Pattern], matrix: Array) -> _Solved | None:
    """Generalised least squares for a covariance of all visits."""
    seen: list[_Seen] = []
    for pattern in patterns:
        one = _seen(pattern, matrix)
        if one is None:
            return None
        seen.append(one)
    p = patterns[0].design.shape[2]
    normal, right = np.zeros((p, p)), np.zeros(p)
    for pattern, one in zip(patterns, seen, strict=True):
        normal += np.einsum("kdp,kdq->pq", one.whitened, pattern.design)
        right += np.einsum("kdp,kd->p", one.whitened, pattern.response)
    sign, log_normal = np.linalg.slogdet(normal)
    if sign <= 0 or not math.isfinite(log_normal):
        return None
    inverse = np.linalg.inv(normal)
    inverse = 0.5 * (inverse + inverse.T)
    beta = inverse @ right
    minus2, n, residuals = float(log_normal), 0, []
    for pattern, one in zip(patterns, seen, strict=True):
        left = pattern.response - pattern.design @ beta
        weighted = left @ one.inverse
        residuals.append(weighted)
        minus2 += one.count * one.log_determinant + float(np.sum(left * weighted))
        n += left.size
    return _Solved(tuple(seen), minus2 + (n - p) * math.log(2.0 * math.pi), beta, inverse, tuple(residuals))


def restricted_fit(
    patterns: Sequence[Pattern], covariance: VisitCovariance, parameters: Array, *, curved: bool = False
) -> RestrictedFit | None:
    """Estimates, likelihood and its derivatives at covariance parameters of shape (q,); None where they do not exist.

    `curved` also sums `curvature`, which costs far more than the rest where there are many visits.
    """
    shape = covariance.at(parameters)
    solved = _solve(patterns, shape.matrix)
    if solved is None:
        return None
    q, p = shape.first.shape[0], solved.beta.size
    sums = _Sums(q, p, curved=curved)
    for one, residual in zip(solved.seen, solved.residuals, strict=True):
        sums.add(one, residual, shape, solved.beta_covariance)
    inner = np.einsum("pr,arq->apq", solved.beta_covariance, sums.slope)  # C S_a
    expected = sums.trace + np.einsum("apq,bqp->ab", inner, inner)
    hessian = (
        2.0 * (sums.quadratic - np.einsum("ap,pq,bq->ab", sums.pull, solved.beta_covariance, sums.pull)) - expected + sums.bend
    )
    slopes = np.einsum("apq,qr->apr", inner, solved.beta_covariance)
    curvature: Array = sums.curvature
    if curved:
        np.subtract(curvature, np.matmul(sums.slope[:, None], inner[None, :]), out=curvature)
    return RestrictedFit(minus2_reml=solved.minus2, beta=solved.beta, beta_covariance=solved.beta_covariance, gradient=sums.gradient,
                         hessian=0.5 * (hessian + hessian.T), expected=0.5 * (expected + expected.T),
                         covariance_slopes=slopes, curvature=curvature)  # fmt: skip


class _Sums:
    """What the derivatives of -2 REML need of all patterns: V_a = dV/da, W = V^-1, M = sum WX C X'W, U = sum u u' with u = W r."""

    def __init__(self, q: int, p: int, *, curved: bool) -> None:
        self.curved = curved
        self.gradient = np.zeros(q)
        self.trace = np.zeros((q, q))  # k tr(W Va W Vb) - 2 tr(Va W Vb M)
        self.quadratic = np.zeros((q, q))  # u' Va W Vb u
        self.bend = np.zeros((q, q))  # what the second derivatives of V add
        self.slope = np.zeros((q, p, p))  # X'W Va W X
        self.pull = np.zeros((q, p))  # X'W Va u
        self.curvature: Array = np.zeros((q, q, p, p) if curved else (0, 0, p, p))  # X'W Va W Vb W X - X'W Vab W X / 4

    def add(self, one: _Seen, residual: Array, shape: Shape, beta_covariance: Array) -> None:
        """Add a pattern's subjects."""
        at = np.ix_(one.visits, one.visits)
        first, second = shape.first[:, at[0], at[1]], shape.second[:, :, at[0], at[1]]
        means = np.tensordot(one.whitened @ beta_covariance, one.whitened, axes=([0, 2], [0, 2]))
        spread = residual.T @ residual
        products = np.tensordot(one.whitened, one.whitened, axes=(0, 0)).transpose(0, 2, 1, 3)
        turned = np.einsum("de,aef->adf", one.inverse, first)  # W Va
        through = np.tensordot(first, turned, axes=(2, 1)).transpose(0, 2, 1, 3)  # Va W Vb
        self.gradient += one.count * np.einsum("add->a", turned) - np.einsum("ade,ed->a", first, means + spread)
        self.trace += one.count * np.einsum("ade,bed->ab", turned, turned) - 2.0 * np.einsum("abde,ed->ab", through, means)
        self.quadratic += np.einsum("abde,ed->ab", through, spread)
        self.bend += np.einsum("abde,ed->ab", second, one.count * one.inverse - means - spread)
        self.slope += np.tensordot(first, products, axes=([1, 2], [0, 1]))
        self.pull += np.tensordot(first, np.tensordot(one.whitened, residual, axes=(0, 0)), axes=([1, 2], [0, 2]))
        if self.curved:
            q, d, p = first.shape[0], first.shape[1], products.shape[2]
            flat = (through - 0.25 * second).reshape(q * q, d * d) @ products.reshape(d * d, p * p)
            np.add(self.curvature, flat.reshape(q, q, p, p), out=self.curvature)
