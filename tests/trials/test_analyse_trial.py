"""A whole synthetic trial through every estimand of the shipped plan: one table of numbers, pictures, nothing of single subjects unless asked."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from tests.trials.small_trials import trial, weekly

from thrombokit.drawing.export import chart_spec
from thrombokit.errors import InputError
from thrombokit.io.estimands import load_estimands
from thrombokit.io.trial_tables import read_trial
from thrombokit.study.templates.guide_trial import synthetic_trial, write_synthetic_trial
from thrombokit.trials.analyse import analyse_trial
from thrombokit.trials.analysis_results import repeated_ids
from thrombokit.trials.count_change import ChangeAnalysis
from thrombokit.trials.estimand import Endpoint, EndpointKind, Estimand, EstimandPlan
from thrombokit.trials.mmrm import fit_mmrm
from thrombokit.trials.response_analysis import ResponseAnalysis
from thrombokit.trials.trial_data import baseline_1e9_per_L
from thrombokit.trials.trial_result import TrialResult
from thrombokit.trials.visit_windows import VisitPlan


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> TrialResult:
    counts, subjects = write_synthetic_trial(tmp_path_factory.mktemp("trial"), 1)
    plan = load_estimands("hetrombopag-phase3")
    quick = tuple(replace(one, covariance="ar1") if one.endpoint.kind is EndpointKind.CHANGE else one for one in plan.estimands)
    return analyse_trial(read_trial(counts, subjects=subjects), replace(plan, estimands=quick, subgroups=("sex", "splenectomy")))


def test_the_table_holds_every_number_once(result: TrialResult) -> None:
    table = result.table()
    assert not repeated_ids(result.results())
    assert table["estimand"].unique(maintain_order=True).to_list() == ["trial", *(one.estimand.name for one in result.analyses)]
    assert (
        table.filter(pl.all_horizontal(pl.col("value", "p").is_null()) & (pl.col("verdict") == ""))
        .filter(~pl.col("measure").str.contains("ratio"))
        .is_empty()
    )
    between = table.filter(pl.col("low").is_not_null() & pl.col("high").is_not_null() & pl.col("value").is_not_null())
    assert between.filter((pl.col("low") > pl.col("value")) | (pl.col("high") < pl.col("value"))).is_empty()
    assert set(json.loads(table["input_sha256"][0])) == {"counts.csv", "subjects.csv"}
    assert json.loads(table.filter(pl.col("estimand") == "durable response")["options"][0])["rescue"] == {
        "rule": "failure_for",
        "days": 28.0,
    }
    document = result.results().to_dict()
    assert len(document["results"]) == table.height
    json.dumps([document, result.to_dict()], allow_nan=False)


def test_flow_adds_up(result: TrialResult) -> None:
    for arm in result.flow:
        assert arm.enrolled == 40 == arm.completed + sum(arm.dropped_out.values()) + arm.end_unknown
    people = pl.DataFrame([{"arm": s.arm, "rescued": bool(s.rescue_days)} for s in result.data.subjects])
    assert [arm.rescued for arm in result.flow] == people.group_by("arm", maintain_order=True).agg(pl.col("rescued").sum())[
        "rescued"
    ].to_list()


def test_the_last_visit_of_the_table_by_visit_is_the_primary_estimand(result: TrialResult) -> None:
    primary = result.analyses[0]
    assert isinstance(primary, ResponseAnalysis)
    last = {row.arm: (row.responders, row.n) for row in result.by_visit if row.week == 8.0}
    assert last == {a.arm: (a.responders, a.n) for a in primary.arms}
    whole = [s for s in result.subgroups if s.factor == "all"]
    assert [(s.arm, s.difference) for s in whole] == [(c.arm, c.difference) for c in primary.contrasts]
    assert sum(s.sizes[0] for s in result.subgroups if s.factor == "sex" and s.arm == "5 mg") == 40


def test_change_is_the_mixed_model_of_logarithms(result: TrialResult) -> None:
    change = result.analyses[-1]
    assert isinstance(change, ChangeAnalysis)
    assert change.fit is not None
    row = next(m for m in change.to_dict()["ratios_to_baseline"] if m["visit"] == "week 8" and m["arm"] == "5 mg")
    mean = next(m for m in change.fit.lsmeans if m.visit == "week 8" and m.arm == "5 mg")
    assert row["ratio"] == pytest.approx(np.exp(mean.estimate))
    base, day = baseline_1e9_per_L(result.data), result.visits.day_or_planned
    for subject, visit, response in zip(change.fit.rows.subject, change.fit.rows.visit, change.fit.rows.response, strict=True):
        k = [s.name for s in result.data.subjects].index(change.fit.rows.subjects[subject])
        v = int(change.fit.rows.visits[visit].split()[1]) - 1
        assert response == pytest.approx(np.log(max(result.visits.count_1e9_per_L[k, v], 1.0) / max(base[k], 1.0)))
        assert day[k, v] < min(result.data.subjects[k].rescue_days, default=np.inf)
    assert fit_mmrm.__module__ == type(change.fit).__module__


def test_a_model_that_cannot_be_fitted_is_a_verdict() -> None:
    data = trial({"a": weekly(60, 60), "p": weekly(1, 1)}, arms={"p": "placebo"})
    one = Estimand(name="change", endpoint=Endpoint(kind=EndpointKind.CHANGE))
    found = analyse_trial(data, EstimandPlan(estimands=(one,), visits=VisitPlan(weeks=(1, 2)), reference="placebo"))
    assert found.to_dict()["estimands"][0]["verdict"].startswith("not estimable: ")
    assert "not estimable" in found.summary()
    single = analyse_trial(trial({"a": weekly(60)}), EstimandPlan(estimands=(one,), visits=VisitPlan(weeks=(1,))))
    assert single.to_dict()["estimands"][0]["verdict"] == "needs a reference arm and another"


def test_pictures_hold_no_subject_unless_asked(result: TrialResult) -> None:
    names = {f'"{s.name}"' for s in result.data.subjects}

    def held(value: object) -> set[str]:
        text = json.dumps(value)
        return {name for name in names if name in text}

    for chart in (result.plot(), result.plot_flow(), result.plot_forest(), result.plot_spaghetti()):
        assert not held(chart_spec(chart))
    for draw in (result.plot_spaghetti, result.plot_waterfall, result.plot_swimmer):
        assert len(held(chart_spec(draw(include_subjects=True)))) > 100
    for draw in (result.plot_waterfall, result.plot_swimmer):
        with pytest.raises(InputError, match="include_subjects=True"):
            draw()
    assert not held(result.to_dict())


def test_the_summary_says_rules_and_figures(result: TrialResult) -> None:
    lines = result.summary().splitlines()
    assert lines[0].startswith("120 subjects: placebo 40 (")
    assert len(lines) == 1 + len(result.analyses)
    assert "response at week 8 (primary), rescue failure from rescue, missing non responder: placebo" in lines[1]


def test_the_synthetic_trial_is_the_same_for_the_same_seed() -> None:
    first, again, other = (synthetic_trial(seed, per_arm=3) for seed in (3, 3, 4))
    assert first.counts.equals(again.counts)
    assert first.subjects.equals(again.subjects)
    assert not first.counts.equals(other.counts)
