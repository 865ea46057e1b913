"""Cells stay where they stood, in every encoding and separator; what is no table is refused with a cure."""

from __future__ import annotations

import zipfile

import openpyxl
import pytest
import xlsxwriter

from thrombokit.errors import FileFormatError
from thrombokit.io import tables
from thrombokit.io.tables import read_sheets


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1"])
def test_any_separator_and_encoding(write_text, delimiter, encoding):
    text = "\r\n".join(
        delimiter.join(row) for row in [["well", "unit", "signal"], ["A1", "µM", "1"], ["", "", ""], ["B2", '"x"', "2"]]
    )
    (sheet,) = read_sheets(write_text("plate.csv", text, encoding))
    assert sheet.cells == (("well", "unit", "signal"), ("A1", "µM", "1"), (None, None, None), ("B2", "x", "2"))


def test_lines_without_separators_stay_distinct_from_empty_cells(write_text):
    (sheet,) = read_sheets(write_text("plate.csv", "\n,,\na,b,c\n\n"))
    assert sheet.cells == ((), (None, None, None), ("a", "b", "c"), ())


def test_decimal_commas_do_not_make_a_comma_file(write_text):
    (sheet,) = read_sheets(write_text("plate.csv", "well;signal\nA1;1,5\nA2;2,5\n"))
    assert sheet.cells[1] == ("A1", "1,5")


def test_separator_hint_and_excel_text_guard(write_text):
    (sheet,) = read_sheets(write_text("plate.csv", 'sep=;\nbarcode;well\n"=""0012""";A1\n'))
    assert sheet.cells == ((), ("barcode", "well"), ("0012", "A1"))


def test_workbook_cells_keep_their_place(write_book):
    path = write_book("map.xlsx", {"first": [[None], [None, None, 12.0, "x "], [None]], "empty": []})
    first, empty = read_sheets(path)
    assert (first.cell(1, 2), first.cell(1, 3), first.cell(0, 0)) == (12.0, "x", None)
    assert first.text(1, 2) == "12"
    assert empty.is_empty()
    assert first.place(1, 3) == 'map.xlsx, sheet "first", cell D2'
    assert first.place(1) == 'map.xlsx, sheet "first", row 2'


def test_place_in_a_text_file(write_text):
    (sheet,) = read_sheets(write_text("plate1.csv", "a,b\n"))
    assert sheet.place(6, 2) == "plate1.csv, row 7, column 3"


def test_uncalculated_formula_is_a_fault(tmp_path):
    path = tmp_path / "map.xlsx"
    book = openpyxl.Workbook()
    book.active.title = "dose"
    book.active["B3"] = "=1+1"
    book.save(path)
    with pytest.raises(
        FileFormatError, match=r'map.xlsx, sheet "dose", cell B3: found a formula without a saved result.*Open the workbook'
    ):
        read_sheets(path)


def test_saved_formula_results_are_values(tmp_path):
    path = tmp_path / "map.xlsx"
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet("dose").write_formula(0, 1, "=10/4", None, 2.5)
    assert read_sheets(path)[0].cells == ((None, 2.5),)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.csv", b"", "an empty file"),
        ("blank.csv", b" \n\n", "an empty file"),
        ("photo.csv", bytes(range(256)) * 8, "binary content"),
        ("old.xls", b"\xd0\xcf\x11\xe0" + bytes(600), "old Excel.*save it as .xlsx"),
        ("renamed.xlsx", b"well,signal\nA1,1\n", "no Excel workbook inside.*rename it"),
        ("cut.xlsx", b"PK\x03\x04 and no more", "damaged or foreign workbook"),
        ("quote.csv", b'well,signal\nA1,"12\nA2,13\n', 'damaged text.*Every opening " needs a closing one'),
    ],
)
def test_what_is_no_table_is_refused(write_text, name, content, message):
    with pytest.raises(FileFormatError, match=message) as caught:
        read_sheets(write_text(name, content))
    assert caught.value.faults[0].place.startswith(name)


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(FileFormatError, match=r"nowhere.csv: found no such file; .*Check the name"):
        read_sheets(tmp_path / "nowhere.csv")
    with pytest.raises(FileFormatError, match="found a folder"):
        read_sheets(tmp_path)
    with pytest.raises(FileFormatError, match="found a file name that no file can have"):
        read_sheets("a\0b")


def test_absurd_sizes_are_refused(write_text, write_book, monkeypatch):
    path, book = write_text("plate.csv", "a,b\n" * 400), write_book("plate.xlsx", {"s": [[1.0]] * 400})
    monkeypatch.setattr(tables, "MAX_CELLS", 300)
    with pytest.raises(FileFormatError, match="more than 300 cells"):
        read_sheets(path)
    with pytest.raises(FileFormatError, match=r"an area of 400 x 1 cells.*at most 300 cells.*Delete the rows"):
        read_sheets(book)
    monkeypatch.setattr(tables, "MAX_BYTES", 1000)
    with pytest.raises(FileFormatError, match=r"found \d+ MB; .*Plate files are below"):
        read_sheets(path)


def test_foreign_zip_is_refused(tmp_path):
    path = tmp_path / "data.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(FileFormatError, match=r"damaged or foreign workbook.*save it as \.xlsx"):
        read_sheets(path)
