"""Sheets of cells, from CSV, TSV and Excel files, every cell where it stood.

Text files may use comma, semicolon or tab, any of UTF-8, UTF-16 and Latin-1, with or without a byte-order mark. A workbook gives
one `Sheet` per worksheet. Nothing is dropped: leading empty rows and columns move wells, and a line without any separator (no
cells) stays distinct from a line of separators only (empty cells). Text files keep every cell as text; numbers are made later,
where a fault can name the well.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from thrombokit.errors import Fault, FileFormatError
from thrombokit.io.workbooks import Cell, read_workbook_cells

MAX_BYTES = 50_000_000
"""A plate export is well below 1 MB; past this it is some other file."""
MAX_CELLS = 1_000_000
"""Wells of 650 plates of 1536."""

_EXCEL_TEXT = re.compile(r'^="(.*)"$', re.DOTALL)
_BINARY = re.compile(r"[\x00-\x08\x0e-\x1f]")
_OLD_EXCEL = b"\xd0\xcf\x11\xe0"
_ZIP = b"PK\x03\x04"


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """One table of cells at their true positions; rows and columns count from 0.

    `file` is the file's name, `name` the worksheet's title (or the file's stem). Rows may differ in length: in a text file a row of
    no cells is a line without any separator.
    """

    file: str
    name: str
    cells: tuple[tuple[Cell, ...], ...]
    is_workbook: bool = False

    @property
    def n_rows(self) -> int:
        """Rows, empty ones included."""
        return len(self.cells)

    @property
    def n_columns(self) -> int:
        """Cells of the longest row."""
        return max((len(row) for row in self.cells), default=0)

    def cell(self, row: int, column: int) -> Cell:
        """The cell, or None where there is none."""
        if 0 <= row < len(self.cells) and 0 <= column < len(self.cells[row]):
            return self.cells[row][column]
        return None

    def text(self, row: int, column: int) -> str:
        """The cell as text; "" where empty, whole numbers without a decimal point."""
        return cell_text(self.cell(row, column))

    def filled(self, row: int) -> tuple[int, ...]:
        """Columns of `row` that hold something."""
        return tuple(i for i, cell in enumerate(self.cells[row]) if cell is not None) if 0 <= row < len(self.cells) else ()

    def ragged(self, rows: Iterable[int]) -> tuple[int, ...]:
        """Of `rows`, those with another number of cells than most: a separator lost or added moves every cell after it."""
        lengths = {row: len(self.cells[row]) for row in rows}
        usual = Counter(lengths.values()).most_common(1)
        return tuple(row for row, length in lengths.items() if length != usual[0][0])

    def is_empty(self) -> bool:
        """Whether no cell holds anything."""
        return not any(cell is not None for row in self.cells for cell in row)

    def place(self, row: int | None = None, column: int | None = None) -> str:
        """Where a cell, a row or the sheet stands, for a message."""
        where = [self.file]
        if self.is_workbook:
            where.append(f'sheet "{self.name}"')
        if row is not None and column is not None and self.is_workbook:
            where.append(f"cell {cell_name(row, column)}")
        elif row is not None:
            where.append(f"row {row + 1}")
            if column is not None:
                where.append(f"column {column + 1}")
        return ", ".join(where)


def cell_text(cell: Cell) -> str:
    """A cell as text; "" for None, 12.0 as "12"."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return cell
    number = float(cell)
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)


def column_name(column: int) -> str:
    """Zero-based column -> spreadsheet letters: 0 -> "A", 26 -> "AA"."""
    letters = ""
    number = column + 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def cell_name(row: int, column: int) -> str:
    """Zero-based row and column -> "A1"."""
    return f"{column_name(column)}{row + 1}"


