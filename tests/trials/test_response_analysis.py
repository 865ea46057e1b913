"""Responders counted and compared as an estimand says; tipping points over every allocation of the missing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.trials.small_trials import estimand, trial, weekly

from thrombokit.errors import InputError
from thrombokit.trials.analyse import analyse_trial
from thrombokit.trials.estimand import (
    Adjustment,
    EndpointKind,
    EstimandPlan,
    MissingRule,
    OddsRatio,
    Population,
    RescueRule,
    ShareTest,
)
from thrombokit.trials.multiplicity import holm
from thrombokit.trials.proportions import compare_proportions
from thrombokit.trials.response_analysis import ResponseAnalysis, analyse_response
from thrombokit.trials.strata import Strata
from thrombokit.trials.stratified import compare_strata
from thrombokit.trials.tipping_point import tipping_grid
from thrombokit.trials.trial_data import Subject, TrialData, trial_data
from thrombokit.trials.two_by_two import TwoByTwo
from thrombokit.trials.two_by_two_tests import fisher
from thrombokit.trials.visit_windows import VisitPlan, counts_at_visits

PLAN = VisitPlan(weeks=(1.0, 2.0))
AT_2 = estimand(EndpointKind.AT_WEEK, week=2.0)


def of_counts(groups: dict[tuple[str, str], tuple[int, int, int]]) -> TrialData:
    """(arm, stratum) -> responders, non-responders, missing at week 2."""
    people: list[Subject] = []
    rows: list[tuple[int, float]] = []
    for (arm, stratum), numbers in groups.items():
        for count, n in zip((80.0, 10.0, None), numbers, strict=True):
            for _ in range(n):
                if count is not None:
                    rows.append((len(people), count))
                people.append(Subject(name=f"s{len(people)}", arm=arm, factors={"region": stratum}))
    return trial_data(people, subject=[k for k, _ in rows], day=[14.0] * len(rows), count_1e9_per_L=[c for _, c in rows])


def analysed(data: TrialData, **options: object) -> ResponseAnalysis:
    return analyse_response(
        data, counts_at_visits(data, PLAN), replace(AT_2, **options), reference="placebo", order=("5 mg", "2.5 mg")
    )  # pyright: ignore[reportArgumentType]


THREE = of_counts({("2.5 mg", "x"): (9, 6, 2), ("placebo", "x"): (2, 13, 3), ("5 mg", "x"): (12, 4, 1)})


def test_non_responders_and_observed_only() -> None:
    assert [(a.arm, a.responders, a.n, a.n_unknown) for a in analysed(THREE).arms] == [
        ("2.5 mg", 9, 17, 2),
        ("placebo", 2, 18, 3),
        ("5 mg", 12, 17, 1),
    ]
    observed = analysed(THREE, missing=MissingRule.OBSERVED).arms
    assert [(a.responders, a.n, a.n_left_out) for a in observed] == [(9, 15, 2), (2, 15, 3), (12, 16, 1)]


def test_contrasts_are_those_of_the_counts_and_p_is_adjusted() -> None:
    found = analysed(THREE)
    assert [c.arm for c in found.contrasts] == ["5 mg", "2.5 mg"]
    alone = [compare_proportions(12, 17, 2, 18), compare_proportions(9, 17, 2, 18)]
    for c, one in zip(found.contrasts, alone, strict=True):
        assert c.difference_interval == one.risk_difference.intervals["miettinen_nurminen"]
        assert (c.odds_ratio, c.odds_ratio_interval) == (one.odds_ratio.estimate, one.odds_ratio.intervals["score"])
    p = [one.p_values["fisher"] or 1.0 for one in alone]
    assert [c.p for c in found.contrasts] == p
    assert [c.p_adjusted for c in found.contrasts] == list(holm(p))
    fixed = analysed(THREE, adjust=Adjustment.FIXED_SEQUENCE, test=ShareTest.CHI_SQUARE, odds_ratio=OddsRatio.EXACT)
    assert fixed.contrasts[1].p_adjusted == max(c.p or 1.0 for c in fixed.contrasts)
    assert fixed.contrasts[0].odds_ratio == alone[0].odds_ratio.estimates["exact_conditional"]


def test_strata_are_held() -> None:
    data = of_counts(
        {("5 mg", "x"): (8, 4, 0), ("placebo", "x"): (2, 9, 0), ("5 mg", "y"): (5, 7, 1), ("placebo", "y"): (1, 12, 0)}
    )
    c = analysed(data, strata=("region",)).contrasts[0]
    held = compare_strata(Strata(names=("x", "y"), tables=(TwoByTwo(a=8, n=12, b=2, m=11), TwoByTwo(a=5, n=13, b=1, m=13))))
    assert c.difference == pytest.approx(held.difference, abs=1e-15)
    assert c.difference_interval == held.difference_intervals["miettinen_nurminen"]
    assert (c.odds_ratio, c.p) == (held.odds_ratio.estimate, held.tests["cmh"].p)
    assert (c.difference_method, c.odds_ratio_method, c.test) == ("stratified miettinen_nurminen", "mantel_haenszel", "cmh")


def test_an_arm_without_a_common_stratum_is_not_compared() -> None:
    found = analysed(of_counts({("5 mg", "x"): (8, 4, 0), ("placebo", "y"): (2, 9, 0)}), strata=("region",))
    assert found.notes == ("5 mg and placebo share no stratum: the arm is not compared.",)
    assert (found.contrasts, found.comparison) == ((), None)


def test_the_population_and_an_arm_that_nobody_can_judge() -> None:
    data = trial(
        {"a": weekly(60, 60), "b": weekly(60, 60), "p": weekly(1, 1), "q": weekly()},
        arms={"p": "placebo", "q": "q"},
        treated={"b": False},
    )
    found = analysed(data, population=Population.TREATED, missing=MissingRule.OBSERVED)
    assert [(a.arm, a.n) for a in found.arms] == [("A", 1), ("placebo", 1), ("q", 0)]
    assert found.outcome.tolist() == [1, -1, 0, -1]
    assert found.notes == ("Nobody in q has a known outcome: the arm is not compared.",)
    assert [c.arm for c in found.contrasts] == ["A"]


def test_rescue_makes_failures() -> None:
    data = trial({"a": weekly(60, 60), "p": weekly(1, 1)}, arms={"p": "placebo"}, rescue_days={"a": (10.0,)})
    assert analysed(data).arms[0].responders == 1
    assert analysed(data, rescue=replace(AT_2.rescue, rule=RescueRule.FAILURE_FROM_RESCUE)).arms[0].responders == 0


def test_the_tipping_grid_holds_every_allocation() -> None:
    grid = analysed(THREE, missing=MissingRule.TIPPING_POINT).tipping[0]
    assert (grid.arm, grid.difference.shape) == ("5 mg", (2, 4))
    for i in range(2):
        for j in range(4):
            table = TwoByTwo(a=12 + i, n=17, b=2 + j, m=18)
            assert grid.p[i, j] == fisher(table)
            assert grid.difference[i, j] == table.p1 - table.p2
    assert grid.verdict == "holds"
    tips = tipping_grid(
        arm="a", reference="p", responders=(6, 2), sizes=(12, 12), missing=(4, 4), test=ShareTest.FISHER, alpha=0.05
    )
    assert tips.verdict == "tips"
    needed = tips.fewest_needed()
    assert all(k is None or (tips.p[k, j] < 0.05 and (k == 0 or tips.p[k - 1, j] >= 0.05)) for j, k in enumerate(needed))
    never = tipping_grid(
        arm="a", reference="p", responders=(1, 1), sizes=(4, 4), missing=(0, 0), test=ShareTest.BOSCHLOO, alpha=0.05
    )
    assert (never.verdict, never.test) == ("never", ShareTest.FISHER)


@settings(max_examples=12)
@given(st.tuples(*[st.integers(0, 6)] * 6))
def test_corners_of_the_grid_are_worst_and_best_case(numbers: tuple[int, ...]) -> None:
    a, b, ma, c, d, mb = numbers
    if not a + b + ma or not c + d + mb:
        return
    data = of_counts({("A", "x"): (a, b, ma), ("placebo", "x"): (c, d, mb)})
    found = analysed(data, missing=MissingRule.TIPPING_POINT)
    corners = {one["name"]: one["difference"] for one in found.tipping[0].to_dict()["corners"]}
    n, m = a + b + ma, c + d + mb
    assert corners["worst case"] == pytest.approx(a / n - (c + mb) / m)
    assert corners["best case"] == pytest.approx((a + ma) / n - c / m)
    assert corners["no missing responds"] == pytest.approx(analysed(data).contrasts[0].difference)
    assert np.all(np.diff(found.tipping[0].difference, axis=0) > 0)
    assert np.all(np.diff(found.tipping[0].difference, axis=1) < 0)


def test_what_the_data_cannot_answer_is_told_in_one_pass() -> None:
    plan = EstimandPlan(estimands=(replace(AT_2, strata=("site",)), estimand(EndpointKind.DURABLE, of_last=8),
                                   estimand(EndpointKind.AT_WEEK, week=9.0)),
                        visits=PLAN, reference="Placebo", arms=("10 mg",), subgroups=("sexx",))  # fmt: skip
    with pytest.raises(InputError) as caught:
        analyse_trial(THREE, plan)
    said = str(caught.value)
    assert len(caught.value.faults) == 6
    assert all(
        words in said
        for words in (
            'reference: found "Placebo"',
            'arms: found "10 mg"',
            'strata "site"',
            'subgroups: found "sexx"',
            "at most 2 planned visits",
            "a planned week: 1, 2",
        )
    )
    with pytest.raises(InputError, match="Add reference to the estimand file"):
        analyse_trial(THREE, EstimandPlan(estimands=(AT_2,), visits=PLAN))
