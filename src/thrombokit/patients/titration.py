"""A titration rule as a value: which doses there are, when the count is looked at, and what is done about it.

The rule is data (see `io.titrations` for its file). `titration_program` turns it into one array of numbers that the decision machine of
`titration_state` reads, the same machine for event tables and for cohorts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from thrombokit.patients.conditions import Condition

LEVEL_ROUNDING = 1e-9
"""Two doses that differ by less than this share are the same level."""


class Signal(StrEnum):
    """What is measured at a visit: the model's output itself, or with the residual error of the assay."""

    LATENT = "latent"
    RESIDUAL = "residual"


class Action(StrEnum):
    """What a rule does."""

    UP = "up"
    DOWN = "down"
    HOLD = "hold"
    STOP = "stop"
    KEEP = "keep"
    SET = "set"


class LimitAction(StrEnum):
    """What a rule does that would go beyond the lowest or the highest dose."""

    KEEP = "keep"
    HOLD = "hold"
    STOP = "stop"
    STOP_AFTER = "stop_after_h"
    EVERY = "every_h"


class ResumeAt(StrEnum):
    """The dose after a hold."""

    SAME = "same level"
    LOWER = "one level lower"


class AfterLast(StrEnum):
    """What a hold is once the list of `resume_at` is used up."""

    HOLD = "hold"
    STOP = "stop"


@dataclass(frozen=True, kw_only=True, slots=True)
class Levels:
    """The doses to choose from, in rising order."""

    amounts: tuple[float, ...]

    @property
    def lowest(self) -> float:
        """The smallest dose."""
        return self.amounts[0]

    @property
    def highest(self) -> float:
        """The largest dose."""
        return self.amounts[-1]


@dataclass(frozen=True, kw_only=True, slots=True)
class PercentSteps:
    """Doses that move by `step_percent` of the dose in force, rounded to `round_to` (0: not rounded), never out of minimum to maximum.

    Halves are rounded up; where rounding would leave the dose as it is, it moves by one `round_to`.
    """

    step_percent: float
    minimum: float
    maximum: float
    round_to: float = 0.0

    @property
    def lowest(self) -> float:
        """The smallest dose."""
        return self.minimum

    @property
    def highest(self) -> float:
        """The largest dose."""
        return self.maximum


@dataclass(frozen=True, kw_only=True, slots=True)
class AtLimit:
    """What is done at the end of the ladder; `hours` belongs to `stop_after_h` and `every_h`."""

    action: LimitAction = LimitAction.KEEP
    hours: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Resume:
    """How a hold ends: the condition, the dose (`at`: one word for every hold, or `listed`, one per hold), how often one looks (h, or None)."""

    when: Condition
    at: tuple[ResumeAt, ...]
    listed: bool = False
    after_last: AfterLast = AfterLast.HOLD
    check_every_h: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class TitrationRule:
    """One line of the rule table.

    `amount` and `every_h` belong to the action "set" (None: as it is); `confirm_visits`: at how many further visits in a row it must match
    before it acts; `at_once`: acts whatever the time since the last change.
    """

    when: Condition
    action: Action
    amount: float | None = None
    every_h: float | None = None
    steps: int = 1
    confirm_visits: int = 0
    at_once: bool = False
    at_lowest: AtLimit = field(default_factory=AtLimit)
    at_highest: AtLimit = field(default_factory=AtLimit)
    resume: Resume | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Titration:
    """A titration rule, checked.

    Times in hours from the start of the simulation; doses in the amount unit of the model. `signal` is an output of the model,
    `dose_compartment` one of its compartments; `rate` as in an event table (0: bolus). `then_every_h` None: no visit after the listed ones.
    `tier` says key by key where the rule comes from (for `rules` one sentence a rule). `file` stands in messages.
    """

    file: str
    title: str
    signal: str
    observed_with: Signal
    dose_compartment: str
    every_h: float
    first_h: float
    rate: float
    ladder: Levels | PercentSteps
    start: float
    visits_h: tuple[float, ...]
    then_every_h: float | None
    rules: tuple[TitrationRule, ...]
    change_at_most_every_h: float = 0.0
    first_change_h: float = 0.0
    tier: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])

    @property
    def never_reached(self) -> tuple[int, ...]:
        """Rules (from 0) that no count can reach, because an earlier one always matches first."""
        return tuple(k for k, rule in enumerate(self.rules) if any(earlier.when.covers(rule.when) for earlier in self.rules[:k]))

    def summary(self) -> str:
        """A few plain sentences."""
        visits = ", ".join(f"{time:g}" for time in self.visits_h) or "no listed visit"
        then = f", then every {self.then_every_h:g} h" if self.then_every_h else ""
        told = [
            f"{self.title}: {self.start:g} into {self.dose_compartment} every {self.every_h:g} h, "
            f"between {self.ladder.lowest:g} and {self.ladder.highest:g}, by {self.signal} ({self.observed_with}).",
            f"Visits at {visits} h{then}.",
            *(f"{number}. {rule.when.text}: {rule.action}." for number, rule in enumerate(self.rules, start=1)),
        ]
        told += [f"Rule {k + 1} is never reached: an earlier one matches whenever it would." for k in self.never_reached]
        return "\n".join(told)
