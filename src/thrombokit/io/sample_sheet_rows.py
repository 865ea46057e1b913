"""What one row of a sample sheet says of its tube, checked by itself; files and other rows are looked at by `sample_sheets`."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from thrombokit.cells.tubes import CultureRole, Panel, TubeKind
from thrombokit.domain.toml_faults import did_you_mean, one_of
from thrombokit.errors import Fault, UnitError
from thrombokit.io.named_columns import Columns, Row
from thrombokit.io.sheet_files import ENDINGS
from thrombokit.plate.wells import parse_well, well_name
from thrombokit.quantities import canonical_unit, concentration_nM

COLUMNS = Columns(
    names={
        "file": ("file name", "fcs", "fcs file", "path"),
        "tube": ("tube name", "tube id", "name", "sample", "sample name", "sample id"),
        "donor": ("donor id", "subject"),
        "day": ("day_d", "day of culture", "culture day", "time point"),
        "plate": ("plate name", "plate id"),
        "panel": ("panel name", "staining panel"),
        "kind": ("tube kind", "type", "tube type", "control type", "staining"),
        "stain": ("marker", "stained marker", "fmo marker", "left out"),
        "role": ("culture role", "culture"),
        "agonist": ("compound", "drug", "treatment"),
        "concentration": ("conc", "dose"),
        "unit": ("units", "concentration unit", "dose unit"),
        "data_set": ("data set number",),
        "source": ("cell source", "cells from"),
        "well": ("well name", "well id", "well position"),
        "exclude": ("excluded", "exclude reason", "reason"),
        "notes": ("note", "comment", "comments", "remark", "remarks"),
    },
    required=("file",),
    dose="concentration",
)  # fmt: skip

SHEET_COLUMNS = tuple(COLUMNS.names)
"""The columns in the order in which a new sheet is written."""

_NOT_A_REASON = {"yes", "no", "y", "n", "x", "true", "false", "0", "1"}
_OWN_UNIT = re.compile(r"\s*[+-]?[\d.,]+(?:[eE][+-]?\d+)?\s*([^\d\s.,].*?)\s*$")
_UNDOSED_WORDS = {"vehicle": CultureRole.VEHICLE, "dmso": CultureRole.VEHICLE, "untreated": CultureRole.UNTREATED}
_STAINED_WITH_ONE = (TubeKind.FMO, TubeKind.SINGLE_STAIN)
_WITHOUT_DONOR = (TubeKind.BEADS, TubeKind.SINGLE_STAIN, TubeKind.UNSTAINED, TubeKind.DIPLOID_REFERENCE)
"""Kinds that may serve several donors."""


@dataclass(frozen=True, kw_only=True)
class TubeRow:
    """A row, typed. `panel` is as written for the experiment, its channels not yet those of the file."""

    row: Row
    name: str
    file: str
    data_set: int
    panel: Panel
    kind: TubeKind
    stain: str = ""
    donor: str = ""
    plate: str = ""
    day_d: float | None = None
    role: str = ""
    agonist: str = ""
    concentration_nM: float | None = None
    cell_source: str = ""
    well: str = ""
    excluded: str = ""
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Known:
    """What a sheet's words may refer to: panels by name, molar masses (g/mol) by agonist."""

    panels: Mapping[str, Panel]
    molar_masses: Mapping[str, float] = field(default_factory=dict[str, float])

    def molar_mass(self, agonist: str) -> float | None:
        """That of an agonist, whatever case its name is written in."""
        folded = {name.casefold(): mass for name, mass in self.molar_masses.items()}
        return folded.get(agonist.casefold())


