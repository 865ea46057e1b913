"""A polars table, or the cells of a file, to an `EventTable`: read, translated where a code is of another program, and checked."""

from __future__ import annotations

import numpy as np
import polars as pl

from thrombokit.errors import Fault, FileFormatError, raise_all
from thrombokit.numerics.arrays import Array, IntArray
from thrombokit.patients.event_checks import check_records
from thrombokit.patients.event_columns import Columns, read_columns
from thrombokit.patients.event_table import DOSE, OBSERVATION, OTHER, EventTable, id_text
from thrombokit.patients.rxode_events import translate_rxode

NO_STEADY_STATE = 99.0
"""SS of some public data sets where no steady state is meant; read as 0 where there is no interval either."""


def event_table(frame: pl.DataFrame, *, source: str = "events", rows: IntArray | None = None) -> EventTable:
    """Check a table of events and make it ready to run.

    Parameters
    ----------
    frame : DataFrame
        One row a record, in NONMEM's columns (any case): ID, TIME, and as needed AMT, EVID, CMT, II, ADDL, SS, RATE, MDV, DV and
        covariates. Numbers, or text with `.` for missing.
    source : str
        What the table is called in messages.
    rows : array of shape (n,), optional
        Line of each record in its file; 1, 2, ... without it.

    Raises
    ------
    FileFormatError
        All that is wrong, with row, column, what was found, what was expected and the cure.
    """
    faults: list[Fault] = []
    row = np.arange(1, frame.height + 1) if rows is None else rows
    if not frame.height:
        faults.append(
            Fault(place=source, found="no records", expected="at least one record", cure="Check that this is the right file.")
        )
    columns = read_columns(frame, row.astype(np.int64), source=source, faults=faults)
    raise_all(
        [fault for fault in faults if fault.found in ("no column ID", "no column TIME", "no records")] and faults, FileFormatError
    )
    evid = _evid(columns)
    columns, evid, notes = translate_rxode(columns, evid, faults)
    columns, said = _plain_steady_state(columns, evid)
    individual = _individuals(columns.numbers["ID"])
    raise_all([*faults, *check_records(columns, evid, individual)], FileFormatError)
    repeated = _repeated(columns, individual)
    return _table(columns, evid, individual, notes=(*notes, *said, *repeated))


def _evid(columns: Columns) -> Array:
    """EVID as given; where the column is absent a dose is a record with an amount, or with SS and a rate, as NM-TRAN has it."""
    if "EVID" in columns.numbers:
        return columns.whole("EVID", float(OBSERVATION))
    dosed = (columns.whole("AMT", 0.0) != 0) | ((columns.whole("SS", 0.0) > 0) & (columns.whole("RATE", 0.0) != 0))
    return np.where(dosed, float(DOSE), np.where(columns.whole("MDV", 0.0) != 0, float(OTHER), float(OBSERVATION)))


def _plain_steady_state(columns: Columns, evid: Array) -> tuple[Columns, tuple[str, ...]]:
    coded = (columns.whole("SS", 0.0) == NO_STEADY_STATE) & (columns.whole("II", 0.0) == 0)
    if not coded.any():
        return columns, ()
    columns.numbers["SS"] = np.where(coded, 0.0, columns.numbers["SS"])
    doses = int((coded & np.isin(evid, (1, 4))).sum())
    return columns, (f"SS 99 with II 0 read as SS 0 in {doses} dose records.",) if doses else ()


def _individuals(ids: Array) -> IntArray:
    new = np.concatenate([[False], ids[1:] != ids[:-1]])
    return np.cumsum(new).astype(np.int64)


def _repeated(columns: Columns, individual: IntArray) -> tuple[str, ...]:
    first = np.searchsorted(individual, np.arange(int(individual[-1]) + 1))
    ids = columns.numbers["ID"][first]
    seen: set[float] = set()
    notes: list[str] = []
    for k, number in zip(first, ids, strict=True):
        if number in seen:
            notes.append(
                f"row {columns.row[k]}: ID {id_text(float(number))} was met before and is taken as a new individual, as in NONMEM."
            )
        seen.add(float(number))
    return tuple(notes[:5]) + ((f"{len(notes) - 5} more individuals with an ID met before.",) if len(notes) > 5 else ())


def _table(columns: Columns, evid: Array, individual: IntArray, *, notes: tuple[str, ...]) -> EventTable:
    return EventTable(
        source=columns.source, row=columns.row, id=columns.numbers["ID"], individual=individual, time=columns.numbers["TIME"],
        evid=evid.astype(np.int64), amount=columns.whole("AMT", 0.0), compartment=columns.whole("CMT", 0.0).astype(np.int64),
        interval=columns.whole("II", 0.0), additional=columns.whole("ADDL", 0.0).astype(np.int64),
        steady_state=columns.whole("SS", 0.0).astype(np.int64), rate=columns.whole("RATE", 0.0), columns=tuple(columns.numbers),
        headers=columns.headers, values=np.column_stack(list(columns.numbers.values())), texts=columns.texts, notes=notes,
    )  # fmt: skip
