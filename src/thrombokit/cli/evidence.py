"""`thrombokit evidence ...`: the published numbers that thrombokit carries, to look up and to cite."""

from __future__ import annotations

from typing import Annotated

import typer

import thrombokit as tk
from thrombokit.cli.output import Json, Quiet, exit_codes, log, print_json, say

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)


@app.command(name="list")
def list_records(
    words: Annotated[list[str] | None, typer.Argument(help="Only records that hold all of these words.")] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """One line a record: id, value, quantity, tier."""
    with exit_codes(as_json=json):
        found = tk.search_library(words or [])
        if json:
            print_json({"schema": "thrombokit.evidence/1", "records": [record.to_dict() for record in found]})
            return
        for record in found:
            say(f"{record.id}\t{record.value_text()}\t{record.quantity}\t{record.tier}")
        log(f"{len(found)} of {len(tk.load_library())} records.", quiet=quiet)


@app.command()
def show(
    identifier: Annotated[str, typer.Argument(metavar="ID", help="Of a record, as `evidence list` prints it.")], json: Json = False
) -> None:
    """Everything that is known of one record."""
    with exit_codes(as_json=json):
        document = tk.find_record(identifier).to_dict()
        if json:
            print_json({"schema": "thrombokit.evidence-record/1", **document})
            return
        for name, value in document.items():
            if value is not None:
                say(f"{name + ':':12} {', '.join(map(str, value)) if isinstance(value, list) else value}")


@app.command()
def cite(identifier: Annotated[str, typer.Argument(metavar="ID", help="Of a record.")], json: Json = False) -> None:
    """A sentence to quote, and a BibTeX entry of the source."""
    with exit_codes(as_json=json):
        record = tk.find_record(identifier)
        if json:
            document = {"id": record.id, "citation": record.citation(), "bibtex": record.bibtex() if record.source else None}
            print_json({"schema": "thrombokit.citation/1", **document})
            return
        say(record.citation())
        if record.source:
            say(record.bibtex())