def parse_row(row: Row, known: Known) -> TubeRow | list[Fault]:
    """A row's tube, or everything that is wrong with the row."""
    faults: list[Fault] = []
    panel, kind = _panel(row, known, faults), _kind(row, faults)
    stain = _stain(row, kind, panel, faults)
    role, agonist, dose = _treatment(row, kind, known, faults)
    data_set = row.number("data_set", faults, expected="a whole number from 1", low=1)
    if data_set is not None and data_set != int(data_set):
        faults.append(row.fault("data_set", found=f"{data_set:g}", expected="a whole number from 1", cure="Correct the number."))
    file, excluded = row.text("file"), _excluded(row, faults)
    if not file:
        faults.append(row.fault("file", found="nothing", expected="the tube's FCS file", cure="Fill in the file's name."))
    donor = row.text("donor")
    if not donor and kind not in _WITHOUT_DONOR:
        faults.append(row.fault("donor", found="nothing", expected="the donor: donors are n", cure="Name the donor in every row."))
    day_d, well = row.number("day", faults, expected="the day of culture, a number of 0 or more"), _well(row, faults)
    if faults or panel is None:
        return faults
    number = int(data_set or 1)
    return TubeRow(
        row=row, name=row.text("tube") or _name_of(file, number), file=file, data_set=number,
        panel=panel, kind=kind, stain=stain, donor=donor, plate=row.text("plate"), day_d=day_d, role=role, agonist=agonist,
        concentration_nM=dose, cell_source=row.text("source"), well=well, excluded=excluded, note=row.text("notes"),
    )  # fmt: skip


def _name_of(file: str, data_set: int) -> str:
    """The file's name without .fcs or .lmd: "run1/060909.001" is 060909.001."""
    name = PurePosixPath(file.replace("\\", "/")).name
    bare = name[:-4] if name.casefold().endswith(ENDINGS) else name
    return f"{bare} #{data_set}" if data_set > 1 else bare


def _panel(row: Row, known: Known, faults: list[Fault]) -> Panel | None:
    said = row.text("panel")
    if not said and len(known.panels) == 1:
        return next(iter(known.panels.values()))
    spelt = {name.casefold(): panel for name, panel in known.panels.items()}
    if said.casefold() in spelt:
        return spelt[said.casefold()]
    names = list(known.panels)
    faults.append(
        row.fault("panel", found=f'"{said}"' if said else "nothing", expected=f"a panel: {one_of(names) if names else 'none is defined'}",
                  cure=did_you_mean(said, names, otherwise="Name one of these, or define the panel."))
    )  # fmt: skip
    return None


def _word(text: str) -> str:
    return re.sub(r"[\s-]+", "_", text.strip().casefold())


def _kind(row: Row, faults: list[Fault]) -> TubeKind:
    said = row.text("kind")
    if not said:
        return TubeKind.FULL
    try:
        return TubeKind(_word(said))
    except ValueError:
        options = [kind.value for kind in TubeKind]
        faults.append(
            row.fault(
                "kind", found=f'"{said}"', expected=one_of(options), cure=did_you_mean(said, options, otherwise="Choose one.")
            )
        )
        return TubeKind.FULL


def _stain(row: Row, kind: TubeKind, panel: Panel | None, faults: list[Fault]) -> str:
    said = row.text("stain")
    if kind not in _STAINED_WITH_ONE:
        if said:
            cure = "Say kind = fmo or single_stain, or clear the stain."
            faults.append(row.fault("stain", found=f'"{said}" for a tube of kind {kind}', expected="no stain", cure=cure))
        return ""
    if panel is None:
        return said
    meaning = "the marker left out" if kind is TubeKind.FMO else "the one marker stained"
    spelt = {marker.casefold(): marker for marker in panel.channels}
    if said.casefold() not in spelt:
        markers = list(panel.channels)
        options = one_of(markers) if markers else "none"
        faults.append(
            row.fault("stain", found=f'"{said}"' if said else "nothing", expected=f"{meaning}, of panel {panel.name}: {options}",
                      cure=did_you_mean(said, markers, otherwise="Name one of these, or correct the panel."))
        )  # fmt: skip
    return spelt.get(said.casefold(), said)


