"""Kaplan-Meier: laws of the curve and its band, and the two rules for a median."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thrombokit import InputError
from thrombokit.trials.kaplan_meier import CONF_TYPES, SurvivalCurve, estimate_survival, median_of, reaching_time

subjects = st.lists(st.tuples(st.integers(0, 30), st.booleans()), min_size=1, max_size=60)


def arrays(seen: list[tuple[int, bool]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([t for t, _ in seen], np.float64), np.array([e for _, e in seen], np.bool_)


def curve_of(times: list[float], events: list[int], **options: str) -> SurvivalCurve:
    return estimate_survival(np.array(times, np.float64), np.array(events, np.bool_), **options)


@settings(max_examples=40)
@given(subjects, st.sampled_from(CONF_TYPES))
def test_the_curve_falls_within_its_band(seen: list[tuple[int, bool]], conf_type: str) -> None:
    curve = estimate_survival(*arrays(seen), conf_type=conf_type)
    risk = curve.risk
    assert (np.diff(curve.survival, prepend=1.0) <= 0.0).all()
    known = ~np.isnan(curve.low)
    assert (curve.low[known] <= curve.survival[known] + 1e-12).all()
    assert (curve.survival[known] <= curve.high[known] + 1e-12).all()
    assert ((curve.low[known] >= 0.0) & (curve.high[known] <= 1.0)).all()
    assert risk.n_at_risk[0] == len(seen)
    assert risk.n_events.sum() + risk.n_censored.sum() == len(seen)
    assert np.array_equal(np.diff(risk.n_at_risk), -(risk.n_events + risk.n_censored)[:-1])


@settings(max_examples=40)
@given(st.lists(st.integers(0, 30), min_size=1, max_size=60))
def test_without_censoring_it_is_the_share_beyond(values: list[int]) -> None:
    times = np.array(values, np.float64)
    curve = estimate_survival(times, np.ones(times.size, np.bool_), conf_type="plain")
    share = np.array([(times > t).mean() for t in curve.risk.time])
    assert curve.survival == pytest.approx(share, abs=1e-12)
    inside = share > 0
    assert curve.std_error[inside] == pytest.approx(np.sqrt(share * (1 - share) / times.size)[inside], abs=1e-12)


@settings(max_examples=40)
@given(st.lists(st.integers(0, 30), min_size=1, max_size=60))
def test_without_censoring_r_gives_the_usual_median(values: list[int]) -> None:
    times = np.array(values, np.float64)
    curve = estimate_survival(times, np.ones(times.size, np.bool_))
    assert median_of(curve, rule="R").median == np.median(times)
    assert median_of(curve, rule="inf").median == np.sort(times)[(times.size - 1) // 2]


@settings(max_examples=40)
@given(subjects, st.floats(1e-3, 1e3), st.sampled_from(CONF_TYPES), st.sampled_from(("R", "inf")))
def test_time_in_another_unit(seen: list[tuple[int, bool]], unit: float, conf_type: str, rule: str) -> None:
    times, events = arrays(seen)
    one = median_of(estimate_survival(times, events, conf_type=conf_type), rule=rule)
    other = median_of(estimate_survival(times * unit, events, conf_type=conf_type), rule=rule)
    for name in ("median", "low", "high"):
        value = getattr(one, name)
        assert getattr(other, name) == (None if value is None else pytest.approx(value * unit))


@settings(max_examples=40)
@given(subjects, st.sampled_from(CONF_TYPES), st.sampled_from(("R", "inf")))
def test_limits_stand_on_either_side(seen: list[tuple[int, bool]], conf_type: str, rule: str) -> None:
    median = median_of(estimate_survival(*arrays(seen), conf_type=conf_type), rule=rule)
    if median.median is not None and median.low is not None:
        assert median.low <= median.median
    if median.high is not None:
        assert median.median is not None
        assert median.high >= median.median


def test_the_rules_differ_where_the_curve_stands_at_one_half() -> None:
    curve = curve_of([1, 2, 3, 4], [1, 1, 1, 1])
    assert curve.survival[1] == 0.5
    assert (median_of(curve, rule="R").median, median_of(curve, rule="inf").median) == (2.5, 2.0)
    # a censoring inside the level stretch ends it no sooner
    level = curve_of([1, 2, 2.5, 4], [1, 1, 0, 1])
    assert (median_of(level, rule="R").median, median_of(level, rule="inf").median) == (3.0, 2.0)
    # level to the very end: there is no far end whose middle could be taken
    assert median_of(curve_of([1, 2, 3, 3], [1, 1, 0, 0]), rule="R").median == 2.0


def test_one_half_is_seen_through_rounding() -> None:
    curve = curve_of([float(k) for k in range(1, 101)], [1] * 100)
    assert median_of(curve, rule="R").median == 50.5
    assert median_of(curve, rule="inf").median == 50.0
    assert curve.survival[49] == pytest.approx(0.5, abs=1e-12)


def test_the_rule_holds_for_the_edges_of_the_band_too() -> None:
    times, edge = np.array([1.0, 2.0, 3.0, 5.0]), np.array([0.9, 0.5 + 1e-12, 0.5 + 1e-12, 0.2])
    assert reaching_time(times, edge, 0.5, rule="R") == 3.5
    assert reaching_time(times, edge, 0.5, rule="inf") == 2.0
    assert reaching_time(times, np.array([0.9, 0.8, np.nan, np.nan]), 0.5, rule="R") is None


def test_not_reached_is_none() -> None:
    median = median_of(curve_of([1, 2, 3], [0, 0, 0]))
    assert (median.median, median.low, median.high) == (None, None, None)


def test_bands_by_hand() -> None:
    curve = {kind: curve_of([1, 2, 3, 4, 5], [1, 0, 1, 0, 0], conf_type=kind) for kind in CONF_TYPES}
    survival = 0.8 * 2 / 3
    error = math.sqrt(1 / (5 * 4) + 1 / (3 * 2))
    z = 1.959963984540054
    assert curve["plain"].low[2] == pytest.approx(survival - z * survival * error)
    assert curve["log"].low[2] == pytest.approx(survival * math.exp(-z * error))
    assert curve["log"].high[2] == 1.0
    theta = z * error / math.log(survival)
    assert curve["log-log"].low[2] == pytest.approx(survival ** math.exp(-theta))
    assert curve["log-log"].high[2] == pytest.approx(survival ** math.exp(theta))
    assert curve["plain"].std_error[2] == pytest.approx(survival * error)


def test_values_between_the_times() -> None:
    curve = curve_of([2, 4], [1, 1])
    assert curve.at(np.array([0.0, 1.9, 2.0, 3.0, 4.0, 9.0])).tolist() == [1.0, 1.0, 0.5, 0.5, 0.0, 0.0]
    assert curve.risk.at_risk_at(np.array([0.0, 2.0, 2.1, 4.0, 4.1])).tolist() == [2, 2, 1, 1, 0]
    assert np.isnan(curve.low[1])


def test_what_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        estimate_survival(np.zeros(0), np.zeros(0, np.bool_), conf_type="arcsin", confidence=1.0)
    assert [
        word for word in ("no subject", '"arcsin"', "log, log-log, plain", "above 0.5 and below 1") if word not in str(caught.value)
    ] == []
    with pytest.raises(InputError, match="expected R or inf"):
        median_of(curve_of([1], [1]), rule="SAS")


@pytest.mark.long
@pytest.mark.parametrize("step", [1e-3, 1.0])
@pytest.mark.parametrize("conf_type", CONF_TYPES)
@pytest.mark.parametrize("rule", ["R", "inf"])
def test_the_limits_cover_the_true_median(rule: str, conf_type: str, step: float, print_figure: Callable[[str], None]) -> None:
    """40 subjects with a true median at week 4, censored between weeks 3 and 16, seen all the time or weekly."""
    rng, n_trials, n = np.random.default_rng(31), 4000, 40
    median = np.ceil(4.0 / step - 1e-9) * step
    covered = 0
    for _ in range(n_trials):
        time, end = rng.exponential(4.0 / np.log(2.0), n), rng.uniform(3.0, 16.0, n)
        seen = np.ceil(np.minimum(time, end) / step) * step
        found = median_of(estimate_survival(seen, time <= end, conf_type=conf_type), rule=rule)
        low, high = (-math.inf if found.low is None else found.low), (math.inf if found.high is None else found.high)
        covered += low <= median <= high
    share = covered / n_trials
    print_figure(
        f"Limits of a median, 40 subjects, {conf_type} band, rule {rule}, seen every {step:g}: {100 * share:.1f} % cover at 95 %"
    )
    assert share > 0.93
