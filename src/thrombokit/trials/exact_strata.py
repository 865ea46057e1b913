"""Exact conditional inference on an odds ratio that all strata share: margins held, the law of the first arm's responders is a convolution.

Reference: Mehta CR, Patel NR, Gray R (1985) J Am Stat Assoc 80:969-973, doi:10.1080/01621459.1985.10478212; R's mantelhaen.test(exact = TRUE)
has the same estimate, interval and p.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from thrombokit.numerics.arrays import Array
from thrombokit.trials.limits import log_crossing
from thrombokit.trials.odds_ratio import log_choose
from thrombokit.trials.strata import Strata
from thrombokit.trials.two_by_two import Interval
from thrombokit.trials.two_by_two_tests import TIE


@dataclass(frozen=True, kw_only=True)
class ExactCommonOddsRatio:
    """Conditional maximum-likelihood estimate (None where infinite or unknown), its exact interval, and the two-sided p of a ratio of 1."""

    estimate: float | None
    interval: Interval
    p: float | None


def exact_common_odds_ratio(strata: Strata, *, confidence: float = 0.95) -> ExactCommonOddsRatio:
    """Inference from the sum of the first arm's responders, given each stratum's margins."""
    counts, log_weights = _law(strata)
    seen = float(sum(t.a for t in strata.tables))
    if counts.size == 1:
        return ExactCommonOddsRatio(estimate=None, interval=Interval(low=0.0, high=math.inf), p=None)
    at_one = _probabilities(counts, log_weights, 1.0)
    here = at_one[int(seen - counts[0])]
    p = float(min(at_one[at_one <= here * (1.0 + TIE)].sum(), 1.0))
    tail, start = (1.0 - confidence) / 2.0, 1.0

    def not_at_least(ratio: float) -> float:
        return -float(_probabilities(counts, log_weights, ratio)[counts >= seen].sum())

    def at_most(ratio: float) -> float:
        return float(_probabilities(counts, log_weights, ratio)[counts <= seen].sum())

    def below_mean(ratio: float) -> float:
        return seen - float(_probabilities(counts, log_weights, ratio) @ counts)

    low = 0.0 if seen == counts[0] else log_crossing(not_at_least, -tail, start=start)
    high = math.inf if seen == counts[-1] else log_crossing(at_most, tail, start=start)
    interval = Interval(low=low, high=high)
    if seen in (counts[0], counts[-1]):
        return ExactCommonOddsRatio(estimate=0.0 if seen == counts[0] else None, interval=interval, p=p)
    return ExactCommonOddsRatio(estimate=log_crossing(below_mean, 0.0, start=start), interval=interval, p=p)


def _probabilities(counts: Array, log_weights: Array, ratio: float) -> Array:
    exponents = log_weights + counts * math.log(ratio)
    weights = np.exp(exponents - exponents.max())
    return weights / weights.sum()


def _law(strata: Strata) -> tuple[Array, Array]:
    """Sums that the margins allow, and the log weight of each at an odds ratio of 1."""
    lowest = 0.0
    log_weights: Array = np.zeros(1)
    for table in strata.tables:
        responders = table.a + table.b
        first = np.arange(max(0, responders - table.m), min(table.n, responders) + 1, dtype=np.float64)
        logs = log_choose(table.n, first) + log_choose(table.m, responders - first)
        log_weights = _convolved(log_weights, logs)
        lowest += float(first[0])
    counts: Array = np.arange(log_weights.size, dtype=np.float64) + lowest
    return counts, log_weights


def _convolved(first: Array, second: Array) -> Array:
    """The convolution of two log-concave laws, kept as logs, term by term: no tail is lost to rounding."""
    size = first.size + second.size - 1
    whole = np.full((second.size, size), -math.inf)
    for k in range(second.size):
        whole[k, k : k + first.size] = first + second[k]
    summed: Array = np.logaddexp.reduce(whole, axis=0)
    return summed
