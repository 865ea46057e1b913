"""One tube, gated: its rows for the tables, its warning signs, and its densities where it represents its group."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from thrombokit.cells.drift import TimeQuality
from thrombokit.cells.gate_counts import PopulationCount, count_populations
from thrombokit.cells.group_controls import GroupControl
from thrombokit.cells.membership import apply_gates
from thrombokit.cells.off_scale import is_at_top
from thrombokit.cells.particles import PARTICLE_ID, SIZE_ID
from thrombokit.cells.pictures import densities_of
from thrombokit.cells.result import Density
from thrombokit.cells.spillover import Spillover
from thrombokit.cells.strategy import TIME_ID, FittedStrategy, MegakaryocyteStrategy, tube_tree
from thrombokit.cells.tube_signals import compensated_events
from thrombokit.cells.tubes import Tube, TubeKind
from thrombokit.cells.warning_signs import (
    WarningSign,
    coated_progenitors,
    much_removed,
    one_chain_only,
    saturated,
    shed_cd42b,
    spill_left,
)
from thrombokit.numerics.arrays import Array, BoolArray, IntArray
from thrombokit.numerics.binomial_intervals import clopper_pearson

Row = dict[str, Any]
PLOIDIES = ("2N", "4N", "8N", "16N", "32N", "64N")
_INNER_GATES = (SIZE_ID, "particle CD41+", "particle CD42b+", "singlets_forward", "singlets_side", "singlets_DNA")


@dataclass(frozen=True, kw_only=True, eq=False)
class GatedTube:
    """Rows of the tables for one tube."""

    populations: list[Row]
    stages: list[Row]
    by_ploidy: list[Row]
    quality: Row
    warnings: tuple[WarningSign, ...]
    densities: tuple[Density, ...]


def tube_columns(tube: Tube) -> Row:
    """The columns that tell a tube, in their order."""
    return {
        "tube": tube.name, "donor": tube.donor, "plate": tube.plate, "day_d": tube.day_d, "panel": tube.panel.name, "kind": str(tube.kind),
        "role": str(tube.role), "agonist": tube.agonist, "concentration_nM": tube.concentration_nM,
    }  # fmt: skip


def gate_tube(
    tube: Tube, fitted: FittedStrategy | None, quality: TimeQuality, control: GroupControl, strategy: MegakaryocyteStrategy,
    spillover: Spillover | None, classes: IntArray | None, *, with_densities: bool,
) -> GatedTube:  # fmt: skip
    """Apply a group's gates to one of its tubes, and count.

    Parameters
    ----------
    tube : Tube
    fitted : FittedStrategy or None
        None: a tube without gates (beads, single stains); only its quality is told.
    quality : TimeQuality
    control : GroupControl
    strategy : MegakaryocyteStrategy
    spillover : Spillover, optional
    classes : int array of shape (n_events,), optional
        Ploidy class of each event: 0 to 5 for 2N to 64N, -1 for none.
    with_densities : bool
    """
    if fitted is None:
        return GatedTube(
            populations=[], stages=[], by_ploidy=[], quality=_quality(tube, None, quality, {}), warnings=(), densities=()
        )
    tree = tube_tree(fitted.tree, quality, tube.panel.time)
    members = apply_gates(tube.sample, tree)
    row = _quality(tube, fitted, quality, members)
    if tube.kind is not TubeKind.FULL:
        return GatedTube(populations=[], stages=[], by_ploidy=[], quality=row, warnings=(), densities=())
    decoded, compensated = np.asarray(tube.sample.events("decoded")), compensated_events(tube.sample, spillover)
    names = tube.sample.channel_names
    shine = {
        m: np.asarray(compensated[:, names.index(tube.panel.channels[m])], dtype=np.float64) for m in tube.panel.surface_markers
    }
    counts = [
        c for c in count_populations(members, tree, tube.sample.n_events, confidence=strategy.confidence)
        if c.population not in _INNER_GATES and not c.population.startswith(f"{TIME_ID} ")
    ]  # fmt: skip
    populations = [_population_row(tube, c, members, shine, fitted, control) for c in counts]
    meanings = {stage.name: stage for stage in fitted.stages}
    stages = [
        _stage_row(tube, c, meanings[c.population].meaning, meanings[c.population].source)
        for c in counts
        if c.population in meanings
    ]
    return GatedTube(
        populations=populations, stages=stages,
        by_ploidy=[] if classes is None else _ploidy_rows(tube, counts, members, classes, shine, strategy.confidence),
        quality=row, warnings=_warnings(tube, fitted, members, shine, strategy, row),
        densities=densities_of(tube, fitted, quality, decoded, compensated, members) if with_densities else (),
    )  # fmt: skip


def _share_columns(count: PopulationCount) -> Row:
    return {
        "parent": count.parent, "count": count.events, "parent_count": count.parent_events, "percent": count.pct_of_parent,
        "percent_low": count.pct_low, "percent_high": count.pct_high,
    }  # fmt: skip


def _stage_row(tube: Tube, count: PopulationCount, meaning: str, source: str) -> Row:
    return {**tube_columns(tube), "stage": count.population, "meaning": meaning, "source": source, **_share_columns(count)}


def _population_row(
    tube: Tube,
    count: PopulationCount,
    members: Mapping[str, BoolArray],
    shine: dict[str, Array],
    fitted: FittedStrategy,
    control: GroupControl,
) -> Row:
    row: Row = {**tube_columns(tube), "population": count.population, **_share_columns(count)}
    inside = members[count.population]
    for marker, values in shine.items():
        median = float(np.median(values[inside])) if count.events else None
        base = control.medians.get(marker)
        row[f"median_{marker}"] = median
        row[f"delta_{marker}"] = None if median is None or base is None else median - base
        row[f"rule_{marker}"] = fitted.thresholds[marker].rule if marker in fitted.thresholds else "given"
    return row


def _ploidy_rows(
    tube: Tube,
    counts: list[PopulationCount],
    members: Mapping[str, BoolArray],
    classes: IntArray,
    shine: dict[str, Array],
    confidence: float,
) -> list[Row]:
    rows: list[Row] = []
    for count in counts:
        if count.population == TIME_ID or not count.events:
            continue
        inside = members[count.population]
        for place, ploidy in enumerate(PLOIDIES):
            chosen = inside & (classes == place)
            n = int(chosen.sum())
            low, high = clopper_pearson(n, count.events, confidence=confidence)
            row: Row = {**tube_columns(tube), "population": count.population, "ploidy": ploidy, "count": n, "parent_count": count.events,
                        "percent": 100.0 * n / count.events, "percent_low": 100.0 * low, "percent_high": 100.0 * high}  # fmt: skip
            row.update({f"median_{marker}": float(np.median(values[chosen])) if n else None for marker, values in shine.items()})
            rows.append(row)
    return rows


def _quality(tube: Tube, fitted: FittedStrategy | None, quality: TimeQuality, members: Mapping[str, BoolArray]) -> Row:
    """Events, what each step took away, and the verdicts."""
    n = tube.sample.n_events
    left = n
    row: Row = {**tube_columns(tube), "events": n}
    for column, id in (
        ("removed_time", TIME_ID),
        ("removed_debris", "cells"),
        ("removed_doublets", "singlets"),
        ("removed_dead", "live"),
    ):
        after = int(members[id].sum()) if id in members else left
        row[column] = left - after
        left = after
    row["analysed"] = left if fitted is not None else None
    row["time"] = quality.verdict
    row["live"] = _live_verdict(fitted)
    row["particles"] = fitted.particles if fitted is not None else ""
    row["platelet_like"] = int(members[PARTICLE_ID].sum()) if PARTICLE_ID in members else None
    row["findings"] = " ".join(finding.sentence for finding in quality.findings)
    return row


def _live_verdict(fitted: FittedStrategy | None) -> str:
    if fitted is None:
        return ""
    step = next((s for s in fitted.steps if s.step == "live"), None)
    if step is None:
        return "given" if any(gate.id == "live" for gate in fitted.tree.gates) else "no live gate in the gates given"
    return step.rule if step.gate is not None else step.sentence


def _warnings(
    tube: Tube, fitted: FittedStrategy, members: Mapping[str, BoolArray], shine: dict[str, Array], strategy: MegakaryocyteStrategy,
    quality: Row,
) -> tuple[WarningSign, ...]:  # fmt: skip
    settings = strategy.warning_signs
    rows = members[fitted.analysed] if fitted.analysed else np.ones(tube.sample.n_events, dtype=np.bool_)
    positive = {m: members[f"{m}+"][rows] for m in shine if f"{m}+" in members}
    here = {m: values[rows] for m, values in shine.items()}
    size = np.asarray(tube.sample.events("decoded")[rows, tube.sample.channel_names.index(tube.panel.fsc_area)], dtype=np.float64)
    watched = {tube.panel.fsc_area, tube.panel.ssc_area, *tube.panel.channels.values()}
    at_top = {
        channel.name: int(is_at_top(tube.sample.stored[:, column], channel).sum())
        for column, channel in enumerate(tube.sample.channels) if channel.name in watched
    }  # fmt: skip
    found = (
        coated_progenitors(positive, here, size, settings), shed_cd42b(positive, here, settings), one_chain_only(positive, settings),
        *saturated(at_top, tube.sample.n_events, settings), *much_removed(_taken(quality), settings), *spill_left(positive, here, size, settings),
    )  # fmt: skip
    return tuple(sign for sign in found if sign is not None)


def _taken(quality: Row) -> dict[str, tuple[int, int]]:
    """What came to each step and what it took, from a row of the quality table."""
    left, found = int(quality["events"]), dict[str, tuple[int, int]]()
    for column, what in (
        ("removed_time", "off in time"),
        ("removed_debris", "debris"),
        ("removed_doublets", "doublets"),
        ("removed_dead", "dead"),
    ):
        found[what] = (left, int(quality[column]))
        left -= int(quality[column])
    return found
