"""Gate locks: what counts as a change, how it is told, and that a log cannot be altered unseen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from thrombokit import check_lock, lock_gates, log_gate_change, read_gate_lock, refuse_gate_changes, write_gate_lock
from thrombokit.cells.gates import Bounds, Dimension, GateTree, polygon, rectangle
from thrombokit.cells.scales import LogicleScale
from thrombokit.cells.spillover import Spillover
from thrombokit.errors import FileFormatError, InputError

CD41 = Dimension(channel="B1-A", scale=LogicleScale(), compensation="plate")
SIZE = Dimension(channel="FSC-A")


def tree(*, low: float = 0.37, leak: float = 0.1, more: bool = False, corner: float = 5.0) -> GateTree:
    cells = polygon("cells", SIZE, Dimension(channel="SSC-A"), [[0, 0], [corner, 0], [5, 5]])
    gates = [cells, rectangle("CD41+", Bounds(dimension=CD41, low=low), parent="cells")]
    if more:
        gates.append(rectangle("large", Bounds(dimension=SIZE, low=3.0)))
    matrix = Spillover(channels=("B1-A", "Y1-A"), matrix=np.array([[1.0, leak], [0.0, 1.0]]), source="plate")
    return GateTree(gates=tuple(gates), matrices={"plate": matrix}, source="g.xml")


def test_the_same_gates_pass_in_any_order_and_from_any_file() -> None:
    lock, same = lock_gates(tree()), tree()
    swapped = GateTree(gates=same.gates[::-1], matrices=same.matrices, source="other.xml")
    assert check_lock(lock, same) == check_lock(lock, swapped) == ()
    assert lock_gates(tree()).sha256 == lock.sha256


def test_each_change_is_told_in_words_old_and_new() -> None:
    (bound,) = check_lock(lock_gates(tree()), tree(low=0.4))
    scale = "logicle A 0.0 M 4.5 T 262144.0 W 0.5"
    assert str(bound) == (
        f'gate CD41+ was changed: "B1-A (matrix plate, {scale}): 0.37 and above" is now "B1-A (matrix plate, {scale}): 0.4 and above"'
    )
    (matrix,) = check_lock(lock_gates(tree()), tree(leak=0.2))
    assert "1.0 0.1 / 0.0 1.0" in str(matrix)
    assert "1.0 0.2 / 0.0 1.0" in str(matrix)
    (corner,) = check_lock(lock_gates(tree()), tree(corner=5.0 + 1e-12))
    assert corner.id == "cells"
    assert "(5.000000000001, 0.0)" in str(corner)
    (added,) = check_lock(lock_gates(tree()), tree(more=True))
    assert (
        str(added)
        == "gate large was added: kind: rectangle; parent: all events; FSC-A (uncompensated, linear values): 3.0 and above"
    )
    (removed,) = check_lock(lock_gates(tree(more=True)), tree())
    assert str(removed).startswith("gate large was removed: kind: rectangle")


def test_gates_that_differ_are_refused_all_at_once() -> None:
    with pytest.raises(InputError) as caught:
        refuse_gate_changes(lock_gates(tree()), tree(low=0.4, corner=6.0), place="g.xml")
    assert [fault.place for fault in caught.value.faults] == ["g.xml, gate cells", "g.xml, gate CD41+"]
    assert all("--log-change REASON" in fault.cure for fault in caught.value.faults)


def test_a_logged_change_is_accepted_from_then_on_and_the_lock_itself_stays() -> None:
    lock = lock_gates(tree())
    changed = log_gate_change(lock, tree(low=0.4), reason=" the laser was realigned ", when="2026-01-02")
    assert check_lock(changed, tree(low=0.4)) == ()
    assert check_lock(changed, tree()) != ()
    assert (changed.sha256, changed.gates) == (lock.sha256, lock.gates)
    assert changed.log[0].reason == "the laser was realigned"
    assert log_gate_change(changed, tree(low=0.4), reason="again") == changed
    with pytest.raises(InputError, match="found no reason"):
        log_gate_change(lock, tree(low=0.4), reason="  ")


def logged(path: Path) -> dict[str, Any]:
    lock = lock_gates(tree(), fitted_on=[path.with_name("fmo.fcs")])
    for low, why in ((0.4, "first"), (0.5, "second")):
        lock = log_gate_change(lock, tree(low=low), reason=why, when="2026-01-02")
    write_gate_lock(lock, path)
    assert read_gate_lock(path) == lock
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "fmo.fcs").write_bytes(b"FCS3.1")
    return tmp_path / "lock.json"


def test_a_lock_comes_back_and_says_what_it_was_fitted_on(path: Path) -> None:
    document = logged(path)
    assert document["schema"] == "thrombokit.gate_lock/1"
    assert [entry["file"] for entry in document["locked"]["fitted_on"]] == ["fmo.fcs"]
    with pytest.raises(FileFormatError, match="none: the log of a lock is not thrown away unasked"):
        write_gate_lock(lock_gates(tree()), path)
    with pytest.raises(FileFormatError) as caught:
        lock_gates(tree(), fitted_on=["absent1.fcs", "absent2.fcs"])
    assert [fault.place for fault in caught.value.faults] == ["absent1.fcs", "absent2.fcs"]


def test_times_are_in_no_digest(path: Path) -> None:
    document = logged(path)
    document["log"][0]["when"] = "1999-01-01"
    path.write_text(json.dumps(document), encoding="utf-8")
    assert read_gate_lock(path).log[0].when == "1999-01-01"


def alter(document: dict[str, Any], what: str) -> None:
    if what == "bound":
        document["locked"]["gates"][1]["words"][2] = "B1-A: 0.9 and above"
    elif what == "fitted on":
        document["locked"]["fitted_on"] = []
    elif what == "reason":
        document["log"][0]["reason"] = "a better one"
    elif what == "dropped":
        del document["log"][0]
    elif what == "cut":
        del document["log"][1]


@pytest.mark.parametrize(
    ("what", "places"),
    [
        ("bound", ["locked", "log entry 1", "log entry 2", "locked, gate CD41+"]),
        ("fitted on", ["locked", "log entry 1"]),
        ("reason", ["log entry 1"]),
        ("dropped", ["log entry 1"]),
        ("cut", ["log"]),
    ],
)
def test_what_was_altered_by_hand_is_found(path: Path, what: str, places: list[str]) -> None:
    document = logged(path)
    alter(document, what)
    path.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(FileFormatError) as caught:
        read_gate_lock(path)
    found = [fault.place.removeprefix("lock.json, ") for fault in caught.value.faults]
    assert found[0] == places[0]
    assert set(found) <= set(places)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"schema": "thrombokit.gate_lock/9"}', "nul", "[" * 100_000, '{"schema": 1, "locked": 2}']
)
def test_what_is_no_lock_is_refused(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FileFormatError, match=r"lock\.json: found a file of another form"):
        read_gate_lock(path)
    with pytest.raises(FileFormatError, match="Check the path"):
        read_gate_lock(path.with_name("absent.json"))
