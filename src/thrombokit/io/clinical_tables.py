"""A data set of a trial as regulators receive it: named columns with labels, rows as text, whatever file it came from.

Numbers become text in one way (`cell_text`: 12.0 as "12", others shortest round-trip), so that an analysis does not depend on the form the data
came in. `read_clinical_table` picks the reader by the file's content: SAS transport (XPT), Dataset-JSON (also as NDJSON), CSV, TSV, XLSX, Parquet.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl
from polars.exceptions import PolarsError

from thrombokit.errors import Fault, FileFormatError
from thrombokit.io.dataset_json import is_dataset_json, read_dataset_json
from thrombokit.io.tables import Sheet, cell_text, read_sheets
from thrombokit.io.whole_files import read_bytes
from thrombokit.io.xport import is_xport, read_xport

Cell = str | float | None


@dataclass(frozen=True, kw_only=True)
class ClinicalTable:
    """`file` and data set `name`; `titles` and `labels` of columns; `rows` of stripped texts ("" where empty); `places` a row each."""

    file: str
    name: str
    titles: tuple[str, ...]
    labels: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    places: tuple[str, ...]
    first_row: int

    def frame(self) -> pl.DataFrame:
        """Every column as text, null where empty."""
        columns = {title: [row[k] or None for row in self.rows] for k, title in enumerate(self.titles)}
        return pl.DataFrame(columns, schema=dict.fromkeys(self.titles, pl.String))


def read_clinical_table(path: str | Path, *, name: str | None = None) -> ClinicalTable:
    """One data set.

    Parameters
    ----------
    path : path
    name : str, optional
        Which data set, where a transport file holds several.

    Raises
    ------
    FileFormatError
        A file that is none of these, damaged, or without rows or columns.
    """
    path = Path(path)
    if path.suffix.casefold() == ".parquet":
        return _parquet(path)
    head = read_bytes(path, expected="a table: XPT, Dataset-JSON, CSV, TSV, XLSX or Parquet")
    if is_xport(head):
        one = read_xport(path, name=name)
        return _table(path, one.name, one.titles, one.labels, one.rows, word="record")
    if is_dataset_json(head):
        one = read_dataset_json(path)
        return _table(path, one.name, one.titles, one.labels, one.rows, word="record")
    return _sheet(path)


def _table(
    path: Path, name: str, titles: tuple[str, ...], labels: tuple[str, ...], rows: tuple[tuple[Cell, ...], ...], *, word: str
) -> ClinicalTable:
    told = tuple(tuple(cell_text(cell).strip() for cell in row) for row in rows)
    if not told or not titles:
        raise FileFormatError(
            Fault(place=path.name, found="a data set without rows", expected="at least one", cure="Export it again.")
        )
    places = tuple(f"{path.name}, {word} {k + 1}" for k in range(len(told)))
    return ClinicalTable(file=path.name, name=name, titles=titles, labels=labels, rows=told, places=places, first_row=1)


def _parquet(path: Path) -> ClinicalTable:
    try:
        frame = pl.read_parquet(path)
    except (OSError, PolarsError) as error:
        found = "no such file" if isinstance(error, FileNotFoundError) else "a file that is no Parquet table"
        raise FileFormatError(
            Fault(place=path.name, found=found, expected="a Parquet table", cure="Check the name and the file.")
        ) from None
    rows = tuple(tuple(_cell(value) for value in row) for row in frame.iter_rows())
    return _table(path, path.stem.upper(), tuple(frame.columns), ("",) * frame.width, rows, word="row")


def _cell(value: object) -> Cell:
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, int | float):
        return None if value != value else float(value)
    return None if value is None else str(value)


def _sheet(path: Path) -> ClinicalTable:
    sheet = next((s for s in read_sheets(path) if not s.is_empty()), None)
    if sheet is None:
        raise FileFormatError(Fault(place=path.name, found="an empty table", expected="titles and rows", cure="Export it again."))
    filled = [row for row in range(sheet.n_rows) if sheet.filled(row)]
    titles = tuple(cell_text(cell).strip() for cell in sheet.cells[filled[0]])
    rows = tuple(_padded(sheet, row, len(titles)) for row in filled[1:])
    if not rows:
        raise FileFormatError(
            Fault(place=path.name, found="no row below the titles", expected="at least one", cure="Export the table again.")
        )
    return ClinicalTable(file=path.name, name=sheet.name.upper(), titles=titles, labels=("",) * len(titles), rows=rows,
                         places=tuple(sheet.place(row) for row in filled[1:]), first_row=filled[1] + 1)  # fmt: skip


def _padded(sheet: Sheet, row: int, width: int) -> tuple[str, ...]:
    cells = [cell_text(cell).strip() for cell in sheet.cells[row]][:width]
    return (*cells, *("",) * (width - len(cells)))
