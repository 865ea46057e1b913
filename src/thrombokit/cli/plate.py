"""`thrombokit plate read|fit`: one export to a tidy table; a tidy table of points to fits."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

import thrombokit as tk
from thrombokit.cli.kernels import say_if_cold
from thrombokit.cli.output import Json, Quiet, Workers, exit_codes, log, print_json, say
from thrombokit.cli.progress import progress_bar

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)


class ModelName(StrEnum):
    """Curve models."""

    FOUR = "4pl"
    THREE = "3pl"
    FIVE = "5pl"
    BELL = "bell"


class WeightsName(StrEnum):
    """Where weights come from."""

    MODEL = "model"
    COLUMN = "column"
    NONE = "none"


class IntervalName(StrEnum):
    """How intervals are formed."""

    PROFILE = "profile"
    WALD = "wald"
    BOOTSTRAP = "bootstrap"
    CASE_BOOTSTRAP = "case_bootstrap"
    SANDWICH = "sandwich"


class RobustName(StrEnum):
    """How points far from the curve count."""

    NONE = "none"
    HUBER = "huber"
    TUKEY = "tukey"


@app.command()
def read(
    file: Annotated[Path, typer.Argument(metavar="EXPORT", help="Reader export (CSV, TSV, XLSX).")],
    map: Annotated[Path | None, typer.Option(help="Plate map.")] = None,
    map_origin: Annotated[str, typer.Option(help="Cell of an unlabelled map that holds well A01.")] = "A1",
    map_unit: Annotated[str | None, typer.Option(help="Concentration unit where the map carries none.")] = None,
    plate: Annotated[str | None, typer.Option(help="Which plate, where the file holds several.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the wells as CSV, TSV or Parquet.")] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Read one plate; say which reader was chosen and why."""
    with exit_codes(as_json=json):
        found = tk.read_plate(file, map=map, map_origin=map_origin, map_unit=map_unit, plate=plate)
        wells = tk.wells_of(found)
        reading = found.reading
        if out is not None:
            tk.write_table(wells, out)
        if json:
            print_json(_read_document(found, wells))
            return
        log(f"read as {reading.reader}: {reading.why}", quiet=quiet)
        for name, reason in reading.rejected:
            log(f"  not {name}: {reason}", quiet=quiet)
        for note in reading.notes:
            log(f"  note: {note}", quiet=quiet)
        say(f"{found.name}: {reading.shape[0]} x {reading.shape[1]} wells, {wells.height} read or laid out")


def _read_document(found: Any, wells: Any) -> dict[str, Any]:
    reading = found.reading
    return {
        "schema": "thrombokit.reading/1", "plate": found.name, "file": reading.source, "rows": reading.shape[0],
        "columns": reading.shape[1], "reader": reading.reader, "why": reading.why, "rejected": dict(reading.rejected),
        "metadata": reading.metadata, "notes": list(reading.notes), "wells": wells.to_dicts(),
    }  # fmt: skip


