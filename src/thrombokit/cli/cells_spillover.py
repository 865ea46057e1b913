"""`thrombokit cells spillover`: the spillover matrix from single-stain controls."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

import thrombokit as tk
from thrombokit.cli.output import Json, Quiet, exit_codes, log, print_json, say
from thrombokit.errors import Fault, InputError

UNSTAINED = "unstained"


class StatisticName(StrEnum):
    """How a coefficient is taken from a control."""

    MEDIAN = "median"
    GROUPED_SLOPE = "grouped_slope"


def spillover(
    unstained: Annotated[Path, typer.Option(help="FCS file of the unstained control.")],
    stain: Annotated[
        list[str],
        typer.Option(metavar="CHANNEL=FILE", help="Single-stain control and the channel ($PnN) of its dye; once for each dye."),
    ],
    statistic: Annotated[
        StatisticName,
        typer.Option(help="median: stained less unstained; grouped_slope: from dim to bright cells of the tube itself."),
    ] = StatisticName.MEDIAN,
    gates: Annotated[Path | None, typer.Option(help="Gating-ML file; controls are gated before they are used.")] = None,
    gate: Annotated[str | None, typer.Option(help="Id of the population in --gates to use.")] = None,
    confidence: Annotated[float, typer.Option(min=0.5, max=0.9999, help="Confidence of the intervals.")] = 0.95,
    out: Annotated[Path | None, typer.Option(help="Write the matrix as CSV, TSV or FlowJo .mtx.")] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Compute spillover and spreading from an unstained and single-stain controls; each number with its interval."""
    with exit_codes(as_json=json):
        files = _named_files(stain)
        samples = {channel: tk.read_fcs(file) for channel, file in files.items()}
        blank = tk.read_fcs(unstained)
        gated = _gated({**samples, UNSTAINED: blank}, gates, gate)
        fit = tk.fit_spillover(samples, blank, statistic=statistic.value, gated=gated, confidence=confidence)
        if out is not None:
            tk.write_spillover_table(fit.spillover, out)
        if json:
            print_json({"schema": "thrombokit.spillover/1", **fit.to_dict()})
            return
        for note in fit.notes:
            log(f"  note: {note}", quiet=quiet)
        if out is None:
            say(fit.table().write_csv().rstrip("\n"))
        log(fit.summary(), quiet=quiet)


def _named_files(stains: list[str]) -> dict[str, Path]:
    """Channel -> file of each --stain."""
    faults: list[Fault] = []
    files: dict[str, Path] = {}
    for said in stains:
        channel, equals, file = said.partition("=")
        if not (channel.strip() and equals and file.strip()):
            faults.append(
                Fault(place="--stain", found=repr(said), expected="CHANNEL=FILE, such as FL1-A=fitc.fcs", cure="Write it so.")
            )
        elif channel.strip() in files or channel.strip() == UNSTAINED:
            faults.append(Fault(place="--stain", found=f"{channel.strip()!r} twice" if channel.strip() in files else f"a channel {UNSTAINED!r}",
                                expected="each channel once; the unstained control under --unstained", cure="Leave one of them out."))  # fmt: skip
        else:
            files[channel.strip()] = Path(file.strip())
    if faults:
        raise InputError(faults)
    return files


def _gated(samples: dict[str, Any], gates: Path | None, gate: str | None) -> dict[str, Any]:
    """Which events of each control lie in the population; empty where no gates are given."""
    if gates is None and gate is None:
        return {}
    if gates is None or gate is None:
        found = "--gate without --gates" if gates is None else "--gates without --gate"
        raise InputError(
            Fault(place="--gates, --gate", found=found, expected="both or none", cure="Give the file and the population's id.")
        )
    tree = tk.read_gatingml(gates)
    if gate not in tree.population_ids:
        raise InputError(Fault(place=gates.name, found=f"no population {gate!r}", expected=f"one of {', '.join(tree.population_ids)}",
                               cure="Name one of these with --gate."))  # fmt: skip
    return {key: tk.apply_gates(sample, tree)[gate] for key, sample in samples.items()}
