"""What a map says of each well, turned into a `Layout`: the rules are the same for every form of map.

A role that is given wins. Without one, an agonist makes a sample, or the control that its name declares; no agonist makes a vehicle
well. Whatever contradicts itself (a dose without an agonist, an agonist without a dose) is a fault, and all faults are told in one
pass.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from thrombokit.errors import Fault, LayoutError, UnitError, raise_all
from thrombokit.io.fault_lists import condensed
from thrombokit.io.plate_maps.roles import DOSED, UNDOSED, ControlNames, parse_role
from thrombokit.io.tables import Cell
from thrombokit.plate.layout import Layout, Role
from thrombokit.plate.wells import well_name
from thrombokit.quantities import canonical_unit, concentration_nM

_NUMBER_AND_UNIT = re.compile(r"\s*[+-]?[\d.]+(?:[eE][+-]?\d+)?\s*([^\d\s.,].*?)\s*$")
_DECIMAL_COMMA = re.compile(r"\s*[+-]?\d*,\d")


@dataclass(frozen=True, kw_only=True, slots=True)
class MapEntry:
    """What a map says of one well; "" and None where it says nothing.

    `place` is where, for messages; `dose_place` is where its concentration stands, if elsewhere.
    """

    well: tuple[int, int]
    place: str
    role: str = ""
    agonist: str = ""
    concentration: Cell = None
    unit: str = ""
    cell_system: str = ""
    dose_place: str = ""


@dataclass(frozen=True, kw_only=True)
class MapOptions:
    """What the user says about a map: unit where it carries none, names of the controls, molar masses (g/mol) by agonist."""

    controls: ControlNames
    unit: str | None
    molar_masses: Mapping[str, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Well:
    role: Role
    agonist: str
    concentration_nM: float


def layout_of(
    entries: Iterable[MapEntry],
    *,
    shape: tuple[int, int],
    unmentioned: Role,
    options: MapOptions,
    faults: Iterable[Fault] = (),
) -> Layout:
    """The layout that the entries describe.

    Parameters
    ----------
    entries : iterable of MapEntry
        At most one per well, wells within `shape`.
    shape : tuple of int
        (n_rows, n_columns) of the plate.
    unmentioned : Role
        What a well without an entry is.
    options : MapOptions
        Units and names.
    faults : iterable of Fault
        Found before, to be told together with those found here.

    Returns
    -------
    Layout
        Concentrations in nM; NaN in wells without an agonist.

    Raises
    ------
    UnitError
        If all that is wrong are quantities.
    LayoutError
        If anything else is wrong; it then carries the quantities' faults too.
    """
    role = np.full(shape, str(unmentioned), dtype=object)
    agonist, cell_system = np.full(shape, "", dtype=object), np.full(shape, "", dtype=object)
    concentration = np.full(shape, np.nan)
    layout_faults, unit_faults = list(faults), list[Fault]()
    for entry in entries:
        try:
            well = _well(entry, options)
        except UnitError as error:
            unit_faults.extend(error.faults)
        except LayoutError as error:
            layout_faults.extend(error.faults)
        else:
            role[entry.well], agonist[entry.well], concentration[entry.well] = str(well.role), well.agonist, well.concentration_nM
            cell_system[entry.well] = entry.cell_system
    raise_all(condensed([*layout_faults, *unit_faults]), LayoutError if layout_faults else UnitError)
    return Layout(
        role=role,
        agonist=agonist,
        concentration_nM=concentration,
        cell_system=cell_system,
        unlisted=str(unmentioned),
    )


def _well(entry: MapEntry, options: MapOptions) -> _Well:
    declared = options.controls.role_of(entry.agonist) if entry.agonist else Role.VEHICLE
    role = declared or Role.SAMPLE
    if entry.role:
        given = parse_role(entry.role)
        if not isinstance(given, Role):
            raise _fault(entry, f'role "{entry.role}"', f"one of {', '.join(Role)}", given)
        role = given
    agonist = "" if declared in UNDOSED else entry.agonist
    agonist = agonist or options.controls.agonist_of(role)
    value = _concentration(entry, agonist, options)
    _check(entry, role, agonist, value)
    return _Well(role=role, agonist=agonist, concentration_nM=np.nan if value is None or not agonist else value)


def _check(entry: MapEntry, role: Role, agonist: str, concentration: float | None) -> None:
    well = well_name(*entry.well)
    nameless = not agonist and not entry.agonist and not entry.role
    if role in UNDOSED and concentration and not nameless:
        raise _fault(
            entry,
            f"a concentration above 0 in well {well}, which is {role}",
            f"no concentration, or 0, in a well that is {role}",
            "Name the agonist of the well, or clear its concentration.",
        )
    if role in UNDOSED and agonist:
        raise _fault(
            entry,
            f'agonist "{agonist}" in well {well}, which is {role}',
            f"no agonist in a well that is {role}",
            "Correct the role, or clear the agonist.",
        )
    if concentration and not agonist:
        raise _fault(
            entry,
            f"a concentration without an agonist in well {well}",
            "an agonist with every concentration above 0",
            "Name the agonist of the well, or clear its concentration.",
        )
    if role in DOSED and not agonist:
        raise _fault(
            entry,
            f"{role} well {well} without an agonist",
            "an agonist in every sample, comparator and counter_screen well",
            "Name the agonist, or correct the role.",
        )
    if role in DOSED and concentration is None:
        raise _fault(
            entry,
            f'agonist "{agonist}" without a concentration in well {well}',
            "a concentration with every agonist",
            'Fill in the concentration, or call the well by its role (such as "vehicle").',
        )


def _concentration(entry: MapEntry, agonist: str, options: MapOptions) -> float | None:
    """In nM; None where the map gives none."""
    if entry.concentration is None:
        return None
    place = f"{entry.dose_place or entry.place} (well {well_name(*entry.well)})"
    unit = entry.unit or _own_unit(entry.concentration) or options.unit
    _refuse_comma(entry.concentration, place)
    _agree(entry, place)
    if unit is None and _is_zero(entry.concentration):
        return 0.0
    mass = options.molar_masses.get(agonist)
    value = concentration_nM(entry.concentration, unit, place=place, molar_mass_g_per_mol=mass)
    if not np.isfinite(value):
        raise UnitError(Fault(place=place, found=f'"{entry.concentration}"', expected="a finite concentration", cure="Correct it."))
    return value


def _is_zero(cell: Cell) -> bool:
    """Nothing is nothing in every unit."""
    try:
        return cell is not None and float(cell) == 0
    except ValueError:
        return False


def _own_unit(cell: Cell) -> str | None:
    """The unit written into a concentration ("30 nM"), if any."""
    if not isinstance(cell, str):
        return None
    try:
        float(cell)  # all of it is a number: 3E-05 has no unit "E-05"
    except ValueError:
        matched = _NUMBER_AND_UNIT.match(cell)
        return matched.group(1) if matched else None
    return None


def _refuse_comma(cell: Cell, place: str) -> None:
    if isinstance(cell, str) and _DECIMAL_COMMA.match(cell):
        cure = "Write the decimal sign as a point."
        raise UnitError(Fault(place=place, found=f'"{cell}"', expected="a number", cure=cure))


def _agree(entry: MapEntry, place: str) -> None:
    own = _own_unit(entry.concentration)
    if own and entry.unit and canonical_unit(own) != canonical_unit(entry.unit):
        raise UnitError(
            Fault(
                place=place,
                found=f'"{entry.concentration}" beside the unit "{entry.unit}"',
                expected="one unit",
                cure="Write the number alone, or clear the unit.",
            )
        )


def _fault(entry: MapEntry, found: str, expected: str, cure: str) -> LayoutError:
    return LayoutError(Fault(place=entry.place, found=found, expected=expected, cure=cure))
