"""Checks what a model file says as a whole, and writes its pieces out.

Every name is looked up here: what it is, whether it may stand where it stands, and in which order named values are computed. All faults
come in one pass. A name nobody defines is a data column; whether the data has it shows when the model meets the data.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache

from thrombokit.domain.toml_faults import did_you_mean
from thrombokit.errors import Fault, SpecError, raise_all
from thrombokit.patients.expanded import COLUMN, PHASE, ExpandedModel, Flow, GammaInput, Term
from thrombokit.patients.expression_parser import WORDS_THAT_ARE_NO_NAMES
from thrombokit.patients.expressions import Name, names_in, substitute
from thrombokit.patients.model import CONTINUOUS_TIME, OUT, TIME, TIME_AFTER_DOSE, DoseSettings, Entry, PatientModel
from thrombokit.patients.pieces import Expansion, add_piece

_RESERVED = {word.casefold() for word in (TIME, CONTINUOUS_TIME, TIME_AFTER_DOSE, OUT)} | WORDS_THAT_ARE_NO_NAMES
_CONSTANT = ("theta", "random effect", "mixture", "record value", "data column", "time of the record")
_MOVING = ("compartment", "algebra", "time", "phase")


@lru_cache(maxsize=64)
def expand(model: PatientModel) -> ExpandedModel:
    """The model with its pieces written out and every name looked up.

    Raises
    ------
    SpecError
        With every fault: names defined twice, names where they may not stand, circles, compartments nobody declares.
    """
    parts = Expansion(compartments=list(model.compartments))
    for piece in model.pieces:
        add_piece(piece, parts)
    faults: list[Fault] = []
    names = _Names(model, parts, faults)
    record = _in_order({name: names.constant(entry, "[record]", own=name) for name, entry in model.record.items()}, faults)
    algebra = _in_order({name: names.moving(entry) for name, entry in (*model.algebra.items(), *parts.algebra)}, faults)
    expanded = ExpandedModel(
        compartments=tuple(parts.compartments),
        record=record,
        algebra=algebra,
        flows=_flows(model, parts, names),
        terms=_terms(model, parts, names),
        dose=_doses(model, names),
        initial=_initial(model, parts, names),
        output={name: names.moving(entry) for name, entry in model.output.items()},
        switch=names.constant(parts.switches[0][0], "switch") if parts.switches else None,
        switch_from_record=bool(parts.switches) and parts.switches[0][1],
        gamma_inputs=_gamma_inputs(parts, names),
        columns=tuple(names.columns.values()),
    )
    for switch, _ in parts.switches[1:]:
        faults.append(
            Fault(
                place=switch.place,
                found="a second dual_absorption",
                expected="one in a model",
                cure="Keep one; write the other as a [flow] with if(TAD < ..., ..., ...).",
            )
        )
    for key, compartment in (("default_dose", model.default_dose), ("default_observation", model.default_observation)):
        if compartment is not None:
            names.compartment(compartment, f"{model.file}, {key}")
    raise_all(faults, SpecError)
    return expanded


def entries_with_time(expanded: ExpandedModel) -> tuple[str, ...]:
    """The entries that read TIME, as a person would name them: "CL", "[dose.central] lag"."""
    entries = list(expanded.record.items())
    for compartment, settings in expanded.dose.items():
        entries.extend((f"[dose.{compartment}] {key}", entry) for key, entry in dose_entries(settings))
    entries.extend((f"[initial] {compartment}", entry) for compartment, entry in expanded.initial.items())
    return tuple(name for name, entry in entries if TIME in names_in(entry.expression))


def dose_entries(settings: DoseSettings) -> tuple[tuple[str, Entry], ...]:
    """The settings that are given, with their keys."""
    found = (("lag", settings.lag), ("F", settings.F), ("rate", settings.rate), ("duration", settings.duration))
    return tuple((key, entry) for key, entry in found if entry is not None)


class _Names:
    """What every name means; `columns` grows with each name that nobody defines."""

    def __init__(self, model: PatientModel, parts: Expansion, faults: list[Fault]) -> None:
        self.model = model
        self.faults = faults
        self.columns: dict[str, str] = {}
        self.kinds: dict[str, str] = {TIME: "time of the record", CONTINUOUS_TIME: "time", TIME_AFTER_DOSE: "time", PHASE: "phase"}
        self.spelt: dict[str, str] = {name.casefold(): name for name in self.kinds}
        self.compartments: dict[str, str] = {}
        file = model.file
        self._define(((name, f"{file}, compartments") for name in parts.compartments), "compartment")
        self.compartments = {name.casefold(): name for name in parts.compartments}
        self._define(((name, f"{file}, theta.{name}") for name in model.theta), "theta")
        self._define(((name, f"{file}, random.omega") for name in model.eta_names), "random effect")
        self._define(((mixture.name, f"{file}, random.mixture") for mixture in model.mixtures), "mixture")
        self._define(((name, entry.place) for name, entry in model.record.items()), "record value")
        self._define(((name, entry.place) for name, entry in (*model.algebra.items(), *parts.algebra)), "algebra")

    def _define(self, names: Iterable[tuple[str, str]], kind: str) -> None:
        for name, place in names:
            folded = name.casefold()
            if folded in _RESERVED:
                cure = "Choose another name; T, TAD, TIME, out and the functions have a meaning of their own."
                self.faults.append(Fault(place=place, found=f'"{name}"', expected="a name that is free", cure=cure))
            elif folded in self.spelt:
                earlier = self.spelt[folded]
                found = f'"{name}", which is also a {self.kinds[earlier]}' + ("" if earlier == name else f' ("{earlier}")')
                cure = "Rename one of the two (a typical value as TVCL, say); capital and small letters are the same here."
                self.faults.append(Fault(place=place, found=found, expected="a name with one meaning", cure=cure))
            else:
                self.spelt[folded] = name
                self.kinds[name] = kind

    def constant(self, entry: Entry, where: str, *, own: str = "") -> Entry:
        """An entry that holds between two records, its names spelt as defined; its `own` name is the data column of that name."""
        return self._resolved(entry, constant_in=where, own=own)

    def moving(self, entry: Entry) -> Entry:
        """An entry that follows the compartments, its names spelt as defined."""
        return self._resolved(entry, constant_in=None)

    def _resolved(self, entry: Entry, *, constant_in: str | None, own: str = "") -> Entry:
        replacements: dict[str, Name] = {}
        for name in names_in(entry.expression):
            folded = name.casefold()
            if folded not in self.spelt or folded == own.casefold():
                column = COLUMN + name if folded in self.spelt else name
                replacements[name] = Name(self.columns.setdefault(folded, column))
                continue
            known = self.spelt[folded]
            replacements[name] = Name(known)
            if constant_in is not None and self.kinds[known] in _MOVING:
                self._moving_in_constant(entry, name, known, constant_in)
            elif constant_in is None and known == TIME:
                expected, cure = (
                    "T, the time as it runs",
                    "Write T here; TIME is the time of a record, for [record], [dose.*] and [initial].",
                )
                self.faults.append(Fault(place=entry.place, found=f'"{name}"', expected=expected, cure=cure))
        return replace(entry, expression=substitute(entry.expression, replacements))

    def _moving_in_constant(self, entry: Entry, name: str, known: str, where: str) -> None:
        kind = self.kinds[known]
        cure = f"Move what reads it to [algebra]: {where} holds from one record to the next."
        if known in (CONTINUOUS_TIME, TIME_AFTER_DOSE):
            cure = "Write TIME for the time of the record, or move the entry to [algebra]."
        expected = "theta, random effects, mixtures, data columns, TIME and [record] values only"
        self.faults.append(Fault(place=entry.place, found=f'"{name}", {_a(kind)}', expected=expected, cure=cure))

    def compartment(self, name: str, place: str) -> str:
        """The compartment as it is declared; a fault where it is not."""
        known = self.compartments.get(name.casefold())
        if known is None:
            listed = tuple(self.compartments.values())
            cure = did_you_mean(name, listed, otherwise="Add it to compartments, or correct the name.")
            self.faults.append(Fault(place=place, found=f'"{name}"', expected=f"a compartment: {', '.join(listed)}", cure=cure))
        return known or name


def _a(kind: str) -> str:
    return {"algebra": "an [algebra] value", "time": "time as it runs"}.get(kind, f"a {kind}")


def _flows(model: PatientModel, parts: Expansion, names: _Names) -> tuple[Flow, ...]:
    own = [
        Flow(source=source, target=None if target.casefold() == OUT else target, coefficient=entry)
        for (source, target), entry in model.flow.items()
    ]
    return tuple(
        Flow(
            source=names.compartment(flow.source, flow.coefficient.place),
            target=None if flow.target is None else names.compartment(flow.target, flow.coefficient.place),
            coefficient=names.moving(flow.coefficient),
        )
        for flow in (*own, *parts.flows)
    )


def _terms(model: PatientModel, parts: Expansion, names: _Names) -> tuple[Term, ...]:
    own = [Term(compartment=name, entry=entry) for name, entry in model.ode.items()]
    return tuple(
        Term(compartment=names.compartment(term.compartment, term.entry.place), entry=names.moving(term.entry))
        for term in (*own, *parts.terms)
    )


def _doses(model: PatientModel, names: _Names) -> dict[str, DoseSettings]:
    doses: dict[str, DoseSettings] = {}
    for name, settings in model.dose.items():
        given = dose_entries(settings)
        place = given[0][1].place if given else f"{model.file}, dose.{name}"
        resolved = {key: names.constant(entry, f"[dose.{name}]") for key, entry in given}
        doses[names.compartment(name, place)] = DoseSettings(**resolved)
    return doses


def _initial(model: PatientModel, parts: Expansion, names: _Names) -> dict[str, Entry]:
    """What the file says; what pieces say where it says nothing."""
    said = {names.compartment(name, entry.place): names.constant(entry, "[initial]") for name, entry in model.initial.items()}
    for name, entry in parts.initial:
        said.setdefault(names.compartment(name, entry.place), names.constant(entry, "the start of a compartment"))
    return said


def _gamma_inputs(parts: Expansion, names: _Names) -> tuple[GammaInput, ...]:
    return tuple(
        GammaInput(
            source=names.compartment(gamma.source, gamma.rate.place),
            target=names.compartment(gamma.target, gamma.rate.place),
            n=names.constant(gamma.n, "n of a transit piece"),
            rate=names.constant(gamma.rate, "rate of a transit piece"),
        )
        for gamma in parts.gamma_inputs
    )


def _in_order(entries: Mapping[str, Entry], faults: list[Fault]) -> dict[str, Entry]:
    """The entries so that each reads only earlier ones; a fault for each circle. Entries that need no move keep their order."""
    ordered: dict[str, Entry] = {}
    on_the_way: list[str] = []
    circular: set[str] = set()

    def place(name: str) -> None:
        if name in ordered or name in circular:
            return
        if name in on_the_way:
            circle = [*on_the_way[on_the_way.index(name) :], name]
            circular.update(circle)
            cure = (
                "Break the circle: one of them must be computed without the others." if len(circle) > 2 else "Rename what it reads."
            )
            found = f"a circle: {' reads '.join(circle)}"
            faults.append(
                Fault(place=entries[name].place, found=found, expected="values that can be computed one after another", cure=cure)
            )
            return
        on_the_way.append(name)
        for read in names_in(entries[name].expression):
            if read in entries:
                place(read)
        on_the_way.pop()
        ordered[name] = entries[name]

    for name in entries:
        place(name)
    return ordered
