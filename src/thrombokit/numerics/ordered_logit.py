"""Ordered classes against covariates: the cumulative logit (proportional odds).

P(class > k) = 1 / (1 + exp(alpha_k - x' beta)): every covariate shifts the odds of being above any cut by one and the same factor, exp(beta).
Fitted to counts of each class by Fisher scoring. Counts may be fractional (effective counts of overdispersed wells). `pearson` gives
each well's chi-squared, from which `beta_binomial.intraclass_correlation` finds how much wells scatter beyond counting.

Reference: McCullagh 1980, doi:10.1111/j.2517-6161.1980.tb01109.x.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thrombokit.numerics.arrays import Array, FrozenArrays
from thrombokit.numerics.outcome import Outcome

_MAX_STEPS = 60
_TOLERANCE = 1e-10
_LEAST_SHARE = 1e-12


@dataclass(frozen=True, kw_only=True, eq=False)
class OrderedLogit(FrozenArrays):
    """A fitted cumulative logit of K classes and q covariates.

    cuts : (K - 1,) alpha, rising. slopes : (q,) beta. covariance : (K - 1 + q, same) in that order, for independent cells.
    shares : (n_wells, K) fitted. log_likelihood : without the multinomial constant. outcome : converged, max_steps or not_finite.
    """

    cuts: Array
    slopes: Array
    covariance: Array
    shares: Array
    log_likelihood: float
    outcome: Outcome

    def pearson(self, counts: Array) -> Array:
        """Chi-squared of every well about its fitted shares, as if cells were independent, shape (n_wells,)."""
        total = counts.sum(axis=1, keepdims=True)
        expected = np.maximum(total * self.shares, 1e-300)
        return ((counts - expected) ** 2 / expected).sum(axis=1)


def class_shares(cuts: Array, shift: Array) -> Array:
    """Shares (n, K) of the classes at shifts x' beta (n,) for cuts (K - 1,)."""
    above = 1.0 / (1.0 + np.exp(np.clip(cuts[None, :] - shift[:, None], -700.0, 700.0)))
    ones, zeros = np.ones((shift.size, 1)), np.zeros((shift.size, 1))
    return -np.diff(np.concatenate([ones, above, zeros], axis=1), axis=1)


def fit_ordered_logit(counts: Array, design: Array, *, start: OrderedLogit | None = None) -> OrderedLogit:
    """Fit by maximum likelihood.

    Parameters
    ----------
    counts : array of shape (n_wells, K), 0 or more
        Cells of every class in rising order; every class must have cells in some well.
    design : array of shape (n_wells, q)
        Covariates; no constant (the cuts hold it). q may be 0.
    start : OrderedLogit, optional
        A similar fit to start from.

    Returns
    -------
    OrderedLogit
        `outcome` says how it ended; never an exception.
    """
    cuts = _pooled_cuts(counts) if start is None else start.cuts
    slopes = np.zeros(design.shape[1]) if start is None else start.slopes
    theta = np.concatenate([cuts, slopes])
    k = cuts.size
    value, score, information, shares = _likelihood(theta, counts, design)
    outcome = Outcome.MAX_STEPS
    for _ in range(_MAX_STEPS):
        try:
            step = np.linalg.solve(information, score)
        except np.linalg.LinAlgError:
            outcome = Outcome.NOT_FINITE
            break
        if not np.all(np.isfinite(step)):
            outcome = Outcome.NOT_FINITE
            break
        if float(score @ step) <= _TOLERANCE * max(1.0, float(counts.sum())) * 1e-3:
            outcome = Outcome.CONVERGED
            break
        share = 1.0
        while share > 1e-6:
            trial = theta + share * step
            if np.all(np.diff(trial[:k]) > 0):
                found = _likelihood(trial, counts, design)
                if found[0] >= value:
                    break
            share *= 0.5
        else:
            outcome = Outcome.CONVERGED  # no step gains: the last digits are reached
            break
        theta, (value, score, information, shares) = trial, found
    return OrderedLogit(
        cuts=theta[:k], slopes=theta[k:], covariance=_inverse(information), shares=shares, log_likelihood=value, outcome=outcome
    )


def _pooled_cuts(counts: Array) -> Array:
    below = np.cumsum(counts.sum(axis=0))[:-1] / counts.sum()
    return np.log(below / (1.0 - below))


def _inverse(information: Array) -> Array:
    try:
        return np.asarray(np.linalg.inv(information), dtype=np.float64)
    except np.linalg.LinAlgError:
        return np.full(information.shape, np.nan)


def _likelihood(theta: Array, counts: Array, design: Array) -> tuple[float, Array, Array, Array]:
    """Log-likelihood, score (p,), Fisher information (p, p) and shares (n, K) at theta = (cuts, slopes)."""
    k = counts.shape[1] - 1
    cuts, slopes = theta[:k], theta[k:]
    shift = design @ slopes
    above = 1.0 / (1.0 + np.exp(np.clip(cuts[None, :] - shift[:, None], -700.0, 700.0)))
    bend = above * (1.0 - above)
    shares = np.maximum(class_shares(cuts, shift), _LEAST_SHARE)
    n, p = counts.shape[0], theta.size
    slope = np.zeros((n, k + 1, p))
    index = np.arange(k)
    slope[:, index, index] = bend
    slope[:, index + 1, index] = -bend
    by_shift = np.diff(np.concatenate([np.zeros((n, 1)), bend, np.zeros((n, 1))], axis=1), axis=1)
    slope[:, :, k:] = -by_shift[:, :, None] * design[:, None, :]
    score = np.einsum("nj,njp->p", counts / shares, slope)
    weight = counts.sum(axis=1)[:, None] / shares
    information = np.einsum("nj,njp,njr->pr", weight, slope, slope, optimize=True)
    return float(np.sum(counts * np.log(shares))), score, information, shares
