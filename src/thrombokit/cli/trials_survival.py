"""`thrombokit trials survival FILE.csv --time T --event E --arm A`: curves, medians and tests of a time-to-event table."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

import thrombokit as tk
from thrombokit.cli.output import Json, Quiet, exit_codes, log, print_json, say


class ConfType(StrEnum):
    """Scales of a band."""

    log = "log"
    log_log = "log-log"
    plain = "plain"


class MedianRule(StrEnum):
    """Rules for a median."""

    R = "R"
    inf = "inf"


class Ties(StrEnum):
    """How simultaneous events share Cox's likelihood."""

    efron = "efron"
    breslow = "breslow"


def survival(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV, TSV or Parquet, one row a subject.")],
    time: Annotated[str, typer.Option(help="Column of times.")],
    event: Annotated[str, typer.Option(help="Column of what ended the observation.")],
    arm: Annotated[str | None, typer.Option(help="Column of arms; without it all subjects are one.")] = None,
    strata: Annotated[str | None, typer.Option(help="Columns of stratification factors, with commas between.")] = None,
    event_value: Annotated[str | None, typer.Option(help="Value of the event; without it 1 of 0/1, or 2 of 1/2.")] = None,
    competing: Annotated[str | None, typer.Option(help="Values that compete with the event, with commas between.")] = None,
    cox: Annotated[Ties | None, typer.Option(help="Hazard ratios by Cox's model, with this treatment of ties.")] = None,
    reference: Annotated[
        str | None, typer.Option(help="Arm in the denominator of the hazard ratios; the first by default.")
    ] = None,
    conf_type: Annotated[ConfType, typer.Option(help="Scale of the bands.")] = ConfType.log,
    median_rule: Annotated[MedianRule, typer.Option(help="What a median is where a curve stands at exactly 0.5.")] = MedianRule.R,
    confidence: Annotated[float, typer.Option(help="Confidence of the intervals.")] = 0.95,
    rho: Annotated[float, typer.Option(help="Fleming-Harrington weight of early differences.")] = 0.0,
    gamma: Annotated[float, typer.Option(help="Fleming-Harrington weight of late differences.")] = 0.0,
    curves: Annotated[Path | None, typer.Option(help="Write the curves to this table (CSV or Parquet).")] = None,
    picture: Annotated[Path | None, typer.Option(help="Write the picture (SVG, PNG or PDF).")] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Time to event by arm: Kaplan-Meier medians, log-rank test, cumulative incidence, hazard ratios."""
    with exit_codes(as_json=json):
        data = tk.read_survival(
            file, time=time, event=event, arm=arm, strata=_listed(strata), event_value=event_value, competing=_listed(competing)
        )
        result = tk.analyse_survival(
            data, conf_type=conf_type.value, confidence=confidence, median_rule=median_rule.value, rho=rho, gamma=gamma
        )
        if cox is not None:
            result = result.with_cox(tk.fit_cox(data, ties=cox.value, reference=reference, confidence=confidence))
        if picture is not None:
            tk.write_survival_picture(result, picture)
        if curves is not None:
            tk.write_table(result.incidence_steps() if result.incidences else result.steps(), curves)
        if json:
            print_json(result.to_dict())
            return
        say(result.table().write_csv().rstrip("\n"))
        log(result.summary(), quiet=quiet)


def _listed(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip()) if text else ()
