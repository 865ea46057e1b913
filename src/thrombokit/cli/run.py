"""`thrombokit run STUDY --out DIR`: the main job, a folder of exports to a report."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

import thrombokit as tk
from thrombokit.cli.kernels import say_if_cold
from thrombokit.cli.output import Json, Quiet, Workers, exit_codes, log, print_json, say
from thrombokit.cli.progress import progress_bar
from thrombokit.errors import EXIT_QC_FAILED


def run(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="Study folder or its study.toml.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for report, tables and results.")],
    seed: Annotated[int | None, typer.Option(min=0, help="In place of the study's seed.")] = None,
    workers: Workers = 1,
    strict: Annotated[bool, typer.Option("--strict", help="End with exit code 1 when a plate fails its quality check.")] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Run a study: read, check, fit, combine, report."""
    with exit_codes(as_json=json):
        loaded = tk.load_study(study, seed=seed)
        say_if_cold(quiet=quiet or json)
        with progress_bar("curves", quiet=quiet or json) as progress:
            result = tk.run_study(loaded, engine=tk.make_engine(workers), progress=progress)
        files = tk.write_output(result, out, published=time.strftime("%Y-%m-%d"))
        failed = [q for q in result.plate.quality if q.status == "fail"] if result.plate else []
        for q in failed:
            log(f"{q.plate} failed its quality check: {'; '.join(c.reason for c in q.checks if c.status == 'fail')}", quiet=quiet)
            if q.suggestion:
                log(f"  {q.suggestion}", quiet=quiet)
        if json:
            print_json({**tk.run_document(result), "files": files})
        else:
            for sentence in tk.answer_sentences(result):
                say(sentence)
            log(f"report: {out / 'report.html'}", quiet=quiet)
        if strict and failed:
            raise typer.Exit(EXIT_QC_FAILED)
