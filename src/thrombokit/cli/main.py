"""The `thrombokit` command: a tree of commands whose modules import nothing heavy, so that --help is instant."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper
from typing import NoReturn

import typer

from thrombokit import __version__
from thrombokit.cli import cells, evidence, patients, plate, signalling, trials
from thrombokit.cli.check import check
from thrombokit.cli.init import init
from thrombokit.cli.report import report
from thrombokit.cli.run import run
from thrombokit.errors import EXIT_STOPPED

app = typer.Typer(
    name="thrombokit",
    help="From plate to platelet: characterise thrombopoietin-receptor agonists. Research use only; not for diagnosis or treatment.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(init)
app.command()(check)
app.command()(run)
app.command()(report)
app.add_typer(plate.app, name="plate", help="Read plates and fit curves.")
app.add_typer(cells.app, name="cells", help="Read FCS files and gate them.")
app.add_typer(signalling.app, name="signalling", help="Simulate reaction models.")
app.add_typer(patients.app, name="patients", help="Simulate patients: doses, drug, platelets.")
app.add_typer(evidence.app, name="evidence", help="Published numbers: look them up, cite them.")
app.add_typer(trials.app, name="trials", help="Endpoints of a trial: responders, survival, repeated counts.")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"thrombokit {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(False, "--version", callback=_print_version, is_eager=True, help="Print the version."),
) -> None:
    pass


def main() -> None:
    """Run the command line; the exit codes are listed in docs/reference/command-line.md."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="replace")
    try:
        app()
    except KeyboardInterrupt:
        typer.echo("Stopped.", err=True)
        _end_stopped()
    except SystemExit as end:
        if end.code == EXIT_STOPPED:
            _end_stopped()
        raise


def _end_stopped() -> NoReturn:
    """End with the code for stopped, at once.

    Where Ctrl-C fell into an `exec` of text (numba and dataclasses do that), Python remembers it as unhandled and would kill itself with
    SIGINT at its end, whatever was caught in between.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(EXIT_STOPPED)
