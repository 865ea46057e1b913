"""`thrombokit patients ...`: event tables through patient models."""

from __future__ import annotations

import typer

from thrombokit.cli.patients_simulate import simulate

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)


@app.callback()
def _group() -> None:
    pass


app.command()(simulate)
