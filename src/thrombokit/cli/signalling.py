"""`thrombokit signalling ...`: reaction models simulated, measured against data, drawn."""

from __future__ import annotations

import typer

from thrombokit.cli.signalling_draw import draw
from thrombokit.cli.signalling_llh import fit, llh, profile
from thrombokit.cli.signalling_simulate import simulate

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)
app.command()(simulate)
app.command()(draw)
app.command()(llh)
app.command()(fit)
app.command()(profile)
