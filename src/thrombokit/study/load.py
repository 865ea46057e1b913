"""Folder + study.toml -> `Study`: everything read, checked and in house units; nothing downstream opens a file."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from thrombokit.agonists.load import load_agonist
from thrombokit.domain.agonist import Agonist
from thrombokit.domain.toml_faults import did_you_mean
from thrombokit.errors import Fault, InputError, SpecError, raise_all
from thrombokit.io.plate_maps.manifest import ManifestRow, find_export, read_manifest
from thrombokit.io.plate_maps.read import read_map
from thrombokit.io.plate_readers.detect import read_readings
from thrombokit.io.well_tables import outside
from thrombokit.plate.layout import Layout, Role
from thrombokit.plate.plate import Plate, Reading
from thrombokit.plate.wells import parse_well, well_name
from thrombokit.study.load_cells import CellsInput, load_cells
from thrombokit.study.load_patients import PatientsInput, load_patients
from thrombokit.study.load_signalling import SignallingInput, load_signalling
from thrombokit.study.load_trials import TrialsInput, load_trials
from thrombokit.study.spec import StudySpec, read_spec
from thrombokit.study.spec_plate import PlateFile, PlateSection

T = TypeVar("T")
SINGLE_RUN = "1"
"""Run of plates for which none is named: without word to the contrary they are one repetition, not several."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Study:
    """A study, read and checked.

    `plates` in the order of the study file, then of the manifest; `cells`, `signalling`, `patients` and `trials` None where there is no such section;
    `missing` are exports that a manifest lists and the folder lacks; `inputs` is (file relative to the study, SHA-256) of every
    file read; `seed` is the study's, or the one given in its place.
    """

    spec: StudySpec
    seed: int
    agonists: tuple[Agonist, ...]
    plates: tuple[Plate, ...]
    cells: CellsInput | None
    signalling: SignallingInput | None
    patients: PatientsInput | None
    trials: TrialsInput | None
    missing: tuple[str, ...]
    inputs: tuple[tuple[str, str], ...]

    @property
    def title(self) -> str:
        """The study's title."""
        return self.spec.study.title


def load_study(path: str | Path, *, seed: int | None = None) -> Study:
    """Read a study folder.

    Parameters
    ----------
    path : str or Path
        The folder, or its study.toml.
    seed : int, optional
        In place of the study's own; recorded.

    Raises
    ------
    InputError
        With every fault of every file: what was found, where, what was expected and the cure.
    """
    spec = read_spec(path)
    if seed is not None and seed < 0:
        raise InputError(
            Fault(place="--seed", found=f"{seed}", expected="a whole number of 0 or more", cure="Choose another seed.")
        )
    loading = _Loading(spec=spec)
    loading.note_input(spec.path)
    loading.read_agonists()
    plates = loading.read_plates() if spec.plate else ()
    cells = load_cells(spec.cells, loading, molar_masses=loading.molar_masses()) if spec.cells else None
    signalling = loading.read_signalling(plates) if spec.signalling else None
    patients = loading.read_patients() if spec.patients else None
    trials = loading.read_trials() if spec.trials else None
    raise_all(loading.faults, SpecError if all("study.toml" in f.place for f in loading.faults) else InputError)
    return Study(
        spec=spec, seed=spec.study.seed if seed is None else seed, agonists=tuple(loading.agonists), plates=plates,
        cells=cells, signalling=signalling, patients=patients, trials=trials, missing=tuple(loading.missing),
        inputs=tuple(sorted(loading.inputs.items())),
    )  # fmt: skip


@dataclass(kw_only=True)
class _Source:
    """One reading on its way to a plate: the entry of study.toml or row of the manifest that named it, or both."""

    reading: Reading
    file: str
    entry: PlateFile | None = None
    row: ManifestRow | None = None


