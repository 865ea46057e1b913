"""Estimand files: the shipped one, what each line means, and every fault with its line in one pass."""

from __future__ import annotations

import pytest

from thrombokit.errors import SpecError
from thrombokit.io.estimands import load_estimands, parse_estimands, shipped_estimands
from thrombokit.trials.estimand import EndpointKind, MissingRule, Population, RescueRule, ShareTest

HEAD = 'schema = "thrombokit-estimand/1"\nreference = "placebo"\n[visits]\nweeks = [1, 2, 3, 4]\n'


def test_the_shipped_plan_says_of_every_line_whether_it_was_read() -> None:
    assert shipped_estimands() == ("hetrombopag-phase3",)
    plan = load_estimands("hetrombopag-phase3")
    assert {one.endpoint.kind for one in plan.estimands} == set(EndpointKind)
    assert {one.missing for one in plan.estimands} == set(MissingRule)
    for one in plan.estimands:
        assert {"endpoint", "rescue"} <= set(one.tier)
        assert all(text.startswith(("read", "assumed")) for text in one.tier.values())
    assert (plan.estimands[0].role, plan.reference, plan.visits.weeks) == ("primary", "placebo", tuple(range(1, 9)))


def test_what_each_key_means() -> None:
    plan = parse_estimands(HEAD + '''before_d = 2
tie = "earlier"
unscheduled = "never"
[[estimand]]
name = "x"
endpoint = {kind = "durable_response", at_least = 2, of_last = 3, threshold_1e9_per_L = 30, times_baseline = 2}
rescue = {rule = "failure_for", days = 28}
missing = "locf"
population = "treated"
strata = ["region"]
confidence = 0.9
compare = {test = "exact_conditional", odds_ratio = "exact_conditional", adjust = "fixed_sequence"}
''')  # fmt: skip
    one = plan.estimands[0]
    assert (one.endpoint.at_least, one.endpoint.of_last, one.endpoint.threshold_1e9_per_L, one.endpoint.times_baseline) == (
        2,
        3,
        30,
        2,
    )
    assert (one.rescue.rule, one.rescue.days, one.missing, one.population) == (
        RescueRule.FAILURE_FOR,
        28,
        MissingRule.LOCF,
        Population.TREATED,
    )
    assert (one.strata, one.confidence, one.test_used) == (("region",), 0.9, ShareTest.EXACT)
    assert (plan.visits.before_d, plan.visits.after_d, plan.visits.tie, plan.visits.unscheduled) == (2, 3, "earlier", "never")


FAULTY = HEAD + '''[[estimand]]
name = "a"
endpoint = {kind = "response_at_week", week = 9, treshold_1e9_per_L = 50}
rescue = {rule = "failure_for"}
missing = "lcf"
[[estimand]]
name = "a"
endpoint = {kind = "durable_response", at_least = 4, of_last = 3}
compare = {test = "cmh"}
[[estimand]]
name = "c"
endpoint = {kind = "time_to_first_response"}
missing = "locf"
rescue = {rule = "as_measured", days = 3}
[[estimand]]
name = "d"
endpoint = {kind = "change_from_baseline"}
rescue = {rule = "failure_from_rescue"}
compare = {covariance = "unstructured"}
dropout = "competes"
[[estimand]]
endpoint = {kind = "days_in_range", low_1e9_per_L = 200, high_1e9_per_L = 50, from_week = 5}
missing = "tipping_point"
confidence = 95
[[estimand]]
name = "f"
endpoint = {kind = "response_at_least_once"}
strata = ["region"]
compare = {test = "fisher", difference = "mee", odds_ratio = "wald"}
[estimand.tier]
rescue = "perhaps"
'''  # fmt: skip


@pytest.mark.parametrize(
    "words",
    [
        "e.toml:7, estimand[1].endpoint.week: found the number 9; expected a planned week: 1, 2, 3, 4",
        'e.toml:7, estimand[1].endpoint.treshold_1e9_per_L: found the unknown key "treshold_1e9_per_L"', 'Did you mean "threshold_1e9_per_L"?',
        'e.toml:8, estimand[1].rescue.days: found no key "days"', 'e.toml:9, estimand[1].missing: found the text "lcf"', 'Did you mean "locf"?',
        "e.toml:11, estimand[2].name", "e.toml:12, estimand[2].endpoint.at_least: found 4 of 3", "found cmh without strata",
        "e.toml:17, estimand[3].missing", "found days beside as_measured", "estimand[4].rescue.rule", "a mean of counts knows no failure",
        'found the text "unstructured"', "found dropout beside change_from_baseline", 'found no key "name"', "found weeks 5 to 4", "found 200 to 50",
        "expected non_responder, locf or observed_only", "found the number 95; expected above 0.5 and below 1", "found fisher beside strata",
        "found mee beside strata", "found wald beside strata", 'begins with "read" or "assumed"',
    ],
)  # fmt: skip
def test_every_fault_is_told_with_its_line_in_one_pass(words: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_estimands(FAULTY, file="e.toml")
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('schema = "thrombokit-estimand/2"\n[visits]\nweeks = [1]\n', "a later thrombokit"),
        ('schema = "thrombokit-estimand/1"\n[visits]\nweeks = [1]\n', "found no estimand"),
        ('schema = "thrombokit-estimand/1"\n[[estimand]]\nname = "x"\nendpoint = {kind = "response_at_least_once"}\n', 'found no key "visits"'),
        (HEAD.replace("[1, 2, 3, 4]", "[2, 1]"), "rising from above 0"),
        (HEAD + "after_d = 5\n", "windows of weeks 1 and 2 that share a day"),
        (HEAD.replace("[1, 2, 3, 4]", '["one"]'), "Write numbers, without quotes"),
        (HEAD + '[[estimand]]\nname = "x"\nendpoint = {kind = "response_at_week"}\n', "Add week = 4"),
    ],
)  # fmt: skip
def test_faults_of_the_file(text: str, words: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_estimands(text)
    assert words in str(caught.value)


def test_a_plan_that_is_not_there() -> None:
    with pytest.raises(SpecError, match='Did you mean "hetrombopag-phase3"'):
        load_estimands("hetrombopag-phase-3")
    with pytest.raises(SpecError, match="no such file"):
        load_estimands("nothing.toml")
