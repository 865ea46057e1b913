"""A trial from tables: ADaM data sets, or a plain table of counts (subject, arm, day or week, count, unit) with one of subjects and one of
rescues."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from thrombokit.errors import Fault, FileFormatError, UnitError, raise_all
from thrombokit.io.adam import read_adam_trial
from thrombokit.io.clinical_cells import ClinicalCells, cells_of
from thrombokit.io.clinical_tables import ClinicalTable, read_clinical_table
from thrombokit.io.count_records import CountRecord, Omission, baseline_notes, grouped, settled, sha256_of
from thrombokit.io.count_units import EXPECTED, count_1e9_per_L
from thrombokit.io.fault_lists import condensed
from thrombokit.io.rescue_tables import read_rescues
from thrombokit.trials.trial_data import Subject, TrialData, trial_data

SUBJECT, COUNT, HOUSE_COUNT = ("subject", "USUBJID"), ("count", "platelets"), "count_1e9_per_L"
YES, NO = ("1", "y", "yes", "true"), ("0", "n", "no", "false")
READ_OF_COUNTS = ("subject", "usubjid", "day", "week", "count", "platelets", "count_1e9_per_l", "unit", "scheduled", "visit")
READ_OF_SUBJECTS = (
    "subject",
    "usubjid",
    "arm",
    "treated",
    "completed",
    "dropout_day",
    "dropout_reason",
    "stop_day",
    "rescue_day",
    "rescue_days",
)


@dataclass(frozen=True, kw_only=True)
class _Tables:
    """What is being read, and what was found wrong or left out on the way."""

    counts: ClinicalCells
    unit: str | None
    faults: list[Fault]
    omissions: list[Omission]


def read_trial(
    counts: str | Path, *, subjects: str | Path | None = None, rescue: str | Path | None = None, param: str | None = None, unit: str | None = None
) -> TrialData:  # fmt: skip
    """A trial's subjects and counts.

    Parameters
    ----------
    counts : path
        ADLB (a table with PARAMCD), or a plain table: `subject`, `arm` (unless in `subjects`), `day` from the first dose (day 0) or `week`, `count`
        with `unit` (or `count_1e9_per_L`), optional `scheduled` (1 or 0). Other columns are factors where each subject has one value.
    subjects : path, optional
        ADSL, which ADLB needs; or a plain table, one row a subject: `subject, arm`, optional `treated, completed, dropout_day, dropout_reason,
        stop_day, rescue_days` (with semicolons between) and factors.
    rescue : path, optional
        Rescues, one row each.
    param : str, optional
        PARAMCD of the platelet count in ADLB.
    unit : str, optional
        Unit of counts that name none.

    Raises
    ------
    FileFormatError
        With everything that is wrong in a file, by row and column.
    """
    table = read_clinical_table(counts)
    if "paramcd" in {title.casefold() for title in table.titles}:
        if subjects is None:
            raise FileFormatError(
                Fault(
                    place=table.file,
                    found="ADLB without ADSL",
                    expected="the subjects' data set beside it",
                    cure="Name it with --adsl.",
                )
            )
        return read_adam_trial(counts, subjects, param=param, unit=unit, rescue=rescue)
    return _read_plain(table, counts, subjects, rescue, unit)


def _read_plain(
    table: ClinicalTable, path: str | Path, subjects: str | Path | None, rescue: str | Path | None, unit: str | None
) -> TrialData:
    faults: list[Fault] = []
    needed = (SUBJECT, ("day", "week"), (*COUNT, HOUSE_COUNT), *(() if subjects is not None else ("arm",)))
    reading = _Tables(counts=cells_of(table, needed, faults), unit=unit, faults=faults, omissions=[])
    raise_all(faults, FileFormatError)
    who = _subjects_of_counts(reading) if subjects is None else _subjects(subjects, faults)
    known = {one.name: one for one in who}
    records = [record for row in range(len(table.rows)) if (record := _record(reading, row, known)) is not None]
    kept = settled(records, reading.omissions, faults)
    raise_all(condensed(faults), FileFormatError)
    who = read_rescues(rescue, who) if rescue is not None else who
    place = {one.name: k for k, one in enumerate(who)}
    paths = [Path(one) for one in (path, subjects, rescue) if one is not None]
    return trial_data(
        who, subject=[place[r.subject] for r in kept], day=[r.day for r in kept], count_1e9_per_L=[r.count_1e9_per_L for r in kept],
        scheduled=[r.scheduled for r in kept], left_out=grouped(reading.omissions), inputs={p.name: sha256_of(p) for p in paths},
        notes=baseline_notes(kept),
    )  # fmt: skip


def _record(reading: _Tables, row: int, known: dict[str, Subject]) -> CountRecord | None:
    cells, faults = reading.counts, reading.faults
    name = cells.first(row, SUBJECT)
    if name not in known:
        faults.append(
            Fault(
                place=cells.place(row),
                found=f'subject "{name}"',
                expected="a subject of the trial",
                cure="Add it to the subjects, or delete the row.",
            )
        )
        return None
    arm = cells.text(row, "arm")
    if arm and arm != known[name].arm:
        faults.append(
            Fault(
                place=cells.place(row, "arm"),
                found=f'subject {name} in arm "{arm}"',
                expected=f'"{known[name].arm}", as before',
                cure="Correct the arm.",
            )
        )
    day, week = cells.number(row, "day", faults), cells.number(row, "week", faults)
    if day is not None and week is not None and abs(7.0 * week - day) > 6.5:
        faults.append(
            Fault(
                place=cells.place(row),
                found=f"day {day:g} beside week {week:g}",
                expected="a day of that week",
                cure="Correct one of them.",
            )
        )
    day = 7.0 * week if day is None and week is not None else day
    count = _count(reading, row)
    if day is None or count is None:
        reading.omissions.append(Omission(reason="no day" if day is None else "no value", place=cells.place(row)))
        return None
    scheduled = _flag(cells, row, "scheduled", faults)
    return CountRecord(subject=name, day=day, count_1e9_per_L=count, scheduled=scheduled is not False, place=cells.place(row))


def _count(reading: _Tables, row: int) -> float | None:
    cells = reading.counts
    house = cells.number(row, HOUSE_COUNT, reading.faults)
    if house is not None:
        return house
    column = next((name for name in COUNT if cells.text(row, name)), None)
    value = None if column is None else cells.number(row, column, reading.faults)
    if value is None:
        return None
    said = cells.text(row, "unit") or reading.unit or ""
    try:
        return count_1e9_per_L(value, said, place=cells.place(row))
    except UnitError:
        reading.faults.append(Fault(place=cells.place(row, "unit"), found=f'unit "{said}"' if said else "no unit", expected=EXPECTED,
                                    cure="Correct the unit, or say it for the whole file (--unit)."))  # fmt: skip
        return None


def _subjects_of_counts(reading: _Tables) -> tuple[Subject, ...]:
    """Subjects of a lone table of counts: everybody is taken as treated; nothing is known of their end."""
    cells = reading.counts
    columns = [t for t in cells.table.titles if t and t.casefold() not in (*READ_OF_COUNTS, "arm")]
    arms: dict[str, str] = {}
    factors: dict[str, dict[str, set[str]]] = {}
    for row in range(len(cells.table.rows)):
        name, arm = cells.first(row, SUBJECT), cells.text(row, "arm")
        if not name or not arm:
            reading.faults.append(Fault(place=cells.place(row), found="no subject" if not name else f"subject {name} without an arm", expected="both",
                                        cure="Fill it in."))  # fmt: skip
            continue
        arms.setdefault(name, arm)
        for column in columns:
            factors.setdefault(name, {}).setdefault(column, set()).add(cells.text(row, column))
    constant = [c for c in columns if all(len(levels[c]) == 1 for levels in factors.values())]
    return tuple(
        Subject(name=name, arm=arm, factors={c: text for c in constant if (text := next(iter(factors[name][c])))})
        for name, arm in arms.items()
    )


def _subjects(path: str | Path, faults: list[Fault]) -> tuple[Subject, ...]:
    """Subjects of a table of their own."""
    before = len(faults)
    cells = cells_of(read_clinical_table(path), (SUBJECT, "arm"), faults)
    raise_all(faults[before:], FileFormatError)
    columns = [t for t in cells.table.titles if t and t.casefold() not in READ_OF_SUBJECTS]
    found: list[Subject] = []
    seen: set[str] = set()
    for row in range(len(cells.table.rows)):
        name, arm = cells.first(row, SUBJECT), cells.text(row, "arm")
        if not name or not arm or name in seen:
            what = "no subject" if not name else f"subject {name} again" if name in seen else f"subject {name} without an arm"
            faults.append(
                Fault(place=cells.place(row), found=what, expected="each subject once, with its arm", cure="Correct the row.")
            )
            continue
        seen.add(name)
        left, treated = cells.number(row, "dropout_day", faults), _flag(cells, row, "treated", faults)
        found.append(Subject(
            name=name, arm=arm, factors={c: text for c in columns if (text := cells.text(row, c))}, treated=treated is not False,
            completed=_flag(cells, row, "completed", faults), dropout_day=left, dropout_reason=cells.text(row, "dropout_reason"),
            stop_day=cells.number(row, "stop_day", faults), rescue_days=_days(cells, row, faults),
        ))  # fmt: skip
    raise_all(condensed(faults[before:]) if not found else (), FileFormatError)
    return tuple(found)


def _days(cells: ClinicalCells, row: int, faults: list[Fault]) -> tuple[float, ...]:
    column = "rescue_days" if cells.has("rescue_days") else "rescue_day"
    parts = [part.strip() for part in cells.text(row, column).split(";") if part.strip()]
    days: list[float] = []
    for part in parts:
        try:
            days.append(float(part))
        except ValueError:
            faults.append(
                Fault(
                    place=cells.place(row, column),
                    found=f'"{part}"',
                    expected="days with semicolons between",
                    cure="Write 14; 35, say.",
                )
            )
    return tuple(sorted(set(days)))


def _flag(cells: ClinicalCells, row: int, name: str, faults: list[Fault]) -> bool | None:
    text = cells.text(row, name).casefold()
    if text in YES or text in NO:
        return text in YES
    if text:
        faults.append(
            Fault(
                place=cells.place(row, name), found=f'"{text}"', expected="1 or 0, yes or no", cure="Correct the cell, or clear it."
            )
        )
    return None
