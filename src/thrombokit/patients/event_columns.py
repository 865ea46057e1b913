"""Cells of an event table to columns of numbers: what is missing, what is no number, what NONMEM would not know.

`.` and an empty cell are missing. Columns that NONMEM reserves must hold numbers; any other may hold text, which matters only to a
model that uses it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from thrombokit.domain.toml_faults import did_you_mean
from thrombokit.errors import Fault
from thrombokit.numerics.arrays import Array, IntArray

RESERVED = ("ID", "TIME", "AMT", "EVID", "CMT", "II", "ADDL", "SS", "RATE", "MDV", "DV")
DATES = ("DATE", "DAT1", "DAT2", "DAT3")
MOST_TOLD = 5
"""Cells of one kind of fault that are told one by one."""
_CLOCK = re.compile(r"\d{1,2}:\d{2}(:\d{2})?")
_COMMA = re.compile(r"[+-]?\d+,\d+")


@dataclass(frozen=True, kw_only=True, eq=False)
class Columns:
    """Numbers of each column, (n,) with NaN where missing, by header in capitals.

    `texts` is the first row and text of columns that hold some, `unread` the records whose cell in a reserved column is no number.
    """

    source: str
    row: IntArray
    headers: tuple[str, ...]
    numbers: dict[str, Array]
    texts: dict[str, tuple[int, str]]
    unread: dict[str, IntArray]

    def place(self, record: int, column: str) -> str:
        """Where a cell stands."""
        return f"{self.source}, row {self.row[record]}, column {self.header(column)}"

    def header(self, column: str) -> str:
        """A column as the file spells it."""
        return self.headers[list(self.numbers).index(column)]

    def whole(self, name: str, otherwise: float) -> Array:
        """A column with `otherwise` where a cell is missing, or throughout where there is no such column."""
        if name not in self.numbers:
            return np.full(self.row.size, otherwise)
        values = self.numbers[name]
        return np.where(np.isnan(values), otherwise, values)


def read_columns(frame: pl.DataFrame, row: IntArray, *, source: str, faults: list[Fault]) -> Columns:
    """Columns of numbers from a table of text or numbers; what is wrong with headers and cells is added to `faults`."""
    names = [header.strip().upper() for header in frame.columns]
    _check_headers(names, frame.columns, source=source, faults=faults)
    numbers: dict[str, Array] = {}
    texts: dict[str, tuple[int, str]] = {}
    unread: dict[str, IntArray] = {}
    headers: list[str] = []
    for name, header in zip(names, frame.columns, strict=True):
        if name in numbers or not name:
            continue
        cells = frame.get_column(header)
        values, wrong = _numbers(cells)
        headers.append(header.strip())
        numbers[name] = values
        if wrong.size and name in RESERVED:
            unread[name] = wrong
            found = [str(cells[int(k)]).strip() for k in wrong[:MOST_TOLD]]
            faults += _cell_faults(f"{source}, row ", row[wrong], header.strip(), name, found)
        elif wrong.size:
            texts[name] = (int(row[wrong[0]]), str(cells[int(wrong[0])]).strip())
    return Columns(source=source, row=row, headers=tuple(headers), numbers=numbers, texts=texts, unread=unread)


def _numbers(cells: pl.Series) -> tuple[Array, IntArray]:
    """Values of a column, NaN where missing, and the places of cells that are neither a finite number nor missing."""
    if cells.dtype == pl.Boolean:
        cells = cells.cast(pl.Int8)
    if cells.dtype.is_numeric() or cells.dtype == pl.Null:
        values = cells.cast(pl.Float64)
        given = cells.is_not_null().to_numpy()
    else:
        text = cells.cast(pl.String).str.strip_chars()
        missing = text.is_null() | (text == "") | (text == ".")
        values = text.cast(pl.Float64, strict=False)
        given = ~missing.to_numpy()
    array = values.fill_null(np.nan).to_numpy().astype(np.float64)
    wrong = np.flatnonzero(given & ~np.isfinite(array))
    return np.where(given & np.isfinite(array), array, np.nan), wrong.astype(np.int64)


def _check_headers(names: Sequence[str], headers: Sequence[str], *, source: str, faults: list[Fault]) -> None:
    for name, count in Counter(names).items():
        if count > 1:
            found = f"the column {name} {count} times" if name else f"{count} columns without a name"
            faults.append(Fault(place=f"{source}, row 1", found=found, expected="each column once; small and capital letters are the same",
                                cure="Rename or remove one of them."))  # fmt: skip
    for name in DATES:
        if name in names:
            header = headers[names.index(name)]
            faults.append(Fault(place=f"{source}, row 1, column {header}", found="a column of dates", expected="time as a number in TIME",
                                cure="Write the time since each individual's first record in TIME and remove or rename the column."))  # fmt: skip
    for name in ("ID", "TIME"):
        if name not in names:
            cure = did_you_mean(name, [n for n in names if n], otherwise=f"Add a column {name}.")
            faults.append(Fault(place=f"{source}, row 1", found=f"no column {name}", expected="the columns ID and TIME", cure=cure))


def _cell_faults(start: str, rows: IntArray, header: str, name: str, found: Sequence[str]) -> list[Fault]:
    faults = [
        Fault(place=f"{start}{row}, column {header}", found=f'"{text}"', expected=_expected(name), cure=_cure(name, text))
        for row, text in zip(rows, found, strict=False)
    ]
    if rows.size > len(found):
        rest = int(rows.size) - len(found)
        faults.append(Fault(place=f"{start}{rows[len(found)]} and after, column {header}", found=f"{rest} more like these",
                            expected=_expected(name), cure=_cure(name, found[-1])))  # fmt: skip
    return faults


def _expected(name: str) -> str:
    return "a number" if name in ("ID", "TIME") else "a number, or . where there is none"


def _cure(name: str, text: str) -> str:
    if name == "TIME" and _CLOCK.fullmatch(text):
        return "Clock times are not read: write the time since the first record as a number."
    if _COMMA.fullmatch(text):
        return "Write the decimal sign as a point."
    if name == "ID":
        return "Number the individuals."
    return "Correct the cell."
