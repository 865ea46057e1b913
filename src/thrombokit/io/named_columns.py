"""Tables whose columns have names known here, row by row, from a sheet (CSV, TSV, XLSX) or from the tables of a TOML file.

A column may go by several names; case, spaces and signs do not count. A column that nobody reads is a fault: a misspelt one would
otherwise be missed in silence. Each cell keeps its place, so that a fault found later can point at it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from thrombokit.domain.toml_faults import found_words, nearest
from thrombokit.domain.toml_text import read_toml
from thrombokit.errors import Fault, FileFormatError
from thrombokit.io.tables import Cell, Sheet, cell_text, read_sheets
from thrombokit.io.well_tables import WellTable, plain_name, well_table
from thrombokit.quantities import canonical_unit

_TITLED_UNIT = re.compile(r"^\s*(.+?)[\s_]*[(\[]?\s*([^)(\]\[\s_]+)\s*[)\]]?\s*$")


@dataclass(frozen=True, kw_only=True)
class Columns:
    """The columns a table may have: name -> other names for it. `required` must be there.

    `dose` is the column whose title may carry a concentration unit ("dose_nM"), which then stands for the column `unit`.
    """

    names: Mapping[str, tuple[str, ...]]
    required: tuple[str, ...] = ()
    dose: str = ""

    def named(self, title: str) -> str | None:
        """The column a title means, or None."""
        plain = plain_name(title)
        return next((name for name, others in self.names.items() if plain in {plain_name(n) for n in (name, *others)}), None)

    def dose_unit(self, title: str) -> str | None:
        """The unit in a title such as "concentration (nM)", or None."""
        matched = _TITLED_UNIT.match(title) if self.dose else None
        return matched[2] if matched and self.named(matched[1]) == self.dose and canonical_unit(matched[2]) else None


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row: what its cells hold by column name, and where each stands."""

    place: str
    cells: Mapping[str, Cell]
    places: Mapping[str, str] = field(default_factory=dict[str, str])

    def text(self, name: str) -> str:
        """A cell as text, "" where it is empty or there is no such column."""
        return cell_text(self.cells.get(name)).strip()

    def place_of(self, name: str) -> str:
        """Where a cell stands; the row, where there is no such column."""
        return self.places.get(name, self.place)

    def fault(self, name: str, *, found: str, expected: str, cure: str) -> Fault:
        """A fault of one cell."""
        return Fault(place=f"{self.place_of(name)} ({name})", found=found, expected=expected, cure=cure)

    def number(
        self, name: str, faults: list[Fault], *, expected: str, low: float = 0.0, high: float = math.inf, above: bool = False
    ) -> float | None:
        """The finite number of a cell within low and high (`above`: low itself is not allowed); None where empty or wrong."""
        text = self.text(name)
        if not text:
            return None
        try:
            value = float(text)
        except ValueError:
            comma = re.fullmatch(r"[+-]?\d+,\d+", text) is not None
            cure = "Write the decimal sign as a point." if comma else "Write the number alone."
            faults.append(self.fault(name, found=f'"{text}"', expected=expected, cure=cure))
            return None
        if not math.isfinite(value) or value < low or value > high or (above and value == low):
            faults.append(self.fault(name, found=text, expected=expected, cure="Correct the number, or clear the cell."))
            return None
        return value


def read_rows(path: str | Path, columns: Columns, *, toml_key: str) -> tuple[tuple[Row, ...], list[Fault]]:
    """The rows of a table, and what is wrong with its columns.

    Parameters
    ----------
    path : path
        A file that ends in .toml holds tables [[toml_key]]; any other is a sheet. Of a workbook, the one worksheet with the required
        columns is read.
    columns : Columns
        What the table may have.
    toml_key : str
        Name of the tables in a TOML file.

    Raises
    ------
    InputError
        If the file cannot be read at all.
    """
    path = Path(path)
    if path.suffix.casefold() == ".toml":
        return _toml_rows(path, columns, toml_key)
    sheets = [(sheet, table) for sheet in read_sheets(path) if (table := well_table(sheet)) is not None]
    if not sheets:
        cure = "Fill in the table."
        raise FileFormatError(Fault(place=path.name, found="no cell that holds anything", expected="a table", cure=cure))
    fitting = [(sheet, table) for sheet, table in sheets if _required_titles(table, columns) >= set(columns.required)]
    if len(sheets) > 1 and len(fitting) != 1:
        names = ", ".join(f'"{sheet.name}"' for sheet, _ in sheets)
        raise FileFormatError(
            Fault(place=path.name, found=f"{len(fitting)} worksheets with the columns {', '.join(columns.required)} among {names}",
                  expected="one", cure="Save the table as a file of its own.")
        )  # fmt: skip
    sheet, table = fitting[0] if fitting else sheets[0]
    return _sheet_rows(sheet, table, columns)


