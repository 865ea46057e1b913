"""Where a series of bins changes its level: one change at a time, the most evident first, with a known rate of false alarms.

For each possible cut the means before and after are compared in units of their standard error; the largest such figure over all cuts has a
known tail, so that its p-value counts all cuts that were tried. Several series are searched together, each at its share of the error rate.

References
----------
James, James and Siegmund 1987, doi:10.1093/biomet/74.1.71 (tail of the largest standardised difference); Scott and Knott 1974,
doi:10.2307/2529204 (binary segmentation).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thrombokit.numerics.arrays import Array

_EDGE = 0.02
"""Share of the bins at either end where no change is looked for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """A change of level: it lies before bin `at`; `series` says in which column it is most evident, `p` how rarely chance does that."""

    at: int
    series: int
    p: float


def largest_difference_tail(x: float, edge: float = _EDGE) -> float:
    """Probability that the largest standardised difference over all cuts exceeds x by chance (two-sided), cuts within `edge` left out."""
    if x <= 1.5:
        return 1.0
    density = np.exp(-0.5 * x * x) / np.sqrt(2.0 * np.pi)
    reach = 2.0 * np.log((1.0 - edge) / edge)
    return float(min(1.0, density * x * ((1.0 - 1.0 / x**2) * reach + 4.0 / x**2)))


def most_evident_change(bins: Array, sd: Array, weights: Array) -> Change:
    """The cut and the series with the largest standardised difference.

    Parameters
    ----------
    bins : array of shape (n_bins, n_series)
        Mean of each bin.
    sd : array of shape (n_series,)
        Standard deviation of a bin of weight 1, under no change; 0 marks a series that tells nothing.
    weights : array of shape (n_bins,), positive
        Events in each bin: the variance of a bin's mean is sd^2 / weight.

    Returns
    -------
    Change
        With `p` for its own series, not yet corrected for the number of series.
    """
    n_bins = len(bins)
    edge = max(1, int(np.ceil(_EDGE * n_bins)))
    if n_bins < 2 * edge + 1:
        return Change(at=0, series=0, p=1.0)
    total = weights.cumsum()
    sums = (bins * weights[:, None]).cumsum(axis=0)
    left = total[:-1, None]
    right = total[-1] - left
    difference = sums[:-1] / left - (sums[-1] - sums[:-1]) / right
    alive = sd > 0
    size = np.abs(difference) / np.where(alive, sd, 1.0) / np.sqrt(1.0 / left + 1.0 / right) * alive
    size[: edge - 1], size[n_bins - edge :] = 0.0, 0.0
    at, series = np.unravel_index(int(size.argmax()), size.shape)
    return Change(at=int(at) + 1, series=int(series), p=largest_difference_tail(float(size[at, series]), edge / n_bins))


def level_changes(bins: Array, sd: Array, weights: Array, *, false_alarm: float, most: int = 12) -> tuple[Change, ...]:
    """All changes of level, by splitting again and again, in order of place.

    Parameters
    ----------
    bins, sd, weights
        As in `most_evident_change`.
    false_alarm : float
        Chance of any change in a series without one, over all cuts and series.
    most : int
        At most so many changes.

    Returns
    -------
    tuple of Change
    """
    limit = false_alarm / max(int((sd > 0).sum()), 1)
    waiting = [(0, len(bins))]
    found: list[Change] = []
    while waiting and len(found) < most:
        start, stop = waiting.pop(0)
        change = most_evident_change(bins[start:stop], sd, weights[start:stop])
        if change.p < limit:
            cut = start + change.at
            found.append(Change(at=cut, series=change.series, p=change.p))
            waiting += [(start, cut), (cut, stop)]
    return tuple(sorted(found, key=lambda change: change.at))


def rather_slope_than_step(bins: Array, weights: Array, at: int) -> bool:
    """Whether a straight line through the bins of one series, shape (n_bins,), fits better than one step before bin `at`."""
    place = np.arange(len(bins), dtype=np.float64)
    mean = np.average(bins, weights=weights)
    place = place - np.average(place, weights=weights)
    slope = float((weights * place * bins).sum() / (weights * place**2).sum())
    line = float((weights * (bins - mean - slope * place) ** 2).sum())
    parts = (slice(None, at), slice(at, None))
    step = sum(float((weights[p] * (bins[p] - np.average(bins[p], weights=weights[p])) ** 2).sum()) for p in parts)
    return line < step
