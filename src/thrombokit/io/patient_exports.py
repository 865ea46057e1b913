"""A patient model, and a data set for it, as files for mrgsolve or NONMEM: so that a sceptic can check us with another program."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from thrombokit.errors import Fault, InputError, raise_all
from thrombokit.io.export_mrgsolve import mrgsolve_code
from thrombokit.io.export_nonmem import nonmem_code
from thrombokit.io.nonmem import read_events
from thrombokit.io.patient_models import load_model
from thrombokit.io.whole_files import replace_file
from thrombokit.patients.bound_events import BoundEvents, bind_events
from thrombokit.patients.event_records import event_table
from thrombokit.patients.event_table import EventTable
from thrombokit.patients.export_programs import Program
from thrombokit.patients.model import PatientModel

ENDINGS = {".cpp": Program.MRGSOLVE, ".mod": Program.NONMEM, ".ctl": Program.NONMEM}
"""Which program a file's ending means; .mod is NONMEM's, mrgsolve reads .cpp too."""
MOST_ROWS = 2_000_000
"""Of an exported data set: additional doses are written out one by one."""


@dataclass(frozen=True, kw_only=True)
class PatientExport:
    """What was written: the model's file, and its data where events were given (None: not)."""

    program: Program
    model: Path
    data: Path | None
    rows: int = 0

    def summary(self) -> str:
        """A sentence."""
        data = "" if self.data is None else f", {self.rows} records in {self.data.name}"
        return f"{self.model.name} for {self.program.value}{data}. Not confirmed in {self.program.value}: compare a first run."


def export_patient_model(
    model: PatientModel | str | Path, path: str | Path, *, program: Program | str | None = None,
    events: EventTable | pl.DataFrame | str | Path | None = None, observed: str | None = None, ignore: str | None = None,
) -> PatientExport:  # fmt: skip
    """Write a model, and events for it, for another program.

    Parameters
    ----------
    model : PatientModel, path, or name of a shipped model
        See `load_model`.
    path : path
        .cpp (mrgsolve), .mod or .ctl (NONMEM). Events go to a .csv of the same name beside it.
    program : str, optional
        Where the ending does not say it.
    events : EventTable, DataFrame or path, optional
        A NONMEM data set; additional doses are written out as records, covariates filled in.
    observed : str, optional
        For NONMEM: the output that Y is.
    ignore : str, optional
        For events named by their path: see `read_events`.

    Returns
    -------
    PatientExport
        The files.

    Raises
    ------
    InputError
        What cannot be exported, each by name; an ending that says nothing; faults of the events.
    """
    path = Path(path)
    chosen = Program(program) if program is not None else ENDINGS.get(path.suffix.casefold())
    if chosen is None:
        raise InputError(Fault(place=path.name, found=f'the ending "{path.suffix}"', expected="an ending .cpp (mrgsolve), .mod or .ctl (NONMEM)",
                               cure="Change the ending, or name the program."))  # fmt: skip
    patient = model if isinstance(model, PatientModel) else load_model(model)
    data = path.with_suffix(".csv")
    text = mrgsolve_code(patient) if chosen is Program.MRGSOLVE else nonmem_code(patient, data=data.name, observed=observed)
    rows = None if events is None else export_records(patient, _table(events, ignore))
    replace_file(path, text.encode())
    if rows is not None:
        replace_file(data, rows.write_csv(null_value=".").encode())
    return PatientExport(program=chosen, model=path, data=None if rows is None else data, rows=0 if rows is None else rows.height)


def _table(events: EventTable | pl.DataFrame | str | Path, ignore: str | None) -> EventTable:
    if isinstance(events, EventTable):
        return events
    return event_table(events) if isinstance(events, pl.DataFrame) else read_events(events, ignore=ignore)


