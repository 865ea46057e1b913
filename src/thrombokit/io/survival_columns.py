"""The text of a time-to-event table made into arrays: which value of the event column means what, and which rows cannot be used.

Nothing is guessed: 1 is the event in a column of 0 and 1, 2 in one of 1 and 2; anything else has to be said. A row without a time, event or
arm, or with a negative time, is left out of everything and listed; one without a stratum is left out of the stratified tests alone, so that
the curves do not depend on whether a test is stratified. Text where a number should stand is a fault.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from thrombokit.domain.toml_faults import nearest
from thrombokit.errors import Fault, FileFormatError, raise_all
from thrombokit.io.fault_lists import condensed
from thrombokit.numerics.arrays import Array, BoolArray, IntArray
from thrombokit.trials.survival_data import ALL, DroppedRow, EventCoding, SurvivalData, survival_data

MISSING = frozenset({"", "na", "nan", "n/a", "."})
"""How an empty cell is written, case aside: R's NA, SAS's point. "none" is not among them: it is how people write that nothing happened."""
REVERSED = frozenset({"cnsr", "censor", "censored", "cens"})
"""Columns of these names count 1 as censored: taken as events they would turn the result round."""
MOST_VALUES_SHOWN = 8


@dataclass(frozen=True, kw_only=True)
class TextColumns:
    """The columns of a table as text, null where empty.

    `time`, `event`, `arm` (optional) and `strata` by title; `first_row` is the number of the first row as a spreadsheet counts;
    `place` names the file.
    """

    place: str
    first_row: int
    time: pl.Series
    event: pl.Series
    arm: pl.Series | None
    strata: Mapping[str, pl.Series]


def survival_of_columns(columns: TextColumns, *, event_value: str | None, competing: tuple[str, ...]) -> SurvivalData:
    """Arrays from text columns, with the rows that fell out.

    Parameters
    ----------
    columns : TextColumns
        All of one length.
    event_value : str, optional
        The value that means the event; without it the column must hold 0 and 1, or 1 and 2.
    competing : tuple of str
        Values of what competes with the event; whatever else is there is censored.

    Raises
    ------
    FileFormatError
        With every cell that is no number, every value that is not in the file, and no row left.
    """
    known = {"time": _cleaned(columns.time), "event": _cleaned(columns.event)}
    if columns.arm is not None:
        known["arm"] = _cleaned(columns.arm)
    time, faults = _numbers(columns, known["time"])
    values = _plain_values(known["event"])
    coding, code_faults = _coding(columns, values, event_value, competing)
    raise_all(condensed([*faults, *code_faults]), FileFormatError)
    reasons = _reasons(known, time)
    keep = np.array([reason is None for reason in reasons], dtype=np.bool_)
    if not keep.any():
        raise FileFormatError(
            Fault(place=columns.place, found=f"{keep.size} rows, none with a time and an event", expected="at least one",
                  cure="Check that the columns are the right ones.")
        )  # fmt: skip
    arm, arms = _levels(known["arm"], keep) if columns.arm is not None else (None, (ALL,))
    stratum, strata, unknown = _strata(columns, keep)
    codes = {coding.event: 1, **{value: k for k, value in enumerate(coding.competing, 2)}}
    cause = values.replace_strict(codes, default=0, return_dtype=pl.Int64).fill_null(0).to_numpy()[keep]
    return survival_data(
        time=time[keep], cause=cause, arm=arm, arms=arms, stratum=stratum, strata=strata,
        causes=(_event_name(coding), *coding.competing),
        dropped=_dropped(columns.first_row, reasons, unknown),
        coding=coding, time_name=columns.time.name,
    )  # fmt: skip


def _cleaned(values: pl.Series) -> pl.Series:
    stripped = values.cast(pl.String).str.strip_chars()
    return stripped.set(stripped.str.to_lowercase().is_in(sorted(MISSING)).fill_null(value=False), None)


def _numbers(columns: TextColumns, text: pl.Series) -> tuple[Array, list[Fault]]:
    """Times, NaN where there is none; a fault for each cell that is neither a number nor empty."""
    numbers = text.cast(pl.Float64, strict=False)
    wrong = (text.is_not_null() & ~numbers.is_finite().fill_null(value=False)).arg_true()
    faults = [
        Fault(place=f"{columns.place}, row {columns.first_row + k}, column {columns.time.name}", found=f'"{text[k]}"',
              expected="a time as a number", cure="Correct the cell, or clear it; the decimal sign is a point.")
        for k in wrong.to_list()
    ]  # fmt: skip
    return numbers.fill_null(np.nan).to_numpy(), faults


def _plain_values(events: pl.Series) -> pl.Series:
    """Values of the event column, numbers in one form: "1.0" as "1", "TRUE" as "1"."""
    distinct = events.drop_nulls().unique().to_list()
    return events.replace({value: _plain(value) for value in distinct})


def _plain(value: str) -> str:
    truth = {"true": "1", "false": "0"}.get(value.casefold())
    if truth is not None:
        return truth
    try:
        number = float(value)
    except ValueError:
        return value
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)


def _coding(
    columns: TextColumns, values: pl.Series, event_value: str | None, competing: tuple[str, ...]
) -> tuple[EventCoding, list[Fault]]:
    seen = sorted(values.drop_nulls().unique().to_list())
    if event_value is None:
        event, rule, faults = _usual_coding(columns, seen)
    else:
        event, rule, faults = _plain(event_value), "as said", []
        if event not in seen:
            faults.append(_not_there(columns, "event value", event_value, seen))
    rivals = tuple(_plain(value) for value in competing)
    faults += [_not_there(columns, "competing value", value, seen) for value in competing if _plain(value) not in seen]
    faults += [
        Fault(place=columns.place, found=f'"{value}" twice among the event and what competes', expected="each value once",
              cure="Name it once.")
        for value in dict.fromkeys(rivals) if [event, *rivals].count(value) > 1
    ]  # fmt: skip
    censored = tuple(value for value in seen if value != event and value not in rivals)
    return EventCoding(rule=rule, event=event, competing=rivals, censored=censored), faults


def _usual_coding(columns: TextColumns, seen: list[str]) -> tuple[str, str, list[Fault]]:
    """The event's value, the rule, and why there is none."""
    title = columns.event.name
    place = f"{columns.place}, column {title}"
    if title.casefold() in REVERSED:
        return "1", "", [
            Fault(place=place, found=f'the column "{title}", whose name says that 1 is censored', expected="a column in which 1 is the event",
                  cure="Give --event-value 0 if 0 is the event, or --event-value 1 if the name misleads.")
        ]  # fmt: skip
    if not seen:
        return "1", "", [Fault(place=place, found="no value", expected="0 and 1, or 1 and 2", cure="Name the right column.")]
    if set(seen) <= {"0", "1"}:
        return "1", "1 of 0/1", []
    if set(seen) <= {"1", "2"}:
        return "2", "2 of 1/2", []
    cure = "Say which value is the event with --event-value."
    return "1", "", [Fault(place=place, found=_shown(seen), expected="0 and 1 (1 is the event), or 1 and 2 (2 is)", cure=cure)]


