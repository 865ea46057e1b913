"""A number with its interval: the only way an estimate leaves a routine."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """Point estimate with a two-sided interval; None where it does not exist or is open."""

    estimate: float | None
    low: float | None
    high: float | None

    def __post_init__(self) -> None:
        for name in ("estimate", "low", "high"):
            value = getattr(self, name)
            if value is not None and not math.isfinite(value):
                object.__setattr__(self, name, None)

    def to_dict(self) -> dict[str, float | None]:
        """Keys `estimate`, `low`, `high`; null where open."""
        return {"estimate": self.estimate, "low": self.low, "high": self.high}
