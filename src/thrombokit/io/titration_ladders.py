"""The doses of a titration file: a list of levels, or percentage steps between two ends."""

from __future__ import annotations

from thrombokit.domain.toml_table import TableReader
from thrombokit.patients.titration import Levels, PercentSteps

_EXPECTED = "rising doses such as [2.5, 5.0], or {start = 200, step_percent = 25, minimum = 50, maximum = 400, round_to = 50}"
_EXAMPLE = "levels = [2.5, 3.75, 5.0, 7.5]"


def read_ladder(top: TableReader) -> tuple[Levels | PercentSteps | None, float | None]:
    """The doses to choose from, and the start dose; None where they are absent or wrong (the faults are noted)."""
    value = top.anything("levels", expected=_EXPECTED, example=_EXAMPLE)
    start = top.number("start", expected="the start dose, above 0", above=0.0)
    if isinstance(value, dict):
        return _percent(top, start)
    if value is None:
        return None, start
    amounts = _amounts(value)
    if amounts is None:
        top.fault("levels", expected=_EXPECTED, cure="List each dose once, above 0, in rising order.")
        return None, start
    if start is None:
        if "start" not in top.values:
            cure = f"Add a line such as: start = {amounts[0]:g}"
            top.fault("start", found='no key "start"', expected="the start dose, one of the levels", cure=cure)
    elif start not in amounts:
        top.fault("start", expected=f"one of the levels {_listed(amounts)}", cure="Choose a level, or add this dose to the levels.")
    return Levels(amounts=amounts), start


def is_on_ladder(ladder: Levels | PercentSteps, amount: float) -> bool:
    """Whether a rule may set this dose: a level, or anything between the two ends of percentage steps."""
    return amount in ladder.amounts if isinstance(ladder, Levels) else ladder.minimum <= amount <= ladder.maximum


def ladder_words(ladder: Levels | PercentSteps) -> str:
    """What a dose of this ladder is, for a message."""
    if isinstance(ladder, Levels):
        return f"one of the levels {_listed(ladder.amounts)}"
    return f"a dose from {ladder.minimum:g} to {ladder.maximum:g}"


def _listed(amounts: tuple[float, ...]) -> str:
    return ", ".join(f"{amount:g}" for amount in amounts)


def _amounts(value: object) -> tuple[float, ...] | None:
    if not isinstance(value, list) or not value:
        return None
    if not all(isinstance(item, int | float) and not isinstance(item, bool) for item in value):
        return None
    amounts = tuple(float(item) for item in value)
    rising = all(later > earlier for earlier, later in zip((0.0, *amounts), amounts, strict=False))
    return amounts if rising and amounts[-1] < float("inf") else None


def _percent(top: TableReader, start_above: float | None) -> tuple[PercentSteps | None, float | None]:
    table = top.table("levels")
    assert table is not None  # it was a table a moment ago
    start = table.number("start", expected="the start dose, above 0", above=0.0)
    step = table.number("step_percent", expected="a step in percent, above 0 and below 100", example="step_percent = 25", above=0.0)
    minimum = table.number("minimum", expected="the lowest dose, above 0", example="minimum = 50", above=0.0)
    maximum = table.number("maximum", expected="the highest dose, above 0", example="maximum = 400", above=0.0)
    round_to = table.number("round_to", expected="the smallest unit of a dose, above 0", above=0.0)
    if step is not None and step >= 100.0:
        table.fault(
            "step_percent", expected="a step in percent, above 0 and below 100", cure="25 stands for a quarter of the dose."
        )
    if minimum is not None and maximum is not None and minimum >= maximum:
        table.fault("maximum", expected=f"more than the minimum, {minimum:g}", cure="Exchange the two, or correct one.")
    first = start if start is not None else start_above
    if first is None and "start" not in table.values and "start" not in top.values:
        table.fault("start", found='no key "start"', expected="the start dose", cure="Add start = 200 to the levels.")
    if start is not None and start_above is not None and start != start_above:
        top.fault("start", expected=f"{start:g}, as in levels", cure="Give the start dose once.")
    table.close()
    if step is None or minimum is None or maximum is None or first is None:
        return None, first
    if not minimum <= first <= maximum:
        where = table if start is not None else top
        where.fault("start", expected=f"a dose from {minimum:g} to {maximum:g}", cure="Correct the start dose or the ends.")
    return PercentSteps(step_percent=step, minimum=minimum, maximum=maximum, round_to=round_to or 0.0), first
