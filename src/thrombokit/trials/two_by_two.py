"""A two-by-two table: responders of two arms, and an interval whose ends may not exist."""

from __future__ import annotations

import math
from dataclasses import dataclass

from thrombokit.errors import Fault, InputError


@dataclass(frozen=True, kw_only=True)
class TwoByTwo:
    """`a` of `n` responded in the first arm, `b` of `m` in the second.

    Raises
    ------
    InputError
        If a count is negative or above its arm's size, or an arm is empty.
    """

    a: int
    n: int
    b: int
    m: int

    def __post_init__(self) -> None:
        faults = [*_faults("first arm", self.a, self.n), *_faults("second arm", self.b, self.m)]
        if faults:
            raise InputError(faults)

    @property
    def p1(self) -> float:
        """Share of responders in the first arm."""
        return self.a / self.n

    @property
    def p2(self) -> float:
        """Share of responders in the second arm."""
        return self.b / self.m

    @property
    def total(self) -> int:
        """Subjects in both arms."""
        return self.n + self.m


@dataclass(frozen=True, kw_only=True)
class Interval:
    """Two limits; infinite where there is none on that side."""

    low: float
    high: float

    def to_list(self) -> list[float | None]:
        """[low, high], None where infinite."""
        return [value if math.isfinite(value) else None for value in (self.low, self.high)]


def _faults(place: str, responders: int, size: int) -> list[Fault]:
    found = f"{responders} of {size}"
    cure = "Write responders/size of each arm, such as 12/30."
    if size < 1:
        return [Fault(place=place, found=found, expected="an arm of at least one subject", cure=cure)]
    if not 0 <= responders <= size:
        return [Fault(place=place, found=found, expected=f"0 to {size} responders", cure=cure)]
    return []
