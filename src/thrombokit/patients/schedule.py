"""What is going to happen to one individual: arrivals, ends of infusions, switches and the doses that repeat, in the order of time.

At one time the nominal times of repeating doses come first, then ends of infusions, switches of absorption, and arrivals. Repeating doses
are unrolled one at a time, so that ten thousand of them cost no more memory than one.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from enum import IntEnum


class ActionKind(IntEnum):
    """Kinds of action, in the order in which they act at one time."""

    NOMINAL = 0
    END = 1
    SWITCH = 2
    ARRIVE = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Dose:
    """One dose as it reaches a compartment (counted from 0): at once (`amount`), or at `rate` for `duration`; `lag` after its nominal time.

    `amount` is bioavailable. `interval` and `additional` repeat it; `switch_delay` is when its absorption switches, NaN where it does not.
    """

    compartment: int
    amount: float
    rate: float
    duration: float
    lag: float
    interval: float = 0.0
    additional: int = 0
    switch_delay: float = float("nan")
    record: int = -1

    @property
    def is_infusion(self) -> bool:
        """Whether it takes time."""
        return self.duration > 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Action:
    """Something that happens at `time`: `dose` arrives, ends or repeats (`repeat` counts from 0), or absorption switches."""

    time: float
    kind: ActionKind
    dose: Dose
    nominal_time: float
    repeat: int = 0
    arrival: int = 0


class Schedule:
    """The actions still to come, soonest first; those of one time and kind in the order in which they were planned."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, int, Action]] = []
        self._planned = 0

    def add(self, action: Action) -> None:
        """Plan an action."""
        heapq.heappush(self._heap, (action.time, int(action.kind), self._planned, action))
        self._planned += 1

    def next_time(self) -> float:
        """Time of the soonest action; infinite when there is none."""
        return self._heap[0][0] if self._heap else float("inf")

    def pop(self) -> Action:
        """The soonest action, taken off."""
        return heapq.heappop(self._heap)[3]

    def clear(self) -> None:
        """Cancel everything."""
        self._heap.clear()

    def add_repeats(self, dose: Dose, start: float, *, after: int = 0) -> None:
        """Plan the next of the additional doses of `dose`, whose first was at `start`; `after` of them are done."""
        if after < dose.additional:
            time = start + (after + 1) * dose.interval
            self.add(Action(time=time, kind=ActionKind.NOMINAL, dose=dose, nominal_time=time, repeat=after + 1))

    def add_arrival(self, dose: Dose, nominal_time: float) -> None:
        """Plan the arrival of `dose`, its lag after `nominal_time`."""
        self.add(Action(time=nominal_time + dose.lag, kind=ActionKind.ARRIVE, dose=dose, nominal_time=nominal_time))
