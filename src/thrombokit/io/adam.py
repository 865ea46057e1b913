"""ADLB and ADSL: platelet counts of a trial as regulators receive them, with everything that is no measured count left out by name.

Derived records (DTYPE), maximum and minimum visits, records without a value or day and repeats are left out and counted. The day is ADY (the first
dose is day 1, here day 0), or ADT less TRTSDT; where both are there they must agree. Units may differ between records.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from thrombokit.errors import Fault, FileFormatError, UnitError, raise_all
from thrombokit.io.adam_subjects import AdamSubjects, read_adsl
from thrombokit.io.clinical_cells import ClinicalCells, cells_of
from thrombokit.io.clinical_tables import read_clinical_table
from thrombokit.io.count_records import CountRecord, Omission, baseline_notes, grouped, settled, sha256_of
from thrombokit.io.count_units import EXPECTED, count_1e9_per_L, unit_in_words
from thrombokit.io.fault_lists import condensed
from thrombokit.io.rescue_tables import read_rescues, study_day
from thrombokit.trials.trial_data import TrialData, trial_data

PLATELETS = ("PLAT", "PLT", "PLATELET", "PLATE", "PLTCNT")
UNITS = ("AVALU", "LBSTRESU", "STRESU", "UNIT")
ARM_COLUMNS = {"TRTP": "TRT01P", "TRTA": "TRT01A", "TRT01P": "TRT01P", "TRT01A": "TRT01A", "ARM": "ARM"}
"""Column of an arm in ADLB or ADTTE -> the column of ADSL that it must equal."""
DERIVED_VISIT = re.compile(r"\b(maxim\w*|minim\w*|worst|best|nadir|peak|average|locf|last (obs|post|on)\w*)\b", re.IGNORECASE)
UNSCHEDULED = re.compile(r"unsch|not scheduled|unplanned", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class _Reading:
    """What is being filled while records are read."""

    cells: ClinicalCells
    who: AdamSubjects
    faults: list[Fault]
    omissions: list[Omission]


def read_adam_trial(
    adlb: str | Path, adsl: str | Path, *, param: str | None = None, unit: str | None = None, rescue: str | Path | None = None
) -> TrialData:
    """Platelet counts of ADLB with the subjects of ADSL.

    Parameters
    ----------
    adlb, adsl : path
        XPT, Dataset-JSON, CSV, Parquet or XLSX.
    param : str, optional
        PARAMCD of the platelet count; by default the one of PLAT, PLT ... that is there.
    unit : str, optional
        Unit of records that name none, neither in AVALU (LBSTRESU) nor in the brackets of PARAM.
    rescue : path, optional
        A table of rescues, see `read_rescues`.

    Raises
    ------
    FileFormatError
        With every record of an unknown subject or of another arm than ADSL says, value that is no number, unit that is none, day that contradicts its
        date, and different counts on one day.
    """
    who, faults = read_adsl(adsl), list[Fault]()
    cells = cells_of(read_clinical_table(adlb), ("USUBJID", "PARAMCD", "AVAL", ("ADY", "ADT")), faults)
    raise_all(faults, FileFormatError)
    code = _param(cells, param)
    reading = _Reading(cells=cells, who=who, faults=faults, omissions=list(who.omissions))
    found = [
        _record(reading, row, unit)
        for row in range(len(cells.table.rows))
        if cells.text(row, "PARAMCD").casefold() == code.casefold()
    ]
    kept = settled([one for one in found if one is not None], reading.omissions, faults)
    faults += arm_faults(cells, who, range(len(cells.table.rows)))
    raise_all(condensed(faults), FileFormatError)
    subjects = read_rescues(rescue, who.subjects, first_dose=who.first_dose) if rescue is not None else who.subjects
    place = {one.name: k for k, one in enumerate(subjects)}
    paths = [Path(adlb), Path(adsl), *([] if rescue is None else [Path(rescue)])]
    return trial_data(
        subjects, subject=[place[r.subject] for r in kept], day=[r.day for r in kept], count_1e9_per_L=[r.count_1e9_per_L for r in kept],
        scheduled=[r.scheduled for r in kept], left_out=grouped(reading.omissions), inputs={path.name: sha256_of(path) for path in paths},
        notes=baseline_notes(kept),
    )  # fmt: skip


def arm_faults(cells: ClinicalCells, who: AdamSubjects, rows: range) -> list[Fault]:
    """Records whose arm is not that of ADSL, the first of each subject and column."""
    faults: list[Fault] = []
    told: set[tuple[str, str]] = set()
    for column, of_adsl in ARM_COLUMNS.items():
        for row in rows if cells.has(column) else ():
            name, said = cells.text(row, "USUBJID"), cells.text(row, column)
            expected = who.arm_columns.get(name, {}).get(of_adsl, "")
            if said and expected and said != expected and (name, column) not in told:
                told.add((name, column))
                faults.append(
                    Fault(place=cells.place(row, column), found=f'subject {name} in arm "{said}"',
                          expected=f'"{expected}", as {of_adsl} of {who.file} says', cure="Correct the arm in one of the data sets.")
                )  # fmt: skip
    return faults


def unknown_subject(cells: ClinicalCells, row: int, who: AdamSubjects) -> Fault | None:
    """A fault for a record whose subject is not in ADSL."""
    name = cells.text(row, "USUBJID")
    if name in who.arm_columns or name in who.outside:
        return None
    return Fault(
        place=cells.place(row),
        found=f'subject "{name}"',
        expected=f"a subject of {who.file}",
        cure="Add the subject to ADSL, or delete the record.",
    )


def _param(cells: ClinicalCells, param: str | None) -> str:
    present = list(dict.fromkeys(cells.text(row, "PARAMCD") for row in range(len(cells.table.rows))))
    wanted = (param,) if param is not None else PLATELETS
    found = [code for code in present if code.casefold() in {one.casefold() for one in wanted}]
    if len(found) == 1:
        return found[0]
    said = f"PARAMCD {', '.join(found or present[:20]) or 'empty'}"
    expected = f'one parameter "{param}"' if param is not None else f"one platelet count, named {', '.join(PLATELETS)}"
    raise FileFormatError(
        Fault(place=cells.table.file, found=said, expected=expected, cure="Say which parameter holds the platelet count (--param).")
    )


def _record(reading: _Reading, row: int, unit: str | None) -> CountRecord | None:
    cells, place = reading.cells, reading.cells.place(row)
    name = cells.text(row, "USUBJID")
    stranger = unknown_subject(cells, row, reading.who)
    if stranger is not None:
        reading.faults.append(stranger)
        return None
    visit = cells.first(row, ("AVISIT", "VISIT"))
    value = cells.number(row, "AVAL", reading.faults)
    reason = _reason(cells, row, visit, value, outside=name in reading.who.outside)
    if reason is None:
        day = _day(reading, row, name)
        reason = "no day" if day is None else None
    else:
        day = None
    if reason is not None or day is None or value is None:
        reading.omissions.append(Omission(reason=reason or "no day", place=place))
        return None
    said = cells.first(row, UNITS) or unit_in_words(cells.text(row, "PARAM")) or unit or ""
    try:
        count = count_1e9_per_L(value, said, place=place)
    except UnitError:
        reading.faults.append(Fault(place=place, found=f'unit "{said}"' if said else "no unit, neither in AVALU nor in PARAM", expected=EXPECTED,
                                    cure="Correct the unit, or say it for records without one (--unit)."))  # fmt: skip
        return None
    scheduled = not UNSCHEDULED.search(f"{cells.text(row, 'AVISIT')} {cells.text(row, 'VISIT')}") and bool(
        visit or not _names_visits(cells)
    )
    return CountRecord(
        subject=name, day=day, count_1e9_per_L=count, scheduled=scheduled, place=place, is_baseline=cells.text(row, "ABLFL") == "Y",
        flagged=cells.text(row, "ANL01FL") == "Y" if cells.has("ANL01FL") else None, time=cells.first(row, ("ADTM", "ATM")),
    )  # fmt: skip


def _names_visits(cells: ClinicalCells) -> bool:
    return cells.has("AVISIT") or cells.has("VISIT")


def _reason(cells: ClinicalCells, row: int, visit: str, value: float | None, *, outside: bool) -> str | None:
    """Why a record is no measured count of a subject; None where it is one."""
    if outside:
        return "record of a subject without an arm"
    derived = cells.text(row, "DTYPE")
    if derived:
        return f"derived record (DTYPE = {derived})"
    if DERIVED_VISIT.search(visit):
        return f'derived visit ("{visit}")'
    return "no value" if value is None and not cells.text(row, "AVAL") else "value that is no number" if value is None else None


def _day(reading: _Reading, row: int, name: str) -> float | None:
    """Days from the first dose, by ADY or by date; a fault where they contradict."""
    cells = reading.cells
    by_day = study_day(cells, row, "ADY", reading.faults)
    date, start = cells.date(row, "ADT", reading.faults), reading.who.first_dose.get(name)
    by_date = None if date is None or start is None else float((date - start).days)
    if by_day is not None and by_date is not None and by_day != by_date:
        reading.faults.append(Fault(place=cells.place(row, "ADY"), found=f"{cells.text(row, 'ADY')} beside ADT {date} and a first dose on {start}",
                                    expected=f"{by_date + 1 if by_date >= 0 else by_date:g}", cure="Correct the day or the date."))  # fmt: skip
    return by_date if by_day is None else by_day
