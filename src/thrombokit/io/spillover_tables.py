"""Spillover matrices as files: comma- or tab-separated tables, FlowJo's .mtx, and FlowJo's older text form.

A table has a line of channel names and one line of numbers a dye, with or without the dye's name in front; names may come as FlowJo writes
them ("FITC-A :: CD41"). Where rows are named they may stand in any order. Decimal commas are understood where the comma does not
separate. A table in percent, and one that was inverted already, are refused rather than applied.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from thrombokit.cells.spillover import Spillover
from thrombokit.errors import Fault, FileFormatError
from thrombokit.io.spillover_xml import looks_like_xml, spillover_as_xml, spillover_from_xml
from thrombokit.numerics.arrays import Array

MOST_BYTES = 10_000_000
MOST_SHOWN = 20
TABLE_ENDINGS, XML_ENDINGS = (".csv", ".tsv", ".txt"), (".mtx", ".xml")
WHAT = "a spillover matrix as a table (CSV, TSV) or FlowJo .mtx"


@dataclass(frozen=True, kw_only=True)
class _Lines:
    """A table's fields, line by line, with the numbers of the lines they stood in."""

    place: str
    rows: tuple[tuple[str, ...], ...]
    numbers: tuple[int, ...]
    decimal_comma: bool


def read_spillover_table(path: str | Path, *, name: str | None = None) -> Spillover:
    """A spillover matrix from a file.

    Parameters
    ----------
    path : path
        A table, or FlowJo's .mtx (XML or the older text); the content says which, not the ending.
    name : str, optional
        Which matrix, where an XML file holds several.

    Returns
    -------
    Spillover
        In the order of the file's columns; `.source` is the file's name.

    Raises
    ------
    FileFormatError
        If it is not a square table of numbers with channel names, with file, line and column of all that is wrong.
    InputError
        If the matrix is singular, or has a channel twice.
    """
    path = Path(path)
    data = _bytes(path)
    if looks_like_xml(data):
        return spillover_from_xml(data, path.name, name=name)
    lines = _lines_of(_text(data, path.name), path.name)
    channels, numbered, named = _parts(lines)
    matrix = _matrix(lines, channels, numbered, named)
    _refuse_other_forms(matrix, lines.place)
    return Spillover(channels=channels, matrix=matrix, source=path.name)


def write_spillover_table(spillover: Spillover, path: str | Path, *, row_names: bool = True) -> None:
    """Write a matrix as CSV, TSV or FlowJo's .mtx, by the file's ending; numbers in full, so that reading it again gives the same.

    Parameters
    ----------
    spillover : Spillover
    path : path
        Ending .csv, .tsv, .txt (tabs), .mtx or .xml.
    row_names : bool
        Put the dye's channel in front of each row of a table; FlowJo's own exports go without.

    Raises
    ------
    FileFormatError
        If the ending says none of these, or the file cannot be written.
    """
    path = Path(path)
    ending = path.suffix.lower()
    if ending in XML_ENDINGS:
        text = spillover_as_xml(spillover)
    elif ending in TABLE_ENDINGS:
        text = _as_table(spillover, "," if ending == ".csv" else "\t", row_names=row_names)
    else:
        expected = ", ".join(TABLE_ENDINGS + XML_ENDINGS)
        raise _refused(path.name, f"the ending {ending!r}", f"one of {expected}", "Name the file with one of these endings.")
    try:
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise _refused(str(path), error.strerror or str(error), "a place to write to", "Check the folder.") from None


def _as_table(spillover: Spillover, delimiter: str, *, row_names: bool) -> str:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
    writer.writerow([*([""] if row_names else []), *spillover.channels])
    for name, row in zip(spillover.channels, spillover.matrix.tolist(), strict=True):
        writer.writerow([*([name] if row_names else []), *(repr(float(value)) for value in row)])
    return out.getvalue()


