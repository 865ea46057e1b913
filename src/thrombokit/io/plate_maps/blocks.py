"""Maps as plate-shaped blocks: one block (or worksheet) for the agonists, one for the concentrations, and so on.

A block is named by its corner cell ("Drug, 1, 2, 3"), by the line above it, or by its worksheet. Labelled blocks (row letters,
column numbers) tell the well themselves; in bare ones the spreadsheet cell `origin` holds well A01. A workbook with a single sheet
of any other name holds agonists.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from thrombokit.errors import Fault, LayoutError
from thrombokit.io.plate_maps.combination import second_agonist_fault
from thrombokit.io.plate_maps.entries import MapEntry
from thrombokit.io.plate_maps.roles import ControlNames
from thrombokit.io.tables import Sheet, cell_name
from thrombokit.io.well_grids import LabelledGrid, find_labelled_grids, ragged_faults, unclaimed_rows
from thrombokit.io.well_tables import outside, plain_name
from thrombokit.plate.wells import shape_that_holds
from thrombokit.quantities import canonical_unit

QUANTITIES = {
    "agonist": ("agonist", "agonists", "gnumber", "drug", "drugs", "compound", "compounds"),
    "concentration": ("concentration", "concentrations", "conc"),
    "unit": ("unit", "units"),
    "role": ("role", "roles"),
    "cell_system": ("cellsystem", "cellline", "cells"),
}
_SECOND = re.compile(r"(gnumber|drug|agonist|compound|concentration|conc)(\d+)")
_TITLED_UNIT = re.compile(r"^\s*conc\w*?[\s_]*[(\[]?\s*([A-Za-zµμ/]+)\s*[)\]]?\s*$", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class _Block:
    """One quantity: its cells as well -> (sheet row, sheet column), and the unit in its name ("" if none)."""

    quantity: str
    sheet: Sheet
    wells: dict[tuple[int, int], tuple[int, int]]
    unit: str = ""


@dataclass(frozen=True, kw_only=True)
class _Collected:
    """What the reading of a map knows, and what it has found so far."""

    shape: tuple[int, int]
    origin: tuple[int, int]
    controls: ControlNames
    blocks: list[_Block]
    faults: list[Fault]


def parse_origin(origin: str) -> tuple[int, int]:
    """ "B2" -> (1, 1), the zero-based row and column of a spreadsheet cell.

    Raises
    ------
    LayoutError
        If it names no cell.
    """
    matched = re.fullmatch(r"\s*([A-Za-z]{1,3})([1-9]\d{0,5})\s*", origin)
    if not matched:
        fault = Fault(
            place="map_origin", found=f'"{origin}"', expected='a spreadsheet cell such as "A1" or "B2"', cure="Correct it."
        )
        raise LayoutError(fault)
    column = 0
    for letter in matched.group(1).upper():
        column = column * 26 + ord(letter) - ord("A") + 1
    return int(matched.group(2)) - 1, column - 1


def read_blocks(
    sheets: tuple[Sheet, ...], *, shape: tuple[int, int], origin: tuple[int, int], controls: ControlNames
) -> tuple[list[MapEntry], list[Fault], bool]:
    """Entries of a map in blocks, and what is wrong with the blocks.

    Parameters
    ----------
    sheets : tuple of Sheet
        Worksheets, or one text file.
    shape : tuple of int
        (n_rows, n_columns) of the plate.
    origin : tuple of int
        Zero-based row and column of the cell that holds well A01, for bare blocks.
    controls : ControlNames
        To tell a second agonist from a control's name.

    Returns
    -------
    entries, faults, uses_origin
        One entry per well that any block mentions; `uses_origin` if a block had no labels.
    """
    faults: list[Fault] = []
    blocks: list[_Block] = []
    found = _Collected(shape=shape, origin=origin, controls=controls, blocks=blocks, faults=faults)
    sheets = tuple(sheet for sheet in sheets if not sheet.is_empty())
    uses_origin = False
    for sheet in sheets:
        grids = find_labelled_grids(sheet)
        if grids:
            _read_labelled(sheet, grids, found)
        else:
            uses_origin = _read_bare(sheet, alone=len(sheets) == 1, found=found) or uses_origin
    chosen: dict[str, _Block] = {}
    for block in blocks:
        if block.quantity in chosen:
            faults.append(
                Fault(
                    place=block.sheet.place(),
                    found=f"a second block of the {block.quantity}",
                    expected="one block for each quantity",
                    cure="Delete or rename one of them.",
                )
            )
        chosen.setdefault(block.quantity, block)
    if not faults and "agonist" not in chosen and "role" not in chosen:
        faults.append(_no_agonists(sheets))
    # with a block out of place the wells of the others say nothing true
    misplaced = any(_OUTSIDE in fault.found for fault in faults)
    return [] if misplaced else _entries(chosen), faults, uses_origin


def _entries(blocks: dict[str, _Block]) -> list[MapEntry]:
    wells = sorted({well for block in blocks.values() for well in block.wells})

    def text(quantity: str, well: tuple[int, int]) -> str:
        block = blocks.get(quantity)
        return block.sheet.text(*block.wells[well]) if block and well in block.wells else ""

    entries: list[MapEntry] = []
    for well in wells:
        holder = next(blocks[name] for name in (*QUANTITIES,) if name in blocks and well in blocks[name].wells)
        dose = blocks.get("concentration")
        entries.append(
            MapEntry(
                well=well,
                place=holder.sheet.place(*holder.wells[well]),
                role=text("role", well),
                agonist=text("agonist", well),
                concentration=dose.sheet.cell(*dose.wells[well]) if dose and well in dose.wells else None,
                unit=text("unit", well) or (dose.unit if dose else ""),
                dose_place=dose.sheet.place(*dose.wells[well]) if dose and well in dose.wells else "",
                cell_system=text("cell_system", well),
            )
        )
    return entries


def _quantity(name: str) -> tuple[str, str] | None:
    """(quantity, unit) that a block's name means; ("second", "") for a second agonist; None if it means nothing here."""
    plain = plain_name(name)
    for quantity, names in QUANTITIES.items():
        if plain in names:
            return quantity, ""
    second = _SECOND.fullmatch(plain)
    if second:
        return ("second" if int(second.group(2)) > 1 else QUANTITY_OF_FIRST[second.group(1)]), ""
    titled = _TITLED_UNIT.match(name)
    if titled and canonical_unit(titled.group(1)):
        return "concentration", titled.group(1)
    return None


