"""Tables of a page as plain text cells: what stands in a column, how it is written, and which cells are numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from thrombokit.drawing.numerals import three_digits

NOTHING = "–"
TALL_FROM_ROWS = 30


@dataclass(frozen=True, kw_only=True)
class PageColumn:
    """One column: its heading, the text of a cell from a row, and its look ("number", "nowrap" or "words")."""

    title: str
    text: Callable[[Mapping[str, Any]], str]
    look: str = "words"


@dataclass(frozen=True, kw_only=True)
class PageTable:
    """A table ready for the page: `note` stands small under the caption; `rows` hold one text a column."""

    caption: str
    note: str
    columns: tuple[PageColumn, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def is_tall(self) -> bool:
        """Whether it scrolls within a box."""
        return len(self.rows) > TALL_FROM_ROWS


def page_table(frame: pl.DataFrame, columns: Sequence[PageColumn], *, caption: str, note: str = "") -> PageTable | None:
    """A table with one line a row of `frame`; None where there is no row."""
    if frame.is_empty():
        return None
    rows = tuple(tuple(column.text(row) for column in columns) for row in frame.iter_rows(named=True))
    return PageTable(caption=caption, note=note, columns=tuple(columns), rows=rows)


def words(title: str, name: str, *, look: str = "words") -> PageColumn:
    """Text as it is, underscores as blanks; "–" where there is none."""
    return PageColumn(title=title, text=lambda row: str(row.get(name) or NOTHING).replace("_", " "), look=look)


def name(title: str, column: str) -> PageColumn:
    """A name, unchanged and on one line."""
    return PageColumn(title=title, text=lambda row: str(row.get(column) or NOTHING), look="nowrap")


def number(title: str, column: str, *, factor: float = 1.0) -> PageColumn:
    """Three significant digits."""
    return PageColumn(title=title, text=lambda row: _three(row.get(column), factor), look="number")


def count(title: str, column: str) -> PageColumn:
    """A whole number with thin spaces between thousands."""
    return PageColumn(
        title=title, text=lambda row: NOTHING if row.get(column) is None else count_words(int(row[column])), look="number"
    )


def plain_number(title: str, column: str) -> PageColumn:
    """A number as it was given, without added zeros: day 12, not 12.0."""
    return PageColumn(title=title, text=lambda row: NOTHING if row.get(column) is None else f"{row[column]:g}", look="number")


def interval(title: str, low: str, high: str, *, factor: float = 1.0) -> PageColumn:
    """ "0.31 to 0.54", an end that is not known "open"."""
    return PageColumn(title=title, text=lambda row: interval_words(row.get(low), row.get(high), factor=factor), look="number")


def interval_words(low: float | None, high: float | None, *, factor: float = 1.0) -> str:
    """ "0.31 to 0.54", an end that is not known "open"; "–" where neither is known."""
    ends = [_three(end, factor) for end in (low, high)]
    if ends == [NOTHING, NOTHING]:
        return NOTHING
    return " to ".join("open" if end == NOTHING else end for end in ends)


def count_words(value: int) -> str:
    """12345 -> "12 345" with a narrow space that does not break."""
    return f"{value:,}".replace(",", "\u202f")


def _three(value: float | None, factor: float) -> str:
    return NOTHING if value is None or not math.isfinite(value) else three_digits(factor * value)
