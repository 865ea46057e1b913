"""Manifests in the gDR form: one plate a row, with barcode, template (its map), duration and cell line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from thrombokit.errors import Fault, FileFormatError, UnitError, raise_all
from thrombokit.io.fault_lists import condensed
from thrombokit.io.tables import Sheet, read_sheets
from thrombokit.io.well_tables import WellTable, well_table
from thrombokit.quantities import parse_number

_BARCODE = ("barcode", "plate")
_TEMPLATE = ("template", "map")
_HOURS = ("duration", "hours")
_CELL_SYSTEM = ("clid", "cellsystem", "cellline")
_EXPECTED = "the columns Barcode and Template (and Duration, clid)"
EXPORT_SUFFIXES = (".csv", ".txt", ".tsv", ".xlsx")


@dataclass(frozen=True, kw_only=True, slots=True)
class ManifestRow:
    """One plate: `template` is the file name of its map, `hours` the incubation (None where not given), `place` where it stands."""

    barcode: str
    template: str
    hours: float | None
    cell_system: str
    place: str


def read_manifest(path: str | Path) -> tuple[ManifestRow, ...]:
    """Plates of a manifest, in its order.

    Parameters
    ----------
    path : str or Path
        XLSX, TSV or CSV with the columns Barcode, Template, Duration (hours) and clid.

    Returns
    -------
    tuple of ManifestRow
        One per barcode.

    Raises
    ------
    FileFormatError
        With every missing or repeated barcode, missing template and bad duration.
    """
    sheets = [sheet for sheet in read_sheets(path) if not sheet.is_empty()]
    tables = [table for sheet in sheets if (table := well_table(sheet)) and table.columns(_BARCODE) and table.columns(_TEMPLATE)]
    if len(tables) != 1:
        raise FileFormatError(_no_manifest(Path(path).name, sheets, len(tables)))
    table = tables[0]
    faults = table.faults()
    rows: list[ManifestRow] = []
    first: dict[str, int] = {}
    for row in table.rows():
        parsed = _row(table, row, faults)
        if parsed.barcode.lower() in first and parsed.barcode:
            faults.append(
                Fault(
                    place=parsed.place,
                    found=f'barcode "{parsed.barcode}" again (first in row {first[parsed.barcode.lower()] + 1})',
                    expected="each barcode once",
                    cure="Delete one of the rows.",
                )
            )
        first.setdefault(parsed.barcode.lower(), row)
        rows.append(parsed)
    if not rows:
        faults.append(
            Fault(place=table.sheet.place(), found="a header without rows", expected="one row per plate", cure="Fill it in.")
        )
    raise_all(condensed(faults), FileFormatError)
    return tuple(rows)


def find_export(folder: str | Path, barcode: str) -> Path | None:
    """The export of a plate: the file in `folder` named by its barcode, with the ending .csv, .txt, .tsv or .xlsx; case does not
    count.

    Raises
    ------
    FileFormatError
        If the folder is missing, or several files have that name.
    """
    folder = Path(folder)
    if not folder.is_dir():
        fault = Fault(place=folder.name, found="no such folder", expected="the folder of the exports", cure="Check the name.")
        raise FileFormatError(fault)
    found = sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in EXPORT_SUFFIXES and path.stem.lower() == barcode.lower() and path.is_file()
    )
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise FileFormatError(
            Fault(place=folder.name, found=f'several exports of "{barcode}": {names}', expected="one", cure="Move the others away.")
        )
    return found[0] if found else None


def _row(table: WellTable, row: int, faults: list[Fault]) -> ManifestRow:
    place = table.sheet.place(row)
    barcode, template = table.text(row, table.column(_BARCODE)), table.text(row, table.column(_TEMPLATE))
    for name, value in (("barcode", barcode), ("template", template)):
        if not value:
            faults.append(Fault(place=place, found=f"no {name}", expected="barcode and template in every row", cure="Fill it in."))
    return ManifestRow(
        barcode=barcode,
        template=template,
        hours=_hours(table, row, faults),
        cell_system=table.text(row, table.column(_CELL_SYSTEM)),
        place=place,
    )


def _hours(table: WellTable, row: int, faults: list[Fault]) -> float | None:
    column = table.column(_HOURS)
    cell = None if column is None else table.sheet.cell(row, column)
    if cell is None:
        return None
    place = table.sheet.place(row, column)
    try:
        hours = parse_number(cell, place=place)
    except UnitError as error:
        faults.extend(error.faults)
        return None
    if hours < 0:
        faults.append(Fault(place=place, found=f"a duration of {hours:g} h", expected="hours, 0 or more", cure="Correct it."))
    return hours


def _header_text(table: WellTable) -> str:
    sheet, row = table.sheet, table.header
    return f"{sheet.place(row)}: {', '.join(sheet.text(row, column) for column in sheet.filled(row)[:8])}"


def _no_manifest(file: str, sheets: list[Sheet], n_tables: int) -> Fault:
    if n_tables > 1:
        return Fault(
            place=file,
            found=f"{n_tables} sheets with barcodes and templates",
            expected="one",
            cure="Save the one meant in its own file.",
        )
    headers = "; ".join(_header_text(table) for sheet in sheets[:3] if (table := well_table(sheet)))
    return Fault(
        place=file, found=f"other columns ({headers or 'nothing'})", expected=_EXPECTED, cure="Check that this is the manifest."
    )
