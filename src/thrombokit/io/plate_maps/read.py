"""A plate map of any form, as a `Layout` in house units: a long table if a sheet is one, else plate-shaped blocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from thrombokit.errors import Fault, LayoutError, UnitError
from thrombokit.io.plate_maps.blocks import parse_origin, read_blocks
from thrombokit.io.plate_maps.entries import MapOptions, layout_of
from thrombokit.io.plate_maps.long import long_table, read_long
from thrombokit.io.plate_maps.roles import ControlNames
from thrombokit.io.tables import Sheet, cell_name, read_sheets
from thrombokit.io.well_tables import WellTable, well_table
from thrombokit.plate.layout import Layout, Role
from thrombokit.quantities import canonical_unit


def read_map(
    path: str | Path,
    *,
    shape: tuple[int, int],
    origin: str = "A1",
    unit: str | None = None,
    vehicle: str | None = None,
    positive_control: str | None = None,
    comparator: str | None = None,
    molar_masses: Mapping[str, float] | None = None,
) -> Layout:
    """Read a plate map.

    Parameters
    ----------
    path : str or Path
        CSV, TSV or XLSX: a long table (well, role, agonist, concentration, unit, cell_system), or plate-shaped blocks.
    shape : tuple of int
        (n_rows, n_columns) of the plate it is for.
    origin : str
        Spreadsheet cell that holds well A01, for blocks without row letters and column numbers.
    unit : str, optional
        Concentration unit where the map carries none.
    vehicle, positive_control, comparator : str, optional
        Names that the map uses for the controls; "vehicle", "dmso", "untreated", "blank" and "empty" are known.
    molar_masses : mapping of str to float, optional
        g/mol by agonist, for mass concentrations.

    Returns
    -------
    Layout
        In a long map, wells that are not listed are empty; in blocks, wells without an agonist are vehicle. `origin` is set where
        a block without labels used it.

    Raises
    ------
    FileFormatError
        If the file cannot be read.
    LayoutError, UnitError
        With every fault of the map: wells, roles, doses, units.
    """
    if unit is not None and canonical_unit(unit) is None:
        raise UnitError(Fault(place="map_unit", found=f'"{unit}"', expected="a unit such as nM, uM or ng/mL", cure="Correct it."))
    controls = ControlNames(vehicle=vehicle, positive_control=positive_control, comparator=comparator)
    options = MapOptions(controls=controls, unit=unit, molar_masses=molar_masses or {})
    cell = parse_origin(origin)
    sheets = read_sheets(path)
    table = _long_table(sheets)
    if table is None:
        entries, faults, uses_origin = read_blocks(sheets, shape=shape, origin=cell, controls=controls)
    else:
        entries, faults = read_long(table, shape=shape, controls=controls)
        uses_origin = False
    unmentioned = Role.VEHICLE if table is None else Role.EMPTY
    layout = layout_of(entries, shape=shape, unmentioned=unmentioned, options=options, faults=faults)
    return replace(layout, source=sheets[0].file, origin=cell_name(*cell) if uses_origin else "")


def _long_table(sheets: tuple[Sheet, ...]) -> WellTable | None:
    """The one sheet that is a long map, or None where the map is in blocks."""
    tables = [table for sheet in sheets if (table := long_table(sheet))]
    if len(tables) > 1:
        places = " and ".join(table.sheet.place() for table in tables)
        found = f"a map in each of {places}"
        raise LayoutError(Fault(place=sheets[0].file, found=found, expected="one map in a file", cure="Save each by itself."))
    if tables:
        return tables[0]
    for sheet in sheets:
        table = well_table(sheet)
        if table and table.names_wells:
            expected = "the columns well, role, agonist, concentration, unit, cell_system"
            place = sheet.place(table.header)
            cure = "Add or rename a column."
            raise LayoutError(Fault(place=place, found="wells without a column role or agonist", expected=expected, cure=cure))
    return None