def export_records(model: PatientModel, events: EventTable) -> pl.DataFrame:
    """The records as both programs read them: ID TIME AMT RATE II SS EVID CMT DV MDV and the covariates, one dose a record.

    An individual whose ID comes back gets a new number, since both programs join records of one ID.

    Raises
    ------
    InputError
        Faults between events and model, and a data set of more than 2,000,000 records.
    """
    bound = bind_events(model, events)
    size = len(events) + int(events.additional.sum())
    if size > MOST_ROWS:
        raise InputError(Fault(place=events.source, found=f"{size} records with the additional doses written out",
                               expected=f"at most {MOST_ROWS}", cure="Export fewer individuals."))  # fmt: skip
    raise_all(_changing_faults(bound))
    place, time, nth = _written_out(events)
    first = nth == 0
    covariates = _records_that_follow(events, place, time, first)
    dose = events.is_dose[place]
    ids = events.id if np.unique(events.id).size == events.n_individuals else events.individual + 1.0
    ids = ids.astype(np.int64) if (ids % 1 == 0).all() else ids
    columns: dict[str, object] = {
        "ID": ids[place], "TIME": time, "AMT": np.where(dose, events.amount[place], 0.0), "RATE": np.where(dose, events.rate[place], 0.0),
        "II": np.where(first & (events.steady_state[place] > 0), events.interval[place], 0.0),
        "SS": np.where(first, events.steady_state[place], 0), "EVID": np.where(first, events.evid[place], 1),
        "CMT": _compartments(bound)[place], "DV": np.full(place.size, None), "MDV": np.where(np.where(first, events.evid[place], 1) == 0, 0, 1),
    }  # fmt: skip
    for column in bound.compiled.columns:
        columns[column.upper()] = bound.inputs[covariates, bound.compiled.input_index(column)]
    return pl.DataFrame(columns, schema_overrides={"DV": pl.Float64})


def _changing_faults(bound: BoundEvents) -> list[Fault]:
    """Additional doses keep the lag and F of their first record here; written out as records they would not, where a covariate changes."""
    events, faults = bound.events, list[Fault]()
    if not any(settings.F or settings.lag or settings.rate or settings.duration for settings in bound.model.dose.values()):
        return faults
    bounds = events.first_records
    for patient in range(events.n_individuals):
        rows = slice(int(bounds[patient]), int(bounds[patient + 1]))
        if not events.additional[rows].any():
            continue
        for column in bound.compiled.columns:
            values = bound.inputs[rows, bound.compiled.input_index(column)]
            if (values != values[0]).any():
                faults.append(Fault(place=events.place(rows.start), found=f"additional doses (ADDL) while {column} changes",
                                    expected="every dose as a record of its own", cure="Write the doses out as records."))  # fmt: skip
    return faults


def _records_that_follow(events: EventTable, place: np.ndarray, time: np.ndarray, first: np.ndarray) -> np.ndarray:
    """The record whose covariates a row takes: its own; for an additional dose the next record of the individual, else the last."""
    found, bounds = place.copy(), events.first_records
    for i in np.flatnonzero(~first):
        start, stop = place[i] + 1, int(bounds[int(events.individual[place[i]]) + 1])
        later = np.flatnonzero(events.time[start:stop] >= time[i])
        found[i] = start + later[0] if later.size else stop - 1
    return found


def _compartments(bound: BoundEvents) -> np.ndarray:
    """Compartment of each record, counted from 1: of a dose where it goes, else as written, else 1."""
    events = bound.events
    return np.where(events.is_dose, bound.compartment + 1, np.maximum(events.compartment, 1))


def _written_out(events: EventTable) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Record, time and number (0: the record itself) of everything, in order; an additional dose acts before records of its time.

    Additional doses end where a reset of their individual comes first.
    """
    rows: list[tuple[int, float, int, int, int]] = []
    for k in range(len(events)):
        rows.append((int(events.individual[k]), float(events.time[k]), 1, k, 0))
    bounds = events.first_records
    for patient in range(events.n_individuals):
        stop = int(bounds[patient + 1])
        for k in range(int(bounds[patient]), stop):
            if not (events.is_dose[k] and events.additional[k] > 0):
                continue
            resets = [i for i in range(k + 1, stop) if events.evid[i] in (3, 4)]
            until = float(events.time[resets[0]]) if resets else np.inf
            times = [float(events.time[k] + n * events.interval[k]) for n in range(1, int(events.additional[k]) + 1)]
            rows += [(patient, at, 0, k, n) for n, at in enumerate(times, start=1) if at <= until]
    ordered = _sorted_within_epochs(rows, events)
    return (np.array([row[3] for row in ordered]), np.array([row[1] for row in ordered]), np.array([row[4] for row in ordered]))


def _sorted_within_epochs(
    rows: list[tuple[int, float, int, int, int]], events: EventTable
) -> list[tuple[int, float, int, int, int]]:
    """By individual, stretch between resets (times may fall at one), time; additional doses before records, records as in the file."""
    epoch = np.zeros(len(events), dtype=np.int64)
    for k in range(1, len(events)):
        same = events.individual[k] == events.individual[k - 1]
        epoch[k] = (epoch[k - 1] if same else 0) + int(same and events.evid[k] in (3, 4))
    return sorted(rows, key=lambda row: (row[0], int(epoch[row[3]]), row[1], row[2], row[3]))
