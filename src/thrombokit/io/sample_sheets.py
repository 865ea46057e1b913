"""A sample sheet and its files become tubes; everything in the sheet is held against the files, and all faults come in one pass.

The sheet (CSV, TSV or XLSX; `thrombokit.io.sample_sheet_rows` lists its columns) has one row per tube. Role absent: an agonist makes a
sample, none a vehicle culture; a control tube without either says nothing of its culture. A row with a reason in the column `exclude` is
left out, and its file is not read.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from thrombokit.cells.channel_names import ResolvedPanel, resolve_panel
from thrombokit.cells.control_tubes import missing_fmo, moved_detectors
from thrombokit.cells.sample import Sample
from thrombokit.cells.tubes import ExcludedTube, Panel, SampleSheet, Tube, TubeKind
from thrombokit.errors import Fault, FileFormatError, InputError, raise_all
from thrombokit.io.fault_lists import condensed
from thrombokit.io.fcs import read_fcs
from thrombokit.io.named_columns import read_rows
from thrombokit.io.sample_sheet_rows import COLUMNS, Known, TubeRow, parse_row
from thrombokit.io.sheet_files import FileFolder, open_folder, same_bytes

CURES = {
    os.strerror(errno.EMFILE): "Every file stays open while its events are used: raise the limit (ulimit -n 4096) and try again."
}
"""Cures that only the reader of many files knows, by what was found."""
TOLD_IN_FULL = 5
"""Unlisted files or changes of a detector that a note names one by one."""


def read_sample_sheet(
    path: str | Path,
    *,
    folder: str | Path | None = None,
    panels: Mapping[str, Panel],
    molar_masses: Mapping[str, float] | None = None,
) -> SampleSheet:
    """Read a sample sheet and the files it names.

    Parameters
    ----------
    path : path
        The sheet.
    folder : path, optional
        Where the files' names start from; the sheet's own folder without it.
    panels : mapping of str to Panel
        By the names the sheet uses. A channel may be given by its name ($PnN), its label ($PnS) or a word in either.
    molar_masses : mapping of str to float, optional
        Agonist -> g/mol, for doses in ng/mL.

    Returns
    -------
    SampleSheet
        Concentrations in nM; each tube's panel in the channel names of its own file. The events stay in the files until they are used.

    Raises
    ------
    InputError
        With every fault of the sheet, its panels and its files: place (file, row, column), found, expected, cure.
    """
    path = Path(path)
    rows, faults = read_rows(path, COLUMNS, toml_key="tubes")
    parsed = [parse_row(row, Known(panels=panels, molar_masses=molar_masses or {})) for row in rows]
    faults.extend(fault for found in parsed if isinstance(found, list) for fault in found)
    tube_rows = [found for found in parsed if isinstance(found, TubeRow)]
    used = [row for row in tube_rows if not row.excluded]
    faults.extend([*_repeated(tube_rows), *_without_day(used)])
    files = open_folder(path.parent if folder is None else folder)
    tubes, notes = _read_tubes(used, files, faults)
    named = [*(row.text("file") for row in rows)]
    raise_all(condensed(faults), InputError)
    if not tubes:
        found, cure = "no tube that is not left out", "Clear the reason of at least one."
        raise InputError(Fault(place=path.name, found=found, expected="at least one tube", cure=cure))
    unlisted = files.unlisted(named)
    return SampleSheet(
        source=path.name, tubes=tuple(tubes), unlisted=unlisted, notes=(*notes, *_notes(tubes, unlisted)),
        excluded=tuple(ExcludedTube(name=row.name, file=row.file, reason=row.excluded) for row in tube_rows if row.excluded),
    )  # fmt: skip


def _repeated(rows: Iterable[TubeRow]) -> list[Fault]:
    """Tube names, and files with their data set, that stand in two rows."""
    faults: list[Fault] = []
    names: dict[str, str] = {}
    parts: dict[tuple[str, int], str] = {}
    for row in rows:
        name, part = row.name.casefold(), (os.path.normpath(row.file), row.data_set)
        if name in names:
            faults.append(
                row.row.fault("tube", found=f'tube "{row.name}" again (first in {names[name]})', expected="a name for each tube",
                              cure="Give each tube a name of its own in the column tube.")
            )  # fmt: skip
        if part in parts:
            faults.append(
                row.row.fault("file", found=f'"{row.file}" again (first in {parts[part]})', expected="each file once",
                              cure="Delete one of the rows, or say in data_set which part of the file each of them is.")
            )  # fmt: skip
        names.setdefault(name, row.row.place)
        parts.setdefault(part, row.row.place)
    return faults


def _without_day(rows: Iterable[TubeRow]) -> list[Fault]:
    """Cultures without a day, where others have one: which controls hold for them could not be told."""
    cultures = [row for row in rows if row.kind in (TubeKind.FULL, TubeKind.FMO)]
    if not any(row.day_d is not None for row in cultures):
        return []
    return [
        row.row.fault("day", found="nothing", expected="the day of culture, as in other rows", cure="Fill in the day.")
        for row in cultures
        if row.day_d is None
    ]


def _read_tubes(rows: Iterable[TubeRow], files: FileFolder, faults: list[Fault]) -> tuple[list[Tube], list[str]]:
    tubes: list[Tube] = []
    notes: dict[str, None] = {}
    places: dict[str, str] = {}
    for row in rows:
        place = f"{row.row.place_of('file')} (file)"
        missing = files.fault(row.file, place)
        if missing is not None:
            faults.append(missing)
            continue
        places.setdefault(row.file, place)
        sample = _sample(files.path_to(row.file), row, faults)
        if sample is None:
            continue
        resolved = resolve_panel(row.panel, sample, place=row.row.place)
        if isinstance(resolved, ResolvedPanel):
            tubes.append(_tube(row, sample, resolved.panel))
            notes.update(dict.fromkeys(resolved.notes))
        else:
            faults.extend(resolved)
    faults.extend(same_bytes(files, places))
    return tubes, list(notes)


def _sample(path: Path, row: TubeRow, faults: list[Fault]) -> Sample | None:
    try:
        return read_fcs(path, data_set=row.data_set)
    except FileFormatError as error:
        faults.extend(
            Fault(place=f"{row.row.place}, {f.place}", found=f.found, expected=f.expected, cure=CURES.get(f.found, f.cure))
            for f in error.faults
        )
        return None


def _tube(row: TubeRow, sample: Sample, panel: Panel) -> Tube:
    return Tube(
        name=row.name, sample=sample, panel=panel, kind=row.kind, stain=row.stain, donor=row.donor, plate=row.plate, day_d=row.day_d,
        role=row.role, agonist=row.agonist, concentration_nM=row.concentration_nM, cell_source=row.cell_source, well=row.well,
        note=row.note, file=row.file, data_set=row.data_set,
    )  # fmt: skip


def _notes(tubes: list[Tube], unlisted: tuple[str, ...]) -> tuple[str, ...]:
    changes = [str(change) for change in moved_detectors(tubes)]
    more = [f"{len(changes) - TOLD_IN_FULL} more settings of detectors differ."] if len(changes) > TOLD_IN_FULL else []
    told: list[str] = [*missing_fmo(tubes), *changes[:TOLD_IN_FULL], *more]
    if unlisted:
        shown = ", ".join(unlisted[:TOLD_IN_FULL]) + (" ..." if len(unlisted) > TOLD_IN_FULL else "")
        number = "1 file" if len(unlisted) == 1 else f"{len(unlisted)} files"
        told.append(f"{number} of the folder {'is' if len(unlisted) == 1 else 'are'} not in the sheet: {shown}.")
    return tuple(told)
