"""The files of both templates: the same bytes for a seed, and a plain rendering of the plates in memory."""

from __future__ import annotations

import csv
import os
import re
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from thrombokit.errors import InputError
from thrombokit.plate.layout import Role
from thrombokit.plate.wells import parse_well, well_name
from thrombokit.study.templates.export_text import export_text
from thrombokit.study.templates.guide import guide_plates
from thrombokit.study.templates.guide_truth import guide_truth
from thrombokit.study.templates.map_text import MAP_COLUMNS, number_text
from thrombokit.study.templates.plate import example_plate
from thrombokit.study.templates.write import write_template


@pytest.fixture(scope="module")
def guide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("a folder") / "guide"
    write_template(folder, "guide")
    return folder


@pytest.fixture(scope="module")
def starting(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("a folder") / "plate"
    write_template(folder, "plate")
    return folder


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def toml_of(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def grid_of(path: Path) -> np.ndarray:
    rows = list(csv.reader(path.read_text(encoding="utf-8").splitlines()))
    first = next(i for i, row in enumerate(rows) if row[:3] == ["Plate", "Repeat", "Barcode"]) + 3
    last = next(i for i in range(first, len(rows)) if not rows[i])
    assert {row[-1] for row in rows[first:last]} == {""}, "each line of the grid ends in a comma"
    return np.array([[float(value) for value in row[:-1]] for row in rows[first:last]])


def map_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        reader = csv.DictReader(lines)
        assert tuple(reader.fieldnames or ()) == MAP_COLUMNS
        return list(reader)


@pytest.mark.parametrize("template", ["guide", "plate"])
def test_same_seed_same_bytes(tmp_path: Path, template: Any) -> None:
    first = write_template(tmp_path / "first", template, seed=7)
    write_template(tmp_path / "second", template, seed=7)
    write_template(tmp_path / "other", template, seed=8)
    assert bytes_of(tmp_path / "first") == bytes_of(tmp_path / "second")
    assert bytes_of(tmp_path / "first").keys() == bytes_of(tmp_path / "other").keys()
    assert bytes_of(tmp_path / "first") != bytes_of(tmp_path / "other")
    assert first[0].name == "study.toml"
    assert sorted(first) == sorted(path for path in (tmp_path / "first").rglob("*") if path.is_file())


def test_default_seed_is_written_down(guide: Path, tmp_path: Path) -> None:
    assert toml_of(guide / "study.toml")["study"]["seed"] == 20181
    write_template(tmp_path / "g", "guide", seed=20181)
    assert bytes_of(tmp_path / "g") == bytes_of(guide)


@pytest.mark.parametrize("template", ["guide", "plate"])
def test_an_empty_folder_is_accepted(tmp_path: Path, template: Any) -> None:
    assert write_template(tmp_path, template)


def test_exports_hold_the_grids_of_the_plates(guide: Path) -> None:
    for plate in guide_plates(20181):
        np.testing.assert_array_equal(grid_of(guide / "exports" / f"{plate.name}.csv"), plate.signal)


def test_export_has_a_header_and_a_footer_and_says_synthetic(guide: Path) -> None:
    for path in (guide / "exports").glob("*.csv"):
        lines = path.read_text(encoding="utf-8").splitlines()
        assert lines[0] == "Plate information"
        assert lines[2].split(",")[2] == path.stem
        assert "Basic assay information" in lines
        (protocol,) = (line for line in lines if line.startswith("Protocol Name"))
        assert "SYNTHETIC" in protocol


def test_export_tells_the_date_and_nothing_of_any_machine() -> None:
    plate = guide_plates(1)[0]
    text = export_text(plate)
    assert plate.date == "2024-03-04"
    assert "3/4/2024" in text
    assert text.isascii()
    assert "\r" not in text


def test_maps_are_valid_and_hold_the_plans(guide: Path) -> None:
    for plate in guide_plates(20181):
        rows = map_of(guide / "maps" / f"{plate.map_name}.csv")
        assert [row["well"] for row in rows] == [well_name(r, c) for r in range(8) for c in range(12)]
        for row in rows:
            well = parse_well(row["well"])
            assert well is not None
            assert Role(row["role"]) == plate.role[well]
            assert row["agonist"] == plate.agonist[well]
            assert row["unit"] in ("nM", "ng/mL", "")
            amount = float(row["concentration"]) if row["concentration"] else np.nan
            np.testing.assert_array_equal(amount, plate.plan.concentration[well])
            assert row["cell_system"] == ("" if row["role"] in ("blank", "empty") else plate.cell_system)


def test_each_export_and_map_is_used_by_the_study(guide: Path) -> None:
    study = toml_of(guide / "study.toml")
    plates = guide_plates(20181)
    entries = study["plate"]["files"]
    assert [(e["file"], e["run"], e["date"], e["cell_system"], e["operator"]) for e in entries] == [
        (f"exports/{p.name}.csv", p.run, p.date, p.cell_system, p.operator) for p in plates
    ]
    assert {e["hours"] for e in entries} == {72}
    assert {e["file"] for e in entries} == {f"exports/{path.name}" for path in (guide / "exports").iterdir()}
    assert {e["map"] for e in entries} == {f"maps/{path.name}" for path in (guide / "maps").iterdir()}
    assert study["schema"] == 1
    assert [agonist["name"] for agonist in study["agonists"]] == ["hetrombopag", "eltrombopag", "rhTPO"]
    named = {row["agonist"] for path in (guide / "maps").iterdir() for row in map_of(path)}
    assert {study["plate"][key] for key in ("vehicle", "positive_control", "comparator")} <= named


def test_synthetic_is_said_wherever_it_appears(guide: Path, starting: Path) -> None:
    for folder in (guide, starting):
        study = toml_of(folder / "study.toml")["study"]
        assert study["synthetic"] is True
        assert "synthetic" in study["title"]
        assert "Synthetic" in study["note"]
    assert toml_of(guide / "truth.toml")["synthetic"] is True
    assert "synthetic" in (guide / "README.md").read_text(encoding="utf-8").splitlines()[0]


def test_truth_file_holds_the_truth(guide: Path) -> None:
    truth = toml_of(guide / "truth.toml")
    ec50 = {(a["cell_system"], a["name"]): a["ec50_nM"] for a in truth["agonists"]}
    assert ec50["32D-MPL", "hetrombopag"] == 0.4
    assert ec50["CD34+ cord blood", "eltrombopag"] == 86.2
    assert {a["name"]: a["fall_nM"] for a in truth["agonists"] if "fall_nM" in a} == {"bell-01": 1500}
    assert {a["name"]: a["kill_nM"] for a in truth["agonists"] if "kill_nM" in a} == {"toxic-01": 6000}
    for written, run in zip(truth["runs"], guide_truth(20181), strict=True):
        assert (written["cell_system"], written["run"]) == (run.cell_system, run.run)
        assert written["ec50_shift_log10"] == pytest.approx(run.ec50_shift_log10, rel=1e-5)
        assert written["dilution_factor"] == pytest.approx(run.dilution_factor, rel=1e-5)
        for name, value in written["ec50_nM"].items():
            expected = ec50[run.cell_system, name] * 10 ** written["ec50_shift_log10"] / written["dilution_factor"][name]
            assert value == pytest.approx(expected, rel=1e-4)
    faults = {(run["cell_system"], run["run"]): run["fault"] for run in truth["runs"] if run["fault"]}
    assert faults.keys() == {("32D-MPL", "run 6"), ("CD34+ cord blood", "donor F")}
    assert "dispenser failure" in faults["32D-MPL", "run 6"]
    assert "one row too low" in faults["CD34+ cord blood", "donor F"]


def test_readme_names_the_faulty_plates(guide: Path) -> None:
    text = (guide / "README.md").read_text(encoding="utf-8")
    assert "run 6: the dispenser failed" in text
    assert "donor F: the plate is sound, its map is written one row too low" in text
    assert "Research use only" in " ".join(text.split())


def test_starting_study_is_one_small_plate_with_every_key_explained(starting: Path) -> None:
    text = (starting / "study.toml").read_text(encoding="utf-8")
    (entry,) = toml_of(starting / "study.toml")["plate"]["files"]
    plate = example_plate(20181)
    np.testing.assert_array_equal(grid_of(starting / entry["file"]), plate.signal)
    rows = map_of(starting / entry["map"])
    assert len(rows) == 96
    assert {row["role"] for row in rows} == {"sample", "comparator", "vehicle", "positive_control", "blank", "empty"}
    # uncommenting the optional keys gives a study file that is still valid TOML
    opened = re.sub(r"(?m)^# (?=\[\[|\w+ = )", "", text)
    exclude = tomllib.loads(opened)["plate"]["exclude"]
    assert exclude == [{"file": entry["file"], "well": "B07", "reason": "air bubble"}]


@pytest.mark.parametrize(
    "value, text", [(0.00305, "0.00305"), (12000.0, "12000"), (0.0, "0"), (6.667, "6.667"), (float("nan"), "")]
)
def test_numbers_in_maps_read_back(value: float, text: str) -> None:
    assert number_text(value) == text


def test_a_folder_that_holds_a_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    kept = tmp_path / "mine.csv"
    kept.write_text("precious")
    with pytest.raises(InputError, match=r"found mine\.csv; expected a new or an empty folder\. Name a folder that does not exist"):
        write_template(tmp_path, "guide")
    assert bytes_of(tmp_path) == {"mine.csv": b"precious"}


def test_a_folder_that_holds_several_files_names_one(tmp_path: Path) -> None:
    for name in ("b.csv", "a.csv", "c.csv"):
        (tmp_path / name).touch()
    with pytest.raises(InputError, match=r"found 3 entries, such as a\.csv"):
        write_template(tmp_path, "plate")


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "study").write_text("")
    with pytest.raises(InputError, match="found a file; expected a new or an empty folder"):
        write_template(tmp_path / "study", "plate")
    with pytest.raises(InputError, match="study"):
        write_template(tmp_path / "study" / "below", "plate")


def test_all_faults_come_in_one_pass(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").touch()
    unknown: Any = "plates"
    with pytest.raises(InputError) as raised:
        write_template(tmp_path, unknown, seed=-1)
    assert [fault.place for fault in raised.value.faults] == ["--template", "--seed", str(tmp_path)]
    assert '"plates"; expected "guide" or "plate"' in str(raised.value)
    assert "found -1; expected a whole number of 0 or more" in str(raised.value)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"xxx: found File name too long; expected a .*folder"):
        write_template(tmp_path / ("x" * 300), "plate")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="every folder is writable for this user")
def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(InputError, match="Permission denied; expected a folder that can be written to"):
            write_template(tmp_path / "study", "plate")
    finally:
        tmp_path.chmod(0o700)
