"""One subject's concentrations after a dose, and what is done about samples below the limit of quantification.

A sample below the limit before the first quantified one counts as 0; one after the last quantified one ends the curve (only `AUCALL` goes
to it); one in between is left out, or counts as 0 if the settings say so. What was left out is told.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thrombokit.errors import Fault, InputError, raise_all
from thrombokit.numerics.arrays import Array, BoolArray, FrozenArrays, frozen
from thrombokit.patients.nca_choices import AreaMethod, Between, Route


@dataclass(frozen=True, kw_only=True, slots=True)
class NcaSettings:
    """How profiles are analysed. Times in the unit of the samples.

    `tau`: the dosing interval; given, the profiles are at steady state. `duration` of an infusion. `partial`: (start, end) of partial areas.
    `least_r2_adjusted`, `most_extrapolated_percent`: where the verdict on the terminal phase, and on what rests on it, turns. The units are
    labels.
    """

    route: Route = Route.EXTRAVASCULAR
    method: AreaMethod = AreaMethod.LINEAR_UP_LOG_DOWN
    duration: float = 0.0
    tau: float | None = None
    partial: tuple[tuple[float, float], ...] = ()
    between: Between = Between.LEFT_OUT
    least_r2_adjusted: float = 0.9
    most_extrapolated_percent: float = 20.0
    confidence: float = 0.95
    time_unit: str = "time"
    concentration_unit: str = "conc"
    dose_unit: str = "dose"

    def __post_init__(self) -> None:
        object.__setattr__(self, "route", Route(self.route))
        object.__setattr__(self, "method", AreaMethod(self.method))
        object.__setattr__(self, "between", Between(self.between))
        raise_all(_setting_faults(self))


@dataclass(frozen=True, kw_only=True, eq=False)
class Profile(FrozenArrays):
    """Samples of one subject after one dose.

    `time` (n,) since the dose, rising; `concentration` (n,), 0 or more; `below` (n,): below the limit of quantification (the value is not
    looked at). `dose` in amount, None where it is not known. `group`: a treatment, say. `place` stands in messages.
    """

    subject: str
    time: Array
    concentration: Array
    below: BoolArray | None = None
    dose: float | None = None
    group: str = ""
    place: str = ""
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "time", frozen(self.time))
        object.__setattr__(self, "concentration", frozen(self.concentration))
        below = np.zeros(self.time.size) if self.below is None else self.below
        object.__setattr__(self, "below", frozen(below, np.bool_))
        raise_all(_profile_faults(self))


@dataclass(frozen=True, kw_only=True, eq=False)
class Curve(FrozenArrays):
    """What the parameters are computed from: `time`, `concentration` (n,) from the dose to the last quantified sample.

    `after` is the time of the first sample below the limit after it, if any; `c0` the concentration put in at time 0; `lag` the time of the
    last sample at or below 0 before the first quantified one.
    """

    time: Array
    concentration: Array
    after: float | None = None
    c0: float | None = None
    lag: float | None = None
    notes: tuple[str, ...] = ()


def curve_of(profile: Profile, settings: NcaSettings) -> Curve | None:
    """The curve, or None where nothing was quantified after the dose.

    Where no sample stands at time 0 one is put there: 0 after a single extravascular dose or at the start of an infusion; after a bolus the
    line through the first two samples on the log scale (the first sample where that line does not fall); at steady state the lowest sample
    of the interval.
    """
    notes = list(profile.notes)
    below = np.asarray(profile.below) | (profile.concentration <= 0.0)
    kept = profile.time >= 0.0
    if not kept.all():
        notes.append(f"{int((~kept).sum())} samples before the dose left out")
    time, value, below = profile.time[kept], np.where(below, 0.0, profile.concentration)[kept], below[kept]
    quantified = np.flatnonzero(~below)
    if not quantified.size:
        return None
    first, last = int(quantified[0]), int(quantified[-1])
    after = float(time[last + 1]) if last + 1 < time.size else None
    place = np.arange(time.size)
    inner = below & (place > first) & (place < last)
    use = place <= last
    if inner.any():
        said = "left out" if settings.between is Between.LEFT_OUT else "taken as 0"
        notes.append(f"{int(inner.sum())} samples below the limit between quantified ones {said}")
        use &= ~inner if settings.between is Between.LEFT_OUT else True
    time, value = time[use], value[use]
    lag = float(time[first - 1]) if first > 0 else (0.0 if settings.route is Route.EXTRAVASCULAR else None)
    c0 = None
    if time[0] > 0.0 or (settings.route is Route.BOLUS and settings.tau is None and first > 0):
        if time[0] == 0.0:
            time, value = time[1:], value[1:]
        c0, told = _at_zero(time, value, settings)
        notes.append(told)
        time, value = np.concatenate(([0.0], time)), np.concatenate(([c0], value))
    return Curve(time=time, concentration=value, after=after, c0=c0, lag=lag, notes=tuple(notes))


def _at_zero(time: Array, value: Array, settings: NcaSettings) -> tuple[float, str]:
    if settings.tau is not None:
        within = value[time <= settings.tau]
        lowest = float(within.min()) if within.size else float(value.min())
        return lowest, "no sample at time 0: the lowest of the interval stands there"
    if settings.route is not Route.BOLUS:
        return 0.0, "no sample at time 0: 0 stands there"
    if value.size > 1 and value[0] > value[1] > 0.0:
        slope = np.log(value[1] / value[0]) / (time[1] - time[0])
        return float(value[0] * np.exp(-slope * time[0])), "time 0 by the line through the first two samples"
    return float(value[0]), "no sample at time 0: the first sample stands there"


def _setting_faults(settings: NcaSettings) -> list[Fault]:
    def fault(found: str, expected: str, cure: str) -> Fault:
        return Fault(place="settings of the analysis", found=found, expected=expected, cure=cure)

    faults: list[Fault] = []
    if settings.route is Route.INFUSION and not (np.isfinite(settings.duration) and settings.duration > 0.0):
        faults.append(fault(f"an infusion of {settings.duration:g}", "a duration above 0", "Give the duration of the infusion."))
    if settings.route is not Route.INFUSION and settings.duration != 0.0:
        faults.append(
            fault(f"duration {settings.duration:g} without an infusion", "0", "Say route infusion, or leave the duration out.")
        )
    if settings.tau is not None and not (np.isfinite(settings.tau) and settings.tau > 0.0):
        faults.append(fault(f"tau {settings.tau:g}", "a dosing interval above 0", "Correct it."))
    faults += [
        fault(f"a partial area from {start:g} to {end:g}", "0 <= start < end", "Correct it.")
        for start, end in settings.partial
        if not 0.0 <= start < end < np.inf
    ]
    if not 0.0 < settings.confidence < 1.0:
        faults.append(fault(f"confidence {settings.confidence:g}", "a number between 0 and 1", "Write 0.95 for 95 %."))
    return faults


def _profile_faults(profile: Profile) -> list[Fault]:
    place = profile.place or f"subject {profile.subject}"
    faults: list[Fault] = []
    if profile.concentration.shape != profile.time.shape or profile.time.ndim != 1:
        found = f"{profile.time.shape} times and {profile.concentration.shape} concentrations"
        raise InputError(Fault(place=place, found=found, expected="one concentration a time", cure="Give arrays of one length."))
    values = np.where(np.asarray(profile.below), 0.0, profile.concentration)
    if not (np.isfinite(profile.time).all() and np.isfinite(values).all()):
        faults.append(Fault(place=place, found="times or concentrations that are no finite numbers", expected="numbers",
                            cure="Leave samples without a value out."))  # fmt: skip
    elif (values < 0.0).any():
        lowest = float(values.min())
        faults.append(Fault(place=place, found=f"a concentration of {lowest:g}", expected="0 or more",
                            cure="Mark it as below the limit of quantification, or correct it."))  # fmt: skip
    if (np.diff(profile.time) <= 0.0).any():
        k = int(np.flatnonzero(np.diff(profile.time) <= 0.0)[0])
        faults.append(Fault(place=place, found=f"time {profile.time[k + 1]:g} after {profile.time[k]:g}", expected="rising times, each once",
                            cure="Sort the samples, and keep one of two at the same time (or their mean)."))  # fmt: skip
    if profile.dose is not None and not (np.isfinite(profile.dose) and profile.dose > 0.0):
        faults.append(Fault(place=place, found=f"dose {profile.dose:g}", expected="an amount above 0", cure="Correct the dose."))
    return faults
