"""The grid of an EnVision section: which cell is which well.

A labelled grid tells by its labels. In a bare grid of a text file the lines between two truly empty lines are the plate's rows,
lines of commas included. A workbook (or a CSV saved by a spreadsheet) does not tell an empty line from a line of empty cells; there
the grid starts one line below the information, and its size comes from the plate type in the file, from the lines up to the next
section, or from a grid filled to its corners. When none of them settles it, the file is refused: a guess could move every well.
"""

from __future__ import annotations

from dataclasses import dataclass

from thrombokit.errors import Fault, FileFormatError, raise_all
from thrombokit.io.tables import Sheet
from thrombokit.io.well_grids import LabelledGrid, ragged_faults
from thrombokit.plate.wells import PLATE_SHAPES, shape_that_holds

_SIZES = "8 lines of 12 columns, 16 of 24 or 32 of 48"
_CURE = "Export the plate again from EnVision as CSV, and do not edit the file: lines of commas are rows of the plate."
_LINES_BETWEEN_SECTIONS = 5
"""At most so many empty lines stand between a grid and the next section (2 and 1 in the exports seen)."""


@dataclass(frozen=True, kw_only=True)
class GridCells:
    """(sheet row, sheet column, well) of every cell, the plate's shape, and a remark on how it was found."""

    cells: tuple[tuple[int, int, tuple[int, int]], ...]
    shape: tuple[int, int]
    note: str = ""


def labelled_grid(grid: LabelledGrid) -> GridCells:
    """Cells of a grid whose labels name the wells; the smallest plate that holds them."""
    shape = shape_that_holds(grid.n_rows, grid.n_columns)
    assert shape is not None  # row letters end at AF, column numbers at 48
    return GridCells(cells=tuple(grid.cells()), shape=shape)


def bare_grid(sheet: Sheet, top: int, end: int) -> GridCells:
    """Cells of a grid without labels, in rows `top` (included) to `end` (excluded) of the sheet.

    Raises
    ------
    FileFormatError
        If there is no grid, or its lines and columns are no plate's.
    """
    if not any(sheet.filled(row) for row in range(top, end)):
        raise _refuse(sheet, top, "no results below the plate information")
    is_plain_text = not sheet.is_workbook and any(not row for row in sheet.cells[max(top - 1, 0) : end])
    if is_plain_text:
        top, shape = _counted_shape(sheet, top, end)
    else:
        shape = _inferred_shape(sheet, top, end)
    last_row, last_column = _last_filled(sheet, top, end)
    if last_row >= shape[0] or last_column >= shape[1]:
        raise _refuse(sheet, top, f"contents {last_row + 1} lines down and {last_column + 1} columns across")
    return GridCells(cells=tuple((top + r, c, (r, c)) for r in range(shape[0]) for c in range(shape[1])), shape=shape)


def _counted_shape(sheet: Sheet, top: int, end: int) -> tuple[int, tuple[int, int]]:
    """First row and shape of the one run of lines that are not truly empty."""
    while top < end and not sheet.cells[top]:
        top += 1
    bottom = top
    while bottom < end and sheet.cells[bottom]:
        bottom += 1
    after = [row for row in range(bottom, end) if sheet.filled(row)]
    if after:
        raise _refuse(sheet, after[0], "more lines after an empty one")
    raise_all(ragged_faults(sheet, range(top, bottom)), FileFormatError)
    n_columns = len(sheet.cells[top]) if top < bottom else 0
    for shape in PLATE_SHAPES.values():
        # every line ends with a comma in some versions, which gives one empty cell more
        if bottom - top == shape[0] and n_columns in (shape[1], shape[1] + 1):
            return top, shape
    raise _refuse(sheet, top, f"{bottom - top} lines of up to {n_columns} columns")


def _inferred_shape(sheet: Sheet, top: int, end: int) -> tuple[int, int]:
    """Shape where empty lines and lines of empty cells look alike."""
    declared = _declared_shape(sheet)
    if declared:
        return declared
    lines = end - top
    if end < sheet.n_rows:
        for shape in PLATE_SHAPES.values():
            if shape[0] <= lines <= shape[0] + _LINES_BETWEEN_SECTIONS:
                return shape
    last_row, last_column = _last_filled(sheet, top, end)
    if (last_row + 1, last_column + 1) in PLATE_SHAPES.values():
        return last_row + 1, last_column + 1
    raise _refuse(
        sheet, top, f"contents up to line {last_row + 1} and column {last_column + 1}, and nothing that tells the plate's size"
    )


def _declared_shape(sheet: Sheet) -> tuple[int, int] | None:
    """The plate type's rows and columns, where the export tells them."""
    told: dict[str, set[str]] = {"number of rows": set(), "number of columns": set()}
    for row in range(sheet.n_rows):
        filled = sheet.filled(row)
        name = sheet.text(row, 0).lower()
        if name in told and len(filled) == 2:
            told[name].add(sheet.text(row, filled[1]))
    return next(
        (s for s in PLATE_SHAPES.values() if told == {"number of rows": {str(s[0])}, "number of columns": {str(s[1])}}), None
    )


def _last_filled(sheet: Sheet, top: int, end: int) -> tuple[int, int]:
    rows = [row for row in range(top, end) if sheet.filled(row)]
    return rows[-1] - top, max(sheet.filled(row)[-1] for row in rows)


def _refuse(sheet: Sheet, row: int, found: str) -> FileFormatError:
    return FileFormatError(
        Fault(place=sheet.place(min(row, sheet.n_rows - 1)), found=found, expected=f"the grid of a plate: {_SIZES}", cure=_CURE)
    )
