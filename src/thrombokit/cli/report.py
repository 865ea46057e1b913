"""`thrombokit report DIR`: the page and workbook again, from saved results."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

import thrombokit as tk
from thrombokit.cli.output import Json, Quiet, exit_codes, print_json, say


def report(
    out: Annotated[Path, typer.Argument(metavar="DIR", help="Folder that `run` wrote.")], json: Json = False, quiet: Quiet = False
) -> None:
    """Write report.html and tables.xlsx again from the saved results."""
    with exit_codes(as_json=json):
        files = tk.write_pages(tk.read_results(out), out, published=time.strftime("%Y-%m-%d"))
        if json:
            print_json({"schema": "thrombokit.report/1", "files": files})
        elif not quiet:
            say(str(out / "report.html"))
