"""Days to the first response and to relapse, with rescue and drop-out, by hand; medians of those who had it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from tests.trials.small_trials import estimand, trial, weekly

from thrombokit.trials.estimand import EndpointKind, Estimand, RescueRule
from thrombokit.trials.event_days import first_responses, relapses
from thrombokit.trials.time_analysis import analyse_time
from thrombokit.trials.trial_data import TrialData

YES, NO, LEFT = (14, "first response"), (21, "censored"), (17, "drop-out")
FIRST, RELAPSE = EndpointKind.FIRST_RESPONSE, EndpointKind.RELAPSE


def firsts(data: TrialData, one: Estimand) -> list[tuple[float, str]]:
    found = first_responses(data, one, [True] * len(data.subjects))
    return [(d, found.causes[c - 1] if c else "censored") for d, c in zip(found.day.tolist(), found.cause.tolist(), strict=True)]


def falls(data: TrialData, one: Estimand) -> list[tuple[str, float, str]]:
    found = relapses(data, one, [True] * len(data.subjects))
    names = [data.subjects[k].name for k in found.subject.tolist()]
    return [
        (n, d, found.causes[c - 1] if c else "censored")
        for n, d, c in zip(names, found.day.tolist(), found.cause.tolist(), strict=True)
    ]


COURSES = {
    "responds": weekly(20, 60, 10), "never": weekly(20, 20, 20), "rescued first": weekly(20, 20, 90), "rescued after": weekly(20, 60, 10),
    "leaves": weekly(20, 20), "no count": weekly(),
}  # fmt: skip
HAPPENED: dict[str, Any] = {"rescue_days": {"rescued first": (14.0,), "rescued after": (15.0,)}, "dropout_day": {"leaves": 17.0}}


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (RescueRule.FAILURE_FROM_RESCUE, [YES, NO, (14, "rescue"), YES, LEFT, (0, "censored")]),
        (RescueRule.AS_MEASURED, [YES, NO, (21, "first response"), YES, LEFT, (0, "censored")]),
        (RescueRule.SET_MISSING, [YES, NO, (14, "censored"), YES, LEFT, (0, "censored")]),
        (RescueRule.FAILURE_FOR, [YES, NO, NO, YES, LEFT, (0, "censored")]),
    ],
)  # fmt: skip
def test_first_response_under_each_rescue_rule(rule: RescueRule, expected: list[tuple[float, str]]) -> None:
    days = 10.0 if rule is RescueRule.FAILURE_FOR else None
    assert firsts(trial(COURSES, **HAPPENED), estimand(FIRST, rule=rule, days=days)) == expected


def test_rescue_goes_before_a_response_of_the_same_day_and_a_response_before_a_drop_out() -> None:
    data = trial({"r": weekly(60), "d": weekly(60)}, rescue_days={"r": (7.0,)}, dropout_day={"d": 7.0})
    assert firsts(data, estimand(FIRST, rule=RescueRule.FAILURE_FROM_RESCUE)) == [(7, "rescue"), (7, "first response")]


def test_drop_out_may_censor() -> None:
    data = trial({"leaves": weekly(20)}, dropout_day={"leaves": 9.0})
    assert firsts(data, estimand(FIRST, options={"dropout_competes": False})) == [(9, "censored")]


def test_a_drop_out_without_a_day_ends_with_the_last_count() -> None:
    assert firsts(trial({"s": weekly(20, 20)}, dropout_reason={"s": "withdrew"}), estimand(FIRST)) == [(14, "drop-out")]


def test_relapse_after_the_response() -> None:
    data = trial(
        {"falls": weekly(60, 70, 20), "keeps": weekly(60, 70, 80), "never": weekly(1, 1, 1), "rescued": weekly(60, 70, 80)},
        rescue_days={"rescued": (10.0,)},
    )
    assert falls(data, estimand(RELAPSE, rule=RescueRule.FAILURE_FROM_RESCUE)) == [
        ("falls", 14, "relapse"), ("keeps", 14, "censored"), ("rescued", 3, "relapse"),
    ]  # fmt: skip
    assert falls(data, estimand(RELAPSE))[-1] == ("rescued", 14, "censored")


def test_relapse_after_the_stop_needs_a_response_then() -> None:
    courses = {
        "falls": weekly(60, 70, 80, 20),
        "not then": weekly(60, 70, 20, 20),
        "no stop": weekly(60, 70, 80, 20),
        "leaves": weekly(60, 70, 80),
    }
    data = trial(courses, stop_day={"falls": 22.0, "not then": 22.0, "leaves": 22.0}, dropout_day={"leaves": 30.0})
    assert falls(data, estimand(RELAPSE, after="stop")) == [("falls", 6, "relapse"), ("leaves", 8, "drop-out")]


def test_arms_are_compared_by_gray_where_causes_compete_and_by_log_rank_where_not() -> None:
    courses = {f"{arm}{k}": weekly(*([20.0] * first), 80.0) for arm, first in (("a", 1), ("p", 4)) for k in range(6)}
    data = trial(courses, arms={name: "placebo" if name[0] == "p" else "active" for name in courses}, dropout_day={"p0": 10.0})
    competing = analyse_time(data, estimand(FIRST), reference="placebo", order=())
    assert (competing.contrasts[0].test, competing.contrasts[0].p) == ("Gray", competing.contrasts[0].gray_p)
    censored = analyse_time(data, estimand(FIRST, options={"dropout_competes": False}), reference="placebo", order=())
    assert (censored.contrasts[0].test, censored.contrasts[0].p) == ("log-rank", censored.contrasts[0].logrank_p)
    assert (censored.contrasts[0].p or 1.0) < 0.01
    assert {(m.arm, m.n, m.median_d) for m in competing.medians} == {("active", 6, 14.0), ("placebo", 5, 35.0)}


def test_nobody_at_risk_is_a_verdict() -> None:
    found = analyse_time(trial({"s": weekly(1)}), estimand(RELAPSE), reference=None, order=())
    assert (found.verdict, found.numbers()[0].verdict) == ("nobody_at_risk", "nobody_at_risk")


def test_the_median_of_those_with_the_event_has_the_interval_of_order_statistics() -> None:
    data = trial({f"s{k}": [(float(k + 1), 80.0)] for k in range(10)})
    median = analyse_time(data, estimand(FIRST), reference=None, order=()).medians[0]
    # P(B <= 1) = 11/1024 <= 0.025 < P(B <= 2): the second and the ninth of ten
    assert math.comb(10, 0) + math.comb(10, 1) <= 0.025 * 1024 < sum(math.comb(10, k) for k in range(3))
    assert (median.median_d, median.low_d, median.high_d) == (5.5, 2.0, 9.0)
    few = analyse_time(trial({"a": [(1.0, 80.0)], "b": [(2.0, 80.0)]}), estimand(FIRST), reference=None, order=()).medians[0]
    assert (few.low_d, few.high_d) == (None, None)
    assert np.isclose(few.median_d or 0.0, 1.5)
