"""`thrombokit patients simulate`: a NONMEM data set, or a regimen in words, through a patient model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import thrombokit as tk
from thrombokit.cli.output import Json, Quiet, exit_codes, log, print_json, say
from thrombokit.cli.progress import progress_bar
from thrombokit.errors import Fault, InputError


def simulate(
    events: Annotated[Path, typer.Argument(metavar="EVENTS", help="NONMEM data set as text, or a regimen (.toml).")],
    model: Annotated[str, typer.Option(help="Model file (.toml), or the name of a shipped model.")],
    out: Annotated[
        Path | None, typer.Option(help="Write one row a record as CSV, TSV or Parquet; without it, CSV on stdout.")
    ] = None,
    titration: Annotated[Path | None, typer.Option(help="Titration file (.toml): doses decided on the counts.")] = None,
    ledger: Annotated[Path | None, typer.Option(help="Write every decision of the titration.")] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Draw random effects and measurement errors; without it they are zero.")
    ] = None,
    ignore: Annotated[
        str | None, typer.Option(help="Pass over data lines that begin with this character; @: with any letter.")
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Simulate every record of a data set: same rows, same order, columns ID, TIME and the model's outputs."""
    with exit_codes(as_json=json):
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
