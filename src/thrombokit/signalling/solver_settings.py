"""How closely a solver is to work, and how a run to the steady state ended."""

from __future__ import annotations

from dataclasses import dataclass

from thrombokit.errors import Fault, raise_all
from thrombokit.numerics.outcome import Outcome


@dataclass(frozen=True, kw_only=True, slots=True)
class Tolerances:
    """Of each solver step: `relative`, and `absolute` in units of the smallest value the model starts with that is not zero.

    `longest_step` is a share of a run; it holds in models with events or conditions alone, whose short pulses a longer step could miss.
    """

    relative: float = 1e-9
    absolute: float = 1e-12
    longest_step: float = 2e-3

    def __post_init__(self) -> None:
        ranges = {"relative": (1e-14, 1e-2), "absolute": (1e-30, 1.0), "longest_step": (1e-6, 1.0)}
        raise_all(
            Fault(place=f"tolerances, {name}", found=f"{value:g}", expected=f"{low:g} to {high:g}", cure="Choose such a value.")
            for (name, (low, high)), value in zip(ranges.items(), (self.relative, self.absolute, self.longest_step), strict=True)
            if not low <= value <= high
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Rest:
    """How a run to the steady state ended.

    Attributes
    ----------
    outcome : Outcome
        `converged`, or `max_steps` when the state still moved at `time`.
    time : float
        Model time run.
    movement : float
        Largest relative change any amount would make in as long a time again, at the rate it had at the end.
    """

    outcome: Outcome
    time: float
    movement: float
