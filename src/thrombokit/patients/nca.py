"""Non-compartmental analysis: what a concentration curve says of exposure and loss without a model, under CDISC's names.

Every parameter of a subject has a value or a reason why it has none: what rests on a terminal phase that is not there is not computed, and
what rests on much extrapolation says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from thrombokit.errors import Fault, InputError
from thrombokit.patients.nca_areas import area_between, concentration_at, segment_areas
from thrombokit.patients.nca_choices import Route
from thrombokit.patients.nca_profile import Curve, NcaSettings, Profile, curve_of
from thrombokit.patients.nca_result import NcaResult, Parameter, Standing
from thrombokit.patients.terminal_phase import Terminal, TerminalPhase, find_terminal_phase

Values = dict[str, float | None]


@dataclass(frozen=True, kw_only=True)
class _Subject:
    """A curve with its areas and terminal phase, on the way to its parameters."""

    profile: Profile
    settings: NcaSettings
    curve: Curve
    terminal: TerminalPhase
    auc: float
    aumc: float

    @property
    def last(self) -> tuple[float, float]:
        return float(self.curve.time[-1]), float(self.curve.concentration[-1])


def analyse_nca(profiles: Sequence[Profile], settings: NcaSettings | None = None) -> NcaResult:
    """Non-compartmental parameters of every profile.

    Parameters
    ----------
    profiles : sequence of Profile
        One a subject and dose.
    settings : NcaSettings, optional
        Route, rule of the areas, steady state, partial areas; by default a single extravascular dose, linear up and log down.

    Returns
    -------
    NcaResult
        A parameter a row: CDISC PPTESTCD, value, unit, standing. Statistics over subjects by `.statistics()`.

    Raises
    ------
    InputError
        If there is no profile.

    References
    ----------
    CDISC SDTM terminology, code list PKPARMCD (the names). Gabrielsson and Weiner 2016, Pharmacokinetic and Pharmacodynamic Data Analysis,
    5th edition, chapter 2.8 (the formulas).
    """
    chosen = settings or NcaSettings()
    if not profiles:
        raise InputError(Fault(place="non-compartmental analysis", found="no profile", expected="at least one",
                               cure="Give profiles that have samples after a dose."))  # fmt: skip
    parameters: list[Parameter] = []
    notes: list[str] = []
    for profile in profiles:
        found, told = _analyse(profile, chosen)
        parameters += found
        notes += [f"{_named(profile)}: {note}." for note in told]
    return NcaResult(parameters=tuple(parameters), profiles=tuple(profiles), settings=chosen, notes=tuple(notes))


def _named(profile: Profile) -> str:
    return f"subject {profile.subject}" + (f" ({profile.group})" if profile.group else "")


def _analyse(profile: Profile, settings: NcaSettings) -> tuple[list[Parameter], tuple[str, ...]]:
    curve = curve_of(profile, settings)
    if curve is None:
        reason = Parameter(subject=profile.subject, group=profile.group, code="CMAX", value=None, unit=settings.concentration_unit,
                           standing=Standing.NOT_QUANTIFIED)  # fmt: skip
        return [reason], (*profile.notes, "nothing quantified after the dose")
    area, moment = segment_areas(curve.time, curve.concentration, settings.method)
    measured = curve.concentration[1:] if curve.c0 is not None else curve.concentration
    peak = int(np.argmax(measured)) + (curve.time.size - measured.size)
    first = peak if settings.route is Route.BOLUS else peak + 1
    terminal = find_terminal_phase(
        curve.time, curve.concentration, first=first, least_r2_adjusted=settings.least_r2_adjusted, confidence=settings.confidence
    )
    subject = _Subject(
        profile=profile, settings=settings, curve=curve, terminal=terminal, auc=float(area.sum()), aumc=float(moment.sum())
    )
    observed = {"CMAX": float(curve.concentration[peak]), "TMAX": float(curve.time[peak]), **_observed(subject)}
    values = [(observed, Standing.VALUE), (_terminal_values(terminal), _terminal_standing(terminal))]
    extrapolated, standing = _extrapolated(subject)
    values.append((extrapolated, standing))
    if settings.tau is not None:
        values.append(_steady_state(subject, observed["CMAX"] or 0.0))
    parameters = [_parameter(subject, code, value, standing) for part, standing in values for code, value in part.items()]
    return [*parameters, *_partial_areas(subject)], curve.notes


def _observed(s: _Subject) -> Values:
    """What needs no terminal phase."""
    time, last = s.last
    beyond = 0.0 if s.curve.after is None else 0.5 * (s.curve.after - time) * last
    mean = s.aumc / s.auc if s.auc > 0.0 else None
    values: Values = {"TLAG": s.curve.lag} if s.settings.route is Route.EXTRAVASCULAR else {"C0": s.curve.c0}
    values |= {"TLST": time, "CLST": last, "AUCLST": s.auc, "AUCALL": s.auc + beyond, "AUMCLST": s.aumc}
    values[_residence("LST", s)] = None if mean is None else mean - 0.5 * s.settings.duration
    if s.profile.dose is not None:
        values["AUCLSTD"] = s.auc / s.profile.dose
    return {code: value for code, value in values.items() if code != "C0" or value is not None}


def _residence(end: str, s: _Subject) -> str:
    return f"MRT{'EV' if s.settings.route is Route.EXTRAVASCULAR else 'IV'}{end}"


def _terminal_values(terminal: TerminalPhase) -> Values:
    rate = terminal.rate
    return {
        "LAMZ": rate, "LAMZHL": None if rate is None else float(np.log(2.0)) / rate, "LAMZNPT": terminal.n_points or None,
        "LAMZLL": terminal.start, "LAMZUL": terminal.end, "R2": terminal.r2, "R2ADJ": terminal.r2_adjusted, "CORRXY": terminal.correlation,
    }  # fmt: skip


def _terminal_standing(terminal: TerminalPhase) -> Standing:
    return {
        Terminal.FOUND: Standing.VALUE, Terminal.POOR_FIT: Standing.POOR_FIT, Terminal.NOT_DECLINING: Standing.NOT_DECLINING,
        Terminal.TOO_FEW_POINTS: Standing.TOO_FEW_POINTS,
    }[terminal.verdict]  # fmt: skip


def _extrapolated(s: _Subject) -> tuple[Values, Standing]:
    """Areas to infinity and what rests on them; None where there is no terminal phase to rest on."""
    iv = s.settings.route is not Route.EXTRAVASCULAR
    codes = [
        "AUCIFO",
        "AUCIFP",
        "AUCPEO",
        "AUCPEP",
        "AUMCIFO",
        _residence("IFO", s),
        *(["CLO", "VZO", "VSSO"] if iv else ["CLFO", "VZFO"]),
    ]
    rate, (time, last) = s.terminal.rate, s.last
    if rate is None or s.terminal.verdict is not Terminal.FOUND:
        return dict.fromkeys(codes), _terminal_standing(s.terminal)
    if (
        s.settings.tau is not None
    ):  # at steady state the area of one interval is that of a single dose to infinity: no extrapolation
        return {}, Standing.VALUE
    predicted = s.terminal.predicted(time) or 0.0
    area, area_predicted = s.auc + last / rate, s.auc + predicted / rate
    moment = s.aumc + last * time / rate + last / rate**2
    residence = moment / area - 0.5 * s.settings.duration
    values: Values = {
        "AUCIFO": area, "AUCIFP": area_predicted, "AUCPEO": 100.0 * (1.0 - s.auc / area),
        "AUCPEP": 100.0 * (1.0 - s.auc / area_predicted), "AUMCIFO": moment, _residence("IFO", s): residence,
    }  # fmt: skip
    if s.profile.dose is not None:
        clearance = s.profile.dose / area
        values |= {"AUCIFOD": area / s.profile.dose, "CLO" if iv else "CLFO": clearance, "VZO" if iv else "VZFO": clearance / rate}
        values |= {"VSSO": clearance * residence} if iv else {}
    too_much = 100.0 * (1.0 - s.auc / area) > s.settings.most_extrapolated_percent
    return values, Standing.EXTRAPOLATED if too_much else Standing.VALUE


def _area(s: _Subject, start: float, end: float) -> float | None:
    """Area between two times; beyond the last sample by the terminal phase, None where there is none."""
    time, last = s.last
    inside = area_between(start, min(end, time), s.curve.time, s.curve.concentration, s.settings.method) if start < time else 0.0
    if end <= time:
        return inside
    rate = s.terminal.rate
    if rate is None or s.terminal.verdict is not Terminal.FOUND:
        return None
    return inside + last / rate * float(np.exp(-rate * max(start - time, 0.0)) - np.exp(-rate * (end - time)))


def _steady_state(s: _Subject, highest: float) -> tuple[Values, Standing]:
    """One dosing interval at steady state."""
    tau, (time, last) = s.settings.tau or 0.0, s.last
    area = _area(s, 0.0, tau)
    terminal_found = s.terminal.verdict is Terminal.FOUND and s.terminal.rate is not None
    if tau <= time:
        trough: float | None = concentration_at(tau, s.curve.time, s.curve.concentration, s.settings.method)
    else:
        trough = last * float(np.exp(-(s.terminal.rate or 0.0) * (tau - time))) if terminal_found else None
    values: Values = {"AUCTAU": area, "CTROUGH": trough, "CAVG": None, "FLUCP": None}
    clearance = "CLFTAU" if s.settings.route is Route.EXTRAVASCULAR else "CLTAU"
    if s.profile.dose is not None:
        values[clearance] = None
    if area is None or trough is None:
        return values, Standing.NO_TERMINAL_PHASE
    lowest = min(trough, float(s.curve.concentration[s.curve.time <= tau].min()))
    average = area / tau
    values |= {"CAVG": average, "CMIN": lowest, "FLUCP": 100.0 * (highest - lowest) / average}
    if s.profile.dose is not None:
        values[clearance] = s.profile.dose / area
        if terminal_found and s.terminal.rate:
            values["VZFTAU" if clearance == "CLFTAU" else "VZTAU"] = s.profile.dose / area / s.terminal.rate
    beyond = tau > time and 100.0 * (1.0 - s.auc / area) > s.settings.most_extrapolated_percent
    return values, Standing.EXTRAPOLATED if beyond else Standing.VALUE


def _partial_areas(s: _Subject) -> list[Parameter]:
    parameters: list[Parameter] = []
    for start, end in s.settings.partial:
        value = _area(s, start, end)
        standing = Standing.VALUE if value is not None else Standing.NO_TERMINAL_PHASE
        if value is not None and end > s.last[0]:
            measured = _area(s, start, min(max(start, s.last[0]), end)) if start < s.last[0] else 0.0
            share = 100.0 * (1.0 - (measured or 0.0) / value) if value > 0.0 else 0.0
            standing = Standing.EXTRAPOLATED if share > s.settings.most_extrapolated_percent else Standing.VALUE
        parameters.append(_parameter(s, "AUCINT", value, standing, (start, end)))
    return parameters


def _parameter(
    s: _Subject, code: str, value: float | None, standing: Standing, interval: tuple[float, float] | None = None
) -> Parameter:
    low, high = None, None
    if code == "LAMZ" and value is not None:
        low, high = s.terminal.rate_low, s.terminal.rate_high
    if code == "LAMZHL" and value is not None and s.terminal.rate_high:
        low = float(np.log(2.0)) / s.terminal.rate_high
        high = float(np.log(2.0)) / s.terminal.rate_low if s.terminal.rate_low and s.terminal.rate_low > 0.0 else None
    return Parameter(
        subject=s.profile.subject, group=s.profile.group, code=code, value=value, unit=unit_of(code, s.settings), standing=standing,
        low=low, high=high, interval=interval,
    )  # fmt: skip


def unit_of(code: str, settings: NcaSettings) -> str:
    """The unit of a parameter, from the labels of the settings."""
    time, conc, dose = settings.time_unit, settings.concentration_unit, settings.dose_unit
    if code in ("AUCPEO", "AUCPEP", "FLUCP"):
        return "%"
    if code in ("R2", "R2ADJ", "CORRXY", "LAMZNPT"):
        return ""
    if code == "LAMZ":
        return f"1/{time}"
    if code.startswith("AUMC"):
        return f"{time}2*{conc}"
    if code.startswith("AUC"):
        return f"{time}*{conc}" + (f"/{dose}" if code.endswith("D") else "")
    if code.startswith("CL") and code != "CLST":
        return f"{dose}/({time}*{conc})"
    if code.startswith("V"):
        return f"{dose}/({conc})" if "/" in conc else f"{dose}/{conc}"
    return conc if code.startswith("C") else time
