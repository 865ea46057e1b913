"""NONMEM data sets from disk: comma, tab, semicolon or spaces between cells, one header line, `.` where nothing is known.

Lines that begin with # are comments. A first column C marks lines to pass over with a C, as `IGNORE=C` does; another letter can be named,
and "@" passes over every line that begins with a letter or @.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from thrombokit.errors import Fault, FileFormatError, InputError, raise_all
from thrombokit.patients.event_records import event_table
from thrombokit.patients.event_table import EventTable

MAX_BYTES = 1_000_000_000
COMMENT, ALPHABETIC = "#", "@"


def read_events(path: str | Path, *, ignore: str | None = None) -> EventTable:
    """Read and check an event table.

    Parameters
    ----------
    path : str or Path
        Text file with a header line; columns ID, TIME and what the data needs of AMT, EVID, CMT, II, ADDL, SS, RATE, MDV, DV, covariates.
    ignore : str, optional
        One character: data lines that begin with it are passed over; "@": those that begin with a letter or @. Without it, lines that begin
        with "#", and with "C" where the first column is named C.

    Returns
    -------
    EventTable
        The records in the order of the file, without those passed over.

    Raises
    ------
    FileFormatError
        All that is wrong: file, row (the header is row 1), column, what was found and expected, and the cure.
    """
    path = Path(path)
    if ignore is not None and len(ignore) != 1:
        raise InputError(
            Fault(place="ignore", found=f'"{ignore}"', expected="one character, such as C or @", cure="Name one character.")
        )
    lines = _rows(path)
    start = next((k for k, (_, cells) in enumerate(lines) if not cells[0].startswith(COMMENT)), None)
    if start is None:
        raise _refuse(path, "no header line", "Write the names of the columns in the first line.")
    header = lines[start][1]
    _check_header(path, header)
    marks = ignore if ignore is not None else ("C" if header[0].strip().upper() == "C" else COMMENT)
    kept = [(number, cells) for number, cells in lines[start + 1 :] if not _passed_over(cells[0], marks)]
    _check_widths(path, header, kept)
    columns = [[cells[k] for _, cells in kept] for k in range(len(header))]
    names = [name.strip() for name in header]
    _check_names(path, names)
    frame = pl.DataFrame([pl.Series(name, cells, dtype=pl.String) for name, cells in zip(names, columns, strict=True)])
    return event_table(frame, source=path.name, rows=np.array([number for number, _ in kept], dtype=np.int64))


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    """Line number and cells of every line that holds something."""
    text = _text(path)
    first = next((line for line in text.splitlines() if line.strip() and not line.lstrip().startswith(COMMENT)), "")
    delimiter = next((mark for mark in (",", "\t", ";") if mark in first), None)
    if delimiter is None:
        split = ((number, line.split()) for number, line in enumerate(text.splitlines(), start=1))
        return [(number, cells) for number, cells in split if cells]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        return [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader if any(cell.strip() for cell in cells)]
    except csv.Error as error:
        raise _refuse(path, f"damaged text ({error})", "Save it again as CSV.", where=f", line {reader.line_num}") from None


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise _refuse(path, f"{path.stat().st_size / 1e9:.1f} GB", "Split the data set.")
        return path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except FileNotFoundError:
        raise _refuse(path, "no such file", "Check the name and the folder.") from None
    except IsADirectoryError:
        raise _refuse(path, "a folder", "Name the file inside it.") from None
    except UnicodeDecodeError:
        raise _refuse(path, "bytes that are no UTF-8 text", "Save it again as CSV in UTF-8.") from None
    except OSError as error:
        raise _refuse(path, f"a file that cannot be read ({error.strerror})", "Check its permissions.") from None


def _refuse(path: Path, found: str, cure: str, where: str = "") -> FileFormatError:
    return FileFormatError(Fault(place=f"{path.name}{where}", found=found, expected="a NONMEM data set as text", cure=cure))


def _check_header(path: Path, header: Sequence[str]) -> None:
    if not any(cell.strip().upper() in ("ID", "TIME") for cell in header):
        shown = ", ".join(header[:6])
        raise _refuse(
            path, f"a first line without ID and TIME ({shown})", "Begin with a line that names the columns.", where=", row 1"
        )


def _check_names(path: Path, names: Sequence[str]) -> None:
    folded = [name.upper() for name in names]
    raise_all(
        [
            Fault(place=f"{path.name}, row 1, column {k + 1}", found=f'"{name}"' if name else "no name", cure="Rename or remove it.",
                  expected="each column named once; small and capital letters are the same")
            for k, name in enumerate(names) if not name or folded.index(name.upper()) < k
        ],
        FileFormatError,
    )  # fmt: skip


def _check_widths(path: Path, header: Sequence[str], lines: Sequence[tuple[int, list[str]]]) -> None:
    uneven = [(number, cells) for number, cells in lines if len(cells) != len(header)]
    faults = [
        Fault(place=f"{path.name}, row {number}", found=f"{len(cells)} cells", expected=f"{len(header)}, as the header has",
              cure="A separator was lost or added: export the file again.")
        for number, cells in uneven[:5]
    ]  # fmt: skip
    if len(uneven) > 5:
        faults.append(Fault(place=f"{path.name}, row {uneven[5][0]} and after", found=f"{len(uneven) - 5} more like these",
                            expected=f"{len(header)} cells", cure="Export the file again."))  # fmt: skip
    raise_all(faults, FileFormatError)


def _passed_over(first: str, mark: str) -> bool:
    if first.startswith(COMMENT):
        return True
    if mark == ALPHABETIC:
        return first[:1].isalpha() or first.startswith(ALPHABETIC)
    return first[:1].upper() == mark.upper()
