"""`thrombokit cells plan PLAN.toml --out DIR`: from a plan to a bench sheet and the tables to fill in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import thrombokit as tk
from thrombokit.cli.output import Json, Quiet, exit_codes, log, print_json, say


def plan(
    file: Annotated[Path, typer.Argument(metavar="PLAN", help="The plan, a TOML file.")],
    out: Annotated[Path | None, typer.Option(help="Folder for bench sheet, sample sheet, panels, ledger and study file.")] = None,
    example: Annotated[bool, typer.Option("--example", help="Write an example to PLAN, to start from.")] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Plan a megakaryocyte culture: days, feeds, cells to seed, tubes and controls, voltage card."""
    with exit_codes(as_json=json):
        if example:
            tk.write_plan_example(file)
            log(f"wrote {file}", quiet=quiet)
        prepared = tk.prepare_plan(tk.read_plan(file))
        files = tk.write_plan(prepared, out) if out is not None else []
        if json:
            print_json(tk.plan_document(prepared, files=files))
            return
        for note in prepared.notes:
            log(f"note: {note}", quiet=quiet)
        seeding, donors = prepared.seeding, len(prepared.plan.donors)
        start = seeding.CD34_to_start
        say(
            f"{prepared.plan.title}: {len(prepared.tubes)} tubes of {donors} donor{'' if donors == 1 else 's'}; per donor "
            f"{seeding.all_wells} wells of {seeding.well_volume_mL:g} mL, {start.high:,.0f} CD34+ cells to start with "
            f"({start.estimate:,.0f} if they expand as assumed)"
        )
        if out is not None:
            log(f"wrote {', '.join(files)} to {out}; print bench_sheet.html", quiet=quiet)
        else:
            log("nothing was written; name a folder with --out", quiet=quiet)
