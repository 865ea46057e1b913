"""Numbers as a reader sees them: three significant digits in words, four in the data behind a picture."""

from __future__ import annotations

import math

import polars as pl

Cell = str | int | float | bool | None


def three_digits(value: float | None) -> str:
    """A number to three significant digits, trailing zeros kept: 0.41 -> "0.410", 13.4 -> "13.4", 1234.5 -> "1230".

    None and values that are not finite give "–", the mark for "no value" throughout. Below 1e-4 and from 1e7 the form is "1.23e-5".
    """
    if value is None or not math.isfinite(value):
        return "–"
    if value == 0:
        return "0"
    mantissa, _, exponent = f"{value:.2e}".partition("e")
    power = int(exponent)
    if power < -4 or power >= 7:
        return f"{mantissa}e{power}"
    # rounded from the exact value, so that 9.996 becomes "10.0" and not "10.00"
    return f"{float(f'{value:.2e}'):.{max(2 - power, 0)}f}"


def chart_records(frame: pl.DataFrame, *, digits: int = 4) -> list[dict[str, Cell]]:
    """Rows of `frame` for the data behind a chart: `digits` significant digits; what is null or not finite is left out."""
    return [
        {name: _short(value, digits) for name, value in row.items() if value is not None and not _not_finite(value)}
        for row in frame.iter_rows(named=True)
    ]


def _not_finite(value: Cell) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def _short(value: Cell, digits: int) -> Cell:
    if not isinstance(value, float):
        return value
    rounded = float(f"{value:.{digits}g}")
    return int(rounded) if rounded.is_integer() and abs(rounded) < 1e15 else rounded
