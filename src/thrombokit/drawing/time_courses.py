"""Quantities over time: a panel a quantity, a line a treatment, and the caption that says what the lines rest on."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import polars as pl

from thrombokit.drawing.numerals import chart_records
from thrombokit.drawing.theme import FAINT_INK, OKABE_ITO, styled
from thrombokit.errors import Fault, InputError

PANEL_WIDTH_PX, PANEL_HEIGHT_PX = 190, 120
CAPTION_WIDTH = 110
"""Letters of a line of the caption."""


def time_course_chart(
    rows: pl.DataFrame, *, series: Sequence[str], value_title: str, caption: str, description: str, columns: int = 3
) -> alt.FacetChart:
    """Lines over time on a square-root axis, which shows minutes and days at once.

    Parameters
    ----------
    rows : DataFrame
        `treatment, panel, time_h, value`; optional `low`, `high` draw a band.
    series : sequence of str
        Treatments in the order of the legend.
    value_title : str
        What the values are, with unit.
    caption : str
        Written below the panels.
    description : str
        For readers who hear the chart.
    columns : int
        Panels beside one another.

    Raises
    ------
    InputError
        If there is nothing to draw.
    """
    if rows.is_empty():
        raise InputError(Fault(place="time courses", found="no rows", expected="at least one treatment and one quantity",
                               cure="Name a species of the model."))  # fmt: skip
    colours = [OKABE_ITO[k % len(OKABE_ITO)] for k in range(len(series))]
    dashes = [[1, 0] if k < len(OKABE_ITO) else [4, 2] for k in range(len(series))]
    colour = alt.Color("treatment:N", title=None, sort=list(series), scale=alt.Scale(domain=list(series), range=colours),
                       legend=alt.Legend(orient="top", columns=3, labelLimit=260, symbolOpacity=1.0))  # fmt: skip
    dash = alt.StrokeDash("treatment:N", sort=list(series), scale=alt.Scale(domain=list(series), range=dashes), legend=None)
    x = alt.X("time_h:Q", title="time (h)", scale=alt.Scale(type="sqrt"), axis=alt.Axis(values=_ticks(rows), labelOverlap=True))
    base = alt.Chart().encode(x=x, color=colour)
    tips = [alt.Tooltip("treatment:N"), alt.Tooltip("time_h:Q", title="h", format=".3~g"),
            alt.Tooltip("value:Q", title=value_title, format=".3~g")]  # fmt: skip
    layers = [base.mark_line(strokeWidth=1.6).encode(y=alt.Y("value:Q", title=value_title), strokeDash=dash, tooltip=tips)]
    if {"low", "high"} <= set(rows.columns):
        layers.insert(0, base.mark_area(opacity=0.15).encode(y=alt.Y("low:Q", title=value_title), y2="high:Q"))
    data = alt.InlineData(values=chart_records(rows))  # pyright: ignore[reportArgumentType]
    chart = alt.layer(*layers).properties(width=PANEL_WIDTH_PX, height=PANEL_HEIGHT_PX)
    panels = rows["panel"].unique(maintain_order=True).to_list()
    facet = alt.Facet("panel:N", title=None, sort=panels, header=alt.Header(labelAnchor="start"))
    title = alt.Title(text=_lines(caption), orient="bottom", color=FAINT_INK, fontSize=10, fontWeight="normal", anchor="start")
    faceted = chart.facet(facet=facet, data=data, columns=min(columns, len(panels))).resolve_scale(y="independent")
    return styled(faceted.properties(description=description, title=title, usermeta={"panel_px": PANEL_WIDTH_PX + 70}))


def _ticks(rows: pl.DataFrame) -> list[float]:
    end = float(rows.select(pl.col("time_h").max()).item())
    return [tick for tick in (0.0, 1.0, 6.0, 24.0, 48.0, 72.0, 120.0, 168.0, 240.0, 336.0) if tick <= end]


def _lines(caption: str) -> list[str]:
    lines = [""]
    for word in caption.split():
        if lines[-1] and len(lines[-1]) + len(word) >= CAPTION_WIDTH:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
    return lines
