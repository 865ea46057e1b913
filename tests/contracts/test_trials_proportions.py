"""Contract of `thrombokit trials proportions A/N B/M --json`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from thrombokit import compare_proportions

Command = Callable[..., Any]


def test_every_key_of_the_document(command: Command) -> None:
    done = command("trials", "proportions", "12/30", "5/31", "--json")
    assert done.exit_code == 0
    document = json.loads(done.stdout)
    assert next(iter(document)) == "schema"
    assert document == compare_proportions(12, 30, 5, 31).to_dict()
    assert [set(arm["intervals"]) for arm in document["arms"]] == [{"clopper_pearson", "wilson", "mid_p"}] * 2
    assert {"estimate", "miettinen_nurminen", "mee", "newcombe"} <= set(document["risk_difference"])
    assert {"estimate", "log", "score"} <= set(document["risk_ratio"])
    assert {"estimate", "wald", "score", "exact_conditional"} <= set(document["odds_ratio"])
    assert set(document["odds_ratio"]["exact_conditional"]) == {"estimate", "interval"}
    assert {"fisher", "boschloo", "chi_square"} <= set(document["tests"])
    assert document["risk_difference"]["estimate"] == pytest.approx(12 / 30 - 5 / 31)


def test_what_does_not_exist_is_null(command: Command) -> None:
    document = json.loads(command("trials", "proportions", "3/10", "0/12", "--json").stdout)
    assert document["risk_ratio"]["estimate"] is None
    assert document["risk_ratio"]["log"] == [0.0, None]
    assert document["odds_ratio"]["exact_conditional"]["interval"][1] is None
    empty = json.loads(command("trials", "proportions", "0/10", "0/20", "--json").stdout)
    assert empty["odds_ratio"] == {
        "estimate": None, "wald": [0.0, None], "score": [0.0, None], "exact_conditional": {"estimate": None, "interval": [0.0, None]},
    }  # fmt: skip
    assert empty["tests"]["chi_square"]["p"] is None
    assert empty["tests"]["fisher"]["p"] == 1.0


def test_a_table_without_json(command: Command) -> None:
    done = command("trials", "proportions", "12/30", "5/31")
    assert done.exit_code == 0
    assert done.stdout.splitlines()[0] == "measure,method,estimate,low,high,p"
    assert "12/30 (40.0 %) against 5/31 (16.1 %)" in done.stderr


@pytest.mark.parametrize(
    ("arms", "words"),
    [
        (("13/12", "x"), ["arm 2", '"x"', "Write it as 12/30."]),
        (
            ("13/12", "0/0"),
            ["first arm", "13 of 12", "0 to 12 responders", "second arm", "0 of 0", "at least one subject", "2 faults"],
        ),
    ],
)
def test_arms_that_are_none(command: Command, arms: tuple[str, str], words: list[str]) -> None:
    done = command("trials", "proportions", *arms)
    assert done.exit_code == 3
    assert [word for word in words if word not in done.stderr] == []
