"""`thrombokit trials mmrm FILE`: repeated counts of a trial, arm against reference at each visit."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import thrombokit as tk
from thrombokit.cli.output import Json, Quiet, exit_codes, log, print_json, say


def mmrm(
    file: Annotated[Path, typer.Argument(help="One row a subject and visit: CSV, TSV, XLSX or Parquet.")],
    response: Annotated[str, typer.Option(help="Column of the measured value.")],
    subject: Annotated[str, typer.Option(help="Column of the subject.")],
    visit: Annotated[str, typer.Option(help="Column of the visit.")],
    arm: Annotated[str, typer.Option(help="Column of the arm.")],
    reference: Annotated[str, typer.Option(help="The arm that the others are compared with.")],
    covariates: Annotated[str, typer.Option(help="Columns, separated by commas; numbers as they are, words as categories.")] = "",
    covariance: Annotated[
        str, typer.Option(help="us, ar1, cs or toeplitz; ar1h, csh, toeplitzh: a standard deviation a visit.")
    ] = "us",
    df: Annotated[str, typer.Option(help="satterthwaite or kenward-roger.")] = "satterthwaite",
    visit_order: Annotated[str, typer.Option(help="The visits in their order, separated by commas.")] = "",
    confidence: Annotated[float, typer.Option(help="Confidence of the intervals.")] = 0.95,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Fit a mixed model for repeated measures: arm x visit means with covariates, by REML."""
    with exit_codes(as_json=json):
        data = tk.read_repeated_measures(
            file, response=response, subject=subject, visit=visit, arm=arm, covariates=_listed(covariates)
        )
        result = tk.fit_mmrm(data, reference=reference, covariance=covariance.lower(), degrees=df.lower(), confidence=confidence,
                             visit_order=_listed(visit_order))  # fmt: skip
        if json:
            print_json(result.to_dict())
            return
        say(result.table().write_csv().rstrip("\n"))
        log(result.summary(), quiet=quiet)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())
