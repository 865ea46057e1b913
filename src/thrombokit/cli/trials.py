"""`thrombokit trials ...`: endpoints of a trial."""

from __future__ import annotations

import typer

from thrombokit.cli.trials_analyse import analyse
from thrombokit.cli.trials_mmrm import mmrm
from thrombokit.cli.trials_proportions import proportions
from thrombokit.cli.trials_published import published
from thrombokit.cli.trials_survival import survival

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)
app.command()(analyse)
app.command()(proportions)
app.command()(mmrm)
app.command()(survival)
app.command()(published)
