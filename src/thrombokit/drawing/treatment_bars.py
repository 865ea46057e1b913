"""Treatments side by side: a row a treatment, a panel a quantity, a bar its value in %."""

from __future__ import annotations

import altair as alt
import polars as pl

from thrombokit.drawing.captions import caption_title
from thrombokit.drawing.numerals import chart_records
from thrombokit.drawing.theme import BLUE, INK, styled
from thrombokit.errors import Fault, InputError

BAR_PX, PANEL_PX = 15, 130


def treatment_bars(rows: pl.DataFrame, *, caption: str, description: str) -> alt.FacetChart:
    """Bars with their numbers; a treatment without a value has none.

    Parameters
    ----------
    rows : DataFrame
        `treatment, quantity, value` (%), in the order in which they shall stand.
    caption, description : str
        Below the panels; for readers who hear the chart.

    Raises
    ------
    InputError
        If no treatment has a value.
    """
    if rows.is_empty() or rows["value"].drop_nulls().is_empty():
        raise InputError(Fault(place="treatments", found="no value", expected="at least one", cure="Leave the picture out."))
    order = rows["treatment"].unique(maintain_order=True).to_list()
    panels = rows["quantity"].unique(maintain_order=True).to_list()
    highest = max(float(rows["value"].drop_nulls().max() or 0.0), 100.0)  # pyright: ignore[reportArgumentType]
    y = alt.Y("treatment:N", title=None, sort=order, axis=alt.Axis(labelLimit=320))
    x = alt.X("value:Q", title="%", scale=alt.Scale(domain=[0, highest * 1.22], nice=False), axis=alt.Axis(tickCount=3))
    tips = [alt.Tooltip("treatment:N"), alt.Tooltip("quantity:N"), alt.Tooltip("value:Q", title="%", format=".3~g")]
    base = alt.Chart().encode(y=y, x=x, tooltip=tips)
    layers = alt.layer(
        base.mark_bar(color=BLUE, opacity=0.85, height={"band": 0.72}),
        base.mark_text(align="left", dx=4, fontSize=10, color=INK).encode(text="words:N"),
    ).properties(width=PANEL_PX, height=alt.Step(BAR_PX))
    words = (
        pl.when(pl.col("value").is_null())
        .then(pl.lit(""))
        .otherwise(pl.col("value").round(0).cast(pl.Int64, strict=False).cast(pl.String))
    )
    data = alt.InlineData(values=chart_records(rows.with_columns(words=words)))  # pyright: ignore[reportArgumentType]
    facet = alt.Facet("quantity:N", title=None, sort=panels, header=alt.Header(labelAnchor="start"))
    faceted = layers.facet(facet=facet, data=data, columns=len(panels))
    return styled(faceted.properties(description=description, title=caption_title(caption)))
