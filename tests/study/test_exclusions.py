"""[[plate.exclude]]: the well leaves the fit of the plate that is meant, and no other; what matches nothing is a fault."""

from __future__ import annotations

from pathlib import Path

import pytest

from thrombokit.errors import InputError
from thrombokit.study.load import load_study

GRID = "\n".join(",".join(str(1000 * row + column + 1) for column in range(12)) for row in range(8)) + "\n"
STUDY = """\
schema = 1
[study]
title = "Two plates of one file name"
[plate]
map = "map.csv"
[[plate.files]]
file = "monday/plate.csv"
plate = "P1"
run = "1"
[[plate.files]]
file = "tuesday/plate.csv"
plate = "P2"
run = "2"
"""
EXCLUDE = '[[plate.exclude]]\nfile = "{file}"\nwell = "B07"\nreason = "air bubble"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for day in ("monday", "tuesday"):
        (tmp_path / day).mkdir()
        (tmp_path / day / "plate.csv").write_text(GRID)
    (tmp_path / "map.csv").write_text("well,role\nA01,vehicle\nB07,vehicle\n")
    return tmp_path


def excluded(folder: Path, exclusion: str) -> dict[str, dict[str, str]]:
    (folder / "study.toml").write_text(STUDY + exclusion)
    return {plate.name: dict(plate.excluded) for plate in load_study(folder).plates}


def test_files_of_the_same_name_in_two_folders_are_told_apart(folder: Path) -> None:
    assert excluded(folder, EXCLUDE.format(file="tuesday/plate.csv")) == {"P1": {}, "P2": {"B07": "air bubble"}}
    assert excluded(folder, EXCLUDE.format(file="./monday/plate.csv")) == {"P1": {"B07": "air bubble"}, "P2": {}}


def test_a_plate_that_the_file_does_not_hold_is_a_fault(folder: Path) -> None:
    with pytest.raises(InputError) as raised:
        excluded(folder, EXCLUDE.format(file="tuesday/plate.csv") + 'plate = "P3"\n')
    assert 'plate.exclude[1].plate: found "P3", which no plate read here has' in str(raised.value)
    assert '"P2"' in str(raised.value)
