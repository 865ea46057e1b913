"""Sample sheets held against their files: what is right becomes tubes, what is wrong is told in one pass."""

from __future__ import annotations

import csv
import errno
import io
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from thrombokit.cells.sample import Channel, Sample
from thrombokit.cells.tubes import Panel, SampleSheet, Tube, TubeKind
from thrombokit.errors import Fault, FileFormatError, InputError
from thrombokit.io.fcs_write import write_fcs
from thrombokit.io.sample_sheet_rows import COLUMNS
from thrombokit.io.sample_sheets import read_sample_sheet

PANEL = Panel(name="surface", channels={"CD41": "CD41", "CD42b": "PE-A"})
NAMES = (("FSC-A", ""), ("FSC-H", ""), ("SSC-A", ""), ("APC-A", "CD41 APC"), ("PE-A", ""), ("Time", ""))
Folder = Callable[..., SampleSheet]


def write_tube(
    path: Path, seed: int, *, names: tuple[tuple[str, str], ...] = NAMES, voltage: str = "450", gain: float = 1.0
) -> None:
    events = np.random.default_rng(seed).normal(100.0, 10.0, (20, len(names))).astype(np.float32)
    channels = tuple(Channel(name=n, label=label, range_max=1024.0, gain=gain if n == "PE-A" else 1.0) for n, label in names)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_fcs(Sample(name=path.name, channels=channels, stored=events, keywords={"$P4V": voltage}), path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number, name in enumerate(["a.fcs", "b.fcs", "c.fcs", "d.fcs"]):
        write_tube(tmp_path / name, number)
    return tmp_path


def read(folder: Path, text: str, **options: object) -> SampleSheet:
    (folder / "samples.csv").write_text(text, encoding="utf-8")
    return read_sample_sheet(folder / "samples.csv", **{"panels": {"surface": PANEL}, **options})  # type: ignore[arg-type]


def faults_of(folder: Path, text: str, **options: object) -> str:
    with pytest.raises(InputError) as raised:
        read(folder, text, **options)
    assert all(fault.cure and fault.expected for fault in raised.value.faults)
    return str(raised.value)


SHEET = """file,tube,donor,day,panel,kind,stain,role,agonist,concentration,unit,source,well,notes
a.fcs,T1,D1,10,surface,,,,hetrombopag,30,nM,cord_blood,B2,first
b.fcs,T2,D1,10,surface,fmo,cd41,,,,,,,
c.fcs,T3,D1,10,surface,FMO,CD42b,,,,,,,
d.fcs,T4,D1,10,surface,full,,,,,,,,
"""


def test_a_sheet_becomes_tubes_in_house_units(folder: Path) -> None:
    sheet = read(folder, SHEET)
    first, fmo, _, vehicle = sheet.tubes
    assert (first.name, first.donor, first.day_d, first.role) == ("T1", "D1", 10.0, "sample")
    assert (first.agonist, first.concentration_nM, first.cell_source, first.well, first.note) == (
        "hetrombopag", 30.0, "cord_blood", "B02", "first"
    )  # fmt: skip
    assert first.panel.channels == {"CD41": "APC-A", "CD42b": "PE-A"}
    assert (fmo.kind, fmo.stain, fmo.role) == (TubeKind.FMO, "CD41", "")
    assert (vehicle.role, vehicle.agonist, vehicle.concentration_nM) == ("vehicle", "", None)
    assert (sheet.donors, sheet.notes, sheet.unlisted) == (("D1",), (), ())
    assert not first.sample.stored.flags.writeable


def test_titles_may_have_other_names_and_carry_the_unit(folder: Path) -> None:
    text = "FCS file;Donor ID;Day of culture;compound;Concentration (uM)\na.fcs;D1;3;X;0.5\nb.fcs;D1;3;vehicle;\n"
    first, second = read(folder, text).tubes
    assert (first.name, first.concentration_nM, first.day_d) == ("a", 500.0, 3.0)
    assert second.role == "vehicle"


def test_ng_per_mL_needs_a_molar_mass_and_takes_it_in_any_case(folder: Path) -> None:
    text = "file,donor,agonist,concentration,unit\na.fcs,D1,RHTPO,100,ng/mL\n"
    (tube,) = read(folder, text, molar_masses={"rhTPO": 70000.0}).tubes
    assert tube.concentration_nM == pytest.approx(100 / 70.0, rel=1e-12)
    assert "compound without a molar mass" in faults_of(folder, text)


def test_workbooks_are_read_from_the_worksheet_that_has_the_column(folder: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["nothing", "here"])
    sheet = book.create_sheet("tubes")
    for line in (["file", "donor"], ["a.fcs", "D1"]):
        sheet.append(line)
    book.save(folder / "samples.xlsx")
    assert read_sample_sheet(folder / "samples.xlsx", panels={"surface": PANEL}).tubes[0].name == "a"
    sheet["B2"] = None
    book.save(folder / "samples.xlsx")
    with pytest.raises(InputError, match=r'samples.xlsx, sheet "tubes", cell B2 \(donor\): found nothing; expected the donor'):
        read_sample_sheet(folder / "samples.xlsx", panels={"surface": PANEL})


def test_a_toml_list_of_tubes_is_read_alike_with_lines_in_its_faults(folder: Path) -> None:
    path = folder / "tubes.toml"
    path.write_text('[[tubes]]\nfile = "a.fcs"\ndonor = "D1"\nagonist = "X"\nconcentration = 30\nunit = "nM"\n')
    assert read_sample_sheet(path, panels={"surface": PANEL}).tubes[0].concentration_nM == 30.0
    path.write_text('[[tubes]]\nfile = "a.fcs"\ndoner = "D1"\n')
    with pytest.raises(InputError, match=r'tubes.toml:3, tubes\[1\].doner: found the column "doner".*Did you mean "donor"'):
        read_sample_sheet(path, panels={"surface": PANEL})


def test_all_faults_come_in_one_pass_each_with_row_and_column(folder: Path) -> None:
    text = (
        SHEET.replace("a.fcs", "aa.fcs")
        .replace("FMO,CD42b", "FM0,CD42b")
        .replace("fmo,cd41", "fmo,CD99")
        .replace("30,nM", '"3,0",nM')
    )
    said = faults_of(folder, text)
    assert 'row 2, column 1 (file): found "aa.fcs", which is not there' not in said  # its row has another fault already
    assert 'samples.csv, row 2, column 10 (concentration): found "3,0"' in said
    assert 'row 3, column 7 (stain): found "CD99"; expected the marker left out, of panel surface: "CD41" or "CD42b"' in said
    assert 'row 4, column 6 (kind): found "FM0"' in said
    assert 'Did you mean "fmo"?' in said


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("a.fcs,D1,,X,,,", 'agonist "X" without a dose'),
        ("a.fcs,D1,,,30,nM,", "a dose without an agonist"),
        ("a.fcs,D1,,X,30,,", '"30" without a unit'),
        ("a.fcs,D1,,X,30 nM,uM,", '"30 nM" beside the unit "uM"'),
        ("a.fcs,D1,,X,1e305,M,", "expected a finite concentration"),
        ("a.fcs,D1,,X,-1,nM,", "expected a concentration of 0 or more"),
        ("a.fcs,D1,vehicle,X,30,nM,", 'agonist found "X" in a culture'.replace("agonist found ", "")),
        ("a.fcs,D1,sample,,,,", "a sample without an agonist"),
        ("a.fcs,D1,comparator,X,30,nM,", "a comparator is a sample with its own agonist"),
        ("a.fcs,,,X,30,nM,", "donors are n"),
        (",D1,,X,30,nM,", "expected the tube's FCS file"),
        ("a.fcs,D1,,X,30,nM,x", "expected a reason in words, or nothing"),
        ("/data/a.fcs,D1,,X,30,nM,", "a path outside the folder"),
        ("../a.fcs,D1,,X,30,nM,", "a path outside the folder"),
        ("run\\a.fcs,D1,,X,30,nM,", 'forward slashes: "run/a.fcs"'),
        ("A.FCS.fcs,D1,,X,30,nM,", 'Did you mean "a.fcs"?'),
        ("samples.csv,D1,,X,30,nM,", "expected an FCS file"),
    ],
)
def test_a_wrong_row_says_what_is_wrong_with_it(folder: Path, row: str, told: str) -> None:
    said = faults_of(folder, f"file,donor,role,agonist,concentration,unit,exclude\n{row}\n")
    assert told in said
    assert "samples.csv, row 2" in said


