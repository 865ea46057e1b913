"""The decision machine: against an interpreter of the rules written apart, and scene by scene."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thrombokit.patients.conditions import parse_condition
from thrombokit.patients.titration import (
    Action,
    AfterLast,
    AtLimit,
    Levels,
    LimitAction,
    PercentSteps,
    Resume,
    ResumeAt,
    Signal,
    Titration,
    TitrationRule,
)  # fmt: skip
from thrombokit.patients.titration_program import titration_program
from thrombokit.patients.titration_state import (
    AFTER,
    BEFORE,
    DECISION_SIZE,
    DISTANCE,
    EVERY_AFTER,
    REASONS,
    RULE,
    THRESHOLD,
    Reason,
    decide,
    miss_visit,
    next_dose_h,
    next_visit_h,
    start_state,
    state_size,
    take_dose,
)  # fmt: skip

LEVELS = Levels(amounts=(2.5, 3.75, 5.0, 7.5))
PERCENT = PercentSteps(step_percent=25.0, minimum=50.0, maximum=400.0, round_to=50.0)


def rule(when: str, action: Action, **more: Any) -> TitrationRule:
    more.setdefault("at_once", action in (Action.HOLD, Action.STOP))
    return TitrationRule(when=parse_condition(when), action=action, **more)


def until(when: str, *at: ResumeAt, **more: Any) -> Resume:
    return Resume(when=parse_condition(when), at=at or (ResumeAt.LOWER,), **more)


UP = rule("< 50", Action.UP)
DOWN = rule("> 150", Action.DOWN)
HOLD = rule("> 250", Action.HOLD, resume=until("<= 100"))


def titration(*rules: TitrationRule, **more: Any) -> Titration:
    said: dict[str, Any] = {
        "file": "rule.toml", "title": "rule", "signal": "PLATELET", "observed_with": Signal.LATENT, "dose_compartment": "depot", "every_h": 24.0,
        "first_h": 0.0, "rate": 0.0, "ladder": LEVELS, "start": 2.5, "visits_h": (168.0,), "then_every_h": 168.0, **more,
    }  # fmt: skip
    return Titration(rules=rules or (HOLD, DOWN, UP), **said)


@dataclass
class Seen:
    """What a run showed: (time, before, after, rule, reason) of every visit, (time, amount) of every dose."""

    visits: list[tuple[float, float, float, int, Reason]] = field(default_factory=list)
    doses: list[tuple[float, float]] = field(default_factory=list)
    decisions: list[np.ndarray] = field(default_factory=list)

    @property
    def reasons(self) -> list[Reason]:
        return [visit[4] for visit in self.visits]

    @property
    def after(self) -> list[float]:
        return [visit[2] for visit in self.visits]


def run(said: Titration, counts: list[float], *, last_h: float = 20_000.0) -> Seen:
    """The machine, visit by visit, with doses in between; ends when the counts do, or when there is no further visit."""
    program = titration_program(said)
    state, decision, seen = np.empty(state_size(program)), np.empty(DECISION_SIZE), Seen()
    start_state(program, state)
    for count in counts:
        visit = next_visit_h(state)
        if visit > last_h:
            break
        while next_dose_h(state) < visit:
            at = next_dose_h(state)
            seen.doses.append((at, take_dose(program, state)))
        reason = Reason(decide(program, state, visit, count, decision))
        seen.visits.append((visit, decision[BEFORE], decision[AFTER], int(decision[RULE]), reason))
        seen.decisions.append(decision.copy())
    return seen


# ---- an interpreter of its own: plain Python on the values, no arrays, no shared code with the machine ----
@dataclass
class Interpreter:
    said: Titration
    dose: float = 0.0
    every: float = 0.0
    status: str = "dosing"
    changed: float = -math.inf
    since: float = 0.0
    history: list[tuple[float, int | None]] = field(default_factory=list)
    holds: dict[int, int] = field(default_factory=dict)
    holding: int = -1
    confirmed: int = 0

    def __post_init__(self) -> None:
        self.dose, self.every, self.since = self.said.start, self.said.every_h, self.said.first_h

    def step(self, up: bool) -> float:
        ladder = self.said.ladder
        if isinstance(ladder, Levels):
            options = [a for a in ladder.amounts if (a > self.dose if up else a < self.dose)]
            return (min(options) if up else max(options)) if options else self.dose
        raw = self.dose * (1 + (0.01 if up else -0.01) * ladder.step_percent)
        if ladder.round_to:
            rounded = math.floor(raw / ladder.round_to + 0.5) * ladder.round_to
            grid = round(self.dose / ladder.round_to) * ladder.round_to
            raw = max(rounded, grid + ladder.round_to) if up else min(rounded, grid - ladder.round_to)
        return max(self.dose, min(raw, ladder.maximum)) if up else min(self.dose, max(raw, ladder.minimum))

    def too_soon(self, time: float, row: TitrationRule) -> bool:
        return not row.at_once and (time < self.said.first_change_h or time - self.changed < self.said.change_at_most_every_h)

    def change(self, time: float, dose: float, every: float) -> None:
        if dose != self.dose:
            self.since = time
        self.dose, self.every, self.changed, self.confirmed = dose, every, time, 0

    def hold(self, number: int) -> Reason:
        row = self.said.rules[number].resume
        assert row is not None
        self.holds[number] = self.holds.get(number, 0) + 1
        self.status, self.holding, self.confirmed = "held", number, 0
        if row.listed and self.holds[number] > len(row.at):
            self.status = "stopped" if row.after_last is AfterLast.STOP else "for good"
        return Reason.STOPPED if self.status == "stopped" else Reason.HELD

    def stop(self) -> Reason:
        self.status = "stopped"
        return Reason.STOPPED

    def visit(self, time: float, count: float) -> tuple[Reason, int, float]:
        if self.status == "for good":
            return Reason.HELD_FOR_GOOD, self.holding, 0.0
        if self.status == "held":
            row = self.said.rules[self.holding].resume
            assert row is not None
            if not row.when.holds(count):
                return Reason.STILL_HELD, self.holding, 0.0
            at = row.at[self.holds[self.holding] - 1] if row.listed else row.at[0]
            self.dose = self.step(up=False) if at is ResumeAt.LOWER else self.dose
            self.status, self.changed, self.since, self.history = "dosing", time, time, []
            return Reason.RESUMED, self.holding, self.dose
        number = next((k for k, row in enumerate(self.said.rules) if row.when.holds(count)), None)
        if self.history and self.history[-1][1] != number:
            self.confirmed = 0
        self.history.append((time, number))
        self.confirmed += 1
        reason = self.act(time, number)
        return reason, -1 if number is None else number, self.dose if self.status == "dosing" else 0.0

    def act(self, time: float, number: int | None) -> Reason:
        if number is None:
            return Reason.NO_RULE
        row = self.said.rules[number]
        if row.action is Action.KEEP:
            return Reason.KEPT
        if self.confirmed <= row.confirm_visits:
            return Reason.AWAITING
        if row.action in (Action.UP, Action.DOWN):
            return self.move(time, number, row)
        if row.action is Action.SET:
            dose, every = row.amount or self.dose, row.every_h or self.every
            if (dose, every) == (self.dose, self.every):
                return Reason.UNCHANGED
            if self.too_soon(time, row):
                return Reason.TOO_SOON
            reason = Reason.SET if dose != self.dose else Reason.INTERVAL
            self.change(time, dose, every)
            return reason
        if self.too_soon(time, row):
            return Reason.TOO_SOON
        return self.hold(number) if row.action is Action.HOLD else self.stop()

    def move(self, time: float, number: int, row: TitrationRule) -> Reason:
        up = row.action is Action.UP
        if up and self.every > self.said.every_h:
            if self.too_soon(time, row):
                return Reason.TOO_SOON
            self.change(time, self.dose, self.said.every_h)
            return Reason.INTERVAL
        before = self.dose
        for _ in range(row.steps):
            self.dose = self.step(up)
        after, self.dose = self.dose, before
        if after != before:
            if self.too_soon(time, row):
                return Reason.TOO_SOON
            self.change(time, after, self.every)
            return Reason.UP if up else Reason.DOWN
        limit = row.at_highest if up else row.at_lowest
        if limit.action is LimitAction.STOP:
            return self.stop()
        if limit.action is LimitAction.HOLD:
            return self.hold(number)
        if limit.action is LimitAction.STOP_AFTER:
            others = [t for k, (t, rule) in enumerate(self.history) if rule != number]
            after_others = [t for t, _ in self.history if not others or t > others[-1]]
            begun = max(self.since, after_others[0] if others else -math.inf)
            if time - begun >= limit.hours:
                return self.stop()
        if limit.action is LimitAction.EVERY and self.every != limit.hours:
            if self.too_soon(time, row):
                return Reason.TOO_SOON
            self.change(time, self.dose, limit.hours)
            return Reason.INTERVAL
        return Reason.AT_HIGHEST if up else Reason.AT_LOWEST


SOME_HOLD = st.builds(
    lambda bound, at, listed, last, check: until(
        f"< {bound}", *(at if listed else at[:1]), listed=listed, after_last=last, check_every_h=check
    ),
    st.sampled_from([60, 100, 200]), st.lists(st.sampled_from(ResumeAt), min_size=1, max_size=3), st.booleans(), st.sampled_from(AfterLast),
    st.sampled_from([None, 72.0]),
)  # fmt: skip
LIMITS = st.sampled_from([
    AtLimit(), AtLimit(action=LimitAction.STOP), AtLimit(action=LimitAction.HOLD), AtLimit(action=LimitAction.STOP_AFTER, hours=672.0),
    AtLimit(action=LimitAction.EVERY, hours=48.0),
])  # fmt: skip
WHENS = st.sampled_from(["> 250", ">= 150", "< 50", "<= 30", "50..150", "> 100 and < 200", "> 0"])
SETTINGS = st.sampled_from([(5.0, None), (None, 48.0), (7.5, 24.0)])


@st.composite
def rows(draw: st.DrawFn, amounts: bool) -> TitrationRule:
    action = draw(st.sampled_from(Action))
    amount, every = draw(SETTINGS) if action is Action.SET else (None, None)
    if amount is not None and not amounts:
        amount = 100.0
    lowest = draw(LIMITS) if action is Action.DOWN else AtLimit()
    highest = draw(LIMITS) if action is Action.UP else AtLimit()
    holds = action is Action.HOLD or LimitAction.HOLD in (lowest.action, highest.action)
    return TitrationRule(
        when=parse_condition(draw(WHENS)), action=action, amount=amount, every_h=every, steps=draw(st.integers(1, 2)),
        confirm_visits=draw(st.sampled_from([0, 0, 1, 2])), at_once=draw(st.booleans()), at_lowest=lowest, at_highest=highest,
        resume=draw(SOME_HOLD) if holds else None,
    )  # fmt: skip


@st.composite
def titrations(draw: st.DrawFn) -> Titration:
    amounts = draw(st.booleans())
    start = draw(st.sampled_from(LEVELS.amounts)) if amounts else draw(st.sampled_from([50.0, 200.0, 400.0]))
    return titration(
        *draw(st.lists(rows(amounts), min_size=1, max_size=5)), ladder=LEVELS if amounts else PERCENT, start=start,
        change_at_most_every_h=draw(st.sampled_from([0.0, 200.0, 336.0])), first_change_h=draw(st.sampled_from([0.0, 400.0])),
        visits_h=draw(st.sampled_from([(), (0.0,), (168.0, 336.0)])),
    )  # fmt: skip


@given(titrations(), st.lists(st.sampled_from([10.0, 30.0, 49.9, 50.0, 100.0, 150.0, 151.0, 250.0, 260.0, 400.0]), max_size=30))
@settings(max_examples=400)
def test_the_machine_does_what_the_rules_say(said: Titration, counts: list[float]) -> None:
    seen, by_hand = run(said, counts), Interpreter(said)
    for (time, before, after, number, reason), count in zip(seen.visits, counts, strict=False):
        assert before == (by_hand.dose if by_hand.status == "dosing" else 0.0)
        assert (reason, number, after) == by_hand.visit(time, count)
        assert reason in REASONS


@given(titrations(), st.lists(st.floats(1.0, 500.0), min_size=5, max_size=40))
@settings(max_examples=150)
def test_no_dose_leaves_the_ladder_and_changes_keep_their_distance(said: Titration, counts: list[float]) -> None:
    seen = run(said, counts)
    assert all(said.ladder.lowest <= amount <= said.ladder.highest for _, amount in seen.doses)
    times = [time for time, _ in seen.doses]
    intervals = np.diff(times)
    assert (intervals >= min(24.0, said.every_h) - 1e-9).all()
    slow = [t for t, _, _, k, why in seen.visits if why in (Reason.UP, Reason.DOWN, Reason.SET) and not said.rules[k].at_once]
    assert all(later - earlier >= said.change_at_most_every_h for earlier, later in pairwise(slow))
    assert all(time >= said.first_change_h for time in slow)


def test_first_match_wins() -> None:
    assert run(titration(HOLD, DOWN), [300.0]).reasons == [Reason.HELD]
    assert run(titration(DOWN, HOLD, start=5.0), [300.0]).reasons == [Reason.DOWN]
    assert titration(DOWN, HOLD).never_reached == (1,)
    assert titration(HOLD, DOWN).never_reached == ()


def test_a_visit_comes_before_that_days_dose() -> None:
    seen = run(titration(UP, every_h=168.0, visits_h=(168.0,)), [20.0, 20.0, 100.0])
    assert seen.doses == [(0.0, 2.5), (168.0, 3.75), (336.0, 5.0)]


def test_a_hold_ends_one_level_lower_at_the_next_slot_after_a_visit_of_its_own() -> None:
    hold = replace(HOLD, resume=until("<= 100", check_every_h=60.0))
    seen = run(titration(hold, UP, start=5.0), [300.0, 200.0, 90.0, 60.0])
    assert [visit[0] for visit in seen.visits] == [168.0, 228.0, 288.0, 336.0]
    assert seen.reasons == [Reason.HELD, Reason.STILL_HELD, Reason.RESUMED, Reason.NO_RULE]
    assert seen.after == [0.0, 0.0, 3.75, 3.75]
    assert [time for time, _ in seen.doses if time >= 144.0] == [144.0, 288.0, 312.0]


def test_a_list_of_resumptions_is_used_up() -> None:
    again = [300.0, 90.0] * 3
    for last, end in ((AfterLast.STOP, Reason.STOPPED), (AfterLast.HOLD, Reason.HELD)):
        resume = until("<= 100", ResumeAt.SAME, ResumeAt.LOWER, listed=True, after_last=last)
        seen = run(titration(replace(HOLD, resume=resume), start=5.0), again)
        assert seen.reasons[:5] == [Reason.HELD, Reason.RESUMED, Reason.HELD, Reason.RESUMED, end]
        assert seen.after == [0.0, 5.0, 0.0, 3.75, 0.0] + [0.0] * (last is AfterLast.HOLD)
    assert seen.reasons[5] == Reason.HELD_FOR_GOOD


def test_stop_after_counts_from_the_top_dose_and_anew_after_an_answer() -> None:
    stop = replace(UP, at_highest=AtLimit(action=LimitAction.STOP_AFTER, hours=672.0))
    seen = run(titration(stop, start=5.0), [20.0] * 6)
    assert seen.reasons == [Reason.UP] + [Reason.AT_HIGHEST] * 3 + [Reason.STOPPED]
    assert run(titration(stop, start=7.5), [20.0] * 9).reasons == [Reason.AT_HIGHEST] * 3 + [
        Reason.STOPPED
    ]  # 672 h after the start
    answered = run(titration(stop, start=5.0), [20.0, 20.0, 20.0, 80.0, 20.0, 20.0, 20.0, 20.0, 20.0])
    assert answered.reasons[-1] == Reason.STOPPED
    assert len(answered.visits) == 9


def test_confirmation_counts_further_visits_in_a_row_and_begins_anew_after_acting() -> None:
    confirmed = replace(UP, confirm_visits=1)
    seen = run(titration(confirmed), [20.0, 80.0, 20.0, 20.0, 20.0, 20.0])
    assert seen.reasons == [Reason.AWAITING, Reason.NO_RULE, Reason.AWAITING, Reason.UP, Reason.AWAITING, Reason.UP]


def test_every_other_day_at_the_lowest_dose_and_back() -> None:
    low = replace(DOWN, at_lowest=AtLimit(action=LimitAction.EVERY, hours=48.0))
    seen = run(titration(low, UP), [200.0, 200.0, 20.0, 20.0, 80.0])
    assert seen.reasons == [Reason.INTERVAL, Reason.AT_LOWEST, Reason.INTERVAL, Reason.UP, Reason.NO_RULE]
    assert [time for time, _ in seen.doses if 120.0 <= time < 340.0] == [120.0, 144.0, 192.0, 240.0, 288.0, 336.0]
    assert [time for time, _ in seen.doses if 480.0 <= time < 560.0] == [480.0, 504.0, 528.0, 552.0]
    assert [d[EVERY_AFTER] for d in seen.decisions] == [48.0, 48.0, 24.0, 24.0, 24.0]


@pytest.mark.parametrize(
    ("start", "up", "down"),
    [(50.0, 100.0, 50.0), (100.0, 150.0, 50.0), (200.0, 250.0, 150.0), (300.0, 400.0, 250.0), (400.0, 400.0, 300.0)],
)
def test_percentage_steps_are_of_the_dose_in_force_rounded_and_never_stuck(start: float, up: float, down: float) -> None:
    assert run(titration(UP, ladder=PERCENT, start=start), [20.0]).after == [up]
    assert run(titration(DOWN, ladder=PERCENT, start=start), [200.0]).after == [down]


def test_the_nearest_threshold_that_was_looked_at_is_noted() -> None:
    seen = run(titration(HOLD, DOWN, UP), [49.9, 149.0, 251.0, 99.0])
    assert [float(d[THRESHOLD]) for d in seen.decisions] == [50.0, 150.0, 250.0, 100.0]
    assert [float(d[DISTANCE]) for d in seen.decisions] == pytest.approx([0.1, 1.0, 1.0, 1.0])


def test_a_count_that_is_no_number_changes_nothing_and_says_so() -> None:
    program = titration_program(titration())
    state, decision = np.empty(state_size(program)), np.empty(DECISION_SIZE)
    start_state(program, state)
    before = state.copy()
    assert decide(program, state, 168.0, math.nan, decision) == Reason.NOT_FINITE
    np.testing.assert_array_equal(state, before)


def test_a_missed_visit_is_only_missed() -> None:
    program = titration_program(titration())
    state = np.empty(state_size(program))
    start_state(program, state)
    miss_visit(program, state)
    assert next_visit_h(state) == 336.0
    assert next_dose_h(state) == 0.0


def test_after_a_stop_nothing_is_due() -> None:
    program = titration_program(titration(rule("> 10", Action.STOP)))
    state, decision = np.empty(state_size(program)), np.empty(DECISION_SIZE)
    start_state(program, state)
    assert decide(program, state, 168.0, 20.0, decision) == Reason.STOPPED
    assert next_visit_h(state) == next_dose_h(state) == math.inf
    assert decide(program, state, 336.0, 20.0, decision) == Reason.AFTER_STOP