def _not_there(columns: TextColumns, what: str, value: str, seen: list[str]) -> Fault:
    near = nearest(value, seen)
    cure = f'Did you mean "{near}"?' if near else "Name a value of the column."
    return Fault(place=f"{columns.place}, column {columns.event.name}", found=f'the {what} "{value}" in no row',
                 expected=f"one of {_shown(seen)}", cure=cure)  # fmt: skip


def _shown(values: list[str]) -> str:
    more = f" and {len(values) - MOST_VALUES_SHOWN} more" if len(values) > MOST_VALUES_SHOWN else ""
    return ", ".join(f'"{value}"' for value in values[:MOST_VALUES_SHOWN]) + more


def _reasons(known: Mapping[str, pl.Series], time: Array) -> list[str | None]:
    """Why each row cannot be used, None where it can; the first reason counts."""
    reasons: list[str | None] = [None] * time.size
    for name, values in reversed(list(known.items())):
        for k in values.is_null().arg_true().to_list():
            reasons[k] = f"missing {name}"
    for k in np.flatnonzero(time < 0.0):
        reasons[int(k)] = "negative time"
    return reasons


def _levels(values: pl.Series, keep: BoolArray) -> tuple[IntArray, tuple[str, ...]]:
    """Codes and names of a column's values: numbers in rising order, else by the alphabet."""
    kept = values.filter(pl.Series(keep))
    names: list[str] = kept.unique().to_list()
    try:
        names.sort(key=lambda name: (float(name), name))
    except ValueError:
        names.sort()
    codes = kept.replace_strict({name: k for k, name in enumerate(names)}, return_dtype=pl.Int64).to_numpy()
    return codes, tuple(names)


def _strata(columns: TextColumns, keep: BoolArray) -> tuple[IntArray | None, tuple[str, ...], dict[int, str]]:
    """Codes (-1 = not known), names of the combinations that occur, and why a row that is kept has none."""
    if not columns.strata:
        return None, (ALL,), {}
    factors = {title: _cleaned(values) for title, values in columns.strata.items()}
    whole = keep & np.all([values.is_not_null().to_numpy() for values in factors.values()], axis=0)
    if not whole.any():
        raise FileFormatError(
            Fault(place=f"{columns.place}, columns {', '.join(factors)}", found="no row with a stratum", expected="at least one",
                  cure="Name other columns, or leave the strata out.")
        )  # fmt: skip
    coded = {title: _levels(values, whole) for title, values in factors.items()}
    combinations, of_row = np.unique(np.stack([codes for codes, _ in coded.values()], axis=1), axis=0, return_inverse=True)
    stratum = np.full(keep.size, -1, np.int64)
    stratum[whole] = of_row.reshape(-1)
    names = [
        ", ".join(f"{title}={levels[k]}" for k, (title, (_, levels)) in zip(row, coded.items(), strict=True))
        for row in combinations.tolist()
    ]
    unknown = {int(k): next(f"missing stratum {title}" for title, values in factors.items() if values[int(k)] is None)
               for k in np.flatnonzero(keep & ~whole)}  # fmt: skip
    return stratum[keep], tuple(names), unknown


def _dropped(first_row: int, reasons: list[str | None], unknown: Mapping[int, str]) -> list[DroppedRow]:
    out = {k: DroppedRow(row=first_row + k, reason=why) for k, why in enumerate(reasons) if why is not None}
    out |= {k: DroppedRow(row=first_row + k, reason=why, tests_only=True) for k, why in unknown.items()}
    return [out[k] for k in sorted(out)]


def _event_name(coding: EventCoding) -> str:
    """What the event is called: its value where that is a word, "event" where it is a code."""
    return "event" if coding.event.lstrip("-").replace(".", "").isdigit() else coding.event
