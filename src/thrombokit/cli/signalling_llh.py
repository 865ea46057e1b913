"""`thrombokit signalling llh|fit|profile PROBLEM.yaml`: a PEtab 1 problem evaluated, fitted, profiled."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

import thrombokit as tk
from thrombokit.cli.output import Json, Quiet, Workers, exit_codes, log, print_json, say
from thrombokit.cli.progress import progress_bar

Problem = Annotated[Path, typer.Argument(metavar="PROBLEM.yaml", help="YAML file of a PEtab 1 problem.")]
Starts = Annotated[int, typer.Option(help="Searches from random starts.")]
Seed = Annotated[int, typer.Option(min=0, help="Of the random starts.")]
Out = Annotated[Path | None, typer.Option(metavar="DIR", help="Write JSON and CSV tables into this folder.")]


def llh(
    problem: Problem,
    gradient: Annotated[
        bool, typer.Option("--gradient", help="Its gradient too, in the estimated parameters on their scales, with errors.")
    ] = False,
    json: Json = False,
) -> None:
    """Log-likelihood at the nominal parameters, priors excluded."""
    with exit_codes(as_json=json):
        value = tk.petab_llh(problem)
        rows = tk.petab_gradient(problem).table() if gradient else None
        if json:
            more = {} if rows is None else {"gradient": rows.to_dicts()}
            print_json({"schema": "thrombokit.petab_llh/1", "problem": problem.name, "llh": value, **more})
            return
        say(f"{value:.6f}")
        if rows is not None:
            say(rows.write_csv().rstrip("\n"))


def fit(
    problem: Problem, starts: Starts = 20, seed: Seed = 1, out: Out = None, workers: Workers = 1, json: Json = False,
    quiet: Quiet = False,
) -> None:  # fmt: skip
    """Fit the estimated parameters; the same seed gives the same numbers with any number of workers."""
    with exit_codes(as_json=json):
        _, found = _fitted(problem, starts, seed, workers, out, quiet=quiet)
        _tell(found, out, as_json=json, quiet=quiet)


def profile(
    problem: Problem,
    parameter: Annotated[list[str] | None, typer.Option(metavar="ID", help="A parameter, once for each; all by default.")] = None,
    confidence: Annotated[float, typer.Option(help="Confidence of the intervals.")] = 0.95,
    starts: Starts = 20, seed: Seed = 1, out: Out = None, workers: Workers = 1, json: Json = False, quiet: Quiet = False,
) -> None:  # fmt: skip
    """Fit, then profile intervals; a side the data do not limit is left open, with the reason."""
    with exit_codes(as_json=json):
        read, fitted = _fitted(problem, starts, seed, workers, out, quiet=quiet)
        with progress_bar("profiles", quiet=quiet) as progress:
            found = tk.profile_petab(
                read, fitted, parameters=parameter, confidence=confidence, engine=tk.make_engine(workers), progress=progress
            )
        _tell(found, out, as_json=json, quiet=quiet)


def _fitted(problem: Path, starts: int, seed: int, workers: int, out: Path | None, *, quiet: bool) -> tuple[Any, Any]:
    read = tk.read_petab(problem)
    if out is not None:
        tk.make_fit_folder(out)
    with progress_bar("searches", quiet=quiet) as progress:
        return read, tk.fit_petab(read, starts=starts, seed=seed, engine=tk.make_engine(workers), progress=progress)


def _tell(found: Any, out: Path | None, *, as_json: bool, quiet: bool) -> None:
    if out is not None:
        tk.write_petab_fit(found, out)
    if as_json:
        print_json(found.to_dict())
        return
    say(found.table().write_csv().rstrip("\n"))
    log(found.summary(), quiet=quiet)
