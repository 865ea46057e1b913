"""`thrombokit trials published NAME`: a published trial's counts analysed, the article's own figures beside."""

from __future__ import annotations

from typing import Annotated

import typer

import thrombokit as tk
from thrombokit.cli.output import Json, Quiet, exit_codes, log, print_json, say


def published(
    name: Annotated[str, typer.Argument(help="Such as hetrombopag-phase3; without it, the names of all.")] = "",
    confidence: Annotated[float, typer.Option(help="Confidence of the intervals.")] = 0.95,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Analyse a published trial's counts: shares, differences, odds ratios, and what the article prints beside them."""
    with exit_codes(as_json=json):
        if not name:
            known = [{"name": trial.name, "title": trial.title} for trial in tk.published_trials()]
            if json:
                print_json({"schema": "thrombokit.published-trials/1", "trials": known})
                return
            for trial in known:
                say(f"{trial['name']}\t{trial['title']}")
            return
        analysed = tk.analyse_published(tk.find_published_trial(name), confidence=confidence)
        if json:
            print_json(analysed.to_dict())
            return
        say(analysed.table().write_csv().rstrip("\n"))
        log(analysed.summary(), quiet=quiet)
