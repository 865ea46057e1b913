"""A titration rule as one array of numbers, for compiled code; where each number stands is named here.

The array is a head, the levels, the listed visits, the rules (rows of `RULE_WIDTH`) and the dose words of their holds.
"""

from __future__ import annotations

import math

import numpy as np

from thrombokit.numerics.arrays import Array
from thrombokit.patients.conditions import Condition
from thrombokit.patients.titration import (
    Action,
    AfterLast,
    AtLimit,
    Levels,
    LimitAction,
    Resume,
    ResumeAt,
    Titration,
    TitrationRule,
)

N_RULES, N_LEVELS, N_VISITS, START, EVERY_H, FIRST_H, THEN_EVERY_H, CHANGE_EVERY_H, FIRST_CHANGE_H = range(9)
STEP_PERCENT, MINIMUM, MAXIMUM, ROUND_TO, AT_LEVELS, AT_VISITS, AT_RULES = range(9, 16)
HEAD = 16

WHEN, ACTION, AMOUNT, RULE_EVERY_H, STEPS, CONFIRM, AT_ONCE = 0, 4, 5, 6, 7, 8, 9
LOWEST, LOWEST_H, HIGHEST, HIGHEST_H = 10, 11, 12, 13
RESUME_WHEN, RESUME_AT, RESUME_COUNT, RESUME_LISTED, AFTER_LAST_STOPS, CHECK_EVERY_H = 14, 18, 19, 20, 21, 22
RULE_WIDTH = 23
"""Places in a rule's row; `WHEN` and `RESUME_WHEN` are four numbers each: low, whether it belongs, high, whether it belongs."""

UP, DOWN, HOLD, STOP, KEEP, SET = range(6)
LIMIT_KEEP, LIMIT_HOLD, LIMIT_STOP, LIMIT_STOP_AFTER, LIMIT_EVERY = range(5)
RESUME_SAME, RESUME_LOWER = 0.0, 1.0

_ACTIONS = {Action.UP: UP, Action.DOWN: DOWN, Action.HOLD: HOLD, Action.STOP: STOP, Action.KEEP: KEEP, Action.SET: SET}
_LIMITS = {
    LimitAction.KEEP: LIMIT_KEEP, LimitAction.HOLD: LIMIT_HOLD, LimitAction.STOP: LIMIT_STOP, LimitAction.STOP_AFTER: LIMIT_STOP_AFTER,
    LimitAction.EVERY: LIMIT_EVERY,
}  # fmt: skip


def titration_program(titration: Titration) -> Array:
    """The rule as numbers, shape (size,); a new array at each call, amounts and hours as in the rule.

    An absent amount or interval is NaN, an absent schedule infinite.
    """
    ladder = titration.ladder
    levels = ladder.amounts if isinstance(ladder, Levels) else ()
    at_visits = HEAD + len(levels)
    at_rules = at_visits + len(titration.visits_h)
    at_words = at_rules + RULE_WIDTH * len(titration.rules)
    words: list[float] = []
    rows: list[float] = []
    for rule in titration.rules:
        rows += _row(rule, at_words + len(words))
        words += [RESUME_LOWER if at is ResumeAt.LOWER else RESUME_SAME for at in rule.resume.at] if rule.resume else []
    then = titration.then_every_h if titration.then_every_h is not None else math.inf
    percent = (0.0, ladder.lowest, ladder.highest, 0.0)
    if not isinstance(ladder, Levels):
        percent = (ladder.step_percent, ladder.minimum, ladder.maximum, ladder.round_to)
    head = [
        len(titration.rules), len(levels), len(titration.visits_h), titration.start, titration.every_h, titration.first_h, then,
        titration.change_at_most_every_h, titration.first_change_h, *percent, HEAD, at_visits, at_rules,
    ]  # fmt: skip
    return np.array([*head, *levels, *titration.visits_h, *rows, *words], dtype=np.float64)


def _row(rule: TitrationRule, at_words: int) -> list[float]:
    nan = math.nan
    amount, every_h = (nan if value is None else value for value in (rule.amount, rule.every_h))
    return [
        *_interval(rule.when), _ACTIONS[rule.action], amount, every_h, rule.steps, rule.confirm_visits, rule.at_once,
        *_limit(rule.at_lowest), *_limit(rule.at_highest), *_resume(rule.resume, at_words),
    ]  # fmt: skip


def _interval(condition: Condition) -> tuple[float, float, float, float]:
    return condition.low, float(condition.low_in), condition.high, float(condition.high_in)


def _limit(limit: AtLimit) -> tuple[float, float]:
    return float(_LIMITS[limit.action]), limit.hours


def _resume(resume: Resume | None, at_words: int) -> list[float]:
    if resume is None:
        return [math.nan, 0.0, math.nan, 0.0, at_words, 0.0, 0.0, 0.0, 0.0]
    return [
        *_interval(resume.when), at_words, len(resume.at), resume.listed, resume.after_last is AfterLast.STOP, resume.check_every_h or 0.0,
    ]  # fmt: skip