QUANTITY_OF_FIRST = {
    "gnumber": "agonist",
    "drug": "agonist",
    "agonist": "agonist",
    "compound": "agonist",
    "concentration": "concentration",
    "conc": "concentration",
}
"""What "drug_1" is."""


def _take(meaning: tuple[str, str], sheet: Sheet, wells: dict[tuple[int, int], tuple[int, int]], found: _Collected) -> None:
    quantity, unit = meaning
    if quantity == "second":
        # a second concentration says nothing without its agonist, whose own block is refused
        is_text = any(not _is_number(sheet.text(*cell)) for cell in wells.values())
        found.faults.extend(second_agonist_fault(sheet, wells.values(), found.controls) if is_text else [])
    else:
        found.blocks.append(_Block(quantity=quantity, sheet=sheet, wells=wells, unit=unit))


def _read_labelled(sheet: Sheet, grids: tuple[LabelledGrid, ...], found: _Collected) -> None:
    found.faults.extend(
        Fault(
            place=sheet.place(row),
            found="contents in a line without a row letter",
            expected="a row letter in front of every line",
            cure="Add the letter, or clear the line.",
        )
        for row in unclaimed_rows(sheet, grids, 0, sheet.n_rows)
    )
    for grid in grids:
        names = (grid.corner, grid.title, sheet.name if sheet.is_workbook else "")
        meaning = next((known for name in names if name and (known := _quantity(name))), None)
        if meaning is None and len(grids) == 1 and not grid.corner:
            meaning = ("agonist", "")
        if meaning is not None:
            found.faults.extend(grid.faults())
            _take(meaning, sheet, _labelled_wells(sheet, grid, found), found)
        elif not grid.corner:
            place = sheet.place(grid.top)
            cure = "Write the name in its corner cell."
            found.faults.append(Fault(place=place, found="a block without a name", expected=_EXPECTED, cure=cure))


