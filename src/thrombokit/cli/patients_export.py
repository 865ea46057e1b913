"""`thrombokit patients export`: a patient model for mrgsolve or NONMEM."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import thrombokit as tk
from thrombokit.cli.output import Json, Quiet, exit_codes, log, print_json
from thrombokit.patients.export_programs import Program


def export(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Model file (.toml), or the name of a shipped model.")],
    out: Annotated[Path, typer.Option(help="File to write: .cpp for mrgsolve, .mod or .ctl for NONMEM.")],
    program: Annotated[Program | None, typer.Option("--for", help="The program, where the ending does not say it.")] = None,
    events: Annotated[Path | None, typer.Option(help="NONMEM data set; written beside the model, one dose a record.")] = None,
    observed: Annotated[str | None, typer.Option(help="For NONMEM: the output that Y is.")] = None,
    ignore: Annotated[str | None, typer.Option(help="Pass over data lines that begin with this character.")] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write a model, and a data set for it, in the language of another program."""
    with exit_codes(as_json=json):
        found = tk.export_patient_model(model, out, program=program, events=events, observed=observed, ignore=ignore)
        if json:
            data = None if found.data is None else found.data.name
            print_json({"schema": "thrombokit.patient-export/1", "program": found.program.value, "model": found.model.name, "data": data,
                        "records": found.rows})  # fmt: skip
        log(found.summary(), quiet=quiet)
