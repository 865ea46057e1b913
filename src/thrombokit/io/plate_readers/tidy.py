"""Tidy tables: one well a row, a `well` column (or row letter and column number) and a signal column; `plate` or `barcode` if
several.

The plate's size is the smallest standard one that holds every well. A stray well ("H13" among the wells of a 96-well plate) is a
fault, not a larger plate; a plate that uses only few wells beyond a smaller size says so by listing its last well (P24, AF48), with
or without a signal.
"""

from __future__ import annotations

from thrombokit.errors import Fault, FileFormatError, raise_all
from thrombokit.io.fault_lists import condensed
from thrombokit.io.plate_readers.reader import PlateReader, Recognition
from thrombokit.io.plate_readers.signals import read_signals
from thrombokit.io.tables import Sheet
from thrombokit.io.well_tables import WellTable, outside, well_table
from thrombokit.plate.plate import Reading
from thrombokit.plate.wells import PLATE_SHAPES, shape_that_holds, well_name

SIGNAL = ("signal", "value", "readout", "readoutvalue", "luminescence", "rlu", "counts", "cps")
PLATE = ("barcode", "plate", "platename", "plateid", "platebarcode")
STRAY_SHARE = 0.02
"""Up to this share of the wells beyond a smaller plate are taken for slips of the pen."""

_Rows = dict[tuple[int, int], int]


def recognise(sheets: tuple[Sheet, ...]) -> Recognition:
    """Yes if the first filled row of a sheet names wells and a signal."""
    reasons: list[str] = []
    for sheet in sheets:
        table = well_table(sheet)
        if table is None:
            continue
        if not table.names_wells:
            reasons.append(f'{sheet.place(table.header)} has no column "well" (or "row" and "column")')
        elif not table.columns(SIGNAL):
            reasons.append(f"{sheet.place(table.header)} has no signal column ({', '.join(SIGNAL)})")
        else:
            return Recognition(claims=True, reason=f"{sheet.place(table.header)} names the columns of wells and signals")
    return Recognition(claims=False, reason="; ".join(reasons[:3]) or "no sheet holds anything")


def read(sheets: tuple[Sheet, ...]) -> tuple[Reading, ...]:
    """One reading per plate named in the table, in the order of first appearance.

    Parameters
    ----------
    sheets : tuple of Sheet
        Each a table, or of no concern.

    Returns
    -------
    tuple of Reading
        Named by `barcode` or `plate`, else by the sheet.

    Raises
    ------
    FileFormatError
        With every duplicate well, unknown well and cell that is no number.
    """
    readings: list[Reading] = []
    faults: list[Fault] = []
    passed_over: list[str] = []
    for sheet in sheets:
        table = well_table(sheet)
        if table is None:
            continue
        if not (table.names_wells and table.columns(SIGNAL)):
            passed_over.append(sheet.name)
            continue
        faults.extend(_table_faults(table))
        plates = _plates(table, faults)
        readings.extend(_reading(table, name, rows, faults) for name, rows in plates.items())
    names = [reading.name for reading in readings]
    faults.extend(
        Fault(
            place=sheets[0].file,
            found=f'plate "{name}" in two sheets',
            expected="each plate in one sheet",
            cure="Rename one of them.",
        )
        for name in sorted({name for name in names if names.count(name) > 1})
    )
    if not readings and not faults:
        faults.append(
            Fault(place=sheets[0].file, found="a header without rows", expected="one row per well", cure="Export it again.")
        )
    raise_all(condensed(faults), FileFormatError)
    return tuple(readings)


READER = PlateReader(
    name="tidy", expected="a table with the columns well and signal (and plate, if several)", recognise=recognise, read=read
)


def _table_faults(table: WellTable) -> list[Fault]:
    faults = [*table.faults(), *table.unlabelled()]
    columns = table.columns(SIGNAL)
    if len(columns) > 1:
        names = " and ".join(f'"{table.sheet.text(table.header, column)}"' for column in columns)
        faults.append(
            Fault(
                place=table.sheet.place(table.header),
                found=f"the signal columns {names}",
                expected="one signal column",
                cure="Delete or rename the one that is not meant.",
            )
        )
    return faults


def _plates(table: WellTable, faults: list[Fault]) -> dict[str, _Rows]:
    """Plate name -> well -> sheet row."""
    plates: dict[str, _Rows] = {}
    plate_column = next((column for name in PLATE if (column := table.column((name,))) is not None), None)
    for row in table.rows():
        name = table.text(row, plate_column) if plate_column is not None else table.sheet.name
        if not name:
            faults.append(
                Fault(
                    place=table.sheet.place(row, plate_column),
                    found="no plate",
                    expected="the plate's name in every row",
                    cure="Fill it in.",
                )
            )
            continue
        well = table.well(row)
        rows = plates.setdefault(name, {})
        if isinstance(well, Fault):
            faults.append(well)
        elif well in rows:
            faults.append(
                Fault(
                    place=table.sheet.place(row),
                    found=f'well {well_name(*well)} of plate "{name}" again (first in row {rows[well] + 1})',
                    expected="each well once per plate",
                    cure="Delete one of the rows, or name the plate of each in a column plate.",
                )
            )
        else:
            rows[well] = row
    return {name: rows for name, rows in plates.items() if rows}


def _reading(table: WellTable, name: str, rows: _Rows, faults: list[Fault]) -> Reading:
    shape, strays = _shape(rows)
    faults.extend(outside(table.sheet.place(rows[well]), well, shape) for well in strays)
    column = table.columns(SIGNAL)[0]
    cells = ((row, column, well) for well, row in rows.items() if well not in strays)
    signals = read_signals(table.sheet, cells, shape)
    faults.extend(signals.faults)
    used = {column, *table.columns(PLATE)}
    metadata = {"Signal column": table.sheet.text(table.header, column)}
    if background := _background(table, rows, used):
        metadata["Background signal"] = background
    return Reading(name=name, signal=signals.signal, source=table.sheet.file, reader="tidy", notes=signals.notes, metadata=metadata)


def _background(table: WellTable, rows: _Rows, used: set[int]) -> str:
    column = table.column(("background", "backgroundvalue"))
    values = {table.text(row, column) for row in rows.values()} if column is not None and column not in used else set[str]()
    return values.pop() if len(values) == 1 else ""


def _shape(rows: _Rows) -> tuple[tuple[int, int], tuple[tuple[int, int], ...]]:
    """The plate's shape, and the wells that are no wells of it."""
    largest = shape_that_holds(max(row for row, _ in rows) + 1, max(column for _, column in rows) + 1)
    assert largest is not None  # a well of 1536 at most
    for shape in PLATE_SHAPES.values():
        if shape == largest or (largest[0] - 1, largest[1] - 1) in rows:
            break
        beyond = tuple(well for well in rows if well[0] >= shape[0] or well[1] >= shape[1])
        if len(beyond) <= STRAY_SHARE * len(rows):
            return shape, beyond
    return largest, ()
