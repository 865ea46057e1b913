"""The rule table of a titration file, row by row."""

from __future__ import annotations

from thrombokit.domain.toml_faults import did_you_mean, found_words, one_of
from thrombokit.domain.toml_table import TableReader
from thrombokit.errors import Fault
from thrombokit.io.titration_ladders import is_on_ladder, ladder_words
from thrombokit.patients.conditions import Condition, ConditionError, parse_condition
from thrombokit.patients.titration import (
    Action,
    AfterLast,
    AtLimit,
    Levels,
    LimitAction,
    PercentSteps,
    Resume,
    ResumeAt,
    TitrationRule,
)  # fmt: skip

_WORDS = tuple(action.value for action in Action if action is not Action.SET)
_DO = f"{one_of(_WORDS)}, {{set = 5.0}} or {{every_h = 48}}"
_WHEN = 'a comparison such as "> 250", "<= 100", "50..150" or "> 50 and < 150"'
_AT_LIMIT = '"keep", "hold", "stop", {stop_after_h = 672} or {every_h = 48}'
_RESUME_AT = f"{one_of([at.value for at in ResumeAt])}, or a list of these, one per hold"
_HOLD_KEYS = ("resume_when", "resume_at", "after_last", "check_every_h")


def read_rules(top: TableReader, *, ladder: Levels | PercentSteps | None, confirm_visits: int) -> tuple[TitrationRule, ...]:
    """The rules in their order; those with a fault are left out (the faults are noted).

    Parameters
    ----------
    top : TableReader
        The whole file.
    ladder : Levels or PercentSteps, optional
        The doses that a rule may set; None where they could not be read.
    confirm_visits : int
        The file's own `confirm`, for rules without one.
    """
    example = 'rules = [{when = "< 50", do = "up"}]'
    if top.anything("rules", expected="a list of rules", example=example) is None:
        return ()
    if top.values["rules"] == []:
        top.fault("rules", expected="at least one rule", cure=f"Write for example: {example}")
    found = [_rule(table, ladder, confirm_visits) for table in top.tables("rules")]
    return tuple(rule for rule in found if rule is not None)


def _rule(table: TableReader, ladder: Levels | PercentSteps | None, confirm_visits: int) -> TitrationRule | None:
    before = len(table.faults)
    when = _condition(table, "when", example='when = "> 250"')
    action, amount, every_h = _action(table, ladder)
    steps = table.whole_number("steps", expected="how many levels up or down, 1 or more")
    if steps == 0 or (steps is not None and action not in (Action.UP, Action.DOWN)):
        table.fault("steps", expected="1 or more, beside up or down", cure="Correct it, or remove the key.")
    at_once = table.flag("at_once", expected="true or false: whether it acts whatever the time since the last change")
    confirm = table.table("confirm")
    if confirm is not None:
        visits = confirm.whole_number("visits", expected="at how many further visits the rule must match")
        confirm_visits = visits if visits is not None else confirm_visits
        confirm.close()
    lowest = _at_limit(table, "at_lowest", belongs_to=Action.DOWN, action=action)
    highest = _at_limit(table, "at_highest", belongs_to=Action.UP, action=action)
    holds = action is Action.HOLD or LimitAction.HOLD in (lowest.action, highest.action)
    resume = _resume(table) if holds else None
    if not holds:
        _refuse_hold_keys(table)
    table.close()
    if len(table.faults) > before or when is None or action is None:
        return None
    by_itself = action in (Action.HOLD, Action.STOP)
    return TitrationRule(
        when=when, action=action, amount=amount, every_h=every_h, steps=steps or 1, confirm_visits=confirm_visits,
        at_once=by_itself if at_once is None else at_once, at_lowest=lowest, at_highest=highest, resume=resume,
    )  # fmt: skip


def _condition(table: TableReader, key: str, *, example: str) -> Condition | None:
    text = table.text(key, expected=_WHEN, example=example)
    if text is None:
        return None
    try:
        return parse_condition(text)
    except ConditionError as error:
        table.fault(
            key, found=str(error), expected=_WHEN, cure="Compare the signal with a number; leave its name and its unit out."
        )
        return None