def _labelled_wells(sheet: Sheet, grid: LabelledGrid, found: _Collected) -> dict[tuple[int, int], tuple[int, int]]:
    """Well -> cell of what the block holds; wells that the plate does not have are faults."""
    wells: dict[tuple[int, int], tuple[int, int]] = {}
    for row, column, well in grid.cells():
        if sheet.cell(row, column) is None:
            continue
        if well[0] >= found.shape[0] or well[1] >= found.shape[1]:
            found.faults.append(outside(sheet.place(row, column), well, found.shape))
        else:
            wells[well] = (row, column)
    return wells


def _read_bare(sheet: Sheet, *, alone: bool, found: _Collected) -> bool:
    """Read a block without labels; whether the sheet is one."""
    meaning = _quantity(sheet.name) if sheet.is_workbook else None
    if meaning is None and alone:
        meaning = ("agonist", "")
    if meaning is None:
        return False  # a sheet of notes
    cells = [(row, column) for row in range(sheet.n_rows) for column in sheet.filled(row)]
    found.faults.extend(ragged_faults(sheet, [row for row in range(sheet.n_rows) if sheet.cells[row]]))
    inside = {(row - found.origin[0], column - found.origin[1]): (row, column) for row, column in cells}
    wells = {well: cell for well, cell in inside.items() if 0 <= well[0] < found.shape[0] and 0 <= well[1] < found.shape[1]}
    if len(wells) < len(cells):
        beyond = [cell for well, cell in inside.items() if well not in wells]
        found.faults.append(_misplaced(sheet, cells, beyond, found))
    else:
        _take(meaning, sheet, wells, found)
    return True


def _misplaced(sheet: Sheet, cells: list[tuple[int, int]], beyond: list[tuple[int, int]], found: _Collected) -> Fault:
    shape, origin = found.shape, found.origin
    named = ", ".join(cell_name(*cell) for cell in beyond[:5]) + (f" and {len(beyond) - 5} more" if len(beyond) > 5 else "")
    top, bottom = min(row for row, _ in cells), max(row for row, _ in cells)
    left, right = min(column for _, column in cells), max(column for _, column in cells)
    n_wells = shape[0] * shape[1]
    if bottom - top >= shape[0] or right - left >= shape[1]:
        larger = shape_that_holds(bottom - top + 1, right - left + 1)
        cure = f"It spans {bottom - top + 1} x {right - left + 1} cells" + (
            f": a map of a {larger[0] * larger[1]}-well plate, or one with titles?"
            if larger
            else ", more than any plate: is it a map?"
        )
    else:
        # the nearest origin to the one given that takes every cell in
        row = min(max(origin[0], bottom - shape[0] + 1), top)
        column = min(max(origin[1], right - shape[1] + 1), left)
        cure = f'Set map_origin = "{cell_name(max(row, 0), max(column, 0))}" if well A01 stands there, or label rows and columns.'
    return Fault(
        place=sheet.place(),
        found=f"{len(beyond)} {_OUTSIDE} ({named})",
        expected=f"{shape[0]} x {shape[1]} cells ({n_wells} wells) from cell {cell_name(*origin)}, which holds well A01",
        cure=cure,
    )


_OUTSIDE = "cells outside the plate"
_EXPECTED = "blocks named agonist, concentration, unit, role or cell_system"


def _no_agonists(sheets: tuple[Sheet, ...]) -> Fault:
    titles = ", ".join(f'"{sheet.name}"' for sheet in sheets) or "nothing"
    return Fault(
        place=sheets[0].file if sheets else "map",
        found=f"no agonists (sheets or blocks: {titles})",
        expected=_EXPECTED,
        cure="Name the sheet or the corner cell of the block by what it holds.",
    )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
