"""A small sound study to be damaged: one synthetic plate under plain names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

STUDY = """\
schema = 1

[study]
title = "To be damaged"
synthetic = true

[plate]
vehicle = "vehicle"
positive_control = "rhTPO"
comparator = "eltrombopag"

[[agonists]]
name = "rhTPO"

[[plate.files]]
file = "plate1.csv"
map = "map.csv"
"""


@pytest.fixture(scope="session")
def template(command: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Text of a synthetic export of 96 wells, and of its map."""
    folder = tmp_path_factory.mktemp("template") / "study"
    assert command("init", folder, "--quiet").exit_code == 0
    (export,) = (folder / "exports").iterdir()
    (plate_map,) = (folder / "maps").iterdir()
    return export.read_text(encoding="utf-8"), plate_map.read_text(encoding="utf-8")


@pytest.fixture
def study(template: tuple[str, str], tmp_path: Path) -> Path:
    """study.toml, plate1.csv and map.csv, without a fault."""
    folder = tmp_path / "study"
    folder.mkdir()
    for name, text in zip(("study.toml", "plate1.csv", "map.csv"), (STUDY, *template), strict=True):
        (folder / name).write_text(text, encoding="utf-8")
    return folder
