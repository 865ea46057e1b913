"""Concentration tables for a non-compartmental analysis: one row a sample, or a NONMEM data set with dose records.

A cell of the concentration below the limit of quantification reads `BLQ`, `BLOQ`, `<LLOQ`, `<0.5`, or a number below `limit`.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np

from thrombokit.errors import Fault, FileFormatError, raise_all
from thrombokit.io.chosen_columns import ChosenTable, read_chosen_columns
from thrombokit.io.clinical_tables import read_clinical_table
from thrombokit.io.fault_lists import condensed
from thrombokit.patients.nca_profile import Profile

MISSING = frozenset({"", ".", "na", "nan", "n/a"})
_BELOW = re.compile(r"^(blq|bloq|bql|lloq|<\s*lloq|<\s*[0-9.eE+-]+)$", re.IGNORECASE)
_DOSE_EVENTS = frozenset({1.0, 4.0})


@dataclass
class _Rows:
    """One subject on the way to a profile."""

    subject: str
    group: str
    place: str
    samples: list[tuple[float, float, bool]] = field(default_factory=list[tuple[float, float, bool]])
    doses: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])
    amounts: set[float] = field(default_factory=set[float])
    missing: int = 0
    steady: bool = False
    sure: int = 0
    """Dose records that the event column names."""


def read_profiles(
    path: str | Path, *, subject: str = "ID", time: str = "TIME", concentration: str = "DV", dose: float | None = None, amount: str | None = None,
    event: str | None = None, group: str | None = None, limit: float = 0.0, steady_state: bool = False,
) -> tuple[Profile, ...]:  # fmt: skip
    """Profiles of a table of samples.

    Parameters
    ----------
    path : path
        CSV, TSV, XLSX, Parquet, SAS transport or Dataset-JSON.
    subject, time, concentration : str
        Titles of the columns; case counts only where two titles differ by it alone.
    dose : float, optional
        The dose of every subject.
    amount : str, optional
        Column of doses, instead of `dose`; by default AMT, if there is one. Rows that are dose records (see `event`) begin a profile; where
        no row is one, the column says the dose of its subject on every row.
    event : str, optional
        Column of NONMEM's EVID: 0 a sample, 1 or 4 a dose (101, 201, ... too), others are passed over. By default EVID, if there is one.
        Without it, a row with an amount and an empty concentration is a dose, unless other rows of
        the subject have both.
    group : str, optional
        Column of a treatment; a subject has a profile in each.
    limit : float
        Concentrations below it are below the limit of quantification.
    steady_state : bool
        With several doses, the samples after the last one make the profile; otherwise several doses are a fault.

    Returns
    -------
    tuple of Profile
        In the order of the file; times since the dose.

    Raises
    ------
    InputError
        Every fault in one pass: missing columns, cells that are no numbers, times twice, several doses, subjects without a sample.
    """
    columns = {"subject": subject, "time": time, "concentration": concentration}
    titles = {title.upper(): title for title in read_clinical_table(path).titles}
    repeats = {"additional": titles.get("ADDL"), "steady": titles.get("SS")}
    optional = {
        **repeats,
        "amount": amount or titles.get("AMT"),
        "event": event or titles.get("EVID"),
        "group": group,
    }
    table = read_chosen_columns(path, columns | {role: title for role, title in optional.items() if title is not None})
    faults: list[Fault] = []
    subjects = _subjects(table, limit, faults)
    raise_all(condensed(faults), FileFormatError)
    profiles = [_profile(rows, dose, steady_state, faults) for rows in subjects.values()]
    raise_all(condensed(faults), FileFormatError)
    found = tuple(profile for profile in profiles if profile is not None)
    if not found:
        raise FileFormatError(Fault(place=table.file, found="no sample at all", expected="concentrations after a dose",
                                    cure="Check that the columns are the right ones."))  # fmt: skip
    return found


def _subjects(table: ChosenTable, limit: float, faults: list[Fault]) -> dict[tuple[str, str], _Rows]:
    subjects: dict[tuple[str, str], _Rows] = {}
    groups = table.texts.get("group") or ("",) * len(table.places)
    for k, place in enumerate(table.places):
        key = (table.texts["subject"][k], groups[k])
        rows = subjects.setdefault(key, _Rows(subject=key[0], group=key[1], place=place))
        at = _number(table, "time", k, faults)
        amount = _number(table, "amount", k, faults)
        event = _number(table, "event", k, faults)
        text = table.texts["concentration"][k]
        empty = text.casefold() in MISSING
        is_dose = event % 100 in _DOSE_EVENTS if not math.isnan(event) else (amount > 0.0 and empty)
        if not key[0] or math.isnan(at):
            cure = "Fill the cell, or delete the row."
            faults.append(Fault(place=place, found="no subject or no time", expected="both on every row", cure=cure))
        elif is_dose:
            rows.doses.append((at, amount))
            rows.sure += not math.isnan(event)
            rows.steady |= _number(table, "steady", k, faults) > 0.0
            if _number(table, "additional", k, faults) > 0.0:
                faults.append(Fault(place=_cell(table, "additional", k), found="additional doses", expected="every dose as a record of its own",
                                    cure="Write them out: the samples after the last dose are analysed."))  # fmt: skip
        elif math.isnan(event) or event == 0.0:
            rows.amounts |= {amount} if amount > 0.0 else set()
            if empty:
                rows.missing += 1
            else:
                rows.samples.append(_sample(table, k, at, text, limit, faults))
    return subjects


def _sample(table: ChosenTable, k: int, at: float, text: str, limit: float, faults: list[Fault]) -> tuple[float, float, bool]:
    if _BELOW.match(text):
        return at, 0.0, True
    value = _number(table, "concentration", k, faults)
    if value < 0.0:
        faults.append(Fault(place=_cell(table, "concentration", k), found=f"{value:g}", expected="a concentration of 0 or more",
                            cure="Write BLQ where it was below the limit of quantification."))  # fmt: skip
    return at, value, value < limit


def _number(table: ChosenTable, role: str, k: int, faults: list[Fault]) -> float:
    """The number of a cell; NaN where it is empty or the table lacks the column."""
    text = table.texts[role][k] if role in table.texts else ""
    if text.casefold() in MISSING:
        return math.nan
    try:
        value = float(text)
    except ValueError:
        value = math.inf
    if math.isinf(value):
        faults.append(Fault(place=_cell(table, role, k), found=f'"{text}"', expected="a finite number",
                            cure="Correct the cell; the decimal sign is a point. Below the limit of quantification: BLQ."))  # fmt: skip
        return math.nan
    return value


def _cell(table: ChosenTable, role: str, k: int) -> str:
    return f"{table.places[k]}, column {table.titles[role]}"


def _profile(rows: _Rows, dose: float | None, steady_state: bool, faults: list[Fault]) -> Profile | None:
    place = f"{rows.place.split(', row')[0]}, subject {rows.subject}"
    before = len(faults)
    begin, given = _dose_of(rows, dose, steady_state, place, faults)
    if len(faults) > before:
        return None
    samples = [sample for sample in rows.samples if not steady_state or sample[0] >= begin]
    if not samples:
        faults.append(
            Fault(
                place=place,
                found="no sample after the dose",
                expected="at least one",
                cure="Delete the subject, or add its samples.",
            )
        )
        return None
    times = [sample[0] for sample in samples]
    wrong = next((b for a, b in pairwise(times) if b <= a), None)
    if wrong is not None:
        faults.append(Fault(place=place, found=f"time {wrong:g} twice or out of order", expected="rising times, each once",
                            cure="Sort the rows; keep one sample a time, or name a group column."))  # fmt: skip
        return None
    notes = (f"{rows.missing} samples without a value left out",) if rows.missing else ()
    return Profile(
        subject=rows.subject, group=rows.group, dose=given, place=place, notes=notes, time=np.array(times) - begin,
        concentration=np.array([sample[1] for sample in samples]), below=np.array([sample[2] for sample in samples]),
    )  # fmt: skip


def _dose_of(rows: _Rows, dose: float | None, steady_state: bool, place: str, faults: list[Fault]) -> tuple[float, float | None]:
    """When the profile begins, and after how much."""
    if (
        rows.doses and rows.amounts and rows.sure == 0
    ):  # the dose stands on every row: those without a concentration are missing samples
        rows.missing, rows.doses = rows.missing + len(rows.doses), []
    if rows.steady and not steady_state:
        faults.append(
            Fault(
                place=place,
                found="a dose at steady state (SS)",
                expected="a dosing interval with it",
                cure="Give the interval (tau).",
            )
        )
    if rows.doses:
        if len(rows.doses) > 1 and not steady_state:
            cure = "Give the dosing interval (tau): the interval after the last dose is analysed; or cut the table."
            faults.append(Fault(place=place, found=f"{len(rows.doses)} doses", expected="one dose, or steady state", cure=cure))
        begin, amount = rows.doses[-1]
        return begin, amount if dose is None and amount > 0.0 else dose
    if dose is None and rows.amounts:
        if len(rows.amounts) > 1:
            found = f"doses {', '.join(f'{amount:g}' for amount in sorted(rows.amounts))}"
            faults.append(Fault(place=place, found=found, expected="one dose a subject", cure="Name a group column (a treatment)."))
        return 0.0, next(iter(rows.amounts))
    return 0.0, dose
