"""[patients] and its files -> `PatientsInput`: models, rules, event tables and concentrations read, names found; nothing is simulated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from thrombokit.agonists.library import is_file_name, is_shipped_model
from thrombokit.domain.agonist import Agonist, Covers
from thrombokit.domain.toml_faults import did_you_mean
from thrombokit.errors import Fault
from thrombokit.io.cohort_inputs import DEFAULT_REGIMEN, cohort_model, cohort_regimen
from thrombokit.io.nonmem import read_events
from thrombokit.io.patient_models import load_model
from thrombokit.io.pk_tables import read_profiles
from thrombokit.io.regimens import load_regimen
from thrombokit.io.titrations import load_titration
from thrombokit.patients.cohort import Cohort
from thrombokit.patients.cohort_diagnostics import CountRange
from thrombokit.patients.covariates import usual_covariate
from thrombokit.patients.drawn_cohort import DrawnModel
from thrombokit.patients.event_table import EventTable
from thrombokit.patients.fixed_dose import FixedDose
from thrombokit.patients.model import PatientModel
from thrombokit.patients.nca_areas import AreaMethod
from thrombokit.patients.nca_profile import NcaSettings, Profile, Route
from thrombokit.patients.regimen import regimen_events
from thrombokit.patients.simulate_draws import DRAWS
from thrombokit.patients.titration import Levels, Titration
from thrombokit.study.load_cells import Reading
from thrombokit.study.patient_parameters import Calibrated, find_sets
from thrombokit.study.spec import StudySpec
from thrombokit.study.spec_patients import CohortTable, EventsTable, PatientsSection, ProfilesTable
from thrombokit.study.virtual_patients import PatientFaults, counts_of, describe_patients


@dataclass(frozen=True, kw_only=True, eq=False)
class CohortInput:
    """One model under its regimens, by name; `key` is its place in the study file, `source` the agonist or model it was asked for by.

    `sets`: frozen parameter sets to run it under as well, each with the model it was fitted with.
    """

    name: str
    key: str
    source: Agonist | PatientModel | str
    model: PatientModel
    regimens: tuple[tuple[str, Titration | FixedDose], ...]
    sets: tuple[DrawnModel, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class EventsInput:
    """One event table with its model, and a rule that doses besides it."""

    name: str
    key: str
    model: PatientModel
    events: EventTable
    titration: Titration | None
    random: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class ProfilesInput:
    """One table of concentrations and how it is analysed."""

    name: str
    key: str
    profiles: tuple[Profile, ...]
    settings: NcaSettings


@dataclass(frozen=True, kw_only=True, eq=False)
class PatientsInput:
    """What the patients stage starts from; `who` describes the virtual patients of every cohort."""

    who: Cohort
    counts_in: CountRange
    cohorts: tuple[CohortInput, ...]
    events: tuple[EventsInput, ...]
    profiles: tuple[ProfilesInput, ...]
    draws: int = DRAWS
    notes: tuple[str, ...] = ()


def load_patients(
    spec: StudySpec, reading: Reading, *, agonists: Sequence[Agonist], all_agonists: bool = True
) -> tuple[PatientsInput | None, list[Fault]]:
    """Read and check [patients].

    Parameters
    ----------
    spec : StudySpec
        With a section [patients].
    reading : Reading
        Notes the files that were read.
    agonists : sequence of Agonist
        Of the study.
    all_agonists : bool
        False where the file of one could not be read: a name nobody has is then no second fault.

    Returns
    -------
    input, faults
        The input is None where there is a fault.
    """
    section = spec.patients
    assert section is not None
    told = PatientFaults(spec=spec)
    loading = _Loading(told=told, section=section, reading=reading, agonists=tuple(agonists), all_agonists=all_agonists)
    found = loading.input()
    return (None if told.faults else found), told.faults


@dataclass(kw_only=True)
class _Loading:
    told: PatientFaults
    section: PatientsSection
    reading: Reading
    agonists: tuple[Agonist, ...]
    all_agonists: bool
    notes: list[str] = field(default_factory=list[str])

    def input(self) -> PatientsInput | None:
        """Everything read; None where the patients themselves cannot be described."""
        section = self.section
        who, counts_in = describe_patients(section, self.told), counts_of(section, self.told)
        asked = bool(section.cohorts or section.events or section.profiles)
        cohorts = [self._cohort(f"cohorts[{at}]", table) for at, table in enumerate(section.cohorts, 1)] if asked else self._usual()
        events = [self._events(f"events[{at}]", table) for at, table in enumerate(section.events, 1)]
        profiles = [self._profiles(f"profiles[{at}]", table) for at, table in enumerate(section.profiles, 1)]
        known = [one for one in cohorts if one is not None]
        if who is None or counts_in is None:
            return None
        if len(known) == len(cohorts):
            self._covariates(who, known)
            self._names(known)
        drawn = self._drawn(known) if len(known) == len(cohorts) else known
        return PatientsInput(
            who=who, counts_in=counts_in, cohorts=tuple(drawn), draws=section.draws or DRAWS, events=tuple(one for one in events if one is not None),
            profiles=tuple(one for one in profiles if one is not None), notes=tuple(self.notes),
        )  # fmt: skip

    def _usual(self) -> list[CohortInput | None]:
        """Each agonist of the study with a model of that population, under its own rule."""
        population = self.section.population
        fit = [one for one in self.agonists if (m := one.model_for(population)) is not None and m.covers is not Covers.PLASMA]
        left = [one.name for one in self.agonists if one not in fit]
        if not fit and self.all_agonists:
            known = (
                ", ".join(sorted({model.population for one in self.agonists for model in one.models if model.of_record})) or "none"
            )
            self.told.add("", found=f'no agonist with a model of platelets in "{population}"', expected=f"one of the study (populations: {known})",
                        cure="Correct population, list another agonist, or write [[patients.cohorts]] with a model of your own.")  # fmt: skip
        if left and fit:
            self.notes.append(f"Not simulated, as they have no model of platelets in {population}: {', '.join(left)}.")
        return [self._cohort("cohorts", CohortTable(agonist=one.name)) for one in fit]

    def _cohort(self, key: str, table: CohortTable) -> CohortInput | None:
        if (table.agonist is None) == (table.model is None):
            found = "neither agonist nor model" if table.agonist is None else "both agonist and model"
            self.told.add(key, found=found, expected="an agonist of the study, or a model", cure="Keep one of them.")
            return None
        named = f"{key}.agonist" if table.agonist is not None else f"{key}.model"
        source = self._agonist(named, table.agonist) if table.agonist is not None else self._model(named, table.model or "")
        if source is None:
            return None
        found = self.told.attempt(named, lambda: cohort_model(source, self.section.population))
        if found is None:
            return None
        model, rule = found
        self._note(rule)
        name = source.name if isinstance(source, Agonist) else Path(table.model or "").stem
        regimens = self._regimens(key, table, model, rule)
        return CohortInput(name=name, key=key, source=source, model=model, regimens=tuple(regimens))

    def _drawn(self, cohorts: list[CohortInput]) -> list[CohortInput]:
        """The cohorts with the frozen sets that each is run under as well."""
        known = [Calibrated(name=one.name, source=one.source, model=one.model) for one in cohorts]
        found, notes = find_sets(self.section, known, self.told)
        self.notes += notes
        return [replace(one, sets=sets) for one, sets in zip(cohorts, found, strict=True)]

    def _agonist(self, key: str, name: str) -> Agonist | None:
        found = next((one for one in self.agonists if one.is_called(name)), None)
        if found is None and self.all_agonists:
            names = [one.name for one in self.agonists]
            cure = did_you_mean(name, names, otherwise="List it under [[agonists]], by name or with a file of its own.")
            expected = "an agonist of the study: " + (", ".join(names) or "none is listed")
            self.told.add(key, found=f'"{name}"', expected=expected, cure=cure)
        return found

    def _model(self, key: str, text: str) -> PatientModel | str | None:
        """A shipped model by its name, which finds its rule too; a file of the study as it was read."""
        return text if is_shipped_model(text) else self.told.attempt(key, lambda: load_model(self._named(text)))

    def _regimens(
        self, key: str, table: CohortTable, model: PatientModel, rule: str | Path | None
    ) -> list[tuple[str, Titration | FixedDose]]:
        found: dict[str, Titration | FixedDose] = {}
        titrated = False
        for at, text in enumerate(table.regimens, 1):
            place = f"{key}.regimens[{at}]"
            is_file = is_file_name(text) and " " not in text
            regimen = self.told.attempt(
                place, lambda text=text, is_file=is_file: cohort_regimen(self._named(text) if is_file else text, model, rule)
            )
            label = Path(str(rule)).stem if text == DEFAULT_REGIMEN and rule is not None else Path(text).stem if is_file else text
            if regimen is None:
                continue
            starts = table.starts if isinstance(regimen, Titration) else None
            titrated |= isinstance(regimen, Titration)
            for name, one in self._from_starts(f"{key}.starts", label, regimen, starts, model):
                if name in found:
                    self.told.add(place, found=f'"{name}" a second time', expected="each regimen once", cure="Remove one.")
                found[name] = one
        if table.starts is not None and found and not titrated:
            self.told.add(f"{key}.starts", found="starting doses without a titration", expected="a rule that moves the dose",
                        cure="Remove starts, or add a rule to regimens.")  # fmt: skip
        return list(found.items())

    def _from_starts(
        self, place: str, label: str, regimen: Titration | FixedDose, starts: tuple[float, ...] | None, model: PatientModel
    ) -> list[tuple[str, Titration | FixedDose]]:
        """The regimen itself, or one from each starting dose, held against its ladder."""
        if starts is None or isinstance(regimen, FixedDose):
            return [(label, regimen)]
        out: list[tuple[str, Titration | FixedDose]] = []
        ladder, unit = regimen.ladder, model.units.amount
        for start in starts:
            levels = ladder.amounts if isinstance(ladder, Levels) else ()
            if start in levels or (not levels and ladder.lowest <= start <= ladder.highest):
                words = f"{label}, from {start:g} {unit}"
                out.append((words, replace(regimen, start=start, title=f"{regimen.title}, from {start:g} {unit}")))
                continue
            known = ", ".join(f"{one:g}" for one in levels) or f"{ladder.lowest:g} to {ladder.highest:g}"
            self.told.add(
                place, found=f"{start:g}, which is no dose of {label}", expected=f"one of {known} {unit}", cure="Correct it."
            )
        return out

    def _events(self, key: str, table: EventsTable) -> EventsInput | None:
        path = self.reading.path_to(table.file)
        model = self.told.attempt(f"{key}.model", lambda: load_model(self._named(table.model)))
        titration = None
        if table.titration is not None:
            named = self._named(table.titration)
            titration = self.told.attempt(f"{key}.titration", lambda: load_titration(named))
        if model is None:
            return None
        in_words = path.suffix.casefold() == ".toml"
        events = self.reading.attempt(lambda: regimen_events(load_regimen(path), model) if in_words else read_events(path))
        if events is None or (table.titration is not None and titration is None):
            return None
        self.reading.note_input(path)
        return EventsInput(
            name=Path(table.file).stem, key=key, model=model, events=events, titration=titration, random=table.random
        )

    def _profiles(self, key: str, table: ProfilesTable) -> ProfilesInput | None:
        path = self.reading.path_to(table.file)
        settings = self.told.attempt(key, lambda: NcaSettings(
            route=Route(table.route), method=AreaMethod(table.method), duration=table.duration, tau=table.tau, time_unit=table.time_unit,
            concentration_unit=table.concentration_unit, dose_unit=table.dose_unit, confidence=self.section.confidence,
        ))  # fmt: skip
        profiles = self.reading.attempt(lambda: read_profiles(
            path, subject=table.subject, time=table.time, concentration=table.concentration, dose=table.dose, amount=table.amount,
            event=table.event, group=table.group, limit=table.limit, steady_state=table.tau is not None,
        ))  # fmt: skip
        if settings is None or profiles is None:
            return None
        self.reading.note_input(path)
        return ProfilesInput(name=Path(table.file).stem, key=key, profiles=profiles, settings=settings)

    def _covariates(self, who: Cohort, cohorts: Sequence[CohortInput]) -> None:
        """Every column that a model needs has values; every column given is one that a model needs."""
        needed = {name.casefold(): name for one in cohorts for name in one.model.needed_columns}
        given = {name.casefold() for name in who.covariates}
        for one in cohorts:
            for name in one.model.needed_columns:
                if name.casefold() not in given and usual_covariate(who.population, name) is None:
                    cure = did_you_mean(
                        name, tuple(who.covariates), otherwise=f'Add [[patients.covariates]] with column = "{name}".'
                    )
                    self.told.add(
                        one.key, found=f'no values for the column "{name}" of {one.model.file}', expected="a covariate", cure=cure
                    )
        for at, table in enumerate(self.section.covariates, 1):
            if table.column.casefold() not in needed and cohorts:
                expected = "a column of the models: " + (", ".join(needed.values()) or "they need none")
                cure = did_you_mean(table.column, tuple(needed.values()), otherwise="Remove it.")
                self.told.add(f"covariates[{at}].column", found=f'"{table.column}"', expected=expected, cure=cure)

    def _names(self, cohorts: Sequence[CohortInput]) -> None:
        met: set[str] = set()
        for one in cohorts:
            if one.name in met:
                self.told.add(one.key, found=f'"{one.name}" a second time', expected="each agonist or model once",
                            cure="Put all its regimens into one [[patients.cohorts]].")  # fmt: skip
            met.add(one.name)

    def _named(self, text: str) -> str | Path:
        """A shipped name as it is; a file of the study as its path, noted as an input."""
        if not is_file_name(text):
            return text
        path = self.reading.path_to(text)
        if path.is_file():
            self.reading.note_input(path)
        return path

    def _note(self, rule: str | Path | None) -> None:
        """Note a rule that stands beside a file of the study."""
        if isinstance(rule, Path) and rule.is_file() and rule.resolve().is_relative_to(self.told.spec.folder.resolve()):
            self.reading.note_input(rule)
