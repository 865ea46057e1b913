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
    time: Annotated[str, typer.Option(help="Column of times; needed without --adam.")] = "",
    event: Annotated[str, typer.Option(help="Column of what ended the observation; needed without --adam.")] = "",
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
    adam: Annotated[bool, typer.Option("--adam", help="FILE is an ADTTE data set: AVAL, and CNSR, whose 0 is the event.")] = False,
    param: Annotated[str | None, typer.Option(help="With --adam: PARAMCD, where the file holds several.")] = None,
    adsl: Annotated[Path | None, typer.Option(help="With --adam: the subjects, to check names and arms.")] = None,
    curves: Annotated[Path | None, typer.Option(help="Write the curves to this table (CSV or Parquet).")] = None,
    picture: Annotated[Path | None, typer.Option(help="Write the picture (SVG, PNG or PDF).")] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Time to event by arm: Kaplan-Meier medians, log-rank test, cumulative incidence, hazard ratios."""
    _check_options(adam=adam, plain={"--time": time, "--event": event}, of_adam={"--param": param, "--adsl": adsl},
                   not_of_adam={"--event-value": event_value, "--competing": competing})  # fmt: skip
    with exit_codes(as_json=json):
        if adam:
            data = tk.read_adtte(file, adsl=adsl, param=param, arm=arm, strata=_listed(strata))
        else:
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


def _check_options(
    *, adam: bool, plain: dict[str, str], of_adam: dict[str, Path | str | None], not_of_adam: dict[str, str | None]
) -> None:
    """Options that belong together: a wrong command line ends with exit code 2."""
    lacking = [name for name, value in plain.items() if not value]
    alone = [name for name, value in of_adam.items() if value is not None]
    beside = [
        *(name for name, value in plain.items() if value),
        *(name for name, value in not_of_adam.items() if value is not None),
    ]
    if not adam and lacking:
        raise typer.BadParameter(f"Missing option {' and '.join(lacking)} (or --adam for an ADTTE data set).")
    if not adam and alone:
        raise typer.BadParameter(f"{' and '.join(alone)} without --adam.")
    if adam and beside:
        raise typer.BadParameter(f"{' and '.join(beside)} beside --adam, which reads AVAL and CNSR.")


def _listed(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip()) if text else ()
