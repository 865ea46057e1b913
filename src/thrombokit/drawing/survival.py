"""Step curves over time by arm, with bands, ticks where subjects were censored, and the numbers at risk written below the axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt
import polars as pl

from thrombokit.drawing.captions import caption_title
from thrombokit.drawing.numerals import chart_records
from thrombokit.drawing.theme import FAINT_INK, HAIRLINE, INK, OKABE_ITO, styled
from thrombokit.errors import Fault, InputError

WIDTH_PX, HEIGHT_PX = 460, 270
ROW_PX = 15
BELOW_AXIS_PX = 58
"""From the axis down to the first row of numbers at risk: tick labels and title stand between."""
FINEST_STEP = 1.0 / 500.0
"""Steps smaller than this, about half a pixel, are drawn as one."""
DASHES = ([1, 0], [5, 3], [2, 2], [8, 3, 2, 3])


@dataclass(frozen=True, kw_only=True)
class StepCurves:
    """What is drawn.

    `curves`: `arm, cause, time, value, low, high` from time 0 on, low and high null where there is no band; `censored`:
    `arm, time, value`; `at_risk`: `arm, time, n`.
    """

    curves: pl.DataFrame
    censored: pl.DataFrame
    at_risk: pl.DataFrame


def survival_chart(
    data: StepCurves, *, arms: Sequence[str], causes: Sequence[str], x_title: str, y_title: str, caption: str, description: str
) -> alt.LayerChart:  # fmt: skip
    """One colour an arm; where there is more than one cause, one dash a cause.

    Parameters
    ----------
    data : StepCurves
        Values between 0 and 1.
    arms, causes : sequence of str
        In the order of the legend.
    x_title, y_title : str
        Time with its unit; what the value is.
    caption : str
        Written below.
    description : str
        For readers who hear the chart.

    Raises
    ------
    InputError
        If there is no curve.
    """
    if data.curves.is_empty():
        raise InputError(Fault(place="survival chart", found="no curve", expected="at least one arm", cure="Give an arm."))
    ticks = data.at_risk["time"].unique().sort().to_list()
    end = max(float(data.curves["time"].max() or 0.0), *ticks)  # pyright: ignore[reportArgumentType]
    x = alt.X("time:Q", title=x_title, scale=alt.Scale(domain=[0, end or 1], nice=False), axis=alt.Axis(values=ticks, grid=False))
    y = alt.Y("value:Q", title=y_title, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format=".0%", tickCount=5))
    layers = [*_curve_layers(_joined(data.curves), arms, causes, x, y, x_title)]
    if not data.censored.is_empty():
        layers.append(
            _chart(data.censored).mark_tick(orient="vertical", thickness=1, size=7, opacity=0.8)
            .encode(x=x, y=y, color=_colour(arms))
        )  # fmt: skip
    layers += _risk_layers(data.at_risk, arms, x)
    title = caption_title(caption, letters=90)
    chart = alt.LayerChart(layer=layers, width=WIDTH_PX, height=HEIGHT_PX, description=description, title=title)
    return styled(chart.properties(usermeta={"panel_px": WIDTH_PX + 160}))


def round_ticks(end: float, *, most: int = 10) -> tuple[float, ...]:
    """At most `most` round times from 0 up to `end`: steps of 1, 2 or 5 times a power of ten."""
    if end <= 0.0:
        return (0.0,)
    power = 10.0 ** math.floor(math.log10(end / (most - 1)))
    step = next(power * k for k in (1.0, 2.0, 5.0, 10.0) if end / (power * k) <= most - 1 + 1e-9)
    return tuple(k * step for k in range(math.floor(end / step + 1e-9) + 1))


def _joined(curves: pl.DataFrame) -> pl.DataFrame:
    """Of steps closer than `FINEST_STEP`, the first; the last time of each curve is always kept."""
    series = ("arm", "cause")
    level = (pl.col("value") / FINEST_STEP).round().cast(pl.Int64)
    first = level.ne_missing(level.shift(1)).over(series)
    last = pl.int_range(pl.len()).over(series) == pl.len().over(series) - 1
    return curves.filter(first | last)


def _chart(rows: pl.DataFrame) -> alt.Chart:
    return alt.Chart(alt.InlineData(values=chart_records(rows)))  # pyright: ignore[reportArgumentType]


def _colour(arms: Sequence[str]) -> alt.Color:
    colours = [OKABE_ITO[k % len(OKABE_ITO)] for k in range(len(arms))]
    legend = alt.Legend(orient="top", columns=4, labelLimit=220, symbolType="stroke", symbolStrokeWidth=3, symbolOpacity=1)
    return alt.Color("arm:N", title=None, sort=list(arms), scale=alt.Scale(domain=list(arms), range=colours), legend=legend)


def _curve_layers(
    curves: pl.DataFrame, arms: Sequence[str], causes: Sequence[str], x: alt.X, y: alt.Y, x_title: str
) -> list[alt.Chart]:  # fmt: skip
    tips = [alt.Tooltip("arm:N"), alt.Tooltip("time:Q", title=x_title, format=".4~g"),
            alt.Tooltip("value:Q", format=".3f"), alt.Tooltip("low:Q", format=".3f"), alt.Tooltip("high:Q", format=".3f")]  # fmt: skip
    base = _chart(curves).encode(x=x, color=_colour(arms), detail="cause:N")
    band = base.transform_filter("isValid(datum.low) && isValid(datum.high)").mark_area(interpolate="step-after", opacity=0.13)
    line = base.mark_line(interpolate="step-after", strokeWidth=1.8).encode(y=y, tooltip=tips)
    if len(causes) > 1:
        dashes = [DASHES[k % len(DASHES)] for k in range(len(causes))]
        line = line.encode(
            strokeDash=alt.StrokeDash("cause:N", title=None, sort=list(causes), scale=alt.Scale(domain=list(causes), range=dashes),
                                      legend=alt.Legend(orient="top", symbolType="stroke", symbolStrokeWidth=2, labelLimit=220))
        )  # fmt: skip
    half = (
        alt.Chart(alt.InlineData(values=[{"value": 0.5}])).mark_rule(stroke=HAIRLINE, strokeDash=[2, 3], strokeWidth=1).encode(y=y)
    )
    return [half, band.encode(y=alt.Y("low:Q"), y2="high:Q"), line]


def _risk_layers(at_risk: pl.DataFrame, arms: Sequence[str], x: alt.X) -> list[alt.Chart]:
    """The title "at risk" and one row of numbers an arm, below the axis and on its scale."""
    top = HEIGHT_PX + BELOW_AXIS_PX
    title = alt.Chart(alt.InlineData(values=[{"text": "At risk"}])).mark_text(align="right", fontSize=11, color=INK, fontWeight=600)
    layers = [title.encode(text="text:N", x=alt.value(-12), y=alt.value(top))]
    for k, arm in enumerate(arms):
        place = alt.value(top + ROW_PX * (k + 1))
        colour = OKABE_ITO[k % len(OKABE_ITO)]
        rows = _chart(at_risk.filter(pl.col("arm") == arm))
        layers.append(rows.mark_text(fontSize=11, color=FAINT_INK).encode(text=alt.Text("n:Q", format="d"), x=x, y=place))
        name = alt.Chart(alt.InlineData(values=[{"text": arm}]))
        layers.append(
            name.mark_text(align="right", fontSize=11, color=colour, limit=130).encode(text="text:N", x=alt.value(-12), y=place)
        )
    return layers
