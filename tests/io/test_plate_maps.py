"""Maps of every form become the same layout; contradictions are told with file, row and cure, all in one pass."""

from __future__ import annotations

import numpy as np
import pytest

from thrombokit.errors import FileFormatError, InputError, LayoutError, UnitError
from thrombokit.io.plate_maps.manifest import find_export, read_manifest
from thrombokit.io.plate_maps.read import read_map

HEADER = "well,role,agonist,concentration,unit,cell_system\n"


def faults_of(path, **options) -> InputError:
    with pytest.raises(InputError) as caught:
        read_map(path, shape=(8, 12), **options)
    return caught.value


def test_long_map(write_text):
    text = HEADER + (
        "A1,,hetrombopag,30,nM,32D-MPL\nA2,,eltrombopag,0.03 uM,,32D-MPL\nA3,,DMSO,,,\nA4,,,,,\nA5,blank,,,,\nA6,,rhTPO,50,ng/mL,\n"
        "A7,Positive control,,,,\nA8,qc,hetrombopag,1,nM,\nA9,empty,,0,,\nB1,sample,eltrombopag,1,nM,\n"
    )
    layout = read_map(write_text("map.csv", text), shape=(8, 12), positive_control="rhtpo", comparator="eltrombopag",
                      molar_masses={"rhTPO": 35000.0})  # fmt: skip
    control = "positive_control"
    expected = ["sample", "comparator", "vehicle", "vehicle", "blank", control, control, "qc", *["empty"] * 4]
    assert layout.role[0].tolist() == expected
    assert layout.role[1, 0] == "sample"  # the role given wins
    assert layout.agonist[0, :8].tolist() == ["hetrombopag", "eltrombopag", "", "", "", "rhTPO", "rhtpo", "hetrombopag"]
    assert layout.concentration_nM[0, :2].tolist() == [30, 30]
    assert layout.concentration_nM[0, 5] == pytest.approx(50e-6 / 35000 * 1e9)
    assert np.isnan(layout.concentration_nM[0, 2:5]).all()
    assert layout.cell_system[0, 0] == "32D-MPL"
    assert layout.source == "map.csv"


def test_all_faults_of_a_long_map_in_one_pass(write_text):
    text = HEADER + (
        "A1,,x,30,,\nA1,,x,10,nM,\nH13,,x,1,nM,\nA2,vehcle,,,,\nA3,,x,,,\nA4,,,5,nM,\nA5,,x,-1,nM,\nA6,,x,3,parsec,\nA7,sample,,,,\n"
        'A8,vehicle,,7,nM,\nA9,blank,x,,,\nA10,,x,5,mg/mL,\n,,x,1,nM,\nB1,,x,30 nM,uM,\nB2,,x,"1,5",nM,\n'
    )
    error = faults_of(write_text("map.csv", text))
    assert isinstance(error, LayoutError)
    message = str(error)
    for expected in (
        'map.csv, row 2 (well A01): found "30" without a unit',
        "map.csv, row 3: found well A01 again (first in row 2)",
        'row 4: found "H13", which is no well of a 96-well plate (A1 to H12)',
        'row 5: found role "vehcle"; expected one of sample, vehicle, positive_control',
        'Did you mean "vehicle"?',
        'row 6: found agonist "x" without a concentration in well A03',
        "row 7: found a concentration without an agonist in well A04",
        "row 8 (well A05): found -1.0 nM; expected a concentration of 0 or more",
        'row 9 (well A06): found unit "parsec"',
        "row 10: found sample well A07 without an agonist",
        "row 11: found a concentration above 0 in well A08, which is vehicle",
        'row 12: found agonist "x" in well A09, which is blank',
        "row 13 (well A10): found 5.0 mg/mL of a compound without a molar mass",
        "row 14, column 1: found no well",
        'row 15 (well B01): found "30 nM" beside the unit "uM"; expected one unit',
        'row 16 (well B02): found "1,5"; expected a number. Write the decimal sign as a point.',
    ):
        assert expected in message
    assert len(error.faults) == 15


def test_quantities_alone_are_unit_errors(write_text):
    error = faults_of(write_text("map.csv", "well,agonist,concentration\nA1,x,5\n"))
    assert isinstance(error, UnitError)
    assert "map_unit" in str(error)
    with pytest.raises(UnitError, match='map_unit: found "nmol"'):
        read_map("any.csv", shape=(8, 12), unit="nmol")


