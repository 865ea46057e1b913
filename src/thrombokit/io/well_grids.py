"""Grids with row letters and column numbers, found anywhere in a sheet: the labels, not the position, give the well.

::

    Drug, 1, 2, 3, ...        <- corner cell, column numbers
    A,    x, y, z, ...        <- row letter, contents
    B,    ...
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from thrombokit.errors import Fault
from thrombokit.io.tables import Sheet
from thrombokit.plate.wells import parse_well


@dataclass(frozen=True, kw_only=True, slots=True)
class LabelledGrid:
    """One labelled grid.

    `top` and `left` are the row of the column numbers and the column of the row letters. `columns` and `rows` pair the position in
    the sheet with the plate's column or row (both zero-based). `corner` is the corner cell's text, `title` that of the line above.
    """

    sheet: Sheet
    top: int
    left: int
    corner: str
    title: str
    columns: tuple[tuple[int, int], ...]
    rows: tuple[tuple[int, int], ...]

    @property
    def n_rows(self) -> int:
        """Plate rows up to the last one labelled."""
        return max(row for _, row in self.rows) + 1

    @property
    def n_columns(self) -> int:
        """Plate columns up to the last one labelled."""
        return max(column for _, column in self.columns) + 1

    def cells(self) -> Iterator[tuple[int, int, tuple[int, int]]]:
        """(sheet row, sheet column, well) of every cell inside."""
        for row, plate_row in self.rows:
            for column, plate_column in self.columns:
                yield row, column, (plate_row, plate_column)

    def faults(self) -> list[Fault]:
        """Rows named twice or of another length, and contents beside the grid that belong to no column."""
        found = ragged_faults(self.sheet, [row for row, _ in self.rows])
        seen: set[int] = set()
        for row, plate_row in self.rows:
            if plate_row in seen:
                found.append(
                    Fault(
                        place=self.sheet.place(row),
                        found=f'row "{self.sheet.text(row, self.left)}" a second time',
                        expected="each row letter once in a grid",
                        cure="Correct the letter, or leave an empty line between two grids.",
                    )
                )
            seen.add(plate_row)
        for row, column in self.strays():
            found.append(
                Fault(
                    place=self.sheet.place(row, column),
                    found=f'"{self.sheet.text(row, column)}" beside the grid',
                    expected="contents only under a column number",
                    cure="Add the column's number, or clear the cell.",
                )
            )
        return found

    def strays(self) -> list[tuple[int, int]]:
        """Filled cells (sheet row, column) in the grid's lines that belong to no column."""
        inside = {self.left, *(column for column, _ in self.columns)}
        lines = [self.top, *(row for row, _ in self.rows)]
        return [(row, column) for row in lines for column in self.sheet.filled(row) if column not in inside]


def ragged_faults(sheet: Sheet, rows: Iterable[int]) -> list[Fault]:
    """One fault per row that has more or fewer cells than the other rows of a grid."""
    rows = tuple(rows)
    odd = set(sheet.ragged(rows))
    usual = next((len(sheet.cells[row]) for row in rows if row not in odd), 0)
    return [
        Fault(
            place=sheet.place(row),
            found=f"a line of {len(sheet.cells[row])} cells among lines of {usual}",
            expected="lines of equal length in a grid",
            cure="A separator is lost or one too many: every cell after it has moved. Export the file again.",
        )
        for row in rows
        if row in odd
    ]


def find_labelled_grids(sheet: Sheet, first: int = 0, last: int | None = None) -> tuple[LabelledGrid, ...]:
    """Every labelled grid between rows `first` (included) and `last` (excluded), from the top down."""
    last = sheet.n_rows if last is None else min(last, sheet.n_rows)
    grids: list[LabelledGrid] = []
    row = first
    while row < last:
        grid = _grid_at(sheet, row, first, last)
        if grid is None:
            row += 1
        else:
            grids.append(grid)
            row = grid.rows[-1][0] + 1
    return tuple(grids)


def unclaimed_rows(sheet: Sheet, grids: tuple[LabelledGrid, ...], first: int, last: int) -> tuple[int, ...]:
    """Rows that no grid took and that look like a grid's: a line whose letter is lost, or a block whose column numbers are.

    That is a row of two or more cells that stands directly below a grid, begins with a row letter, or holds two or more numbers.
    """
    taken = {row for grid in grids for row in (grid.top, *(r for r, _ in grid.rows))}
    below = {grid.rows[-1][0] + 1 for grid in grids}
    lost: list[int] = []
    for row in range(first, min(last, sheet.n_rows)):
        filled = sheet.filled(row)
        if row in taken or len(filled) < 2:
            continue
        numbers = sum(_is_number(sheet, row, column) for column in filled)
        if row in below or numbers >= 2 or row_index(sheet.text(row, filled[0])) is not None:
            lost.append(row)
    return tuple(lost)


def row_index(text: str) -> int | None:
    """ "A" -> 0, "AF" -> 31; None when it is no row letter of a plate."""
    well = parse_well(f"{text}1") if text.isalpha() else None
    return well[0] if well else None


def column_index(text: str) -> int | None:
    """ "1" and "01" -> 0; None when it is no column number of a plate."""
    return int(text) - 1 if text.isascii() and text.isdigit() and 1 <= int(text) <= 48 else None


def _is_number(sheet: Sheet, row: int, column: int) -> bool:
    try:
        float(sheet.text(row, column))
    except ValueError:
        return False
    return True


def _grid_at(sheet: Sheet, top: int, first: int, last: int) -> LabelledGrid | None:
    filled = sheet.filled(top)
    if not filled:
        return None
    left = filled[0] if column_index(sheet.text(top, filled[0])) is None else filled[0] - 1
    columns = _column_labels(sheet, top, left + 1)
    if left < 0 or len(columns) < 2:
        return None
    rows: list[tuple[int, int]] = []
    for row in range(top + 1, last):
        plate_row = row_index(sheet.text(row, left))
        if plate_row is None:
            break
        rows.append((row, plate_row))
    if not rows:
        return None
    return LabelledGrid(
        sheet=sheet,
        top=top,
        left=left,
        corner=sheet.text(top, left),
        title=_title(sheet, top - 1, first),
        columns=columns,
        rows=tuple(rows),
    )


def _column_labels(sheet: Sheet, row: int, column: int) -> tuple[tuple[int, int], ...]:
    labels: list[tuple[int, int]] = []
    while (plate_column := column_index(sheet.text(row, column))) is not None and (not labels or plate_column > labels[-1][1]):
        labels.append((column, plate_column))
        column += 1
    return tuple(labels)


def _title(sheet: Sheet, row: int, first: int) -> str:
    filled = sheet.filled(row) if row >= first else ()
    return sheet.text(row, filled[0]) if len(filled) == 1 else ""
