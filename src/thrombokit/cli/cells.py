"""`thrombokit cells ...`: FCS files, gates and what comes of them."""

from __future__ import annotations

import typer

from thrombokit.cli.cells_analyse import analyse
from thrombokit.cli.cells_gate import gate
from thrombokit.cli.cells_lock import lock
from thrombokit.cli.cells_plan import plan
from thrombokit.cli.cells_ploidy import ploidy
from thrombokit.cli.cells_read import read
from thrombokit.cli.cells_spillover import spillover

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)
app.command()(analyse)
app.command()(gate)
app.command()(lock)
app.command()(plan)
app.command()(read)
app.command()(spillover)
app.command()(ploidy)