def test_unknown_missing_and_doubled_columns_are_faults(folder: Path) -> None:
    assert 'found the column "agonst"' in (said := faults_of(folder, "file,donor,agonst\na.fcs,D1,X\n"))
    assert 'Did you mean "agonist"?' in said
    assert "found no column file" in faults_of(folder, "tube,donor\nT1,D1\n")
    assert 'found "compound" beside "agonist"' in faults_of(folder, "file,donor,agonist,compound\na.fcs,D1,X,X\n")
    assert "in a column without a title" in faults_of(folder, "file,donor\na.fcs,D1,X\n")
    said = faults_of(folder, "file,donor,agonist,dose_nM,unit\na.fcs,D1,X,3,nM\n")
    assert 'a unit column beside "nM"' in said


def test_tubes_and_files_stand_once_and_files_hold_different_bytes(folder: Path) -> None:
    (folder / "copy.fcs").write_bytes((folder / "a.fcs").read_bytes())
    said = faults_of(folder, "file,tube,donor\na.fcs,T1,D1\ncopy.fcs,t1,D1\nb.fcs,T3,D1\nb.fcs,T4,D1\n")
    assert 'row 3, column 2 (tube): found tube "t1" again (first in samples.csv, row 2)' in said
    assert 'row 5, column 1 (file): found "b.fcs" again (first in samples.csv, row 4)' in said
    assert '"copy.fcs", which holds the same bytes as "a.fcs"' in said


