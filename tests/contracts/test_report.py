"""Contract of `thrombokit report DIR`: never edited to fit."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Any]


@pytest.fixture(scope="module")
def finished(command: Command, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plate")
    assert command("init", folder / "study").exit_code == 0
    assert command("run", folder / "study", "--out", folder / "out", "--quiet").exit_code == 0
    return folder / "out"


@pytest.fixture
def out(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "out"))


def test_makes_page_and_workbook_again_from_the_saved_results_alone(command: Command, finished: Path, out: Path) -> None:
    for name in ("report.html", "tables.xlsx", "ro-crate-metadata.json"):
        (out / name).unlink()
    done = command("report", out)
    assert done.exit_code == 0
    assert done.stdout.strip() == str(out / "report.html")
    for path in (p for p in finished.rglob("*") if p.is_file() and p.name != "ro-crate-metadata.json"):
        assert (out / path.relative_to(finished)).read_bytes() == path.read_bytes(), path.name
    assert (out / "ro-crate-metadata.json").is_file()


def test_json_lists_the_files(command: Command, out: Path) -> None:
    document = json.loads(command("report", out, "--json").stdout)
    assert next(iter(document.items())) == ("schema", "thrombokit.report/1")
    assert sorted(document["files"]) == sorted(p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file())


def test_quiet_says_nothing_on_stderr(command: Command, out: Path) -> None:
    done = command("report", out, "--quiet")
    assert (done.exit_code, done.stderr) == (0, "")


@pytest.mark.parametrize("name", ["study.json", "plate.json", "plate_fits.csv", "plate_wells.parquet", "plate_curves.parquet"])
@pytest.mark.parametrize("damage", ["missing", "cut short", "something else"])
def test_damaged_results_are_bad_input_and_the_file_is_named(command: Command, out: Path, name: str, damage: str) -> None:
    path = out / "results" / name
    content = path.read_bytes()
    path.unlink()
    if damage != "missing":
        path.write_bytes(content[: len(content) // 3] if damage == "cut short" else b"\x00\x01 no results\n")
    done = command("report", out, "--json")
    assert done.exit_code == 3
    document = json.loads(done.stdout)
    assert document["schema"] == "thrombokit.error/1"
    (fault,) = document["faults"]
    assert f"results/{name}" in fault["place"]
    assert all(fault[key] for key in ("found", "expected", "cure"))


def test_results_of_another_schema_are_refused(command: Command, out: Path) -> None:
    path = out / "results/plate.json"
    path.write_text(path.read_text(encoding="utf-8").replace("thrombokit.plate/1", "thrombokit.plate/9", 1), encoding="utf-8")
    done = command("report", out)
    assert done.exit_code == 3
    assert "thrombokit.plate/9" in done.stderr
    assert "thrombokit.plate/1" in done.stderr


def test_a_folder_without_results_is_bad_input_and_no_argument_a_usage_error(command: Command, tmp_path: Path) -> None:
    done = command("report", tmp_path)
    assert done.exit_code == 3
    assert "thrombokit run" in done.stderr
    assert command("report").exit_code == 2
