"""Time bins and strata of a visual predictive check."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from thrombokit.errors import Fault, InputError
from thrombokit.numerics.arrays import Array, IntArray

FEW_TIMES, DEFAULT_BINS = 14, 8
"""Up to so many distinct times each is a bin of its own; where neither that nor gaps part them, there are so many bins of about equally many
observations."""
GAP, MOST_CLUSTERS, LEAST_IN_CLUSTER = 0.12, 20, 5
"""A gap of more than this share of the time since the first sample parts two nominal times; up to so many groups, of at least so many."""


def bin_edges(time: Array, bins: Sequence[float] | int | None) -> Array:
    """Edges of bins, shape (n_bins + 1,), rising; a bin holds edge <= time < next edge, the last one its end too.

    Raises
    ------
    InputError
        If the edges do not rise, or do not hold every time; if the number of bins is below 1.
    """
    distinct = np.unique(time)
    if bins is None and distinct.size <= FEW_TIMES:
        middles = 0.5 * (distinct[:-1] + distinct[1:])
        return np.concatenate((distinct[:1], middles, distinct[-1:]))
    clusters = _clusters(time, distinct) if bins is None else None
    if clusters is not None:
        return clusters
    if bins is None or isinstance(bins, int):
        count = DEFAULT_BINS if bins is None else bins
        if count < 1:
            raise InputError(Fault(place="bins", found=str(count), expected="at least one", cure="Give a number, or edges."))
        cuts = np.quantile(np.sort(time), np.linspace(0.0, 1.0, count + 1)[1:-1], method="inverted_cdf")
        inner = np.unique(cuts[(cuts > distinct[0])])
        return np.concatenate((distinct[:1], inner, distinct[-1:]))
    edges = np.array(bins, dtype=np.float64)
    if edges.size < 2 or (np.diff(edges) <= 0.0).any() or not np.isfinite(edges).all():
        raise InputError(Fault(place="bins", found=", ".join(f"{edge:g}" for edge in edges), expected="two edges or more, rising",
                               cure="Correct the edges."))  # fmt: skip
    outside = distinct[(distinct < edges[0]) | (distinct > edges[-1])]
    if outside.size:
        raise InputError(Fault(place="bins", found=f"observations at {', '.join(f'{t:g}' for t in outside[:5])} outside the edges",
                               expected=f"edges from {distinct[0]:g} to {distinct[-1]:g}", cure="Widen the outer edges."))  # fmt: skip
    return edges


def _clusters(time: Array, distinct: Array) -> Array | None:
    """Edges between groups of times that scatter about nominal ones; None where gaps do not part them well."""
    gaps, since = np.diff(distinct), distinct[:-1] - distinct[0]
    part = gaps > np.maximum(GAP * since, 0.02 * float(np.median(distinct - distinct[0])))
    edges = np.concatenate((distinct[:1], 0.5 * (distinct[:-1] + distinct[1:])[part], distinct[-1:]))
    counts = np.histogram(time, edges)[0]
    return edges if 3 <= counts.size <= MOST_CLUSTERS and int(counts.min()) >= LEAST_IN_CLUSTER else None


def bin_of(time: Array, edges: Array) -> IntArray:
    """Number of the bin of each time; -1 outside."""
    found = np.searchsorted(edges, time, side="right") - 1
    found[time == edges[-1]] = max(edges.size - 2, 0)
    return np.where((found < 0) | (found > max(edges.size - 2, 0)), -1, found).astype(np.int64)


def bin_rows(time: Array, edges: Array, strata: np.ndarray) -> Mapping[tuple[str, int], IntArray]:
    """Places of the observations of each stratum and bin that holds any, strata in order, then bins."""
    number = bin_of(time, edges)
    found: dict[tuple[str, int], IntArray] = {}
    for stratum in sorted(set(strata)):
        for k in range(max(edges.size - 1, 1)):
            rows = np.flatnonzero((strata == stratum) & (number == k))
            if rows.size:
                found[stratum, k] = rows.astype(np.int64)
    return found
