"""Maps as a long table: one well a row, with the columns well, role, agonist, concentration, unit, cell_system.

A unit may also stand in the title of the concentration ("concentration_nM", "concentration (uM)"). A well that is not listed is
empty.
"""

from __future__ import annotations

import difflib
import re

from thrombokit.errors import Fault
from thrombokit.io.plate_maps.combination import second_agonist_fault
from thrombokit.io.plate_maps.entries import MapEntry
from thrombokit.io.plate_maps.roles import ControlNames
from thrombokit.io.tables import Sheet
from thrombokit.io.well_tables import WellTable, outside, plain_name, well_table
from thrombokit.plate.wells import well_name
from thrombokit.quantities import canonical_unit

ROLE = ("role", "wellrole")
AGONIST = ("agonist", "gnumber", "compound", "drug")
CONCENTRATION = ("concentration", "conc")
UNIT = ("unit", "units", "concentrationunit")
CELL_SYSTEM = ("cellsystem", "cellline", "clid")
SECOND_AGONIST = ("gnumber2", "agonist2", "compound2", "drug2")
_KNOWN = ("well", "role", "agonist", "concentration", "unit", "cell_system")
_TITLED_UNIT = re.compile(r"^\s*conc(?:entration)?[\s_]*[(\[]?\s*([^)\]]+?)\s*[)\]]?\s*$", re.IGNORECASE)


def long_table(sheet: Sheet) -> WellTable | None:
    """The sheet as a long map; None if its first filled row does not name wells and at least a role or an agonist."""
    table = well_table(sheet)
    return table if table and table.names_wells and (table.columns(ROLE) or table.columns(AGONIST)) else None


def read_long(table: WellTable, *, shape: tuple[int, int], controls: ControlNames) -> tuple[list[MapEntry], list[Fault]]:
    """Entries of a long map, and what is wrong with its wells and columns.

    Parameters
    ----------
    table : WellTable
        The map.
    shape : tuple of int
        (n_rows, n_columns) of the plate.
    controls : ControlNames
        To tell a second agonist from a control's name.

    Returns
    -------
    entries, faults
        Entries only for rows whose well is on the plate and new.
    """
    doses = _dose_columns(table)
    faults = [*table.faults(), *table.unlabelled(), *_column_faults(table, doses)]
    second = table.column(SECOND_AGONIST)
    if second is not None:
        faults.extend(second_agonist_fault(table.sheet, [(row, second) for row in table.rows()], controls))
    if not any(table.rows()):
        cure = "Fill in the map."
        faults.append(Fault(place=table.sheet.place(), found="a header without rows", expected="one row per well", cure=cure))
    first_rows: dict[tuple[int, int], int] = {}
    entries: list[MapEntry] = []
    for row in table.rows():
        well = table.well(row)
        place = table.sheet.place(row)
        if isinstance(well, Fault):
            faults.append(well)
        elif well[0] >= shape[0] or well[1] >= shape[1]:
            faults.append(outside(place, well, shape))
        elif well in first_rows:
            found = f"well {well_name(*well)} again (first in row {first_rows[well] + 1})"
            faults.append(Fault(place=place, found=found, expected="each well once", cure="Delete one of the rows."))
        else:
            first_rows[well] = row
            entries.append(_entry(table, row, well, doses))
    return entries, faults


def _entry(table: WellTable, row: int, well: tuple[int, int], doses: list[tuple[int, str]]) -> MapEntry:
    column, unit = doses[0] if doses else (None, "")
    return MapEntry(
        well=well,
        place=table.sheet.place(row),
        role=table.text(row, table.column(ROLE)),
        agonist=table.text(row, table.column(AGONIST)),
        concentration=None if column is None else table.sheet.cell(row, column),
        unit=table.text(row, table.column(UNIT)) or unit,
        cell_system=table.text(row, table.column(CELL_SYSTEM)),
    )


def _dose_columns(table: WellTable) -> list[tuple[int, str]]:
    """Columns of concentrations, each with the unit in its title ("" if none)."""
    found: list[tuple[int, str]] = []
    for title, column in table.titles:
        titled = _TITLED_UNIT.match(table.sheet.text(table.header, column))
        if title in CONCENTRATION:
            found.append((column, ""))
        elif titled and canonical_unit(titled.group(1)):
            found.append((column, titled.group(1)))
    return found


def _column_faults(table: WellTable, doses: list[tuple[int, str]]) -> list[Fault]:
    """Two columns for one thing, and titles that look like a slip of the pen."""
    faults: list[Fault] = []
    place = table.sheet.place(table.header)
    columns_of = {names[0]: table.columns(names) for names in (ROLE, AGONIST, UNIT, CELL_SYSTEM)}
    columns_of["concentration"] = tuple(column for column, _ in doses)
    for name, columns in columns_of.items():
        if len(columns) > 1:
            titles = " and ".join(f'"{table.sheet.text(table.header, column)}"' for column in columns)
            faults.append(
                Fault(
                    place=place,
                    found=f"the columns {titles}",
                    expected=f"one column for the {name}",
                    cure="Delete or rename one of them.",
                )
            )
    titled_unit = next((unit for _, unit in doses if unit), "")
    if titled_unit and table.columns(UNIT):
        faults.append(
            Fault(
                place=place,
                found=f'a unit column beside "{titled_unit}" in the title of the concentrations',
                expected="one unit",
                cure="Delete one of them.",
            )
        )
    missing = [plain_name(name) for name in _KNOWN if plain_name(name) not in {title for title, _ in table.titles}]
    for title, column in table.titles:
        known_column = title in _ALL or column in columns_of["concentration"]
        near = [] if known_column else difflib.get_close_matches(title, missing, n=1, cutoff=0.8)
        if near:
            known = next(name for name in _KNOWN if plain_name(name) == near[0])
            faults.append(
                Fault(
                    place=table.sheet.place(table.header, column),
                    found=f'column "{table.sheet.text(table.header, column)}"',
                    expected=f"the columns {', '.join(_KNOWN)}",
                    cure=f'Did you mean "{known}"?',
                )
            )
    return faults


_ALL = {*ROLE, *AGONIST, *CONCENTRATION, *UNIT, *CELL_SYSTEM, *SECOND_AGONIST, "well", "wells", "concentration2"}
