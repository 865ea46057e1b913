"""The cells stage's files -> `CellsInput`: sample sheet, tubes, panels, spillover, hand-drawn gates and ledgers, read and checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from thrombokit.cells.culture_events import Culture
from thrombokit.cells.gates import GateTree
from thrombokit.cells.ledger_tubes import ledger_faults
from thrombokit.cells.spillover import Spillover
from thrombokit.cells.tubes import SampleSheet
from thrombokit.errors import InputError, raise_all
from thrombokit.io.gate_lock import read_gate_lock, refuse_gate_changes
from thrombokit.io.gatingml_read import read_gatingml
from thrombokit.io.panels import read_panels
from thrombokit.io.sample_sheets import read_sample_sheet
from thrombokit.io.spillover_tables import read_spillover_table
from thrombokit.io.yield_sheets import read_cultures
from thrombokit.study.spec_cells import CellsSection

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, eq=False)
class CellsInput:
    """What the cells stage starts from.

    `spillover` is the table of [cells] spillover; `gates` are drawn by hand, and `locked` says that they were held against their lock.
    """

    sheet: SampleSheet
    spillover: Spillover | None = None
    gates: GateTree | None = None
    locked: bool = False
    cultures: tuple[Culture, ...] = ()


class Reading(Protocol):
    """What `load_study` offers its stages: whole paths, hashes of what was read, faults gathered instead of raised."""

    def path_to(self, relative: str) -> Path:
        """The whole path of a file of the study."""
        ...

    def note_input(self, path: Path) -> None:
        """Remember a file's name and hash."""
        ...

    def attempt(self, read: Callable[[], T]) -> T | None:
        """The result of `read`, or None with its faults gathered."""
        ...


def load_cells(section: CellsSection, reading: Reading, *, molar_masses: Mapping[str, float]) -> CellsInput | None:
    """Read all files of [cells]; None where one has a fault (gathered by `reading`)."""

    def read(name: str | None, how: Callable[[Path], T]) -> T | None:
        if name is None:
            return None
        path = reading.path_to(name)
        found = reading.attempt(lambda: how(path))
        if found is not None:
            reading.note_input(path)
        return found

    panels = read(section.panels, read_panels)
    sheet = (
        read(section.sheet, lambda path: read_sample_sheet(path, panels=panels or {}, molar_masses=molar_masses))
        if panels
        else None
    )
    spillover = read(section.spillover, read_spillover_table)
    gates = read(section.gates, read_gatingml)
    if gates is not None and section.lock is not None:
        lock = read(section.lock, read_gate_lock)
        if lock is not None:
            reading.attempt(lambda: refuse_gate_changes(lock, gates, place=section.gates or "gates"))
    cultures = read(section.yields, read_cultures)
    if sheet is None:
        return None
    if cultures:
        disagreeing = ledger_faults(cultures, sheet.tubes, excluded=[tube.name for tube in sheet.excluded])
        reading.attempt(lambda: raise_all(disagreeing, InputError))
    folder = reading.path_to(section.sheet).parent
    for tube in sheet.tubes:
        reading.note_input(folder / tube.file)
    return CellsInput(
        sheet=sheet,
        spillover=spillover,
        gates=gates,
        locked=gates is not None and section.lock is not None,
        cultures=cultures or (),
    )
