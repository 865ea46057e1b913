"""Which count stands for which visit, and the last count before the first dose."""

from __future__ import annotations

import math

import numpy as np
import pytest
from tests.trials.small_trials import trial

from thrombokit.errors import InputError
from thrombokit.trials.trial_data import Subject, baseline_1e9_per_L, factor_words, trial_data
from thrombokit.trials.visit_windows import Tie, Unscheduled, VisitPlan, counts_at_visits


def test_the_nearest_count_of_a_window_stands_for_its_visit() -> None:
    visits = counts_at_visits(trial({"s": [(0, 9), (5, 20), (8, 30), (17, 44), (25, 70)]}), VisitPlan(weeks=(1, 2, 3)))
    np.testing.assert_array_equal(visits.count_1e9_per_L[0], [30, 44, math.nan])
    np.testing.assert_array_equal(visits.day[0], [8, 17, math.nan])
    assert visits.n_outside == 1  # day 25: week 3 ends on day 24
    np.testing.assert_array_equal(visits.day_or_planned[0], [8, 17, 21])


@pytest.mark.parametrize(("tie", "count"), [(Tie.LATER, 50.0), (Tie.EARLIER, 20.0)])
def test_a_tie_goes_by_its_rule_and_is_counted(tie: Tie, count: float) -> None:
    visits = counts_at_visits(trial({"s": [(5, 20), (9, 50)]}), VisitPlan(weeks=(1,), tie=tie))
    assert visits.count_1e9_per_L[0, 0] == count
    assert visits.n_ties == 1


@pytest.mark.parametrize(
    ("rule", "expected", "used"),
    [(Unscheduled.IF_MISSING, [40, 90], 1), (Unscheduled.NEVER, [40, math.nan], 0), (Unscheduled.ALWAYS, [60, 90], 2)],
)
def test_unscheduled_counts(rule: Unscheduled, expected: list[float], used: int) -> None:
    data = trial_data(
        [Subject(name="s", arm="A")],
        subject=[0, 0, 0],
        day=[6, 7, 14],
        count_1e9_per_L=[40, 60, 90],
        scheduled=[True, False, False],
    )
    visits = counts_at_visits(data, VisitPlan(weeks=(1, 2), unscheduled=rule))
    np.testing.assert_array_equal(visits.count_1e9_per_L[0], expected)
    assert visits.n_unscheduled == used


def test_counts_before_the_first_dose_are_no_visit_and_the_last_is_the_baseline() -> None:
    data = trial({"late": [(-7, 11), (-1, 12), (1, 60)], "on the day": [(-3, 5), (0, 8)], "none": [(2, 30)]})
    np.testing.assert_array_equal(baseline_1e9_per_L(data), [12, 8, math.nan])
    visits = counts_at_visits(data, VisitPlan(weeks=(0.5,)))
    np.testing.assert_array_equal(visits.count_1e9_per_L[:, 0], [60, math.nan, 30])


def test_a_plan_that_cannot_be_meant() -> None:
    with pytest.raises(InputError) as caught:
        VisitPlan(weeks=(2, 1), before_d=-1)
    assert len(caught.value.faults) == 2
    with pytest.raises(InputError, match=r"windows of weeks 1 and 2 that share a day.*Make before_d \+ after_d less than 7"):
        VisitPlan(weeks=(1, 2), before_d=4, after_d=3)
    with pytest.raises(InputError, match="a planned week: 1, 2"):
        counts_at_visits(trial({"s": [(7, 1)]}), VisitPlan(weeks=(1, 2))).column(3)


def test_data_that_cannot_be_meant_are_told_in_one_pass() -> None:
    people = [Subject(name="a", arm="A"), Subject(name="a", arm="A"), Subject(name="b", arm="")]
    with pytest.raises(InputError) as caught:
        trial_data(people, subject=[0, 7, 1], day=[0, 0, math.nan], count_1e9_per_L=[50_000, 1, -2])
    said = str(caught.value)
    assert len(caught.value.faults) == 6
    assert all(
        words in said
        for words in ("found it twice", "found no arm", "found subject 7", "found day nan", "50000 /uL are 50e9/L", "-2e9/L")
    )


def test_strata_are_words_of_factors() -> None:
    people = [Subject(name="a", arm="A", factors={"sex": "F", "site": "1"}), Subject(name="b", arm="A", factors={"sex": "M"})]
    data = trial_data(people, subject=[], day=[], count_1e9_per_L=[])
    assert factor_words(data, ["sex"]) == ["F", "M"]
    with pytest.raises(InputError) as caught:
        factor_words(data, ["site", "region"])
    assert "1 subject(s) without it (b)" in str(caught.value)
    assert "one of sex, site" in str(caught.value)
