"""Contract of `thrombokit init DIR --template plate` (the template without word to the contrary): never edited to fit."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

Command = Callable[..., Any]


def test_writes_one_synthetic_plate_with_its_map(command: Command, tmp_path: Path) -> None:
    done = command("init", tmp_path / "study", "--template", "plate", "--json")
    assert done.exit_code == 0
    document = json.loads(done.stdout)
    assert (next(iter(document)), document["schema"], document["template"]) == ("schema", "thrombokit.init/1", "plate")
    study = tomllib.loads((tmp_path / "study/study.toml").read_text(encoding="utf-8"))
    (entry,) = study["plate"]["files"]
    assert sorted(document["files"]) == sorted(["study.toml", entry["file"], entry["map"]])
    assert study["study"]["synthetic"] is True


def test_is_what_init_writes_without_a_template(command: Command, tmp_path: Path) -> None:
    assert command("init", tmp_path / "named", "--template", "plate").exit_code == 0
    assert command("init", tmp_path / "plain").exit_code == 0
    contents = [
        {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
        for folder in (tmp_path / "named", tmp_path / "plain")
    ]
    assert contents[0] == contents[1]


def test_passes_check_as_it_stands(command: Command, tmp_path: Path) -> None:
    assert command("init", tmp_path / "study").exit_code == 0
    assert command("check", tmp_path / "study", "--quiet").exit_code == 0


def test_stdout_says_the_next_command_and_stderr_the_log(command: Command, tmp_path: Path) -> None:
    done = command("init", tmp_path / "study")
    assert "thrombokit run" in done.stdout
    assert "wrote 3 files" in done.stderr


def test_a_file_in_the_place_of_the_folder_is_bad_input(command: Command, tmp_path: Path) -> None:
    (tmp_path / "study").write_text("a file")
    done = command("init", tmp_path / "study", "--json")
    assert done.exit_code == 3
    document = json.loads(done.stdout)
    assert document["schema"] == "thrombokit.error/1"
    assert document["faults"][0]["found"] == "a file"
    assert (tmp_path / "study").read_text() == "a file"
