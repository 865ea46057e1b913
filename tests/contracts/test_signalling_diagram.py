"""`thrombokit signalling diagram` (and its older name `draw`): a picture or map, its facts as JSON, and exit code 3 with a cure."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any


def test_the_built_in_model_is_drawn(command: Callable[..., Any], tmp_path: Path) -> None:
    out = tmp_path / "picture.svg"
    ended = command("signalling", "diagram", "--out", out, "--json", "--quiet")
    assert ended.exit_code == 0
    said = json.loads(ended.stdout)
    assert said["schema"] == "thrombokit.picture/1"
    assert (said["species"], said["reactions"]) == (33, 50)
    assert said["file"] == "picture.svg"
    assert set(said["values"].values()) == {None}
    assert command("signalling", "draw", "--out", tmp_path / "older.svg", "--quiet").exit_code == 0
    assert (tmp_path / "older.svg").read_bytes() == out.read_bytes()
    assert out.read_text(encoding="utf-8").count('data-kind="') == said["edges"]


def test_a_file_is_drawn_with_its_activity(command: Callable[..., Any], tmp_path: Path) -> None:
    model = tmp_path / "m.ant"
    model.write_text("model m\nspecies A, B; A = 1; B = 0; J: A -> B; A\nend\n", encoding="utf-8")
    ended = command("signalling", "diagram", model, "--at", "1", "--out", tmp_path / "p.png", "--json")
    assert ended.exit_code == 0
    assert 0.6 < json.loads(ended.stdout)["values"]["B"] < 0.65
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")
    assert "m, time 1" in ended.stderr


def test_what_is_wrong_ends_with_3_and_a_cure(command: Callable[..., Any], tmp_path: Path) -> None:
    ended = command("signalling", "diagram", "--out", tmp_path / "p.gif")
    assert ended.exit_code == 3
    assert "a name that ends in .svg, .png or .pdf, or .sbgn" in ended.stderr
    half = command("signalling", "diagram", "--out", tmp_path / "p.svg", "--dose", "10 nM", "--json")
    assert half.exit_code == 3
    assert json.loads(half.stdout)["faults"][0]["expected"] == "all three, or none"
    assert not (tmp_path / "p.svg").exists()


def test_a_map_is_written_by_its_ending(command: Callable[..., Any], tmp_path: Path) -> None:
    ended = command("signalling", "diagram", "--out", tmp_path / "new" / "map.sbgn", "--json", "--quiet")
    assert ended.exit_code == 0, ended.stderr
    text = (tmp_path / "new" / "map.sbgn").read_text(encoding="utf-8")
    assert 'xmlns="http://sbgn.org/libsbgn/0.3"' in text
    assert text.count("<arc ") > json.loads(ended.stdout)["edges"], "and arcs to the empty set"


def test_an_agonist_colours_its_site(command: Callable[..., Any], tmp_path: Path) -> None:
    given = ("--agonist", "rhTPO", "--dose", "0.163 nM", "--at", "10 min")
    values = json.loads(command("signalling", "diagram", "--out", tmp_path / "p.svg", *given, "--json", "--quiet").stdout)["values"]
    assert (values["TPO"], values["TM_agonist"], values["PTEN"]) == (0.5, 0.0, None)
