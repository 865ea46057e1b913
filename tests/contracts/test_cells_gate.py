"""Contract of `thrombokit cells gate FILE.fcs --gates G.xml --out M.csv`: never edited to fit.

The FCS file and the Gating-ML file are written here byte by byte and text by text, without our own writers.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

Command = Callable[..., Any]

GATES = """<?xml version="1.0" encoding="UTF-8"?>
<gating:Gating-ML xmlns:gating="http://www.isac-net.org/std/Gating-ML/v2.0/gating"
    xmlns:transforms="http://www.isac-net.org/std/Gating-ML/v2.0/transformations"
    xmlns:data-type="http://www.isac-net.org/std/Gating-ML/v2.0/datatypes">
  <transforms:transformation transforms:id="log"><transforms:flog transforms:T="1000" transforms:M="3"/></transforms:transformation>
  <gating:RectangleGate gating:id="large">
    <gating:dimension gating:compensation-ref="uncompensated" gating:min="BOUND">
      <data-type:fcs-dimension data-type:name="FSC-A"/></gating:dimension>
  </gating:RectangleGate>
  <gating:QuadrantGate gating:id="quadrants" gating:parent_id="large">
    <gating:divider gating:id="size" gating:compensation-ref="uncompensated">
      <data-type:fcs-dimension data-type:name="FSC-A"/><gating:value>500</gating:value></gating:divider>
    <gating:divider gating:id="dye" gating:compensation-ref="FCS" gating:transformation-ref="log">
      <data-type:fcs-dimension data-type:name="FL1-A"/><gating:value>0.5</gating:value></gating:divider>
    <gating:Quadrant gating:id="big-bright"><gating:position gating:divider_ref="size" gating:location="900"/>
      <gating:position gating:divider_ref="dye" gating:location="0.9"/></gating:Quadrant>
    <gating:Quadrant gating:id="dim"><gating:position gating:divider_ref="dye" gating:location="0.1"/></gating:Quadrant>
  </gating:QuadrantGate>
  <gating:BooleanGate gating:id="rest"><gating:and>
    <gating:gateReference gating:ref="large"/><gating:gateReference gating:ref="big-bright" gating:use-as-complement="true"/>
  </gating:and></gating:BooleanGate>
