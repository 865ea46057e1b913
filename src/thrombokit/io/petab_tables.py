"""The tab-separated tables of a PEtab problem, cell by cell, each with its place.

A row with more cells than the header is a fault; one with fewer ends in empty cells, as such tables often do; empty rows are passed over.
A cell counts as empty where it holds nothing, "nan" or "NA" in any case.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from thrombokit.domain.toml_faults import did_you_mean
from thrombokit.errors import Fault
from thrombokit.signalling.petab_problem import Entry

MOST_BYTES = 200_000_000
_EMPTY = frozenset({"", "nan", "na", "none", "<na>"})


@dataclass(frozen=True, kw_only=True, slots=True)
class TableRow:
    """One row: file, number (the header is row 1) and the text of each cell by column."""

    file: str
    number: int
    cells: Mapping[str, str]

    def place(self, column: str) -> str:
        """Where a cell stands."""
        return f"{self.file}, row {self.number}, column {column}"

    def text(self, column: str) -> str:
        """A cell, "" where it is empty or there is no such column."""
        text = self.cells.get(column, "").strip()
        return "" if text.casefold() in _EMPTY else text

    def fault(self, column: str, *, found: str, expected: str, cure: str) -> Fault:
        """A fault of one cell."""
        return Fault(place=self.place(column), found=found, expected=expected, cure=cure)


@dataclass(frozen=True, kw_only=True, slots=True)
class PetabTable:
    """A table as read."""

    file: str
    columns: tuple[str, ...]
    rows: tuple[TableRow, ...]


def read_petab_table(path: Path, needed: Sequence[str], faults: list[Fault]) -> PetabTable | None:
    """Read a table; None, and the reason among `faults`, where it cannot be used.

    Parameters
    ----------
    path : path
        A .tsv file.
    needed : sequence of str
        Columns that must be there.
    faults : list of Fault
        What is wrong is appended.
    """
    text = _text_of(path, faults)
    if text is None:
        return None
    lines = list(_lines_of(text))
    if not lines:
        faults.append(Fault(place=path.name, found="an empty file", expected="a table", cure="Export it again."))
        return None
    columns = tuple(name.strip() for name in lines[0][1])
    while columns and not columns[-1]:
        columns = columns[:-1]
    faults.extend(_column_faults(path.name, columns, needed))
    rows: list[TableRow] = []
    for number, fields in lines[1:]:
        extra = [cell for cell in fields[len(columns) :] if cell.strip()]
        if extra:
            faults.append(
                Fault(place=f"{path.name}, row {number}", found=f"{len(fields)} cells", expected=f"{len(columns)}, one for each column",
                      cure="Check the tabs of that row; an empty cell needs its tab.")
            )  # fmt: skip
        rows.append(TableRow(file=path.name, number=number, cells=dict(zip(columns, fields, strict=False))))
    return PetabTable(file=path.name, columns=columns, rows=tuple(rows))


def _text_of(path: Path, faults: list[Fault]) -> str | None:
    found, cure = "", "Check the name in the YAML file, and that you may read the file."
    try:
        if path.stat().st_size > MOST_BYTES:
            found, cure = "a file too large", "Check that this is the right file."
        else:
            return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        found = error.strerror or str(error)
    except ValueError:
        found, cure = "text that is not UTF-8", "Save it again as UTF-8."
    faults.append(Fault(place=path.name, found=found, expected="a tab-separated table of the PEtab problem", cure=cure))
    return None


def _lines_of(text: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter="\t")
    for number, fields in enumerate(reader, 1):
        if any(field.strip() for field in fields):
            yield number, fields


def _column_faults(file: str, columns: Sequence[str], needed: Sequence[str]) -> Iterator[Fault]:
    for name in needed:
        if name not in columns:
            cure = did_you_mean(name, [c for c in columns if c], otherwise="Add the column.").replace("Did you mean", "Rename")
            yield Fault(place=f"{file}, row 1", found=f"no column {name}", expected=f"the columns {', '.join(needed)}", cure=cure)
    for name in dict.fromkeys(name for name in columns if columns.count(name) > 1):
        found = f"the column {name or 'without a name'} twice" if name else "two columns without a name"
        yield Fault(place=f"{file}, row 1", found=found, expected="each column once", cure="Remove or rename one.")


def number_of(row: TableRow, column: str, faults: list[Fault], *, expected: str, default: float | None = None) -> float:
    """The number in a cell (inf allowed); nan, and a fault, where there is none and no default."""
    text = row.text(column)
    if not text and default is not None:
        return default
    try:
        value = float(text.replace("_", "?"))
    except ValueError:
        value = math.nan
    if math.isnan(value):
        found = f'"{text}"' if text else "an empty cell"
        faults.append(row.fault(column, found=found, expected=expected, cure="Write the number with a point as decimal sign."))
    return value


def entry_of(text: str) -> Entry:
    """A number where the text is one, else the text: the id of a parameter."""
    try:
        return float(text.replace("_", "?"))
    except ValueError:
        return text


def entries_of(text: str) -> tuple[Entry, ...]:
    """The entries of a cell such as "offset;2.5"; none where it is empty."""
    return tuple(entry_of(part.strip()) for part in text.split(";")) if text else ()


def choice_of(row: TableRow, column: str, options: Sequence[str], faults: list[Fault], *, default: str | None = None) -> str:
    """The word in a cell, one of `options`; the first of them, and a fault, where it is none of them."""
    text = row.text(column) or (default or "")
    if text in options:
        return text
    expected = f"one of {', '.join(options)}"
    cure = did_you_mean(text, options, otherwise=f"Write {expected}.")
    faults.append(row.fault(column, found=f'"{text}"' if text else "an empty cell", expected=expected, cure=cure))
    return options[0]