def _action(table: TableReader, ladder: Levels | PercentSteps | None) -> tuple[Action | None, float | None, float | None]:
    """The action, and for "set" the dose and the interval."""
    value = table.anything("do", expected=_DO, example='do = "up"')
    if isinstance(value, str) and value in _WORDS:
        return Action(value), None, None
    if isinstance(value, dict):
        return _set(table, ladder)
    if value is not None:
        word = value if isinstance(value, str) else ""
        table.fault("do", expected=_DO, cure=did_you_mean(word, _WORDS, otherwise="Choose one of these."))
    return None, None, None


def _set(table: TableReader, ladder: Levels | PercentSteps | None) -> tuple[Action | None, float | None, float | None]:
    inner = table.table("do")
    assert inner is not None  # it was a table a moment ago
    amount = inner.number("set", expected="a dose, above 0", above=0.0)
    every_h = inner.number("every_h", expected="hours between doses, above 0", above=0.0)
    if not inner.values:
        table.fault("do", found="an empty table", expected=_DO, cure="Say which dose, or how many hours between doses.")
    if amount is not None and ladder is not None and not is_on_ladder(ladder, amount):
        inner.fault("set", expected=ladder_words(ladder), cure="Choose such a dose, or widen the levels.")
    inner.close()
    return Action.SET, amount, every_h


def _at_limit(table: TableReader, key: str, *, belongs_to: Action, action: Action | None) -> AtLimit:
    value = table.anything(key, expected=_AT_LIMIT)
    if value is None:
        return AtLimit()
    if action is not None and action is not belongs_to:
        cure = f'Put it beside do = "{belongs_to.value}", or remove it.'
        table.fault(
            key,
            found=f"{key} beside do = {found_words(table.values.get('do'))}",
            expected=f"it beside {belongs_to.value}",
            cure=cure,
        )
        return AtLimit()
    plain = (LimitAction.KEEP, LimitAction.HOLD, LimitAction.STOP)
    if isinstance(value, str) and value in plain:
        return AtLimit(action=LimitAction(value))
    if isinstance(value, dict) and len(value) == 1:
        inner = table.table(key)
        assert inner is not None  # it was a table a moment ago
        stop = inner.number("stop_after_h", expected="hours at the end of the ladder, above 0", above=0.0)
        every = inner.number("every_h", expected="hours between doses, above 0", above=0.0)
        inner.close()
        if stop is not None:
            return AtLimit(action=LimitAction.STOP_AFTER, hours=stop)
        return AtLimit(action=LimitAction.EVERY, hours=every) if every is not None else AtLimit()
    word = value if isinstance(value, str) else ""
    table.fault(key, expected=_AT_LIMIT, cure=did_you_mean(word, plain, otherwise="Choose one of these."))
    return AtLimit()


def _resume(table: TableReader) -> Resume | None:
    when = _condition(table, "resume_when", example='resume_when = "<= 100"')
    value = table.anything("resume_at", expected=_RESUME_AT, example='resume_at = "one level lower"')
    after_last = table.choice("after_last", AfterLast)
    check = table.number("check_every_h", expected="hours between looks at a held patient, above 0", above=0.0)
    listed = isinstance(value, list)
    items: list[object] = value if isinstance(value, list) else [value]
    words = [at.value for at in ResumeAt]
    if value is None:
        return None
    if not items or not all(isinstance(item, str) and item in words for item in items):
        wrong = next((item for item in items if item not in words), "")
        cure = did_you_mean(wrong if isinstance(wrong, str) else "", words, otherwise="Choose one of these.")
        table.fault("resume_at", expected=_RESUME_AT, cure=cure)
        return None
    if after_last is not None and not listed:
        after_last = None  # one word serves every hold: there is no last one
    if when is None:
        return None
    return Resume(
        when=when, at=tuple(ResumeAt(str(item)) for item in items), listed=listed, after_last=after_last or AfterLast.HOLD,
        check_every_h=check,
    )  # fmt: skip


def _refuse_hold_keys(table: TableReader) -> None:
    """Keys of a hold beside an action that holds nothing would be passed over in silence."""
    for key in _HOLD_KEYS:
        if table.anything(key, expected="a key of a rule that holds") is not None:
            place = table.places.place_of((*table.path, key))
            expected = 'it beside do = "hold" (or at_lowest, at_highest = "hold")'
            table.faults.append(
                Fault(place=place, found=f"{key} in a rule that does not hold", expected=expected, cure="Remove the key.")
            )
