"""Each export form gives the grid that went in; what is no signal is a fault that names the well; nothing is misread."""

from __future__ import annotations

import numpy as np
import pytest

from thrombokit.errors import FileFormatError
from thrombokit.io.plate_readers.detect import read_plate, read_readings
from thrombokit.plate.wells import row_name, well_name

INFO = "Plate information\nPlate,Repeat,Barcode,Measurement date\n"


def bare(rows: int, columns: int, filled: dict[tuple[int, int], str]) -> str:
    return "".join(",".join(filled.get((r, c), "") for c in range(columns)) + ",\n" for r in range(rows))


def envision(grid: str, barcode: str = "P1", plate: int = 1, head: str = "") -> str:
    return f"{INFO}{plate},1,{barcode},9/27/2019\n\n{head}{grid}\n\n"


FOOTER = "Basic assay information\nProtocol Name: ,,,,CTG\nSerial#: ,,,,77\n\nExported with EnVision\n"


def test_lines_of_commas_are_rows_of_the_plate(write_text):
    path = write_text("P1.csv", envision(bare(16, 24, {(2, 1): "611495", (15, 23): "7"})) + FOOTER)
    (reading,) = read_readings(path)
    assert (reading.name, reading.reader, reading.shape, reading.source) == ("P1", "envision", (16, 24), "P1.csv")
    assert reading.signal[2, 1] == 611495
    assert reading.signal[15, 23] == 7
    assert np.isfinite(reading.signal).sum() == 2
    assert reading.metadata["Measurement date"] == "9/27/2019"
    assert reading.metadata["Protocol Name"] == "CTG"
    assert "Plate information" in reading.why
    assert [name for name, _ in reading.rejected] == ["tidy", "grid"]


@pytest.mark.parametrize("lines", [15, 17, 12])
def test_a_bare_grid_of_no_plate_size_is_refused(write_text, lines):
    path = write_text("P1.csv", envision(bare(lines, 24, {(0, 0): "1"})) + FOOTER)
    with pytest.raises(FileFormatError, match=rf"P1.csv, row 5: found {lines} lines of up to 25 columns.*do not edit the file"):
        read_readings(path)


def test_stacked_plates_in_a_workbook(write_book):
    rows: list[list[object]] = []
    for plate, barcode in enumerate(["X1", "X2"], start=1):
        rows += [["Plate information"], ["Plate", "Repeat", "Barcode"], [str(plate), "1", barcode], [None]]
        rows += [["Background information"], ["Plate", "Label", "Signal"], [str(plate), "lum", "570"], [None]]
        rows += [[None] * 24 if r == 0 else [str(1000 * plate + 24 * r + c) for c in range(23)] for r in range(16)] + [[None]]
    rows += [["Basic assay information"], ["Protocol Name", None, "CTG"]]
    first, second = read_readings(write_book("raw.xlsx", {"out": rows}))
    assert (first.name, second.name, first.shape) == ("X1", "X2", (16, 24))
    assert np.isnan(first.signal[0]).all()
    assert (first.signal[1, 0], second.signal[15, 22]) == (1024, 2000 + 24 * 15 + 22)
    assert "background signal 570 as exported, not subtracted" in first.notes


def test_a_workbook_that_does_not_tell_its_plate_size_is_refused(write_book):
    rows = [["Plate information"], ["Plate", "Barcode"], ["1", "X"], [None], [None, "5"], [None, "6"]]
    with pytest.raises(FileFormatError, match=r'sheet "out", row 5: found contents up to line 2 .* nothing that tells the plate'):
        read_readings(write_book("raw.xlsx", {"out": rows}))


LABELLED = ",01,02,03,\nA,1,2,3,\nE,4,,6,\n"


def test_labels_give_the_well_and_calculated_results_are_left_out(write_text):
    text = envision(LABELLED.replace("1,2,3", "9,9,9"), head="Calculated results: Crosstalk\n") + envision(
        LABELLED, head="Results for lum - channel 0 (CPS)\n"
    )
    (reading,) = read_readings(write_text("P1.csv", text + FOOTER))
    assert reading.shape == (8, 12)
    assert reading.signal[0, :3].tolist() == [1, 2, 3]
    assert reading.signal[4, 2] == 6
    assert np.isfinite(reading.signal).sum() == 5
    assert reading.notes == ("results calculated by the instrument were left out: Calculated results: Crosstalk",)


