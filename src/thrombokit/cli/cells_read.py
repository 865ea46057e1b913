"""`thrombokit cells read`: what is in an FCS file, and its events as a table."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

import thrombokit as tk
from thrombokit.cli.output import Json, Quiet, exit_codes, log, print_json, say


class StageName(StrEnum):
    """Stages of the events."""

    STORED = "stored"
    DECODED = "decoded"
    COMPENSATED = "compensated"


def read(
    file: Annotated[Path, typer.Argument(metavar="FILE.fcs", help="FCS file, 2.0 to 3.2.")],
    stage: Annotated[
        StageName,
        typer.Option(help="stored: as in the file; decoded: amplifiers undone; compensated: the file's spillover removed."),
    ] = StageName.COMPENSATED,
    data_set: Annotated[int, typer.Option(help="Which data set, counted from 1.")] = 1,
    out: Annotated[Path | None, typer.Option(help="Write the events as CSV, TSV or Parquet.")] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Read one FCS file: its channels, ranges, off-scale events, spillover and what was odd about it."""
    with exit_codes(as_json=json):
        sample = tk.read_fcs(file, data_set=data_set)
        document = tk.sample_document(sample, stage.value)
        if out is not None:
            tk.write_table(tk.events_table(sample, stage.value), out)
        if json:
            print_json(document)
            return
        for note in document["notes"]:
            log(f"  note: {note}", quiet=quiet)
        for fault in document["spillover_faults"]:
            log(f"  spillover not usable: {fault['found']}; expected {fault['expected']}. {fault['cure']}", quiet=quiet)
        for line in _lines(document):
            say(line)


def _lines(document: dict[str, Any]) -> list[str]:
    sets = f", data set {document['data_set']} of {document['data_sets']}" if document["data_sets"] > 1 else ""
    spillover = document["spillover"]
    if spillover is None:
        matrix = "no usable spillover matrix" if document["spillover_faults"] else "no spillover matrix"
    else:
        matrix = f"spillover among {len(spillover['channels'])} channels" + (" (identity)" if spillover["is_identity"] else "")
    lines = [
        f"{document['file']}: {document['events']} events, {len(document['channels'])} channels, {document['version']}{sets}, {matrix}"
    ]
    heading = ("channel", "label", "min", "median", "max", "at top %", "at bottom %")
    rows = [heading, *(_row(channel) for channel in document["channels"])]
    widths = [max(len(row[column]) for row in rows) for column in range(len(heading))]
    for row in rows:
        cells = [
            text.ljust(width) if column < 2 else text.rjust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return [*lines, f"values: {document['stage']}"]


def _row(channel: dict[str, Any]) -> tuple[str, ...]:
    values = ("" if channel[key] is None else f"{channel[key]:.6g}" for key in ("min", "median", "max"))
    shares = (f"{100.0 * channel[key]:.2f}" for key in ("share_at_top", "share_at_bottom"))
    return (channel["name"], channel["label"], *values, *shares)
