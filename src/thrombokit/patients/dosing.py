"""From a dose record to a dose: the model's lag, bioavailability, rate and duration of its compartment, checked."""

from __future__ import annotations

import numpy as np

from thrombokit.errors import Fault
from thrombokit.numerics.arrays import Array
from thrombokit.patients.bound_events import BoundEvents
from thrombokit.patients.compiled_model import CompiledModel
from thrombokit.patients.event_table import DURATION_FROM_MODEL, RATE_FROM_MODEL
from thrombokit.patients.model import PatientModel
from thrombokit.patients.schedule import Dose

_LAG, _F, _RATE, _DURATION = 0, 1, 2, 3
_WORDS = ("lag", "F", "rate", "duration")


def resolve_dose(
    compiled: CompiledModel, r: Array, *, compartment: int, amount: float, rate: float, interval: float = 0.0, additional: int = 0,
    switch_delay: float = float("nan"), record: int = -1,
) -> Dose:  # fmt: skip
    """A dose as it reaches `compartment` (from 0) under the record values `r`.

    F scales the amount: with RATE > 0 or -1 it changes how long the dose takes, with -2 how fast it runs.
    """
    lag, share = _value(compiled, r, compartment, _LAG, 0.0), _value(compiled, r, compartment, _F, 1.0)
    taken = share * amount
    speed, duration = 0.0, 0.0
    if rate == DURATION_FROM_MODEL:
        duration = _value(compiled, r, compartment, _DURATION, np.nan)
        speed = taken / duration if duration > 0.0 else np.nan
    elif rate != 0.0:
        speed = _value(compiled, r, compartment, _RATE, np.nan) if rate == RATE_FROM_MODEL else rate
        duration = taken / speed if speed > 0.0 else np.nan
    return Dose(compartment=compartment, amount=taken, rate=speed, duration=duration, lag=lag, interval=interval, additional=additional,
                switch_delay=switch_delay, record=record)  # fmt: skip


def record_dose(bound: BoundEvents, record: int, r: Array) -> Dose:
    """The dose of a record, under its own record values `r`."""
    events, compiled = bound.events, bound.compiled
    compartment = int(bound.compartment[record])
    return resolve_dose(
        compiled, r, compartment=compartment, amount=float(events.amount[record]), rate=float(events.rate[record]),
        interval=float(events.interval[record]), additional=int(events.additional[record]), record=record,
        switch_delay=switch_delay(bound.model, compiled, compartment, r),
    )  # fmt: skip


def switch_delay(model: PatientModel, compiled: CompiledModel, compartment: int, r: Array) -> float:
    """Time from a dose into `compartment` to the switch of its absorption; not a number where its absorption has none."""
    if compiled.switch_index < 0:
        return float("nan")
    depots = [piece.name("from") for piece in model.pieces if piece.kind == "dual_absorption"]
    takes = any(name is not None and compiled.compartment_index(name) == compartment for name in depots)
    return float(r[compiled.switch_index]) if takes else float("nan")


def dose_faults(bound: BoundEvents, record: int, r: Array) -> list[Fault]:
    """What is wrong with the values of a dose record: a negative lag, F or switch, a rate or duration that is not above 0."""
    events, compiled = bound.events, bound.compiled
    compartment = int(bound.compartment[record])
    name, rate = compiled.compartments[compartment], float(events.rate[record])
    wrong: list[tuple[str, float, str]] = []
    for place, otherwise in ((_LAG, 0.0), (_F, 1.0)):
        value = _value(compiled, r, compartment, place, otherwise)
        if not value >= 0.0:
            wrong.append((_WORDS[place], value, "0 or more"))
    for code, place in ((RATE_FROM_MODEL, _RATE), (DURATION_FROM_MODEL, _DURATION)):
        value = _value(compiled, r, compartment, place, np.nan)
        if rate == code and not value > 0.0:
            wrong.append((_WORDS[place], value, "more than 0"))
    delay = switch_delay(bound.model, compiled, compartment, r)
    if delay < 0.0:
        wrong.append(("switch", delay, "0 or more"))
    return [
        Fault(place=events.place(record), found=f"{word} {value:g} for a dose into {name}", expected=expected,
              cure=f"Check {word} of {name} in {bound.model.file} and the columns it reads.")
        for word, value, expected in wrong
    ]  # fmt: skip


def _value(compiled: CompiledModel, r: Array, compartment: int, place: int, otherwise: float) -> float:
    where = int(compiled.dose_index[compartment, place])
    return otherwise if where < 0 else float(r[where])
