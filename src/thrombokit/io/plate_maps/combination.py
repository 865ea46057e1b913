"""Combinations of two agonists in a well: named, not read. A second agonist that is vehicle everywhere is none."""

from __future__ import annotations

from collections.abc import Iterable

from thrombokit.errors import Fault
from thrombokit.io.plate_maps.roles import UNDOSED, ControlNames
from thrombokit.io.tables import Sheet


def second_agonist_fault(sheet: Sheet, cells: Iterable[tuple[int, int]], controls: ControlNames) -> list[Fault]:
    """One fault if any of the cells (row, column) names a second agonist other than vehicle, else none."""
    named = [
        (row, column)
        for row, column in cells
        if sheet.text(row, column) and controls.role_of(sheet.text(row, column)) not in UNDOSED
    ]
    if not named:
        return []
    first = sheet.text(*named[0])
    return [
        Fault(
            place=sheet.place(*named[0]),
            found=f'a second agonist ("{first}" and others, {len(named)} wells)',
            expected="one agonist in a well",
            cure="Combinations are not analysed; leave out these wells and the second agonist.",
        )
    ]
