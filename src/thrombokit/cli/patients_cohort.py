"""The cohort form of `thrombokit patients simulate`: virtual patients to a folder of tables."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import thrombokit as tk
from thrombokit.cli.draw_options import parameters_named
from thrombokit.cli.output import log, print_json, say
from thrombokit.cli.progress import progress_bar

DRAWS = 40
"""Draws where frozen parameters are named and nothing else is said."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CohortOptions:
    """What the command line says of a cohort; with `parameters`, one `draw` of them or many."""

    agonist: str
    regimen: str
    patients: int
    weeks: int
    population: str
    seed: int
    parameters: list[str] | None = None
    draw: int | None = None
    draws: int | None = None


def simulate_and_write(options: CohortOptions, out: Path | None, *, workers: int, json: bool, quiet: bool) -> None:
    """Simulate, write the folder where one is named, and say what was found."""
    if options.parameters is not None and options.draw is None:
        _simulate_draws(options, out, workers=workers, json=json, quiet=quiet)
        return
    with progress_bar("patients", quiet=quiet) as progress:
        found = tk.simulate_cohort(
            options.agonist, options.regimen, tk.Cohort(n=options.patients, population=options.population), seed=options.seed,
            weeks=options.weeks, workers=workers, parameters=options.parameters[0] if options.parameters else None, draw=options.draw,
            progress=progress,
        )  # fmt: skip
    diagnostics = tk.diagnose_cohort(found)
    if out is not None:
        tk.write_cohort(found, out)
    if json:
        print_json({**found.to_dict(), "diagnostics": diagnostics.to_dict()})
    elif out is None:
        say(diagnostics.table().write_csv().rstrip("\n"))
    log(f"{found.summary()} {diagnostics.summary()}", quiet=quiet)


def _simulate_draws(options: CohortOptions, out: Path | None, *, workers: int, json: bool, quiet: bool) -> None:
    with progress_bar("draws", quiet=quiet) as progress:
        found = tk.simulate_draws(
            options.agonist, options.regimen, tk.Cohort(n=options.patients, population=options.population),
            parameters=parameters_named(options.parameters), draws=options.draws or DRAWS, seed=options.seed, weeks=options.weeks,
            workers=workers, progress=progress,
        )  # fmt: skip
    if out is not None:
        tk.write_draws(found, out)
    if json:
        print_json(found.to_dict())
    elif out is None:
        say(found.table().write_csv().rstrip("\n"))
    log(found.summary(), quiet=quiet)