@dataclass(kw_only=True)
class _Loading:
    """One pass over all files; faults gather, and are raised together at the end."""

    spec: StudySpec
    faults: list[Fault] = field(default_factory=list[Fault])
    agonists: list[Agonist] = field(default_factory=list[Agonist])
    missing: list[str] = field(default_factory=list[str])
    inputs: dict[str, str] = field(default_factory=dict[str, str])

    def path_to(self, relative: str) -> Path:
        """The whole path of a file of the study."""
        return self.spec.path_to(relative)

    def note_input(self, path: Path) -> None:
        """Remember a file's name and hash."""
        name = path.relative_to(self.spec.folder).as_posix()
        if name not in self.inputs:
            self.inputs[name] = hashlib.sha256(path.read_bytes()).hexdigest()

    def attempt(self, read: Callable[[], T]) -> T | None:
        """The result of `read`, or None with its faults gathered."""
        try:
            return read()
        except InputError as error:
            self.faults += [fault for fault in error.faults if fault not in self.faults]
            return None

    def read_agonists(self) -> None:
        for entry in self.spec.agonists:
            source = self.spec.path_to(entry.file) if entry.file else entry.name or ""
            found = self.attempt(lambda source=source: load_agonist(source))
            if found is not None:
                self.agonists.append(found)
                if entry.file:
                    self.note_input(self.spec.path_to(entry.file))

    def read_signalling(self, plates: tuple[Plate, ...]) -> SignallingInput | None:
        found, faults = load_signalling(
            self.spec, self, agonists=self.agonists, plates=plates, molar_masses=self.molar_masses(),
            all_agonists=len(self.agonists) == len(self.spec.agonists),
        )  # fmt: skip
        self.faults += faults
        return found

    def read_patients(self) -> PatientsInput | None:
        found, faults = load_patients(
            self.spec, self, agonists=self.agonists, all_agonists=len(self.agonists) == len(self.spec.agonists)
        )
        self.faults += faults
        return found

    def read_trials(self) -> TrialsInput | None:
        found, faults = load_trials(self.spec, self)
        self.faults += faults
        return found

    def read_plates(self) -> tuple[Plate, ...]:
        section = self.spec.plate
        assert section is not None
        sources = [source for number, entry in enumerate(section.files, 1) for source in self._from_entry(number, entry)]
        sources += self._from_manifest(section, sources)
        read = [(source.file, plate) for source in sources if (plate := self._plate(source, section)) is not None]
        plates = [plate for _, plate in read]
        self._check_names(plates)
        self._check_comparator(section, plates)
        excluded = self._excluded_wells(section, read)
        return tuple(replace(plate, excluded=excluded.get(plate.name, {})) for plate in plates)

    def _from_entry(self, number: int, entry: PlateFile) -> list[_Source]:
        path = self.spec.path_to(entry.file)
        readings = self.attempt(lambda: read_readings(path))
        if readings is None:
            return []
        self.note_input(path)
        chosen = [r for r in readings if entry.plate is None or r.name == entry.plate]
        if not chosen and len(readings) == 1 and entry.plate is not None:
            chosen = [replace(readings[0], name=entry.plate)]  # one plate in the file: the study may name it as it likes
        if not chosen:
            names = ", ".join(f'"{r.name}"' for r in readings)
            self.faults.append(
                Fault(
                    place=self.spec.place_of(f"plate.files[{number}].plate"),
                    found=f'"{entry.plate}"',
                    expected=f"a plate of {entry.file}: {names}",
                    cure=did_you_mean(str(entry.plate), [r.name for r in readings], otherwise="Name one of them."),
                )
            )
        return [_Source(reading=r, file=entry.file, entry=entry) for r in chosen]

    def _from_manifest(self, section: PlateSection, sources: list[_Source]) -> list[_Source]:
        if section.manifest is None:
            return []
        path = self.spec.path_to(section.manifest)
        rows = self.attempt(lambda: read_manifest(path))
        if rows is None:
            return []
        self.note_input(path)
        named = {source.reading.name: source for source in sources}
        out: list[_Source] = []
        for row in rows:
            if row.barcode in named:
                named[row.barcode].row = row
                continue
            export = find_export(path.parent, row.barcode)
            if export is None:
                self.missing.append(f"{row.barcode} ({row.place})")
                continue
            readings = self.attempt(lambda export=export: read_readings(export))
            if readings:
                self.note_input(export)
                wanted = [r for r in readings if r.name == row.barcode] or [replace(r, name=row.barcode) for r in readings[:1]]
                out.append(_Source(reading=wanted[0], file=export.relative_to(self.spec.folder).as_posix(), row=row))
        return out

    def _plate(self, source: _Source, section: PlateSection) -> Plate | None:
        entry, row = source.entry, source.row
        map_name = (entry.map if entry else None) or (self._template(section, row) if row else None) or section.map
        hours = entry.hours if entry and entry.hours is not None else (row.hours if row else None)
        layout = self._layout(source.reading, map_name, entry, section)
        if layout is None:
            return None
        self._check_counter_screen(source, layout)
        day0 = bool(entry and entry.day0) or (row is not None and row.hours == 0)
        return Plate(
            reading=source.reading, layout=layout, name=source.reading.name, run=(entry.run if entry else None) or SINGLE_RUN,
            cell_system=(entry.cell_system if entry else None) or (row.cell_system if row else ""), hours=hours,
            date=(entry.date if entry else None) or source.reading.metadata.get("Measurement date"),
            operator=entry.operator if entry else None, day0=day0,
        )  # fmt: skip

    def _template(self, section: PlateSection, row: ManifestRow) -> str | None:
        """The manifest's map, relative to the study; None (with a fault) where the file is not there."""
        assert section.manifest is not None
        folder = self.spec.path_to(section.manifest).parent
        path = folder / row.template
        if not row.template or not path.is_file() or path.resolve().parent != folder.resolve():
            files = [p.name for p in folder.iterdir() if p.is_file()]
            fault = Fault(
                place=row.place, found=f'template "{row.template}"', expected="a map beside the manifest",
                cure=did_you_mean(row.template, files, otherwise="Put the map there, or correct its name."),
            )  # fmt: skip
            if fault not in self.faults:
                self.faults.append(fault)
            return None
        return path.relative_to(self.spec.folder).as_posix()

    def _layout(self, reading: Reading, map_name: str | None, entry: PlateFile | None, section: PlateSection) -> Layout | None:
        if map_name is None:
            if entry is not None and entry.day0:
                return _all_day0(reading)
            return None
        path = self.spec.path_to(map_name)
        layout = self.attempt(
            lambda: read_map(
                path,
                shape=reading.shape,
                origin=(entry.map_origin if entry else None) or section.map_origin,
                unit=(entry.map_unit if entry else None) or section.map_unit,
                vehicle=section.vehicle,
                positive_control=section.positive_control,
                comparator=section.comparator,
                molar_masses=self.molar_masses(),
            )
        )
        if layout is None:
            return None
        self.note_input(path)
        return self._house_names(layout)

    def _check_counter_screen(self, source: _Source, layout: Layout) -> None:
        """Counter-screen wells need cells of their own: on the sample's cells they would become part of its curve."""
        named = (source.entry.cell_system if source.entry else None) or (source.row.cell_system if source.row else "")
        system = np.where(layout.cell_system == "", named, layout.cell_system)
        screened = layout.role == Role.COUNTER_SCREEN
        tested = np.isin(layout.role, (Role.SAMPLE, Role.COMPARATOR))
        for agonist in sorted({str(a) for a in layout.agonist[screened]}):
            both = {str(s) for s in system[screened & (layout.agonist == agonist)]} & {
                str(s) for s in system[tested & (layout.agonist == agonist)]
            }
            if both:
                self.faults.append(
                    Fault(
                        place=layout.source,
                        found=f'counter_screen and sample wells of "{agonist}" on the same cells ("{min(both)}")',
                        expected="a cell_system of their own for counter_screen wells",
                        cure="Name the parental or EPOR cells in the map's column cell_system.",
                    )
                )

    def molar_masses(self) -> dict[str, float]:
        """Agonist, in its usual spellings -> g/mol."""
        masses = {a.name: a.molar_mass_g_per_mol for a in self.agonists if a.molar_mass_g_per_mol is not None}
        return {spelt: mass for name, mass in masses.items() for spelt in (name, name.lower(), name.upper(), name.capitalize())}

    def _house_names(self, layout: Layout) -> Layout:
        """Agonists of the study under the study's spelling, whatever case the map uses."""
        spelling = {a.name.lower(): a.name for a in self.agonists}
        agonist = layout.agonist.copy()
        for name in {str(n) for n in agonist.ravel()}:
            agonist[agonist == name] = spelling.get(name.lower(), name)
        return replace(layout, agonist=agonist)

    def _check_names(self, plates: list[Plate]) -> None:
        seen: dict[str, str] = {}
        for plate in plates:
            if plate.name in seen:
                self.faults.append(
                    Fault(
                        place=self.spec.place_of("plate"),
                        found=f'two plates named "{plate.name}" ({seen[plate.name]} and {plate.reading.source})',
                        expected="a name for each plate",
                        cure='Give one of them a name with plate = "...".',
                    )
                )
            seen[plate.name] = plate.reading.source

    def _check_comparator(self, section: PlateSection, plates: list[Plate]) -> None:
        names = sorted({str(n) for plate in plates for n in plate.layout.agonist.ravel() if n})
        spelling = {n.lower() for n in names}
        if section.comparator and plates and section.comparator.lower() not in spelling and not self.faults:
            self.faults.append(
                Fault(
                    place=self.spec.place_of("plate.comparator"),
                    found=f'"{section.comparator}", which no map names',
                    expected="an agonist of the maps: " + ", ".join(names[:12]),
                    cure=did_you_mean(section.comparator, names, otherwise="Correct the name."),
                )
            )

    def _excluded_wells(self, section: PlateSection, read: list[tuple[str, Plate]]) -> dict[str, dict[str, str]]:
        """Plate -> well -> reason; an exclusion that no plate has is a fault, because it would leave nothing out. `read` pairs the
        file, relative to the study, with its plate."""
        excluded: dict[str, dict[str, str]] = {}
        complete = not self.faults  # else a plate may be missing for a reason already told
        for number, item in enumerate(section.exclude, 1):
            key = f"plate.exclude[{number}]"
            of_file = [plate for file, plate in read if os.path.normpath(file) == os.path.normpath(item.file)]
            meant = [plate for plate in of_file if item.plate in (None, plate.name)]
            at = parse_well(item.well)
            assert at is not None  # the study file's types see to it
            if not meant and complete:
                names = [plate.name for plate in of_file] or [file for file, _ in read]
                wrong, found = ("plate", item.plate) if of_file else ("file", item.file)
                self.faults.append(
                    Fault(
                        place=self.spec.place_of(f"{key}.{wrong}"), found=f'"{found}", which no plate read here has',
                        expected=f"a {wrong} that was read: " + ", ".join(f'"{name}"' for name in names[:12]),
                        cure=did_you_mean(str(found), names, otherwise="Name one of them."),
                    )
                )  # fmt: skip
            for plate in meant:
                rows, columns = plate.reading.shape
                if at[0] >= rows or at[1] >= columns:
                    self.faults.append(outside(self.spec.place_of(f"{key}.well"), at, plate.reading.shape))
                excluded.setdefault(plate.name, {})[well_name(*at)] = item.reason
        return excluded


def _all_day0(reading: Reading) -> Layout:
    nothing = np.full(reading.shape, "", dtype=object)
    return Layout(
        role=np.full(reading.shape, Role.DAY0.value, dtype=object), agonist=nothing, concentration_nM=np.full(reading.shape, np.nan),
        cell_system=nothing,
    )  # fmt: skip
