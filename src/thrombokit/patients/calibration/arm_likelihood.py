"""How likely a published number is, given simulated patients of the same arm: shares of responders, and medians.

Simulated counts are smoothed on the log scale by a fixed width, so that a few hundred patients give a share that moves smoothly with the
parameters and is never 0 or 1. The share of responders and the median of one arm come from the same patients; their joint probability is that of
order statistics: of n independent patients k lie above the threshold and the middle one lies at the median.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from scipy.special import betainc, gammaln, ndtr

from thrombokit.numerics.arrays import Array

LOG_WIDTH = 0.2
"""Width of smoothing, on the natural log of the count."""
_LEAST = 1e-9


def share_below(log_counts: Array, at: float) -> float:
    """Smoothed share of counts below `at`, from their logs, shape (m,)."""
    return float(np.clip(np.mean(ndtr((math.log(at) - log_counts) / LOG_WIDTH)), _LEAST, 1.0 - _LEAST))


def log_density(log_counts: Array, at: float) -> float:
    """Log of the smoothed density of the log count at `at`."""
    z = (math.log(at) - log_counts) / LOG_WIDTH
    return math.log(max(float(np.mean(np.exp(-0.5 * z * z))) / (LOG_WIDTH * math.sqrt(2.0 * math.pi)), 1e-300))


def log_binomial(k: int, n: int, share: float) -> float:
    """Log probability of k of n."""
    share = min(max(share, _LEAST), 1.0 - _LEAST)
    return float(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)) + k * math.log(share) + (n - k) * math.log1p(-share)


def log_mean_binomial(counts: Iterable[tuple[int, int]], share: float) -> float:
    """The same over several possible (k, n), equally weighted."""
    logs = np.array([log_binomial(k, n, share) for k, n in counts])
    return float(np.logaddexp.reduce(logs) - math.log(logs.size))


def log_share_and_median(k: int, n: int, median: float, threshold: float, log_counts: Array) -> float:
    """Log probability that k of n patients reach `threshold` and the middle one stands at `median` (density in the log count).

    For an even n the middle lies between two patients; halves of patients then stand in for them (gamma functions for factorials).
    """
    below_median, below_threshold = share_below(log_counts, median), share_below(log_counts, threshold)
    half = 0.5 * (n - 1)
    if median < threshold:
        middle, outer, rest = below_threshold - below_median, 1.0 - below_threshold, (half, half - k, float(k))
        parts = (below_median, middle, outer)
    else:
        middle, inner, rest = below_median - below_threshold, below_threshold, (float(n - k), half - (n - k), half)
        parts = (inner, middle, 1.0 - below_median)
    if min(rest) < 0.0:
        return -math.inf
    counted = sum(float(gammaln(count + 1.0)) for count in rest)
    placed = sum(count * math.log(max(part, _LEAST)) for count, part in zip(rest, parts, strict=True))
    return float(gammaln(n + 1)) - counted + placed + log_density(log_counts, median)


def log_mean_share_and_median(counts: Iterable[tuple[int, int]], median: float, threshold: float, log_counts: Array) -> float:
    """The same over several possible (k, n), equally weighted."""
    logs = np.array([log_share_and_median(k, n, median, threshold, log_counts) for k, n in counts])
    return float(np.logaddexp.reduce(logs) - math.log(logs.size))


def predictive_p(k: int, n: int, shares: Array) -> float:
    """Two-sided posterior-predictive p of k of n: twice the smaller tail (the count itself in both), shares (draws,) of the posterior."""
    at_most = np.mean(1.0 - betainc(k + 1.0, max(n - k, 1e-12), shares)) if k < n else 1.0
    at_least = np.mean(betainc(float(k), n - k + 1.0, shares)) if k > 0 else 1.0
    return float(min(1.0, 2.0 * min(at_most, at_least)))


def median_predictive_p(n: int, shares_below: Array) -> float:
    """Two-sided posterior-predictive p of a median of n patients, from the share of patients below it in each posterior draw."""
    half = 0.5 * (n + 1)
    lower = float(np.mean(betainc(half, half, shares_below)))
    return min(1.0, 2.0 * min(lower, 1.0 - lower))