def test_two_measurements_of_one_barcode_are_both_kept_and_told_apart(write_text):
    text = envision(LABELLED, head="Results for lum\n") + envision(LABELLED, head="Results for abs\n") + FOOTER
    path = write_text("P1.csv", text)
    assert [r.name for r in read_readings(path)] == [
        "P1 (plate 1, repeat 1, Results for lum)",
        "P1 (plate 1, repeat 1, Results for abs)",
    ]
    with pytest.raises(FileFormatError, match=r'found 2 plates: "P1 \(plate 1.*Name one of them'):
        read_plate(path)
    assert read_plate(path, plate="P1 (plate 1, repeat 1, Results for abs)").name.endswith("abs)")


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        (",01,02,\nA,1,2,\n,3,4,\n", "row 8: found numbers in a line without a row letter"),
        (",01,02,\nA,1,2,\nA,3,4,\n", 'row 8: found row "A" a second time'),
        (",01,02,\nA,1,2,3\n", 'row 7, column 4: found "3" beside the grid'),
        (",01,02,\nA,1,2,\nB,3,4\nC,5,6,\n", "row 8: found a line of 3 cells among lines of 4.*every cell after it has moved"),
        (",01,02,\nA,1,oops,\n", r'row 7, column 3 \(well A02\): found "oops"; expected a number'),
    ],
)
def test_damaged_labelled_grids(write_text, grid, message):
    with pytest.raises(FileFormatError, match=message):
        read_readings(write_text("P1.csv", envision(grid, head="Results for lum\n") + FOOTER))


def test_envision_without_results_or_alike(write_text):
    with pytest.raises(FileFormatError, match="no results below the plate information"):
        read_readings(write_text("P1.csv", f"{INFO}1,1,P1,x\n\n" + FOOTER))
    twice = envision(LABELLED, head="Results for lum\n") * 2 + FOOTER
    with pytest.raises(FileFormatError, match="measured more than once, with nothing to tell the results apart"):
        read_readings(write_text("P2.csv", twice))


def test_tidy_with_plates_and_row_and_column(write_text):
    path = write_text(
        "raw.tsv", "Barcode\tWellRow\tWellColumn\tReadoutValue\tBackgroundValue\nP2\tB\t3\t5.5\t1\nP1\tC\t04\t\t1\nP1\tA\t1\t2\t1\n"
    )
    second, first = read_readings(path)
    assert (second.name, second.signal[1, 2], first.signal[0, 0], first.reader) == ("P2", 5.5, 2, "tidy")
    assert np.isnan(first.signal[2, 3])
    assert first.metadata == {"Signal column": "ReadoutValue", "Background signal": "1"}
    with pytest.raises(FileFormatError, match='found 2 plates: "P2", "P1"'):
        read_plate(path)
    with pytest.raises(FileFormatError, match='no plate "P9" among "P2", "P1"'):
        read_plate(path, plate="P9")
    plate = read_plate(path, plate="P1")
    assert set(plate.layout.role.ravel()) == {"empty"}


def test_all_faults_of_a_tidy_table_in_one_pass(write_text):
    rows = [f"{well_name(r, c)},1" for r in range(8) for c in range(12)]
    text = "well,signal\n" + "\n".join([*rows, "H13,5", "A1,6", "Z99,7", ",8"]) + "\n"
    text = text.replace("B02,1", '"B02","1,5"').replace("B03,1", "B03,high")
    with pytest.raises(FileFormatError) as caught:
        read_readings(write_text("plate2.csv", text))
    message = str(caught.value)
    assert 'plate2.csv, row 98: found "H13", which is no well of a 96-well plate (A1 to H12)' in message
    assert "row 99: found well A01" in message
    assert 'row 100, column 1: found "Z99" as a well' in message
    assert "row 101, column 1: found no well" in message
    assert '(well B02): found "1,5"; expected a number. Write the decimal sign as a point.' in message
    assert '(well B03): found "high"' in message
    assert len(caught.value.faults) == 6


def test_a_listed_last_well_declares_the_size(write_text):
    rows = [f"{well_name(r, c)},1" for r in range(8) for c in range(12)]
    (reading,) = read_readings(write_text("p.csv", "well,signal\n" + "\n".join([*rows, "H13,5", "P24,"]) + "\n"))
    assert reading.shape == (16, 24)
    assert reading.signal[7, 12] == 5


def test_two_signal_columns_and_cells_without_a_title(write_text):
    with pytest.raises(FileFormatError, match='row 1: found the signal columns "signal" and "RLU"'):
        read_readings(write_text("p.csv", "well,signal,RLU\nA1,1,2\n"))
    with pytest.raises(FileFormatError, match=r'row 2, column 3: found "5" in a column without a title.*decimal comma'):
        read_readings(write_text("p.csv", "well,signal\nA1,1,5\n"))


def test_long_lists_of_faults_are_counted(write_text):
    text = "well,signal\n" + "".join(f"{well_name(0, c)},bad\n" for c in range(12))
    with pytest.raises(FileFormatError) as caught:
        read_readings(write_text("p.csv", text))
    assert len(caught.value.faults) == 6
    assert "found 7 more like these" in str(caught.value)


@pytest.mark.parametrize("word", ["OVER", "OVRFLW", "####", ">9999999", "sat", "Overflow"])
@pytest.mark.parametrize("form", ["grid", "tidy", "envision"])
def test_saturated_wells_are_never_numbers(write_text, word, form):
    if form == "grid":
        text = "\n".join(",".join(word if (r, c) == (1, 2) else "5" for c in range(12)) for r in range(8))
    elif form == "tidy":
        text = f"well,signal\nA1,5\nB3,{word}\n"
    else:
        text = envision(bare(8, 12, {(0, 0): "5", (1, 2): word})) + FOOTER
    (reading,) = read_readings(write_text("p.csv", text))
    assert reading.reader == form
    assert np.isnan(reading.signal[1, 2])
    assert reading.notes == (f'saturated wells, taken as without a value: B03 ("{word}")',)


