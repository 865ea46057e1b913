"""Measures over the weeks under many draws of parameters: the interval of all draws, and the median of every part of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import altair as alt
import polars as pl

from thrombokit.drawing.captions import caption_title
from thrombokit.drawing.numerals import chart_records
from thrombokit.drawing.theme import BLUE, styled
from thrombokit.errors import Fault, InputError

PANEL_WIDTH_PX, PANEL_HEIGHT_PX = 300, 170


def draw_bands_chart(
    table: pl.DataFrame, *, titles: Mapping[str, str], shares: Sequence[str], whole: str, caption: str
) -> alt.VConcatChart:
    """A panel a measure, two in a row.

    Parameters
    ----------
    table : DataFrame
        `part, measure, week, median, low, high`.
    titles : mapping of str to str
        Measure -> title of its axis, in the order of the panels.
    shares : sequence of str
        Measures that are shares, shown in %.
    whole : str
        The part whose interval is drawn; of the others the median alone.
    caption : str

    Raises
    ------
    InputError
        If there is nothing to draw.
    """
    seen = table.filter(pl.col("median").is_not_null())
    if seen.is_empty():
        raise InputError(
            Fault(place="draws", found="no week with a value in all draws", expected="at least one", cure="Simulate longer.")
        )
    panels = [_panel(seen.filter(pl.col("measure") == measure), title, whole=whole, is_share=measure in shares)
              for measure, title in titles.items()]  # fmt: skip
    rows = [alt.hconcat(*panels[k : k + 2]) for k in range(0, len(panels), 2)]
    others = len(seen["part"].unique()) > 1
    lines = f"{caption}. Band: 5 to 95 % of the draws, {whole}; lines: medians{' of every part' if others else ''}. Simulated."
    told = ", ".join(titles.values())
    config = styled(alt.Chart(alt.InlineData(values=[])).mark_point()).to_dict()["config"]  # pyright: ignore[reportArgumentType]
    return (
        alt.vconcat(*rows).properties(title=caption_title(lines), description=f"{told} over the weeks. {lines}").configure(**config)
    )


def _panel(rows: pl.DataFrame, title: str, *, whole: str, is_share: bool) -> alt.LayerChart | alt.FacetChart:
    data = alt.InlineData(values=chart_records(rows.select("part", "week", "median", "low", "high")))  # pyright: ignore[reportArgumentType]
    axis = alt.Axis(format="%") if is_share else alt.Axis()
    scale = alt.Scale(domainMin=0.0)
    base = alt.Chart(data).encode(x=alt.X("week:Q", title="week", scale=alt.Scale(nice=False)))
    base = base.properties(width=PANEL_WIDTH_PX, height=PANEL_HEIGHT_PX)
    band = base.transform_filter(alt.datum.part == whole).mark_area(color=BLUE, opacity=0.22)
    line = base.mark_line().encode(
        y=alt.Y("median:Q", title=title, axis=axis, scale=scale), color=alt.Color("part:N", title=None, sort=None),
        strokeDash=alt.condition(alt.datum.part == whole, alt.value([1, 0]), alt.value([5, 3])),
    )  # fmt: skip
    return alt.layer(band.encode(y=alt.Y("low:Q", title=title, axis=axis, scale=scale), y2="high:Q"), line)