def test_a_day_is_given_for_all_cultures_or_for_none(folder: Path) -> None:
    assert "row 3, column 3 (day): found nothing" in faults_of(folder, "file,donor,day\na.fcs,D1,10\nb.fcs,D1,\n")
    assert read(folder, "file,donor,day,kind\na.fcs,D1,10,\nb.fcs,,,beads\n").tubes[1].kind is TubeKind.BEADS


def test_an_excluded_row_is_kept_aside_with_its_reason_and_its_file_is_not_read(folder: Path) -> None:
    (folder / "b.fcs").write_bytes(b"broken")
    sheet = read(folder, "file,donor,exclude\na.fcs,D1,\nb.fcs,D1,clogged\n")
    assert [tube.name for tube in sheet.tubes] == ["a"]
    assert [(row.name, row.reason) for row in sheet.excluded] == [("b", "clogged")]
    assert sheet.unlisted == ("c.fcs", "d.fcs")
    assert "no tube that is not left out" in faults_of(folder, "file,donor,exclude\nb.fcs,D1,clogged\n")


def test_a_broken_file_and_a_missing_channel_name_row_and_file(folder: Path) -> None:
    (folder / "b.fcs").write_bytes(b"FCS9.9" + b" " * 100)
    write_tube(folder / "c.fcs", 9, names=NAMES[:4])
    said = faults_of(folder, "file,donor\na.fcs,D1\nb.fcs,D1\nc.fcs,D1\n")
    assert "samples.csv, row 3, b.fcs: found version 'FCS9.9'" in said
    assert 'samples.csv, row 4, panel surface, CD42b: found no channel "PE-A" in c.fcs' in said


def test_each_file_may_name_its_channels_differently(folder: Path) -> None:
    renamed = tuple(("FL4-A", "CD41 APC") if name == "APC-A" else (name, label) for name, label in NAMES)
    write_tube(folder / "b.fcs", 9, names=renamed)
    first, second = read(folder, "file,donor\na.fcs,D1\nb.fcs,D1\n").tubes
    assert (first.panel.channels["CD41"], second.panel.channels["CD41"]) == ("APC-A", "FL4-A")


def test_files_nobody_named_and_missing_controls_are_told_but_no_fault(folder: Path) -> None:
    sheet = read(folder, "file,donor,day,kind,stain\na.fcs,D1,10,,\nb.fcs,D1,10,fmo,CD41\n")
    assert "No FMO for CD42b in donor D1, day 10, panel surface: the threshold rests on a density valley." in sheet.notes
    assert sheet.notes[-1] == "2 files of the folder are not in the sheet: c.fcs, d.fcs."


