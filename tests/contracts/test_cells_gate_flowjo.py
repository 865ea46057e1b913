"""Contract of `thrombokit cells gate FILE.fcs --gates WORKSPACE.wsp`: counts that FlowKit finds with FlowJo 10 workspaces."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("flowkit", reason="the extra [flowjo] is not installed")


@pytest.mark.parametrize(
    ("fcs", "workspace", "counts"),
    [
        ("test_data_diamond_01.fcs", "test_data_diamond_asinh_rect.wsp", {"upper_right": 50559}),
        ("test_data_diamond_01.fcs", "test_data_diamond_biex_rect.wsp", {"upper_right": 50605}),
        ("data_set_simple_line_100.fcs", "simple_poly_and_rect.wsp", {"poly1": 0, "rect1": 0}),
    ],
)
def test_counts_of_a_workspace(
    command: Callable[..., Any], reference_data: Path, fcs: str, workspace: str, counts: dict[str, int]
) -> None:
    folder = reference_data / "fcs" / "flowkit_flowjo"
    done = command("cells", "gate", folder / fcs, "--gates", folder / workspace, "--json")
    assert done.exit_code == 0, done.stderr
    (file,) = json.loads(done.stdout)["files"]
    assert {one["population"]: one["events"] for one in file["populations"]} == counts
