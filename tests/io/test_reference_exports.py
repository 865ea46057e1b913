"""Real exports by others, read in place: every value against the authors' own parse; foreign formats are refused by name."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import openpyxl
import pytest

from thrombokit.errors import FileFormatError, InputError, LayoutError
from thrombokit.io.plate_maps.manifest import find_export, read_manifest
from thrombokit.io.plate_maps.read import read_map
from thrombokit.io.plate_readers.detect import read_plate, read_readings
from thrombokit.plate.wells import parse_well, well_name

DATA1 = "gDRimport/data1_envision_cyquant_384"
DATA4 = "gDRimport/data4_envision_celltiterglo_384"
DATA5 = "gDRimport/data5_long_tsv"
TEMPLATE = f"{DATA4}/Project40.treated.template.xlsx"


def rows_of(path: Path, delimiter: str) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file, delimiter=delimiter))


def test_celltiterglo_exports_start_at_well_c02(reference):
    paths = sorted((reference / DATA4).glob("H*.csv"))
    assert len(paths) == 18
    for path in paths:
        (reading,) = read_readings(path)
        measured = np.isfinite(reading.signal)
        assert (reading.name, reading.reader, reading.shape) == (path.stem, "envision", (16, 24))
        assert measured.sum() == 252
        assert measured[2:14, 1:22].all()
        assert reading.metadata["Protocol Name"].startswith("CTG_LUM 384")
        lines = path.read_text().split("\n")
        first = next(i for i, line in enumerate(lines) if line.startswith(",") and any(ch.isdigit() for ch in line))
        assert reading.signal[2, 1] == float(lines[first].split(",")[1])


def test_template_fits_from_b2(reference):
    plate = read_plate(reference / DATA4 / "H0109269D01.csv", map=reference / TEMPLATE, map_origin="B2", map_unit="uM")
    layout, measured = plate.layout, np.isfinite(plate.reading.signal)
    sample = layout.role == "sample"
    assert sample.sum() == 198
    assert (sample & measured).sum() == 198
    assert set(np.nonzero(sample)[0]) == {2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13}  # rows C to N, but for I
    names, counts = np.unique(layout.agonist[sample].astype(str), return_counts=True)
    assert (len(names), set(counts)) == (22, {9})
    assert ((layout.role == "vehicle") & measured).sum() == 54
    assert layout.concentration_nM[2, 2] == 30000
    assert (layout.origin, layout.unlisted) == ("B2", "vehicle")


def test_template_read_literally_reaches_row_o(reference):
    layout = read_map(reference / TEMPLATE, shape=(16, 24), unit="uM")
    assert np.nonzero(layout.agonist != "")[0].max() == 14


def test_template_on_a_96_well_plate_is_refused(reference):
    with pytest.raises(LayoutError, match=r"153 cells outside the plate.*a map of a 384-well plate"):
        read_map(reference / TEMPLATE, shape=(8, 12), unit="uM")


def test_cyquant_workbooks_against_the_authors_parse(reference):
    readings = {r.name: r for day in ("day0", "day7") for r in read_readings(reference / DATA1 / f"RawData_{day}.xlsx")}
    assert len(readings) == 12
    rows = rows_of(reference / DATA1 / "ref_RawData_day0_day7_xlsx.csv", ";")
    assert len(rows) == 12 * 384
    for row in rows:
        well = parse_well(row["WellRow"] + row["WellColumn"])
        assert readings[row["Barcode"]].signal[well] == float(row["ReadoutValue"])
        assert readings[row["Barcode"]].metadata["Background signal"] == row["BackgroundValue"]


def test_cyquant_templates(reference, tmp_path):
    expected = rows_of(reference / DATA1 / "ref_template_treated_untreated_xlsx.csv", ",")
    path = reference / DATA1 / "Template_7daytreated.xlsx"
    with pytest.raises(LayoutError, match=r'sheet "Gnumber_2", cell C5: found a second agonist \("G00011"'):
        read_map(path, shape=(16, 24), unit="uM")
    book = openpyxl.load_workbook(path)
    for title in ("Gnumber_2", "Concentration_2"):
        del book[title]
    book.save(tmp_path / "single.xlsx")
    layout = read_map(tmp_path / "single.xlsx", shape=(16, 24), unit="uM")
    untreated = read_map(reference / DATA1 / "Template_Untreated.xlsx", shape=(16, 24))
    for row in expected:
        well = parse_well(row["WellRow"] + row["WellColumn"])
        if row["Template"] == "Template_Untreated.xlsx":
            assert untreated.role[well] == ("vehicle" if row["Gnumber"] == "NA" else "untreated")
        else:
            assert layout.agonist[well] == row["Gnumber"].replace("NA", "").replace("vehicle", "")
            if layout.agonist[well]:
                assert layout.concentration_nM[well] == pytest.approx(1000 * float(row["Concentration"]), rel=1e-12)


def test_long_tsv(reference):
    readings = {r.name: r for r in read_readings(reference / DATA5 / "RawData.tsv")}
    rows = rows_of(reference / DATA5 / "RawData.tsv", "\t")
    assert len(rows) == 8 * 240
    for row in rows:
        reading = readings[row["Barcode"]]
        assert reading.signal[parse_well(row["WellRow"] + row["WellColumn"])] == float(row["ReadoutValue"])
        assert (reading.shape, reading.reader) == ((16, 24), "tidy")
    layout = read_map(reference / DATA5 / "Template_untrt.tsv", shape=(16, 24))
    assert [(layout.role == role).sum() for role in ("vehicle", "empty")] == [240, 144]
    with pytest.raises(LayoutError, match=r"Template_trt\.tsv, row 10, column 4: found a second agonist"):
        read_map(reference / DATA5 / "Template_trt.tsv", shape=(16, 24), unit="uM")


def test_manifests(reference):
    rows = read_manifest(reference / DATA4 / "Manifest.xlsx")
    exports = [find_export(reference / DATA4, row.barcode) for row in rows]
    assert len(rows) == 28
    assert sum(export is not None for export in exports) == 18
    assert {row.hours for row in rows} == {0.0, 120.0}
    assert len(read_manifest(reference / DATA5 / "Manifest.tsv")) == 8
    assert read_manifest(reference / DATA1 / "manifest.xlsx")[1].cell_system == "CL00011"


def test_labelled_blocks_of_plater(reference):
    layout = read_map(reference / "plater/example-1.csv", shape=(8, 12), unit="uM")
    assert [(layout.role == role).sum() for role in ("sample", "vehicle")] == [88, 8]
    assert (layout.role[:, 11] == "vehicle").all()
    assert (layout.agonist[:4, :11] == "A").all()
    assert layout.concentration_nM[5, 4] == pytest.approx(160)
    assert layout.origin == ""


def test_dispenser_layout_of_a_96_well_plate(reference):
    layout = read_map(reference / "gDRimport/data3_d300_tdd/trt_P1.xlsx", shape=(8, 12), unit="uM")
    assert (layout.role == "sample").sum() == 54
    assert layout.concentration_nM[1, 9] == pytest.approx(0.03)


def test_labelled_envision_against_the_expected_document(reference):
    first, second = read_readings(reference / "allotropy/envision/PE_Envision_luminescence_example01.csv")
    document = json.loads((reference / "allotropy/envision/PE_Envision_luminescence_example01.json").read_text())
    expected: dict[tuple[str, str], float] = {}
    for plate in document["plate reader aggregate document"]["plate reader document"]:
        for measurement in plate["measurement aggregate document"]["measurement document"]:
            sample = measurement["sample document"]
            expected[sample["well plate identifier"], sample["location identifier"]] = measurement["luminescence"]["value"]
    read = {
        (reading.name, f"{well_name(r, c)[0]}{c + 1}"): reading.signal[r, c]
        for reading in (first, second)
        for r, c in zip(*np.nonzero(np.isfinite(reading.signal)), strict=True)
    }
    assert len(expected) == 192
    # that document counts the lines (A, B, C, D) where the export labels them A, E, I, M; the labels are right
    label = dict(zip("ABCD", "AEIM", strict=True))
    assert read == {(plate, f"{label[well[0]]}{int(well[1:])}"): value for (plate, well), value in expected.items()}
    assert first.shape == (16, 24)
    assert {r for r, _ in zip(*np.nonzero(np.isfinite(first.signal)), strict=True)} == {0, 4, 8, 12}


@pytest.mark.parametrize(("name", "shape", "last"), [("rawdata96", (8, 12), 0.316), ("rawdata384", (16, 24), 0.7)])
def test_labelled_matrices(reference, name, shape, last):
    (reading,) = read_readings(reference / f"r_bioassays/{name}.csv")
    assert (reading.reader, reading.shape, reading.signal[-1, -1]) == ("grid", shape, last)
    assert np.isfinite(reading.signal).all()


@pytest.mark.parametrize(
    ("path", "software"),
    [
        ("gDRimport/data2_tecan_icontrol_96/RawData_Tecan_96_well_plates.xlsx", "Tecan i-control"),
        ("allotropy/agilent_gen5/endpoint_singleplate.txt", "Agilent BioTek Gen5"),
        ("allotropy/agilent_gen5/endpoint_singleplate_withFilter_withStepLabel.txt", "Agilent BioTek Gen5"),
        ("allotropy/softmax_pro/MD_SMP_luminescence_endpoint_example03.txt", "Molecular Devices SoftMax Pro"),
        ("allotropy/softmax_pro/MD_SMP_luminescence_endpoint_partial_plate_example01.txt", "Molecular Devices SoftMax Pro"),
        ("allotropy/kaleido/luminescence_endpoint_single_plate_example_01.csv", "PerkinElmer Kaleido"),
        ("allotropy/bmg_mars/BMG Labtech format.CSV", "BMG Labtech MARS"),
        ("allotropy/bmg_mars/24-10-16 15-09-52 Luminescence 1536.csv", "BMG Labtech MARS"),
        ("allotropy/skanit/luciferase_assay_example.xlsx", "Thermo SkanIt"),
        ("allotropy/tecan_magellan/SLA01P01_assay.xlsx", "Tecan Magellan"),
    ],
)
def test_formats_without_a_reader_are_refused_by_name(reference, path, software):
    with pytest.raises(
        FileFormatError, match=f"found an export of {software}, for which there is no reader.*Export or copy the signals"
    ):
        read_readings(reference / path)


@pytest.mark.parametrize(
    "pattern", ["drc/*.csv", "gr50_tools/*.tsv", "curve_curator_ctrp40/*.txt", "plater/*.csv", "nist_strd/*.dat"]
)
def test_other_tables_are_no_plates(reference, pattern):
    paths = sorted(reference.glob(pattern))
    assert paths
    for path in paths:
        with pytest.raises(InputError, match="expected"):
            read_readings(path)
