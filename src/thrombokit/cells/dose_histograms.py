"""One marker's signal in every stained tube, binned: what ridges over dose are drawn from. No event leaves.

Events are those after the last gate before the markers. Windows of time belong to a tube's own quality check and are not cut here: a
drifting tube shows as it was measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from thrombokit.cells.membership import apply_gates
from thrombokit.cells.result import CellsResult, MarkerHistogram
from thrombokit.cells.spillover import Spillover
from thrombokit.cells.strategy import Group
from thrombokit.cells.tube_signals import compensated_events
from thrombokit.cells.tubes import Tube, TubeKind
from thrombokit.numerics.arrays import FrozenArrays, IntArray, frozen


@dataclass(frozen=True, kw_only=True, eq=False)
class DoseHistogram(FrozenArrays):
    """Counts (n,) of one tube's analysed cells over the edges of its control group's `MarkerHistogram`."""

    tube: str
    group: Group
    role: str
    agonist: str
    concentration_nM: float | None
    counts: IntArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "counts", frozen(self.counts, "int64"))


def dose_histograms(
    tubes: Sequence[Tube], result: CellsResult, marker: str, *, spillover: Spillover | None = None
) -> dict[Group, tuple[MarkerHistogram, tuple[DoseHistogram, ...]]]:
    """Histograms of `marker` in all fully stained tubes of the groups that were gated with it.

    Parameters
    ----------
    tubes : sequence of Tube
        Those that `result` was made from.
    result : CellsResult
    marker : str
    spillover : Spillover, optional
        As it was given to `analyse_samples`.

    Returns
    -------
    dict of control group to (its pooled histogram with edges and threshold, its tubes' histograms in the order of `tubes`)
    """
    pooled = {one.group: one for one in result.histograms if one.marker == marker}
    found: dict[Group, list[DoseHistogram]] = {group: [] for group in pooled}
    for tube in tubes:
        group = tube.control_group
        if tube.kind is TubeKind.FULL and group in pooled and group in result.fitted:
            found[group].append(_histogram(tube, result, pooled[group], spillover))
    return {group: (pooled[group], tuple(histograms)) for group, histograms in found.items() if histograms}


def _histogram(tube: Tube, result: CellsResult, pooled: MarkerHistogram, spillover: Spillover | None) -> DoseHistogram:
    fitted = result.fitted[tube.control_group]
    column = tube.sample.channel_names.index(pooled.channel)
    values = np.asarray(compensated_events(tube.sample, spillover)[:, column], dtype=np.float64)
    if fitted.analysed is not None:
        values = values[apply_gates(tube.sample, fitted.tree)[fitted.analysed]]
    scaled = np.asarray(pooled.scale.apply(values))
    counts, _ = np.histogram(np.clip(scaled[np.isfinite(scaled)], pooled.edges[0], pooled.edges[-1]), pooled.edges)
    return DoseHistogram(
        tube=tube.name,
        group=tube.control_group,
        role=str(tube.role),
        agonist=tube.agonist,
        concentration_nM=tube.concentration_nM,
        counts=counts,
    )
