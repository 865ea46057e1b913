"""A visual predictive check of files: what a person at the command line or in a notebook calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl

from thrombokit.io.nonmem import read_events
from thrombokit.io.patient_models import load_model
from thrombokit.io.titrations import load_titration
from thrombokit.patients import vpc
from thrombokit.patients.event_records import event_table
from thrombokit.patients.event_table import EventTable
from thrombokit.patients.model import PatientModel
from thrombokit.patients.titration import Titration
from thrombokit.patients.vpc_result import VpcResult


def simulate_vpc(
    model: PatientModel | str | Path, observed: EventTable | pl.DataFrame | str | Path, output: str,
    titration: Titration | str | Path | None = None, *, seed: int, replicates: int = 200, bins: Sequence[float] | int | None = None,
    by: str | None = None, only: tuple[str, float] | None = None, corrected: bool = False, drop_out_per_d: float | None = None,
    percentiles: tuple[float, float, float] = (5.0, 50.0, 95.0), confidence: float = 0.95, workers: int = 1, ignore: str | None = None,
    progress: Callable[[int], None] | None = None,
) -> VpcResult:  # fmt: skip
    """Compare observed percentiles with those of simulated trials.

    Parameters
    ----------
    model : PatientModel, path, or name of a shipped model
        With random effects, and a residual of the output.
    observed : EventTable, DataFrame or path
        The trial as a NONMEM data set: doses, observations with DV, covariates.
    output : str
        The output that DV measured.
    titration : Titration, path, or name of a shipped rule, optional
        The rule the trial dosed by: every simulated patient is dosed on his own measured counts, in place of the doses of the table.
    seed, replicates, bins, by, only, corrected, drop_out_per_d, percentiles, confidence, workers, progress
        See `patients.vpc.simulate_vpc`.
    ignore : str, optional
        For a data set named by its path: see `read_events`.

    Returns
    -------
    VpcResult
        By stratum and bin: observed percentiles, the interval of the simulated ones, and how many were still there.

    Raises
    ------
    InputError
        What is wrong with the files, or does not go together, all in one pass.
    SimulationError
        If a computation could not finish; the message names the individual.
    """
    patient = model if isinstance(model, PatientModel) else load_model(model)
    rule = load_titration(titration) if isinstance(titration, str | Path) else titration
    if isinstance(observed, EventTable):
        table = observed
    else:
        table = event_table(observed) if isinstance(observed, pl.DataFrame) else read_events(observed, ignore=ignore)
    return vpc.simulate_vpc(
        patient, table, output, rule, seed=seed, replicates=replicates, bins=bins, by=by, only=only, corrected=corrected,
        drop_out_per_d=drop_out_per_d, percentiles=percentiles, confidence=confidence, workers=workers, progress=progress,
    )  # fmt: skip
