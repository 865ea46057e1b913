"""`thrombokit trials ...`: endpoints of a trial."""

from __future__ import annotations

import typer

from thrombokit.cli.trials_mmrm import mmrm
from thrombokit.cli.trials_proportions import proportions

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)
app.command()(proportions)
app.command()(mmrm)
