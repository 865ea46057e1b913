"""The same dose again and again, whatever the count: a regimen without visits."""

from __future__ import annotations

import math
from dataclasses import dataclass

from thrombokit.errors import Fault, SpecError, raise_all
from thrombokit.patients.titration import Levels, Signal, Titration


@dataclass(frozen=True, kw_only=True, slots=True)
class FixedDose:
    """A dose every `every_h` hours from `first_h`, before `until_h`.

    `amount` in the model's unit of amount (0: placebo), into `compartment` (None: the model's default); `rate` as in an event table (0: at
    once; -1, -2: as the model has it).

    Raises
    ------
    SpecError
        Every value out of range, in one pass.
    """

    amount: float
    every_h: float = 24.0
    first_h: float = 0.0
    until_h: float = math.inf
    compartment: str | None = None
    rate: float = 0.0

    def __post_init__(self) -> None:
        wrong: list[tuple[str, float, str]] = []
        if not 0.0 <= self.amount < math.inf:
            wrong.append(("amount", self.amount, "a finite number, 0 or more"))
        if not 0.0 < self.every_h < math.inf:
            wrong.append(("every_h", self.every_h, "a finite number of hours above 0"))
        if not 0.0 <= self.first_h < math.inf:
            wrong.append(("first_h", self.first_h, "a finite number of hours, 0 or more"))
        if math.isnan(self.until_h) or self.until_h < self.first_h:
            wrong.append(("until_h", self.until_h, f"hours not before first_h, {self.first_h:g}"))
        if not (self.rate in (-1.0, -2.0) or 0.0 <= self.rate < math.inf):
            wrong.append(("rate", self.rate, "0 (at once), an amount per hour, -1 or -2 (as the model has it)"))
        raise_all(
            (
                Fault(place=f"fixed dose, {name}", found=f"{found:g}", expected=what, cure="Correct it.")
                for name, found, what in wrong
            ),
            SpecError,
        )

    def as_rule(self, *, signal: str, compartment: str) -> Titration:
        """The same as a titration that never looks at a count."""
        return Titration(
            file="fixed dose", title=f"{self.amount:g} every {self.every_h:g} h", signal=signal, observed_with=Signal.LATENT,
            dose_compartment=self.compartment or compartment, every_h=self.every_h, first_h=self.first_h, rate=self.rate,
            ladder=Levels(amounts=(self.amount,)), start=self.amount, visits_h=(), then_every_h=None, rules=(),
        )  # fmt: skip
