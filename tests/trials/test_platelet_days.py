"""Days in range by hand: straight lines between counts, rescue and missing rules."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.trials.small_trials import estimand, trial

from thrombokit.trials.estimand import EndpointKind, MissingRule, RescueRule
from thrombokit.trials.platelet_days import analyse_days, time_in_range
from thrombokit.trials.trial_data import TrialData

DAYS = EndpointKind.PLATELET_DAYS


def in_range(data: TrialData, rule: RescueRule = RescueRule.AS_MEASURED, days: float | None = None, missing: MissingRule = MissingRule.NON_RESPONDER,
             **endpoint: float) -> list[float]:  # fmt: skip
    one = estimand(DAYS, rule=rule, days=days, options={"missing": missing}, **endpoint)
    return analyse_days(data, one, last_week=4.0, reference=None, order=()).days.tolist()


RISING = trial({"s": [(0, 0), (10, 100), (20, 100)]}, rescue_days={"s": (15.0,)})
"""In 50 to 200 from day 5 on; nothing after day 20 of 28."""


def test_straight_lines() -> None:
    assert time_in_range(np.array([0.0, 10.0]), np.array([0.0, 100.0]), 50.0, 200.0) == (5.0, 375.0)
    assert time_in_range(np.array([0.0, 10.0]), np.array([300.0, 0.0]), 50.0, 200.0) == pytest.approx((5.0, 625.0))
    assert time_in_range(np.array([0.0, 10.0, 20.0]), np.array([50.0, 50.0, 200.0]), 50.0, 200.0) == (20.0, 500.0 + 1250.0)
    assert time_in_range(np.array([0.0, 10.0]), np.array([10.0, 10.0]), 50.0, 200.0) == (0.0, 0.0)


def test_missing_rules() -> None:
    assert in_range(RISING) == [15.0]
    assert in_range(RISING, missing=MissingRule.LOCF) == [23.0]
    assert in_range(RISING, missing=MissingRule.OBSERVED) == [15.0 * 28 / 20]
    assert in_range(RISING, to_week=2.0) == [9.0]
    assert in_range(RISING, from_week=1.0, to_week=2.0) == [7.0]


def test_rescue_rules() -> None:
    assert in_range(RISING, RescueRule.FAILURE_FROM_RESCUE) == [10.0]
    assert in_range(RISING, RescueRule.FAILURE_FOR, 2.0) == [13.0]
    assert in_range(RISING, RescueRule.SET_MISSING) == [5.0]
    assert in_range(RISING, RescueRule.SET_MISSING, missing=MissingRule.OBSERVED) == [5.0 * 28 / 10]


def test_somebody_without_counts() -> None:
    data = trial({"none": [], "late": [(40.0, 100.0)]})
    assert in_range(data) == [0.0, 0.0]
    assert np.isnan(in_range(data, missing=MissingRule.OBSERVED)).all()


def test_means_and_welch() -> None:
    courses = {
        f"{a}{k}": [(0.0, level), (28.0, level)]
        for a, levels in (("a", (100, 100, 20, 100)), ("p", (20, 20, 100, 20)))
        for k, level in enumerate(levels)
    }
    data = trial(courses, arms={name: "placebo" if name[0] == "p" else "active" for name in courses})
    found = analyse_days(data, estimand(DAYS), last_week=4.0, reference="placebo", order=())
    assert [(a.arm, a.mean_d, a.median_d) for a in found.arms] == [("active", 21.0, 28.0), ("placebo", 7.0, 0.0)]
    c = found.contrasts[0]
    assert c.difference_d == 14.0
    # both arms: variance 196, so the error is sqrt(98) on 6 degrees of freedom, t = 1.41421 of which p is 53/256
    assert c.p == pytest.approx(53 / 256, abs=1e-12)
    assert (c.low_d, c.high_d) == pytest.approx((14 - 2.4469119 * 98**0.5, 14 + 2.4469119 * 98**0.5), abs=1e-6)
    assert all(a.n == 4 for a in found.arms)


@given(counts=st.lists(st.floats(0, 400), min_size=2, max_size=8), low=st.floats(0, 100), width=st.floats(1, 200))
def test_time_below_within_and_above_is_the_whole_time(counts: list[float], low: float, width: float) -> None:
    day = np.arange(len(counts), dtype=np.float64) * 7.0
    parts = [time_in_range(day, np.array(counts), *ends)[0] for ends in ((-1.0, low), (low, low + width), (low + width, 1000.0))]
    level = sum(7.0 for a, b in pairwise(counts) if a == b and a in (low, low + width))
    assert sum(parts) - level == pytest.approx(day[-1], abs=1e-9)