@app.command()
def fit(
    table: Annotated[
        Path, typer.Argument(metavar="TIDY", help="CSV, TSV or Parquet: curve, concentration_nM, response [, weight, run].")
    ],
    out: Annotated[Path | None, typer.Option(help="Write the fits as CSV, TSV or Parquet.")] = None,
    model: Annotated[ModelName, typer.Option(help="Curve model; 3pl has hill slope 1.")] = ModelName.FOUR,
    weights: Annotated[WeightsName, typer.Option(help="model: sigma0^2 + (phi mean)^2, estimated.")] = WeightsName.MODEL,
    interval: Annotated[
        IntervalName | None, typer.Option(help="Interval of the EC50: profile where none is named, sandwich with --robust.")
    ] = None,
    confidence: Annotated[float, typer.Option(help="Confidence of the intervals.")] = 0.95,
    robust: Annotated[RobustName, typer.Option(help="Let far points count less (huber) or not at all (tukey).")] = RobustName.NONE,
    statistics: Annotated[Path | None, typer.Option(help="Write AICc, lack of fit, R2, outliers of each curve.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="For the bootstraps.")] = 1,
    sort: Annotated[bool, typer.Option("--sort", help="Gather scattered rows of a curve.")] = False,
    workers: Workers = 1,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Fit dose-response curves; every curve gets a verdict. Concentration 0 is vehicle."""
    with exit_codes(as_json=json):
        settings = tk.FitSettings(
            model=model.value, weights=weights.value, confidence=confidence, seed=seed, robust=robust.value,
            interval=interval.value if interval else tk.usual_interval(robust.value),
        )  # fmt: skip
        say_if_cold(quiet=quiet)
        if out is not None and statistics is None and not json and tk.is_screen(table):
            with progress_bar("curves", quiet=quiet) as progress:
                counts = tk.fit_screen(table, out, settings, engine=tk.make_engine(workers), progress=progress)
            log(f"{sum(counts.values())} curves fitted: " + ", ".join(f"{n} {v}" for v, n in counts.items()), quiet=quiet)
            return
        points = tk.points_from_table(tk.read_table(table), source=table.name, sort=sort)
        with progress_bar("curves", quiet=quiet) as progress:
            fits = tk.fit_points(points, settings, engine=tk.make_engine(workers), progress=progress)
        if statistics is not None:
            tk.write_table(tk.fit_statistics(fits, points), statistics)
        rows = tk.fits_table(fits)
        if out is not None:
            tk.write_table(rows, out)
        if json:
            noise = {run: {"sigma0": v.sigma0, "phi": v.phi} for run, v in fits.variance.items()}
            print_json({"schema": "thrombokit.fits/1", "noise": noise, "fits": rows.to_dicts()})
        elif out is None:
            say(rows.write_csv().rstrip("\n"))
        log(fits.summary(), quiet=quiet)


@app.command()
def compare(
    table: Annotated[
        Path, typer.Argument(metavar="TIDY", help="CSV, TSV or Parquet: curve, concentration_nM, response [, weight, run].")
    ],
    reference: Annotated[str, typer.Option(help="Name of the reference curve.")],
    weights: Annotated[WeightsName, typer.Option(help="model: sigma0^2 + (phi mean)^2, estimated.")] = WeightsName.MODEL,
    confidence: Annotated[float, typer.Option(help="Confidence of the intervals.")] = 0.95,
    hill_margin: Annotated[tuple[float, float], typer.Option(help="Hill ratios that count as equal.")] = (0.8, 1.25),
    plateau_margin: Annotated[
        float, typer.Option(help="Difference of plateaus that counts as equal, % of the reference's range.")
    ] = 10.0,
    history: Annotated[
        Path | None,
        typer.Option(help="Table of preparations of the reference, one of them named as it: margins from their differences."),
    ] = None,
    sort: Annotated[bool, typer.Option("--sort", help="Gather scattered rows of a curve.")] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Compare curves with a reference: EC50 ratio always, relative potency where the curves are parallel."""
    with exit_codes(as_json=json):
        points = tk.read_table(table)
        say_if_cold(quiet=quiet)
        margins = tk.Margins(hill_low=hill_margin[0], hill_high=hill_margin[1], plateau_pct=plateau_margin)
        if history is not None:
            earlier = tk.compare_curves(
                tk.read_table(history), reference=reference, weights=weights.value, sort=sort, source=history.name
            )
            margins = tk.margins_from_history(earlier)
            ends = f"hill {margins.hill_low:.2f} to {margins.hill_high:.2f}, plateaus {margins.plateau_pct:.1f} %"
            log(f"margins from {len(earlier)} comparisons of the reference with itself: {ends}", quiet=quiet)
        found = tk.compare_curves(
            points, reference=reference, weights=weights.value, confidence=confidence, margins=margins, sort=sort, source=table.name
        )
        document = tk.comparison_document(found, confidence=confidence)
        if json:
            print_json(document)
            return
        for one in [*document["comparisons"], *document["combined"]]:
            say(_comparison_line(one))


def _comparison_line(one: dict[str, Any]) -> str:
    ratio, run = one["ec50_ratio"], f", run {one['run']}" if one.get("run") else ""
    value = "no EC50 ratio" if ratio["estimate"] is None else f"EC50 ratio {ratio['estimate']:.3g}"
    ends = [">" if ratio["low"] is None else f"{ratio['low']:.3g}", "<" if ratio["high"] is None else f"{ratio['high']:.3g}"]
    said = f"{one['curve']} against {one['reference']}{run}: {value} ({ends[0]} to {ends[1]}); {one['reason']}"
    potency = one.get("relative_potency")
    return said + (
        f"; relative potency {potency['estimate']:.3g} ({potency['low']:.3g} to {potency['high']:.3g})" if potency else ""
    )
