"""SAS transport files, version 5 (XPT): what regulators receive, read from its bytes.

80-byte records: a library header, then for each data set (member) its name, 140-byte descriptions of the variables, and rows of fixed width.
Numbers are IBM hexadecimal floats, missing ones a letter, point or underscore followed by zeros. Character values are padded with blanks.

Reference: SAS Institute, TS-140, The record layout of a data set in SAS transport (XPORT) format (version 5).
"""

from __future__ import annotations

import datetime as dt
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from thrombokit.errors import Fault, FileFormatError
from thrombokit.io.whole_files import read_bytes

RECORD = 80
_LIBRARY = b"HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!"
_MEMBER = b"HEADER RECORD*******MEMBER  HEADER RECORD!!!!!!!"
_DESCRIPTOR = b"HEADER RECORD*******DSCRPTR HEADER RECORD!!!!!!!"
_NAMES = b"HEADER RECORD*******NAMESTR HEADER RECORD!!!!!!!"
_ROWS = b"HEADER RECORD*******OBS     HEADER RECORD!!!!!!!"
_VERSION_8 = b"HEADER RECORD*******LIBV8"
DATES = ("DATE", "DATE9", "YYMMDD", "E8601DA", "IS8601DA", "DDMMYY", "MMDDYY")
"""Formats under which a number is a date; it is read as ISO text, as Dataset-JSON carries it."""
FIRST_DAY = dt.date(1960, 1, 1)
EXPECTED = "a SAS transport file, version 5"


@dataclass(frozen=True, kw_only=True)
class Variable:
    """One column: where it lies in a row, and what it is."""

    name: str
    label: str
    numeric: bool
    start: int
    width: int
    format: str


@dataclass(frozen=True, kw_only=True)
class TransportDataSet:
    """One member: `titles`, `labels`, and `rows` of numbers, texts and None where missing."""

    name: str
    label: str
    titles: tuple[str, ...]
    labels: tuple[str, ...]
    rows: tuple[tuple[str | float | None, ...], ...]


def is_xport(data: bytes) -> bool:
    """Whether bytes start as a transport file does, of whichever version."""
    return data.startswith((_LIBRARY, _VERSION_8))


def read_xport(path: str | Path, *, name: str | None = None) -> TransportDataSet:
    """One data set of a transport file.

    Parameters
    ----------
    path : path
    name : str, optional
        Which data set, where there are several.

    Raises
    ------
    FileFormatError
        Another version, a damaged or cut file, several data sets and no name, or none of that name.
    """
    path = Path(path)
    data = read_bytes(path, expected=EXPECTED)
    if data.startswith(_VERSION_8):
        raise _refused(
            path,
            "version 8 of the transport format",
            "Write it with PROC CPORT's successor XPORT engine, version 5, or as Dataset-JSON.",
        )
    if not data.startswith(_LIBRARY):
        raise _refused(path, "another first record", "Check that the file is a SAS transport file, copied in binary mode.")
    members = _members(path, data)
    names = [_text(data[start + 168 : start + 176]) for start, _ in members]
    if name is None and len(members) != 1:
        raise _refused(path, f"{len(members)} data sets: {', '.join(names) or 'none'}", "Say which one.")
    chosen = 0 if name is None else next((k for k, known in enumerate(names) if known.casefold() == name.casefold()), None)
    if chosen is None:
        raise _refused(path, f'no data set "{name}" among {", ".join(names)}', "Name one of these.")
    return _member(path, data, *members[chosen])


def _members(path: Path, data: bytes) -> list[tuple[int, int]]:
    """Start and end of every member; headers stand on 80-byte records."""
    starts = [at for at in range(0, len(data), RECORD) if data.startswith(_MEMBER, at)]
    if not starts:
        raise _refused(path, "no data set", "Copy the file again; it may be cut.")
    return list(zip(starts, [*starts[1:], len(data)], strict=True))


