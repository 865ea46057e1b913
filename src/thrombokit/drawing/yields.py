"""Yield over the days of culture: cumulative megakaryocytes per CD34+ cell seeded, one line a culture, on a logarithmic axis."""

from __future__ import annotations

import altair as alt
import polars as pl

from thrombokit.drawing.numerals import chart_records
from thrombokit.drawing.theme import OKABE_ITO, styled
from thrombokit.errors import Fault, InputError

PANEL_WIDTH_PX, PANEL_HEIGHT_PX = 220, 170


def yield_chart(yields: pl.DataFrame, *, title: str, description: str, columns: int = 3) -> alt.FacetChart:
    """One panel a donor, one line an agonist and dose.

    Parameters
    ----------
    yields : DataFrame
        One row a culture and day: `panel` (donor), `culture` (what tells lines apart), `day_d`, `value, low, high` (null where open).
        Values that are not positive have no place on a logarithmic axis and are left out.
    title : str
        Title of the y axis.
    description : str
        What the chart shows, for readers who hear it.
    columns : int
        Panels beside one another.

    Raises
    ------
    InputError
        If no value is positive.
    """
    drawn = yields.filter(pl.col("value") > 0)
    if drawn.is_empty():
        raise InputError(
            Fault(place="yield chart", found=f"{yields.height} rows, none with a yield above 0", expected="at least one",
                  cure="Leave the picture out, or look at the ledger of the culture.")
        )  # fmt: skip
    places = {name: place for place, name in enumerate(drawn["panel"].unique(maintain_order=True))}
    rows = drawn.with_columns(order=pl.col("panel").replace_strict(places, return_dtype=pl.Int64),
                              low=pl.when(pl.col("low") > 0).then("low"))  # fmt: skip
    cultures = drawn["culture"].unique(maintain_order=True).to_list()
    data = alt.InlineData(values=chart_records(rows))  # pyright: ignore[reportArgumentType]
    facet = alt.Facet("panel:N", title=None, sort=alt.EncodingSortField("order", op="min"),
                      header=alt.Header(labelAnchor="start", labelLimit=PANEL_WIDTH_PX + 30))  # fmt: skip
    chart = alt.layer(*_layers(cultures, title)).properties(width=PANEL_WIDTH_PX, height=PANEL_HEIGHT_PX)
    faceted = chart.facet(facet=facet, data=data, columns=min(columns, len(places)), spacing={"row": 24, "column": 24})
    return styled(faceted.properties(description=description, usermeta={"panel_px": PANEL_WIDTH_PX + 70}))


def _layers(cultures: list[str], title: str) -> list[alt.Chart]:
    scale = alt.Scale(domain=cultures, range=[OKABE_ITO[n % len(OKABE_ITO)] for n in range(len(cultures))])
    number = ".3~g"
    base = alt.Chart().encode(
        x=alt.X("day_d:Q", title="day of culture", axis=alt.Axis(tickMinStep=1, grid=False)),
        y=alt.Y("value:Q", title=title, scale=alt.Scale(type="log"), axis=alt.Axis(format="~g", tickCount=4, grid=False)),
        color=alt.Color("culture:N", title=None, sort=cultures, scale=scale,
                        legend=alt.Legend(orient="top", columns=3, labelLimit=220, symbolOpacity=1)),
        tooltip=[alt.Tooltip("culture:N"), alt.Tooltip("day_d:Q", title="day"), alt.Tooltip("value:Q", title=title, format=number),
                 alt.Tooltip("low:Q", format=number), alt.Tooltip("high:Q", format=number)],
    )  # fmt: skip
    bars = base.transform_filter("isValid(datum.low) && isValid(datum.high)")
    return [
        bars.mark_rule(strokeWidth=1.4, opacity=0.7).encode(y=alt.Y("low:Q"), y2="high:Q"),
        base.mark_line(strokeWidth=1.8),
        base.mark_point(filled=True, size=36, opacity=1),
    ]
