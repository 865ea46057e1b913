"""The whole analysis: no input without an answer, and what the table, the sentences and the steps say."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.trials.survival_samples import data_of, subjects

from thrombokit import InputError, analyse_survival, fit_cox, survival_data
from thrombokit.trials.kaplan_meier import CONF_TYPES

Rows = list[tuple[int, int, int, int]]


@settings(max_examples=30)
@given(
    subjects(n_causes=3, n_arms=3, n_strata=2, most=10), st.sampled_from(CONF_TYPES), st.sampled_from(["R", "inf"]),
    st.sampled_from([(0.0, 0.0), (1.0, 0.0), (0.0, 2.0)]), st.sampled_from(["efron", "breslow"]),
)  # fmt: skip
def test_every_trial_has_a_document(rows: Rows, conf_type: str, rule: str, weights: tuple[float, float], ties: str) -> None:
    data = data_of(rows, n_arms=3, n_strata=2, causes=("response", "rescue", "drop-out"))
    result = analyse_survival(data, conf_type=conf_type, median_rule=rule, rho=weights[0], gamma=weights[1])
    document = result.with_cox(fit_cox(data, ties=ties)).to_dict()
    json.dumps(document, allow_nan=False)
    for arm in document["arms"]:
        assert arm["n"] == arm["events"] + arm["competing"] + arm["censored"]
        assert (arm["median"] is None) == (arm["verdict"] == "not_reached")
    test = document["logrank"]
    assert (test["p"] is None) == (test["verdict"] != "tested")
    assert result.summary()
    assert result.steps()["n_at_risk"].min() >= 1


def two_arms() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    time = np.array([1, 2, 3, 4, 5, 6, 2, 4, 6, 8, 8, 8], np.float64)
    cause = np.array([1, 1, 1, 2, 1, 0, 1, 0, 2, 1, 0, 0])
    return time, cause, np.repeat([0, 1], 6)


def test_the_table_and_the_sentences() -> None:
    time, cause, arm = two_arms()
    data = survival_data(
        time=time, cause=cause, arm=arm, arms=("active", "placebo"), causes=("response", "rescue"), time_name="week"
    )
    result = analyse_survival(data, median_rule="inf")
    result = result.with_cox(fit_cox(data, ties="breslow"))
    table = result.table()
    assert table.columns == ["measure", "group", "method", "estimate", "low", "high", "p"]
    medians = table.filter(pl.col("measure") == "median")
    assert medians["method"].unique().to_list() == ["Kaplan-Meier, log band, rule inf"]
    assert medians["estimate"].to_list() == [3.0, None]
    ratio = table.filter(pl.col("measure") == "hazard ratio").row(0, named=True)
    assert ratio["group"] == "placebo over active"
    assert ratio["estimate"] == result.cox.ratios[0].ratio.estimate
    incidence = table.filter(pl.col("measure") == "cumulative incidence of rescue")
    assert incidence["estimate"].to_list() == pytest.approx([1 / 6, 5 / 24])
    assert table.filter(pl.col("method") == "Gray").height == 2
    said = result.summary()
    words = ("active: 4 events in 6 subjects, median 3.00", "Median rule inf:", "Log-rank test: chi-square", "Gray's test of response",
             "Hazard ratio of placebo over active", "(rescue) counts as censored", "active: 66.7 % had response by 6.")  # fmt: skip
    assert [word for word in words if word not in said] == []


def test_steps() -> None:
    time, cause, arm = two_arms()
    data = survival_data(time=time, cause=cause, arm=arm, arms=("active", "placebo"), causes=("response", "rescue"))
    result = analyse_survival(data)
    active = result.steps().filter(pl.col("arm") == "active")
    assert active["n_at_risk"].to_list() == [6, 5, 4, 3, 2, 1]
    assert active["survival"].to_list() == pytest.approx([5 / 6, 4 / 6, 3 / 6, 3 / 6, 1 / 4, 1 / 4])
    assert active["n_censored"].to_list() == [0, 0, 0, 1, 0, 1]
    rescue = result.incidence_steps().filter((pl.col("arm") == "active") & (pl.col("cause") == "rescue"))
    assert rescue["incidence"].to_list() == pytest.approx([0, 0, 0, 1 / 6, 1 / 6, 1 / 6])
    assert rescue["low"].null_count() == 3
    single = analyse_survival(survival_data(time=time, cause=np.minimum(cause, 1)))
    assert single.incidence_steps().is_empty()
    assert single.logrank is None


def test_an_arm_without_an_answer_is_said() -> None:
    data = survival_data(
        time=np.array([1.0, 2.0, 3.0, 4.0]), cause=np.array([1, 1, 0, 0]), arm=np.array([0, 0, 1, 1]), arms=("a", "b")
    )
    result = analyse_survival(data)
    said = result.with_cox(fit_cox(data)).summary()
    words = (
        "b: 0 events in 2 subjects, median not reached (95 % not reached to not reached)",
        "No finite hazard ratio",
        "b never had an event",
    )
    assert [word for word in words if word not in said] == []
    none = analyse_survival(survival_data(time=data.time, cause=0 * data.cause, arm=data.arm, arms=("a", "b")))
    assert "Log-rank test: no answer, no subject had the event." in none.summary()
    weightless = analyse_survival(data_of([(1, 1, 0, 0), (2, 0, 1, 0)], n_arms=2), gamma=1.0)
    assert weightless.logrank.verdict == "not_comparable"
    assert "never at risk together where the test looks" in weightless.summary()


def test_near_ties_are_said() -> None:
    result = analyse_survival(survival_data(time=np.array([0.3, 0.1 + 0.2, 1.0]), cause=np.array([1, 1, 0])))
    assert result.to_dict()["merged_times"] == 1
    assert "differs by rounding alone: 1 of the distinct times." in result.summary()
    assert result.arms[0].curve.risk.n_events.tolist() == [2, 0]


def test_every_wrong_option_is_told_at_once() -> None:
    with pytest.raises(InputError) as caught:
        analyse_survival(data_of([(1, 1, 0, 0)], n_arms=1), conf_type="x", confidence=95.0, median_rule="SAS", rho=-1.0)
    assert len(caught.value.faults) == 4
    words = ('conf-type: found "x"', "confidence: found 95", 'median-rule: found "SAS"; expected R or inf', "rho: found -1")
    assert [word for word in words if word not in str(caught.value)] == []