</gating:Gating-ML>
"""


def events() -> np.ndarray:
    rng = np.random.default_rng(4)
    return np.column_stack([rng.uniform(0.0, 1000.0, 500), 10.0 ** rng.uniform(0.0, 3.0, 500)]).astype("<f4")


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """The FCS file and the gates."""
    values = events()
    said = {
        "$BEGINANALYSIS": 0, "$ENDANALYSIS": 0, "$BEGINSTEXT": 0, "$ENDSTEXT": 0, "$BYTEORD": "1,2,3,4", "$DATATYPE": "F", "$MODE": "L",
        "$NEXTDATA": 0, "$PAR": 2, "$TOT": len(values), "$BEGINDATA": 1024, "$ENDDATA": 1023 + values.nbytes,
        "$P1N": "FSC-A", "$P1B": 32, "$P1E": "0,0", "$P1R": 1000, "$P2N": "FL1-A", "$P2B": 32, "$P2E": "0,0", "$P2R": 1000,
        "$P2S": "CD41",
    }  # fmt: skip
    text = "/" + "".join(f"{key}/{value}/" for key, value in said.items())
    places = (58, 57 + len(text), 1024, 1023 + values.nbytes, 0, 0)
    head = b"FCS3.1    " + b"".join(f"{place:>8d}".encode() for place in places) + text.encode()
    fcs, gates = tmp_path / "tube.fcs", tmp_path / "gates.xml"
    fcs.write_bytes(head.ljust(1024) + values.tobytes())
    gates.write_text(GATES.replace("BOUND", "250"), encoding="utf-8")
    return fcs, gates


def expected() -> dict[str, np.ndarray]:
    size, dye = events().T.astype(float)
    large = size >= 250.0
    bright = np.log10(dye / 1000.0) / 3.0 + 1.0 >= 0.5
    big_bright = large & (size >= 500.0) & bright
    return {"large": large, "big-bright": big_bright, "dim": large & ~bright, "rest": large & ~big_bright}


def test_one_row_an_event_and_one_column_a_gate_with_each_quadrant_its_own(command: Command, files: tuple[Path, Path]) -> None:
    fcs, gates = files
    out = fcs.with_name("m.csv")
    done = command("cells", "gate", fcs, "--gates", gates, "--out", out)
    assert (done.exit_code, done.stdout) == (0, "")
    table = pl.read_csv(out)
    assert table.columns == ["large", "big-bright", "dim", "rest"]
    assert table.height == 500
    assert set(table.unpivot()["value"].unique().to_list()) == {0, 1}
    for name, truth in expected().items():
        assert table[name].to_list() == truth.astype(int).tolist()


@pytest.mark.parametrize("ending", [".csv", ".parquet", ".json"])
def test_counts_stand_with_share_of_parent_and_interval(command: Command, files: tuple[Path, Path], ending: str) -> None:
    fcs, gates = files
    out = fcs.with_name(f"counts{ending}")
    assert command("cells", "gate", fcs, "--gates", gates, "--counts", out, "--quiet").exit_code == 0
    if ending == ".json":
        rows = json.loads(out.read_text(encoding="utf-8"))["files"][0]["populations"]
    else:
        rows = (pl.read_csv(out) if ending == ".csv" else pl.read_parquet(out)).to_dicts()
    truth = expected()
    assert {row["population"]: row["events"] for row in rows} == {name: int(member.sum()) for name, member in truth.items()}
    dim = next(row for row in rows if row["population"] == "dim")
    assert (dim["parent"], dim["parent_events"]) == ("large", int(truth["large"].sum()))
    share = 100.0 * truth["dim"].sum() / truth["large"].sum()
    assert dim["pct_of_parent"] == pytest.approx(share)
    assert dim["pct_low"] < share < dim["pct_high"]


def test_json_says_it_all_on_stdout(command: Command, files: tuple[Path, Path]) -> None:
    fcs, gates = files
    done = command("cells", "gate", fcs, "--gates", gates, "--json", "--quiet")
    document = json.loads(done.stdout)
    assert document["schema"] == "thrombokit.gated/1"
    assert document["files"][0]["events"] == 500
    assert document["lock"] is None
    assert len(document["gatingml_sha256"]) == 64


def test_without_a_file_to_write_the_counts_are_printed(command: Command, files: tuple[Path, Path]) -> None:
    fcs, gates = files
    done = command("cells", "gate", fcs, "--gates", gates, "--quiet")
    assert done.stdout.startswith("tube.fcs: 500 events\n  large: ")


def test_several_files_are_counted_by_any_number_of_workers(command: Command, files: tuple[Path, Path]) -> None:
    fcs, gates = files
    other = fcs.with_name("other.fcs")
    other.write_bytes(fcs.read_bytes())
    done = command("cells", "gate", fcs, other, "--gates", gates, "--counts", fcs.with_name("c.csv"), "--workers", "2", "--quiet")
    assert done.exit_code == 0
    table = pl.read_csv(fcs.with_name("c.csv"))
    assert table["file"].to_list() == ["tube.fcs"] * 4 + ["other.fcs"] * 4
    refused = command("cells", "gate", fcs, other, "--gates", gates, "--out", fcs.with_name("m.csv"))
    assert refused.exit_code == 3
    assert "2 FCS files" in refused.stderr


def test_a_lock_refuses_changed_gates_until_a_reason_is_logged(command: Command, files: tuple[Path, Path]) -> None:
    fcs, gates = files
    lock, changed = fcs.with_name("lock.json"), fcs.with_name("changed.xml")
    changed.write_text(GATES.replace("BOUND", "300"), encoding="utf-8")
    assert command("cells", "lock", gates, "--out", lock, "--fitted-on", fcs).exit_code == 0
    assert command("cells", "gate", fcs, "--gates", gates, "--lock", lock, "--quiet").exit_code == 0
    before = lock.read_bytes()
    out = fcs.with_name("m.csv")
    refused = command("cells", "gate", fcs, "--gates", changed, "--lock", lock, "--out", out)
    assert refused.exit_code == 3
    assert '"FSC-A (uncompensated, linear values): 250.0 and above" is now' in refused.stderr
    assert not out.exists()
    assert lock.read_bytes() == before
    accepted = command(
        "cells", "gate", fcs, "--gates", changed, "--lock", lock, "--log-change", "debris of this lot is larger", "--out", out
    )
    assert accepted.exit_code == 0
    log = json.loads(lock.read_text(encoding="utf-8"))["log"]
    assert [entry["reason"] for entry in log] == ["debris of this lot is larger"]
    assert out.exists()
    assert command("cells", "gate", fcs, "--gates", changed, "--lock", lock, "--quiet").exit_code == 0
    assert command("cells", "gate", fcs, "--gates", gates, "--lock", lock, "--quiet").exit_code == 3


def test_bad_input_ends_with_3_and_says_where(command: Command, files: tuple[Path, Path]) -> None:
    fcs, gates = files
    gates.write_text(GATES.replace("BOUND", "250").replace('name="FL1-A"', 'name="CD41"'), encoding="utf-8")
    done = command("cells", "gate", fcs, "--gates", gates, "--out", fcs.with_name("m.csv"))
    assert done.exit_code == 3
    assert "gates.xml, gate quadrants on tube.fcs" in done.stderr
    assert 'Name the channel "FL1-A"' in done.stderr
    as_json = command("cells", "gate", fcs, "--gates", fcs, "--json")
    assert as_json.exit_code == 3
    assert json.loads(as_json.stdout)["schema"] == "thrombokit.error/1"
    no_lock = command("cells", "gate", fcs, "--gates", gates, "--log-change", "why")
    assert (no_lock.exit_code, "Add --lock LOCK.json" in no_lock.stderr) == (3, True)
    assert command("cells", "gate", fcs, "--gates", gates, "--confidence", "95").exit_code == 2


def test_the_log_of_a_lock_is_not_overwritten_unasked(command: Command, files: tuple[Path, Path]) -> None:
    fcs, gates = files
    lock = fcs.with_name("lock.json")
    assert command("cells", "lock", gates, "--out", lock).exit_code == 0
    assert command("cells", "lock", gates, "--out", lock).exit_code == 3
    assert command("cells", "lock", gates, "--out", lock, "--replace").exit_code == 0
