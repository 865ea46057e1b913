"""`thrombokit trials proportions 12/30 5/31`: responders of two arms compared."""

from __future__ import annotations

import re
from typing import Annotated

import typer

import thrombokit as tk
from thrombokit.cli.output import Json, Quiet, exit_codes, log, print_json, say
from thrombokit.errors import Fault, InputError, raise_all

_ARM = re.compile(r"\s*(\d{1,9})\s*/\s*(\d{1,9})\s*")


def proportions(
    first: Annotated[str, typer.Argument(metavar="A/N", help="Responders/size of the first arm, such as 12/30.")],
    second: Annotated[str, typer.Argument(metavar="B/M", help="Responders/size of the second arm, which is subtracted.")],
    confidence: Annotated[float, typer.Option(help="Confidence of the intervals.")] = 0.95,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Compare two shares of responders: every usual interval and test, first minus (or over) second."""
    with exit_codes(as_json=json):
        (a, n), (b, m) = _arms(first, second)
        compared = tk.compare_proportions(a, n, b, m, confidence=confidence)
        if json:
            print_json(compared.to_dict())
            return
        say(compared.table_of_results().write_csv().rstrip("\n"))
        log(compared.summary(), quiet=quiet)


def _arms(*said: str) -> list[tuple[int, int]]:
    matched = [_ARM.fullmatch(text) for text in said]
    faults = [
        Fault(place=f"arm {number}", found=f'"{text}"', expected="responders/size, two whole numbers", cure="Write it as 12/30.")
        for number, (text, match) in enumerate(zip(said, matched, strict=True), 1)
        if match is None
    ]
    raise_all(faults, InputError)
    return [(int(match[1]), int(match[2])) for match in matched if match is not None]
