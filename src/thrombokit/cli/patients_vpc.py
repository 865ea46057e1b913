"""`thrombokit patients vpc`: visual predictive check of a model against a trial, with the titration simulated again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import thrombokit as tk
from thrombokit.cli.output import Json, Quiet, Workers, exit_codes, log, print_json, say
from thrombokit.cli.progress import progress_bar
from thrombokit.errors import Fault, InputError


def vpc(
    observed: Annotated[Path, typer.Argument(metavar="OBSERVED", help="NONMEM data set with DV.")],
    model: Annotated[str, typer.Option(help="Model file (.toml), or the name of a shipped model.")],
    output: Annotated[str, typer.Option(help="The output that DV measured.")],
    seed: Annotated[int, typer.Option(min=0, help="Seed of the simulated trials.")],
    titration: Annotated[str | None, typer.Option(help="Rule (.toml or shipped name) that doses the simulated patients.")] = None,
    replicates: Annotated[int, typer.Option(min=1, help="Simulated trials.")] = 200,
    bins: Annotated[str | None, typer.Option(help='Edges of time bins ("0,100,200"), or how many.')] = None,
    by: Annotated[str | None, typer.Option(help="Column of a stratum.")] = None,
    only: Annotated[str | None, typer.Option(help='Observations to compare, as "DVID=2".')] = None,
    corrected: Annotated[bool, typer.Option("--corrected", help="Prediction-corrected (not with a titration).")] = False,
    drop_out: Annotated[float | None, typer.Option(min=0.0, help="Hazard of leaving per day, simulated too.")] = None,
    confidence: Annotated[float, typer.Option(help="Confidence of the intervals.")] = 0.95,
    out: Annotated[Path | None, typer.Option(help="Write the percentiles (CSV, TSV or Parquet).")] = None,
    picture: Annotated[Path | None, typer.Option(help="Write the picture (SVG, PNG or PDF).")] = None,
    ignore: Annotated[str | None, typer.Option(help="Pass over data lines that begin with this character.")] = None,
    workers: Workers = 1,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Lay percentiles of simulated trials over the observed ones, by time bin."""
    with exit_codes(as_json=json):
        with progress_bar("trials", quiet=quiet) as progress:
            found = tk.simulate_vpc(
                model, observed, output, titration, seed=seed, replicates=replicates, bins=_bins(bins), by=by, only=_only(only),
                corrected=corrected, drop_out_per_d=drop_out, confidence=confidence, workers=workers, ignore=ignore, progress=progress,
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


def _bins(text: str | None) -> list[float] | int | None:
    if text is None:
        return None
    try:
        return [float(part) for part in text.split(",")] if "," in text else int(text)
    except ValueError:
        raise InputError(Fault(place="--bins", found=f'"{text}"', expected="edges with commas between, or a whole number",
                               cure="Write 0,100,200 or 8.")) from None  # fmt: skip


def _only(text: str | None) -> tuple[str, float] | None:
    if text is None:
        return None
    column, _, value = text.partition("=")
    try:
        return column.strip(), float(value)
    except ValueError:
        raise InputError(
            Fault(place="--only", found=f'"{text}"', expected="a column and its value", cure="Write DVID=2.")
        ) from None
