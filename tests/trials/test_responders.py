"""Response at visits and over visits: rescue and missing rules by hand, and the laws they keep."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.trials.small_trials import estimand, trial, weekly

from thrombokit.numerics.arrays import IntArray
from thrombokit.trials.estimand import Endpoint, EndpointKind, MissingRule, Rescue, RescueRule
from thrombokit.trials.responders import extreme_responders, responders
from thrombokit.trials.trial_data import TrialData, baseline_1e9_per_L
from thrombokit.trials.visit_states import carried, filled, visit_states
from thrombokit.trials.visit_windows import VisitPlan, counts_at_visits

WEEKS = (1.0, 2.0, 3.0, 4.0)
PLAN = VisitPlan(weeks=WEEKS)
FROM_RESCUE, SET_MISSING = Rescue(rule=RescueRule.FAILURE_FROM_RESCUE), Rescue(rule=RescueRule.SET_MISSING)
ONCE = Endpoint(kind=EndpointKind.AT_LEAST_ONCE)
KINDS = (Endpoint(kind=EndpointKind.AT_WEEK, week=4.0), ONCE, Endpoint(kind=EndpointKind.AT_SHARE, share=0.75),
         Endpoint(kind=EndpointKind.DURABLE, at_least=2, of_last=3))  # fmt: skip


def states(data: TrialData, endpoint: Endpoint = ONCE, rescue: Rescue | None = None) -> IntArray:
    return visit_states(data, counts_at_visits(data, PLAN), baseline_1e9_per_L(data), endpoint, rescue or Rescue())


def test_the_threshold_is_a_response() -> None:
    assert states(trial({"s": weekly(49.9, 50.0, None, 51.0)})).tolist() == [[0, 1, -1, 1]]


def test_twice_the_baseline_needs_a_baseline() -> None:
    endpoint = Endpoint(kind=EndpointKind.AT_LEAST_ONCE, threshold_1e9_per_L=30, times_baseline=2)
    data = trial({"high": weekly(39, 40, 30, 29, baseline=20), "none": weekly(29, 40, None, 100, baseline=None)})
    assert states(data, endpoint).tolist() == [[0, 1, 0, 0], [0, -1, -1, -1]]


@pytest.mark.parametrize(
    ("rescue", "expected"),
    [
        (Rescue(), [1, 1, -1, 1]), (FROM_RESCUE, [1, 0, 0, 0]), (SET_MISSING, [1, -1, -1, -1]),
        (Rescue(rule=RescueRule.FAILURE_FOR, days=7.0), [1, 0, -1, 1]), (Rescue(rule=RescueRule.FAILURE_FOR, days=7.5), [1, 0, 0, 1]),
    ],
)  # fmt: skip
def test_what_a_rescue_does(rescue: Rescue, expected: list[int]) -> None:
    data = trial({"s": weekly(60, 60, None, 60)}, rescue_days={"s": (14.0,)})
    assert states(data, rescue=rescue).tolist() == [expected]


def test_missing_rules_by_hand() -> None:
    known = np.array([[-1, 1, -1, 0], [1, -1, -1, -1], [-1, -1, -1, -1]])
    assert filled(known, MissingRule.NON_RESPONDER).tolist() == [[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]
    assert filled(known, MissingRule.LOCF).tolist() == [[0, 1, 1, 0], [1, 1, 1, 1], [0, 0, 0, 0]]
    assert filled(known, MissingRule.OBSERVED).tolist() == known.tolist()
    assert carried(known).tolist() == [[-1, 1, 1, 0], [1, 1, 1, 1], [-1, -1, -1, -1]]


def test_responders_by_hand() -> None:
    visits = counts_at_visits(trial({"s": weekly(1)}), PLAN)
    known = np.array([[1, 1, 1, 0], [0, 1, -1, -1], [-1, -1, -1, -1], [1, 1, 0, 1], [0, 0, 1, 1]])
    expected = [[0, -1, -1, 1, 1], [1, 1, -1, 1, 1], [1, 0, -1, 1, 0], [1, 0, -1, 1, 1]]
    assert [responders(known, endpoint, visits).tolist() for endpoint in KINDS] == expected


courses = st.lists(
    st.tuples(st.lists(st.one_of(st.none(), st.sampled_from([5.0, 49.0, 50.0, 120.0])), min_size=4, max_size=4),
              st.lists(st.sampled_from([3.0, 7.0, 10.0, 20.0, 28.0]), max_size=2)),
    min_size=1, max_size=3,
)  # fmt: skip


def made(drawn: list[tuple[list[float | None], list[float]]]) -> TrialData:
    return trial(
        {f"s{k}": weekly(*counts) for k, (counts, _) in enumerate(drawn)},
        rescue_days={f"s{k}": tuple(d) for k, (_, d) in enumerate(drawn)},
    )


@given(
    drawn=courses,
    endpoint=st.sampled_from(KINDS),
    missing=st.sampled_from(list(MissingRule)),
    days=st.sampled_from([1.0, 8.0, 30.0]),
)
def test_more_rescue_as_failure_never_raises_a_response(
    drawn: list[tuple[list[float | None], list[float]]], endpoint: Endpoint, missing: MissingRule, days: float
) -> None:
    data, rules = made(drawn), [Rescue(), Rescue(rule=RescueRule.FAILURE_FOR, days=days), FROM_RESCUE]
    visits = counts_at_visits(data, PLAN)
    counted = [responders(filled(states(data, endpoint, rule), missing), endpoint, visits) for rule in rules]
    for less, more in pairwise(counted):
        assert (more == 1).sum() <= (less == 1).sum()
        assert not np.any((less == 0) & (more == 1))


@given(drawn=courses, endpoint=st.sampled_from(KINDS))
def test_without_gaps_all_missing_rules_agree(drawn: list[tuple[list[float | None], list[float]]], endpoint: Endpoint) -> None:
    data = made([([5.0 if c is None else c for c in counts], days) for counts, days in drawn])
    visits, known = counts_at_visits(data, PLAN), states(data, endpoint, FROM_RESCUE)
    answers = {tuple(responders(filled(known, rule), endpoint, visits).tolist()) for rule in MissingRule}
    assert len(answers) == 1


@given(drawn=courses, endpoint=st.sampled_from(KINDS), missing=st.sampled_from([MissingRule.NON_RESPONDER, MissingRule.LOCF]))
def test_every_filled_answer_lies_between_the_extremes(
    drawn: list[tuple[list[float | None], list[float]]], endpoint: Endpoint, missing: MissingRule
) -> None:
    data = made(drawn)
    visits, known = counts_at_visits(data, PLAN), states(data, endpoint)
    worst, best = extreme_responders(known, endpoint, visits)
    answer = responders(filled(known, missing), endpoint, visits)
    assert np.all(worst <= answer)
    assert np.all(answer <= best)


def test_options_say_what_is_read() -> None:
    told = estimand(EndpointKind.DURABLE, rule=RescueRule.FAILURE_FOR, days=28, at_least=6, of_last=8).options()
    assert told["endpoint"] == {"kind": "durable_response", "at_least": 6, "of_last": 8, "threshold_1e9_per_L": 50.0}
    assert told["rescue"] == {"rule": "failure_for", "days": 28}
