"""`thrombokit patients ...`: simulate data sets and cohorts, compare regimens, check models, analyse concentrations."""

from __future__ import annotations

import typer

from thrombokit.cli.patients_compare import compare
from thrombokit.cli.patients_export import export
from thrombokit.cli.patients_nca import nca
from thrombokit.cli.patients_simulate import simulate
from thrombokit.cli.patients_vpc import vpc

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)


@app.callback()
def _group() -> None:
    pass


for command in (simulate, compare, nca, vpc, export):
    app.command()(command)
