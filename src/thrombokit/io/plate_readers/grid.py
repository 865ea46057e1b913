"""Bare plate-shaped grids: 8 x 12, 16 x 24 or 32 x 48 numbers, with or without row letters and column numbers, one per sheet.

Up to three lines of title may stand above, nothing below or beside: a file that holds more is some instrument's own form, and its
reader must say what the rest means. Without labels the position gives the well, so a grid without labels must fill a plate from
corner to corner, or (in a text file) have a plate's number of lines and columns.
"""

from __future__ import annotations

from dataclasses import dataclass

from thrombokit.errors import Fault, FileFormatError, raise_all
from thrombokit.io.fault_lists import condensed
from thrombokit.io.plate_readers.reader import PlateReader, Recognition
from thrombokit.io.plate_readers.signals import is_signal, read_signals
from thrombokit.io.tables import Sheet, cell_name
from thrombokit.io.well_grids import column_index, find_labelled_grids, row_index
from thrombokit.plate.plate import Reading
from thrombokit.plate.wells import PLATE_SHAPES

MAX_TITLE_LINES = 3
_SIZES = set(PLATE_SHAPES.values())


@dataclass(frozen=True, kw_only=True)
class _Grid:
    """Where A01 stands in the sheet, the plate's shape, the title above, and whether row letters stand to the left."""

    top: int
    left: int
    shape: tuple[int, int]
    title: str
    how: str
    letters: bool = False

    def cells(self) -> list[tuple[int, int, tuple[int, int]]]:
        return [(self.top + r, self.left + c, (r, c)) for r in range(self.shape[0]) for c in range(self.shape[1])]


def recognise(sheets: tuple[Sheet, ...]) -> Recognition:
    """Yes if a sheet holds one grid of a plate's size and nothing else but a title."""
    reasons: list[str] = []
    for sheet in sheets:
        if sheet.is_empty():
            continue
        grid = _find(sheet)
        if isinstance(grid, _Grid):
            return Recognition(claims=True, reason=f"{sheet.place()} holds {grid.how}")
        reasons.append(f"{sheet.place()}: {grid}")
    return Recognition(claims=False, reason="; ".join(reasons[:3]) or "no sheet holds anything")


def read(sheets: tuple[Sheet, ...]) -> tuple[Reading, ...]:
    """One reading per sheet that holds a grid.

    Parameters
    ----------
    sheets : tuple of Sheet
        A text file has one; a workbook may hold a plate per sheet.

    Returns
    -------
    tuple of Reading
        Named by the sheet if several sheets hold a grid, else by the file.

    Raises
    ------
    FileFormatError
        With every cell that is neither a number nor empty nor a word for saturation.
    """
    found = [(sheet, _find(sheet)) for sheet in sheets if not sheet.is_empty()]
    grids = [(sheet, grid) for sheet, grid in found if isinstance(grid, _Grid)]
    others = [f'sheet "{sheet.name}" is not a plate ({grid})' for sheet, grid in found if isinstance(grid, str)]
    readings: list[Reading] = []
    faults: list[Fault] = []
    for sheet, grid in grids:
        signals = read_signals(sheet, grid.cells(), grid.shape)
        faults.extend(signals.faults)
        name = sheet.name if len(grids) > 1 else sheet.file.rsplit(".", 1)[0]
        metadata = {"Title": grid.title} if grid.title else {}
        readings.append(
            Reading(
                name=name,
                signal=signals.signal,
                source=sheet.file,
                reader="grid",
                metadata=metadata,
                notes=(*others, *signals.notes),
            )
        )
    raise_all(condensed(faults), FileFormatError)
    return tuple(readings)


READER = PlateReader(
    name="grid", expected="a grid of 8 x 12, 16 x 24 or 32 x 48 signals with at most a title above", recognise=recognise, read=read
)


def _find(sheet: Sheet) -> _Grid | str:
    """The grid, or why there is none."""
    body, title = _below_title(sheet)
    candidates = [
        _labelled(sheet, body, title),
        _row_letters_only(sheet, body, title),
        _column_numbers_only(sheet, body, title),
        _bare(sheet, body, title),
    ]
    grid = next((candidate for candidate in candidates if isinstance(candidate, _Grid)), None)
    if grid is None:
        return next((candidate for candidate in candidates if candidate), "no grid of a plate's size")
    filled = [cell for row, column, _ in grid.cells() if (cell := sheet.cell(row, column)) is not None]
    if 2 * sum(is_signal(cell) for cell in filled) < max(len(filled), 1):
        return f"a grid of {grid.shape[0]} x {grid.shape[1]} cells, most of them not numbers"
    return grid


def _below_title(sheet: Sheet) -> tuple[int, str]:
    """First row that is no title (one or two cells of text), and the title."""
    titles: list[str] = []
    row = 0
    while row < sheet.n_rows and len(titles) <= MAX_TITLE_LINES:
        filled = sheet.filled(row)
        is_title = 0 < len(filled) <= 2 and not any(is_signal(sheet.cell(row, column)) for column in filled)
        if not is_title:
            if filled or not titles:
                break
            # empty lines between a title and its grid: those of a text file without separators are none of the grid's
            if sheet.cells[row]:
                break
        elif row_index(sheet.text(row, filled[0])) is not None:
            break
        else:
            titles.append(" ".join(sheet.text(row, column) for column in filled))
        row += 1
    return row, " / ".join(titles)


