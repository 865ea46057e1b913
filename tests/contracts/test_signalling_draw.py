"""`thrombokit signalling draw`: a picture file, its facts as JSON, and exit code 3 with a cure."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any


def test_the_built_in_model_is_drawn(command: Callable[..., Any], tmp_path: Path) -> None:
    out = tmp_path / "picture.svg"
    ended = command("signalling", "draw", "--out", out, "--json", "--quiet")
    assert ended.exit_code == 0
    said = json.loads(ended.stdout)
    assert said["schema"] == "thrombokit.picture/1"
    assert (said["species"], said["reactions"]) == (33, 50)
    assert said["file"] == "picture.svg"
    assert set(said["values"].values()) == {None}
    assert out.read_text(encoding="utf-8").count('data-kind="') == said["edges"]


def test_a_file_is_drawn_with_its_activity(command: Callable[..., Any], tmp_path: Path) -> None:
    model = tmp_path / "m.ant"
    model.write_text("model m\nspecies A, B; A = 1; B = 0; J: A -> B; A\nend\n", encoding="utf-8")
    ended = command("signalling", "draw", model, "--at", "1", "--out", tmp_path / "p.png", "--json")
    assert ended.exit_code == 0
    assert 0.6 < json.loads(ended.stdout)["values"]["B"] < 0.65
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")
    assert "m, time 1" in ended.stderr


def test_what_is_wrong_ends_with_3_and_a_cure(command: Callable[..., Any], tmp_path: Path) -> None:
    ended = command("signalling", "draw", "--out", tmp_path / "p.gif")
    assert ended.exit_code == 3
    assert "a name that ends in .svg, .png or .pdf" in ended.stderr
    half = command("signalling", "draw", "--out", tmp_path / "p.svg", "--dose", "10 nM", "--json")
    assert half.exit_code == 3
    assert json.loads(half.stdout)["faults"][0]["expected"] == "all three, or none"
    assert not (tmp_path / "p.svg").exists()
