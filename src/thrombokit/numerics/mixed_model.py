"""Linear mixed model: y = X beta + Z b + e, with b of every group drawn anew and e of variance sigma^2 / weight.

Random effects are independent of each other (a diagonal covariance): random intercept, random slope, or one for each parameter of a curve.
Variances maximise the restricted likelihood (REML); standard errors and degrees of freedom are Kenward and Roger's, which allow for the
variances being estimates. All sums are formed once for each group, so that a step of the search costs a few q x q solves and not the data.

References: Patterson & Thompson 1971, doi:10.1093/biomet/58.3.545 (REML); Kenward & Roger 1997, doi:10.2307/2533558; Lindstrom &
Bates 1988, doi:10.1080/01621459.1988.10478693 (profiled form).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thrombokit.numerics.arrays import Array, FrozenArrays, IntArray
from thrombokit.numerics.outcome import Outcome

_ZERO = 1e-4
_AWAY_FROM_ZERO = 0.1
_MAX_STEPS, _LONGEST = 300, 2.0


@dataclass(frozen=True, kw_only=True, eq=False)
class MixedFit(FrozenArrays):
    """Fixed effects, variances and the groups' own effects; p fixed effects, q random ones, g groups.

    beta : (p,). covariance : (p, p), Kenward-Roger. degrees : (p,) of each fixed effect's t interval. residual_variance : sigma^2.
    random_variance : (q,), 0 where REML finds none. effects : (g, q) predicted b. minus_two_reml : up to a constant.
    ratio : (q,) roots of random_variance / sigma^2, to start a similar fit from. scores : (g, p) each group's pull on beta; they sum to 0.
    """

    beta: Array
    covariance: Array
    degrees: Array
    residual_variance: float
    random_variance: Array
    effects: Array
    minus_two_reml: float
    ratio: Array
    scores: Array
    outcome: Outcome

    def cluster_covariance(self) -> Array:
        """Covariance of beta (p, p) from the spread of the groups' pulls: n / (n - 1) sum of s s'.

        For balanced groups this is the variance of the mean of the groups' own estimates, whatever the variances were estimated to be.
        """
        n = self.scores.shape[0]
        return n / (n - 1.0) * self.scores.T @ self.scores


@dataclass(frozen=True, kw_only=True, eq=False)
class _Sums:
    """Weighted sums of every group: zz (g, q, q), zx (g, q, p), zy (g, q), xx (g, p, p), xy (g, p), and of all: yy; n data."""

    zz: Array
    zx: Array
    zy: Array
    xx: Array
    xy: Array
    yy: float
    n: int


@dataclass(frozen=True, kw_only=True, eq=False)
class _State:
    """The restricted likelihood at one set of variance ratios, and what it was formed from."""

    value: float
    slope: Array
    beta: Array
    rss: float
    unscaled: Array
    zhr: Array
    xhr: Array


def fit_mixed(
    response: Array, fixed: Array, random: Array, group: IntArray, *, weight: Array | None = None, start: Array | None = None,
    inference: bool = True, flat: float = 1e-5,
) -> MixedFit:  # fmt: skip
    """Fit by REML.

    Parameters
    ----------
    response : array of shape (n,)
    fixed : array of shape (n, p)
        X, full column rank, n > p.
    random : array of shape (n, q)
        Z.
    group : integer array of shape (n,)
        Group of each datum, 0 to g - 1, every number used.
    weight : array of shape (n,), above 0, optional
        Relative: the residual variance is sigma^2 / weight.
    start : array of shape (q,), optional
        `ratio` of a similar fit.
    inference : bool
        Whether Kenward-Roger errors are wanted; without, `covariance` is the plain one and `degrees` are infinite. Where they cannot
        be formed, `degrees` are NaN.
    flat : float
        Slope of the criterion at which the search ends; a caller that fits again and again may ask for less than the default.

    Returns
    -------
    MixedFit
        `outcome` is converged, at_bound (a variance of 0), max_steps or not_finite.
    """
    weight = np.ones_like(response) if weight is None else weight
    sums = _sums_of(response, fixed, random, group, weight)
    scale = 1.0 / np.sqrt(np.maximum(np.mean(np.einsum("gkk->gk", sums.zz), axis=0), 1e-300))
    first = np.full(scale.size, 2.0) if start is None else np.maximum(start / scale, _AWAY_FROM_ZERO)

    with np.errstate(all="ignore"):
        root, steps = _search(sums, first, scale, flat)
        root[root < _ZERO] = 0.0
        state = _state(sums, root * scale)
    return _finished(state, sums, root * scale, (fixed, random, group, weight), inference, reached=steps < _MAX_STEPS)


def _search(sums: _Sums, first: Array, scale: Array, flat: float) -> tuple[Array, int]:
    """Roots (q,) >= 0, in units of `scale`, that minimise the criterion, by BFGS with halved steps; and the steps taken.

    Steps are taken in arsinh(root): the criterion is even there, so that a variance of 0 is a plain minimum and needs no bound, and large
    ratios are as near as small ones.
    """
    place, shape = np.arcsinh(first), np.eye(first.size)
    state = _state(sums, first * scale)
    slope, steps = state.slope * scale * np.cosh(place), 0
    while steps < _MAX_STEPS and float(np.max(np.abs(slope))) > flat:
        steps += 1
        step = -shape @ slope
        if not float(step @ slope) < 0:
            shape, step = np.eye(first.size), -slope
        step = step * min(1.0, _LONGEST / float(np.max(np.abs(step))))
        share, trial = 1.0, _state(sums, np.sinh(np.abs(place + step)) * scale)
        while not trial.value <= state.value + 1e-4 * share * float(step @ slope) and share > 1e-8:
            share *= 0.5
            trial = _state(sums, np.sinh(np.abs(place + share * step)) * scale)
        if share <= 1e-8:  # no step gains: the last digits are reached
            break
        turn = np.where(place + share * step < 0, -1.0, 1.0)
        place = np.abs(place + share * step)
        turned = trial.slope * scale * np.cosh(place)
        shape = turn[:, None] * _updated(shape, share * step, turn * turned - slope) * turn
        state, slope = trial, turned
    return np.sinh(place), steps


def _updated(shape: Array, moved: Array, turned: Array) -> Array:
    """The BFGS update of an inverse Hessian (q, q)."""
    product = float(moved @ turned)
    if product <= 1e-12 * float(np.linalg.norm(moved) * np.linalg.norm(turned)):
        return shape
    left = np.eye(moved.size) - np.outer(moved, turned) / product
    return left @ shape @ left.T + np.outer(moved, moved) / product


def _sums_of(response: Array, fixed: Array, random: Array, group: IntArray, weight: Array) -> _Sums:
    size, p, q = int(group.max()) + 1, fixed.shape[1], random.shape[1]
    both = np.concatenate([random, fixed, response[:, None]], axis=1)
    products = np.zeros((size, p + q + 1, p + q + 1))
    np.add.at(products, group, weight[:, None, None] * both[:, :, None] * both[:, None, :])
    return _Sums(
        zz=products[:, :q, :q], zx=products[:, :q, q : q + p], zy=products[:, :q, -1], xx=products[:, q : q + p, q : q + p],
        xy=products[:, q : q + p, -1], yy=float(products[:, -1, -1].sum()), n=response.size,
    )  # fmt: skip


def _state(sums: _Sums, root: Array) -> _State:
    """Minus twice the restricted log-likelihood, sigma^2 profiled out, at roots (q,) of the variance ratios; slope in the roots."""
    ratio, q, p = root**2, root.size, sums.xx.shape[1]
    inner = np.eye(q) + sums.zz * ratio
    right = np.concatenate([sums.zz, sums.zx, sums.zy[:, :, None]], axis=2)
    if not np.all(np.isfinite(inner)):
        return _nowhere(q, p, sums.zz.shape[0])
    solved = np.linalg.solve(inner, right)
    zhz, zhx, zhy = solved[:, :, :q], solved[:, :, q : q + p], solved[:, :, -1]
    carried = np.swapaxes(sums.zx, 1, 2) * ratio
    xhx_each, xhy_each = sums.xx - carried @ zhx, sums.xy - np.einsum("gpk,gk->gp", carried, zhy)
    xhx, xhy = xhx_each.sum(axis=0), xhy_each.sum(axis=0)
    yhy = sums.yy - float(np.einsum("gk,k,gk->", sums.zy, ratio, zhy))
    sign, ln_xhx = np.linalg.slogdet(xhx)
    if not (sign > 0 and np.isfinite(ln_xhx)):
        return _nowhere(q, p, sums.zz.shape[0])
    unscaled = np.linalg.inv(xhx)
    beta = unscaled @ xhy
    rss = max(yhy - float(beta @ xhy), 1e-300)
    zhr = zhy - zhx @ beta
    freedom = sums.n - p
    value = freedom * np.log(rss) + float(np.linalg.slogdet(inner)[1].sum()) + float(ln_xhx)
    by_ratio = (
        np.einsum("gkk->k", zhz) - np.einsum("gkp,pr,gkr->k", zhx, unscaled, zhx) - freedom / rss * np.einsum("gk,gk->k", zhr, zhr)
    )
    return _State(
        value=float(value),
        slope=2.0 * root * by_ratio,
        beta=beta,
        rss=rss,
        unscaled=unscaled,
        zhr=zhr,
        xhr=xhy_each - xhx_each @ beta,
    )


def _nowhere(q: int, p: int, groups: int) -> _State:
    nan = np.full
    return _State(
        value=1e300, slope=np.zeros(q), beta=nan(p, np.nan), rss=np.nan, unscaled=nan((p, p), np.nan), zhr=nan((groups, q), np.nan),
        xhr=nan((groups, p), np.nan),
    )  # fmt: skip


def _finished(
    state: _State, sums: _Sums, root: Array, design: tuple[Array, Array, IntArray, Array], inference: bool, *, reached: bool
) -> MixedFit:
    p = state.beta.size
    sigma2 = state.rss / (sums.n - p)
    finite = bool(np.all(np.isfinite(state.beta)) and np.isfinite(sigma2))
    covariance, degrees = state.unscaled * sigma2, np.full(p, np.inf)
    if inference and finite:
        try:
            covariance, degrees = _kenward_roger(state.unscaled * sigma2, sigma2, root, design)
        except np.linalg.LinAlgError:
            degrees = np.full(p, np.nan)
    if not finite:
        outcome = Outcome.NOT_FINITE
    elif not reached:
        outcome = Outcome.MAX_STEPS
    else:
        outcome = Outcome.AT_BOUND if bool(np.any(root == 0)) else Outcome.CONVERGED
    return MixedFit(
        beta=state.beta, covariance=covariance, degrees=degrees, residual_variance=float(sigma2), random_variance=root**2 * sigma2,
        effects=state.zhr * root**2, minus_two_reml=state.value, ratio=root, scores=state.xhr @ state.unscaled, outcome=outcome,
    )  # fmt: skip


def _kenward_roger(plain: Array, sigma2: float, root: Array, design: tuple[Array, Array, IntArray, Array]) -> tuple[Array, Array]:
    """Adjusted covariance (p, p) and degrees of freedom (p,); variances at 0 are held there and take no part."""
    fixed, random, group, weight = design
    active = np.flatnonzero(root > 0)
    size, p = active.size + 1, plain.shape[0]
    first, second, trace = np.zeros((size, p, p)), np.zeros((size, size, p, p)), np.zeros((size, size))
    for g in range(int(group.max()) + 1):
        rows = group == g
        x, z, residual = fixed[rows], random[rows], np.diag(1.0 / weight[rows])
        parts = [residual, *(np.outer(z[:, k], z[:, k]) for k in active)]
        inverse = np.linalg.inv(sigma2 * (residual + (z * root**2) @ z.T))
        through = [inverse @ part for part in parts]
        hx = inverse @ x
        for i in range(size):
            first[i] -= hx.T @ parts[i] @ hx
            for j in range(size):
                second[i, j] += hx.T @ parts[i] @ through[j] @ hx
                trace[i, j] += float(np.sum(through[i] * through[j].T))
    information = 0.5 * (
        trace - 2.0 * np.einsum("pr,ijrp->ij", plain, second) + np.einsum("pr,irs,st,jtp->ij", plain, first, plain, first)
    )
    spread = np.linalg.inv(information)
    middle = np.einsum("ij,ijpr->pr", spread, second) - np.einsum("ij,ips,st,jtr->pr", spread, first, plain, first)
    adjusted = plain + 2.0 * plain @ (0.5 * (middle + middle.T)) @ plain
    slopes = np.einsum("ps,ist,tp->pi", plain, first, plain)
    degrees = 2.0 * np.diag(plain) ** 2 / np.einsum("pi,ij,pj->p", slopes, spread, slopes)
    return adjusted, degrees
