"""What the control tubes of a group say beside its thresholds: medians to compare with, and histograms to lay under the stained cells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thrombokit.cells.fitting import FILE, GroupPools, Pool, with_compensation
from thrombokit.cells.gates import GateTree
from thrombokit.cells.membership import apply_gates
from thrombokit.cells.result import MarkerHistogram
from thrombokit.cells.scales import LogicleScale, LogScale
from thrombokit.cells.steps import top_of
from thrombokit.cells.strategy import FittedStrategy
from thrombokit.numerics.arrays import Array, IntArray

_BINS, _LOW, _HIGH = 128, -0.1, 1.05


@dataclass(frozen=True, kw_only=True, eq=False)
class GroupControl:
    """From FMO tubes, by marker: the median signal of the analysed cells, linear."""

    medians: dict[str, float]


Shines = dict[str, dict[str, Array]]
"""By tube kind ("stained", "unstained", or "FMO " and the marker left out), each marker's signal of the analysed cells."""


def control_shines(pools: GroupPools, fitted: FittedStrategy) -> Shines:
    """Signals of the analysed cells of a group's pools, linear."""
    tree = GateTree(
        gates=tuple(with_compensation(gate, FILE) for gate in fitted.tree.gates)
    )  # pools are compensated and have no matrix
    named = {"stained": pools.full, "unstained": pools.unstained, **{f"FMO {stain}": pool for stain, pool in pools.fmo.items()}}
    return {kind: _gated(pool, pools, fitted, tree) for kind, pool in named.items() if pool is not None}


def control_of(pools: GroupPools, shines: Shines) -> GroupControl:
    """Medians of the FMO tubes' analysed cells in the channel of the marker they lack."""
    own = {m: shines[f"FMO {m}"][m] for m in pools.panel.surface_markers if f"FMO {m}" in shines}
    return GroupControl(medians={marker: float(np.median(values)) for marker, values in own.items() if values.size})


def histograms_of(pools: GroupPools, fitted: FittedStrategy, shines: Shines) -> tuple[MarkerHistogram, ...]:
    """Stained, FMO and unstained analysed cells of each marker, 128 bins on its logicle scale."""
    found: list[MarkerHistogram] = []
    for marker in pools.panel.surface_markers:
        channel = pools.panel.channels[marker]
        scale = LogicleScale(t=top_of(pools.first, channel), w=0.5, m=4.5)
        edges = np.linspace(_LOW, _HIGH, _BINS + 1)
        kinds = {"stained": "stained", "FMO": f"FMO {marker}", "unstained": "unstained"}
        counts = {kind: _histogram(scale.apply(shines[name][marker])) for kind, name in kinds.items() if name in shines}
        threshold = fitted.thresholds.get(marker)
        told = threshold_at(fitted, pools, marker) if threshold is not None else (None, None, None)
        found.append(
            MarkerHistogram(
                group=fitted.group, marker=marker, channel=channel, scale=scale, edges=edges, counts=counts,
                rule=threshold.rule if threshold is not None else "none", threshold=told[0], low=told[1], high=told[2],
            )
        )  # fmt: skip
    return tuple(found)


def threshold_at(
    fitted: FittedStrategy, pools: GroupPools, marker: str, *, large: bool = False
) -> tuple[float | None, float | None, float | None]:
    """A marker's threshold and its interval on the marker's scale, at the median size or at the beginning of the top decile."""
    line = fitted.thresholds[marker].line
    size = fitted.size_at[1 if large else 0]
    if line is None or not np.isfinite(size):
        return (None, None, None)
    at = LogScale(t=top_of(pools.first, pools.panel.fsc_area), m=4.5).apply(np.array([size]))
    values = (np.interp(at, line.x, part)[0] for part in (line.y, line.low, line.high))
    first, low, high = (float(v) if np.isfinite(v) else None for v in values)
    return first, low, high


def _histogram(values: Array) -> IntArray:
    inside = np.clip(((values - _LOW) / (_HIGH - _LOW) * _BINS).astype(np.int64), 0, _BINS - 1)
    return np.bincount(inside, minlength=_BINS)


def _gated(pool: Pool, pools: GroupPools, fitted: FittedStrategy, tree: GateTree) -> dict[str, Array]:
    """Each marker's signal of a pool's analysed cells."""
    rows = apply_gates(pool.sample, tree)[fitted.analysed] if fitted.analysed else np.ones(len(pool.tube), dtype=np.bool_)
    return {m: pool.values(pools.panel.channels[m], rows) for m in pools.panel.surface_markers}
