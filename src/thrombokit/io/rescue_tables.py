"""Rescues from a table of their own, one row each: a subject and a day, a week or a date."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from thrombokit.errors import Fault, FileFormatError, raise_all
from thrombokit.io.clinical_cells import ClinicalCells, cells_of
from thrombokit.io.clinical_tables import read_clinical_table
from thrombokit.io.fault_lists import condensed
from thrombokit.trials.trial_data import Subject

SUBJECT = ("USUBJID", "subject")
STUDY_DAYS = ("ASTDY", "ADY", "CMSTDY")
"""Days that count the first dose as day 1, without a day 0."""
DATES = ("ASTDT", "ADT", "CMSTDTC")
PLAIN = ("day", "rescue_day", "week")


def read_rescues(
    path: str | Path, subjects: Sequence[Subject], *, first_dose: Mapping[str, dt.date | None] | None = None
) -> tuple[Subject, ...]:
    """The subjects with their rescues added.

    Parameters
    ----------
    path : path
        A column USUBJID or subject, and one of ASTDY, ADY, CMSTDY (first dose = day 1), ASTDT, ADT, CMSTDTC (dates), day, rescue_day (first dose
        = day 0)
        or week.
    subjects : sequence of Subject
    first_dose : mapping, optional
        Date of the first dose by subject, for dates.

    Raises
    ------
    FileFormatError
        With every row of an unknown subject or without a day.
    """
    faults: list[Fault] = []
    cells = cells_of(read_clinical_table(path), (SUBJECT, (*STUDY_DAYS, *DATES, *PLAIN)), faults)
    raise_all(faults, FileFormatError)
    days: dict[str, list[float]] = {one.name: list(one.rescue_days) for one in subjects}
    for row in range(len(cells.table.rows)):
        name = cells.first(row, SUBJECT)
        day = _day(cells, row, (first_dose or {}).get(name), faults)
        if name not in days:
            faults.append(
                Fault(
                    place=cells.place(row),
                    found=f'subject "{name}"',
                    expected="a subject of the trial",
                    cure="Correct the name, or delete the row.",
                )
            )
        elif day is None:
            faults.append(Fault(place=cells.place(row), found=f"no day of rescue of subject {name}", expected="a day or a date",
                                cure="Fill it in; a rescue without a day cannot be placed."))  # fmt: skip
        elif day not in days[name]:
            days[name].append(day)
    raise_all(condensed(faults), FileFormatError)
    return tuple(replace(one, rescue_days=tuple(sorted(days[one.name]))) for one in subjects)


def study_day(cells: ClinicalCells, row: int, name: str, faults: list[Fault]) -> float | None:
    """Days from the first dose of a column that calls that day 1; a fault for day 0, which such columns do not have."""
    said = cells.number(row, name, faults)
    if said == 0.0:
        faults.append(Fault(place=cells.place(row, name), found="0", expected="1 for the day of the first dose, -1 for the day before",
                            cure="Correct the day; study days have no 0."))  # fmt: skip
    return None if said is None else said - 1.0 if said > 0.0 else said


def _day(cells: ClinicalCells, row: int, start: dt.date | None, faults: list[Fault]) -> float | None:
    for name in STUDY_DAYS:
        day = study_day(cells, row, name, faults)
        if day is not None:
            return day
    for name in DATES:
        date = cells.date(row, name, faults) if cells.text(row, name) else None
        if date is not None and start is not None:
            return float((date - start).days)
    for name in PLAIN:
        value = cells.number(row, name, faults)
        if value is not None:
            return 7.0 * value if name == "week" else value
    return None
