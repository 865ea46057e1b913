"""Shares by visit and arm as lines with intervals, side by side at each visit, and below the axis how many were counted."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import polars as pl

from thrombokit.drawing.captions import caption_title
from thrombokit.drawing.numerals import chart_records
from thrombokit.drawing.theme import FAINT_INK, INK, OKABE_ITO, styled
from thrombokit.errors import Fault, InputError

WIDTH_PX, HEIGHT_PX, ROW_PX, BELOW_AXIS_PX = 480, 260, 15, 58
SIDE_STEP = 0.035
"""How far apart arms stand at a visit, as a share of the distance between visits (on average)."""


def response_by_visit_chart(
    rows: pl.DataFrame, *, arms: Sequence[str], y_title: str, caption: str, description: str
) -> alt.LayerChart:
    """Lines of shares.

    Parameters
    ----------
    rows : DataFrame
        `arm, week, share, low, high` (0 to 1, null where unknown) and `n` (written below).
    arms : sequence of str
        In the order of the legend.
    y_title : str
        What is shared.
    caption : str
        Written below.
    description : str
        For readers who hear the chart.

    Raises
    ------
    InputError
        If no share is known.
    """
    known = rows.filter(pl.col("share").is_not_null())
    if known.is_empty():
        raise InputError(
            Fault(place="response by visit", found="no share", expected="at least one", cure="Check the visits and the counts.")
        )
    weeks: list[float] = rows["week"].unique().sort().to_list()
    step = (weeks[-1] - weeks[0]) / max(len(weeks) - 1, 1) or 1.0
    places = {arm: (k - (len(arms) - 1) / 2) * SIDE_STEP * 2 * step for k, arm in enumerate(arms)}
    placed = known.with_columns(at=pl.col("week") + pl.col("arm").replace_strict(places, return_dtype=pl.Float64))
    domain = [weeks[0] - 0.5 * step, weeks[-1] + 0.5 * step]
    x = alt.X(
        "at:Q", title="week", scale=alt.Scale(domain=domain, nice=False), axis=alt.Axis(values=weeks, grid=False, format="~g")
    )
    y = alt.Y("share:Q", title=y_title, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format=".0%", tickCount=5))
    tips = [alt.Tooltip("arm:N"), alt.Tooltip("week:Q"), alt.Tooltip("share:Q", format=".1%"), alt.Tooltip("low:Q", format=".1%"),
            alt.Tooltip("high:Q", format=".1%"), alt.Tooltip("n:Q")]  # fmt: skip
    base = _chart(placed).encode(x=x, color=_colour(arms))
    layers = [
        base.mark_rule(strokeWidth=1.3, opacity=0.7).encode(y=alt.Y("low:Q"), y2="high:Q"),
        base.mark_line(strokeWidth=1.8).encode(y=y),
        base.mark_point(filled=True, size=38, opacity=1).encode(y=y, tooltip=tips),
        *_number_layers(rows, arms, domain),
    ]
    title = caption_title(caption, letters=95)
    chart = alt.LayerChart(layer=layers, width=WIDTH_PX, height=HEIGHT_PX, description=description, title=title)
    return styled(chart.properties(usermeta={"panel_px": WIDTH_PX + 160}))


def _colour(arms: Sequence[str]) -> alt.Color:
    colours = [OKABE_ITO[k % len(OKABE_ITO)] for k in range(len(arms))]
    legend = alt.Legend(orient="top", columns=4, labelLimit=220, symbolType="stroke", symbolStrokeWidth=3, symbolOpacity=1)
    return alt.Color("arm:N", title=None, sort=list(arms), scale=alt.Scale(domain=list(arms), range=colours), legend=legend)


def _number_layers(rows: pl.DataFrame, arms: Sequence[str], domain: Sequence[float]) -> list[alt.Chart]:
    x = alt.X("week:Q", scale=alt.Scale(domain=list(domain), nice=False))
    top = HEIGHT_PX + BELOW_AXIS_PX
    heading = alt.Chart(alt.InlineData(values=[{"text": "Counted"}])).mark_text(
        align="right", fontSize=11, color=INK, fontWeight=600
    )
    layers = [heading.encode(text="text:N", x=alt.value(-12), y=alt.value(top))]
    for k, arm in enumerate(arms):
        place = alt.value(top + ROW_PX * (k + 1))
        numbers = _chart(rows.filter(pl.col("arm") == arm).select("week", "n"))
        layers.append(numbers.mark_text(fontSize=11, color=FAINT_INK).encode(text=alt.Text("n:Q", format="d"), x=x, y=place))
        name = alt.Chart(alt.InlineData(values=[{"text": arm}])).mark_text(
            align="right", fontSize=11, color=OKABE_ITO[k % len(OKABE_ITO)], limit=130
        )
        layers.append(name.encode(text="text:N", x=alt.value(-12), y=place))
    return layers


def _chart(rows: pl.DataFrame) -> alt.Chart:
    return alt.Chart(alt.InlineData(values=chart_records(rows)))  # pyright: ignore[reportArgumentType]
