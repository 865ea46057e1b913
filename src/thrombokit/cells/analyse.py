"""From tubes to populations, stages and warnings: the whole strategy over a plate.

Each tube is looked at by itself (time, signals), the strategy is fitted to each control group, and each tube is gated by itself. What is done
tube by tube goes through the engine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from thrombokit.cells.cells_tables import frame_of, population_schema, threshold_rows, warning_rows
from thrombokit.cells.fitting import GroupPools, fit_group, pool_group
from thrombokit.cells.gated_tube import GatedTube, gate_tube
from thrombokit.cells.gates import GateTree
from thrombokit.cells.given_gates import strategy_of, tree_for
from thrombokit.cells.group_controls import GroupControl, control_of, control_shines, histograms_of
from thrombokit.cells.result import CellsResult, MarkerHistogram
from thrombokit.cells.spillover import Spillover
from thrombokit.cells.strategy import FittedStrategy, Group, MegakaryocyteStrategy
from thrombokit.cells.tube_signals import TubeLook, faults_of, look_at_tube
from thrombokit.cells.tubes import Tube, TubeKind
from thrombokit.errors import Fault, raise_all
from thrombokit.numerics.arrays import IntArray
from thrombokit.scale.engine import Engine, SerialEngine

_TUBES_AT_ONCE, _CONTROL_EVENTS, _LEAST_OF_A_TUBE = 2, 40_000, 2000


@dataclass(frozen=True, kw_only=True, eq=False)
class _Work:
    """What every process needs to know."""

    tubes: tuple[Tube, ...]
    strategy: MegakaryocyteStrategy
    spillover: Spillover | None
    looks: tuple[TubeLook, ...] = ()
    fitted: Mapping[Group, FittedStrategy] | None = None
    controls: Mapping[Group, GroupControl] | None = None
    shown: frozenset[str] = frozenset()
    classes: Mapping[str, IntArray] | None = None


def analyse_samples(
    tubes: Sequence[Tube],
    strategy: MegakaryocyteStrategy | None = None,
    *,
    engine: Engine | None = None,
    locked: GateTree | Mapping[Group, GateTree] | None = None,
    spillover: Spillover | None = None,
    ploidy_classes: Mapping[str, IntArray] | None = None,
) -> CellsResult:
    """Gate tubes by the strategy for megakaryocyte cultures and count their populations.

    Parameters
    ----------
    tubes : sequence of Tube
        Stained tubes with their controls. Those that share donor, plate, day and panel form a control group and are gated alike.
    strategy : MegakaryocyteStrategy, optional
        Settings; the default strategy without it.
    engine : Engine, optional
        Where tubes are worked on; this process without it.
    locked : GateTree, or mapping of control group to GateTree, optional
        Gates to apply as they are; nothing is fitted. Time is checked in each tube all the same.
    spillover : Spillover, optional
        A matrix for all tubes, in place of the files' own.
    ploidy_classes : mapping of tube name to int array of shape (n_events,), optional
        Ploidy class of each event, 0 to 5 for 2N to 64N, -1 for none.

    Returns
    -------
    CellsResult

    Raises
    ------
    InputError
        If tubes have the same name, lack channels of their panel, have matrices that cannot be used, or the stages do not fit the
        markers; all that is found before gating at once.
    """
    chosen, tubes = strategy or MegakaryocyteStrategy(), tuple(tubes)
    raise_all((*faults_of(tubes, spillover), *_class_faults(tubes, ploidy_classes)))
    run_on = engine or SerialEngine()
    work = _Work(tubes=tubes, strategy=chosen, spillover=spillover)
    looks = tuple(look for part in run_on.map_ranges(_look, work, len(tubes), chunk=_TUBES_AT_ONCE) for look in part)
    pools = _pools(tubes, looks)
    fitted = {
        group: strategy_of(group, tree_for(group, locked), pool, chosen)
        if locked is not None
        else fit_group(group, pool, chosen, spillover)
        for group, pool in pools.items()
    }
    shines = {group: control_shines(pools[group], one) for group, one in fitted.items()}
    controls = {group: control_of(pools[group], shines[group]) for group in fitted}
    work = _Work(
        tubes=tubes, strategy=chosen, spillover=spillover, looks=tuple(_without_events(look) for look in looks), fitted=fitted,
        controls=controls, shown=frozenset(_representatives(tubes)), classes=ploidy_classes,
    )  # fmt: skip
    gated = [one for part in run_on.map_ranges(_gate, work, len(tubes), chunk=_TUBES_AT_ONCE) for one in part]
    histograms = tuple(h for group, one in fitted.items() for h in histograms_of(pools[group], one, shines[group]))
    return _result(tubes, gated, fitted, pools, chosen, histograms)


def _look(work: _Work, start: int, stop: int) -> list[TubeLook]:
    return [look_at_tube(tube, work.strategy.time, work.spillover, _most_events(tube, work)) for tube in work.tubes[start:stop]]


def _most_events(tube: Tube, work: _Work) -> int:
    """How many events of a tube go into the fit: a share of the group's for stained tubes, most of a control tube's."""
    if tube.kind is not TubeKind.FULL:
        return _CONTROL_EVENTS
    n_stained = sum(other.kind is TubeKind.FULL and other.control_group == tube.control_group for other in work.tubes)
    return max(work.strategy.events_a_group // n_stained, _LEAST_OF_A_TUBE)


def _gate(work: _Work, start: int, stop: int) -> list[GatedTube]:
    fitted, controls = work.fitted or {}, work.controls or {}
    nothing = GroupControl(medians={})
    return [
        gate_tube(
            tube, fitted.get(tube.control_group) if _is_gated(tube) else None, look.quality, controls.get(tube.control_group, nothing),
            work.strategy, work.spillover, (work.classes or {}).get(tube.name), with_densities=tube.name in work.shown,
        )
        for tube, look in zip(work.tubes[start:stop], work.looks[start:stop], strict=True)
    ]  # fmt: skip


def _is_gated(tube: Tube) -> bool:
    return tube.kind in (TubeKind.FULL, TubeKind.FMO, TubeKind.UNSTAINED)


def _without_events(look: TubeLook) -> TubeLook:
    return TubeLook(quality=look.quality, channels=look.channels, values=look.values[:0], n_events=look.n_events)


def _pools(tubes: tuple[Tube, ...], looks: tuple[TubeLook, ...]) -> dict[Group, GroupPools]:
    found: dict[Group, GroupPools] = {}
    for group in dict.fromkeys(tube.control_group for tube in tubes):
        index = [i for i, tube in enumerate(tubes) if tube.control_group == group]
        pool = pool_group([tubes[i] for i in index], [looks[i] for i in index])
        if pool is not None:
            found[group] = pool
    return found


def _representatives(tubes: tuple[Tube, ...]) -> list[str]:
    """In each control group, the stained tube to draw: the positive control, else the highest dose, else the first."""
    shown: dict[Group, Tube] = {}

    def rank(tube: Tube) -> tuple[bool, float]:
        return (str(tube.role) == "positive_control", tube.concentration_nM or 0.0)

    for tube in tubes:
        if tube.kind is TubeKind.FULL:
            best = shown.get(tube.control_group)
            if best is None or rank(tube) > rank(best):
                shown[tube.control_group] = tube
    return [tube.name for tube in shown.values()]


def _class_faults(tubes: tuple[Tube, ...], classes: Mapping[str, IntArray] | None) -> list[Fault]:
    """Ploidy classes whose number is not that of the tube's events."""
    return [
        Fault(
            place=f"tube {tube.name}, ploidy classes", found=f"an array of shape {classes[tube.name].shape}",
            expected=f"one class an event, shape ({tube.sample.n_events},)", cure="Take the classes of this tube's own events.",
        )
        for tube in tubes if classes is not None and tube.name in classes and classes[tube.name].shape != (tube.sample.n_events,)
    ]  # fmt: skip


def _result(
    tubes: tuple[Tube, ...], gated: list[GatedTube], fitted: dict[Group, FittedStrategy], pools: dict[Group, GroupPools],
    strategy: MegakaryocyteStrategy, histograms: tuple[MarkerHistogram, ...],
) -> CellsResult:  # fmt: skip
    markers = tuple(dict.fromkeys(m for tube in tubes for m in tube.panel.surface_markers))
    rows: dict[str, list[dict[str, Any]]] = {
        name: [row for one in gated for row in getattr(one, name)] for name in ("populations", "stages", "by_ploidy")
    }
    return CellsResult(
        populations=frame_of(rows["populations"], population_schema("population", markers)),
        stages=frame_of(rows["stages"], population_schema("stage", ())),
        by_ploidy=frame_of(rows["by_ploidy"], population_schema("ploidy", markers)),
        thresholds=frame_of(threshold_rows(fitted, pools, strategy), population_schema("threshold", ())),
        quality=frame_of([one.quality for one in gated], population_schema("quality", ())),
        warnings=frame_of(warning_rows(tubes, gated, fitted), population_schema("warning", ())),
        fitted=fitted,
        densities=tuple(density for one in gated for density in one.densities),
        histograms=histograms,
    )
