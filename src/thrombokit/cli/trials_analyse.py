"""`thrombokit trials analyse COUNTS --adsl ADSL --estimands E.toml --out FOLDER`: endpoints from counts, estimands side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import thrombokit as tk
from thrombokit.cli.output import Json, Quiet, exit_codes, log, print_json, say
from thrombokit.errors import Fault, InputError


def analyse(
    file: Annotated[
        Path, typer.Argument(metavar="COUNTS", help="ADLB (XPT, Dataset-JSON), or a table: subject, arm, day or week, count, unit.")
    ],
    estimands: Annotated[str, typer.Option(help="Estimand file, or the name of a shipped one such as hetrombopag-phase3.")],
    adsl: Annotated[Path | None, typer.Option(help="ADSL, the subjects of ADLB.")] = None,
    subjects: Annotated[Path | None, typer.Option(help="A plain table of subjects: arm, rescue, drop-out, strata.")] = None,
    rescue: Annotated[Path | None, typer.Option(help="A table of rescues, one row each.")] = None,
    param: Annotated[str | None, typer.Option(help="PARAMCD of the platelet count in ADLB.")] = None,
    unit: Annotated[str | None, typer.Option(help="Unit of counts that name none, such as 10^9/L.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for tables, pictures and the analysis-results data set.")] = None,
    include_subjects: Annotated[
        bool, typer.Option("--include-subjects", help="Also draw single subjects (waterfall, swimmer plot).")
    ] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Analyse a trial's platelet counts: responses, times, days in range and changes, by the estimands of a file."""
    with exit_codes(as_json=json):
        if adsl is not None and subjects is not None:
            raise InputError(
                Fault(place="--subjects", found="it beside --adsl", expected="one table of subjects", cure="Leave one of them out.")
            )
        plan = tk.load_estimands(estimands)
        data = tk.read_trial(file, subjects=adsl or subjects, rescue=rescue, param=param, unit=unit)
        result = tk.analyse_trial(data, plan)
        if out is not None:
            tk.write_trial(result, out, include_subjects=include_subjects)
        if json:
            print_json(result.to_dict())
            return
        if out is None:
            say(result.table().drop("options", "input_sha256", "version").write_csv().rstrip("\n"))
        log(result.summary(), quiet=quiet)
