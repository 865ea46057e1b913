"""`thrombokit cells lock`: fix gates before the plate is seen."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import thrombokit as tk
from thrombokit.cli.output import Json, Quiet, exit_codes, log, print_json


def lock(
    gates: Annotated[Path, typer.Argument(metavar="GATES.xml", help="Gating-ML 2.0 file.")],
    out: Annotated[Path, typer.Option(help="Where the lock is written (JSON).")],
    fitted_on: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="A control the gates were fitted on; once for each.")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace a lock that is there, log and all.")] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Lock gates: `cells gate --lock` then refuses any that differ, unless a reason is logged."""
    with exit_codes(as_json=json):
        locked = tk.lock_gates(tk.read_gatingml(gates), fitted_on=fitted_on or ())
        tk.write_gate_lock(locked, out, replace=replace)
        if json:
            print_json(tk.lock_document(locked))
            return
        log(f"{len(locked.gates)} gates of {gates.name} locked in {out.name}, digest {locked.sha256[:12]}", quiet=quiet)
