"""Excel workbooks as cells: values where they stood, formulas only as the numbers Excel saved with them.

openpyxl reads them because it keeps every cell's address. A formula without a saved result is a fault: as an empty well it would
vanish without a word.
"""

from __future__ import annotations

import io
import warnings
import zipfile
from datetime import date, datetime, time, timedelta
from typing import Any, TypeAlias

from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from thrombokit.errors import Fault, FileFormatError, raise_all
from thrombokit.io.fault_lists import condensed

Cell: TypeAlias = str | float | None
"""What a cell of any table holds."""
SheetCells: TypeAlias = tuple[str, tuple[tuple[Cell, ...], ...]]
"""A worksheet's title and its rows."""

MAX_UNPACKED_BYTES = 400_000_000
"""A workbook is a zip file; a small one can unpack to anything."""


def read_workbook_cells(file: str, data: bytes, *, max_cells: int) -> tuple[SheetCells, ...]:
    """Title and cells of every worksheet.

    Parameters
    ----------
    file : str
        The file's name, for messages.
    data : bytes
        The whole workbook (.xlsx).
    max_cells : int
        Largest area of a worksheet, from A1 to its last cell.

    Returns
    -------
    tuple of (title, rows of cells)
        Row 0, column 0 is cell A1; dates become ISO text, logical values "TRUE" and "FALSE".

    Raises
    ------
    FileFormatError
        If the workbook is damaged or too large, or holds a formula without a saved result.
    """
    as_written = _load(file, data, saved_results=False)
    raise_all(_too_large(file, as_written, max_cells), FileFormatError)
    formulas = {sheet.title: _formulas(sheet) for sheet in as_written.worksheets}
    workbook = _load(file, data, saved_results=True) if any(formulas.values()) else as_written
    raise_all(condensed(_uncalculated(file, workbook, formulas)), FileFormatError)
    return tuple(
        (sheet.title, tuple(tuple(_cell(v) for v in row) for row in sheet.iter_rows(values_only=True)))
        for sheet in workbook.worksheets
    )


def _too_large(file: str, workbook: Workbook, max_cells: int) -> list[Fault]:
    return [
        Fault(
            place=f'{file}, sheet "{sheet.title}"',
            found=f"an area of {sheet.max_row:,} x {sheet.max_column:,} cells",
            expected=f"at most {max_cells:,} cells",
            cure="Delete the rows and columns beyond the data, then save again.",
        )
        for sheet in workbook.worksheets
        if sheet.max_row * sheet.max_column > max_cells
    ]


def _formulas(sheet: Worksheet) -> list[str]:
    return [cell.coordinate for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]


def _uncalculated(file: str, workbook: Workbook, formulas: dict[str, list[str]]) -> list[Fault]:
    # a result that is an empty text keeps the type "str"; a missing result has none
    missing = [
        (title, address)
        for title, addresses in formulas.items()
        for address in addresses
        if (cell := workbook[title][address]).value is None and cell.data_type != "str"
    ]
    return [
        Fault(
            place=f'{file}, sheet "{title}", cell {address}',
            found="a formula without a saved result",
            expected="a value",
            cure="Open the workbook in Excel and save it, or paste the values over the formulas.",
        )
        for title, address in missing
    ]


def _load(file: str, data: bytes, *, saved_results: bool) -> Workbook:
    damaged = Fault(
        place=file,
        found="a damaged or foreign workbook",
        expected="an Excel workbook (.xlsx)",
        cure="Open it in Excel and save it as .xlsx; if Excel cannot open it, export it again.",
    )
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except Exception:  # a damaged zip directory raises almost anything
        raise FileFormatError(damaged) from None
    if unpacked > MAX_UNPACKED_BYTES:
        raise FileFormatError(
            Fault(
                place=file,
                found=f"a workbook that unpacks to {unpacked / 1e6:.0f} MB",
                expected=f"less than {MAX_UNPACKED_BYTES / 1e6:.0f} MB",
                cure="Save only the sheets of this plate in a new workbook.",
            )
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about styles, which are not read
            return load_workbook(io.BytesIO(data), data_only=saved_results)
    except Exception:  # openpyxl on a damaged part: KeyError, TypeError, ParseError, zlib.error ... all mean the file
        raise FileFormatError(damaged) from None


def _cell(value: Any) -> Cell:
    if value is None:
        return None
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    return str(value).strip() or None
