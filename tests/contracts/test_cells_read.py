"""Contract of `thrombokit cells read FILE.fcs`: never edited to fit."""

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
from thrombokit.cells.spillover import Spillover

Command = Callable[..., Any]
EVENTS = np.array([[100.0, 10.0, 262_143.0], [300.0, -5.0, 4.0], [500.0, 20.0, 2.0], [700.0, 30.0, 1.0]], dtype=np.float32)


@pytest.fixture
def tube(tmp_path: Path) -> Path:
    """Four events in three channels, with a spillover matrix: 10 % of PE in FITC."""
    channels = (
        Channel(name="FSC-A", range_max=262_144.0), Channel(name="FITC-A", label="CD41", range_max=262_144.0),
        Channel(name="PE-A", label="CD42b", range_max=262_144.0),
    )  # fmt: skip
    matrix = Spillover(channels=("FITC-A", "PE-A"), matrix=np.array([[1.0, 0.0], [0.1, 1.0]]), source="controls")
    path = tmp_path / "tube.fcs"
    write_fcs(Sample(name="tube.fcs", channels=channels, stored=EVENTS, spillover=matrix), path)
    return path


def test_channels_ranges_and_events_at_the_top_are_said(command: Command, tube: Path) -> None:
    done = command("cells", "read", tube)
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[0].startswith("tube.fcs: 4 events, 3 channels, FCS3.")
    assert lines[0].endswith("spillover among 2 channels")
    assert lines[1].split() == ["channel", "label", "min", "median", "max", "at", "top", "%", "at", "bottom", "%"]
    assert lines[2].split() == ["FSC-A", "100", "400", "700", "0.00", "0.00"]
    assert lines[4].split() == ["PE-A", "CD42b", "1", "3", "262143", "25.00", "0.00"]
    assert lines[-1] == "values: compensated"


def test_json_holds_file_channels_spillover_keywords_and_notes(command: Command, tube: Path) -> None:
    done = command("cells", "read", tube, "--json", "--stage", "decoded")
    assert done.exit_code == 0
    document = json.loads(done.stdout)
    assert next(iter(document)) == "schema"
    assert document["schema"] == "thrombokit.sample/1"
    assert {
        "file",
        "version",
        "data_set",
        "data_sets",
        "events",
        "stage",
        "channels",
        "spillover",
        "spillover_faults",
        "keywords",
        "notes",
    } <= set(document)
    assert (document["file"], document["events"], document["stage"]) == ("tube.fcs", 4, "decoded")
    fitc = document["channels"][1]
    assert {
        "name",
        "label",
        "range_max",
        "decades",
        "gain",
        "min",
        "median",
        "max",
        "share_at_top",
        "share_at_bottom",
        "not_finite",
    } <= set(fitc)
    assert (fitc["name"], fitc["label"], fitc["min"], fitc["median"], fitc["max"]) == ("FITC-A", "CD41", -5.0, 15.0, 30.0)
    assert document["channels"][2]["share_at_top"] == 0.25
    assert document["spillover"]["channels"] == ["FITC-A", "PE-A"]
    assert document["spillover"]["matrix"] == [[1.0, 0.0], [0.1, 1.0]]
    assert document["keywords"]["$TOT"] == "4"


@pytest.mark.parametrize("ending", ["csv", "tsv", "parquet"])
@pytest.mark.parametrize("stage", ["stored", "decoded", "compensated"])
def test_events_are_written_at_the_stage_asked_for(command: Command, tube: Path, tmp_path: Path, ending: str, stage: str) -> None:
    out = tmp_path / f"events.{ending}"
    assert command("cells", "read", tube, "--stage", stage, "--out", out, "--quiet").exit_code == 0
    table = pl.read_parquet(out) if ending == "parquet" else pl.read_csv(out, separator="," if ending == "csv" else "\t")
    assert table.columns == ["FSC-A", "FITC-A", "PE-A"]
    expected = EVENTS.astype(float)
    if stage == "compensated":
        expected[:, 1] -= 0.1 * expected[:, 2]
    np.testing.assert_allclose(table.to_numpy(), expected, rtol=1e-6)


def test_names_that_stand_twice_get_a_number(command: Command, tmp_path: Path) -> None:
    channels = (Channel(name="FL1", range_max=1024.0), Channel(name="FL1", range_max=1024.0))
    path = tmp_path / "twice.fcs"
    write_fcs(Sample(name="twice.fcs", channels=channels, stored=np.array([[0, 1023], [5, 6]], dtype=np.uint16)), path)
    assert command("cells", "read", path, "--out", tmp_path / "e.csv").exit_code == 0
    assert pl.read_csv(tmp_path / "e.csv").columns == ["FL1", "FL1 (2)"]
    channels_said = json.loads(command("cells", "read", path, "--json").stdout)["channels"]
    assert [(c["share_at_top"], c["share_at_bottom"]) for c in channels_said] == [(0.0, 0.5), (0.5, 0.0)]


def test_what_cannot_be_read_is_refused_with_the_cure(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "notes.fcs"
    path.write_text("not an FCS file " * 20)
    done = command("cells", "read", path, "--json")
    assert done.exit_code == 3
    document = json.loads(done.stdout)
    assert document["schema"] == "thrombokit.error/1"
    assert document["faults"][0]["place"].startswith("notes.fcs")
    assert document["faults"][0]["cure"]
    assert command("cells", "read", tmp_path / "nowhere.fcs").exit_code == 3


def test_another_data_set_is_asked_for_by_number(command: Command, tube: Path) -> None:
    assert command("cells", "read", tube, "--data-set", "1").exit_code == 0
    done = command("cells", "read", tube, "--data-set", "2")
    assert done.exit_code == 3
    assert "1 data set(s), and number 2 was asked for" in done.stderr


def test_other_endings_are_refused(command: Command, tube: Path, tmp_path: Path) -> None:
    done = command("cells", "read", tube, "--out", tmp_path / "events.xlsx")
    assert done.exit_code == 3
    assert 'ending ".xlsx"' in done.stderr
