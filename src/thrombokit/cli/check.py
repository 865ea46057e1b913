"""`thrombokit check STUDY`: read everything, compute nothing, list all faults in one pass."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import thrombokit as tk
from thrombokit.cli.output import Json, Quiet, exit_codes, log, print_json, say


def check(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="Study folder or its study.toml.")],
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Read a study and all its files; list every fault with its place and cure."""
    with exit_codes(as_json=json):
        loaded = tk.load_study(study)
        notes = [f"{p.name}: {note}" for p in loaded.plates for note in p.reading.notes]
        plates = [
            {
                "plate": p.name, "file": p.reading.source, "reader": p.reading.reader, "why": p.reading.why, "wells": p.layout.role.size,
                "map": p.layout.source, "run": p.run, "cell_system": p.cell_system, "notes": list(p.reading.notes),
            }
            for p in loaded.plates
        ]  # fmt: skip
        sheet = loaded.cells.sheet if loaded.cells else None
        tubes = (
            [{"tube": t.name, "file": t.file, "kind": str(t.kind), "donor": t.donor, "panel": t.panel.name} for t in sheet.tubes]
            if sheet
            else []
        )
        notes += [f"{sheet.source}: {note}" for note in sheet.notes] if sheet else []
        if json:
            print_json(
                {
                    "schema": "thrombokit.check/1",
                    "title": loaded.title,
                    "faults": [],
                    "plates": plates,
                    "tubes": tubes,
                    "missing": list(loaded.missing),
                }
            )
            return
        for p in plates:
            log(f"{p['plate']}: {p['file']} read as {p['reader']} ({p['why']}), map {p['map'] or 'none'}", quiet=quiet)
        for note in notes:
            log(f"note: {note}", quiet=quiet)
        for name in loaded.missing:
            log(f"missing: {name}", quiet=quiet)
        counted = [f"{len(plates)} plates"] if plates or not tubes else []
        counted += [f"{len(tubes)} tubes"] if tubes else []
        said = f"{loaded.title}: no faults, {' and '.join(counted)}"
        say(said + (f", {len(loaded.missing)} exports of the manifest missing" if loaded.missing else ""))
