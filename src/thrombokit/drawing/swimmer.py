"""One lane a subject along time, a panel an arm: how long each was followed, and what happened on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import altair as alt
import polars as pl

from thrombokit.drawing.captions import caption_title
from thrombokit.drawing.numerals import chart_records
from thrombokit.drawing.theme import GRID, styled
from thrombokit.errors import Fault, InputError

WIDTH_PX, MOST_LANES_PX, THICKEST_LANE_PX = 300, 560, 12


def swimmer_chart(
    lanes: pl.DataFrame, events: pl.DataFrame, *, arms: Sequence[str], marks: Mapping[str, tuple[str, str]], x_title: str, caption: str,
    description: str
) -> alt.FacetChart:  # fmt: skip
    """Lanes with marks, the longest lane on top.

    Parameters
    ----------
    lanes : DataFrame
        `arm, subject, end`, one row a subject.
    events : DataFrame
        `arm, subject, time, event`.
    arms : sequence of str
        In the order of the panels.
    marks : dict
        Event -> (colour, shape), in the order of the legend.
    x_title, caption, description : str

    Raises
    ------
    InputError
        If there is no lane.
    """
    if lanes.is_empty():
        raise InputError(
            Fault(place="swimmer plot", found="no subject", expected="at least one", cure="Check the table of subjects.")
        )
    ranked = lanes.sort(["end", "subject"], descending=[True, False]).with_columns(lane=pl.int_range(pl.len()).over("arm"))
    placed = events.join(ranked.select("arm", "subject", "lane"), on=["arm", "subject"], how="inner", maintain_order="left")
    most = int(ranked["lane"].max()) + 1  # pyright: ignore[reportArgumentType]  # not empty
    lane_px = min(MOST_LANES_PX / most, THICKEST_LANE_PX)
    rows = pl.concat([ranked.with_columns(kind=pl.lit("lane")), placed.with_columns(kind=pl.lit("event"))], how="diagonal")
    y = alt.Y("lane:Q", axis=None, scale=alt.Scale(domain=[most - 0.5, -0.5], nice=False))
    x = alt.X("time:Q", title=x_title, axis=alt.Axis(grid=False))
    domain = list(marks)
    colour = alt.Color("event:N", title=None, sort=domain, scale=alt.Scale(domain=domain, range=[marks[e][0] for e in domain]),
                       legend=alt.Legend(orient="top"))  # fmt: skip
    shape = alt.Shape("event:N", title=None, sort=domain, scale=alt.Scale(domain=domain, range=[marks[e][1] for e in domain]))
    tips = [alt.Tooltip("subject:N"), alt.Tooltip("event:N"), alt.Tooltip("time:Q", format=".4~g")]
    bars = alt.Chart().transform_filter("datum.kind === 'lane'").transform_calculate(time="0").mark_bar(
        color=GRID, height=max(lane_px - 1.0, 0.8)
    ).encode(x=x, x2="end:Q", y=y)  # fmt: skip
    points = alt.Chart().transform_filter("datum.kind === 'event'").mark_point(filled=True, opacity=0.95, size=max(lane_px**2 * 0.45, 9)).encode(
        x=x, y=y, color=colour, shape=shape, tooltip=tips
    )  # fmt: skip
    data = alt.InlineData(values=chart_records(rows))  # pyright: ignore[reportArgumentType]
    layered = alt.layer(bars, points).properties(width=WIDTH_PX, height=lane_px * most)
    facet = alt.Facet("arm:N", title=None, sort=list(arms), header=alt.Header(labelLimit=WIDTH_PX))
    chart = layered.facet(facet=facet, data=data, columns=3, title=caption_title(caption, letters=110))
    return styled(chart.properties(description=description, usermeta={"margin_px": 60}))
