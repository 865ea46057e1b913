"""The strategy fitted to one control group: pooled events of its tubes in, a tree of gates out.

Scatter gates are fitted on all stained tubes of the group together, so that every tube is cut alike; thresholds on the FMO tubes. Each
fitted gate is applied before the next step is fitted, by the same code that later applies it to the tubes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from thrombokit.cells.debris import fit_debris
from thrombokit.cells.gates import (
    UNCOMPENSATED,
    BooleanGate,
    Dimension,
    EllipsoidGate,
    Gate,
    GateTree,
    PolygonGate,
    QuadrantGate,
    RectangleGate,
    polygon,
)
from thrombokit.cells.live import fit_live
from thrombokit.cells.membership import apply_gates
from thrombokit.cells.particles import MARKERS as PARTICLE_MARKERS
from thrombokit.cells.particles import fit_particles
from thrombokit.cells.sample import Channel, Sample
from thrombokit.cells.scales import LogicleScale, LogScale
from thrombokit.cells.singlets import Pulse, fit_singlets
from thrombokit.cells.spillover import Spillover
from thrombokit.cells.stages import Signs, check_stages, name_of, preset_stages, sign_gate, stage_gates
from thrombokit.cells.steps import FAR, FittedStep, log_dimension, logicle_dimension, top_of
from thrombokit.cells.strategy import FittedStrategy, Group, MegakaryocyteStrategy
from thrombokit.cells.thresholds import Signals, Threshold, fit_thresholds
from thrombokit.cells.tube_signals import TubeLook, beside
from thrombokit.cells.tubes import DNA, VIABILITY, Panel, Tube, TubeKind
from thrombokit.numerics.arrays import Array, BoolArray

FILE, GIVEN = "FCS", "spillover"
_MOST_POOLED = 120_000
POOLED = (TubeKind.FULL, TubeKind.FMO, TubeKind.UNSTAINED)
EXTRA: tuple[Signs, ...] = (
    (("CD41", True), ("CD61", True)),
    (("CD41", True), ("CD42b", True)),
    (("CD41", True), ("CD61", False)),
    (("CD41", False), ("CD42b", True)),
)
"""Populations told beside the stages: the lineage by both chains, mature cells, and two that should hold next to nothing."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Pool:
    """Kept events of some tubes of one group, as one sample whose markers are compensated already; `tube` is each event's tube."""

    sample: Sample
    tube: Array

    def values(self, channel: str, rows: BoolArray | None = None) -> Array:
        """One channel, shape (n_events,), or of the rows chosen."""
        column = self.sample.stored[:, self.sample.channel_names.index(channel)]
        return np.asarray(column if rows is None else column[rows], dtype=np.float64)


@dataclass(frozen=True, kw_only=True, eq=False)
class GroupPools:
    """The pools of a group: all tubes, thinned, for the scatter gates, the first `n_full` of them of fully stained tubes; then each kind.

    None where there is no such tube.
    """

    panel: Panel
    first: Sample
    all: Pool
    n_full: int
    full: Pool | None
    fmo: dict[str, Pool]
    unstained: Pool | None


