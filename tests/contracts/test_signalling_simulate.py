"""Contract of `thrombokit signalling simulate MODEL.xml --end T --points N --out CSV`: never edited to fit."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from thrombokit.signalling.antimony_source import sbml_of_antimony

Command = Callable[..., Any]
MODEL = "model m\ncompartment c=2; species S1 in c, S2 in c; S1=3; S2=0; k=0.5; J: S1 -> S2; k*S1*c; ratio := S2/S1\nend\n"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """S1 turns into S2 in a volume of 2."""
    path = tmp_path / "model.xml"
    path.write_text(sbml_of_antimony(MODEL, source="model"), encoding="utf-8")
    return path


def test_n_rows_both_ends_included_and_columns_as_asked_for(command: Command, model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    done = command("signalling", "simulate", model, "--end", "4", "--points", "9", "--out", out, "--select", "time,S1,[S1],k,c,J")
    assert done.exit_code == 0, done.stderr
    table = pl.read_csv(out)
    assert table.columns == ["time", "S1", "[S1]", "k", "c", "J"]
    assert table["time"].to_list() == [0.5 * row for row in range(9)]
    for time, amount, concentration, k, c, rate in table.iter_rows():
        assert amount == pytest.approx(6.0 * math.exp(-0.5 * time), rel=1e-7)
        assert concentration == pytest.approx(amount / 2.0, rel=1e-12)
        assert (k, c) == (0.5, 2.0)
        assert rate == pytest.approx(0.5 * amount, rel=1e-12)


def test_without_select_time_amounts_and_what_changes(command: Command, model: Path) -> None:
    done = command("signalling", "simulate", model, "--end", "1", "--points", "2")
    assert done.exit_code == 0
    assert done.stdout.splitlines()[0] == "time,S1,S2,ratio"
    assert len(done.stdout.splitlines()) == 3
    assert "agree within" in done.stderr


def test_values_can_be_set(command: Command, model: Path) -> None:
    line = ("signalling", "simulate", model, "--end", "1", "--points", "2", "--select", "S1", "--quiet")
    done = command(*line, "--set", "k=0", "--set", "[S1]=4")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "S1\n8.0\n8.0\n", "")


def test_json(command: Command, model: Path) -> None:
    done = command("signalling", "simulate", model, "--end", "1", "--points", "3", "--json", "--quiet")
    document = json.loads(done.stdout)
    assert next(iter(document)) == "schema"
    assert document["schema"] == "thrombokit.simulation/1"
    assert {"model", "points", "outcome", "message", "largest_difference", "columns", "settings", "notes"} <= document.keys()
    assert document["columns"]["time"] == [0.0, 0.5, 1.0]
    assert document["outcome"] == "converged"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--select", "time,ratoi"), ('selection "ratoi"', 'Did you mean "ratio"?')),
        (("--select", "time,q"), ('selection "q"', "The model has S1, S2, k, ratio, c, J.")),
        (("--select", "[k]"), ('no species "k"',)),
        (("--set", "kk=1"), ('setting "kk"', 'Did you mean "k"?')),
        (("--set", "k"), ('"k"', "id=number")),
        (("--set", "k=1", "--set", "k=2"), ('"k" twice',)),
        (("--set", "ratio=1"), ("a rule of the model",)),
        (("--set", "k=nan"), ("a finite number",)),
    ],
)
def test_what_is_wrong_ends_with_3_and_is_named(
    command: Command, model: Path, options: tuple[str, ...], words: tuple[str, ...]
) -> None:
    done = command("signalling", "simulate", model, "--end", "1", "--points", "3", *options)
    assert done.exit_code == 3
    assert all(word in done.stderr for word in words), done.stderr
    assert "Traceback" not in done.stderr


def test_times_that_make_no_sense_end_with_3(command: Command, model: Path) -> None:
    done = command("signalling", "simulate", model, "--end", "0", "--points", "1", "--json")
    assert done.exit_code == 3
    assert [fault["place"] for fault in json.loads(done.stdout)["faults"]] == ["end", "points"]


def test_what_is_not_supported_is_named(command: Command, model: Path) -> None:
    text = model.read_text(encoding="utf-8")
    delayed = text.replace(
        "<ci> k </ci>",
        '<apply><csymbol encoding="text" definitionURL="http://www.sbml.org/sbml/symbols/delay"> delay </csymbol>'
        "<ci> S1 </ci><cn> 1 </cn></apply>",
        1,
    )
    assert delayed != text
    model.write_text(delayed, encoding="utf-8")
    done = command("signalling", "simulate", model, "--end", "1", "--points", "3")
    assert done.exit_code == 3
    assert "a delay differential equation" in done.stderr


def test_a_solver_that_cannot_go_on_ends_with_4(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "blow.ant"
    path.write_text("model blow\nx = 1; x' = x*x\nend\n", encoding="utf-8")
    done = command("signalling", "simulate", path, "--end", "2", "--points", "3")
    assert done.exit_code == 4
    assert "the solver stopped at time" in done.stderr


def test_the_built_in_model_is_simulated_by_name(command: Command) -> None:
    done = command("signalling", "simulate", "--end", "30", "--points", "3", "--set", "[TPO]=1", "--quiet")
    assert done.exit_code == 0
    assert len(done.stdout.splitlines()) == 4


def test_help_loads_no_solver() -> None:
    code = (
        "import sys\nfrom thrombokit.cli.main import main\nsys.argv = ['thrombokit', 'signalling', 'simulate', '--help']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print(sorted({'roadrunner', 'libsbml', 'antimony', 'numpy', 'altair'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8", check=True)
    assert "--points" in done.stdout
    assert done.stderr.strip().splitlines()[-1] == "[]"