def _labelled(sheet: Sheet, body: int, title: str) -> _Grid | str:
    grids = find_labelled_grids(sheet, body)
    if not grids:
        return ""
    if len(grids) > 1:
        return f"{len(grids)} labelled grids, one below another (a plate map?)"
    grid = next(iter(grids))
    shape = (len(grid.rows), len(grid.columns))
    in_order = [r for _, r in grid.rows] == list(range(shape[0])) and [c for _, c in grid.columns] == list(range(shape[1]))
    if shape not in _SIZES or not in_order:
        return f"a labelled grid of {shape[0]} rows and {shape[1]} columns, which is not a whole plate"
    stray = grid.strays()
    if stray:
        return f"contents beside the grid ({cell_name(*stray[0])})"
    return _alone(
        sheet,
        _Grid(
            top=grid.top + 1,
            left=grid.left + 1,
            shape=shape,
            title=title,
            how=f"a grid of {shape[0]} x {shape[1]} signals with row letters and column numbers",
            letters=True,
        ),
        body,
        grid.top,
    )


def _row_letters_only(sheet: Sheet, body: int, title: str) -> _Grid | str:
    top = _first_filled(sheet, body)
    n_rows = 0
    while row_index(sheet.text(top + n_rows, 0)) == n_rows:
        n_rows += 1
    shape = next((s for s in _SIZES if s[0] == n_rows), None)
    if shape is None:
        return ""
    how = f"a grid of {shape[0]} x {shape[1]} signals with row letters"
    grid = _Grid(top=top, left=1, shape=shape, title=title, how=how, letters=True)
    return _alone(sheet, grid, body, top) if _width(sheet, top, n_rows) == shape[1] + 1 else ""


def _column_numbers_only(sheet: Sheet, body: int, title: str) -> _Grid | str:
    top = _first_filled(sheet, body)
    columns = sheet.filled(top)
    labels = [column_index(sheet.text(top, column)) for column in columns]
    shape = next((s for s in _SIZES if labels == list(range(s[1]))), None)
    if shape is None or list(columns) != list(range(columns[0], columns[0] + shape[1])):
        return ""
    n_rows = sum(1 for row in range(top + 1, sheet.n_rows) if sheet.cells[row])
    if n_rows != shape[0]:
        return ""
    grid = _Grid(
        top=top + 1, left=columns[0], shape=shape, title=title, how=f"a grid of {shape[0]} x {shape[1]} signals with column numbers"
    )
    return _alone(sheet, grid, body, top)


def _bare(sheet: Sheet, body: int, title: str) -> _Grid | str:
    while body < sheet.n_rows and not sheet.cells[body]:
        body += 1
    bottom = sheet.n_rows
    while bottom > body and not sheet.cells[bottom - 1]:
        bottom -= 1
    rows = [row for row in range(body, bottom) if sheet.filled(row)]
    if not rows:
        return ""
    widest = max(len(sheet.cells[row]) for row in range(body, bottom))
    last = max(sheet.filled(row)[-1] for row in rows)
    shape = next((s for s in _SIZES if bottom - body == s[0] and widest in (s[1], s[1] + 1) and last < s[1]), None)
    top, left = body, 0
    # an empty line below a title may be a separator or row A: then lines do not count
    if shape is None or (title and rows[0] != body):  # from the first to the last filled cell, perhaps
        first = min(sheet.filled(row)[0] for row in rows)
        shape = next((s for s in _SIZES if s == (rows[-1] - rows[0] + 1, last - first + 1)), None)
        top, left = rows[0], first
        if shape is None:
            corners = f"{cell_name(rows[0], first)} to {cell_name(rows[-1], last)}"
            return f"cells {corners} are {rows[-1] - rows[0] + 1} x {last - first + 1}"
    grid = _Grid(top=top, left=left, shape=shape, title=title, how=f"a grid of {shape[0]} x {shape[1]} signals without labels")
    return _alone(sheet, grid, body, top)


def _alone(sheet: Sheet, grid: _Grid, body: int, header: int) -> _Grid | str:
    """The grid, if nothing stands between title and grid, below it, to its right, or left of its first column (labels included)."""
    ragged = sheet.ragged(range(grid.top, grid.top + grid.shape[0]))
    if ragged:
        return f"lines of differing length ({sheet.place(ragged[0])}): a separator is lost or one too many"
    for row in [*range(body, header), *range(grid.top + grid.shape[0], sheet.n_rows)]:
        if sheet.filled(row):
            return f'contents outside the grid ({sheet.place(row)}: "{sheet.text(row, sheet.filled(row)[0])[:40]}")'
    for row in range(header, grid.top + grid.shape[0]):
        if any(not grid.left - grid.letters <= column < grid.left + grid.shape[1] for column in sheet.filled(row)):
            return f"contents beside the grid ({sheet.place(row)})"
    return grid


def _first_filled(sheet: Sheet, body: int) -> int:
    return next((row for row in range(body, sheet.n_rows) if sheet.filled(row)), body)


def _width(sheet: Sheet, top: int, n_rows: int) -> int:
    return max((sheet.filled(row)[-1] + 1 for row in range(top, top + n_rows) if sheet.filled(row)), default=0)
