"""`thrombokit patients compare`: rules and starting doses beside one another in the same virtual patients."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import thrombokit as tk
from thrombokit.cli.draw_options import Draw, Draws, Parameters, draw_faults, parameters_named
from thrombokit.cli.output import Json, Quiet, Workers, exit_codes, log, print_json, say
from thrombokit.cli.patients_cohort import DRAWS
from thrombokit.cli.progress import progress_bar
from thrombokit.errors import raise_all


def compare(
    agonist: Annotated[str, typer.Argument(metavar="AGONIST", help="Agonist, shipped model, or a file of either.")],
    regimen: Annotated[
        list[str], typer.Option(help='A rule (name or .toml), "default", "placebo", or a dose in words; give it several times.')
    ],
    seed: Annotated[int, typer.Option(min=0, help="Seed: the same patients under every regimen.")],
    start: Annotated[list[float] | None, typer.Option(help="A starting dose to try with every rule; several times.")] = None,
    patients: Annotated[int, typer.Option(min=2, help="Virtual patients.")] = 1000,
    weeks: Annotated[int, typer.Option(min=1, help="Weeks to follow.")] = 52,
    population: Annotated[str, typer.Option(help="Population of the agonist's model.")] = "itp",
    reference: Annotated[str | None, typer.Option(help="Label of the regimen to compare with; the first by default.")] = None,
    low: Annotated[float, typer.Option(help="Lower end of the target, 1e9/L.")] = 50.0,
    high: Annotated[float, typer.Option(help="Upper end of the target, 1e9/L.")] = 200.0,
    above: Annotated[float, typer.Option(help="Limit that no count should pass, 1e9/L.")] = 400.0,
    out: Annotated[Path | None, typer.Option(help="Write the measures (CSV, TSV or Parquet).")] = None,
    picture: Annotated[Path | None, typer.Option(help="Write the picture (SVG, PNG or PDF).")] = None,
    parameters: Parameters = None,
    draw: Draw = None,
    draws: Draws = None,
    workers: Workers = 1,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Time in range, time above a limit, dose, rescue ... of every regimen, and its difference from the first."""
    with exit_codes(as_json=json):
        raise_all(draw_faults(parameters, draw, draws))
        cohort, counts_in = tk.Cohort(n=patients, population=population), tk.CountRange(low=low, high=high, above=above)
        many = parameters is not None and draw is None
        with progress_bar("draws" if many else "patients", quiet=quiet) as progress:
            if many:
                found = tk.compare_draws(
                    agonist, regimen, start or (), cohort, parameters=parameters_named(parameters), draws=draws or DRAWS, seed=seed,
                    weeks=weeks, workers=workers, reference=reference, counts_in=counts_in, progress=progress,
                )  # fmt: skip
            else:
                found = tk.compare_regimens(
                    agonist, regimen, start or (), cohort, seed=seed, weeks=weeks, workers=workers, reference=reference, counts_in=counts_in,
                    parameters=parameters[0] if parameters else None, draw=draw, progress=progress,
                )  # fmt: skip
        if out is not None:
            tk.write_table(found.table(), out)
        if picture is not None:
            tk.write_chart(found.plot(), picture)
        if json:
            print_json(found.to_dict())
        elif out is None:
            say(found.table().write_csv().rstrip("\n"))
        log(found.summary(), quiet=quiet)
