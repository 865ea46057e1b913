"""Differences with intervals by subgroup, a panel an arm, the counts written beside: a forest plot."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import polars as pl

from thrombokit.drawing.captions import caption_title
from thrombokit.drawing.numerals import chart_records
from thrombokit.drawing.theme import BLACK, BLUE, FAINT_INK, HAIRLINE, styled
from thrombokit.errors import Fault, InputError

WIDTH_PX, LINE_PX, BESIDE_PX = 260, 20, 14


def subgroup_forest_chart(
    rows: pl.DataFrame, *, arms: Sequence[str], x_title: str, caption: str, description: str
) -> alt.FacetChart:
    """Points with intervals.

    Parameters
    ----------
    rows : DataFrame
        `arm, label, whole` (true for all subjects), `difference, low, high` (null where there is none), `counts` (text); labels in the order of
        lines.
    arms : sequence of str
        In the order of the panels.
    x_title, caption, description : str

    Raises
    ------
    InputError
        If no row has a difference.
    """
    if rows["difference"].null_count() == rows.height:
        raise InputError(
            Fault(
                place="forest plot",
                found="no difference",
                expected="at least one",
                cure="Name a reference arm, and check the subgroups.",
            )
        )
    labels = rows["label"].unique(maintain_order=True).to_list()
    ends = [v for name in ("low", "high") for v in rows[name].drop_nulls().to_list()]
    low, high = min(*ends, 0.0), max(*ends, 0.0)
    room = 0.05 * (high - low)
    x = alt.X(
        "difference:Q",
        title=x_title,
        scale=alt.Scale(domain=[low - room, high + room], nice=False),
        axis=alt.Axis(format=".0%", tickCount=6),
    )
    y = alt.Y("label:N", title=None, sort=labels, axis=alt.Axis(ticks=False, domain=False, labelLimit=200, grid=True))
    colour = alt.when(alt.datum["whole"]).then(alt.value(BLACK)).otherwise(alt.value(BLUE))
    tips = [alt.Tooltip("label:N"), alt.Tooltip("difference:Q", format=".1%"), alt.Tooltip("low:Q", format=".1%"), alt.Tooltip("high:Q",
        format=".1%"),
            alt.Tooltip("counts:N")]  # fmt: skip
    known = alt.Chart().transform_filter("isValid(datum.difference)")
    layers = [
        alt.Chart().mark_rule(stroke=HAIRLINE, strokeDash=[3, 3]).encode(x=alt.datum(0.0)),
        known.mark_rule(strokeWidth=1.6).encode(x=alt.X("low:Q"), x2="high:Q", y=y, color=colour),
        known.mark_point(filled=True, opacity=1, size=60, shape="square").encode(x=x, y=y, color=colour, tooltip=tips),
        alt.Chart()
        .mark_text(align="left", fontSize=10, color=FAINT_INK)
        .encode(x=alt.value(WIDTH_PX + BESIDE_PX), y=y, text="counts:N"),
    ]
    data = alt.InlineData(values=chart_records(rows))  # pyright: ignore[reportArgumentType]
    panel = alt.layer(*layers).properties(width=WIDTH_PX, height=alt.Step(LINE_PX))
    facet = alt.Facet("arm:N", title=None, sort=list(arms), header=alt.Header(labelLimit=WIDTH_PX, labelAnchor="start"))
    chart = panel.facet(facet=facet, data=data, columns=2, spacing=110, title=caption_title(caption, letters=110))
    return styled(chart.properties(description=description, usermeta={"margin_px": 260}))
