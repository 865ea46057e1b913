"""From draws of a prior to draws of a posterior: weigh each by its likelihood, and draw anew in proportion (sampling-importance resampling).

Steps can be chained: the survivors of one set of data are the prior draws of the next. A chain is as good as its worst step, so the
effective sample size that counts is the least along it. How much the data said about a parameter is read from the ratio of its posterior
to its prior standard deviation: near 1, the data said nothing.

References
----------
Rubin 1988, in Bayesian Statistics 3, 395-402 (sampling-importance resampling); Kong 1992, University of Chicago TR 348 (effective sample size);
Douc & Cappe 2005, doi:10.1109/ISPA.2005.195385 (systematic resampling).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from thrombokit.errors import Fault, SimulationError
from thrombokit.numerics.arrays import Array, FrozenArrays, IntArray, frozen

UNINFORMED_RATIO = 0.8
"""A posterior SD above this share of the prior's: not informed by the data."""


@dataclass(frozen=True, kw_only=True, eq=False)
class WeightedDraws(FrozenArrays):
    """Draws with normalised weights, shape (n,), their effective number, and the log of the mean likelihood (the evidence)."""

    weights: Array
    effective_sample_size: float
    log_evidence: float

    def mean_and_sd(self, values: Array) -> tuple[float, float]:
        """Weighted mean and standard deviation of one quantity, shape (n,)."""
        mean = float(self.weights @ values)
        return mean, math.sqrt(max(float(self.weights @ (values - mean) ** 2), 0.0))


def weigh(log_likelihood: Array) -> WeightedDraws:
    """Weights of prior draws from their log-likelihoods, shape (n,); -inf is a draw that the data rule out.

    Raises
    ------
    SimulationError
        If one is not a number (NaN, +inf), or all are -inf.
    """
    wrong = np.flatnonzero(np.isnan(log_likelihood) | (log_likelihood == math.inf))
    if wrong.size:
        raise SimulationError(
            Fault(place=f"importance weights, draw {wrong[0]}", found=f"a log-likelihood of {log_likelihood[wrong[0]]} ({wrong.size} draws in all)",
                  expected="finite values, or -inf where the data rule a draw out", cure="Find the simulation that gave it.")
        )  # fmt: skip
    largest = float(np.max(log_likelihood, initial=-math.inf))
    if largest == -math.inf:
        raise SimulationError(
            Fault(place="importance weights", found=f"a likelihood of 0 for each of {log_likelihood.size} draws",
                  expected="draws among which some can give the data", cure="Widen the prior, or draw more.")
        )  # fmt: skip
    raw = np.exp(log_likelihood - largest)
    total = float(raw.sum())
    weights = raw / total
    return WeightedDraws(weights=frozen(weights), effective_sample_size=1.0 / float(weights @ weights),
                         log_evidence=largest + math.log(total / raw.size))  # fmt: skip


def resample(weights: Array, n: int, uniform: float) -> IntArray:
    """Places of `n` draws in proportion to weights (sum 1), by systematic resampling with one uniform number in [0, 1).

    Each draw comes floor or ceil of n x weight times; the places rise.
    """
    points = (np.arange(n) + uniform) / n
    edges = np.cumsum(weights)
    return np.minimum(np.searchsorted(edges / edges[-1], points, side="right"), weights.size - 1).astype(np.int64)


def least_effective_sample_size(chain: Iterable[WeightedDraws]) -> float:
    """The effective sample size of a chain of steps: that of its worst."""
    return min(step.effective_sample_size for step in chain)


def sd_ratio(posterior: Array, prior: Array) -> float:
    """SD of posterior draws over that of prior draws; 1 where the prior has no spread to lose."""
    spread = float(np.std(prior))
    return float(np.std(posterior)) / spread if spread > 0.0 else 1.0
