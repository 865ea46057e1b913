"""Cumulative incidence and Gray's test: laws that need no other program, and how often the test errs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.trials.survival_samples import data_of, subjects

from thrombokit import InputError, survival_data
from thrombokit.trials.competing_risks import compare_incidence, estimate_incidence
from thrombokit.trials.kaplan_meier import CONF_TYPES, estimate_survival
from thrombokit.trials.log_rank import compare_arms

Rows = list[tuple[int, int, int, int]]


@settings(max_examples=40)
@given(subjects(n_causes=3, n_arms=1))
def test_all_causes_together_are_what_the_curve_has_lost(rows: Rows) -> None:
    data = data_of(rows, n_arms=1, causes=("response", "rescue", "drop-out"))
    total = sum(estimate_incidence(data.time, data.cause, of=k).incidence for k in (1, 2, 3))
    assert total == pytest.approx(1.0 - estimate_survival(data.time, data.cause > 0).survival, abs=1e-12)


@settings(max_examples=40)
@given(subjects(n_causes=2, n_arms=1), st.sampled_from(CONF_TYPES))
def test_it_rises_within_its_band_and_stays_below_one_minus_kaplan_meier(rows: Rows, conf_type: str) -> None:
    data = data_of(rows, n_arms=1, causes=("response", "rescue"))
    found = estimate_incidence(data.time, data.cause, of=1, conf_type=conf_type)
    assert (np.diff(found.incidence, prepend=0.0) >= 0.0).all()
    assert (found.incidence <= 1.0 - estimate_survival(data.time, data.event).survival + 1e-12).all()
    known = ~np.isnan(found.low)
    assert (found.low[known] <= found.incidence[known] + 1e-12).all()
    assert (found.incidence[known] <= found.high[known] + 1e-12).all()
    assert ((found.low[known] >= 0.0) & (found.high[known] <= 1.0)).all()


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 12), st.integers(1, 2)), min_size=2, max_size=60))
def test_without_censoring_it_is_a_share_with_the_error_of_one(seen: list[tuple[int, int]]) -> None:
    times, cause = np.array([t for t, _ in seen], np.float64), np.array([c for _, c in seen], np.int64)
    found = estimate_incidence(times, cause, of=1)
    share = np.array([((times <= t) & (cause == 1)).mean() for t in found.time])
    assert found.incidence == pytest.approx(share, abs=1e-12)
    assert found.std_error**2 == pytest.approx(share * (1 - share) / times.size, abs=1e-12)


@settings(max_examples=40)
@given(subjects(n_causes=1, n_arms=1))
def test_with_a_single_cause_the_error_is_that_of_greenwood(rows: Rows) -> None:
    data = data_of(rows, n_arms=1)
    found, curve = estimate_incidence(data.time, data.cause, of=1), estimate_survival(data.time, data.event)
    alive = curve.survival > 0.0
    assert found.std_error[alive] == pytest.approx(curve.std_error[alive], abs=1e-7)


@settings(max_examples=40)
@given(subjects(n_causes=1, n_arms=3, n_strata=2))
def test_without_competing_events_gray_is_log_rank(rows: Rows) -> None:
    data = data_of(rows, n_arms=3, n_strata=2)
    gray, plain = compare_incidence(data), compare_arms(data)
    assert (gray.verdict, gray.df) == (plain.verdict, plain.df)
    assert gray.statistic == (None if plain.statistic is None else pytest.approx(plain.statistic, rel=1e-6, abs=1e-9))


@settings(max_examples=40)
@given(subjects(n_causes=2, n_arms=3), st.permutations(range(3)))
def test_the_names_of_the_arms_do_not_matter(rows: Rows, order: list[int]) -> None:
    one = compare_incidence(data_of(rows, n_arms=3, causes=("a", "b")))
    other = compare_incidence(data_of([(t, c, order[a], s) for t, c, a, s in rows], n_arms=3, causes=("a", "b")))
    assert (one.verdict, one.df) == (other.verdict, other.df)
    assert other.statistic == (None if one.statistic is None else pytest.approx(one.statistic, rel=1e-6, abs=1e-9))


def test_gray_without_censoring_is_a_log_rank_test_with_the_others_still_at_risk() -> None:
    """Where all are followed to the end, a competing event only means that response never comes: an ordinary curve, an ordinary test."""
    rng, n = np.random.default_rng(5), 3000
    arm = np.arange(n) % 2
    responds, time = rng.random(n) < np.where(arm, 0.5, 0.45), rng.exponential(1.0, n)
    end = 1e6
    time[:2] = end  # one of either arm is under observation to the last
    cause = np.where(time == end, 0, np.where(responds, 1, 2))
    found = compare_incidence(survival_data(time=time, cause=cause, arm=arm, arms=("a", "b"), causes=("response", "rescue")))
    stayed = np.where(cause == 2, end, time)
    plain = compare_arms(survival_data(time=stayed, cause=(cause == 1).astype(np.int64), arm=arm, arms=("a", "b")))
    assert plain.statistic > 4.0
    assert found.statistic == pytest.approx(plain.statistic, rel=0.02)


def test_when_one_half_have_responded() -> None:
    found = estimate_incidence(np.array([1.0, 2.0, 3.0, 4.0]), np.array([1, 1, 2, 1]), of=1)
    assert found.reaching(0.5, rule="inf") == 2.0
    assert found.reaching(0.5, rule="R") == 3.0
    assert found.reaching(0.8, rule="R") is None


def test_bands_by_hand() -> None:
    times, cause = np.array([1.0, 2.0, 3.0, 4.0]), np.array([1, 2, 0, 1])
    z = 1.959963984540054
    for kind in CONF_TYPES:
        found = estimate_incidence(times, cause, of=1, conf_type=kind)
        share, error = 0.25, np.sqrt(0.25 * 0.75 / 4)
        low = {"plain": max(share - z * error, 0), "log": share * np.exp(-z * error / share),
               "log-log": share ** np.exp(z * error / (share * -np.log(share)))}[kind]  # fmt: skip
        assert found.low[0] == pytest.approx(low)


def test_cases_without_an_answer_and_what_is_refused() -> None:
    none = compare_incidence(data_of([(1, 2, 0, 0), (2, 0, 1, 0)], n_arms=2, causes=("a", "b")))
    assert (none.verdict, none.statistic, none.p) == ("no_events", None, None)
    with pytest.raises(InputError) as caught:
        compare_incidence(data_of([(1, 1, 0, 0)], n_arms=1), of=2)
    assert [word for word in ("found one arm", "cause: found 2; expected 1 to 1") if word not in str(caught.value)] == []
    with pytest.raises(InputError, match="no subject"):
        estimate_incidence(np.zeros(0), np.zeros(0, np.int64), of=1)


def draw_two_arms(
    rng: np.random.Generator, n: int, other_rate: tuple[float, float], longest: tuple[float, float], step: float
) -> Rows:
    """Half of either arm would respond, at rate 1; the other half meet the competing event at the arm's own rate; censoring is uniform."""
    rows: Rows = []
    for arm in (0, 1):
        responds = rng.random(n) < 0.5
        time = np.where(responds, rng.exponential(1.0, n), rng.exponential(1.0 / other_rate[arm], n))
        end = rng.uniform(0.2, longest[arm], n)
        rounded = np.ceil(np.minimum(time, end) / step).astype(int)
        cause = np.where(time <= end, np.where(responds, 1, 2), 0)
        rows += [(int(t), int(c), arm, 0) for t, c in zip(rounded, cause, strict=True)]
    return rows


