"""Corrupted inputs: each ends with 3, names the file and the place in it, and says what to do; never a traceback."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Any]
CHECK = ("check", "{study}")
FIT = ("plate", "fit", "{study}/tidy.csv")


@dataclass(frozen=True, kw_only=True)
class Case:
    """`damage` is done to the study folder, then `line` is run; `told` are words that one and the same fault has to hold."""

    name: str
    damage: Callable[[Path], None]
    told: tuple[str, ...]
    line: tuple[str, ...] = CHECK


def replaced(file: str, old: str, new: str) -> Callable[[Path], None]:
    """Text of a file replaced, once."""

    def damage(study: Path) -> None:
        text = (study / file).read_text(encoding="utf-8")
        assert old in text, f"{file} no longer holds {old!r}"
        (study / file).write_text(text.replace(old, new, 1), encoding="utf-8")

    return damage


def written(file: str, content: str | bytes) -> Callable[[Path], None]:
    """A file written anew."""
    data = content.encode() if isinstance(content, str) else content

    def damage(study: Path) -> None:
        (study / file).write_bytes(data)

    return damage


def added(toml: str) -> Callable[[Path], None]:
    """Lines at the end of study.toml."""

    def damage(study: Path) -> None:
        with (study / "study.toml").open("a", encoding="utf-8") as file:
            file.write(toml)

    return damage


def both(*damages: Callable[[Path], None]) -> Callable[[Path], None]:
    def damage(study: Path) -> None:
        for one in damages:
            one(study)

    return damage


def half_a_workbook() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>" * 200)
    return content.getvalue()[:-60]


def second_plate(study: Path) -> None:
    (study / "plate2.csv").write_bytes((study / "plate1.csv").read_bytes())
    text = (study / "study.toml").read_text().replace('map = "map.csv"', 'map = "map.csv"\nrun = "1"')
    (study / "study.toml").write_text(text + '\n[[plate.files]]\nfile = "plate2.csv"\nmap = "map.csv"\nrun = "2"\n')


TIDY = "curve,concentration_nM,response\na,0,1\na,1,2\na,10,50\na,100,90\na,1000,95\n"
GEN5 = "Software Version,3.11.19\n\nExperiment File Path:,plate.xpt\nProtocol File Path:,\n\nPlate Number,Plate 1\nReader Type:,Synergy H1\n"
EXCLUDE = '\n[[plate.exclude]]\nfile = "plate1.csv"\nwell = "{}"\nreason = "air bubble"\n'

CASES = (
    Case(
        name="truncated workbook",
        damage=both(written("map.xlsx", half_a_workbook()), replaced("study.toml", '"map.csv"', '"map.xlsx"')),
        told=("map.xlsx", "workbook", "save"),
    ),
    Case(
        name="binary export",
        damage=written("plate1.csv", b"\x7fELF\x02\x01\x01\x00\x05\x00\x9c" * 40),
        told=("plate1.csv", "binary", "Export"),
    ),
    Case(name="empty export", damage=written("plate1.csv", b""), told=("plate1.csv", "empty file", "Export it again")),
    Case(
        name="export of another instrument",
        damage=written("plate1.csv", GEN5 + "1,2,3\n" * 8),
        told=("plate1.csv", "no reader", "signal"),
    ),
    Case(
        name="text in a well",
        damage=replaced("plate1.csv", "16411,", "sixteen,"),
        told=("plate1.csv, row 5", "A01", "sixteen", "number"),
    ),
    Case(name="decimal comma in a grid", damage=replaced("plate1.csv", "16411,", "16,411,"), told=("plate1.csv, row 5", "13")),
    Case(
        name="well off the plate",
        damage=replaced("map.csv", "A02,", "H13,"),
        told=("map.csv, row 3", '"H13"', "A1 to H12", "Correct"),
    ),
    Case(
        name="well twice in a map",
        damage=replaced("map.csv", "A03,", "A02,"),
        told=("map.csv, row 4", "A02 again", "row 3", "Delete"),
    ),
    Case(
        name="unknown role",
        damage=replaced("map.csv", "A02,sample", "A02,sampel"),
        told=("map.csv, row 3", "sampel", 'mean "sample"'),
    ),
    Case(name="no unit", damage=replaced("map.csv", "0.01831,nM", "0.01831,"), told=("map.csv, row 3", "A02", "unit")),
    Case(name="unknown unit", damage=replaced("map.csv", "0.01831,nM", "0.01831,nN"), told=("map.csv, row 3", "nN", "nM")),
    Case(
        name="decimal comma in a map",
        damage=replaced("map.csv", "0.01831,nM", '"0,01831",nM'),
        told=("map.csv, row 3", "0,01831", "point"),
    ),
    Case(
        name="negative dose",
        damage=replaced("map.csv", "0.01831,nM", "-0.01831,nM"),
        told=("map.csv, row 3", "-0.01831", "0 or more"),
    ),
    Case(
        name="agonist without a dose",
        damage=replaced("map.csv", "my-agonist,0.01831,nM", "my-agonist,,"),
        told=("map.csv, row 3", "A02"),
    ),
    Case(
        name="map of a larger plate",
        damage=written(
            "map.csv", "well,role\n" + "".join(f"{chr(65 + r)}{c:02d},vehicle\n" for r in range(16) for c in range(1, 25))
        ),
        told=("map.csv", "96-well plate", "right plate size"),
    ),
    Case(
        name="study.toml that is no TOML",
        damage=replaced("study.toml", 'map = "map.csv"', 'map = "map.csv'),
        told=("study.toml:17",),
    ),
    Case(
        name="unknown key",
        damage=replaced("study.toml", "comparator =", "comparater ="),
        told=("study.toml:10", "comparater", '"comparator"'),
    ),
    Case(
        name="number for a text",
        damage=replaced("study.toml", '"To be damaged"', "4"),
        told=("study.toml:4", "study.title", "quotes"),
    ),
    Case(name="other schema", damage=replaced("study.toml", "schema = 1", "schema = 7"), told=("study.toml:1", "7", "schema = 1")),
    Case(
        name="absent export",
        damage=replaced("study.toml", '"plate1.csv"', '"plate11.csv"'),
        told=("study.toml:16", "plate11.csv", '"plate1.csv"'),
    ),
    Case(name="absent map", damage=lambda study: (study / "map.csv").unlink(), told=("study.toml:17", "map.csv", "not there")),
    Case(
        name="path out of the folder",
        damage=replaced("study.toml", '"plate1.csv"', '"../study/plate1.csv"'),
        told=("study.toml:16", "leaves the study folder", "Copy the file"),
    ),
    Case(
        name="absolute path",
        damage=replaced("study.toml", '"map.csv"', '"/map.csv"'),
        told=("study.toml:17", "absolute path", "Copy the file"),
    ),
    Case(
        name="unknown agonist",
        damage=replaced("study.toml", 'name = "rhTPO"', 'name = "rhTOP"'),
        told=("study.toml:13", "rhTOP", "rhTPO"),
    ),
    Case(name="two plates of one name", damage=second_plate, told=("two plates named", "plate1.csv", "plate2.csv", "plate = ")),
    Case(
        name="comparator that no map names",
        damage=replaced("study.toml", '"eltrombopag"', '"eltrombopak"'),
        told=("study.toml:10", "no map names", '"eltrombopag"'),
    ),
    Case(name="exclusion of what is no well", damage=added(EXCLUDE.format("7B")), told=("study.toml:21", "7B", "well")),
    Case(
        name="exclusion of a well off the plate", damage=added(EXCLUDE.format("H13")), told=("study.toml:21", '"H13"', "A1 to H12")
    ),
    Case(
        name="exclusion in an unlisted file",
        damage=added(EXCLUDE.format("A01").replace("plate1", "plate7")),
        told=("study.toml:20", "plate7.csv", '"plate1.csv"'),
    ),
    Case(
        name="NaN in a tidy table",
        damage=written("tidy.csv", TIDY.replace("10,50", "10,NaN")),
        told=("tidy.csv, row 4, column response", "nan", "Correct the cell"),
        line=FIT,
    ),
    Case(
        name="text in a tidy table",
        damage=written("tidy.csv", TIDY.replace("10,50", "10,high")),
        told=("tidy.csv, row 4, column response", '"high"', "point"),
        line=FIT,
    ),
    Case(
        name="decimal comma in a tidy table",
        damage=written("tidy.csv", TIDY.replace("10,50", '10,"50,5"')),
        told=("tidy.csv, row 4, column response", '"50,5"', "point"),
        line=FIT,
    ),
    Case(
        name="negative dose in a tidy table",
        damage=written("tidy.csv", TIDY.replace("a,10,", "a,-10,")),
        told=("tidy.csv, row 4, column concentration_nM", "-10", "0 or more"),
        line=FIT,
    ),
    Case(
        name="no response column",
        damage=written("tidy.csv", TIDY.replace("response", "signal")),
        told=("tidy.csv", "signal", "Add response"),
        line=FIT,
    ),
    Case(
        name="no rows",
        damage=written("tidy.csv", "curve,concentration_nM,response\n"),
        told=("tidy.csv", "no rows", "row for each point"),
        line=FIT,
    ),
    Case(name="empty table", damage=written("tidy.csv", ""), told=("tidy.csv", "CSV"), line=FIT),
    Case(
        name="Parquet that is none",
        damage=written("tidy.parquet", TIDY),
        told=("tidy.parquet", "Parquet"),
        line=("plate", "fit", "{study}/tidy.parquet"),
    ),
    Case(name="absent table", damage=lambda study: None, told=("tidy.csv", "no such file"), line=FIT),
    Case(
        name="fits into a file that is a folder",
        damage=both(written("tidy.csv", TIDY), lambda study: (study / "fits.csv").mkdir()),
        told=("fits.csv", "cannot be written"),
        line=(*FIT, "--out", "{study}/fits.csv"),
    ),
    Case(
        name="output below a file",
        damage=written("taken", "a file"),
        told=("--out", "cannot be written", "another folder"),
        line=("run", "{study}", "--out", "{study}/taken/out"),
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_names_place_and_cure_and_ends_with_3(command: Command, study: Path, case: Case) -> None:
    case.damage(study)
    line = [part.replace("{study}", str(study)) for part in case.line]
    done = command(*line, "--json")
    assert done.exit_code == 3, done.stdout
    document = json.loads(done.stdout)
    assert document["schema"] == "thrombokit.error/1"
    assert document["exit_code"] == 3
    faults = document["faults"]
    assert all(fault[key] for fault in faults for key in ("place", "found", "expected", "cure"))
    sentences = [f"{fault['place']}: {fault['found']} | {fault['expected']} | {fault['cure']}" for fault in faults]
    assert any(all(word in sentence for word in case.told) for sentence in sentences), "\n".join(sentences)
    assert "Traceback" not in done.stderr
    for fault in faults:
        assert fault["found"] in done.stderr
        assert fault["cure"] in done.stderr


def test_the_study_that_is_damaged_here_is_sound(command: Command, study: Path) -> None:
    assert command("check", study, "--quiet").exit_code == 0


def test_faults_of_several_files_come_in_one_pass(command: Command, study: Path) -> None:
    second_plate(study)
    (study / "map2.csv").write_text("well,role\nA01,vehikel\n")
    replaced("study.toml", 'file = "plate2.csv"\nmap = "map.csv"', 'file = "plate2.csv"\nmap = "map2.csv"')(study)
    replaced("plate1.csv", "16411,", "sixteen,")(study)
    replaced("map.csv", "A02,", "H13,")(study)
    (study / "my.toml").write_text('schema = "thrombokit-agonist/1"\nclass = "small molecule"\n')
    added('\n[[agonists]]\nfile = "my.toml"\n')(study)
    done = command("check", study, "--json")
    assert done.exit_code == 3
    places = " ".join(fault["place"] for fault in json.loads(done.stdout)["faults"])
    for name in ("plate1.csv", "map2.csv", "my.toml"):
        assert name in places


def test_a_process_says_it_on_stderr_without_a_traceback(process: Callable[..., Any], study: Path) -> None:
    replaced("map.csv", "A02,", "H13,")(study)
    done = process("run", study, "--out", study / "out")
    assert (done.exit_code, done.stdout) == (3, "")
    assert "map.csv, row 3" in done.stderr
    assert "Traceback" not in done.stderr
    assert str(study) not in done.stderr
    assert not (study / "out").exists()
