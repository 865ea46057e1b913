"""`thrombokit signalling simulate`: a model over time, as a table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import thrombokit as tk
from thrombokit.cli.numbers import settings_of
from thrombokit.cli.output import Json, Quiet, exit_codes, log, print_json, say


def simulate(
    end: Annotated[float, typer.Option(help="Last time to report, in the model's unit; the first is 0.")],
    points: Annotated[int, typer.Option(help="Rows, evenly spaced, both ends included.")],
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="SBML file (.xml) or Antimony file (.ant); tpor is the built-in model.")
    ] = "tpor",
    select: Annotated[
        str | None,
        typer.Option(
            help='Columns, separated by commas, such as "time,S1,[S1],k": S1 is an amount, [S1] a concentration, a reaction its rate. '
            "Default: time, every species' amount, and parameters and compartments that change."
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write the table as CSV, TSV or Parquet; without it, CSV on stdout.")] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="ID=VALUE",
            help="A value in place of the file's; may be given again. S1 is an amount, [S1] a concentration.",
        ),
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Simulate a model: one row for each time."""
    with exit_codes(as_json=json):
        settings = settings_of(setting or [], "--set")
        selections = None if select is None else [name.strip() for name in select.split(",") if name.strip()]
        found = tk.simulate_model(tk.load_network(model), end=end, points=points, selections=selections, settings=settings)
        if out is not None:
            tk.write_table(found.table(), out)
        if json:
            print_json(found.to_dict())
        elif out is None:
            say(found.table().write_csv().rstrip("\n"))
        for note in found.notes:
            log(f"note: {note}", quiet=quiet)
        log(found.message if found.outcome == "converged" else f"warning: {found.message}", quiet=quiet)
