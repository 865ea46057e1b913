"""The concentration axis: logarithmic, in nM, a tick at every power of ten, and a place left of the doses for the vehicle."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import altair as alt


@dataclass(frozen=True, kw_only=True, slots=True)
class DoseAxis:
    """Where the doses of a chart lie, nM.

    `vehicle_nM` is the place, not the dose, at which vehicle wells are drawn; None without them.
    """

    low_nM: float
    high_nM: float
    vehicle_nM: float | None

    @property
    def break_nM(self) -> float | None:
        """Where the axis is broken between the vehicle and the lowest dose."""
        return None if self.vehicle_nM is None else self.vehicle_nM * 10**0.35

    def clipped(self, dose_nM: float) -> float:
        """`dose_nM` moved to the nearer end where it lies outside the axis."""
        return min(max(dose_nM, self.low_nM), self.high_nM)


def dose_axis(doses_nM: Iterable[float], *, vehicle: bool = False) -> DoseAxis | None:
    """The axis that holds all positive finite doses (nM); None when there are none."""
    doses = [dose for dose in doses_nM if dose > 0 and math.isfinite(dose)]
    if not doses:
        return None
    at = min(doses) / 10**0.75 if vehicle else None
    return DoseAxis(low_nM=(min(doses) if at is None else at) / 10**0.2, high_nM=max(doses) * 10**0.2, vehicle_nM=at)


def decades(axis: DoseAxis) -> list[float]:
    """Powers of ten (nM) on the axis, at most five, right of the break."""
    start = axis.low_nM if axis.break_nM is None else axis.break_nM
    powers = range(math.ceil(math.log10(start)), math.floor(math.log10(axis.high_nM)) + 1)
    step = max(1, math.ceil(len(powers) / 5))
    return [float(f"1e{power}") for power in powers[::step]]


def dose_x(field: str, axis: DoseAxis, *, title: str | None = "concentration (nM)") -> alt.X:
    """The x channel for a dose in nM; the vehicle's place is labelled "0"."""
    ticks = decades(axis)
    label = "format(datum.value, '~g')"
    if axis.vehicle_nM is not None:
        # the vehicle's place lies below the break; anything right of it is a dose
        label = f"datum.value < {axis.break_nM!r} ? '0' : {label}"
        ticks = [axis.vehicle_nM, *ticks]
    return alt.X(
        f"{field}:Q",
        title=title,
        scale=alt.Scale(type="log", domain=[axis.low_nM, axis.high_nM], nice=False),
        axis=alt.Axis(values=ticks, labelExpr=label, grid=False, labelOverlap=True),
    )