def _treatment(row: Row, kind: TubeKind, known: Known, faults: list[Fault]) -> tuple[str, str, float | None]:
    """Role, agonist and concentration (nM)."""
    agonist = row.text("agonist")
    declared = _UNDOSED_WORDS.get(_word(agonist))
    agonist = "" if declared else agonist
    role = _role(row, kind, agonist, declared, faults)
    has_dose = bool(row.text("concentration"))
    dose = _dose(row, agonist, known, faults) if has_dose else None
    undosed = role in (CultureRole.VEHICLE, CultureRole.UNTREATED)
    if undosed and agonist:
        cure = "Correct the role, or clear the agonist."
        faults.append(row.fault("agonist", found=f'"{agonist}" in a culture that is {role}', expected="no agonist", cure=cure))
    elif not agonist and dose:
        cure = "Name the agonist, or clear the concentration."
        faults.append(
            row.fault("concentration", found="a dose without an agonist", expected="an agonist with every dose", cure=cure)
        )
    elif agonist and not has_dose:
        cure = "Fill in the concentration."
        faults.append(
            row.fault("concentration", found=f'agonist "{agonist}" without a dose', expected="a dose with every agonist", cure=cure)
        )
    elif role == CultureRole.SAMPLE and not agonist:
        cure = 'Name the agonist, or say role "vehicle" or "untreated".'
        faults.append(row.fault("agonist", found="a sample without an agonist", expected="an agonist and its dose", cure=cure))
    return role, agonist, dose if agonist else None


def _role(row: Row, kind: TubeKind, agonist: str, declared: CultureRole | None, faults: list[Fault]) -> str:
    said = row.text("role")
    if said:
        try:
            return CultureRole(_word(said))
        except ValueError:
            options = [role.value for role in CultureRole]
            cure = did_you_mean(_word(said), options, otherwise="Choose one; a comparator is a sample with its own agonist.")
            faults.append(row.fault("role", found=f'"{said}"', expected=one_of(options), cure=cure))
            return ""
    if agonist:
        return CultureRole.SAMPLE
    return declared or (CultureRole.VEHICLE if kind is TubeKind.FULL else "")


def _dose(row: Row, agonist: str, known: Known, faults: list[Fault]) -> float | None:
    said, unit = row.text("concentration"), row.text("unit")
    matched = None if _is_number(said) else _OWN_UNIT.match(said)
    own, place = (matched[1] if matched else ""), f"{row.place_of('concentration')} (concentration)"
    if re.match(r"\s*[+-]?\d*,\d", said):
        faults.append(Fault(place=place, found=f'"{said}"', expected="a number", cure="Write the decimal sign as a point."))
        return None
    if own and unit and canonical_unit(own) != canonical_unit(unit):
        cure = "Write the number alone, or clear the unit."
        faults.append(Fault(place=place, found=f'"{said}" beside the unit "{unit}"', expected="one unit", cure=cure))
        return None
    if not own and not unit:
        if _is_number(said) and float(said) == 0:
            return 0.0
        cure = 'Fill in the column unit, or write the unit beside the number: "30 nM".'
        faults.append(Fault(place=place, found=f'"{said}" without a unit', expected="a concentration with its unit", cure=cure))
        return None
    try:
        value = concentration_nM(said, own or unit, place=place, molar_mass_g_per_mol=known.molar_mass(agonist))
    except UnitError as error:
        faults.extend(error.faults)
        return None
    if not math.isfinite(value):
        faults.append(Fault(place=place, found=f'"{said}"', expected="a finite concentration", cure="Correct it."))
        return None
    return value


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _well(row: Row, faults: list[Fault]) -> str:
    said = row.text("well")
    if not said:
        return ""
    position = parse_well(said) if said.isascii() else None
    if position is None:
        faults.append(row.fault("well", found=f'"{said}"', expected="a well such as B07", cure="Correct the well's name."))
        return ""
    return well_name(*position)


def _excluded(row: Row, faults: list[Fault]) -> str:
    said = row.text("exclude")
    if said.casefold() in _NOT_A_REASON:
        cure = "Write why the tube is left out; leave the cell empty to keep it."
        faults.append(row.fault("exclude", found=f'"{said}"', expected="a reason in words, or nothing", cure=cure))
    return said