def test_detectors_moved_between_control_and_sample_are_noted_with_the_figures(folder: Path) -> None:
    write_tube(folder / "b.fcs", 9, voltage="480.0", gain=2.0)
    sheet = read(folder, SHEET)
    assert any("T2 (fmo): voltage of APC-A (CD41) is 480, against 450 in most tubes of donor D1" in note for note in sheet.notes)
    assert any("gain of PE-A (CD42b) is 2, against 1" in note for note in sheet.notes)
    assert all("thresholds do not carry over" in note for note in sheet.notes)


def test_controls_without_a_donor_are_held_against_every_donor(folder: Path) -> None:
    write_tube(folder / "c.fcs", 9, voltage="300")
    text = "file,donor,day,kind,stain\na.fcs,D1,10,,\nb.fcs,D2,10,,\nd.fcs,D1,10,fmo,CD41\nc.fcs,,,single_stain,CD41\n"
    assert any("c (single_stain): voltage of APC-A (CD41) is 300, against 450" in note for note in read(folder, text).notes)


def test_an_unknown_panel_and_no_panel_at_all_are_faults(folder: Path) -> None:
    assert 'Did you mean "surface"?' in faults_of(folder, "file,donor,panel\na.fcs,D1,surfce\n")
    two = {"surface": PANEL, "ploidy": Panel(name="ploidy")}
    assert '(panel): found nothing; expected a panel: "surface" or "ploidy"' in faults_of(
        folder, "file,donor\na.fcs,D1\n", panels=two
    )
    assert "none is defined" in faults_of(folder, "file,donor\na.fcs,D1\n", panels={})


def test_single_stains_of_real_files_are_read_in_place(reference_data: Path, tmp_path: Path) -> None:
    text = "file,kind,stain\n060909.001,unstained,\n060909.002,single_stain,FITC\n060909.003,single_stain,PE\n060909.005,single_stain,7AAD\n"
    (tmp_path / "samples.csv").write_text(text)
    panel = Panel(
        name="p", channels={"FITC": "FL1-H", "PE": "FL2-H", "7AAD": "FL3-H"}, fsc_area="FSC-H", fsc_height="", ssc_area="SSC-H"
    )
    sheet = read_sample_sheet(
        tmp_path / "samples.csv", folder=reference_data / "fcs/flowcore_compdata/data", panels={"p": panel}
    )  # fmt: skip
    assert [tube.sample.n_events for tube in sheet.tubes] == [10000, 8805, 7485, 10000]
    assert (sheet.donors, sheet.unlisted) == ((), ())


CELL = st.one_of(
    st.sampled_from(["a.fcs", "D1", "fmo", "CD41", "30", "nM", "ng/mL", "1e400", "nan", "-0", "=1", "vehicle", "B07", "surface"]),
    st.text(max_size=8),
)
TITLE = st.one_of(st.sampled_from([*COLUMNS.names, "dose (nM)", "conc_uM"]), st.text(max_size=8))


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(TITLE, min_size=1, max_size=8), st.lists(st.lists(CELL, max_size=8), max_size=4))
def test_whatever_stands_in_a_sheet_is_read_or_refused_with_its_place(
    folder: Path, titles: list[str], rows: list[list[str]]
) -> None:
    out = io.StringIO()
    csv.writer(out).writerows([titles, *rows])
    (folder / "samples.csv").write_text(out.getvalue(), encoding="utf-8", errors="replace", newline="")
    faults, tubes = outcome(folder / "samples.csv")
    assert all(fault.place and fault.expected and fault.cure for fault in faults)
    assert all(tube.concentration_nM is None or np.isfinite(tube.concentration_nM) for tube in tubes)


def outcome(path: Path) -> tuple[tuple[Fault, ...], tuple[Tube, ...]]:
    try:
        return (), read_sample_sheet(path, panels={"surface": PANEL}, molar_masses={"X": 500.0}).tubes
    except InputError as error:
        return error.faults, ()


def test_too_many_open_files_say_how_to_open_more(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, *, data_set: int) -> Sample:
        found = os.strerror(errno.EMFILE)
        raise FileFormatError(Fault(place=path.name, found=found, expected="an FCS file", cure="Check the path."))

    monkeypatch.setattr("thrombokit.io.sample_sheets.read_fcs", refuse)
    assert "ulimit -n 4096" in faults_of(folder, "file,donor\na.fcs,D1\n")
