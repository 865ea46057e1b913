"""Names of wells, and the sizes plates come in."""

from __future__ import annotations

import re
import string

PLATE_SHAPES: dict[int, tuple[int, int]] = {96: (8, 12), 384: (16, 24), 1536: (32, 48)}
"""Number of wells -> (rows, columns)."""

_WELL = re.compile(r"^\s*([A-Za-z]{1,2})\s*0*(\d{1,2})\s*$")


def row_name(row: int) -> str:
    """0 -> "A", 25 -> "Z", 26 -> "AA"."""
    return string.ascii_uppercase[row] if row < 26 else "A" + string.ascii_uppercase[row - 26]


def well_name(row: int, column: int) -> str:
    """Zero-based row and column -> "A01"."""
    return f"{row_name(row)}{column + 1:02d}"


def parse_well(text: str) -> tuple[int, int] | None:
    """ "B7", "b07", "AA12" -> zero-based (row, column); None when it names no well of a 1536-well plate."""
    matched = _WELL.match(text)
    if not matched:
        return None
    letters, column = matched.group(1).upper(), int(matched.group(2)) - 1
    row = 0
    for letter in letters:
        row = row * 26 + string.ascii_uppercase.index(letter) + 1
    row -= 1
    return (row, column) if row < 32 and 0 <= column < 48 else None


def shape_that_holds(n_rows: int, n_columns: int) -> tuple[int, int] | None:
    """The smallest standard plate (rows, columns) with at least that many rows and columns."""
    return next((s for s in PLATE_SHAPES.values() if s[0] >= n_rows and s[1] >= n_columns), None)