def read_sheets(path: str | Path) -> tuple[Sheet, ...]:
    """Every sheet of a CSV, TSV, text or XLSX file.

    Parameters
    ----------
    path : str or Path
        The file; its content, not its ending, says whether it is a workbook.

    Returns
    -------
    tuple of Sheet
        One for a text file, one per worksheet for a workbook, in their order.

    Raises
    ------
    FileFormatError
        If the file is missing, empty, damaged, too large, binary, or holds formulas that were never calculated.
    """
    path = Path(path)
    data = _bytes(path)
    if data.startswith(_OLD_EXCEL):
        raise _refuse(
            path, "an old Excel (.xls) or password-protected workbook", "Open it in Excel and save it as .xlsx without a password."
        )
    if data.startswith(_ZIP):
        titled = read_workbook_cells(path.name, data, max_cells=MAX_CELLS)
        return tuple(Sheet(file=path.name, name=title, cells=cells, is_workbook=True) for title, cells in titled)
    if path.suffix.lower() in (".xlsx", ".xlsm"):
        raise _refuse(path, "no Excel workbook inside", "Open it in Excel and save it as .xlsx, or rename it if it is a text file.")
    return (Sheet(file=path.name, name=path.stem, cells=_text_cells(path, _decoded(path, data))),)


def _refuse(path: Path, found: str, cure: str, where: str = "") -> FileFormatError:
    expected = "a CSV, TSV or XLSX file"
    return FileFormatError(Fault(place=f"{path.name}{where}", found=found, expected=expected, cure=cure))


def _bytes(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if path.is_dir():
            raise _refuse(path, "a folder", "Name the file inside it.")
        if size > MAX_BYTES:
            raise _refuse(
                path, f"{size / 1e6:.0f} MB", f"Plate files are below {MAX_BYTES / 1e6:.0f} MB: check that this is the right file."
            )
        data = path.read_bytes()
    except FileNotFoundError:
        raise _refuse(path, "no such file", f"Check the name and the folder: {path} does not exist.") from None
    except OSError as error:
        raise _refuse(
            path, f"a file that cannot be read ({error.strerror})", "Check its permissions and that it is a plain file."
        ) from None
    except ValueError:
        raise _refuse(path, "a file name that no file can have", "Check the name.") from None
    if not data.strip():
        raise _refuse(path, "an empty file", "Export it again.")
    return data


def _decoded(path: Path, data: bytes) -> str:
    try:
        text = data.decode(_encoding(data))
    except UnicodeDecodeError:
        raise _refuse(path, "text in no encoding known here", "Save it again as CSV UTF-8.") from None
    text = text.lstrip("\ufeff").rstrip("\x1a").replace("\r\n", "\n").replace("\r", "\n")
    if _BINARY.search(text):
        raise _refuse(path, "binary content", "Export the plate as CSV, tab-separated text or .xlsx.")
    if not text.strip():
        raise _refuse(path, "an empty file", "Export it again.")
    return text


def _encoding(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    head = data[:2000]
    if head[1::2].count(0) > len(head) * 0.4:
        return "utf-16-le"
    if head[0::2].count(0) > len(head) * 0.4:
        return "utf-16-be"
    # cp1252 is what Windows calls Latin-1; its few undefined bytes exist in Latin-1 proper, which accepts anything
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            data.decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding
    return "latin-1"


def _text_cells(path: Path, text: str) -> tuple[tuple[Cell, ...], ...]:
    hint = re.match(r"sep=([,;\t])\n", text)
    delimiter = hint.group(1) if hint else _delimiter(text)
    rows: list[tuple[Cell, ...]] = []
    n_cells = 0
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for fields in reader:
            n_cells += len(fields)
            if n_cells > MAX_CELLS:
                raise _refuse(path, f"more than {MAX_CELLS:,} cells", "Check that this is the right file.")
            cells = tuple(_text_cell(field) for field in fields)
            rows.append(() if cells == (None,) else cells)
    except csv.Error as error:
        cure = 'Every opening " needs a closing one; export the file again.'
        raise _refuse(path, f"damaged text ({error})", cure, f", line {reader.line_num}") from None
    if hint:
        rows[0] = ()
    return tuple(rows)


def _text_cell(field: str) -> str | None:
    guarded = _EXCEL_TEXT.match(field.strip())
    return (guarded.group(1) if guarded else field).strip() or None


def _delimiter(text: str) -> str:
    """Tab before semicolon before comma, if at least half of the lines that hold any of them hold it (1,5;2,5 is two numbers)."""
    lines = [re.sub(r'"[^"\n]*"', "", line) for line in text.split("\n")]
    separated = [line for line in lines if re.search("[\t;,]", line)]
    for delimiter in "\t;":
        if separated and 2 * sum(delimiter in line for line in separated) >= len(separated):
            return delimiter
    return ","
