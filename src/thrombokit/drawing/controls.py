"""Control wells of every plate side by side: how far apart the controls stand, and how much they scatter."""

from __future__ import annotations

import altair as alt
import polars as pl

from thrombokit.drawing.numerals import chart_records
from thrombokit.drawing.theme import BLUE, GREEN, GREY, ORANGE, PURPLE, SKY_BLUE, VERMILLION, styled

CONTROLS: dict[str, tuple[str, str]] = {
    "positive control": (GREEN, "triangle-up"),
    "vehicle": (BLUE, "circle"),
    "blank": (GREY, "square"),
    "untreated": (SKY_BLUE, "diamond"),
    "day0": (PURPLE, "cross"),
    "il3 rescue": (ORANGE, "triangle-right"),
    "counter screen": (VERMILLION, "triangle-down"),
}
"""Role of a control well -> (colour, shape)."""
PLATE_PX = 52


def control_strip(wells: pl.DataFrame, *, description: str) -> alt.Chart:
    """Signal of each control well, a column per plate.

    Parameters
    ----------
    wells : DataFrame
        One row a well: `plate, well, role, signal` (instrument units), `excluded`. Wells that are no control are passed over.
    description : str
        What the chart shows, for readers who hear it.
    """
    rows = wells.with_columns(role=pl.col("role").str.replace_all("_", " ")).filter(
        pl.col("role").is_in(list(CONTROLS)) & ~pl.col("excluded") & pl.col("signal").is_finite()
    )
    present = [role for role in CONTROLS if role in set(rows["role"])]
    data = alt.InlineData(values=chart_records(rows.select("plate", "well", "role", "signal")))  # pyright: ignore[reportArgumentType]
    colour = alt.Color("role:N", title=None, sort=present, scale=alt.Scale(domain=present, range=[CONTROLS[r][0] for r in present]),
                       legend=alt.Legend(orient="top"))  # fmt: skip
    shape = alt.Shape("role:N", title=None, sort=present, scale=alt.Scale(domain=present, range=[CONTROLS[r][1] for r in present]))
    chart = (
        alt.Chart(data, width=alt.Step(PLATE_PX, **{"for": "position"}), height=220)
        .mark_point(size=30, filled=True, opacity=0.6)
        .encode(
            x=alt.X(
                "plate:N",
                title=None,
                sort=None,
                axis=alt.Axis(labelAngle=-40, labelLimit=140),
                scale=alt.Scale(paddingInner=0.25),
            ),
            xOffset=alt.XOffset("role:N", sort=present),
            y=alt.Y("signal:Q", title="signal (instrument units)", axis=alt.Axis(tickCount=6)),
            color=colour,
            shape=shape,
            tooltip=[alt.Tooltip("plate:N"), alt.Tooltip("well:N"), alt.Tooltip("role:N"), alt.Tooltip("signal:Q", format=".4~g")],
        )
    )
    return styled(chart.properties(description=description))
