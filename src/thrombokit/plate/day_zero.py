"""Which day-0 signal a treated plate grew from.

Wells of role day0 on the plate itself come first; then the day-0 plates of the same cell system and run; then the cell system's only
day-0 plate, where its run is not one of the treated plates' own (a day-0 plate without a named run). A day-0 plate of another run is not
used: seeding differs from run to run, and growth rates would carry the difference.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from thrombokit.plate.layout import Role
from thrombokit.plate.normalise import Level, Normalised, level_of

WITHOUT_CELLS = (Role.BLANK, Role.EMPTY)


@dataclass(frozen=True, kw_only=True, slots=True)
class DayZero:
    """What one plate's cells of one cell system grew from.

    `start` and `vehicle` are blank-corrected (signal units); `vehicle` is None without vehicle wells; `day0_plate` names the plate or
    plates of the day-0 wells; `hours` is the time from there to the read-out.
    """

    plate: str
    cell_system: str
    start: Level
    vehicle: Level | None
    hours: float
    day0_plate: str


def find_day_zero(plates: Sequence[Normalised], failed: Collection[str]) -> tuple[dict[tuple[str, str], DayZero], tuple[str, ...]]:
    """The day-0 signal of every treated plate and cell system that has one, and a sentence for each that lacks one.

    Parameters
    ----------
    plates : sequence of Normalised
        All plates of the study, day-0 plates among them.
    failed : names of plates
        Plates that failed their quality checks; a day-0 plate among them is not used.

    Returns
    -------
    dict of (plate, cell system) to DayZero, and tuple of str
        Both empty where the study holds no day-0 wells.
    """
    if not any(_day0_wells(each, system).any() for each in plates for system in _systems(each)):
        return {}, ()
    found: dict[tuple[str, str], DayZero] = {}
    notes: list[str] = []
    for treated in plates:
        for system in [] if treated.plate.day0 else _systems(treated):
            answer = _day_zero_of(treated, system, plates, failed, notes)
            if isinstance(answer, DayZero):
                found[treated.plate.name, system] = answer
            else:
                notes.append(f"{treated.plate.name} ({system or 'cells not named'}) has no growth rates: {answer}.")
    return found, tuple(notes)


def _day_zero_of(
    treated: Normalised, system: str, plates: Sequence[Normalised], failed: Collection[str], notes: list[str]
) -> DayZero | str:
    """The day-0 signal, or why there is none; `notes` takes what a reader should know of one that is used."""
    hours = treated.plate.hours
    if hours is None or not hours > 0:
        return "its hours of incubation are not given; add hours to its entry in the study file"
    sources = _sources(treated, system, plates)
    if isinstance(sources, str):
        return sources
    unusable = [each.plate.name for each in sources if each.plate.name in failed and each is not treated]
    if unusable:
        return f"its day-0 plate {', '.join(unusable)} failed its quality check"
    start = level_of(np.concatenate([each.corrected[_day0_wells(each, system)] for each in sources]))
    if start is None or not start.mean > 0:
        return "its day-0 signal is not above the blank"
    without = [each.plate.name for each in sources if (each.blank is None) != (treated.blank is None)]
    if without:
        has, lacks = (", ".join(without), treated.plate.name) if treated.blank is None else (treated.plate.name, ", ".join(without))
        notes.append(f"Blanks are subtracted on {has} and not on {lacks}: growth rates between them carry the background.")
    vehicle = treated.used & (treated.role == Role.VEHICLE) & (treated.cell_system == system)
    return DayZero(
        plate=treated.plate.name, cell_system=system, start=start, vehicle=level_of(treated.corrected[vehicle]), hours=hours,
        day0_plate=", ".join(each.plate.name for each in sources),
    )  # fmt: skip


def _sources(treated: Normalised, system: str, plates: Sequence[Normalised]) -> list[Normalised] | str:
    """The plates whose day-0 wells count for `treated`, or why none does."""
    if _day0_wells(treated, system).any():
        return [treated]
    there = [each for each in plates if each.plate.day0 and _day0_wells(each, system).any()]
    if not there:
        return "there is no day-0 plate of its cells"
    same_run = [each for each in there if each.plate.run == treated.plate.run]
    if same_run:
        return same_run
    runs = {each.plate.run for each in plates if not each.plate.day0 and system in _systems(each)}
    if len(there) == 1 and there[0].plate.run not in runs:
        return there
    listed = ", ".join(f"{each.plate.name} (run {each.plate.run})" for each in there)
    return f"no day-0 plate of its run, {treated.plate.run}; there is {listed}. Give its own day-0 plate the same run"


def _systems(each: Normalised) -> list[str]:
    """Cell systems of the plate's wells that hold cells, in order of appearance."""
    wells = each.used & ~np.isin(each.role, WITHOUT_CELLS)
    return list(dict.fromkeys(str(system) for system in each.cell_system[wells]))


def _day0_wells(each: Normalised, system: str) -> np.ndarray:
    """Day-0 wells of one cell system: on a day-0 plate all that hold cells (nothing has acted on them yet), else those of role day0."""
    wells = ~np.isin(each.role, WITHOUT_CELLS) if each.plate.day0 else each.role == Role.DAY0
    return each.used & wells & (each.cell_system == system)
