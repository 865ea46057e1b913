"""Contract of `thrombokit cells spillover --unstained U.fcs --stain CHANNEL=FILE.fcs ...`: never edited to fit."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from thrombokit import write_fcs
from thrombokit.cells.sample import Channel, Sample
from thrombokit.io.spillover_tables import read_spillover_table

Command = Callable[..., Any]
NAMES = ("FL1-A", "FL2-A")
TRUE = np.array([[1.0, 0.2], [0.02, 1.0]])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """u.fcs, a.fcs (FL1) and b.fcs (FL2): beads, 2,000 each."""
    rng = np.random.default_rng(3)
    for name, own in (("u", -1), ("a", 0), ("b", 1)):
        dye = np.zeros((2000, 2))
        if own >= 0:
            dye[:, own] = rng.normal(20_000.0, 2000.0, 2000)
        shown = 100.0 + dye @ TRUE + rng.normal(0.0, 30.0, (2000, 2))
        channels = tuple(Channel(name=c, range_max=262_144.0) for c in NAMES)
        write_fcs(Sample(name=f"{name}.fcs", channels=channels, stored=shown.astype(np.float32)), tmp_path / f"{name}.fcs")
    return tmp_path


def _call(command: Command, folder: Path, *more: str | Path) -> Any:
    stains = ("--stain", f"FL1-A={folder / 'a.fcs'}", "--stain", f"FL2-A={folder / 'b.fcs'}")
    return command("cells", "spillover", "--unstained", folder / "u.fcs", *stains, *more)


@pytest.mark.parametrize("statistic", ["median", "grouped_slope"])
@pytest.mark.parametrize("ending", ["csv", "tsv", "mtx"])
def test_the_matrix_is_written_and_is_the_true_one(command: Command, folder: Path, ending: str, statistic: str) -> None:
    out = folder / f"matrix.{ending}"
    done = _call(command, folder, "--out", out, "--statistic", statistic)
    assert done.exit_code == 0
    assert "2 channels from 2 single stains" in done.stderr
    found = read_spillover_table(out)
    assert found.channels == NAMES
    assert np.abs(found.matrix - TRUE).max() < 0.002


def test_without_out_the_table_is_printed(command: Command, folder: Path) -> None:
    done = _call(command, folder, "--quiet")
    assert done.exit_code == 0
    assert done.stderr == ""
    table = pl.read_csv(done.stdout.encode())
    assert table.columns == ["stain", "detector", "spillover", "low", "high", "spreading"]
    assert table.height == 4
    beside = table.filter(pl.col("stain") != pl.col("detector"))
    assert ((beside["low"] < beside["spillover"]) & (beside["spillover"] < beside["high"])).all()


def test_json_has_matrix_intervals_spreading_and_controls(command: Command, folder: Path) -> None:
    document = json.loads(_call(command, folder, "--json", "--confidence", "0.9").stdout)
    assert next(iter(document)) == "schema"
    assert document["schema"] == "thrombokit.spillover/1"
    assert {"channels", "matrix", "low", "high", "spreading", "statistic", "confidence", "unstained", "stains", "notes"} <= set(
        document
    )
    assert document["channels"] == list(NAMES)
    assert document["spreading"][0][0] is None
    assert (document["confidence"], document["unstained"]) == (0.9, "u.fcs")
    assert [stain["file"] for stain in document["stains"]] == ["a.fcs", "b.fcs"]
    assert {"channel", "file", "events", "bright_events", "share_at_top"} <= set(document["stains"][0])


def test_the_same_controls_give_the_same_bytes(command: Command, folder: Path) -> None:
    first, again = (_call(command, folder, "--json", "--statistic", "grouped_slope").stdout for _ in range(2))
    assert first == again


def test_controls_can_be_gated(command: Command, folder: Path) -> None:
    gates = folder / "gates.xml"
    space = "http://www.isac-net.org/std/Gating-ML/v2.0"
    gates.write_text(
        f'<gating:Gating-ML xmlns:gating="{space}/gating" xmlns:data-type="{space}/datatypes"><gating:RectangleGate gating:id="whole">'
        '<gating:dimension gating:compensation-ref="uncompensated" gating:min="-100000"><data-type:fcs-dimension data-type:name="FL1-A"/>'
        "</gating:dimension></gating:RectangleGate></gating:Gating-ML>"
    )
    done = _call(command, folder, "--json", "--gates", gates, "--gate", "whole")
    assert done.exit_code == 0
    assert json.loads(done.stdout)["matrix"] == json.loads(_call(command, folder, "--json").stdout)["matrix"]
    assert "found     no population 'cells'" in _call(command, folder, "--gates", gates, "--gate", "cells").stderr
    alone = _call(command, folder, "--gate", "cells")
    assert alone.exit_code == 3
    assert "--gate without --gates" in alone.stderr


def test_all_faults_of_the_controls_come_at_once(command: Command, folder: Path) -> None:
    u, a = folder / "u.fcs", folder / "a.fcs"
    done = command("cells", "spillover", "--unstained", u, "--stain", f"FL2-A={a}", "--stain", f"FL1-A={u}", "--json")
    assert done.exit_code == 3
    document = json.loads(done.stdout)
    assert document["schema"] == "thrombokit.error/1"
    assert [fault["place"] for fault in document["faults"]] == ["u.fcs (single stain of FL1-A)", "a.fcs (single stain of FL2-A)"]
    assert "too dim" in document["faults"][0]["found"]
    assert "more light in FL1-A" in document["faults"][1]["found"]


def test_stains_that_are_not_channel_and_file(command: Command, folder: Path) -> None:
    u = folder / "u.fcs"
    said = ("--stain", "fitc.fcs", "--stain", "FL1-A=a.fcs", "--stain", "FL1-A=b.fcs", "--stain", "unstained=u.fcs")
    done = command("cells", "spillover", "--unstained", u, *said)
    assert done.exit_code == 3
    assert "'fitc.fcs'" in done.stderr
    assert "'FL1-A' twice" in done.stderr
    assert "3 faults found" in done.stderr
    assert command("cells", "spillover", "--unstained", u).exit_code == 2
