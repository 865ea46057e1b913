"""Contract of `thrombokit signalling scan`: one table, one JSON document, and exit code 3 with a cure."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

Command = Callable[..., Any]
MODEL = "model m\nspecies S1, S2; S1 = 4; S2 = 0; k = 0.5; J: S1 -> S2; k*S1\nend\n"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "m.ant"
    path.write_text(MODEL, encoding="utf-8")
    return path


def test_values_of_any_model(command: Command, model: Path, tmp_path: Path) -> None:
    out = tmp_path / "scan.parquet"
    done = command("signalling", "scan", model, "--vary", "k=0.1:10:3:log", "--vary", "S1=1,2", "--end", "1", "--points", "2", "--select", "S2",
                   "--out", out, "--json")  # fmt: skip
    assert done.exit_code == 0, done.stderr
    document = json.loads(done.stdout)
    assert next(iter(document)) == "schema"
    assert document["schema"] == "thrombokit.scan/1"
    assert {"kind", "model", "n_rows", "said", "caption", "settings", "columns"} <= document.keys()
    table = pl.read_parquet(out)
    assert table.columns == ["k", "S1", "time", "S2", "outcome"]
    assert table.height == document["n_rows"] == 12
    assert table["k"].unique(maintain_order=True).to_list() == pytest.approx([0.1, 1.0, 10.0])
    assert document["columns"]["S2"] == table["S2"].to_list()


def test_doses_of_the_built_in_model(command: Command) -> None:
    done = command("signalling", "scan", "--dose", "0.4, 4 nM", "--hours", "24,72", "--json", "--quiet")
    assert done.exit_code == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["kind"], document["model"]) == ("doses", "tpor, 32D-MPL")
    columns = document["columns"]
    assert {
        "treatment",
        "agonist",
        "concentration_nM",
        "time_h",
        "response_pct",
        "cells",
        "STAT5_p_nM",
        "ERK_p_nM",
        "AKT_p_nM",
    } <= set(columns)
    assert sorted(set(columns["concentration_nM"])) == [0.4, 4.0]
    assert max(columns["time_h"]) == 72.0
    assert "rates are assumed" in document["caption"]
    assert columns["response_pct"][0] is None, "no window at time 0"


@pytest.mark.parametrize(
    ("options", "first", "words"),
    [
        (("--kind", "inhibitors", "--dose", "4 nM", "--inhibitor-dose", "100"), "treatment,", "inhibitors: 5 rows"),
        (("--kind", "mutants", "--dose", "4 nM"), "treatment,", "mutants: 15 rows"),
        (("--kind", "pulses", "--dose", "4 nM", "--given", "0-6,24-30"), "treatment,", "pulses: 28 rows"),
        (("--kind", "hours", "--sets", "2"), "agonist,", "Bands: 5 to 95 % of 2 sets of rates"),
        (("--kind", "combination", "--sets", "2"), "first,", "where drives add"),
        (("--kind", "bands", "--dose", "4 nM", "--sets", "2", "--cell-system", "adult blood"), "treatment,", "CD41 and ploidy are assumed"),
        (("--kind", "ploidy"), "claim,", "6 of 8 claims agree in direction; ERK supporting it: 5 of 8"),
    ],
)  # fmt: skip
def test_kinds_of_the_built_in_model(command: Command, options: tuple[str, ...], first: str, words: str) -> None:
    done = command("signalling", "scan", *options)
    assert done.exit_code == 0, done.stderr
    assert done.stdout.startswith(first)
    assert words in done.stderr
    assert "rates are assumed" in done.stderr


def test_sensitivities_of_any_model(command: Command, model: Path) -> None:
    done = command("signalling", "scan", model, "--kind", "local", "--end", "1", "--select", "S1", "--json", "--quiet")
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["columns"]["at_end"] == pytest.approx([-0.5], abs=1e-4)
    walks = command(
        "signalling", "scan", model, "--kind", "morris", "--end", "1", "--select", "S1", "--trajectories", "2", "--vary", "k=0.1,1"
    )
    assert walks.exit_code == 0, walks.stderr
    assert walks.stdout.startswith("parameter,low,high,output,mu_star,mu,sigma")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("m", "--vary", "k=1"), ("--end", "Give --end.")),
        (("m", "--kind", "doses", "--end", "1"), ("doses beside a model of your own", "values, local, morris")),
        (("m", "--vary", "k=1", "--end", "1", "--agonist", "rhTPO"), ("--agonist", "beside a plain one")),
        (("m", "--end", "1"), ("0 runs", "1 to 20000")),
        (("m", "--end", "1", "--vary", "k=a", "--vary", "S1"), ('"k=a"', '"S1"', "2 faults found")),
        (("m", "--end", "1", "--vary", "k=1:2"), ('"k=1:2"', "k1=0.1:10:5:log")),
        (("m", "--end", "1", "--vary", "k=0:2:3:log"), ('"k=0:2:3:log"',)),
        (("m", "--end", "1", "--vary", "kk=1"), ('setting "kk"', 'Did you mean "k"?')),
        (("m", "--end", "1", "--vary", "k=1", "--set", "k=2"), ("the same id in --set",)),
        (("m", "--end", "1", "--vary", "k=1", "--vary", "k=2"), ('"k" twice',)),
        (("m", "--end", "1", "--vary", "k=1", "--select", "S3"), ('selection "S3"',)),
        (("m", "--end", "1", "--kind", "morris", "--vary", "k=1,2,3", "--trajectories", "1"), ("3 values", "two ends of a range", "--trajectories")),
        (("m", "--end", "1", "--kind", "local", "--vary", "S2=1"), ('"S2"', "other than 0")),
        (("--kind", "values"), ("values without --vary",)),
        (("--dose", "1 nM", "--dose", "2 nM"), ("2 times", "at most 1 times")),
        (("--dose", "one nM",), ("one nM",)),
        (("--dose", "5",), ("without a unit",)),
        (("--hours", "72,24"), ("hours that rise",)),
        (("--hours", "soon"), ('"soon"', "a number of 0 or more")),
        (("--kind", "hours", "--hours", "24"), ("two read-outs or more",)),
        (("--kind", "bands", "--sets", "0"), ("--sets", "1 to 10000")),
        (("--kind", "morris", "--trajectories", "1"), ("--trajectories", "2 or more")),
        (("--kind", "pulses", "--given", "6-0"), ('"6-0"', "0-6,24-30")),
        (("--kind", "ploidy", "--cell-system", "32D-MPL"), ("none beside ploidy",)),
        (("--kind", "predictions", "--cell-system", "CD34+ adult blood"), ("have no EC50", "CD34+ cord blood")),
        (("--kind", "combination", "--agonist", "hetrombopag", "--agonist", "eltrombopag", "--dose", "1 nM"), ("doses of both agonists",)),
        (("--kind", "combination", "--agonist", "rhTPO"), ("rhTPO alone", "Name a second one.")),
        (("--agonist", "hetrombopag", "--agonist", "SHR-8735"), ("hetrombopag twice",)),
        (("--cell-system", "32D-MPLL"), ('Did you mean "32D-MPL"?',)),
        (("--select", "S1"), ("--select", "words of a plain model")),
        (("--kind", "mutants", "--mutation", "LNK loss", "--dose", "1, 2 nM"), ("a variant beside mutants", "several doses beside mutants")),
        (("--kind", "inhibitors", "--agonist", "hetrombopag", "--agonist", "rhTPO"), ("2 agonists beside inhibitors",)),
        (("--kind", "ploidy", "--sets", "3", "--hours", "72"), ("3 sets of rates beside ploidy", "hours beside ploidy")),
        (("--mutation", "V617"), ('mutation', "JAK2 V617F")),
    ],
)  # fmt: skip
def test_what_is_wrong_ends_with_3_and_is_named(
    command: Command, model: Path, options: tuple[str, ...], words: tuple[str, ...]
) -> None:
    done = command("signalling", "scan", *(str(model) if option == "m" else option for option in options))
    assert done.exit_code == 3, done.stderr
    assert all(word in done.stderr for word in words), done.stderr
    assert "Traceback" not in done.stderr


def test_errors_are_json_too(command: Command) -> None:
    done = command("signalling", "scan", "--hours", "72,24", "--json")
    assert done.exit_code == 3
    assert json.loads(done.stdout)["schema"] == "thrombokit.error/1"
