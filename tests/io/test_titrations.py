"""Titration files: every key is read, and every fault is told with its line, key and cure in one pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from thrombokit.agonists.library import shipped_rules
from thrombokit.errors import SpecError
from thrombokit.io.titrations import load_titration, parse_titration
from thrombokit.patients.titration import (
    Action,
    AfterLast,
    AtLimit,
    Levels,
    LimitAction,
    PercentSteps,
    ResumeAt,
    Signal,
)  # fmt: skip

WHOLE = """schema = "thrombokit-titration/1"
title = "A rule"
signal = "PLATELET"
observed_with = "residual"
dose = {compartment = "depot", every_h = 24, first_h = 8, rate = -2}
levels = [2.5, 3.75, 5.0, 7.5]
start = 2.5
visits_h = [168, 336]
then_every_h = 168
change_at_most_every_h = 336
first_change_h = 200
confirm = {visits = 1}
rules = [
  {when = "> 250", do = "hold", resume_when = "<= 100", resume_at = ["same level", "one level lower"], after_last = "stop", check_every_h = 72},
  {when = "> 150", do = "down", at_lowest = "keep", steps = 2, confirm = {visits = 0}},
  {when = "< 50", do = "up", at_highest = {stop_after_h = 672}, at_once = true},
  {when = "50..60", do = {set = 5.0, every_h = 48}},
  {when = "60..70", do = "keep"},
]
[tier]
levels = "read: a label"
rules = ["assumed: one", "assumed: two"]
"""


def test_every_key_is_read() -> None:
    rule = parse_titration(WHOLE, file="r.toml")
    assert (rule.file, rule.title, rule.signal, rule.observed_with) == ("r.toml", "A rule", "PLATELET", Signal.RESIDUAL)
    assert (rule.dose_compartment, rule.every_h, rule.first_h, rule.rate) == ("depot", 24.0, 8.0, -2.0)
    assert (rule.ladder, rule.start) == (Levels(amounts=(2.5, 3.75, 5.0, 7.5)), 2.5)
    assert (rule.visits_h, rule.then_every_h) == ((168.0, 336.0), 168.0)
    assert (rule.change_at_most_every_h, rule.first_change_h) == (336.0, 200.0)
    hold, down, up, fixed, keep = rule.rules
    assert hold.resume is not None
    assert hold.resume.at == (ResumeAt.SAME, ResumeAt.LOWER)
    assert (hold.resume.listed, hold.resume.after_last, hold.resume.check_every_h) == (True, AfterLast.STOP, 72.0)
    assert (hold.at_once, hold.confirm_visits) == (True, 1)
    assert (down.action, down.steps, down.confirm_visits, down.at_once, down.at_lowest) == (Action.DOWN, 2, 0, False, AtLimit())
    assert (up.at_highest, up.at_once) == (AtLimit(action=LimitAction.STOP_AFTER, hours=672.0), True)
    assert (fixed.action, fixed.amount, fixed.every_h) == (Action.SET, 5.0, 48.0)
    assert (keep.action, keep.when.text) == (Action.KEEP, "60..70")
    assert rule.tier == {"levels": ("read: a label",), "rules": ("assumed: one", "assumed: two")}
    assert "1. > 250: hold." in rule.summary()


def test_percentage_levels_and_defaults() -> None:
    text = """schema = "thrombokit-titration/1"
