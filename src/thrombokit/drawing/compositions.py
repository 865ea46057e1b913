"""Shares that add up to 100 %, dose by dose, as stacked bars: stages of maturation, or classes of ploidy."""

from __future__ import annotations

import altair as alt
import polars as pl

from thrombokit.drawing.numerals import chart_records
from thrombokit.drawing.theme import GREY, styled
from thrombokit.errors import Fault, InputError

BAR_PX, PANEL_HEIGHT_PX, PANEL_WIDTH_PX = 17, 190, 230
SUM_TOLERANCE_PCT = 0.5


def composition_chart(
    shares: pl.DataFrame, *, colours: dict[str, str], share_title: str, part_title: str, description: str, columns: int = 3
) -> alt.FacetChart:
    """One panel a culture, one bar a dose, one colour a part.

    Parameters
    ----------
    shares : DataFrame
        One row a part of a bar: `panel` (heading), `dose` (label, in the order wanted), `part`, `percent`; optional `low`, `high` (%),
        `tubes` (averaged). A bar's parts must add up to 100.
    colours : dict of str
        Part -> colour, in stacking order from the bottom; parts without a colour are grey.
    share_title, part_title : str
        Titles of the y axis ("% of single cells") and of the legend ("stage").
    description : str
        What the chart shows, for readers who hear it.
    columns : int
        Panels beside one another.

    Raises
    ------
    InputError
        If there is no bar, or the parts of a bar do not add up to 100 %; every such bar is named.
    """
    _refuse_incomplete(shares)
    parts = [part for part in colours if part in set(shares["part"])]
    parts += [part for part in shares["part"].unique(maintain_order=True).to_list() if part not in colours]
    ranks = {part: rank for rank, part in enumerate(parts)}
    rows = shares.with_columns(
        order=_first_place("panel"),
        step=_first_place("dose"),
        rank=pl.col("part").replace_strict(ranks, return_dtype=pl.Int64),
    )
    data = alt.InlineData(values=chart_records(rows))  # pyright: ignore[reportArgumentType]
    chart = _bars(rows, parts, colours, share_title, part_title)
    facet = alt.Facet("panel:N", title=None, sort=alt.EncodingSortField("order", op="min"),
                      header=alt.Header(labelAnchor="start", labelLimit=PANEL_WIDTH_PX + 30))  # fmt: skip
    number = shares["panel"].n_unique()
    faceted = chart.facet(facet=facet, data=data, columns=min(columns, number), spacing={"row": 24, "column": 24})
    return styled(faceted.properties(description=description, usermeta={"panel_px": PANEL_WIDTH_PX + 70}))


def _first_place(name: str) -> pl.Expr:
    """Order of first appearance, from 0."""
    return pl.int_range(pl.len()).min().over(name).rank("dense").cast(pl.Int64) - 1


def _bars(rows: pl.DataFrame, parts: list[str], colours: dict[str, str], share_title: str, part_title: str) -> alt.Chart:
    scale = alt.Scale(domain=parts, range=[colours.get(part, GREY) for part in parts])
    legend = alt.Legend(title=part_title, orient="top", symbolType="square", columns=2, labelLimit=240)
    tips = [
        alt.Tooltip("dose:N"),
        alt.Tooltip("part:N", title=part_title),
        alt.Tooltip("percent:Q", title=share_title, format=".3~g"),
    ]
    tips += [alt.Tooltip(f"{name}:Q", format=".3~g") for name in ("low", "high", "tubes") if name in rows.columns]
    return (
        alt.Chart(width=PANEL_WIDTH_PX, height=PANEL_HEIGHT_PX)
        .mark_bar(stroke="#FFFFFF", strokeWidth=0.6)
        .encode(
            x=alt.X(
                "dose:N", title=None, sort=alt.EncodingSortField("step", op="min"), axis=alt.Axis(labelAngle=-40, labelLimit=90)
            ),
            y=alt.Y(
                "percent:Q",
                title=share_title,
                stack="zero",
                scale=alt.Scale(domain=[0, 100], nice=False),
                axis=alt.Axis(tickCount=5),
            ),
            color=alt.Color("part:N", sort=parts, scale=scale, legend=legend),
            order=alt.Order("rank:Q", sort="ascending"),
            tooltip=tips,
        )
    )


def _refuse_incomplete(shares: pl.DataFrame) -> None:
    sums = shares.group_by("panel", "dose", maintain_order=True).agg(pl.col("percent").sum())
    wrong = sums.filter(~((pl.col("percent") - 100).abs() <= SUM_TOLERANCE_PCT))
    faults = [
        Fault(place=f"stacked bar {row['panel']}, {row['dose']}", found=f"parts that add up to {row['percent']:.4g} %", expected="100 %",
              cure="Give every part of the bar, also those without a name, once.")
        for row in wrong.iter_rows(named=True)
    ]  # fmt: skip
    if shares.is_empty():
        faults = [Fault(place="stacked bars", found="no bar", expected="at least one", cure="Leave the picture out.")]
    if faults:
        raise InputError(faults)
