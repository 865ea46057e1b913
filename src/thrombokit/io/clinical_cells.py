"""Cells of a clinical table by the names of columns, case aside, with the place of each for messages."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from thrombokit.domain.toml_faults import did_you_mean
from thrombokit.errors import Fault
from thrombokit.io.clinical_tables import ClinicalTable
from thrombokit.io.count_records import is_missing, number_of

SAS_DAY_0 = dt.date(1960, 1, 1)
Columns: TypeAlias = dict[str, int]


@dataclass(frozen=True, kw_only=True)
class ClinicalCells:
    """A table with its columns looked up; a column that is not there reads as empty everywhere."""

    table: ClinicalTable
    columns: Columns

    def has(self, name: str) -> bool:
        """Whether the table has such a column."""
        return name.casefold() in self.columns

    def text(self, row: int, name: str) -> str:
        """The cell; "" where it is missing or the column is not there."""
        k = self.columns.get(name.casefold())
        if k is None:
            return ""
        cell = self.table.rows[row][k]
        return "" if is_missing(cell) else cell

    def first(self, row: int, names: Iterable[str]) -> str:
        """The first of several columns that says something in this row."""
        return next((text for name in names if (text := self.text(row, name))), "")

    def place(self, row: int, name: str = "") -> str:
        """Words for a fault: "adlb.xpt, record 7, AVAL"."""
        return f"{self.table.places[row]}, {name}" if name else self.table.places[row]

    def number(self, row: int, name: str, faults: list[Fault]) -> float | None:
        """The number of a cell, None where it is empty; a fault where it is text."""
        text = self.text(row, name)
        value = number_of(text)
        if text and value is None:
            faults.append(
                Fault(place=self.place(row, name), found=f'"{text}"', expected="a number", cure="Correct the cell, or clear it.")
            )
        return value

    def date(self, row: int, name: str, faults: list[Fault]) -> dt.date | None:
        """The date of a cell (ISO text, or days since 1960 as SAS counts), None where it is empty; a fault where it is neither."""
        text = self.text(row, name)
        if not text:
            return None
        try:
            return dt.date.fromisoformat(text[:10])
        except ValueError:
            days = number_of(text)
            if days is not None and abs(days) < 1e6:
                return SAS_DAY_0 + dt.timedelta(days=int(days))
        faults.append(
            Fault(
                place=self.place(row, name),
                found=f'"{text}"',
                expected="a date such as 2024-03-31",
                cure="Complete the date, or clear it.",
            )
        )
        return None


def cells_of(table: ClinicalTable, required: Sequence[str | tuple[str, ...]], faults: list[Fault]) -> ClinicalCells:
    """The table's cells; a fault for each required column (or set of which one is enough) that is not there, and for titles that stand twice."""
    columns: Columns = {}
    for k, title in enumerate(table.titles):
        name = title.strip().casefold()
        if name and name in columns:
            faults.append(
                Fault(place=table.file, found=f'two columns "{title}"', expected="one", cure="Rename or delete one of them.")
            )
        columns.setdefault(name, k)
    for wanted in required:
        names = (wanted,) if isinstance(wanted, str) else wanted
        if not any(name.casefold() in columns for name in names):
            known = ", ".join(filter(None, table.titles))
            cure = did_you_mean(names[0], [t for t in table.titles if t], otherwise=f"The columns are: {known}.")
            faults.append(Fault(place=table.file, found=f"no column {' or '.join(names)}", expected="it in this table", cure=cure))
    return ClinicalCells(table=table, columns=columns)