@pytest.mark.parametrize("title", ["concentration_nM", "Concentration (nM)", "conc [nmol/L]"])
def test_unit_in_the_title(write_text, title):
    layout = read_map(write_text("map.csv", f"well,agonist,{title}\nA1,x,5\n"), shape=(8, 12), unit="uM")
    assert layout.concentration_nM[0, 0] == 5


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("well,agonist,concetration", 'found column "concetration".*Did you mean "concentration"'),
        ("well,agonist,concentration,concentration", 'found a second column "concentration"'),
        ("well,agonist,concentration_nM,concentration_uM", 'found the columns "concentration_nM" and "concentration_uM"'),
        ("well,agonist,concentration_nM,unit", 'found a unit column beside "nM"'),
        ("well,compound,agonist,concentration", 'found the columns "compound" and "agonist"'),
        ("well,dose", "found wells without a column role or agonist"),
    ],
)
def test_column_faults(write_text, header, message):
    n = header.count(",")
    error = faults_of(write_text("map.csv", f"{header}\nA1{',1' * n}\n"), unit="nM")
    assert isinstance(error, LayoutError)
    with pytest.raises(LayoutError, match=message):
        raise error


def block(name: object, cells: dict[tuple[int, int], object], shape=(8, 12)) -> list[list[object]]:
    rows: list[list[object]] = [[name, *range(1, shape[1] + 1)]]
    rows += [["ABCDEFGH"[r], *(cells.get((r, c)) for c in range(shape[1]))] for r in range(shape[0])]
    return rows


AGONISTS = {(0, 0): "x", (0, 1): "x", (1, 0): "DMSO", (2, 0): "untreated"}
DOSES = {(0, 0): 10, (0, 1): 0.5}


def check_blocks(layout) -> None:
    assert layout.role[0, :3].tolist() == ["sample", "sample", "vehicle"]
    assert (layout.role[1, 0], layout.role[2, 0]) == ("vehicle", "untreated")
    assert layout.concentration_nM[0, :2].tolist() == [10000, 500]
    assert np.isnan(layout.concentration_nM).sum() == 94
    assert set(layout.role.ravel()) == {"sample", "vehicle", "untreated"}


def as_text(rows) -> str:
    return "\n".join(",".join("" if cell is None else str(cell) for cell in row) for row in rows)


def test_labelled_blocks_in_a_text_file_ignore_the_origin(write_text):
    rows = [*block("Drug", AGONISTS), [None] * 13, *block("Concentration", DOSES), [], *block("Colour", {(0, 0): "red"})]
    check_blocks(read_map(write_text("map.csv", as_text(rows)), shape=(8, 12), unit="uM", origin="C3"))


def test_blocks_in_sheets_labelled_and_bare(write_book):
    bare = [[None] * 3, [None, 10, 0.5]]
    path = write_book("map.xlsx", {"Agonist": block(None, AGONISTS), "concentration (uM)": bare, "notes": [["hello"]]})
    check_blocks(read_map(path, shape=(8, 12), origin="B2"))


def test_unit_role_and_cell_system_blocks(write_book):
    sheets = {"gnumber": [["x", "x"]], "Concentration": [[1, 2]], "unit": [["nM", "uM"]], "cell_system": [["CD34+", "CD34+"]],
              "role": [["qc", None, "blank"]]}  # fmt: skip
    layout = read_map(write_book("map.xlsx", sheets), shape=(8, 12))
    assert layout.role[0, :4].tolist() == ["qc", "sample", "blank", "vehicle"]
    assert layout.concentration_nM[0, :2].tolist() == [1, 2000]
    assert layout.cell_system[0, 1] == "CD34+"


def test_one_sheet_is_the_agonists(write_book):
    layout = read_map(write_book("map.xlsx", {"Sheet1": [[None, "vehicle"], ["empty", "Medium"]]}), shape=(8, 12), vehicle="medium")
    assert (layout.role[1, 0], layout.role[1, 1]) == ("empty", "vehicle")
    assert set(layout.agonist.ravel()) == {""}


def test_agonists_without_doses_and_doses_without_agonists_are_grouped(write_book):
    sheets = {"agonist": [["x"] * 9], "concentration": [[None], [3, 0]]}
    error = faults_of(write_book("map.xlsx", sheets), unit="nM")
    message = str(error)
    assert 'map.xlsx, sheet "agonist", cell A1: found agonist "x" without a concentration in well A01' in message
    assert "cell F1 and after: found 4 more like these; expected a concentration with every agonist" in message
    assert "found a concentration without an agonist in well B01" in message
    assert "B02" not in message  # nothing of nothing is no contradiction
    assert len(error.faults) == 7


def test_cells_outside_the_plate_suggest_an_origin(write_book):
    sheets = {"agonist": [[None]] * 2 + [[None] * 3 + ["vehicle"] * 12] * 8}
    path = write_book("map.xlsx", sheets)
    with pytest.raises(
        LayoutError, match=r'sheet "agonist": found 42 cells outside the plate \(M3, N3, O3, .*Set map_origin = "D3"'
    ):
        read_map(path, shape=(8, 12))
    assert read_map(path, shape=(8, 12), origin="D3").shape == (8, 12)
    with pytest.raises(LayoutError, match=r"8 cells outside the plate \(D3, D4.*Set map_origin = \"D3\""):
        read_map(path, shape=(8, 12), origin="E3")
    with pytest.raises(LayoutError, match="spans 16 x 24 cells: a map of a 384-well plate"):
        read_map(write_book("big.xlsx", {"agonist": [["vehicle"] * 24] * 16}), shape=(8, 12))
    with pytest.raises(LayoutError, match='map_origin: found "2B"'):
        read_map(path, shape=(8, 12), origin="2B")


