"""`thrombokit patients simulate`: a NONMEM data set, or a regimen in words, through a patient model; or a cohort of virtual patients."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import thrombokit as tk
from thrombokit.cli.draw_options import Draw, Draws, Parameters, draw_faults
from thrombokit.cli.output import Json, Quiet, Workers, exit_codes, log, print_json, say
from thrombokit.cli.patients_cohort import CohortOptions, simulate_and_write
from thrombokit.cli.progress import progress_bar
from thrombokit.errors import Fault, InputError, raise_all


def simulate(
    events: Annotated[
        Path | None, typer.Argument(metavar="[EVENTS]", help="NONMEM data set as text, or a regimen (.toml); none for a cohort.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="Model file (.toml), or the name of a shipped model, for EVENTS.")] = None,
    agonist: Annotated[str | None, typer.Option(help="A cohort instead: agonist, shipped model, or a file of either.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="EVENTS: write a row a record (CSV, TSV, Parquet), else stdout. A cohort: folder.")
    ] = None,
    titration: Annotated[Path | None, typer.Option(help="Titration file (.toml): doses decided on the counts.")] = None,
    ledger: Annotated[Path | None, typer.Option(help="Write every decision of the titration.")] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Draw random effects and measurement errors; without it they are zero.")
    ] = None,
    ignore: Annotated[
        str | None, typer.Option(help="Pass over data lines that begin with this character; @: with any letter.")
    ] = None,
    regimen: Annotated[str, typer.Option(help='Cohort: a rule, "default", "placebo", or a dose in words.')] = "default",
    patients: Annotated[int, typer.Option(min=1, help="Cohort: virtual patients.")] = 1000,
    weeks: Annotated[int, typer.Option(min=1, help="Cohort: weeks to follow.")] = 52,
    population: Annotated[str, typer.Option(help="Cohort: population of the agonist's model.")] = "itp",
    parameters: Parameters = None,
    draw: Draw = None,
    draws: Draws = None,
    workers: Workers = 1,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Simulate every record of a data set (EVENTS and --model), or a cohort of virtual patients (--agonist and --seed)."""
    with exit_codes(as_json=json):
        raise_all(
            [*_form_faults(events, model, agonist, seed), *draw_faults(parameters, draw, draws, is_cohort=agonist is not None)]
        )
        if agonist is not None and seed is not None:
            cohort = CohortOptions(
                agonist=agonist, regimen=regimen, patients=patients, weeks=weeks, population=population, seed=seed, parameters=parameters,
                draw=draw, draws=draws,
            )  # fmt: skip
            simulate_and_write(cohort, out, workers=workers, json=json, quiet=quiet)
            return
        if events is None or model is None:
            raise LookupError("events and model were checked")
        if ledger is not None and titration is None:
            raise InputError(Fault(place="--ledger", found="no titration", expected="--titration with --ledger",
                                   cure="Name the titration file, or leave --ledger out."))  # fmt: skip
        with progress_bar("individuals", quiet=quiet) as progress:
            found = tk.simulate_events(model, events, titration, seed=seed, ignore=ignore, progress=progress)
        if out is not None:
            tk.write_table(found.table(), out)
        if ledger is not None and found.ledger is not None:
            tk.write_table(found.ledger.table(), ledger)
        if json:
            print_json(found.to_dict())
        elif out is None:
            say(found.table().write_csv().rstrip("\n"))
        log(found.summary(), quiet=quiet)


def _form_faults(events: Path | None, model: str | None, agonist: str | None, seed: int | None) -> list[Fault]:
    """One form or the other, and all of it."""
    cure = "Give EVENTS and --model for a data set, or --agonist and --seed for a cohort."
    faults: list[Fault] = []
    if (events is None and model is None) == (agonist is None):
        found = "neither EVENTS nor --agonist" if agonist is None else "a data set and --agonist"
        return [Fault(place="patients simulate", found=found, expected="one of the two forms", cure=cure)]
    if agonist is not None and seed is None:
        faults.append(Fault(place="--seed", found="none", expected="a seed for a cohort", cure=cure))
    if agonist is None and (events is None or model is None):
        missing = "EVENTS" if events is None else "--model"
        faults.append(Fault(place="patients simulate", found=f"no {missing}", expected="a data set and a model", cure=cure))
    return faults
