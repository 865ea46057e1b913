"""study.toml becomes typed here, or says in one pass what is wrong with it, line by line."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from thrombokit.errors import SpecError
from thrombokit.study.spec import StudySpec, read_spec
from thrombokit.study.spec_types import cell_position

GOOD = """\
# A study
schema = 1

[study]
title = "Two agonists"
seed = 7

[[agonists]]
name = "hetrombopag"
[[agonists]]
file = "agonists/mine.toml"

[plate]
map = "map.csv"
map_unit = "µmol/L"
vehicle = "DMSO"
comparator = "eltrombopag"

[[plate.files]]
file = "plates/p1.csv"
run = 1
date = 2026-05-04
hours = 72
operator = 3

[[plate.files]]
file = "plates/p2.csv"
run = "2"
map = "map2.csv"
map_origin = "b2"

[[plate.files]]
file = "plates/day0.csv"
day0 = true

[[plate.exclude]]
file = "plates/p1.csv"
well = "b7"
reason = "bubble"
"""

FILES = ("map.csv", "map2.csv", "plates/p1.csv", "plates/p2.csv", "plates/day0.csv", "agonists/mine.toml", "Manifest.xlsx")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in FILES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def _read(folder: Path, text: str) -> StudySpec:
    (folder / "study.toml").write_bytes(text.encode())
    return read_spec(folder)


def _faults(folder: Path, text: str) -> list[str]:
    with pytest.raises(SpecError) as caught:
        _read(folder, text)
    return [str(fault) for fault in caught.value.faults]


def test_a_good_file(folder: Path) -> None:
    spec = _read(folder, GOOD)
    assert (spec.schema_number, spec.study.title, spec.study.seed, spec.study.synthetic) == (1, "Two agonists", 7, False)
    assert [(entry.name, entry.file) for entry in spec.agonists] == [("hetrombopag", None), (None, "agonists/mine.toml")]
    plate = spec.plate
    assert plate is not None
    assert (plate.map_origin, plate.map_unit, plate.weights, plate.interval, plate.confidence) == (
        "A1",
        "uM",
        "model",
        "profile",
        0.95,
    )
    assert (plate.readout, plate.serum, plate.manifest, plate.positive_control) == ("luminescence", None, None, None)
    first, second, day0 = plate.files
    assert (first.run, first.date, first.hours, first.operator) == ("1", "2026-05-04", 72.0, "3")
    assert (second.run, second.map, second.map_origin) == ("2", "map2.csv", "B2")
    assert day0.day0
    assert day0.run is None
    assert (plate.exclude[0].well, plate.exclude[0].reason) == ("B07", "bubble")
    assert spec.report.show_operator is False


def test_places_and_paths(folder: Path) -> None:
    spec = _read(folder, GOOD)
    assert spec.place_of("plate.files[2].map") == "study.toml:29, plate.files[2].map"
    assert spec.place_of("plate.files[1].map") == "study.toml:19, plate.files[1].map"
    assert spec.place_of("agonists[2].file") == "study.toml:11, agonists[2].file"
    assert spec.path_to("plates/p1.csv").is_file()
    assert spec.folder == folder
    again = pickle.loads(pickle.dumps(spec))
    assert again == spec
    assert again.place_of("plate.map") == spec.place_of("plate.map") == "study.toml:14, plate.map"


def test_the_file_itself_may_be_named_and_ends_of_line_do_not_matter(folder: Path) -> None:
    (folder / "other.toml").write_bytes(GOOD.replace("\n", "\r\n").encode())
    spec = read_spec(str(folder / "other.toml"))
    assert spec.place_of("plate.files[2].map") == "other.toml:29, plate.files[2].map"


def test_absent_sections(folder: Path) -> None:
    spec = _read(folder, 'schema = 1\n[study]\ntitle = "x"\n')
    assert (spec.plate, spec.agonists, spec.study.seed) == (None, (), 1)


def test_nothing_can_be_changed(folder: Path) -> None:
    spec = _read(folder, GOOD)
    with pytest.raises(ValidationError, match="frozen"):
        spec.study.seed = 3  # pyright: ignore[reportAttributeAccessIssue]


# one change to the good file, the place of its fault, what the fault must say
ONE_FAULT = [
    ("schema = 1", "schema = 2", "2, schema", "found the number 2; expected the number 1", "the version of thrombokit"),
    ("schema = 1", "schema = true", "2, schema", "found true; expected the number 1", "Write schema = 1"),
    ("schema = 1\n", "\n", "1, schema", 'found no key "schema"', "Add a line such as: schema = 1"),
    ('title = "Two agonists"', "title = 3", "5, study.title", "found the number 3", "Write a text in quotes, such as: title ="),
    ('title = "Two agonists"', 'title = "  "', "5, study.title", 'found the text "  "', "Correct it"),
    ('title = "Two agonists"\n', "\n", "4, study.title", 'found no key "title"', "Add a line such as: title ="),
    ("seed = 7", "seed = -7", "6, study.seed", "found the number -7; expected a whole number of 0 or more", "seed = 1"),
    ("seed = 7", 'seed = "7"', "6, study.seed", 'found the text "7"', "Write it without quotes"),
    ("seed = 7", "seed = 7.0", "6, study.seed", "found the number 7.0", "seed = 1"),
    ("seed = 7", "sead = 7", "6, study.sead", 'found the unknown key "sead"; expected a key of [study]', 'Did you mean "seed"?'),
    ("seed = 7", "confidence = 0.9", "6, study.confidence", "unknown key",
     "It is a key of [plate] and of [cells] and of [signalling] and of [patients] and of [trials]; write it there."),
    ("schema = 1", "schema = 1\ncolour = 2", "3, colour", "unknown key", "Remove the key"),
    ('"hetrombopag"', '"hetrombopak"', "9, agonists[1].name", 'found the name "hetrombopak"', 'Did you mean "hetrombopag"?'),
    ('"hetrombopag"', '"hetrombopag"\nfile = "map.csv"', "8, agonists[1]", "found both name and file", "Keep one"),
    ('name = "hetrombopag"', "", "8, agonists[1]", "found neither name nor file", "Add name ="),
    ('file = "agonists/mine.toml"', 'name = "SHR-8735"', "11, agonists[2].name", "a second time", "Remove one"),
    ('"map.csv"', '"Map.csv"', "14, plate.map", 'found "Map.csv", which is not there', 'Did you mean "map.csv"?'),
    ('"map.csv"', '"plates"', "14, plate.map", 'found the folder "plates"', "Name the file in it"),
    ('"map.csv"', '"../map.csv"', "14, plate.map", "leaves the study folder", "Copy the file into the study folder"),
    ('"map.csv"', '"plates/../../map.csv"', "14, plate.map", "leaves the study folder", "Copy the file"),
    ('"map.csv"', "'C:\\map.csv'", "14, plate.map", "an absolute path", "Copy the file"),
    ('"map.csv"', '"/map.csv"', "14, plate.map", "an absolute path", "Copy the file"),
    ('"µmol/L"', '"mol"', "15, plate.map_unit", 'found the text "mol"; expected a concentration unit', 'map_unit = "nM"'),
    ('vehicle = "DMSO"', 'vehicel = "DMSO"', "16, plate.vehicel", "expected a key of [plate]:", 'Did you mean "vehicle"?'),
    ('vehicle = "DMSO"', "weights = 'modle'", "16, plate.weights", 'expected "model" or "none"', 'Did you mean "model"?'),
    ('vehicle = "DMSO"', "confidence = 95", "16, plate.confidence", "expected a number above 0.5", "0.95"),
    ('vehicle = "DMSO"', "confidence = 0.5", "16, plate.confidence", "found the number 0.5", "0.95"),
    ('vehicle = "DMSO"', 'map_origin = "B0"', "16, plate.map_origin", 'found the text "B0"', 'map_origin = "A1"'),
    ('"plates/p2.csv"', '"p2.csv"', "27, plate.files[2].file", "which is not there", 'Did you mean "plates/p2.csv"?'),
    ('"plates/p2.csv"', "'plates\\p2.csv'", "27, plate.files[2].file", "not there", 'forward slashes: "plates/p2.csv"'),
    ("run = 1", "", "19, plate.files[1].run", 'found no run for "plates/p1.csv"', 'Add run = "1"'),
    ("run = 1", "run = true", "21, plate.files[1].run", "found true", "Write a text in quotes"),
    ("date = 2026-05-04", "date = 07:32:00", "22, plate.files[1].date", "found the date or time 07:32:00", "such as: date ="),
    ("hours = 72", "hours = nan", "23, plate.files[1].hours", "found the number nan", "hours = 72"),
    ("hours = 72", "hours = -1", "23, plate.files[1].hours", "expected the hours of incubation", "hours = 72"),
    ("operator = 3", "oprator = 3", "24, plate.files[1].oprator", "a key of [[plate.files]]", 'Did you mean "operator"?'),
    ("day0 = true", 'day0 = "yes"\nrun = 1', "34, plate.files[3].day0", 'found the text "yes"', "Write it without quotes"),
    ('"plates/day0.csv"', '"plates/./p1.csv"', "33, plate.files[3].file", "each plate once (line 20", "Remove one"),
    ('p1.csv"\nwell', 'p3.csv"\nwell', "37, plate.exclude[1].file", "a file listed in [[plate.files]]", "Did you mean"),
    ('"b7"', '"Z99"', "38, plate.exclude[1].well", 'found the text "Z99"; expected a well, A01 to AF48', 'well = "B07"'),
    ('reason = "bubble"', "", "36, plate.exclude[1].reason", 'found no key "reason"', "Add a line such as: reason ="),
    (
        'reason = "bubble"',
        'reason = "x"\n[[plate.exclude]]\nfile = "plates/p1.csv"\nwell = "B07"\nreason = "y"',
        "42, plate.exclude[2].well",
        "a second time",
        "Keep one",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "place", "found", "cure"), ONE_FAULT, ids=[f"{row[2]} {row[1][:20]!r}" for row in ONE_FAULT]
)
def test_one_fault(folder: Path, old: str, new: str, place: str, found: str, cure: str) -> None:
    assert GOOD.count(old) == 1
    (message,) = _faults(folder, GOOD.replace(old, new))
    assert message.startswith(f"study.toml:{place}: ")
    assert found in message
    assert cure in message


def test_a_section_nobody_knows(folder: Path) -> None:
    (message,) = _faults(folder, GOOD + "\n[trails]\nx = 1\n")
    assert message.startswith('study.toml:41, trails: found the unknown key "trails"')
    assert 'Did you mean "trials"?' in message


def test_cells_name_files_that_are_there_and_agree(folder: Path) -> None:
    for name in ("sheet.csv", "panels.toml", "s.csv", "g.xml"):
        (folder / name).write_text("")
    cells = '[cells]\nsheet = "sheet.csv"\npanels = "panels.toml"\n'
    read = _read(folder, GOOD + "\n" + cells + 'spillover = "s.csv"\n').cells
    assert read is not None
    assert (read.compensation, read.fmo_percentile) == ("auto", 99.5)
    for more, words in (
        ('yields = "yield.csv"\n', 'cells.yields: found "yield.csv", which is not there'),
        ('compensation = "table"\n', 'cells.compensation: found "table" without a table'),
        ('compensation = "none"\nspillover = "s.csv"\n', "cells.spillover: found a table that is not used"),
        ('lock = "g.xml"\n', "cells.lock: found a lock without gates"),
        ("fmo_percentile = 30\n", "expected a number above 50 and below 100"),
    ):
        (message,) = _faults(folder, GOOD + "\n" + cells + more)
        assert words in message
    told = _faults(folder, GOOD + "\n[cells]\n")
    assert [message.split(": found")[0].split(", ")[1] for message in told] == ["cells.sheet", "cells.panels"]


def test_no_map_and_no_files(folder: Path) -> None:
    (message,) = _faults(folder, GOOD.replace('map = "map.csv"\n', "\n"))
    assert message.startswith('study.toml:19, plate.files[1].map: found no map for "plates/p1.csv"')
    (message,) = _faults(folder, 'schema = 1\n[study]\ntitle = "x"\n[plate]\nmap = "map.csv"\n')
    assert message.startswith("study.toml:4, plate.files: found a plate stage without files")


def test_a_manifest_stands_for_files_maps_and_runs(folder: Path) -> None:
    text = 'schema = 1\n[study]\ntitle = "x"\n[plate]\nmanifest = "Manifest.xlsx"\n'
    assert _read(folder, text).plate is not None
    more = '[[plate.files]]\nfile = "plates/p1.csv"\n[[plate.files]]\nfile = "plates/p2.csv"\n'
    assert _read(folder, text + more).plate is not None


def test_two_plates_of_one_file(folder: Path) -> None:
    head = 'schema = 1\n[study]\ntitle = "x"\n[plate]\nmap = "map.csv"\n'
    entry = '[[plate.files]]\nfile = "plates/p1.csv"\nrun = 1\n'
    assert _read(folder, head + entry + "plate = 1\n" + entry + "plate = 2\n").plate is not None
    assert "a second time" in _faults(folder, head + entry + "plate = 1\n" + entry + "plate = '1'\n")[0]
    assert "a second time" in _faults(folder, head + entry + "plate = 1\n" + entry)[0]


def test_wrong_kinds_of_table(folder: Path) -> None:
    text = 'schema = 1\nagonists = ["hetrombopag"]\nplate = "p1.csv"\nreport = [1]\n[study]\ntitle = "x"\n'
    told = "\n".join(_faults(folder, text))
    assert 'study.toml:2, agonists[1]: found the text "hetrombopag"; expected a table [[agonists]]' in told
    assert 'study.toml:3, plate: found the text "p1.csv"; expected a table [plate]. Write [plate] on a line of its own' in told
    assert "study.toml:4, report: found a list" in told
    told = "\n".join(_faults(folder, 'schema = 1\n[study]\ntitle = "x"\n[agonists]\nname = "TPO"\n'))
    assert "study.toml:4, agonists: found a table; expected tables [[agonists]]. Write [[agonists]] with two brackets" in told


def test_everything_in_one_pass_in_the_order_of_the_file(folder: Path) -> None:
    text = GOOD
    for old, new in [
        ("schema = 1", "schema = 9"),
        ("seed = 7", "seed = 7\nseed = 8"),
        ('name = "hetrombopag"', 'nmae = "hetrombopag"'),
        ('vehicle = "DMSO"', "vehicle = 3"),
        ("run = 1", "run = 1.5"),
        ('"map2.csv"', '"map3.csv"'),
        ('"b7"', '"77"'),
    ]:
        assert text.count(old) == 1
        text = text.replace(old, new)
    places = [message.split(": found")[0] for message in _faults(folder, text + "[patient]\n")]
    assert places == [
        "study.toml:2, schema",
        "study.toml:7, study.seed",
        "study.toml:9, agonists[1]",
        "study.toml:10, agonists[1].nmae",
        "study.toml:17, plate.vehicle",
        "study.toml:22, plate.files[1].run",
        "study.toml:30, plate.files[2].map",
        "study.toml:39, plate.exclude[1].well",
        "study.toml:41, patient",
    ]


def test_form_is_told_with_line_and_column(folder: Path) -> None:
    (message,) = _faults(folder, GOOD.replace('vehicle = "DMSO"', "vehicle = DMSO"))
    assert message.startswith("study.toml:16, column 11: found `vehicle = DMSO` (invalid value)")
    assert "Put text in double quotes" in message


def test_no_study_there(folder: Path) -> None:
    with pytest.raises(SpecError, match=r"found a folder without study\.toml.*Write a study\.toml"):
        read_spec(folder / "plates")
    (folder / "stduy.toml").write_text(GOOD, encoding="utf-8")
    with pytest.raises(SpecError, match=r'Name the study file itself, such as "stduy\.toml"'):
        read_spec(folder)
    with pytest.raises(SpecError, match=r'study\.toml: found no such file or folder.*Did you mean "stduy\.toml"\?'):
        read_spec(folder / "study.toml")
    with pytest.raises(SpecError, match="found no such file or folder"):
        read_spec(folder / "none" / "none")


def test_faults_name_no_folder_of_this_computer(folder: Path) -> None:
    told = "\n".join(_faults(folder, GOOD.replace('"map.csv"', '"nap.csv"')))
    assert str(folder) not in told


@given(st.text(alphabet="[]{}\"=#.,\n\r abplatefiles019\\'", max_size=120))
def test_any_text_is_read_or_refused_with_a_place(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.getbasetemp() / "any"
    folder.mkdir(exist_ok=True)
    for message in _faults(folder, text):
        assert message.startswith("study.toml:")


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("A1", (0, 0)),
        (" b2 ", (1, 1)),
        ("AA10", (9, 26)),
        ("XFD1048576", (1048575, 16383)),
        ("XFE1", None),
        ("A0", None),
        ("11", None),
    ],
)
def test_cells_of_a_sheet(text: str, position: tuple[int, int] | None) -> None:
    assert cell_position(text) == position


def test_paths_to_real_data_must_lie_in_the_study_folder(folder: Path) -> None:
    data = Path(os.environ.get("THROMBOKIT_REFERENCE_DATA", Path(__file__).parents[3] / "shared" / "data"))
    manifest = data / "plates" / "gDRimport" / "data4_envision_celltiterglo_384" / "Manifest.xlsx"
    if not manifest.is_file():
        pytest.skip("the reference data are not here (THROMBOKIT_REFERENCE_DATA)")
    (folder / "linked").symlink_to(manifest.parent, target_is_directory=True)
    text = 'schema = 1\n[study]\ntitle = "x"\n[plate]\nmap_origin = "B2"\nmanifest = "{}"\n'
    assert _read(folder, text.format("linked/Manifest.xlsx")).plate is not None
    assert "an absolute path" in _faults(folder, text.format(manifest))[0]
