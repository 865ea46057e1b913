"""Lasting remission: in a few patients the disease goes, and their count stays at a healthy level without any drug.

A share of the candidates belongs to this class, whatever their count at entry. From a day drawn uniformly within `within_d` on, the count that
the model makes is never below `count_1e9_per_L`; fluctuation, rescue and assay act on top, and a titration sees what it leads to.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from thrombokit.errors import Fault, SpecError, raise_all
from thrombokit.numerics.arrays import Array


@dataclass(frozen=True, kw_only=True, slots=True)
class Remission:
    """Who remits, when, and to which count; both assumed (no series of untreated adults gives them).

    Attributes
    ----------
    share : float
        Of the patients, from 0 to 1.
    count_1e9_per_L : float
        The least count the model makes from that day on.
    within_d : float
        The day is uniform between 0 and this.

    Raises
    ------
    SpecError
        Every value out of range, in one pass.
    """

    share: float
    count_1e9_per_L: float = 150.0
    within_d: float = 182.0

    def __post_init__(self) -> None:
        wrong: list[tuple[str, float, str]] = []
        if not 0.0 <= self.share <= 1.0:
            wrong.append(("share", self.share, "a number from 0 to 1"))
        others = {"count_1e9_per_L": self.count_1e9_per_L, "within_d": self.within_d}
        wrong += [(name, value, "a finite number above 0") for name, value in others.items() if not 0.0 < value < math.inf]
        raise_all(
            (
                Fault(place=f"remission, {name}", found=f"{value:g}", expected=what, cure="Correct it.")
                for name, value, what in wrong
            ),
            SpecError,
        )

    def day_of(self, uniforms: Array) -> float:
        """Day of the remission, inf where there is none, from two draws (2,) of [0, 1): of the class, and of the day."""
        return self.within_d * float(uniforms[1]) if uniforms[0] < self.share else math.inf
