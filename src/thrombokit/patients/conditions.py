"""Conditions of a titration rule: "> 250", "<= 100", "50..150", "> 50 and < 150" as an interval of the measured signal."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

_COMPARISON = re.compile(r"(<=|>=|<|>)\s*([0-9.eE+-]+)")
_RANGE = re.compile(r"([0-9.eE+-]+?)\s*\.\.\s*([0-9.eE+-]+)")


class ConditionError(ValueError):
    """The text is no condition; the message says what was found in it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Condition:
    """An interval of the signal; `text` is how the file says it. -inf and inf where a side is open; `..._in` whether the end belongs."""

    text: str
    low: float
    low_in: bool
    high: float
    high_in: bool

    def holds(self, value: float) -> bool:
        """Whether `value` lies inside."""
        above = value >= self.low if self.low_in else value > self.low
        below = value <= self.high if self.high_in else value < self.high
        return above and below

    def covers(self, other: Condition) -> bool:
        """Whether every value for which `other` holds lies inside this one."""
        low = self.low < other.low or (self.low == other.low and (self.low_in or not other.low_in))
        high = self.high > other.high or (self.high == other.high and (self.high_in or not other.high_in))
        return low and high


def parse_condition(text: str) -> Condition:
    """The interval that `text` describes.

    Comparisons `<`, `<=`, `>`, `>=` with a number, joined by `and`, and ranges `low..high` that hold both ends.

    Raises
    ------
    ConditionError
        If the text is none of these, or no value can satisfy it.
    """
    low, low_in, high, high_in = -math.inf, False, math.inf, False
    for part in re.split(r"\band\b", text):
        for sign, number in _bounds(part.strip()):
            at_end = "=" in sign
            if sign[0] == ">" and (number > low or (number == low and not at_end)):
                low, low_in = number, at_end
            elif sign[0] == "<" and (number < high or (number == high and not at_end)):
                high, high_in = number, at_end
    if low > high or (low == high and not (low_in and high_in)):
        raise ConditionError(f'"{text}", which no value satisfies')
    return Condition(text=" ".join(text.split()), low=low, low_in=low_in, high=high, high_in=high_in)


def _bounds(part: str) -> list[tuple[str, float]]:
    if matched := _COMPARISON.fullmatch(part):
        return [(matched[1], _number(matched[2]))]
    if matched := _RANGE.fullmatch(part):
        return [(">=", _number(matched[1])), ("<=", _number(matched[2]))]
    raise ConditionError(f'"{part}", which is no comparison' if part else "a comparison that is missing")


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise ConditionError(f'"{text}" in the place of a number') from None
    if not math.isfinite(number):
        raise ConditionError(f'"{text}" in the place of a finite number')
    return number
