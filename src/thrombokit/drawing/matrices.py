"""A square table of numbers as a heat map: which dye (line) shows in which detector (column)."""

from __future__ import annotations

import altair as alt
import polars as pl

from thrombokit.drawing.numerals import chart_records
from thrombokit.drawing.theme import INK, styled
from thrombokit.errors import Fault, InputError

CELL_PX = 44
DARK_SHARE = 0.6
"""Above this share of the largest value, the number in a cell is white."""


def matrix_chart(cells: pl.DataFrame, *, line_title: str, column_title: str, value_title: str, description: str) -> alt.FacetChart:
    """A heat map of one or more tables, with the number in every cell.

    Parameters
    ----------
    cells : DataFrame
        One row a cell: `table` (heading), `line`, `column`, `value` (null: an empty cell, such as a diagonal), `text` (what stands in it),
        in the order in which lines and columns shall stand.
    line_title, column_title, value_title : str
        What lines, columns and the numbers are.
    description : str
        What the chart shows, for readers who hear it.

    Raises
    ------
    InputError
        If no cell has a value.
    """
    if cells["value"].drop_nulls().drop_nans().is_empty():
        fault = Fault(
            place=f"heat map of {value_title}", found="no cell with a value", expected="at least one", cure="Leave the picture out."
        )
        raise InputError(fault)
    order = cells["line"].unique(maintain_order=True).to_list()
    largest = pl.col("value").max().over("table")
    rows = cells.with_columns(share=pl.when(largest > 0).then(pl.col("value").clip(0.0) / largest).otherwise(0.0))
    x = alt.X("column:N", title=column_title, sort=_columns(cells, order), axis=alt.Axis(labelAngle=-40, orient="bottom"))
    y = alt.Y("line:N", title=line_title, sort=order)
    tips = [
        alt.Tooltip("line:N", title=line_title),
        alt.Tooltip("column:N", title=column_title),
        alt.Tooltip("text:N", title=value_title),
    ]
    colour = alt.Color("share:Q", scale=alt.Scale(domain=[0.0, 1.0], clamp=True, scheme="blues"), legend=None)
    boxes = alt.Chart().mark_rect(stroke="#FFFFFF").encode(x=x, y=y, color=colour, tooltip=tips)
    ink = alt.condition(f"datum.share > {DARK_SHARE}", alt.value("#FFFFFF"), alt.value(INK))
    text = alt.Chart().mark_text(fontSize=10).encode(x=x, y=y, text="text:N", color=ink, tooltip=tips)
    size = CELL_PX * len(order)
    data = alt.InlineData(values=chart_records(rows))  # pyright: ignore[reportArgumentType]
    layers = alt.layer(boxes, text).properties(width=size, height=size * 2 // 3)
    facet = alt.Facet(
        "table:N", title=None, sort=rows["table"].unique(maintain_order=True).to_list(), header=alt.Header(labelAnchor="start")
    )
    chart = layers.facet(facet=facet, data=data, columns=1).resolve_scale(x="independent", y="independent")
    return styled(chart.properties(description=description))


def _columns(cells: pl.DataFrame, lines: list[str]) -> list[str]:
    """Columns that are also lines in the lines' order, then the others: the first line lacks its own column."""
    names = cells["column"].unique(maintain_order=True).to_list()
    return [name for name in lines if name in names] + [name for name in names if name not in lines]
