"""Tests of no difference between two proportions: Fisher's, Boschloo's and Pearson's chi-square without continuity correction.

References
----------
Fisher's two-sided p sums all tables no more probable than the one seen, as R's fisher.test. Boschloo RD (1970) Statistica Neerlandica 24:1-9,
doi:10.1111/j.1467-9574.1970.tb00104.x.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import optimize, special

from thrombokit.numerics.arrays import Array, BoolArray
from thrombokit.numerics.normal_distribution import chi_square_p
from thrombokit.trials.odds_ratio import log_choose
from thrombokit.trials.two_by_two import TwoByTwo

TIE = 1e-7
"""Relative difference below which two probabilities count as equal, as in R."""
MOST_TABLES = 4_000_000
"""Boschloo's test looks at every table the arms can give; beyond so many it is not computed."""
GRID = 400


def chi_square(table: TwoByTwo) -> tuple[float | None, float | None]:
    """Pearson's statistic and p, uncorrected, one degree of freedom; (None, None) where a margin is empty."""
    responders = table.a + table.b
    if responders in (0, table.total):
        return None, None
    crossed = table.a * (table.m - table.b) - table.b * (table.n - table.a)
    statistic = table.total * crossed * crossed / (table.n * table.m * responders * (table.total - responders))
    return statistic, chi_square_p(statistic, 1)


def fisher(table: TwoByTwo) -> float:
    """Two-sided exact conditional p."""
    probabilities, at = _hypergeometric(table.n, table.m, table.a + table.b, table.a)
    return float(min(probabilities[probabilities <= probabilities[at] * (1.0 + TIE)].sum(), 1.0))


def boschloo(table: TwoByTwo) -> float | None:
    """Exact unconditional p: twice the smaller of the two one-sided ones, at most 1; None where the arms are too large to enumerate."""
    if (table.n + 1) * (table.m + 1) > MOST_TABLES:
        return None
    greater = _one_sided_fisher(table.n, table.m)
    less = _one_sided_fisher(table.m, table.n).T
    sides = [_largest(ordering <= ordering[table.a, table.b] * (1.0 + TIE)) for ordering in (greater, less)]
    return min(2.0 * min(sides), 1.0)


def boschloo_two_sided_ordering(table: TwoByTwo) -> float | None:
    """Exact unconditional p with Fisher's two-sided p as the ordering, as R's Exact package has it."""
    if (table.n + 1) * (table.m + 1) > MOST_TABLES:
        return None
    ordering = _two_sided_fisher(table.n, table.m)
    return min(_largest(ordering <= ordering[table.a, table.b] * (1.0 + TIE)), 1.0)


def _hypergeometric(n: int, m: int, responders: int, seen: int) -> tuple[Array, int]:
    """Probabilities of the first arm's counts given the margins, and where `seen` stands among them."""
    lowest = max(0, responders - m)
    counts = np.arange(lowest, min(n, responders) + 1, dtype=np.float64)
    logs = log_choose(n, counts) + log_choose(m, responders - counts)
    weights = np.exp(logs - logs.max())
    return weights / weights.sum(), seen - lowest


def _one_sided_fisher(n: int, m: int) -> Array:
    """P(first arm's count >= the one seen | margins) of every table, shape (n + 1, m + 1)."""
    out = np.empty((n + 1, m + 1))
    for responders in range(n + m + 1):
        lowest = max(0, responders - m)
        probabilities, _ = _hypergeometric(n, m, responders, lowest)
        first = np.arange(lowest, lowest + probabilities.size)
        out[first, responders - first] = np.minimum(probabilities[::-1].cumsum()[::-1], 1.0)
    return out


def _two_sided_fisher(n: int, m: int) -> Array:
    out = np.empty((n + 1, m + 1))
    for responders in range(n + m + 1):
        lowest = max(0, responders - m)
        probabilities, _ = _hypergeometric(n, m, responders, lowest)
        first = np.arange(lowest, lowest + probabilities.size)
        rising = np.sort(probabilities)
        sums = np.concatenate([[0.0], rising.cumsum()])
        upto = np.searchsorted(rising, probabilities * (1.0 + TIE), side="right")
        out[first, responders - first] = np.minimum(sums[upto], 1.0)
    return out


def _largest(region: BoolArray) -> float:
    """The largest probability of a region of tables over all common proportions."""
    n, m = region.shape[0] - 1, region.shape[1] - 1
    if region.all():
        return 1.0

    def probability(p: float) -> float:
        return float(_binomial(n, p) @ region @ _binomial(m, p))

    grid = 0.5 - 0.5 * np.cos(np.linspace(0.0, math.pi, GRID + 1))
    values = np.array([probability(float(p)) for p in grid])
    best = float(values.max())
    inner = np.arange(1, GRID)
    peaks = inner[(values[inner] >= values[inner - 1]) & (values[inner] >= values[inner + 1]) & (values[inner] > 0.98 * best)]
    for k in peaks:
        found: Any = optimize.minimize_scalar(
            lambda p: -probability(float(p)), bounds=(grid[k - 1], grid[k + 1]), method="bounded", options={"xatol": 1e-10}
        )
        best = max(best, -float(found.fun))
    return best


def _binomial(n: int, p: float) -> Array:
    counts = np.arange(n + 1, dtype=np.float64)
    logs = log_choose(n, counts) + special.xlogy(counts, p) + special.xlog1py(n - counts, -p)
    probabilities: Array = np.exp(logs)
    return probabilities
