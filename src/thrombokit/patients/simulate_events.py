"""`simulate_events`: any NONMEM-style data set through a patient model, with or without a titration; one row of outputs for each record."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl

from thrombokit.errors import Fault, SimulationError, raise_all
from thrombokit.numerics.arrays import Array
from thrombokit.numerics.streams import stream
from thrombokit.patients.bound_events import BoundEvents, bind_events, refuse_for_titration
from thrombokit.patients.dosing import dose_faults
from thrombokit.patients.event_columns import MOST_TOLD
from thrombokit.patients.event_records import event_table
from thrombokit.patients.event_run import records_of, run_individual
from thrombokit.patients.event_table import EventTable
from thrombokit.patients.events_result import EventsResult
from thrombokit.patients.ledger import ROW_WIDTH, Ledger, ledger_from_rows
from thrombokit.patients.model import PatientModel
from thrombokit.patients.ode_movers import mover_for
from thrombokit.patients.random_effects import STAGE, measured
from thrombokit.patients.titrated_doses import TitratedDoses, check_titration
from thrombokit.patients.titration import Titration


def simulate_events(
    model: PatientModel, events: EventTable | pl.DataFrame, titration: Titration | None = None, *, seed: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> EventsResult:  # fmt: skip
    """Run an event table through a model.

    Parameters
    ----------
    model : PatientModel
        From `load_model`.
    events : EventTable or DataFrame
        From `read_events`, or a table with NONMEM's columns.
    titration : Titration, optional
        A rule that doses every individual on its counts, besides the doses of the table. Which records there are never changes a dose.
    seed : int, optional
        Without it, random effects and measurement errors are zero. With it each individual has its own, drawn by its ID.
    progress : callable, optional
        Called with 1 after each individual.

    Returns
    -------
    EventsResult
        Outputs at each record, after what the record does; the engine and its stated error; the ledger of the titration.

    Raises
    ------
    InputError
        What is wrong with the events, or between events and model, all in one pass.
    SimulationError
        If a computation could not finish; the message names the individual.
    """
    table = events if isinstance(events, EventTable) else event_table(events)
    bound = bind_events(model, table, seed=seed)
    if titration is not None:
        refuse_for_titration(model, table)
        check_titration(titration, bound.compiled)
    raise_all(_value_faults(bound))
    outputs = np.full((len(table), len(bound.compiled.outputs)), np.nan)
    rows: list[Array] = []
    bounds = table.first_records
    mover, solvers, error = mover_for(bound.compiled), set[str](), 0.0
    for patient, key in enumerate(table.keys):
        start, stop = int(bounds[patient]), int(bounds[patient + 1])
        visits = (
            None if titration is None else TitratedDoses(titration, bound, key=key, id_number=float(table.id[start]), seed=seed)
        )
        mover = mover_for(bound.compiled)
        try:
            run_individual(records_of(bound, start, stop), mover, outputs[start:stop], visits)
        except SimulationError as error:
            raise SimulationError(f"{table.source}, ID {key} (from row {table.row[start]}): {error}") from None
        solvers.add(mover.solver())
        error = max(error, mover.stated_error)
        rows += [] if visits is None else visits.ledger_rows
        if progress is not None:
            progress(1)
    raise_all(_output_faults(bound, outputs))
    if seed is not None:
        _measure(bound, outputs, seed)
    ledger = _ledger(rows, titration)
    return EventsResult(
        source=table.source, model_file=model.file, id=table.id, time=table.time, individual=table.individual,
        observed=(table.evid == 0), outputs=outputs, output_names=bound.compiled.outputs, time_unit=model.units.time, engine=mover.name,
        solver=", ".join(sorted(solvers)), stated_error=error, seed=seed, ledger=ledger, notes=(*table.notes, *bound.notes),
    )  # fmt: skip


def _value_faults(bound: BoundEvents) -> list[Fault]:
    """Record values that are no numbers, and lags, F, rates or durations that cannot be; the first few of each kind."""
    events, compiled = bound.events, bound.compiled
    faults: list[Fault] = []
    r, inputs, is_dose = np.zeros(compiled.n_record), np.array(bound.inputs), events.is_dose
    for k in range(len(events)):
        compiled.fill_record(inputs[k], float(events.time[k]), r)
        if not np.isfinite(r).all():
            wrong = compiled.non_finite("record", r)
            faults += [
                Fault(place=events.place(k), found=f"{name} is no finite number", expected="record values that can be computed",
                      cure=f"Check {name} in {bound.model.file} against the columns of this row.")
                for name in wrong
            ]  # fmt: skip
        if is_dose[k]:
            faults += dose_faults(bound, k, r)
        if len(faults) > 4 * MOST_TOLD:
            break
    return faults


def _output_faults(bound: BoundEvents, outputs: Array) -> list[Fault]:
    faults: list[Fault] = []
    for column, name in enumerate(bound.compiled.outputs):
        wrong = np.flatnonzero(~np.isfinite(outputs[:, column]))
        if wrong.size:
            more = f" (and {wrong.size - 1} more rows)" if wrong.size > 1 else ""
            cure = f"Check {name} in {bound.model.file}: a division by 0, or a log of 0?"
            faults.append(Fault(place=bound.events.place(int(wrong[0])), found=f"the output {name} is no finite number{more}", cure=cure,
                                expected="outputs that can be computed at every record"))  # fmt: skip
    return faults


def _measure(bound: BoundEvents, outputs: Array, seed: int) -> None:
    """Add measurement error to the outputs that have one, in place; every row of an individual has its own."""
    bounds = bound.events.first_records
    for patient, key in enumerate(bound.events.keys):
        rows = slice(int(bounds[patient]), int(bounds[patient + 1]))
        for name, residual in bound.model.residual.items():
            normals = stream(seed, STAGE, key, "residual", name.upper()).standard_normal((rows.stop - rows.start, 2))
            column = bound.compiled.output_index(name)
            outputs[rows, column] = measured(outputs[rows, column], normals, residual)


def _ledger(rows: list[Array], titration: Titration | None) -> Ledger | None:
    return None if titration is None else ledger_from_rows(np.array(rows).reshape(-1, ROW_WIDTH), titration)
