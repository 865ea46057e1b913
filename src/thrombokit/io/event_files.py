"""Event tables, models and titrations named by their files and run: what a person at the command line or in a notebook calls."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl

from thrombokit.io.nonmem import read_events
from thrombokit.io.patient_models import load_model
from thrombokit.io.regimens import load_regimen
from thrombokit.io.titrations import load_titration
from thrombokit.patients import simulate_events as runs
from thrombokit.patients.event_table import EventTable
from thrombokit.patients.events_result import EventsResult
from thrombokit.patients.model import PatientModel
from thrombokit.patients.regimen import Regimen, regimen_events
from thrombokit.patients.titration import Titration

Events = EventTable | Regimen | pl.DataFrame | str | Path


def simulate_events(
    model: PatientModel | str | Path, events: Events, titration: Titration | str | Path | None = None, *, seed: int | None = None,
    ignore: str | None = None, progress: Callable[[int], None] | None = None,
) -> EventsResult:  # fmt: skip
    """Run an event table, or a regimen in words, through a patient model.

    Parameters
    ----------
    model : PatientModel, path, or name of a shipped model
        See `load_model`.
    events : EventTable, DataFrame, Regimen, or path
        A NONMEM data set (see `read_events`), a table with its columns, or a regimen (a path that ends in .toml; see `load_regimen`).
    titration : Titration or path, optional
        A rule that doses every individual on its counts, besides the doses of the table; see `load_titration`. Which records there are never
        changes a dose.
    seed : int, optional
        Without it, random effects and measurement errors are zero. With it each individual has its own, drawn by its ID.
    ignore : str, optional
        For a data set named by its path: see `read_events`.
    progress : callable, optional
        Called with 1 after each individual.

    Returns
    -------
    EventsResult
        Outputs at each record, after what the record does; the engine and its stated error; the ledger of the titration.

    Raises
    ------
    InputError
        What is wrong with the files, or between events, model and titration, all that can be seen in one pass.
    SimulationError
        If a computation could not finish; the message names the individual.
    """
    patient = model if isinstance(model, PatientModel) else load_model(model)
    rule = load_titration(titration) if isinstance(titration, str | Path) else titration
    return runs.simulate_events(patient, _table(events, patient, ignore), rule, seed=seed, progress=progress)


def _table(events: Events, model: PatientModel, ignore: str | None) -> EventTable | pl.DataFrame:
    if isinstance(events, EventTable | pl.DataFrame):
        return events
    if isinstance(events, Regimen):
        return regimen_events(events, model)
    path = Path(events)
    return regimen_events(load_regimen(path), model) if path.suffix.lower() == ".toml" else read_events(path, ignore=ignore)