def _required_titles(table: WellTable, columns: Columns) -> set[str]:
    titles = (table.sheet.text(table.header, column) for _, column in table.titles)
    return {columns.named(title) or (columns.dose if columns.dose_unit(title) else "") for title in titles} & set(columns.required)


def _sheet_rows(sheet: Sheet, table: WellTable, columns: Columns) -> tuple[tuple[Row, ...], list[Fault]]:
    at: dict[str, int] = {}
    faults, titled_unit = [*table.faults(), *table.unlabelled()], ""
    for _, column in table.titles:
        title, place = sheet.text(table.header, column), sheet.place(table.header, column)
        unit = None if columns.named(title) else columns.dose_unit(title)
        name = columns.dose if unit else columns.named(title)
        titled_unit = unit or titled_unit
        if name is None:
            faults.append(unknown_column(place, title, columns))
        elif name in at and sheet.text(table.header, at[name]).casefold() != title.casefold():
            other = sheet.text(table.header, at[name])
            faults.append(Fault(place=place, found=f'"{title}" beside "{other}"', expected=f"one column for {name}",
                                cure="Delete or rename one of them."))  # fmt: skip
        else:
            at.setdefault(name, column)
    faults.extend(_lacking(sheet.place(table.header), at, columns))
    if titled_unit and "unit" in at:
        faults.append(
            Fault(place=sheet.place(table.header), found=f'a unit column beside "{titled_unit}" in the title of the concentrations',
                  expected="one unit", cure="Delete one of them.")
        )  # fmt: skip
    rows = tuple(_sheet_row(sheet, row, at, titled_unit) for row in table.rows())
    if not rows:
        faults.append(Fault(place=sheet.place(), found="a header without rows", expected="one row for each item",
                            cure="Fill in the table."))  # fmt: skip
    return rows, faults


def _sheet_row(sheet: Sheet, row: int, at: Mapping[str, int], titled_unit: str) -> Row:
    cells = {name: sheet.cell(row, column) for name, column in at.items()}
    if titled_unit and "unit" not in cells:
        cells["unit"] = titled_unit
    return Row(place=sheet.place(row), cells=cells, places={name: sheet.place(row, column) for name, column in at.items()})


def unknown_column(place: str, title: str, columns: Columns) -> Fault:
    """The fault of a column that nobody reads."""
    spelt = {n: name for name, others in columns.names.items() for n in (name, *others)}
    near = nearest(title, spelt)
    cure = f'Did you mean "{spelt[near]}"?' if near else 'Remove the column, or move what it says into "notes".'
    return Fault(place=place, found=f'the column "{title}"', expected=f"the columns {', '.join(columns.names)}", cure=cure)


def _lacking(place: str, at: Mapping[str, int] | set[str], columns: Columns) -> list[Fault]:
    return [
        Fault(place=place, found=f"no column {name}", expected=f"the columns {', '.join(columns.required)}", cure="Add the column.")
        for name in columns.required
        if name not in at
    ]


def _toml_rows(path: Path, columns: Columns, key: str) -> tuple[tuple[Row, ...], list[Fault]]:
    document = read_toml(path)
    faults = list(document.faults)
    tables = document.values.get(key)
    if not isinstance(tables, list) or not tables:
        place = document.places.place_of((key,))
        found = "nothing" if tables is None else found_words(tables)
        return (), [
            *faults,
            Fault(place=place, found=found, expected=f"tables [[{key}]]", cure=f"Write [[{key}]] before each item."),
        ]
    for word in document.values:
        if word != key:
            faults.append(
                Fault(place=document.places.place_of((word,)), found=f'the unknown key "{word}"', expected=f"tables [[{key}]] alone",
                      cure="Remove it.")
            )  # fmt: skip
    rows: list[Row] = []
    for index, table in enumerate(tables):
        cells, places = dict[str, Cell](), dict[str, str]()
        for word, value in table.items() if isinstance(table, dict) else ():
            place = document.places.place_of((key, index, word))
            name = columns.named(str(word))
            if name is None:
                faults.append(unknown_column(place, str(word), columns))
            elif isinstance(value, str | int | float):
                cells[name] = str(value).lower() if isinstance(value, bool) else value
                places[name] = place
            else:
                faults.append(
                    Fault(place=place, found=found_words(value), expected="a text or a number", cure="Correct the value.")
                )
        rows.append(Row(place=document.places.place_of((key, index)), cells=cells, places=places))
    return tuple(rows), faults
