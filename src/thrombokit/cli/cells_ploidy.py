"""`thrombokit cells ploidy`: shares of 2N to >= 64N cells from the DNA channel of an FCS file."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

import thrombokit as tk
from thrombokit.cli.output import Json, Quiet, exit_codes, log, print_json, say


class MethodName(StrEnum):
    """How shares are estimated."""

    MAXIMUM_LIKELIHOOD = "maximum_likelihood"
    WINDOWS = "windows"
    DEAN_JETT_FOX = "dean_jett_fox"


class AssignmentName(StrEnum):
    """Where S-phase cells count."""

    LOWER = "lower"
    UPPER = "upper"
    EXCLUDED = "excluded"


def ploidy(
    file: Annotated[Path, typer.Argument(metavar="FILE.fcs", help="FCS file with a DNA channel on a linear scale.")],
    channel: Annotated[str, typer.Option(help="Name or label of the DNA channel (area).")],
    gates: Annotated[Path | None, typer.Option(metavar="GATES.xml", help="Gating-ML 2.0 file.")] = None,
    gate: Annotated[
        str | None, typer.Option(metavar="ID", help="The population to fit (megakaryocytes); all events otherwise.")
    ] = None,
    reference_gate: Annotated[
        str | None, typer.Option(metavar="ID", help="Diploid reference: a population, such as CD41-negative cells.")
    ] = None,
    reference_file: Annotated[Path | None, typer.Option(help="Diploid reference: another file, stained and read alike.")] = None,
    method: Annotated[
        MethodName, typer.Option(help="windows and dean_jett_fox are for comparison.")
    ] = MethodName.MAXIMUM_LIKELIHOOD,
    s_assignment: Annotated[AssignmentName, typer.Option(help="The class S-phase cells count in.")] = AssignmentName.LOWER,
    uncompensated: Annotated[bool, typer.Option("--uncompensated", help="Do not apply the file's spillover matrix.")] = False,
    histogram: Annotated[
        Path | None, typer.Option(help="Write the histogram and the model's parts as CSV, TSV or Parquet.")
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Fit the ploidy of one tube: shares of 2N to >= 64N with 95 % intervals, mean ploidy, and a verdict."""
    with exit_codes(as_json=json):
        settings = tk.PloidySettings(
            channel=channel, gates=gates, gate=gate, reference_gate=reference_gate, reference_file=reference_file,
            method=method.value, s_assignment=s_assignment.value, uncompensated=uncompensated,
        )  # fmt: skip
        found = tk.ploidy_of_file(file, settings)
        if histogram is not None and found.histogram is not None:
            tk.write_table(found.histogram.table(), histogram)
        for warning in found.warnings:
            log(f"warning: {warning}", quiet=quiet)
        if json:
            print_json(found.to_dict())
            return
        for line in _lines(found):
            say(line)
        if histogram is not None and found.histogram is None:
            log(f"no histogram written: {found.message}", quiet=quiet)


def _lines(found: Any) -> list[str]:
    lines = [f"verdict: {found.verdict}. {found.message}"]
    if not found.is_known:
        return lines
    for row in found.table().iter_rows(named=True):
        name = ">= 64N" if row["class"] == "64N" else row["class"]
        lines.append(f"{name:>6s} {100 * row['fraction']:6.2f} %  ({100 * row['low']:.2f} to {100 * row['high']:.2f})")
    lines.append(
        f"mean ploidy {found.mean_ploidy:.2f} ({found.mean_ploidy_low:.2f} to {found.mean_ploidy_high:.2f}); 8N or more "
        f"{100 * found.ge8N:.2f} % ({100 * found.ge8N_low:.2f} to {100 * found.ge8N_high:.2f})"
    )
    lines.append(f"2N at {found.g1_peak:.5g}, CV {100 * found.g1_cv:.1f} %, {found.n_cells:.0f} cells of {found.n_events} events")
    return lines