def _member(path: Path, data: bytes, start: int, end: int) -> TransportDataSet:
    size_text = data[start + 74 : start + 78]
    size = int(size_text) if size_text.isdigit() else 0
    if size not in (136, 140) or not data.startswith(_DESCRIPTOR, start + RECORD):
        raise _refused(path, f"variables described in {size_text.decode('latin-1')!r} bytes", "Copy the file again in binary mode.")
    header = start + 4 * RECORD
    count_text = data[header + 54 : header + 58]
    if not data.startswith(_NAMES, header) or not count_text.isdigit():
        raise _refused(path, "a data set without descriptions of its variables", "Copy the file again; it may be cut.")
    first, count = header + RECORD, int(count_text)
    rows_at = first + -(-count * size // RECORD) * RECORD
    if not data.startswith(_ROWS, rows_at):
        raise _refused(path, "no rows after the variables", "Copy the file again; it may be cut.")
    variables = [_variable(data[first + k * size : first + (k + 1) * size]) for k in range(count)]
    rows = _rows(path, data[rows_at + RECORD : end], variables)
    return TransportDataSet(
        name=_text(data[start + 168 : start + 176]), label=_text(data[start + 272 : start + 312]), rows=rows,
        titles=tuple(v.name for v in variables), labels=tuple(v.label for v in variables),
    )  # fmt: skip


def _variable(described: bytes) -> Variable:
    kind, _, width, _ = struct.unpack(">hhhh", described[:8])
    (start,) = struct.unpack(">i", described[84:88])
    return Variable(name=_text(described[8:16]), label=_text(described[16:56]), numeric=kind == 1, start=start, width=width,
                    format=_text(described[56:64]))  # fmt: skip


def _rows(path: Path, body: bytes, variables: list[Variable]) -> tuple[tuple[str | float | None, ...], ...]:
    """Rows of fixed width; blanks at the end that fill the last record are no rows."""
    width = sum(v.width for v in variables)
    if width <= 0 or any(not 0 <= v.start <= v.start + v.width <= width for v in variables):
        raise _refused(path, "variables that do not lie within a row", "Copy the file again in binary mode.")
    n_rows = len(body) // width
    while (
        n_rows and not body[(n_rows - 1) * width : n_rows * width].strip(b" ") and len(body) - (n_rows - 1) * width < RECORD + width
    ):
        n_rows -= 1
    if body[n_rows * width :].strip(b" "):
        raise _refused(path, f"{len(body) - n_rows * width} bytes after the last whole row", "Copy the file again; it is cut.")
    table = np.frombuffer(body, dtype=np.uint8, count=n_rows * width).reshape(n_rows, width)
    columns: list[list[str | float | None]] = [_column(table[:, v.start : v.start + v.width], v) for v in variables]
    return tuple(zip(*columns, strict=True)) if n_rows else ()


def _column(cells: np.ndarray, variable: Variable) -> list[str | float | None]:
    if variable.numeric:
        values = [None if np.isnan(value) else float(value) for value in ibm_floats(cells)]
        dates = variable.format.rstrip("0123456789.") in DATES
        return [_date(value) if dates and value is not None else value for value in values]
    return [_text(row.tobytes()) for row in np.ascontiguousarray(cells)]


def _date(days: float) -> str | float:
    """A SAS date (days since 1960) as ISO text; a number that is no date as it is."""
    try:
        return (FIRST_DAY + dt.timedelta(days=days)).isoformat() if days.is_integer() else days
    except OverflowError:
        return days


def ibm_floats(cells: np.ndarray) -> np.ndarray:
    """IBM hexadecimal floats as doubles.

    Parameters
    ----------
    cells : array of uint8, shape (n, w)
        2 to 8 bytes a number, most significant first.

    Returns
    -------
    array of shape (n,)
        NaN where SAS marks a missing value.
    """
    whole = np.zeros((cells.shape[0], 8), dtype=np.uint8)
    whole[:, : cells.shape[1]] = cells
    first = whole[:, 0]
    marks = np.isin(first, np.frombuffer(b"._ABCDEFGHIJKLMNOPQRSTUVWXYZ", dtype=np.uint8))
    fraction = np.zeros((cells.shape[0], 8), dtype=np.uint8)
    fraction[:, 1:] = whole[:, 1:]
    mantissa = fraction.view(">u8")[:, 0].astype(np.float64)
    value = np.ldexp(mantissa, 4 * ((first & 0x7F).astype(np.int64) - 64) - 56)
    value = np.where(first & 0x80, -value, value)
    return np.where(marks & (mantissa == 0.0), np.nan, value)


def _text(cell: bytes) -> str:
    try:
        return cell.decode("utf-8").rstrip(" \x00")
    except UnicodeDecodeError:
        return cell.decode("latin-1").rstrip(" \x00")


def _refused(path: Path, found: str, cure: str) -> FileFormatError:
    return FileFormatError(Fault(place=path.name, found=found, expected=EXPECTED, cure=cure))