def pool_group(tubes: Sequence[Tube], looks: Sequence[TubeLook]) -> GroupPools | None:
    """Pools of one control group's tubes; None where none of them is stained with the panel or unstained."""
    used = [(tube, look) for tube, look in zip(tubes, looks, strict=True) if tube.kind in POOLED and len(look.values)]
    used.sort(key=lambda one: POOLED.index(one[0].kind))
    if not used:
        return None
    panel, first = used[0][0].panel, used[0][0].sample

    def pool(chosen: list[tuple[Tube, TubeLook]], step: int = 1) -> Pool | None:
        if not chosen:
            return None
        names = tuple(c for c in chosen[0][1].channels if all(c in look.channels for _, look in chosen))
        values = np.concatenate([look.values[::step, [look.channels.index(c) for c in names]] for _, look in chosen])
        channels = tuple(Channel(name=c, range_max=top_of(chosen[0][0].sample, c)) for c in names)
        place = np.repeat(np.arange(len(chosen), dtype=np.float64), [len(look.values[::step]) for _, look in chosen])
        return Pool(sample=Sample(name="pool", channels=channels, stored=values), tube=place)

    stains = dict.fromkeys(tube.stain for tube, _ in used if tube.kind is TubeKind.FMO)
    fmo = {stain: pool([u for u in used if u[0].kind is TubeKind.FMO and u[0].stain == stain]) for stain in stains}
    everything = pool(used, step=max(1, -(-sum(len(look.values) for _, look in used) // _MOST_POOLED)))
    assert everything is not None
    n_stained = sum(tube.kind is TubeKind.FULL for tube, _ in used)
    kinds = {kind: [u for u in used if u[0].kind is kind] for kind in POOLED}
    return GroupPools(
        panel=panel, first=first, all=everything, n_full=int((everything.tube < n_stained).sum()), full=pool(kinds[TubeKind.FULL]),
        fmo={stain: p for stain, p in fmo.items() if p is not None}, unstained=pool(kinds[TubeKind.UNSTAINED]),
    )  # fmt: skip


def fit_group(group: Group, pools: GroupPools, strategy: MegakaryocyteStrategy, spillover: Spillover | None) -> FittedStrategy:
    """Fit every step to one control group.

    Parameters
    ----------
    group : Group
    pools : GroupPools
    strategy : MegakaryocyteStrategy
    spillover : Spillover, optional
        The matrix by which the pools were compensated, if not the files' own; it goes into the tree.

    Returns
    -------
    FittedStrategy

    Raises
    ------
    InputError
        If the strategy's own stages do not fit the panel's markers.
    """
    gates: list[Gate] = []
    steps: list[FittedStep] = []
    last = _scatter_steps(pools, strategy, gates, steps)
    full, fmo, unstained = (
        _analysed(pools.full, gates, last),
        {stain: _analysed(pool, gates, last) for stain, pool in pools.fmo.items()},
        _analysed(pools.unstained, gates, last),
    )
    markers = tuple(m for m in pools.panel.surface_markers)
    stained = _signals(pools, full)
    controls = {stain: s for stain, rows in fmo.items() if stain in markers and (s := _signals(pools, rows)) is not None}
    none = Signals(size=np.zeros(0), shine={m: np.zeros(0) for m in markers})
    thresholds = fit_thresholds(stained or none, controls, _signals(pools, unstained), markers, strategy.thresholds)
    gates += _marker_gates(pools, thresholds, strategy, last)
    gated = tuple(m for m in markers if any(gate.id == f"{m}+" for gate in gates))
    stages = strategy.stages or preset_stages(gated)
    check_stages(stages, gated, " ".join(str(part) for part in group if part not in ("", None)) or "strategy")
    gates += stage_gates(stages, last)
    gates += _extra_gates(gated, last, {gate.id for gate in gates})
    verdict, particles = _particle_gates(pools, strategy)
    gates += particles
    tree = _finished(gates, spillover)
    return FittedStrategy(
        group=group, tree=tree, steps=tuple(steps), thresholds=thresholds, stages=stages, analysed=last, particles=verdict,
        size_at=sizes_of(pools, tree, last),
    )  # fmt: skip


def _scatter_steps(pools: GroupPools, strategy: MegakaryocyteStrategy, gates: list[Gate], steps: list[FittedStep]) -> str | None:
    """Fit debris, singlets and live, one inside the other; the id of the last gate."""
    panel, first = pools.panel, pools.first
    forward, side = panel.fsc_area, panel.ssc_area
    pool, last = pools.all, None
    drawn = strategy.drawn("cells")
    step = _by_hand(drawn, None) or fit_debris(
        pool.values(forward), strategy.debris, channel=forward, side_channel=side, top=top_of(first, forward), side_top=top_of(first, side)
    )  # fmt: skip
    last = _add(step, (), gates, steps, last)
    rows = _inside(pool, gates, last)
    step, bands = _by_hand(strategy.drawn("singlets"), last), ()
    if step is None:
        pulses = (
            _pulse(pools, forward, panel.fsc_height, rows),
            _pulse(pools, side, beside(side, "-H", pool.sample), rows),
            _pulse(pools, panel.channels[DNA], beside(panel.channels[DNA], "-H", pool.sample), rows)
            if DNA in panel.channels
            else None,
        )
        step, bands = fit_singlets(*pulses, strategy.singlets, parent=last)
    last = _add(step, bands, gates, steps, last)
    rows = _full_rows(pools, _inside(pool, gates, last))
    step = _by_hand(strategy.drawn("live"), last)
    if step is None:
        dye = panel.channels.get(VIABILITY, forward)
        step = fit_live(
            pool.values(forward, rows), pool.values(dye, rows), strategy.live, panel=panel, forward_top=top_of(first, forward),
            dye_top=top_of(first, dye), compensation=FILE, parent=last,
        )  # fmt: skip
    return _add(step, (), gates, steps, last)


def _by_hand(gate: Gate | None, parent: str | None) -> FittedStep | None:
    if gate is None:
        return None
    return FittedStep(
        step=gate.id, gate=replace(gate, parent=parent), rule="drawn by hand", sentence=f"{gate.id}: gate drawn by hand."
    )


def _add(step: FittedStep, bands: tuple[Gate, ...], gates: list[Gate], steps: list[FittedStep], last: str | None) -> str | None:
    steps.append(step)
    if step.gate is None:
        return last
    gates += [*bands, step.gate]
    return step.gate.id


def _inside(pool: Pool, gates: list[Gate], last: str | None) -> BoolArray:
    """Which events of a pool lie in the last gate."""
    if last is None:
        return np.ones(len(pool.tube), dtype=np.bool_)
    return apply_gates(pool.sample, GateTree(gates=tuple(gates)))[last]


def _full_rows(pools: GroupPools, rows: BoolArray) -> BoolArray:
    """The rows of fully stained tubes, which come first, where there are any: FMO and unstained tubes may lack the live/dead dye."""
    return rows if not pools.n_full else rows & (np.arange(rows.size) < pools.n_full)


def _pulse(pools: GroupPools, area: str, height: str | None, rows: BoolArray) -> Pulse | None:
    names = pools.all.sample.channel_names
    if not height or height not in names or area not in names:
        return None
    return Pulse(
        area=area, height=height, top=top_of(pools.first, area), areas=pools.all.values(area, rows), heights=pools.all.values(height, rows)
    )  # fmt: skip


def _analysed(pool: Pool | None, gates: list[Gate], last: str | None) -> tuple[Pool, BoolArray] | None:
    return None if pool is None else (pool, _inside(pool, gates, last))


def _signals(pools: GroupPools, chosen: tuple[Pool, BoolArray] | None) -> Signals | None:
    """Size and markers of analysed events on their gates' scales; events without a place on the size axis are left out."""
    if chosen is None:
        return None
    pool, rows = chosen
    forward = pool.values(pools.panel.fsc_area, rows)
    good = forward > 0
    shine: dict[str, Array] = {}
    for marker in pools.panel.surface_markers:
        channel = pools.panel.channels[marker]
        shine[marker] = LogicleScale(t=top_of(pools.first, channel), w=0.5, m=4.5).apply(pool.values(channel, rows)[good])
    return Signals(size=LogScale(t=top_of(pools.first, pools.panel.fsc_area), m=4.5).apply(forward[good]), shine=shine)


def _marker_gates(
    pools: GroupPools, thresholds: Mapping[str, Threshold], strategy: MegakaryocyteStrategy, parent: str | None
) -> list[Gate]:
    """One gate a marker that has a threshold or was drawn by hand: above a line that follows size."""
    found: list[Gate] = []
    for marker, threshold in thresholds.items():
        drawn = strategy.drawn(f"{marker}+")
        if drawn is not None:
            found.append(replace(drawn, parent=parent))
        elif threshold.line is not None:
            channel, forward = pools.panel.channels[marker], pools.panel.fsc_area
            corners = np.concatenate([[-FAR], threshold.line.x, [FAR]])
            line = np.column_stack([corners, threshold.line.at(corners)])
            x, y = (
                log_dimension(forward, top_of(pools.first, forward)),
                logicle_dimension(channel, top_of(pools.first, channel), FILE),
            )
            found.append(polygon(f"{marker}+", x, y, np.concatenate([line, [[FAR, FAR], [-FAR, FAR]]]), parent=parent))
    return found


def _extra_gates(markers: tuple[str, ...], parent: str | None, taken: set[str]) -> list[Gate]:
    wanted = [signs for signs in EXTRA if all(marker in markers for marker, _ in signs)]
    return [sign_gate(signs, parent) for signs in wanted if name_of(signs) not in taken]


def _particle_gates(pools: GroupPools, strategy: MegakaryocyteStrategy) -> tuple[str, tuple[Gate, ...]]:
    panel = pools.panel
    channels = {m: (panel.channels[m], top_of(pools.first, panel.channels[m])) for m in PARTICLE_MARKERS if m in panel.channels}
    control = {
        m: (pools.fmo[m].values(panel.fsc_area), pools.fmo[m].values(panel.channels[m])) for m in PARTICLE_MARKERS
        if m in pools.fmo and m in panel.channels
    }  # fmt: skip
    return fit_particles(
        strategy.particle_size, control, forward_channel=panel.fsc_area, forward_top=top_of(pools.first, panel.fsc_area),
        marker_channels=channels, compensation=FILE, percentile=strategy.thresholds.percentile,
    )  # fmt: skip


def sizes_of(pools: GroupPools, tree: GateTree, analysed: str | None) -> tuple[float, float]:
    """Forward scatter at the median and at the 90th percentile of the analysed stained cells; not-a-number without any."""
    if pools.full is None:
        return (float("nan"), float("nan"))
    rows = _inside(pools.full, [with_compensation(gate, FILE) for gate in tree.gates], analysed)
    if not rows.any():
        return (float("nan"), float("nan"))
    middle, large = np.quantile(pools.full.values(pools.panel.fsc_area, rows), (0.5, 0.9))
    return (float(middle), float(large))


def _finished(gates: list[Gate], spillover: Spillover | None) -> GateTree:
    """The tree that holds for the files: with a matrix of our own, it is named in the tree and in every dimension that is compensated."""
    if spillover is None:
        return GateTree(gates=tuple(gates), source="strategy")
    return GateTree(gates=tuple(with_compensation(gate, GIVEN) for gate in gates), matrices={GIVEN: spillover}, source="strategy")


def with_compensation(gate: Gate, name: str) -> Gate:
    """The gate with `name` in every dimension that is compensated."""

    def renamed(dimension: Dimension) -> Dimension:
        return dimension if dimension.compensation == UNCOMPENSATED else replace(dimension, compensation=name)

    match gate:
        case PolygonGate():
            return replace(gate, x=renamed(gate.x), y=renamed(gate.y))
        case RectangleGate():
            return replace(gate, bounds=tuple(replace(b, dimension=renamed(b.dimension)) for b in gate.bounds))
        case EllipsoidGate():
            return replace(gate, dimensions=tuple(renamed(d) for d in gate.dimensions))
        case QuadrantGate():
            return replace(gate, dividers=tuple(replace(d, dimension=renamed(d.dimension)) for d in gate.dividers))
        case BooleanGate():
            return gate
