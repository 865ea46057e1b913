"""Contract of `thrombokit trials survival FILE --time T --event E --arm A --json`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from thrombokit import analyse_survival, fit_cox, read_survival

Command = Callable[..., Any]
TRIAL = """week,outcome,group,prior
1,response,active,yes
2,response,active,no
1,response,active,yes
3,rescue,active,no
6,none,active,yes
2,response,active,no
4,response,active,yes
6,none,active,no
6,none,placebo,yes
2,rescue,placebo,no
3,rescue,placebo,yes
4,response,placebo,no
5,drop-out,placebo,
1,drop-out,placebo,no
,none,placebo,no
-1,none,placebo,no
3,,placebo,no
"""
ROLES = ("--time", "week", "--event", "outcome", "--arm", "group", "--event-value", "response")


@pytest.fixture
def trial(tmp_path: Path) -> Path:
    path = tmp_path / "trial.csv"
    path.write_text(TRIAL, encoding="utf-8")
    return path


def test_every_key_of_the_document(command: Command, trial: Path) -> None:
    done = command("trials", "survival", trial, *ROLES, "--strata", "prior", "--cox", "efron", "--json")
    assert done.exit_code == 0, done.stderr
    document = json.loads(done.stdout)
    assert next(iter(document)) == "schema"
    assert document["schema"] == "thrombokit.survival/1"
    assert [arm["name"] for arm in document["arms"]] == ["active", "placebo"]
    assert all({"name", "n", "events", "median", "low", "high"} <= set(arm) for arm in document["arms"])
    assert [(arm["n"], arm["events"]) for arm in document["arms"]] == [(8, 5), (6, 1)]
    assert {"statistic", "df", "p"} <= set(document["logrank"])
    assert document["logrank"]["stratified"] is True
    assert (document["conf_type"], document["median_rule"]) == ("log", "R")
    assert "middle of that level stretch" in document["median_rule_says"]
    assert document["dropped_rows"] == 4
    assert document["dropped"] == [
        {"row": 14, "reason": "missing stratum prior", "left_out_of": "stratified tests"},
        {"row": 16, "reason": "missing time", "left_out_of": "everything"},
        {"row": 17, "reason": "negative time", "left_out_of": "everything"},
        {"row": 18, "reason": "missing event", "left_out_of": "everything"},
    ]
    assert [ratio["arm"] for ratio in document["cox"]["ratios"]] == ["placebo"]


def test_it_says_what_the_functions_give(command: Command, trial: Path) -> None:
    data = read_survival(trial, time="week", event="outcome", arm="group", strata=("prior",), event_value="response")
    expected = analyse_survival(data, conf_type="log-log", median_rule="inf", confidence=0.9, rho=1.0)
    expected = expected.with_cox(fit_cox(data, ties="breslow", reference="placebo", confidence=0.9))
    done = command(
        "trials", "survival", trial, *ROLES, "--strata", "prior", "--cox", "breslow", "--reference", "placebo", "--conf-type", "log-log",
        "--median-rule", "inf", "--confidence", "0.9", "--rho", "1", "--json",
    )  # fmt: skip
    assert json.loads(done.stdout) == json.loads(json.dumps(expected.to_dict()))


def test_the_rule_for_a_median_at_exactly_one_half(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "weeks.csv"
    path.write_text("week,seen\n1,1\n2,1\n3,1\n4,1\n", encoding="utf-8")
    columns = ("--time", "week", "--event", "seen", "--json")
    medians = {
        rule: json.loads(command("trials", "survival", path, *columns, "--median-rule", rule).stdout)["arms"][0]["median"]
        for rule in ("R", "inf")
    }
    assert medians == {"R": 2.5, "inf": 2.0}


def test_not_reached_and_one_arm_are_null(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "one.csv"
    path.write_text("week,seen\n1,1\n2,0\n3,0\n4,0\n", encoding="utf-8")
    document = json.loads(command("trials", "survival", path, "--time", "week", "--event", "seen", "--json").stdout)
    arm = document["arms"][0]
    assert (arm["name"], arm["median"], arm["high"], arm["verdict"]) == ("all", None, None, "not_reached")
    assert document["logrank"] is None
    assert document["cox"] is None
    assert document["dropped_rows"] == 0


def test_competing_causes(command: Command, trial: Path, tmp_path: Path) -> None:
    done = command(
        "trials", "survival", trial, *ROLES, "--competing", "rescue,drop-out", "--curves", tmp_path / "curves.csv",
        "--picture", tmp_path / "curves.svg", "--json",
    )  # fmt: skip
    assert done.exit_code == 0, done.stderr
    document = json.loads(done.stdout)
    by_cause = {(row["arm"], row["cause"]): row for row in document["cumulative_incidence"]}
    assert by_cause["active", "response"]["estimate"] == pytest.approx(5 / 8)
    assert by_cause["placebo", "rescue"]["events"] == 2
    assert [test["cause"] for test in document["gray"]] == ["response", "rescue", "drop-out"]
    steps = pl.read_csv(tmp_path / "curves.csv")
    assert steps.columns == ["arm", "cause", "time", "n_at_risk", "n_events", "incidence", "std_error", "low", "high"]
    assert (tmp_path / "curves.svg").read_text(encoding="utf-8").startswith("<svg")


def test_a_table_without_json(command: Command, trial: Path) -> None:
    done = command("trials", "survival", trial, *ROLES)
    assert done.exit_code == 0
    assert done.stdout.splitlines()[0] == "measure,group,method,estimate,low,high,p"
    words = ("active: 5 events in 8 subjects, median 3.00", "Log-rank test: chi-square", "Median rule R:", "3 rows left out")
    assert [word for word in words if word not in done.stderr] == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--time", "weeks", "--event", "outcome"), ['no column "weeks" (time)', 'Did you mean "week"?']),
        (("--time", "week", "--event", "outcome"), ["--event-value"]),
        ((*ROLES, "--confidence", "95"), ["above 0.5 and below 1"]),
        ((*ROLES, "--rho", "-1"), ["rho", "a number, 0 or more"]),
        ((*ROLES, "--cox", "efron", "--reference", "plcebo"), ['"plcebo"', "one of the arms active, placebo"]),
        ((*ROLES, "--picture", "curves.gif"), ["curves.gif", ".svg, .png or .pdf"]),
    ],
)
def test_what_is_refused(command: Command, trial: Path, options: tuple[str, ...], words: list[str]) -> None:
    done = command("trials", "survival", trial, *options)
    assert done.exit_code == 3
    assert [word for word in words if word not in done.stderr] == []


def test_the_same_bytes_twice(command: Command, trial: Path) -> None:
    one, other = (command("trials", "survival", trial, *ROLES, "--cox", "efron", "--json").stdout for _ in range(2))
    assert one == other
