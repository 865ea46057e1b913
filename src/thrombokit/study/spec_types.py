"""Types of the single values of study.toml: each takes what a person may write and gives the one form used inside."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from thrombokit.plate.wells import parse_well, well_name
from thrombokit.quantities import canonical_unit

LAST_SHEET_ROW = 1_048_576
LAST_SHEET_COLUMN = 16_384
"""The largest sheet of a workbook: XFD1048576."""

_CELL = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")


def cell_position(text: str) -> tuple[int, int] | None:
    """ "B2" -> zero-based (row, column) (1, 1); None when the text names no cell of a sheet."""
    matched = _CELL.fullmatch(text.strip().upper())
    if not matched:
        return None
    column = 0
    for letter in matched[1]:
        column = column * 26 + ord(letter) - ord("A") + 1
    row = int(matched[2])
    return (row - 1, column - 1) if row <= LAST_SHEET_ROW and column <= LAST_SHEET_COLUMN else None


def _cell(text: str) -> str:
    if cell_position(text) is None:
        raise ValueError(text)
    return text.strip().upper()


def _unit(text: str) -> str:
    unit = canonical_unit(text)
    if unit is None:
        raise ValueError(text)
    return unit


def _well(text: str) -> str:
    position = parse_well(text)
    if position is None:
        raise ValueError(text)
    return well_name(*position)


def _number_as_text(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _date_as_text(value: object) -> object:
    return value.isoformat() if isinstance(value, dt.date) else value


Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
"""Text that is not empty, without spaces around it."""

Label = Annotated[Text, BeforeValidator(_number_as_text)]
"""A name that may be written as a whole number: run = 1 is run "1"."""

DateText = Annotated[Text, BeforeValidator(_date_as_text)]
"""A TOML date or a text, as text; a TOML date in ISO form."""

Cell = Annotated[str, AfterValidator(_cell)]
"""A cell of a sheet, in capitals: "B2"."""

Unit = Annotated[str, AfterValidator(_unit)]
"""A concentration unit in house spelling: "nM"."""

Well = Annotated[str, AfterValidator(_well)]
"""A well in house spelling: "B07"."""

RelativePath = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
"""A path from the study folder; `thrombokit.study.spec_checks` sees that it stays inside and is there."""

TextList = Annotated[tuple[Text, ...], Field(strict=False)]
"""A list of texts."""

PositiveList = Annotated[tuple[Annotated[float, Field(gt=0)], ...], Field(strict=False)]
"""A list of numbers above 0."""