signal = "PLATELET"
observed_with = "latent"
dose = {compartment = "depot", every_h = 168}
levels = {start = 200, step_percent = 25, minimum = 50, maximum = 400, round_to = 50}
then_every_h = 168
rules = [{when = "< 50", do = "up"}]
"""
    rule = parse_titration(text, file="weekly.toml")
    assert rule.ladder == PercentSteps(step_percent=25.0, minimum=50.0, maximum=400.0, round_to=50.0)
    assert (rule.start, rule.title, rule.first_h, rule.rate, rule.visits_h) == (200.0, "weekly", 0.0, 0.0, ())


@pytest.mark.parametrize(
    ("line", "instead", "said"),
    [
        ('schema = "thrombokit-titration/1"', 'schema = "other/2"', 'r.toml:1, schema: found the text "other/2"'),
        ('signal = "PLATELET"', "signal = 3", "r.toml:3, signal: found the number 3; expected an output of the model"),
        ('observed_with = "residual"', 'observed_with = "residuals"', 'r.toml:4, observed_with: found the text "residuals"; expected "latent" '
         'or "residual". Did you mean "residual"?'),
        ("every_h = 24, first_h = 8", "every_h = 0, first_h = 8", "r.toml:5, dose.every_h: found the number 0; expected hours between doses"),
        ("first_h = 8", "first_h = -8", "r.toml:5, dose.first_h: found the number -8; expected hour of the first dose, 0 or later"),
        ("rate = -2", "rate = -3", "r.toml:5, dose.rate: found the number -3; expected 0, a rate above 0, -1 or -2"),
        ("rate = -2", "rates = -2", 'r.toml:5, dose.rates: found the unknown key "rates"'),
        ("levels = [2.5, 3.75, 5.0, 7.5]", "levels = [2.5, 2.5]", "r.toml:6, levels: found a list; expected rising doses"),
        ("levels = [2.5, 3.75, 5.0, 7.5]", "levels = [2.5, nan]", "r.toml:6, levels: found a list; expected rising doses"),
        ("levels = [2.5, 3.75, 5.0, 7.5]", "levels = {step_percent = 120, minimum = 5, maximum = 2}", "r.toml:6, levels.step_percent: found "
         "the number 120"),
        ("levels = [2.5, 3.75, 5.0, 7.5]", "levels = {step_percent = 20, minimum = 5, maximum = 9}", "r.toml:7, start: found the number 2.5; "
         "expected a dose from 5 to 9"),
        ("start = 2.5", "start = 3", "r.toml:7, start: found the number 3; expected one of the levels 2.5, 3.75, 5, 7.5"),
        ("start = 2.5\n", "\n", 'r.toml:1, start: found no key "start"'),
        ("visits_h = [168, 336]", "visits_h = [336, 168]", "r.toml:8, visits_h: found a list; expected hours of visits, rising"),
        ("then_every_h = 168", "then_every_h = 0", "r.toml:9, then_every_h: found the number 0; expected hours between the visits"),
        ("change_at_most_every_h = 336", "change_at_most_every_h = true", "r.toml:10, change_at_most_every_h: found true; expected hours"),
        ("confirm = {visits = 1}\nrules", "confirm = {visits = 1.5}\nrules", "r.toml:12, confirm.visits: found the number 1.5"),
        ('when = "> 250"', 'when = "over 250"', 'r.toml:14, rules[1].when: found "over 250", which is no comparison'),
        ('do = "hold"', 'do = "holds"', 'r.toml:14, rules[1].do: found the text "holds"; expected "up"'),
        ('do = "hold"', 'do = {set = 4.0}', "r.toml:14, rules[1].do.set: found the number 4.0; expected one of the levels"),
        ('do = "hold"', "do = {}", "r.toml:14, rules[1].do: found an empty table"),
        ('resume_when = "<= 100", ', "", 'r.toml:14, rules[1].resume_when: found no key "resume_when"'),
        ('["same level", "one level lower"]', '"one levels lower"', 'r.toml:14, rules[1].resume_at: found the text "one levels lower"; expected '
         '"same level" or "one level lower", or a list of these, one per hold. Did you mean "one level lower"?'),
        ('after_last = "stop"', 'after_last = "end"', 'r.toml:14, rules[1].after_last: found the text "end"; expected "hold" or "stop"'),
        ('at_lowest = "keep"', 'at_highest = "keep"', "r.toml:15, rules[2].at_highest: found at_highest beside do = the text \"down\""),
        ('at_lowest = "keep"', 'at_lowest = "kept"', 'r.toml:15, rules[2].at_lowest: found the text "kept"; expected "keep", "hold", "stop", '
         '{stop_after_h = 672} or {every_h = 48}. Did you mean "keep"?'),
        ('at_lowest = "keep"', 'resume_when = "< 3"', "r.toml:15, rules[2].resume_when: found resume_when in a rule that does not hold"),
        ('at_lowest = "keep"', 'at_lowest = "hold"', 'r.toml:15, rules[2].resume_when: found no key "resume_when"'),
        ("steps = 2", "steps = 0", "r.toml:15, rules[2].steps: found the number 0"),
        ("at_once = true", 'at_once = "yes"', 'r.toml:16, rules[3].at_once: found the text "yes"; expected true or false'),
        ('levels = "read: a label"', "levels = 3", "r.toml:21, tier.levels: found the number 3; expected a sentence"),
        ("[tier]", "[tiers]", 'r.toml:20, tiers: found the unknown key "tiers"'),
    ],
)  # fmt: skip
def test_each_fault_is_told_with_line_and_key(line: str, instead: str, said: str) -> None:
    assert line in WHOLE
    with pytest.raises(SpecError) as caught:
        parse_titration(WHOLE.replace(line, instead, 1), file="r.toml")
    assert said in str(caught.value)
    assert all(fault.cure for fault in caught.value.faults)


def test_all_faults_come_in_one_pass() -> None:
    text = (
        WHOLE.replace('"PLATELET"', "3")
        .replace("start = 2.5", "start = 3")
        .replace('"> 250"', '"high"')
        .replace("[tier]", "[tiers]")
    )
    with pytest.raises(SpecError) as caught:
        parse_titration(text, file="r.toml")
    assert len(caught.value.faults) == 4


def test_an_empty_file_names_all_it_lacks() -> None:
    with pytest.raises(SpecError) as caught:
        parse_titration("", file="r.toml")
    said = str(caught.value)
    for key in ("schema", "signal", "observed_with", "dose", "levels", "rules"):
        assert f'found no key "{key}"' in said
    assert "found no visit" in said


def test_shipped_rules_load_by_name_and_files_by_path(tmp_path: Path) -> None:
    for name in shipped_rules():
        rule = load_titration(name)
        assert rule.file == f"{name}.toml"
        assert rule.never_reached == ()
        assert rule.tier
    path = tmp_path / "own.toml"
    path.write_text(WHOLE, encoding="utf-8")
    assert load_titration(path) == load_titration(str(path))
    with pytest.raises(SpecError, match="no such file"):
        load_titration(tmp_path / "absent.toml")
    with pytest.raises(SpecError, match="hetrombopag-150-250"):
        load_titration("hetrombopag-150-25")
