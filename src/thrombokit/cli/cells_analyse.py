"""`thrombokit cells analyse SHEET --panels PANELS`: a whole sample sheet gated, counted and read against dose, without a study."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

import thrombokit as tk
from thrombokit.cli.output import Json, Quiet, Workers, exit_codes, log, print_json, say


class CompensationName(StrEnum):
    """Where spillover comes from."""

    AUTO = "auto"
    CONTROLS = "controls"
    FILE = "file"
    TABLE = "table"
    NONE = "none"


def analyse(
    sheet: Annotated[Path, typer.Argument(metavar="SHEET", help="Sample sheet (CSV, TSV, XLSX); FCS files are beside it.")],
    panels: Annotated[Path, typer.Option(metavar="PANELS.toml", help="Which channel shows which marker.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the tables, gates and the MIFlowCyt record.")],
    yields: Annotated[Path | None, typer.Option(help="Ledger of the cultures.")] = None,
    compensation: Annotated[
        CompensationName, typer.Option(help="auto: the table, else single stains, else each file's own matrix.")
    ] = CompensationName.AUTO,
    spillover: Annotated[Path | None, typer.Option(help="Spillover table (CSV, FlowJo matrix).")] = None,
    gates: Annotated[Path | None, typer.Option(metavar="G.xml", help="Gating-ML to apply; nothing is then fitted.")] = None,
    comparator: Annotated[str | None, typer.Option(help="Agonist that others are compared with.")] = None,
    fmo_percentile: Annotated[float, typer.Option(min=50.0, max=99.99, help="Percentile of the FMO control.")] = 99.5,
    confidence: Annotated[float, typer.Option(help="Confidence of the intervals.")] = 0.95,
    workers: Workers = 1,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Gate all tubes of a sample sheet, count stages, and read them against dose, donor by donor."""
    with exit_codes(as_json=json):
        settings = tk.cultures_settings(
            compensation=compensation.value, comparator=comparator, fmo_percentile=fmo_percentile, confidence=confidence
        )
        found = tk.analyse_sheet(
            sheet, panels=panels, settings=settings, yields=yields, spillover=spillover, gates=gates, engine=tk.make_engine(workers)
        )
        files = tk.write_cells_folder(found, out)
        if json:
            print_json({**tk.to_json(tk.cells_document(found)), "files": files})
            return
        for sentence in tk.cells_sentences(found):
            say(sentence)
        log(f"{len(files)} files in {out}", quiet=quiet)
