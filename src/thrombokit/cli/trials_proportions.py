"""`thrombokit trials proportions 12/30 5/31`: responders of arms compared, from counts or from a file, with strata."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

import thrombokit as tk
from thrombokit.cli.output import Json, Quiet, exit_codes, log, print_json, say
from thrombokit.errors import Fault, InputError, raise_all

_ARM = re.compile(r"\s*(\d{1,9})\s*/\s*(\d{1,9})\s*")
ArmCounts = dict[str, dict[str, tuple[int, int]]]
_CURE = "Write the arms as 12/30 5/31 (the last is the reference), or name a file with --file."


def proportions(
    arms: Annotated[
        list[str] | None, typer.Argument(metavar="A/N ... B/M", help="Responders/size of each arm; the last is the reference.")
    ] = None,
    names: Annotated[str, typer.Option(help="The arms' names, separated by commas.")] = "",
    file: Annotated[Path | None, typer.Option(help="A table of subjects or of counts: CSV, TSV, XLSX or Parquet.")] = None,
    arm: Annotated[str, typer.Option(help="Column of the arm.")] = "arm",
    reference: Annotated[str, typer.Option(help="The arm that the others are compared with.")] = "",
    response: Annotated[str, typer.Option(help="Column of each subject's response, 1 or 0.")] = "",
    responder_value: Annotated[str, typer.Option(help="What a responder's response reads, where not 1 or yes.")] = "",
    frequency: Annotated[str, typer.Option(help="Column of how many subjects a row with a response stands for.")] = "",
    responders: Annotated[str, typer.Option(help="Column of responders, one row a group.")] = "",
    size: Annotated[str, typer.Option(help="Column of the group's size.")] = "",
    strata: Annotated[str, typer.Option(help="Columns of strata, separated by commas.")] = "",
    confidence: Annotated[float, typer.Option(help="Confidence of the intervals.")] = 0.95,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Compare shares of responders, first minus (or over) reference: every usual interval and test, within strata where there are any."""
    with exit_codes(as_json=json):
        if file is None and len(arms or []) == 2 and not names:
            (a, n), (b, m) = _counts(arms or [])
            one = tk.compare_proportions(a, n, b, m, confidence=confidence)
            document, table, words = one.to_dict(), one.table_of_results(), one.summary()
        else:
            counts = (
                _read(file, arm, response, responder_value, frequency, responders, size, strata)
                if file
                else _named(arms or [], names)
            )
            base = _reference(reference, counts, from_file=file is not None)
            several = tk.compare_arms(counts, reference=base, confidence=confidence)
            document, table, words = several.to_dict(), several.table(), several.summary()
        if json:
            print_json(document)
            return
        say(table.write_csv().rstrip("\n"))
        log(words, quiet=quiet)


def _counts(said: list[str]) -> list[tuple[int, int]]:
    matched = [_ARM.fullmatch(text) for text in said]
    faults = [
        Fault(place=f"arm {number}", found=f'"{text}"', expected="responders/size, two whole numbers", cure="Write it as 12/30.")
        for number, (text, match) in enumerate(zip(said, matched, strict=True), 1)
        if match is None
    ]
    raise_all(faults, InputError)
    return [(int(match[1]), int(match[2])) for match in matched if match is not None]


def _named(said: list[str], names: str) -> ArmCounts:
    if len(said) < 2:
        raise InputError(Fault(place="arms", found=f"{len(said)} arm(s) and no file", expected="two arms or more", cure=_CURE))
    counts = _counts(said)
    called = (
        [name.strip() for name in names.split(",")] if names else [f"arm {k + 1}" for k in range(len(counts) - 1)] + ["reference"]
    )
    if len(set(called)) != len(counts) or "" in called:
        raise InputError(
            Fault(
                place="--names", found=", ".join(called), expected=f"{len(counts)} names that differ", cure="Name every arm once."
            )
        )
    return {name: {"": pair} for name, pair in zip(called, counts, strict=True)}


def _read(
    file: Path, arm: str, response: str, responder_value: str, frequency: str, responders: str, size: str, strata: str
) -> ArmCounts:
    listed = tuple(part.strip() for part in strata.split(",") if part.strip())
    return tk.read_responders(file, arm=arm, response=response or None, responders=responders or None, size=size or None, strata=listed,
                              responder_value=responder_value or None, frequency=frequency or None)  # fmt: skip


def _reference(said: str, counts: ArmCounts, *, from_file: bool) -> str:
    """The arm named, or the last one of the command line."""
    if said or not from_file:
        return said or list(counts)[-1]
    cure = f"Add --reference with one of: {', '.join(counts)}."
    raise InputError(Fault(place="--reference", found="nothing", expected="the arm that the others are compared with", cure=cure))
