"""Numbers of a table as bars: a panel a quantity, each with its own axis and unit, a row a label."""

from __future__ import annotations

import altair as alt
import polars as pl

from thrombokit.drawing.captions import caption_title
from thrombokit.drawing.numerals import chart_records
from thrombokit.drawing.theme import BLUE, styled
from thrombokit.errors import Fault, InputError

BAR_PX, PANEL_PX = 15, 150


def table_bars(rows: pl.DataFrame, *, caption: str, description: str, columns: int = 2) -> alt.FacetChart:
    """Bars from 0, to either side; a label without a value in a panel is left out of it.

    Parameters
    ----------
    rows : DataFrame
        `label, panel, value`, in the order in which they shall stand; the panel's name carries the unit.
    caption, description : str
        Below the panels; for readers who hear the chart.
    columns : int
        Panels beside one another.

    Raises
    ------
    InputError
        If there is no value, or a label has two in one panel.
    """
    kept = rows.filter(pl.col("value").is_not_null() & pl.col("value").is_finite())
    if kept.is_empty():
        raise InputError(Fault(place="bars", found="no value", expected="at least one", cure="Leave the picture out."))
    if kept.select("label", "panel").is_duplicated().any():
        raise InputError(
            Fault(place="bars", found="two values of one label", expected="one", cure="Give rows labels of their own.")
        )
    order = kept["label"].unique(maintain_order=True).to_list()
    panels = kept["panel"].unique(maintain_order=True).to_list()
    y = alt.Y("label:N", title=None, sort=order, axis=alt.Axis(labelLimit=340))
    x = alt.X("value:Q", title=None, stack=None, axis=alt.Axis(tickCount=4, labelOverlap=True))
    tips = [alt.Tooltip("label:N"), alt.Tooltip("panel:N"), alt.Tooltip("value:Q", format=".3~g")]
    bars = alt.Chart().mark_bar(color=BLUE, opacity=0.85, height={"band": 0.72}).encode(x=x, y=y, tooltip=tips)
    data = alt.InlineData(values=chart_records(kept))  # pyright: ignore[reportArgumentType]
    chart = bars.properties(width=PANEL_PX, height=alt.Step(BAR_PX)).facet(
        facet=alt.Facet("panel:N", title=None, sort=panels, header=alt.Header(labelFontWeight=600)), columns=columns, data=data,
    )  # fmt: skip
    return styled(
        chart.resolve_scale(x="independent", y="independent").properties(title=caption_title(caption), description=description)
    )
