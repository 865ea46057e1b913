"""Contract of `thrombokit init DIR --template guide`: never edited to fit."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

Command = Callable[..., Any]


def test_writes_a_study_with_exports_and_maps_that_says_it_is_synthetic(command: Command, tmp_path: Path) -> None:
    done = command("init", tmp_path / "study", "--template", "guide")
    assert done.exit_code == 0
    study = tomllib.loads((tmp_path / "study/study.toml").read_text(encoding="utf-8"))
    assert study["schema"] == 1
    assert study["study"]["synthetic"] is True
    assert {entry["name"] for entry in study["agonists"]} == {"hetrombopag", "eltrombopag", "rhTPO"}
    assert study["plate"]["comparator"] == "eltrombopag"
    for entry in study["plate"]["files"]:
        assert (tmp_path / "study" / entry["file"]).is_file()
        assert (tmp_path / "study" / entry["map"]).is_file()
    runs: dict[str, set[str]] = {}
    for entry in study["plate"]["files"]:
        runs.setdefault(entry["cell_system"], set()).add(entry["run"])
    assert len(runs) == 2
    assert min(map(len, runs.values())) >= 4
    assert "synthetic" in (tmp_path / "study/README.md").read_text(encoding="utf-8").lower()


def test_json_lists_the_files_and_is_all_of_stdout(command: Command, tmp_path: Path) -> None:
    done = command("init", tmp_path / "study", "--template", "guide", "--json")
    document = json.loads(done.stdout)
    assert next(iter(document)) == "schema"
    assert document["schema"] == "thrombokit.init/1"
    assert document["template"] == "guide"
    written = {p.relative_to(tmp_path / "study").as_posix() for p in (tmp_path / "study").rglob("*") if p.is_file()}
    assert set(document["files"]) == written


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(command: Command, tmp_path: Path) -> None:
    for name, seed in (("a", "7"), ("b", "7"), ("c", "8")):
        assert command("init", tmp_path / name, "--template", "guide", "--seed", seed).exit_code == 0
    contents = {
        name: {p.relative_to(tmp_path / name).as_posix(): p.read_bytes() for p in (tmp_path / name).rglob("*") if p.is_file()}
        for name in "abc"
    }
    assert contents["a"] == contents["b"]
    assert contents["a"].keys() == contents["c"].keys()
    assert contents["a"] != contents["c"]
    assert tomllib.loads(contents["a"]["study.toml"].decode())["study"]["seed"] == 7


def test_a_folder_that_holds_something_is_left_alone(command: Command, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    done = command("init", tmp_path, "--template", "guide")
    assert done.exit_code == 3
    assert "mine.txt" in done.stderr
    assert "empty folder" in done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


def test_quiet_says_nothing_on_stderr(command: Command, tmp_path: Path) -> None:
    done = command("init", tmp_path / "study", "--template", "guide", "--quiet")
    assert (done.exit_code, done.stderr) == (0, "")


def test_an_unknown_template_or_a_negative_seed_is_a_usage_error(command: Command, tmp_path: Path) -> None:
    for wrong in (("--template", "giude"), ("--seed", "-1"), ("--templet", "guide")):
        done = command("init", tmp_path / "study", *wrong)
        assert done.exit_code == 2
        assert done.stdout == ""
        assert wrong[0] in done.stderr
    assert not (tmp_path / "study").exists()
