"""Columns of a table that the user names, as text, from CSV, TSV, XLSX or Parquet, with the place of every row.

Columns that nobody named are left alone: such a table usually holds more than one analysis needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from polars.exceptions import PolarsError

from thrombokit.domain.toml_faults import did_you_mean
from thrombokit.errors import Fault, FileFormatError, raise_all
from thrombokit.io.tables import Sheet, cell_text, read_sheets


@dataclass(frozen=True, kw_only=True)
class ChosenTable:
    """Rows of a file: `texts` by role (stripped, "" where empty), `titles` (role -> column), `places` a row each ("trial.csv, row 7")."""

    file: str
    texts: Mapping[str, tuple[str, ...]]
    titles: Mapping[str, str]
    places: tuple[str, ...]


def read_chosen_columns(path: str | Path, columns: Mapping[str, str]) -> ChosenTable:
    """The columns that `columns` names.

    Parameters
    ----------
    path : path
        CSV, TSV, XLSX (the first worksheet that holds anything) or Parquet; the first row that holds anything names the columns.
    columns : dict of str to str
        Role -> title of its column, as in the file (case counts only where two titles differ by it alone).

    Raises
    ------
    InputError
        A column that is not there or stands twice, a table without rows; every fault in one pass.
    """
    path = Path(path)
    titles, rows, places = _parquet(path) if path.suffix.casefold() == ".parquet" else _sheet(path)
    faults: list[Fault] = []
    index = {role: _column(path.name, role, title, titles, faults) for role, title in columns.items()}
    if not rows:
        faults.append(
            Fault(place=path.name, found="no row below the titles", expected="at least one", cure="Export the table again.")
        )
    raise_all(faults, FileFormatError)
    texts = {role: tuple(row[k] if k < len(row) else "" for row in rows) for role, k in index.items()}
    return ChosenTable(file=path.name, texts=texts, titles={role: titles[k] for role, k in index.items()}, places=places)


def _column(file: str, role: str, title: str, titles: list[str], faults: list[Fault]) -> int:
    exact = [k for k, found in enumerate(titles) if found == title]
    near = exact or [k for k, found in enumerate(titles) if found.casefold() == title.strip().casefold()]
    if len(near) == 1:
        return near[0]
    known = ", ".join(filter(None, titles)) or "no titles"
    if near:
        faults.append(
            Fault(place=file, found=f'{len(near)} columns "{title}" ({role})', expected="one", cure="Rename or delete the others.")
        )
    else:
        cure = did_you_mean(title, [t for t in titles if t], otherwise=f"The columns are: {known}.")
        faults.append(Fault(place=file, found=f'no column "{title}"', expected=f"the column of the {role}", cure=cure))
    return 0


def _sheet(path: Path) -> tuple[list[str], list[list[str]], tuple[str, ...]]:
    sheet = next((s for s in read_sheets(path) if not s.is_empty()), None)
    if sheet is None:
        raise FileFormatError(Fault(place=path.name, found="an empty table", expected="titles and rows", cure="Export it again."))
    filled = [row for row in range(sheet.n_rows) if sheet.filled(row)]
    return _texts(sheet, filled[0]), [_texts(sheet, row) for row in filled[1:]], tuple(sheet.place(row) for row in filled[1:])


def _texts(sheet: Sheet, row: int) -> list[str]:
    return [cell_text(cell).strip() for cell in sheet.cells[row]]


def _parquet(path: Path) -> tuple[list[str], list[list[str]], tuple[str, ...]]:
    try:
        table = pl.read_parquet(path)
    except (OSError, PolarsError) as error:
        found = "no such file" if isinstance(error, FileNotFoundError) else "a file that is no Parquet table"
        raise FileFormatError(
            Fault(place=path.name, found=found, expected="a Parquet table", cure="Check the name and the file.")
        ) from None
    rows = [["" if value is None else _written(value) for value in row] for row in table.iter_rows()]
    return table.columns, rows, tuple(f"{path.name}, row {k + 1}" for k in range(len(rows)))


def _written(value: object) -> str:
    return cell_text(value) if isinstance(value, int | float) and not isinstance(value, bool) else str(value).strip()
