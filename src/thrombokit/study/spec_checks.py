"""What no single key of a study file can show: names that must exist, keys that belong together, files that must be there.

The checks read the plain values, typed or not, so that a wrong type in one table hides no fault in another: all are told in one
pass.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, cast

from thrombokit.agonists.library import is_file_name
from thrombokit.agonists.load import find_shipped_agonist, unknown_agonist_fault
from thrombokit.domain.toml_faults import did_you_mean, nearest
from thrombokit.domain.toml_places import KeyPath, TomlPlaces
from thrombokit.domain.toml_text import TomlDocument
from thrombokit.errors import Fault, SpecError
from thrombokit.plate.wells import parse_well

STUDY_FILE = "study.toml"

STAGE_FILES = {
    "plate": ("manifest", "map"), "cells": ("sheet", "panels", "yields", "spillover", "gates", "lock"), "signalling": ("measured",),
    "trials": ("data", "subjects", "rescue", "adtte", "estimands"),
}  # fmt: skip
"""Keys of a section that name files."""

MOST_FILES_LOOKED_AT = 5000
"""Where a file is missing, so many files of the study folder are looked at for one with a name like it."""


def find_study_file(path: Path) -> Path:
    """The study file that `path` means: the file itself, or study.toml in the folder.

    Raises
    ------
    SpecError
        If there is none; with the name that comes nearest.
    """
    shown = path.name or str(path)
    if path.is_dir():
        file = path / STUDY_FILE
        if file.is_file():
            return file
        others = sorted(entry.name for entry in path.glob("*.toml") if entry.is_file())
        cure = f'Name the study file itself, such as "{others[0]}".' if others else f"Write a {STUDY_FILE}, or name another folder."
        raise SpecError(Fault(place=shown, found=f"a folder without {STUDY_FILE}", expected="a study folder", cure=cure))
    if path.exists():
        return path
    around = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
    cure = did_you_mean(path.name, around, otherwise="Check the name.")
    raise SpecError(Fault(place=shown, found="no such file or folder", expected="a study folder or its study.toml", cure=cure))


def check_spec(document: TomlDocument, *, folder: Path) -> list[Fault]:
    """The faults between the keys of a study file, and of the files it names. `folder` is the study folder."""
    checks = _Checks(document=document, folder=folder)
    checks.agonists()
    checks.paths()
    checks.files_and_maps()
    checks.runs()
    checks.repeated_files()
    checks.excluded_wells()
    checks.cells_files()
    return checks.faults


@dataclass(kw_only=True)
class _Checks:
    document: TomlDocument
    folder: Path
    faults: list[Fault] = field(default_factory=list[Fault])

    def agonists(self) -> None:
        """Each by name or by file; names that exist; none twice."""
        met: dict[str, KeyPath] = {}
        for path, entry in self._tables("agonists"):
            named, filed = "name" in entry, "file" in entry
            if named == filed:
                found = "both name and file" if named else "neither name nor file"
                cure = "Keep one of them." if named else 'Add name = "hetrombopag", or file = "my_agonist.toml".'
                self._fault(path, found=found, expected="either the name of a shipped agonist or a file", cure=cure)
            name = entry.get("name")
            if not isinstance(name, str) or not name.strip():
                continue
            agonist = find_shipped_agonist(name)
            if agonist is None:
                self.faults.append(unknown_agonist_fault(name, place=self._place((*path, "name"))))
                continue
            if agonist.name in met:
                first = self._places.line_of(met[agonist.name])
                self._fault(
                    (*path, "name"),
                    found=f'"{name}" a second time',
                    expected=f"each agonist once (it stands in line {first})",
                    cure="Remove one.",
                )
            met.setdefault(agonist.name, (*path, "name"))

    def paths(self) -> None:
        """Paths that stay inside the study folder, to files that are there."""
        for path, text in self._named_files():
            outside = _why_outside(text)
            if outside is not None:
                found, cure = outside
                self._fault(path, found=f'"{text}", {found}', expected="a path inside the study folder", cure=cure)
            elif path[:2] == ("plate", "exclude"):
                continue  # must be one of the listed files: excluded_wells says so
            elif (self.folder / text).is_dir():
                self._fault(path, found=f'the folder "{text}"', expected="a file", cure="Name the file in it.")
            elif not (self.folder / text).is_file():
                cure = self._like(text) or "Put the file there, or correct its name."
                self._fault(path, found=f'"{text}", which is not there', expected="a file in the study folder", cure=cure)

    def files_and_maps(self) -> None:
        """A plate stage has exports; each export has a map."""
        plate = self.document.values.get("plate")
        if not isinstance(plate, dict) or self._has_manifest:
            return
        if not plate.get("files"):
            self._fault(
                ("plate", "files"),
                found="a plate stage without files",
                expected="[[plate.files]], one for each reader export, or a manifest",
                cure='Add [[plate.files]] with file = "plate1.csv".',
            )
        if "map" in plate:
            return
        for path, entry in self._tables("plate", "files"):
            if "map" not in entry and entry.get("day0") is not True:
                self._fault(
                    (*path, "map"),
                    found=f"no map for {_quoted(entry.get('file'), 'this file')}",
                    expected="the plate map that says what is in its wells",
                    cure='Add map = "map.csv" here, or under [plate] for all files.',
                )

    def runs(self) -> None:
        """Several exports that give curves: each says of which run it is, because runs are n."""
        plate = self.document.values.get("plate")
        if not isinstance(plate, dict) or self._has_manifest:
            return
        curves = [(path, entry) for path, entry in self._tables("plate", "files") if entry.get("day0") is not True]
        if len(curves) < 2:
            return
        for path, entry in curves:
            if "run" not in entry:
                self._fault(
                    (*path, "run"),
                    found=f"no run for {_quoted(entry.get('file'), 'this file')}",
                    expected="the independent run or donor of each of several files",
                    cure='Add run = "1" (the same name for all plates of one run).',
                )

    def repeated_files(self) -> None:
        """No plate is read twice: its wells would count double."""
        met: dict[str, dict[str | None, KeyPath]] = {}
        for path, entry in self._tables("plate", "files"):
            file = entry.get("file")
            if not isinstance(file, str) or not file.strip():
                continue
            plate = _label(entry.get("plate"))
            earlier = met.setdefault(_normal(file), {})
            clashes = [other for other in earlier if other is None or plate is None or other == plate]
            if clashes:
                self._fault(
                    (*path, "file"),
                    found=f'"{file}" a second time',
                    expected=f"each plate once (line {self._places.line_of(earlier[clashes[0]])} reads it too)",
                    cure="Remove one, or say with plate = ... which plate of the file each of them is.",
                )
            earlier.setdefault(plate, (*path, "file"))

    def excluded_wells(self) -> None:
        """Exclusions point at files that are listed, and give one reason a well."""
        listed = [entry["file"].strip() for _, entry in self._tables("plate", "files") if isinstance(entry.get("file"), str)]
        met: dict[tuple[str, str | None, tuple[int, int]], KeyPath] = {}
        for path, entry in self._tables("plate", "exclude"):
            file, well = entry.get("file"), entry.get("well")
            if not isinstance(file, str) or not file.strip():
                continue
            if not self._has_manifest and _why_outside(file) is None and _normal(file) not in map(_normal, listed):
                cure = did_you_mean(file, listed, otherwise="Correct the file, or list it in [[plate.files]].")
                self._fault((*path, "file"), found=f'"{file}"', expected="a file listed in [[plate.files]]", cure=cure)
            position = parse_well(well) if isinstance(well, str) else None
            if position is None:
                continue
            key = (_normal(file), _label(entry.get("plate")), position)
            if key in met:
                line = self._places.line_of(met[key])
                self._fault(
                    (*path, "well"),
                    found=f'"{well}" a second time',
                    expected=f"each well once (line {line} has it)",
                    cure="Keep one.",
                )
            met.setdefault(key, (*path, "well"))

    def cells_files(self) -> None:
        """A compensation by table has its table; a lock has its gates."""
        cells = self.document.values.get("cells")
        if not isinstance(cells, dict):
            return
        if cells.get("compensation") == "table" and "spillover" not in cells:
            self._fault(
                ("cells", "compensation"), found='"table" without a table', expected="the table under spillover",
                cure='Add spillover = "cells/spillover.csv".',
            )  # fmt: skip
        if "spillover" in cells and cells.get("compensation", "auto") not in ("auto", "table"):
            self._fault(
                ("cells", "spillover"), found="a table that is not used", expected='compensation = "table" or "auto"',
                cure="Correct compensation, or remove spillover.",
            )  # fmt: skip
        if "lock" in cells and "gates" not in cells:
            self._fault(
                ("cells", "lock"), found="a lock without gates", expected="the locked gates under gates",
                cure='Add gates = "cells/gates.xml".',
            )  # fmt: skip

    @property
    def _has_manifest(self) -> bool:
        """Whether a manifest names the exports and their maps, so that nothing more has to be said of them."""
        plate = self.document.values.get("plate")
        return isinstance(plate, dict) and isinstance(plate.get("manifest"), str)

    @property
    def _places(self) -> TomlPlaces:
        return self.document.places

    def _place(self, path: KeyPath) -> str:
        return self._places.place_of(path)

    def _fault(self, path: KeyPath, *, found: str, expected: str, cure: str) -> None:
        self.faults.append(Fault(place=self._place(path), found=found, expected=expected, cure=cure))

    def _tables(self, *keys: str) -> Iterator[tuple[KeyPath, dict[str, Any]]]:
        """The tables of [[keys...]] that are tables, each with its path."""
        values: object = self.document.values
        for key in keys:
            values = cast("dict[str, object]", values).get(key) if isinstance(values, dict) else None
        for index, entry in enumerate(cast("list[object]", values) if isinstance(values, list) else ()):
            if isinstance(entry, dict):
                yield (*keys, index), cast("dict[str, Any]", entry)

    def _named_files(self) -> Iterator[tuple[KeyPath, str]]:
        tables: list[tuple[KeyPath, dict[str, Any], tuple[str, ...]]] = []
        for section, named in STAGE_FILES.items():
            found = self.document.values.get(section)
            if isinstance(found, dict):
                tables.append(((section,), found, named))
        tables += [(path, entry, ("file",)) for path, entry in self._tables("agonists")]
        tables += [(path, entry, ("file", "map")) for path, entry in self._tables("plate", "files")]
        tables += [(path, entry, ("file",)) for path, entry in self._tables("plate", "exclude")]
        tables += [(path, entry, ("file",)) for kind in ("events", "profiles") for path, entry in self._tables("patients", kind)]
        for path, entry, keys in tables:
            for key in keys:
                text = entry.get(key)
                if isinstance(text, str) and text.strip() and not _names_a_shipped_plan(path, key, text):
                    yield (*path, key), text.strip()
        yield from self._patient_files()

    def _patient_files(self) -> Iterator[tuple[KeyPath, str]]:
        """Models and rules of [patients] that are files of the study; the others are names of shipped ones, or doses."""
        named: list[tuple[KeyPath, object]] = []
        for path, entry in (*self._tables("patients", "cohorts"), *self._tables("patients", "events")):
            named += [((*path, key), entry[key]) for key in ("model", "titration") if key in entry]
            listed = entry.get("regimens")
            named += [((*path, "regimens", at), one) for at, one in enumerate(listed if isinstance(listed, list) else ())]
        for path, text in named:
            if isinstance(text, str) and is_file_name(text.strip()) and " " not in text.strip():
                yield path, text.strip()

    @cached_property
    def _present(self) -> tuple[str, ...]:
        """Files of the study folder, from it, with forward slashes; hidden ones aside."""
        present: list[str] = []
        for root, folders, names in os.walk(self.folder):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            present += [
                (Path(root) / name).relative_to(self.folder).as_posix() for name in sorted(names) if not name.startswith(".")
            ]
            if len(present) >= MOST_FILES_LOOKED_AT:
                break
        return tuple(present[:MOST_FILES_LOOKED_AT])

    def _like(self, text: str) -> str | None:
        """A question about the file that `text` may mean: the same name elsewhere, else the nearest spelling."""
        if "\\" in text:
            return f'Write the path with forward slashes: "{PureWindowsPath(text).as_posix()}".'
        wanted = PurePosixPath(text).name.casefold()
        same_name = next((file for file in self._present if PurePosixPath(file).name.casefold() == wanted), None)
        close = same_name or nearest(text, self._present)
        return f'Did you mean "{close}"?' if close else None


def _why_outside(text: str) -> tuple[str, str] | None:
    """What is wrong with a path that is absolute or leaves the study folder, and the cure; None where it stays inside."""
    text = text.strip()
    windows = PureWindowsPath(text)
    if text.startswith(("/", "\\", "~")) or windows.drive:
        return "an absolute path", "Copy the file into the study folder and name it from there, so that the study can be moved."
    depth = 0
    for part in windows.parts:
        depth += -1 if part == ".." else 1
        if depth < 0:
            return "a path that leaves the study folder", "Copy the file into the study folder and name it from there."
    return None


def _normal(file: str) -> str:
    return os.path.normpath(file.strip())


def _label(value: object) -> str | None:
    return None if value is None else str(value).strip()


def _quoted(value: object, otherwise: str) -> str:
    return f'"{value}"' if isinstance(value, str) else otherwise


def _names_a_shipped_plan(path: KeyPath, key: str, text: str) -> bool:
    """Whether trials.estimands is the name of a plan and no file."""
    return path == ("trials",) and key == "estimands" and not text.strip().endswith(".toml")