def _bytes(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        data = path.read_bytes() if size <= MOST_BYTES else b""
    except OSError as error:
        raise _refused(path.name, error.strerror or str(error), WHAT, "Check the path, and that you may read the file.") from None
    if size > MOST_BYTES:
        raise _refused(path.name, f"{size} bytes", f"at most {MOST_BYTES}", "Check that this is the right file.")
    if not data.strip():
        raise _refused(path.name, "an empty file", WHAT, "Export the matrix again.")
    return data


def _text(data: bytes, place: str) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ("utf-16",)
    else:
        encodings = ("utf-8-sig", "cp1252")
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise _refused(place, "binary content", WHAT, "Export the matrix as CSV.")


def _lines_of(text: str, place: str) -> _Lines:
    kept = [(number, line) for number, line in enumerate(re.split(r"\r\n|\r|\n", text), start=1) if line.strip(" ,;\t")]
    if len(kept) > 2 and re.fullmatch(r"[^\t\d]*\t[^\t\d]*", kept[1][1]):
        kept = kept[2:]  # FlowJo's older text form: the matrix's name, and what its channels are framed with
    delimiter = next((mark for mark in "\t;, " if _separates(mark, kept)), "")
    if not delimiter:
        delimiter = next((mark for mark in "\t;," if mark in kept[0][1]), " ")
    rows = [_fields(line, delimiter, f"{place}:{number}") for number, line in kept]
    return _Lines(place=place, rows=tuple(rows), numbers=tuple(number for number, _ in kept), decimal_comma=delimiter != ",")


def _separates(mark: str, kept: Sequence[tuple[int, str]]) -> bool:
    """Whether a mark cuts all lines into a table with a number at the end of each line but the first; names may hold the other marks."""
    try:
        rows = [_fields(line, mark, "") for _, line in kept]
    except FileFormatError:
        return False
    widths = {len(row) for row in rows[1:]}
    is_table = len(widths) == 1 and max(widths) - len(rows[0]) in (0, 1) and max(widths) - len(kept) in (-1, 0)
    return is_table and all(_number(row[-1], decimal_comma=mark != ",") is not None for row in rows[1:])


def _fields(line: str, delimiter: str, place: str) -> tuple[str, ...]:
    try:
        (fields,) = csv.reader(
            [line.strip() if delimiter == " " else line], delimiter=delimiter, skipinitialspace=True, strict=True
        )
    except csv.Error as error:
        raise _refused(place, f"damaged text ({error})", WHAT, 'Every opening " needs a closing one; export it again.') from None
    return tuple(field.strip() for field in fields)


def _parts(lines: _Lines) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...], tuple[str, ...]]:
    """Channel names, the fields of the numbers, and the rows' names (none: empty)."""
    heading, body = lines.rows[0], lines.rows[1:]
    has_names = bool(body) and all(row and _number(row[0], decimal_comma=lines.decimal_comma) is None for row in body)
    if has_names and len(heading) == len(body[0]):
        heading = heading[1:]
    channels = tuple(_channel(name) for name in heading)
    if not body or not channels or any(_number(name, decimal_comma=lines.decimal_comma) is not None for name in channels):
        shown = ", ".join(lines.rows[0][:5])
        found = f"a first line of {shown!r}" if body else "one line only"
        raise _refused(f"{lines.place}:{lines.numbers[0]}", found, "a line of channel names, then one line of numbers a dye",
                       "Put the channel names ($PnN) in the first line.")  # fmt: skip
    if has_names:
        return channels, tuple(row[1:] for row in body), tuple(_channel(row[0]) for row in body)
    return channels, body, ()


def _channel(said: str) -> str:
    return said.split(" :: ")[0].strip()


def _number(text: str, *, decimal_comma: bool) -> float | None:
    if decimal_comma and text.count(",") == 1 and "." not in text:
        text = text.replace(",", ".")
    try:
        return float(text)
    except ValueError:
        return None


def _matrix(lines: _Lines, channels: tuple[str, ...], body: Sequence[tuple[str, ...]], named: tuple[str, ...]) -> Array:
    n = len(channels)
    faults: list[Fault] = []
    matrix = np.zeros((len(body), n))
    for row, fields in enumerate(body):
        place = f"{lines.place}:{lines.numbers[row + 1]}"
        if len(fields) != n:
            faults.append(Fault(place=place, found=f"{len(fields)} numbers", expected=f"{n}, one a channel of the first line",
                                cure="Complete the row; export the matrix again."))  # fmt: skip
            continue
        for column, text in enumerate(fields):
            value = _number(text, decimal_comma=lines.decimal_comma)
            if value is None:
                faults.append(Fault(place=f"{place}, column {channels[column]}", found=repr(text), expected="a number",
                                    cure="Correct the cell."))  # fmt: skip
            else:
                matrix[row, column] = value
    if len(body) != n:
        faults.append(Fault(place=lines.place, found=f"{len(body)} rows for {n} channels", expected="one row a channel",
                            cure="Export the whole matrix again."))  # fmt: skip
    elif named and sorted(named) != sorted(channels):
        strange = [name for name in named if name not in channels] or list(named)
        faults.append(Fault(place=lines.place, found=f"rows named {', '.join(strange[:5])}", expected=f"the columns' names: {', '.join(channels)}",
                            cure="Name each row as its dye's own channel."))  # fmt: skip
    if faults:
        raise FileFormatError(faults[:MOST_SHOWN])
    return matrix[[named.index(name) for name in channels]] if named else matrix


def _refuse_other_forms(matrix: Array, place: str) -> None:
    diagonal, beside = np.diag(matrix), matrix[~np.eye(len(matrix), dtype=np.bool_)]
    if (diagonal == 100.0).all():
        raise _refused(
            place,
            "100 all along the diagonal: a table in percent",
            "fractions, with 1 on the diagonal",
            "Divide every number by 100.",
        )
    if len(matrix) > 1 and (beside <= 0.0).all() and (beside < 0.0).any():
        raise _refused(place, "no positive number beside the diagonal: a compensation matrix, inverted already", "the spillover matrix itself",
                       "Export the spillover matrix, or invert this one.")  # fmt: skip


def _refused(place: str, found: str, expected: str, cure: str) -> FileFormatError:
    return FileFormatError(Fault(place=place, found=found, expected=expected, cure=cure))
