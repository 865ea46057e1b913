"""Visual predictive check: bands of simulated percentiles under the observed ones, a panel a stratum."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import numpy as np
import polars as pl
from numpy.typing import NDArray

from thrombokit.drawing.captions import caption_title
from thrombokit.drawing.numerals import chart_records
from thrombokit.drawing.theme import BLUE, GREY, INK, ORANGE, styled
from thrombokit.errors import Fault, InputError

PANEL_WIDTH_PX, PANEL_HEIGHT_PX, COLUMNS, POINTS_AT_MOST = 360, 230, 2, 1500


def visual_check_chart(
    bands: pl.DataFrame, *, points_time: NDArray[np.float64], points_value: NDArray[np.float64], points_stratum: Sequence[str],
    time_title: str, value_title: str, caption: str,
) -> alt.FacetChart:  # fmt: skip
    """Bands, lines and points.

    Parameters
    ----------
    bands : DataFrame
        `stratum, time, percentile, observed, simulated, low, high`; three percentiles.
    points_time, points_value : arrays of shape (n,)
        Observations; of more than 1500, evenly chosen ones.
    points_stratum : sequence of n str
    time_title, value_title : str
        With units.
    caption : str
        Written below.

    Raises
    ------
    InputError
        If there is nothing to draw.
    """
    if bands.is_empty():
        raise InputError(
            Fault(place="visual predictive check", found="no bins", expected="at least one", cure="Check the observations.")
        )
    levels = bands["percentile"].unique().sort().to_list()
    kept = np.unique(np.linspace(0, points_time.size - 1, min(POINTS_AT_MOST, points_time.size)).round().astype(int))
    points = pl.DataFrame({"stratum": [points_stratum[k] for k in kept], "time": points_time[kept], "value": points_value[kept]})
    rows = pl.concat([bands.with_columns(kind=pl.lit("band")), points.with_columns(kind=pl.lit("point"))], how="diagonal")
    x = alt.X("time:Q", title=time_title, scale=alt.Scale(nice=False))
    base = alt.Chart().encode(x=x)
    layers: list[alt.Chart] = []
    for level in levels:
        middle = level == levels[len(levels) // 2]
        these = base.transform_filter(f"datum.kind == 'band' && datum.percentile == {level}")
        layers.append(these.mark_area(color=ORANGE if middle else BLUE, opacity=0.28, interpolate="linear").encode(
            y=alt.Y("low:Q", title=value_title), y2="high:Q"))  # fmt: skip
    seen = base.transform_filter("datum.kind == 'point'")
    layers.append(seen.mark_circle(color=GREY, size=14, opacity=0.45).encode(y=alt.Y("value:Q", title=value_title)))
    for level in levels:
        these = base.transform_filter(f"datum.kind == 'band' && datum.percentile == {level}")
        dash = [1, 0] if level == levels[len(levels) // 2] else [5, 3]
        tips = [alt.Tooltip("percentile:Q"), alt.Tooltip("time:Q", format=".4~g"), alt.Tooltip("observed:Q", format=".3~g"),
                alt.Tooltip("low:Q", format=".3~g"), alt.Tooltip("high:Q", format=".3~g")]  # fmt: skip
        layers.append(these.mark_line(color=INK, strokeWidth=1.6, strokeDash=dash, point=alt.OverlayMarkDef(color=INK, size=18)).encode(
            y=alt.Y("observed:Q", title=value_title), tooltip=tips))  # fmt: skip
    data = alt.InlineData(values=chart_records(rows))  # pyright: ignore[reportArgumentType]
    panel = alt.layer(*layers).properties(width=PANEL_WIDTH_PX, height=PANEL_HEIGHT_PX)
    strata = bands["stratum"].unique(maintain_order=True).to_list()
    header = alt.Header(labelAnchor="start") if strata != [""] else alt.Header(labels=False)
    facet = alt.Facet("stratum:N", title=None, sort=strata, header=header)
    faceted = panel.facet(facet=facet, data=data, columns=min(COLUMNS, len(strata)))
    return styled(faceted.properties(title=caption_title(caption), description=f"{value_title} over {time_title}. {caption}"))
