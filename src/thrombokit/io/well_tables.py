"""Tables with one well a row: the header, and the well each row names ("well", or a row letter and a column number)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from thrombokit.errors import Fault
from thrombokit.io.tables import Sheet
from thrombokit.plate.wells import parse_well, well_name

WELL = ("well", "wells", "wellid", "wellname", "wellposition")
WELL_ROW = ("wellrow", "row", "platerow")
WELL_COLUMN = ("wellcolumn", "wellcol", "column", "col", "platecolumn")


def plain_name(text: str) -> str:
    """A column title without case, spaces and signs: "Well Row" and "well_row" -> "wellrow"."""
    return re.sub(r"[\W_]+", "", text).lower()


@dataclass(frozen=True, kw_only=True, slots=True)
class WellTable:
    """A sheet whose first filled row names its columns; `titles` pairs plain names with columns, in order."""

    sheet: Sheet
    header: int
    titles: tuple[tuple[str, int], ...]

    def columns(self, names: Iterable[str]) -> tuple[int, ...]:
        """Columns whose plain title is one of `names`."""
        wanted = set(names)
        return tuple(column for title, column in self.titles if title in wanted)

    def column(self, names: Iterable[str]) -> int | None:
        """The first such column, or None."""
        found = self.columns(names)
        return found[0] if found else None

    @property
    def names_wells(self) -> bool:
        """Whether there is a well column, or a row and a column pair."""
        return bool(self.columns(WELL)) or bool(self.columns(WELL_ROW) and self.columns(WELL_COLUMN))

    def rows(self) -> Iterator[int]:
        """Rows below the header that hold anything."""
        return (row for row in range(self.header + 1, self.sheet.n_rows) if self.sheet.filled(row))

    def text(self, row: int, column: int | None) -> str:
        """The cell as text; "" where the table has no such column."""
        return "" if column is None else self.sheet.text(row, column)

    def well(self, row: int) -> tuple[int, int] | Fault:
        """The well (row, column; zero-based) that a row names, or what is wrong with it."""
        column = self.column(WELL)
        if column is None:
            column = self.column(WELL_ROW)
            assert column is not None
            text = self.sheet.text(row, column) + self.text(row, self.column(WELL_COLUMN))
        else:
            text = self.sheet.text(row, column)
        well = parse_well(text) if text.isascii() else None
        if well is not None:
            return well
        found = f'"{text}" as a well' if text else "no well"
        return Fault(
            place=self.sheet.place(row, column),
            found=found,
            expected="a well such as B07 (A1 to AF48)",
            cure="Correct the well's name.",
        )

    def faults(self) -> list[Fault]:
        """Columns that stand twice."""
        found: list[Fault] = []
        seen: set[str] = set()
        for title, column in self.titles:
            if title in seen:
                found.append(
                    Fault(
                        place=self.sheet.place(self.header, column),
                        found=f'a second column "{self.sheet.text(self.header, column)}"',
                        expected="each column once",
                        cure="Rename or delete one of them.",
                    )
                )
            seen.add(title)
        return found

    def unlabelled(self) -> list[Fault]:
        """Filled cells in columns without a title."""
        named = {column for _, column in self.titles}
        return [
            Fault(
                place=self.sheet.place(row, column),
                found=f'"{self.sheet.text(row, column)}" in a column without a title',
                expected="as many cells as the header has",
                cure="Check for a separator too many (a decimal comma?), or clear the cell.",
            )
            for row in self.rows()
            for column in self.sheet.filled(row)
            if column not in named
        ]


def well_table(sheet: Sheet) -> WellTable | None:
    """The sheet as a table whose first filled row is the header; None when it is empty."""
    header = next((row for row in range(sheet.n_rows) if sheet.filled(row)), None)
    if header is None:
        return None
    titles = ((plain_name(sheet.text(header, column)), column) for column in sheet.filled(header))
    return WellTable(sheet=sheet, header=header, titles=tuple((title, column) for title, column in titles if title))


def outside(place: str, well: tuple[int, int], shape: tuple[int, int]) -> Fault:
    """The fault of a well that the plate does not have."""
    n_wells = shape[0] * shape[1]
    article = "an" if str(n_wells).startswith("8") else "a"
    return Fault(
        place=place,
        found=f'"{well_name(*well)}", which is no well of {article} {n_wells}-well plate '
        f"(A1 to {well_name(shape[0] - 1, shape[1] - 1)})",
        expected="a well of the plate",
        cure="Correct the well, or choose the map or reading of the right plate size.",
    )