@pytest.mark.long
@pytest.mark.parametrize(("other_rate", "longest"), [((1.0, 1.0), (3.0, 3.0)), ((0.5, 2.0), (3.0, 3.0)), ((1.0, 1.0), (3.0, 1.2))])
@pytest.mark.parametrize("step", [1e-4, 0.25])
def test_gray_errs_as_often_as_it_says(
    other_rate: tuple[float, float], longest: tuple[float, float], step: float, print_figure: Callable[[str], None]
) -> None:
    rng, n_trials = np.random.default_rng(20), 3000
    trials = (data_of(draw_two_arms(rng, 60, other_rate, longest, step), n_arms=2, causes=("a", "b")) for _ in range(n_trials))
    rejected = float(np.mean([compare_incidence(data).p < 0.05 for data in trials]))
    print_figure(
        f"Gray's test, competing rates {other_rate}, follow-up {longest}, step {step:g}: {100 * rejected:.2f} % of true nulls at 5 %"
    )
    # 4 standard errors of 3000 draws around 5 %
    assert abs(rejected - 0.05) < 0.016


@pytest.mark.long
@pytest.mark.parametrize("conf_type", ["log-log", "plain"])
def test_the_band_covers_the_true_incidence(conf_type: str, print_figure: Callable[[str], None]) -> None:
    rng, n_trials, at = np.random.default_rng(21), 3000, 1.0
    truth, covered = 0.5 * (1.0 - np.exp(-at)), 0
    for _ in range(n_trials):
        responds = rng.random(80) < 0.5
        time, end = rng.exponential(1.0, 80), rng.uniform(0.2, 3.0, 80)
        data = survival_data(
            time=np.minimum(time, end), cause=np.where(time <= end, np.where(responds, 1, 2), 0), causes=("a", "b")
        )
        found = estimate_incidence(data.time, data.cause, of=1, conf_type=conf_type)
        k = int(np.searchsorted(found.time, at, side="right")) - 1
        covered += bool(found.low[k] <= truth <= found.high[k])
    print_figure(f"{conf_type} band of a cumulative incidence, 80 subjects: {100 * covered / n_trials:.1f} % cover at 95 %")
    assert abs(covered / n_trials - 0.95) < 0.02
