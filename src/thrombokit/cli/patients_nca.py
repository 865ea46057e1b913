"""`thrombokit patients nca`: non-compartmental analysis of a table of concentrations."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import thrombokit as tk
from thrombokit.cli.output import Json, Quiet, exit_codes, log, print_json, say
from thrombokit.errors import Fault, InputError
from thrombokit.patients.nca_choices import AreaMethod, Between, Route


def nca(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Concentrations: one row a sample, or a NONMEM data set.")],
    subject: Annotated[str, typer.Option(help="Column of subjects.")] = "ID",
    time: Annotated[str, typer.Option(help="Column of times.")] = "TIME",
    concentration: Annotated[str, typer.Option(help="Column of concentrations.")] = "DV",
    dose: Annotated[float | None, typer.Option(help="Dose of every subject, in place of a column.")] = None,
    amount: Annotated[str | None, typer.Option(help="Column of doses; AMT by default, if there is one.")] = None,
    group: Annotated[str | None, typer.Option(help="Column of a treatment: a profile for each.")] = None,
    route: Annotated[Route, typer.Option(help="How the dose was given.")] = Route.EXTRAVASCULAR,
    duration: Annotated[float, typer.Option(min=0.0, help="Duration of an infusion.")] = 0.0,
    method: Annotated[AreaMethod, typer.Option(help="Rule of the areas.")] = AreaMethod.LINEAR_UP_LOG_DOWN,
    tau: Annotated[float | None, typer.Option(help="Dosing interval: the last interval, at steady state.")] = None,
    partial: Annotated[str | None, typer.Option(help='Partial areas, as "0-12,0-24".')] = None,
    limit: Annotated[float, typer.Option(min=0.0, help="Limit of quantification: what is below it is BLQ.")] = 0.0,
    between: Annotated[Between, typer.Option(help="BLQ between quantified samples.")] = Between.LEFT_OUT,
    time_unit: Annotated[str, typer.Option(help="Label.")] = "h",
    concentration_unit: Annotated[str, typer.Option(help="Label.")] = "ng/mL",
    dose_unit: Annotated[str, typer.Option(help="Label.")] = "mg",
    out: Annotated[Path | None, typer.Option(help="Write the parameters of every subject (CSV, TSV or Parquet).")] = None,
    statistics: Annotated[Path | None, typer.Option(help="Write the statistics over subjects.")] = None,
    picture: Annotated[Path | None, typer.Option(help="Write the profiles as a picture (SVG, PNG or PDF).")] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Cmax, areas, terminal half-life, clearance ... of every subject, by CDISC's names, with a standing each."""
    with exit_codes(as_json=json):
        settings = tk.NcaSettings(
            route=route, method=method, duration=duration, tau=tau, partial=_intervals(partial), between=between, time_unit=time_unit,
            concentration_unit=concentration_unit, dose_unit=dose_unit,
        )  # fmt: skip
        profiles = tk.read_profiles(
            file, subject=subject, time=time, concentration=concentration, dose=dose, amount=amount, group=group, limit=limit,
            steady_state=tau is not None,
        )  # fmt: skip
        found = tk.analyse_nca(profiles, settings)
        if out is not None:
            tk.write_table(found.table(), out)
        if statistics is not None:
            tk.write_table(found.statistics(), statistics)
        if picture is not None:
            tk.write_chart(found.plot(), picture)
        if json:
            print_json(found.to_dict())
        elif out is None:
            say(found.table().write_csv().rstrip("\n"))
        log(found.summary(), quiet=quiet)


def _intervals(text: str | None) -> tuple[tuple[float, float], ...]:
    """ "0-12,0-24" as pairs of numbers."""
    intervals: list[tuple[float, float]] = []
    for part in (text or "").split(","):
        if not part.strip():
            continue
        ends = part.split("-")
        try:
            start, end = (float(word) for word in ends)
        except ValueError:
            raise InputError(Fault(place="--partial", found=f'"{part.strip()}"', expected="two times, as 0-12",
                                   cure="Write start-end, with commas between intervals.")) from None  # fmt: skip
        intervals.append((start, end))
    return tuple(intervals)
