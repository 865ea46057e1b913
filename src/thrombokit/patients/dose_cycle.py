"""One interval of a dose that is given for ever: stretches of constant inflow and phase, from one arrival to the next."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

from thrombokit.patients.schedule import Dose

_NEAR = 1e-12
"""Stretches shorter than this share of the interval are rounding."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Leg:
    """From `start` to `stop` after an arrival: `rate` flows into the dose's compartment, absorption is in `phase`, `tad` at the start."""

    start: float
    stop: float
    rate: float
    phase: float
    tad: float


def cycle_legs(dose: Dose, switch_after: float, until: float | None = None) -> tuple[Leg, ...]:
    """The legs of one interval of `dose`, or of its beginning.

    Infusions longer than the interval overlap: n of them run all the time, and one more until the rest of the duration is over.

    Parameters
    ----------
    dose : Dose
        With interval > 0.
    switch_after : float
        Time from the arrival to the switch of absorption; not a number where there is none.
    until : float, optional
        Where to end, within the interval; its end without it.
    """
    interval, whole, rest = dose.interval, *overlap(dose)
    end = interval if until is None else until
    nominal = interval - math.fmod(dose.lag, interval)
    cuts = {0.0, end} | {cut for cut in (rest, switch_after, nominal) if _NEAR * interval < cut < end - _NEAR * interval}
    edges = sorted(cuts)
    legs: list[Leg] = []
    for start, stop in pairwise(edges):
        middle = 0.5 * (start + stop)
        rate = dose.rate * (whole + (1 if middle < rest else 0))
        tad = math.fmod(dose.lag + middle, interval) - 0.5 * (stop - start)
        legs.append(Leg(start=start, stop=stop, rate=rate, phase=1.0 if middle > switch_after else 0.0, tad=tad))
    return tuple(legs)


def overlap(dose: Dose) -> tuple[int, float]:
    """How many infusions run throughout the interval, and how long after an arrival one more does."""
    if not dose.is_infusion:
        return 0, 0.0
    whole = math.floor(dose.duration / dose.interval + _NEAR)
    rest = dose.duration - whole * dose.interval
    return whole, rest if rest > _NEAR * dose.interval else 0.0
