"""Counts over visits, a panel an arm: median with quartiles, and behind it, where asked for, a thin line for each subject."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import polars as pl

from thrombokit.drawing.captions import caption_title
from thrombokit.drawing.numerals import chart_records
from thrombokit.drawing.theme import BLUE, HAIRLINE, VERMILLION, styled
from thrombokit.errors import Fault, InputError

WIDTH_PX, HEIGHT_PX = 240, 230


def spaghetti_chart(
    middles: pl.DataFrame, lines: pl.DataFrame, *, arms: Sequence[str], levels: Sequence[float], x_title: str, y_title: str, caption: str,
    description: str
) -> alt.FacetChart:  # fmt: skip
    """Medians, quartiles and lines on a logarithmic scale.

    Parameters
    ----------
    middles : DataFrame
        `arm, time, median, lower, upper`.
    lines : DataFrame
        `arm, subject, time, value`; empty where no subject is to be shown. Values below 1 are drawn at 1.
    arms : sequence of str
        In the order of the panels.
    levels : sequence of float
        Heights of the dashed lines.
    x_title, y_title, caption, description : str

    Raises
    ------
    InputError
        If there is no median.
    """
    known = middles.filter(pl.col("median").is_not_null())
    if known.is_empty():
        raise InputError(
            Fault(place="counts over visits", found="no count", expected="at least one", cure="Check the visits' windows.")
        )
    floored = [known.with_columns(kind=pl.lit("middle")), lines.with_columns(kind=pl.lit("line"))]
    marks = pl.DataFrame(
        {"arm": [arm for arm in arms for _ in levels], "level": [float(v) for _ in arms for v in levels]}
    ).with_columns(kind=pl.lit("level"))
    rows = pl.concat([*floored, marks], how="diagonal").with_columns(
        pl.col("median", "lower", "upper", "value").clip(lower_bound=1.0)
    )
    data = alt.InlineData(values=chart_records(rows))  # pyright: ignore[reportArgumentType]
    panel = alt.layer(*_layers(x_title, y_title)).properties(width=WIDTH_PX, height=HEIGHT_PX)
    facet = alt.Facet("arm:N", title=None, sort=list(arms), header=alt.Header(labelLimit=WIDTH_PX))
    chart = panel.facet(facet=facet, data=data, columns=3, title=caption_title(caption, letters=100))
    return styled(chart.properties(description=description, usermeta={"margin_px": 90}))


def _layers(x_title: str, y_title: str) -> list[alt.Chart]:
    """Levels, lines, band and median, each from its kind of rows."""
    x = alt.X("time:Q", title=x_title, axis=alt.Axis(grid=False))
    scale = alt.Scale(type="log", nice=False)
    y_axis = alt.Axis(values=[1, 2, 5, 10, 20, 50, 100, 200, 500, 1000], format="~g")

    def y(field: str) -> alt.Y:
        return alt.Y(f"{field}:Q", title=y_title, scale=scale, axis=y_axis)

    def layer(kind: str) -> alt.Chart:
        return alt.Chart().transform_filter(f"datum.kind === '{kind}'")

    tips = [alt.Tooltip("subject:N"), alt.Tooltip("time:Q"), alt.Tooltip("value:Q", format=".4~g")]
    return [
        layer("level").mark_rule(stroke=HAIRLINE, strokeDash=[3, 3]).encode(y=y("level")),
        layer("line")
        .mark_line(color=BLUE, opacity=0.22, strokeWidth=0.8)
        .encode(x=x, y=y("value"), detail="subject:N", tooltip=tips),
        layer("middle").mark_area(color=VERMILLION, opacity=0.16).encode(x=x, y=y("lower"), y2="upper:Q"),
        layer("middle")
        .mark_line(color=VERMILLION, strokeWidth=2.2, point=alt.OverlayMarkDef(color=VERMILLION, size=30))
        .encode(x=x, y=y("median")),
    ]
