"""Contract of `thrombokit trials published NAME --json`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

Command = Callable[..., Any]


def test_phase_3_counts_beside_the_printed_odds_ratios(command: Command) -> None:
    document = json.loads(command("trials", "published", "hetrombopag-phase3", "--json").stdout)
    assert document["schema"] == "thrombokit.published-trial/1"
    week_8 = document["endpoints"][0]
    low, high, placebo = week_8["arms"]
    assert (low["responders"], low["n"], high["responders"], high["n"], placebo["responders"], placebo["n"]) == (
        99,
        168,
        110,
        171,
        5,
        85,
    )
    assert (low["percent_low"], low["percent_high"]) == pytest.approx((51.1, 66.4), abs=0.05)
    assert low["odds_ratio"] == pytest.approx(22.96, abs=0.005)
    assert low["printed_odds_ratio"] == 25.97
    assert high["odds_ratio"] == pytest.approx(28.85, abs=0.005)
    assert high["printed_odds_ratio"] == 32.81
    assert "not reproduced" in document["note"]
    rescue = document["endpoints"][-1]["arms"]
    assert [round(a["percent_low"], 1) for a in rescue] == [8.4, 5.9, 27.4]
    assert [round(a["percent_high"], 1) for a in rescue] == [19.2, 15.4, 48.8]


def test_phase_1_has_one_arm(command: Command) -> None:
    document = json.loads(command("trials", "published", "hetrombopag-phase1", "--json").stdout)
    week_6, once = (endpoint["arms"][0] for endpoint in document["endpoints"])
    assert (round(week_6["percent"], 1), round(week_6["percent_low"], 1), round(week_6["percent_high"], 1)) == (59.5, 42.1, 75.2)
    assert (round(once["percent"], 1), round(once["percent_low"], 1), round(once["percent_high"], 1)) == (78.4, 61.8, 90.2)
    assert document["endpoints"][0]["comparisons"] == []


def test_without_a_name_the_trials_are_listed(command: Command) -> None:
    document = json.loads(command("trials", "published", "--json").stdout)
    assert {trial["name"] for trial in document["trials"]} == {"hetrombopag-phase3", "hetrombopag-phase1"}
    wrong = command("trials", "published", "hetrombopag-phase2")
    assert wrong.exit_code == 3
    assert "Did you mean" in wrong.stderr
