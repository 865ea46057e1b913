"""Counts as they stand in a table, one a row, and how rows that say the same, or contradict one another, are settled.

The same subject, day and value twice is one count. Different values on one day are kept where a time of day orders them, or where one is of a planned
visit and the other is not; the one flagged for analysis stands alone where exactly one is flagged; anything else is a fault that names both rows.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from thrombokit.errors import Fault
from thrombokit.io.whole_files import read_bytes
from thrombokit.trials.trial_data import MOST_TOLD, HIGHEST_COUNT_1e9_per_L, LeftOut

MISSING = frozenset({"", ".", "na", "nan", "n/a"})


@dataclass(frozen=True, kw_only=True)
class CountRecord:
    """One row: `flagged` for analysis (None where the table has no such flag), `is_baseline` as the table says, `time` of day as text."""

    subject: str
    day: float
    count_1e9_per_L: float
    scheduled: bool
    place: str
    flagged: bool | None = None
    is_baseline: bool = False
    time: str = ""


@dataclass(frozen=True, kw_only=True)
class Omission:
    """A row left out."""

    reason: str
    place: str


def grouped(omissions: Iterable[Omission]) -> tuple[LeftOut, ...]:
    """Rows left out, by reason in the order of the first of each."""
    places: dict[str, list[str]] = {}
    for one in omissions:
        places.setdefault(one.reason, []).append(one.place)
    return tuple(LeftOut(reason=reason, n=len(rows), first_places=tuple(rows[:MOST_TOLD])) for reason, rows in places.items())


def settled(records: Sequence[CountRecord], omissions: list[Omission], faults: list[Fault]) -> list[CountRecord]:
    """Records of which no two contradict; what was left out and what could not be settled is noted.

    Parameters
    ----------
    records : sequence of CountRecord
        In the order of the file.
    omissions, faults : lists
        They grow.
    """
    by_day: defaultdict[tuple[str, float], list[CountRecord]] = defaultdict(list)
    for record in records:
        if record.count_1e9_per_L < 0.0 or record.count_1e9_per_L > HIGHEST_COUNT_1e9_per_L:
            faults.append(Fault(place=record.place, found=f"{record.count_1e9_per_L:g}e9/L",
                                expected=f"a count of 0 to {HIGHEST_COUNT_1e9_per_L:g}e9/L",
                                cure="Check the value and its unit: 50000 /uL are 50e9/L."))  # fmt: skip
            continue
        by_day[record.subject, record.day].append(record)
    return [one for group in by_day.values() for one in (_settled_day(group, omissions, faults) if len(group) > 1 else group)]


def _settled_day(group: Sequence[CountRecord], omissions: list[Omission], faults: list[Fault]) -> list[CountRecord]:
    distinct: dict[float, CountRecord] = {}
    for record in group:
        key = record.count_1e9_per_L
        if key in distinct:
            first = distinct[key]
            distinct[key] = replace(first, scheduled=first.scheduled or record.scheduled, is_baseline=first.is_baseline or record.is_baseline,
                                    flagged=first.flagged or record.flagged)  # fmt: skip
            omissions.append(Omission(reason="repeat of a row (same subject, day and value)", place=record.place))
        else:
            distinct[key] = record
    rows = list(distinct.values())
    if len(rows) == 1:
        return rows
    times = [row.time for row in rows]
    if all(times) and len(set(times)) == len(times):
        return sorted(rows, key=lambda row: row.time)
    flagged = [row for row in rows if row.flagged]
    if len(flagged) == 1:
        omissions += [
            Omission(reason="another row of that day is the one flagged for analysis", place=row.place)
            for row in rows
            if not row.flagged
        ]
        return flagged
    if len(rows) == 2 and rows[0].scheduled != rows[1].scheduled:
        return rows
    told = "; ".join(f"{row.count_1e9_per_L:g}e9/L in {row.place}" for row in rows)
    faults.append(Fault(place=rows[0].place, found=f"subject {rows[0].subject}, day {rows[0].day:g}, with different counts: {told}",
                        expected="one count a day, or times of day that order them",
                        cure="Keep the valid one, or flag it (ANL01FL = Y)."))  # fmt: skip
    return rows[:1]


def baseline_notes(records: Sequence[CountRecord]) -> tuple[str, ...]:
    """A sentence where rows that the table calls baseline are not the last count before the first dose."""
    last: dict[str, CountRecord] = {}
    said: dict[str, CountRecord] = {}
    for record in records:
        if record.day <= 0.0 and (record.subject not in last or record.day >= last[record.subject].day):
            last[record.subject] = record
        if record.is_baseline:
            said[record.subject] = record
    wrong = [
        (one, last.get(name)) for name, one in said.items() if name not in last or last[name].count_1e9_per_L != one.count_1e9_per_L
    ]  # fmt: skip
    unsaid = [name for name in last if said and name not in said]
    notes: list[str] = []
    if wrong:
        told = "; ".join(f"{one.place}: {one.count_1e9_per_L:g}e9/L on day {one.day:g}, the last before the first dose is "
                         f"{'none' if other is None else f'{other.count_1e9_per_L:g}e9/L on day {other.day:g}'}" for one,
                         other in wrong[:MOST_TOLD])  # fmt: skip
        notes.append(
            f"{len(wrong)} row(s) flagged as baseline are not the last count before the first dose, which is used: {told}."
        )
    if unsaid:
        told = ", ".join(unsaid[:MOST_TOLD])
        notes.append(
            f"{len(unsaid)} subject(s) have a count before the first dose but no row flagged as baseline ({told}); the last such count is used."
        )
    return tuple(notes)


def number_of(text: str) -> float | None:
    """The number of a cell; NaN is no number."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if abs(value) < float("inf") else None


def is_missing(text: str) -> bool:
    """Whether a cell says that there is no value."""
    return text.strip().casefold() in MISSING


def sha256_of(path: str | Path) -> str:
    """SHA-256 of a file in hex."""
    return hashlib.sha256(read_bytes(Path(path), expected="a file with something in it")).hexdigest()
