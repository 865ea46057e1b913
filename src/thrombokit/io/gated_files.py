"""The gates of one strategy applied to many FCS files: counts of each population, file by file, on one core or many."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from thrombokit.cells.gate_counts import INTERVAL_METHOD, PopulationCount, count_populations
from thrombokit.cells.gates import GateTree
from thrombokit.cells.membership import apply_gates
from thrombokit.cells.sample import Sample
from thrombokit.errors import Fault, InputError
from thrombokit.io.fcs import read_fcs
from thrombokit.io.whole_files import replace_file
from thrombokit.numerics.arrays import BoolArray
from thrombokit.scale.engine import Engine, Progress, SerialEngine

FILES_AT_ONCE = 4


@dataclass(frozen=True, kw_only=True)
class GatedFile:
    """One file: its name, all its events, the populations, and what was odd about it."""

    file: str
    n_events: int
    counts: tuple[PopulationCount, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Work:
    paths: tuple[Path, ...]
    gates: GateTree
    confidence: float


def gate_files(
    paths: Sequence[str | Path], gates: GateTree, *, confidence: float = 0.95, engine: Engine | None = None,
    progress: Progress | None = None,
) -> tuple[GatedFile, ...]:  # fmt: skip
    """Count the populations of each file.

    Parameters
    ----------
    paths : paths
        FCS files; of each the first data set is taken.
    gates : GateTree
    confidence : float
        Of the intervals of the shares.
    engine : Engine, optional
        Files are shared out among its workers; the numbers do not depend on how many there are.
    progress : callable, optional
        Called with the number of files finished since the last call.

    Returns
    -------
    tuple of GatedFile
        In the order of `paths`.

    Raises
    ------
    InputError
        If a file cannot be read or does not fit the gates; the faults of all files at once.
    """
    work = _Work(paths=tuple(map(Path, paths)), gates=gates, confidence=confidence)
    parts = (engine or SerialEngine()).map_ranges(_gate_range, work, len(paths), chunk=FILES_AT_ONCE, progress=progress)
    found = [one for part in parts for one in part]
    faults = [fault for one in found if not isinstance(one, GatedFile) for fault in one]
    if faults:
        raise InputError(faults)
    return tuple(one for one in found if isinstance(one, GatedFile))


def gated_file(sample: Sample, members: Mapping[str, BoolArray], gates: GateTree, *, confidence: float = 0.95) -> GatedFile:
    """The counts of one sample whose gates were applied."""
    counts = count_populations(members, gates, sample.n_events, confidence=confidence)
    return GatedFile(file=sample.name, n_events=sample.n_events, counts=counts, notes=sample.notes)


def gated_document(files: Sequence[GatedFile], gates: GateTree, *, confidence: float = 0.95) -> dict[str, Any]:
    """The counts as plain values for JSON: `gates` and its notes, and for each file its events, populations and notes."""
    return {
        "schema": "thrombokit.gated/1", "gates": gates.source, "notes": list(gates.notes), "confidence": confidence,
        "interval_method": INTERVAL_METHOD,
        "files": [
            {"file": one.file, "events": one.n_events, "populations": [count.to_dict() for count in one.counts], "notes": list(one.notes)}
            for one in files
        ],
    }  # fmt: skip


def write_json(document: dict[str, Any], path: str | Path) -> None:
    """Write plain values as JSON, in one step. Raises FileFormatError if that cannot be done."""
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
    replace_file(Path(path), (text + "\n").encode("utf-8"))


def population_table(files: Sequence[GatedFile], *, confidence: float = 0.95) -> pl.DataFrame:
    """One row a file and population: `file, population, parent, events, parent_events, pct_of_parent, pct_low, pct_high, confidence,
    interval_method`."""
    rows = [
        {"file": one.file, **count.to_dict(), "confidence": confidence, "interval_method": INTERVAL_METHOD}
        for one in files
        for count in one.counts
    ]
    text, whole, number = (
        ("file", "population", "parent"),
        ("events", "parent_events"),
        ("pct_of_parent", "pct_low", "pct_high", "confidence"),
    )
    schema = {**dict.fromkeys(text, pl.String), **dict.fromkeys(whole, pl.Int64), **dict.fromkeys(number, pl.Float64)}
    return pl.DataFrame(rows, schema={**schema, "interval_method": pl.String})


def membership_table(members: Mapping[str, BoolArray]) -> pl.DataFrame:
    """One column a population id, one row an event, 1 for in and 0 for out."""
    return pl.DataFrame({name: member.view(np.uint8) for name, member in members.items()})


def _gate_range(work: _Work, start: int, stop: int) -> list[GatedFile | tuple[Fault, ...]]:
    return [_gate_file(path, work) for path in work.paths[start:stop]]


def _gate_file(path: Path, work: _Work) -> GatedFile | tuple[Fault, ...]:
    try:
        sample = read_fcs(path)
        return gated_file(sample, apply_gates(sample, work.gates), work.gates, confidence=work.confidence)
    except InputError as error:
        return error.faults
