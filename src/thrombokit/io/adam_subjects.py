"""ADSL, the subjects of a trial as regulators receive them: arm as randomised, first dose, drop-out, and every column that may be a stratum."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from thrombokit.errors import Fault, FileFormatError, raise_all
from thrombokit.io.clinical_cells import ClinicalCells, cells_of
from thrombokit.io.clinical_tables import read_clinical_table
from thrombokit.io.count_records import Omission
from thrombokit.io.fault_lists import condensed
from thrombokit.trials.trial_data import Subject

ARMS = ("TRT01P", "ARM", "TRT01A")
NO_ARM = ("screen failure", "not assigned", "not randomized", "not randomised", "scrnfail", "notassgn")
ENDS = ("EOSDT", "RFENDT", "TRTEDT")
REASONS = ("DCSREAS", "DCDECOD", "DCTREAS")
MOST_LEVELS = 30
"""A column with more distinct values is no stratum."""


@dataclass(frozen=True, kw_only=True)
class AdamSubjects:
    """`subjects` of the arms; of each by name the first dose (None where there was none) and the arms by column; `outside`: names without an arm."""

    file: str
    subjects: tuple[Subject, ...]
    first_dose: Mapping[str, dt.date | None]
    arm_columns: Mapping[str, Mapping[str, str]]
    outside: frozenset[str]
    omissions: tuple[Omission, ...]


def read_adsl(path: str | Path) -> AdamSubjects:
    """Subjects of an ADSL data set, in any form that `read_clinical_table` reads.

    Parameters
    ----------
    path : path
        USUBJID and one of TRT01P, ARM, TRT01A are needed; TRTSDT, TRTEDT, EOSDT (or RFENDT), EOSSTT (or DISCONFL), DCSREAS (or DCDECOD), SAFFL
        are used
        where they are there.

    Returns
    -------
    AdamSubjects
        Days count from TRTSDT, day 0. Screen failures and rows without an arm are left out.

    Raises
    ------
    FileFormatError
        Columns that are not there, a subject twice, dates that are none.
    """
    faults: list[Fault] = []
    cells = cells_of(read_clinical_table(path), ("USUBJID", ARMS), faults)
    raise_all(faults, FileFormatError)
    factors = _factor_columns(cells)
    subjects, omissions = list[Subject](), list[Omission]()
    first_dose: dict[str, dt.date | None] = {}
    arm_columns: dict[str, dict[str, str]] = {}
    outside, seen = set[str](), dict[str, str]()
    for row in range(len(cells.table.rows)):
        name, arm = cells.text(row, "USUBJID"), cells.first(row, ARMS)
        if not name:
            faults.append(
                Fault(place=cells.place(row, "USUBJID"), found="nothing", expected="the subject's identifier", cure="Fill it in.")
            )
        elif name in seen:
            faults.append(Fault(place=cells.place(row), found=f"subject {name} again, after {seen[name]}", expected="one record a subject",
                                cure="Delete one of them."))  # fmt: skip
        elif not arm or arm.casefold() in NO_ARM:
            outside.add(name)
            omissions.append(Omission(reason="subject without an arm (screen failure)", place=cells.place(row)))
        else:
            start = cells.date(row, "TRTSDT", faults)
            first_dose[name], arm_columns[name] = start, {column: cells.text(row, column) for column in ARMS}
            subjects.append(_subject(cells, row, name, arm, start, factors, faults))
        seen.setdefault(name, cells.place(row))
    if not subjects and not faults:
        faults.append(
            Fault(place=cells.table.file, found="no subject with an arm", expected="at least one", cure="Check TRT01P or ARM.")
        )
    raise_all(condensed(faults), FileFormatError)
    return AdamSubjects(file=cells.table.file, subjects=tuple(subjects), first_dose=first_dose, arm_columns=arm_columns, outside=frozenset(outside),
                        omissions=tuple(omissions))  # fmt: skip


def _subject(
    cells: ClinicalCells, row: int, name: str, arm: str, start: dt.date | None, factors: tuple[str, ...], faults: list[Fault]
) -> Subject:  # fmt: skip
    status = cells.text(row, "EOSSTT").casefold()
    left = status == "discontinued" or (not status and cells.text(row, "DISCONFL") == "Y")
    completed = True if status == "completed" or (not status and cells.text(row, "COMPLFL") == "Y") else None
    end = next((date for column in ENDS if (date := cells.date(row, column, faults)) is not None), None)
    stop = cells.date(row, "TRTEDT", faults)
    treated = cells.text(row, "SAFFL") == "Y" if cells.has("SAFFL") else start is not None or not cells.has("TRTSDT")
    return Subject(
        name=name, arm=arm, factors={column: text for column in factors if (text := cells.text(row, column))}, treated=treated,
        completed=False if left else completed, dropout_day=_days(start, end) if left else None,
        dropout_reason=(cells.first(row, REASONS).capitalize() or "reason not given") if left else "", stop_day=_days(start, stop),
    )  # fmt: skip


def _days(start: dt.date | None, date: dt.date | None) -> float | None:
    return None if start is None or date is None else float((date - start).days)


def _factor_columns(cells: ClinicalCells) -> tuple[str, ...]:
    """Columns that can be strata or subgroups: few values, no date, no identifier."""
    chosen: list[str] = []
    for k, title in enumerate(cells.table.titles):
        levels = {row[k] for row in cells.table.rows}
        if (
            title
            and title.upper() not in ("USUBJID", "SUBJID", "STUDYID")
            and not title.upper().endswith(("DT", "DTC", "DTM"))
            and len(levels) <= MOST_LEVELS
        ):
            chosen.append(title)
    return tuple(chosen)
