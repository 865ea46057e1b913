"""Contracts of `thrombokit evidence list|show|cite`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

Command = Callable[..., Any]


def test_list(command: Command) -> None:
    document = json.loads(command("evidence", "list", "eltrombopag", "AUC", "--json").stdout)
    assert document["schema"] == "thrombokit.evidence/1"
    assert all(
        {"id", "quantity", "value", "unit", "source", "locator", "tier", "confidence", "doi"} <= set(r) for r in document["records"]
    )
    lines = command("evidence", "list").stdout.splitlines()
    assert len(lines) > len(document["records"]) > 0
    assert all(len(line.split("\t")) == 4 for line in lines)


def test_show_and_cite(command: Command) -> None:
    shown = json.loads(command("evidence", "show", "het.invitro.ec50.32dmpl", "--json").stdout)
    assert (shown["schema"], shown["value"], shown["unit"]) == ("thrombokit.evidence-record/1", 0.4, "nmol/L")
    cited = json.loads(command("evidence", "cite", "het.invitro.ec50.32dmpl", "--json").stdout)
    assert "0.4 nmol/L" in cited["citation"]
    assert cited["bibtex"].startswith("@misc{het_invitro_ec50_32dmpl,")
    assert json.loads(command("evidence", "cite", "d.ratio.32d", "--json").stdout)["bibtex"] is None


def test_an_unknown_record(command: Command) -> None:
    done = command("evidence", "show", "nothing.like.it", "--json")
    assert done.exit_code == 3
    assert json.loads(done.stdout)["faults"][0]["expected"] == "the id of a record"
