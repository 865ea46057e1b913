"""`thrombokit signalling ...`: reaction models simulated, scanned, measured against data, drawn, exported."""

from __future__ import annotations

import typer

from thrombokit.cli.signalling_diagram import diagram, export
from thrombokit.cli.signalling_llh import fit, llh, profile
from thrombokit.cli.signalling_scan import scan
from thrombokit.cli.signalling_simulate import simulate

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)
app.command()(simulate)
app.command()(scan)
app.command()(diagram)
app.command(name="draw", hidden=True)(diagram)
app.command()(export)
app.command()(llh)
app.command()(fit)
app.command()(profile)
