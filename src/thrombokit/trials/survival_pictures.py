"""What the pictures of a time-to-event analysis show: from the result to the plain tables that `drawing.survival` takes."""

from __future__ import annotations

import altair as alt
import numpy as np
import polars as pl

from thrombokit.drawing.survival import StepCurves, round_ticks, survival_chart
from thrombokit.numerics.arrays import Array
from thrombokit.trials.competing_risks import CumulativeIncidence, estimate_incidence
from thrombokit.trials.survival_estimates import SurvivalEstimates
from thrombokit.trials.survival_words import summary_of

MOST_TICKS = 300
"""Censoring times of an arm that are drawn; more would be a grey bar, and are left out."""


def survival_picture(result: SurvivalEstimates) -> alt.LayerChart:
    """Kaplan-Meier curves."""
    start = pl.DataFrame(
        {"arm": [arm.name for arm in result.arms], "time": 0.0, "value": 1.0, "low": 1.0, "high": 1.0},
        schema={"arm": pl.String, **dict.fromkeys(("time", "value", "low", "high"), pl.Float64)},
    )
    steps = result.steps().rename({"survival": "value"})
    curves = _closed(pl.concat([start, steps.select(start.columns)]).with_columns(cause=pl.lit("")), sure=1.0)
    censored = steps.filter(pl.col("n_censored") > 0).select("arm", "time", "value")
    few = censored.group_by("arm", maintain_order=True).len().filter(pl.col("len") <= MOST_TICKS)["arm"]
    return survival_chart(
        StepCurves(curves=curves, censored=censored.filter(pl.col("arm").is_in(few.implode())), at_risk=_at_risk(result)),
        arms=result.data.arms, causes=("",), x_title=result.data.time_name, y_title=f"without {_event_words(result)}",
        caption=f"Kaplan-Meier, pointwise {100 * result.confidence:g} % {result.conf_type} bands; upright ticks: censored.",
        description=f"Kaplan-Meier curves of {len(result.arms)} arms. {summary_of(result)}",
    )  # fmt: skip


def incidence_picture(result: SurvivalEstimates) -> alt.LayerChart:
    """Cumulative incidence of every cause, one colour an arm, one dash a cause."""
    incidences = result.incidences or tuple(_only_cause(result))
    columns = {"time": pl.Float64, "value": pl.Float64, "low": pl.Float64, "high": pl.Float64}
    tables = [
        pl.DataFrame(
            {"time": [0.0, *one.time], "value": [0.0, *one.incidence], "low": [0.0, *one.low], "high": [0.0, *one.high]}, schema=columns
        ).select(pl.lit(one.arm).alias("arm"), *columns, pl.lit(one.cause).alias("cause"))
        for one in incidences
    ]  # fmt: skip
    # bands of every cause would hide one another: the event's alone is drawn
    main = pl.col("cause") == incidences[0].cause
    closed = _closed(pl.concat(tables).fill_nan(None), sure=0.0)
    curves = closed.with_columns(pl.when(main).then(pl.col(c)).alias(c) for c in ("low", "high"))
    nothing = pl.DataFrame(schema={"arm": pl.String, "time": pl.Float64, "value": pl.Float64})
    return survival_chart(
        StepCurves(curves=curves, censored=nothing, at_risk=_at_risk(result)),
        arms=result.data.arms, causes=tuple(dict.fromkeys(one.cause for one in incidences)), x_title=result.data.time_name,
        y_title="cumulative incidence",
        caption=f"Aalen-Johansen; pointwise {100 * result.confidence:g} % {result.conf_type} bands of {incidences[0].cause}.",
        description=f"Cumulative incidence by arm and cause. {summary_of(result)}",
    )  # fmt: skip


def _closed(curves: pl.DataFrame, *, sure: float) -> pl.DataFrame:
    """Bands without holes: shut while nothing has happened, and carried on to the right-hand edge of the last step."""
    edges = ("low", "high")
    begun = curves.with_columns(pl.when(pl.col("value") == sure).then(sure).otherwise(pl.col(edge)).alias(edge) for edge in edges)
    return begun.with_columns(pl.col(edge).forward_fill().over("arm", "cause") for edge in edges)


def _event_words(result: SurvivalEstimates) -> str:
    name = result.data.causes[0]
    return "the event" if name == "event" else name


def _only_cause(result: SurvivalEstimates) -> list[CumulativeIncidence]:
    data = result.data
    return [
        estimate_incidence(data.time[data.arm == k], data.cause[data.arm == k], of=1, arm=name, name=data.causes[0],
                           conf_type=result.conf_type, confidence=result.confidence)
        for k, name in enumerate(data.arms)
    ]  # fmt: skip


def _at_risk(result: SurvivalEstimates) -> pl.DataFrame:
    ticks: Array = np.array(round_ticks(float(result.data.time.max())))
    tables = [
        pl.DataFrame({"arm": [arm.name] * ticks.size, "time": ticks, "n": arm.curve.risk.at_risk_at(ticks)}) for arm in result.arms
    ]
    return pl.concat(tables)
