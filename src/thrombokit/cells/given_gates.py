"""A strategy from gates that were given: a locked tree, applied blind. Nothing is fitted; thresholds are read off the gates."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from thrombokit.cells.fitting import GroupPools, sizes_of
from thrombokit.cells.gates import Gate, GateTree, PolygonGate, RectangleGate
from thrombokit.cells.particles import COUNTED, PARTICLE_ID, UNCALIBRATED
from thrombokit.cells.stages import check_stages, preset_stages, stage_gates
from thrombokit.cells.strategy import FittedStrategy, Group, MegakaryocyteStrategy
from thrombokit.cells.thresholds import Threshold
from thrombokit.errors import Fault, InputError
from thrombokit.numerics.arrays import Array
from thrombokit.numerics.sloping_quantiles import SlopingQuantile

LOCKED = "locked"
_LAST = ("live", "singlets", "cells")


def tree_for(group: Group, locked: GateTree | Mapping[Group, GateTree]) -> GateTree:
    """The tree given for a control group.

    Raises
    ------
    InputError
        If trees were given by group and this one has none.
    """
    if isinstance(locked, GateTree):
        return locked
    if group not in locked:
        known = "; ".join(" ".join(str(part) for part in one) for one in locked)
        raise InputError(
            Fault(
                place=f"control group {' '.join(str(part) for part in group)}", found="no locked gates for it",
                expected=f"one of the groups that were locked: {known}", cure="Lock gates fitted on this group's controls too.",
            )
        )  # fmt: skip
    return locked[group]


def strategy_of(group: Group, tree: GateTree, pools: GroupPools, strategy: MegakaryocyteStrategy) -> FittedStrategy:
    """The strategy that a given tree is, for one control group; stage gates that it lacks are added to its marker gates.

    Raises
    ------
    InputError
        If a stage needs a marker for which the tree has no gate "<marker>+".
    """
    ids = set(tree.population_ids)
    markers = tuple(m for m in pools.panel.surface_markers if f"{m}+" in ids)
    analysed = next((id for id in _LAST if id in ids), None)
    stages = strategy.stages or preset_stages(markers)
    check_stages(stages, markers, tree.source)
    missing = tuple(gate for gate in stage_gates(stages, analysed) if gate.id not in ids)
    whole = GateTree(gates=(*tree.gates, *missing), matrices=tree.matrices, source=tree.source)
    thresholds = {m: Threshold(marker=m, rule=LOCKED, line=lower_edge(tree.gate(f"{m}+")), n_events=0) for m in markers}
    return FittedStrategy(
        group=group, tree=whole, steps=(), thresholds=thresholds, stages=stages, analysed=analysed,
        particles=COUNTED if PARTICLE_ID in ids else UNCALIBRATED, locked=True, size_at=sizes_of(pools, whole, analysed),
    )  # fmt: skip


def lower_edge(gate: Gate) -> SlopingQuantile | None:
    """The line above which a marker's gate begins, along its first dimension; None for gates that have no such line."""
    if isinstance(gate, RectangleGate) and len(gate.bounds) == 1 and gate.bounds[0].low is not None:
        return _line(np.array([0.0, 1.0]), np.full(2, gate.bounds[0].low))
    if not isinstance(gate, PolygonGate):
        return None
    inner = np.unique(gate.vertices[:, 0])
    places = (
        np.unique(np.concatenate([inner[1:-1], np.clip([inner[0], inner[-1]], 0.0, 1.0)]))
        if inner.size > 2
        else np.array([0.0, 1.0])
    )
    heights = np.array([_lowest(gate.vertices, x) for x in places])
    good = np.isfinite(heights)
    return _line(places[good], heights[good]) if good.any() else None


def _line(x: Array, y: Array) -> SlopingQuantile:
    return SlopingQuantile(x=x, y=y, low=np.full(x.size, np.nan), high=np.full(x.size, np.nan), n_effective=0.0)


def _lowest(vertices: Array, x: float) -> float:
    """Lowest y of a polygon's border at x; not-a-number beside it."""
    a, b = vertices, np.roll(vertices, -1, axis=0)
    crossing = (np.minimum(a[:, 0], b[:, 0]) <= x) & (x <= np.maximum(a[:, 0], b[:, 0]))
    if not crossing.any():
        return float("nan")
    run = b[crossing, 0] - a[crossing, 0]
    part = np.where(run == 0, 0.0, (x - a[crossing, 0]) / np.where(run == 0, 1.0, run))
    heights = np.where(
        run == 0, np.minimum(a[crossing, 1], b[crossing, 1]), a[crossing, 1] + part * (b[crossing, 1] - a[crossing, 1])
    )
    return float(heights.min())
