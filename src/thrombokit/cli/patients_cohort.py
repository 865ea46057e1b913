"""The cohort form of `thrombokit patients simulate`: virtual patients to a folder of tables."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import thrombokit as tk
from thrombokit.cli.output import log, print_json, say
from thrombokit.cli.progress import progress_bar


@dataclass(frozen=True, kw_only=True, slots=True)
class CohortOptions:
    """What the command line says of a cohort."""

    agonist: str
    regimen: str
    patients: int
    weeks: int
    population: str
    seed: int


def simulate_and_write(options: CohortOptions, out: Path | None, *, workers: int, json: bool, quiet: bool) -> None:
    """Simulate, write the folder where one is named, and say what was found."""
    with progress_bar("patients", quiet=quiet) as progress:
        found = tk.simulate_cohort(
            options.agonist, options.regimen, tk.Cohort(n=options.patients, population=options.population), seed=options.seed,
            weeks=options.weeks, workers=workers, progress=progress,
        )  # fmt: skip
    diagnostics = tk.diagnose_cohort(found)
    if out is not None:
        tk.write_cohort(found, out)
    if json:
        print_json({**found.to_dict(), "diagnostics": diagnostics.to_dict()})
    elif out is None:
        say(diagnostics.table().write_csv().rstrip("\n"))
    log(f"{found.summary()} {diagnostics.summary()}", quiet=quiet)
