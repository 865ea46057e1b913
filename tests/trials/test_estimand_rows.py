"""Estimands side by side: every kind of endpoint has its rows, and they say what the analyses say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.trials.small_trials import trial, weekly

from thrombokit.trials.analyse import analyse_trial
from thrombokit.trials.estimand import Endpoint, EndpointKind, Estimand, EstimandPlan, MissingRule, Rescue, RescueRule
from thrombokit.trials.estimand_rows import SCHEMA, estimand_rows
from thrombokit.trials.visit_windows import VisitPlan

KINDS = {
    "week": Endpoint(kind=EndpointKind.AT_WEEK, week=2.0), "days": Endpoint(kind=EndpointKind.PLATELET_DAYS),
    "first": Endpoint(kind=EndpointKind.FIRST_RESPONSE), "change": Endpoint(kind=EndpointKind.CHANGE),
}  # fmt: skip
ARMS = {**{f"d{k}": "drug" for k in range(6)}, **{f"p{k}": "placebo" for k in range(6)}}
COURSES = {
    name: weekly(20.0 + 9 * k, 30.0 + 11 * k if arm == "drug" else 15.0 + k, baseline=10.0 + k)
    for k, (name, arm) in enumerate(ARMS.items())
}


def plan_of(*estimands: Estimand) -> EstimandPlan:
    return EstimandPlan(estimands=estimands, visits=VisitPlan(weeks=(1.0, 2.0)), reference="placebo")


def test_every_kind_has_a_row_an_arm() -> None:
    asked = [Estimand(name=name, endpoint=endpoint, covariance="cs") for name, endpoint in KINDS.items()]
    found = analyse_trial(trial(COURSES, arms=ARMS), plan_of(*asked))
    rows = estimand_rows(found.analyses)
    assert dict(rows.schema) == SCHEMA
    assert rows.group_by("estimand", maintain_order=True).len().rows() == [(name, 2) for name in KINDS]
    by = {(row["estimand"], row["arm"]): row for row in rows.to_dicts()}
    week, days, first, change = (found.analyses[k].to_dict() for k in range(4))
    assert by["week", "drug"]["difference"] == week["contrasts"][0]["risk_difference"]["estimate"]
    assert by["days", "drug"]["difference"] == days["contrasts"][0]["difference_d"]
    assert by["first", "drug"]["p"] == first["contrasts"][0]["p"]
    last = next(one for one in change["contrasts"] if one["visit"] == "week 2")
    assert by["change", "drug"]["difference"] == last["ratio"]
    assert {row["against"] for row in by.values()} == {None, "placebo"}


def test_rules_are_said_in_words() -> None:
    rescue = Rescue(rule=RescueRule.FAILURE_FOR, days=28.0)
    asked = Estimand(name="e", endpoint=KINDS["week"], rescue=rescue, missing=MissingRule.OBSERVED)
    row = estimand_rows(analyse_trial(trial(COURSES, arms=ARMS), plan_of(asked)).analyses).row(0, named=True)
    assert (row["rescue"], row["missing"]) == ("failure for 28 days from a rescue", "only visits with a count")


def test_an_arm_without_an_outcome_has_a_verdict_and_no_figure() -> None:
    courses = {name: (weekly(20.0, 60.0) if arm == "drug" else [(0.0, 10.0)]) for name, arm in ARMS.items()}
    asked = Estimand(name="e", endpoint=KINDS["week"], missing=MissingRule.OBSERVED)
    rows = {row["arm"]: row for row in estimand_rows(analyse_trial(trial(courses, arms=ARMS), plan_of(asked)).analyses).to_dicts()}
    assert (rows["placebo"]["estimate"], rows["placebo"]["n"]) == (None, 0)
    assert rows["placebo"]["verdict"] == "nobody with a known outcome"
    assert rows["drug"]["against"] is None


@given(st.lists(st.tuples(st.sampled_from(["drug", "placebo"]), st.floats(1.0, 300.0)), min_size=2, max_size=14))
def test_shares_are_counts_over_n_within_their_interval(subjects: list[tuple[str, float]]) -> None:
    names = {f"s{k}": arm for k, (arm, _) in enumerate(subjects)}
    if set(names.values()) != {"drug", "placebo"}:
        return
    data = trial({f"s{k}": weekly(10.0, count) for k, (_, count) in enumerate(subjects)}, arms=names)
    asked = Estimand(name="e", endpoint=KINDS["week"])
    for row in estimand_rows(analyse_trial(data, plan_of(asked)).analyses).to_dicts():
        assert row["responders"] == sum(arm == row["arm"] and count >= 50.0 for arm, count in subjects)
        assert row["estimate"] == pytest.approx(row["responders"] / row["n"])
        assert row["low"] <= row["estimate"] <= row["high"]
        if row["difference"] is not None:
            assert row["difference_low"] <= row["difference"] <= row["difference_high"]
