"""Measures of several regimens: a panel a measure, a row a regimen, each with its interval."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import polars as pl

from thrombokit.drawing.captions import caption_title
from thrombokit.drawing.numerals import chart_records
from thrombokit.drawing.theme import BLUE, styled
from thrombokit.errors import Fault, InputError

PANEL_WIDTH_PX, ROW_HEIGHT_PX, COLUMNS = 190, 22, 3


def regimen_chart(rows: pl.DataFrame, *, regimens: Sequence[str], caption: str) -> alt.FacetChart:
    """Points with bars.

    Parameters
    ----------
    rows : DataFrame
        `regimen, measure, unit, value, low, high`.
    regimens : sequence of str
        From the top down.
    caption : str
        Written below.

    Raises
    ------
    InputError
        If there is nothing to draw.
    """
    if rows.is_empty():
        raise InputError(
            Fault(place="comparison of regimens", found="no measures", expected="at least one", cure="Compare two regimens.")
        )
    shown = rows.with_columns(panel=pl.col("measure") + pl.lit(" (") + pl.col("unit") + pl.lit(")"))
    data = alt.InlineData(values=chart_records(shown))  # pyright: ignore[reportArgumentType]
    y = alt.Y("regimen:N", title=None, sort=list(regimens), axis=alt.Axis(labelLimit=260))
    base = alt.Chart().encode(y=y)
    tips = [alt.Tooltip("regimen:N"), *(alt.Tooltip(f"{name}:Q", format=".3~g") for name in ("value", "low", "high", "difference",
            "difference_low", "difference_high"))]  # fmt: skip
    layers = (
        base.mark_rule(color=BLUE, strokeWidth=2).encode(x=alt.X("low:Q", title=None, scale=alt.Scale(zero=False)), x2="high:Q"),
        base.mark_point(color=BLUE, filled=True, size=50, opacity=1.0).encode(x=alt.X("value:Q", title=None), tooltip=tips),
    )
    panel = alt.layer(*layers).properties(width=PANEL_WIDTH_PX, height=max(ROW_HEIGHT_PX * len(regimens), 60))
    panels = shown["panel"].unique(maintain_order=True).to_list()
    facet = alt.Facet("panel:N", title=None, sort=panels, header=alt.Header(labelAnchor="start"))
    faceted = panel.facet(facet=facet, data=data, columns=min(COLUMNS, len(panels))).resolve_scale(x="independent")
    return styled(faceted.properties(title=caption_title(caption), description=f"Measures of {len(regimens)} regimens. {caption}"))