def grid_rows(shape: tuple[int, int], letters: bool, numbers: bool) -> list[list[object]]:
    rows: list[list[object]] = []
    if numbers:
        rows.append([*([None] if letters else []), *(c + 1 for c in range(shape[1]))])
    for r in range(shape[0]):
        rows.append([*([row_name(r)] if letters else []), *(r * 100 + c + 0.5 for c in range(shape[1]))])
    return rows


@pytest.mark.parametrize("shape", [(8, 12), (16, 24), (32, 48)])
@pytest.mark.parametrize("letters", [True, False])
@pytest.mark.parametrize("numbers", [True, False])
@pytest.mark.parametrize("title", [True, False])
def test_grids_with_and_without_labels(write_text, write_book, shape, letters, numbers, title):
    rows = [*([["CellTiter-Glo, 72 h"], []] if title else []), *grid_rows(shape, letters, numbers)]
    text = "\n".join("\t".join("" if cell is None else str(cell) for cell in row) for row in rows)
    expected = np.array([[r * 100 + c + 0.5 for c in range(shape[1])] for r in range(shape[0])])
    for path in (write_text("p.txt", text), write_book("p.xlsx", {"Sheet1": rows})):
        (reading,) = read_readings(path)
        assert (reading.reader, reading.name) == ("grid", "p")
        assert np.array_equal(reading.signal, expected)
        assert reading.metadata == ({"Title": "CellTiter-Glo, 72 h"} if title else {})


def test_a_plate_per_sheet_and_a_sheet_of_notes(write_book):
    rows = grid_rows((8, 12), True, True)
    first, second = read_readings(write_book("p.xlsx", {"run 1": rows, "run 2": rows, "notes": [["read by hand"]]}))
    assert (first.name, second.name) == ("run 1", "run 2")
    assert 'sheet "notes" is not a plate' in first.notes[0]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([["1"] * 11] * 8, "cells A1 to K8 are 8 x 11"),
        ([["x"] * 12] * 8, "most of them not numbers"),
        ([["1"] * 12] * 7 + [["1"] * 11], "lines of differing length .*p.csv, row 8"),
        ([["Z", *(str(c) for c in range(1, 13))], *[["7"] * 13] * 8], "contents beside the grid|cells A1 to M9"),
        ([["1"] * 12] * 8 + [["Instrument 7"]], "contents outside the grid|cells A1 to L9"),
        ([["", *"123"], ["A", "1", "2", "3"], ["B", "1", "2", "3"]], "2 rows and 3 columns, which is not a whole plate"),
    ],
)
def test_what_is_no_plate_is_refused_with_every_reader_s_reason(write_text, rows, message):
    path = write_text("p.csv", "\n".join(",".join(row) for row in rows))
    with pytest.raises(FileFormatError, match=message) as caught:
        read_readings(path)
    text = str(caught.value)
    assert 'envision: no line "Plate information"' in text
    assert 'tidy: p.csv, row 1 has no column "well"' in text
    assert "Export it in one of these forms" in text


def test_text_in_a_grid_is_a_fault_not_an_empty_well(write_text):
    text = "\n".join(",".join("n.d." if (r, c) == (1, 2) else "5" for c in range(12)) for r in range(8))
    with pytest.raises(FileFormatError, match=r'row 2, column 3 \(well B03\): found "n.d."'):
        read_readings(write_text("p.csv", text))


def test_precedence_is_told(write_text):
    # eight lines of twelve columns, and a header of wells and signals: a table first
    rows = [["well", "signal", *[f"x{i}" for i in range(10)]], *([[f"A{i}", *["5"] * 11] for i in range(1, 8)])]
    (reading,) = read_readings(write_text("p.csv", "\n".join(",".join(row) for row in rows)))
    assert reading.reader == "tidy"
    assert dict(reading.rejected)["grid"].startswith("it would fit too (p.csv holds a grid of 8 x 12")


def test_a_plate_without_any_signal_is_refused(write_text):
    with pytest.raises(FileFormatError, match="no signal at all on p"):
        read_readings(write_text("p.csv", "well,signal\nA1,\nA2,\n"))


def test_read_plate_joins_the_map(write_text):
    path = write_text("p.csv", "well,signal\nA1,1\nA2,2\n")
    plate = read_plate(
        path, map=write_text("map.csv", "well,agonist,concentration\nA1,x,10\nA2,rhTPO,\n"), map_unit="uM", positive_control="rhtpo"
    )
    assert plate.layout.role[0, :3].tolist() == ["sample", "positive_control", "empty"]
    assert plate.layout.concentration_nM[0, 0] == 10000
    assert (plate.name, plate.run) == ("p", "1")