def test_combinations_are_refused_and_vehicle_everywhere_is_none(write_book):
    sheets = {"Gnumber": [["x"]], "Concentration": [[1]], "Gnumber_2": [["y"]], "Concentration_2": [[2]]}
    with pytest.raises(
        LayoutError, match=r'sheet "Gnumber_2", cell A1: found a second agonist \("y".*Combinations are not analysed'
    ):
        read_map(write_book("map.xlsx", sheets), shape=(8, 12), unit="nM")
    sheets["Gnumber_2"], sheets["Concentration_2"] = [["vehicle"]], [[0]]
    assert read_map(write_book("map2.xlsx", sheets), shape=(8, 12), unit="nM").role[0, 0] == "sample"


@pytest.mark.parametrize(
    ("sheets", "message"),
    [
        ({"a": [["x"]], "b": [[1]]}, 'no agonists \\(sheets or blocks: "a", "b"\\)'),
        ({"agonist": [["x"]], "Drug": [["x"]]}, "a second block of the agonist"),
        ({"a": [["well", "role"], ["A1", "blank"]], "b": [["well", "role"], ["A1", "blank"]]}, "a map in each of"),
        ({"a": [["well", "role"]]}, "a header without rows"),
        (
            {"agonist": [*block(None, AGONISTS)[:3], [None, "x", "x"]]},
            'sheet "agonist", row 4: found contents in a line without a row',
        ),
    ],
)
def test_maps_that_say_too_little_or_too_much(write_book, sheets, message):
    with pytest.raises(LayoutError, match=message):
        read_map(write_book("map.xlsx", sheets), shape=(8, 12), unit="nM")


def test_labelled_wells_outside_the_plate(write_text):
    rows = block("Agonist", {(0, 12): "vehicle"}, shape=(8, 13))
    error = faults_of(write_text("map.csv", as_text(rows)))
    assert 'map.csv, row 2, column 14: found "A13", which is no well of a 96-well plate (A1 to H12)' in str(error)


def test_a_lost_row_letter_in_a_block_of_text_is_a_fault(write_text):
    rows = block("Agonist", {(r, c): "vehicle" for r in range(8) for c in range(12)})
    rows[3][0] = None
    assert "map.csv, row 4" in str(faults_of(write_text("map.csv", as_text(rows))))


def test_manifest(write_text, write_book):
    rows = [["Barcode", "Duration", "Template", "clid"], ["P1", 0, "u.xlsx", "CL1"], ["P2", 72.5, "t.xlsx", "CL1"]]
    for path in (write_book("m.xlsx", {"Sheet1": rows}), write_text("m.tsv", as_text(rows).replace(",", "\t"))):
        first, second = read_manifest(path)
        assert (first.barcode, first.template, first.hours, first.cell_system) == ("P1", "u.xlsx", 0, "CL1")
        assert second.hours == 72.5
        assert second.place.startswith(path.name)
        assert second.place.endswith("row 3")


def test_manifest_faults_in_one_pass(write_text):
    path = write_text("m.csv", "Barcode,Template,Duration\nP1,t.xlsx,72\np1,t.xlsx,\n,t.xlsx,1\nP3,,long\nP4,t.xlsx,-1\n")
    with pytest.raises(FileFormatError) as caught:
        read_manifest(path)
    message = str(caught.value)
    for expected in ('row 3: found barcode "p1" again (first in row 2)', "row 4: found no barcode", "row 5: found no template",
                     'row 5, column 3: found "long"', "row 6, column 3: found a duration of -1 h"):  # fmt: skip
        assert expected in message
    with pytest.raises(FileFormatError, match=r"other columns \(n.csv, row 1: a, b\); expected the columns Barcode and Template"):
        read_manifest(write_text("n.csv", "a,b\n1,2\n"))
    with pytest.raises(FileFormatError, match="a header without rows"):
        read_manifest(write_text("o.csv", "Barcode,Template\n"))


def test_find_export(tmp_path):
    (tmp_path / "h01.CSV").write_text("x")
    (tmp_path / "H02.txt").write_text("x")
    (tmp_path / "H02.docx").write_text("x")
    assert find_export(tmp_path, "H01") == tmp_path / "h01.CSV"
    assert find_export(tmp_path, "H02") == tmp_path / "H02.txt"
    assert find_export(tmp_path, "H03") is None
    assert find_export(tmp_path, "../H01") is None
    (tmp_path / "H01.xlsx").write_text("x")
    with pytest.raises(FileFormatError, match=r'several exports of "H01": H01\.xlsx, h01\.CSV'):
        find_export(tmp_path, "H01")
    with pytest.raises(FileFormatError, match="no such folder"):
        find_export(tmp_path / "no", "H01")
