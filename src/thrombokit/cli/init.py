"""`thrombokit init DIR`: a study folder to start from."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

import thrombokit as tk
from thrombokit.cli.output import Json, Quiet, exit_codes, log, print_json, say


class Template(StrEnum):
    """Starting points."""

    GUIDE = "guide"
    PLATE = "plate"


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="New or empty folder.")],
    template: Annotated[
        Template, typer.Option(help="guide: the worked synthetic study; plate: one plate to replace by yours.")
    ] = Template.PLATE,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of the synthetic data.")] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write a study folder to start from. Its data are synthetic, and say so."""
    with exit_codes(as_json=json):
        files = tk.write_template(folder, template.value, seed=seed)
        if json:
            print_json(
                {
                    "schema": "thrombokit.init/1",
                    "template": template.value,
                    "files": [str(f.relative_to(folder).as_posix()) for f in files],
                }
            )
            return
        log(f"wrote {len(files)} files", quiet=quiet)
        if not quiet:
            say(f"{folder}: run it with  thrombokit run {folder} --out {folder}-out")
