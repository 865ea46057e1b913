"""Contract of `--parameters`, `--draw` and `--draws` of `thrombokit patients simulate|compare`: never edited to fit."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

Command = Callable[..., Any]

STOPPED = "hetrombopag-itp-absolute-stopped-day-14"
COHORT = ("patients", "simulate", "--agonist", "hetrombopag", "--patients", "20", "--weeks", "4", "--seed", "1")
COMPARED = (
    "patients",
    "compare",
    "hetrombopag",
    "--regimen",
    "default",
    "--regimen",
    "placebo",
    "--patients",
    "20",
    "--weeks",
    "4",
    "--seed",
    "1",
)


def test_many_draws_of_all_calibrated_sets(command: Command, tmp_path: Path) -> None:
    done = command(*COHORT, "--parameters", "calibrated", "--draws", "8", "--out", tmp_path / "one", "--json")
    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["schema"], found["draws"], found["patients"]) == ("thrombokit.draws/1", 8, 20)
    assert [one["draws"] for one in found["sets"]] == [2, 2, 2, 2]
    assert all(len(one["sha256"]) == 64 and one["kind"] == "posterior" for one in found["sets"])
    assert found["sets"][0]["sha256"][:12] in done.stderr
    assert {row["part"] for row in found["by_week"]} == {"all sets", "dosed-to-day-28", "stopped-day-14"}
    assert {row["measure"] for row in found["by_week"]} == {"median count", "in range", "response", "median dose"}
    columns = {
        "part",
        "measure",
        "unit",
        "week",
        "replicates",
        "median",
        "low",
        "high",
        "variance",
        "sampling_variance",
        "parameter_variance",
    }
    assert set(pl.read_csv(tmp_path / "one" / "by_week.csv").columns) == columns
    assert {path.name for path in (tmp_path / "one").iterdir()} == {"by_week.csv", "replicates.csv", "draws.json", "draws.svg"}
    command(*COHORT, "--parameters", "calibrated", "--draws", "8", "--out", tmp_path / "two", "--quiet")
    for path in (tmp_path / "one").iterdir():
        assert (tmp_path / "two" / path.name).read_bytes() == path.read_bytes(), path.name


def test_one_draw_of_one_set(command: Command, tmp_path: Path) -> None:
    done = command(*COHORT, "--parameters", STOPPED, "--draw", "3", "--out", tmp_path, "--json")
    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["schema"] == "thrombokit.cohort/1"
    assert (found["parameters"]["parameters"], found["parameters"]["draw"], len(found["parameters"]["sha256"])) == (STOPPED, 3, 64)
    assert f"draw 3 of {STOPPED}" in done.stderr
    assert json.loads((tmp_path / "cohort.json").read_text(encoding="utf-8"))["parameters"] == found["parameters"]
    alone = json.loads(command(*COHORT, "--json").stdout)
    assert alone["parameters"] is None


def test_several_sets_by_name(command: Command) -> None:
    names = ("hetrombopag-itp-relative-stopped-day-14", "hetrombopag-itp-relative-dosed-to-day-28")
    done = command(*COHORT, "--parameters", names[0], "--parameters", names[1], "--draws", "4", "--json", "--quiet")
    assert done.exit_code == 0, done.stderr
    assert [one["name"] for one in json.loads(done.stdout)["sets"]] == list(names)


def test_compare_under_one_draw_or_many(command: Command, tmp_path: Path) -> None:
    done = command(
        *COMPARED,
        "--parameters",
        "calibrated",
        "--draws",
        "4",
        "--out",
        tmp_path / "m.csv",
        "--picture",
        tmp_path / "m.svg",
        "--json",
    )
    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["schema"], found["draws"], found["regimens"]) == ("thrombokit.regimen-draws/1", 4, ["default", "placebo"])
    assert set(pl.read_csv(tmp_path / "m.csv").columns) == {
        "part", "regimen", "measure", "unit", "value", "low", "high", "difference", "difference_low", "difference_high", "above_reference",
    }  # fmt: skip
    assert (tmp_path / "m.svg").read_text(encoding="utf-8").startswith("<svg")
    one = command(*COMPARED, "--parameters", STOPPED, "--draw", "3", "--json", "--quiet")
    assert (one.exit_code, json.loads(one.stdout)["schema"]) == (0, "thrombokit.regimens/1")


@pytest.mark.parametrize("base", [COHORT, COMPARED], ids=["simulate", "compare"])
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--draw", "3"), "--draw found no --parameters"),
        (("--draws", "3"), "--draws found no --parameters"),
        (("--parameters", STOPPED, "--draw", "1", "--draws", "4"), "--draw, --draws found both"),
        (("--parameters", "a", "--parameters", "b", "--draw", "1"), "--draw found 2 sets for a single draw"),
        (("--parameters", "calibrated", "--draw", "1"), "found 4 sets for a single draw"),
        (("--parameters", "calibrated", "--draws", "10"), "expected a multiple of 4"),
        (("--parameters", "hetrombopag-itp-absolute-stopped-day-15", "--draws", "4"), f'Did you mean "{STOPPED}"?'),
        (("--parameters", STOPPED, "--draw", "250"), "expected a row from 0 to 249"),
        (("--parameters", "eltrombopag-itp-emax"), "found the agonist hetrombopag expected eltrombopag"),
    ],
)
def test_bad_words_end_with_3(command: Command, base: tuple[str, ...], options: tuple[str, ...], said: str) -> None:
    done = command(*base, *options)
    assert done.exit_code == 3
    assert said in " ".join(done.stderr.split())


def test_a_data_set_takes_no_parameters(command: Command, tmp_path: Path) -> None:
    done = command("patients", "simulate", tmp_path / "events.csv", "--model", "hetrombopag-itp", "--parameters", "calibrated")
    assert done.exit_code == 3
    assert "--parameters found a data set" in " ".join(done.stderr.split())
