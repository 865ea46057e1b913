"""Bands that hold a share of many, over time, with the median: what a group does and how far its members are apart."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import numpy as np
import polars as pl
from numpy.typing import NDArray

from thrombokit.drawing.captions import caption_title
from thrombokit.drawing.numerals import chart_records
from thrombokit.drawing.theme import BLUE, styled
from thrombokit.errors import Fault, InputError

WIDTH_PX, HEIGHT_PX = 520, 260
_OPACITIES = (0.16, 0.24, 0.32, 0.4)

Band = tuple[NDArray[np.float64], NDArray[np.float64], str]


def percentile_band_chart(
    *, time: NDArray[np.float64], bands: Sequence[Band], middle: NDArray[np.float64], time_title: str, value_title: str, caption: str,
    lines: Sequence[float] = (), log_scale: bool = True,
) -> alt.LayerChart:  # fmt: skip
    """Nested bands and a median line.

    Parameters
    ----------
    time, middle : arrays of shape (n,)
        Times and the median at each.
    bands : sequence of (low, high, name)
        From the widest to the narrowest; arrays of shape (n,).
    time_title, value_title : str
        With units.
    caption : str
        Written below.
    lines : sequence of float
        Values to mark by a dashed line.
    log_scale : bool
        Whether the values stand on a logarithmic axis; taken back where one is not above 0.

    Raises
    ------
    InputError
        If there is nothing to draw.
    """
    if not time.size or not bands:
        raise InputError(Fault(place="percentile bands", found="no times", expected="at least one time and one band",
                               cure="Simulate at least one week."))  # fmt: skip
    logarithmic = log_scale and all(bool((low > 0.0).all()) for low, _, _ in bands)
    scale = alt.Scale(type="log" if logarithmic else "linear", zero=not logarithmic, nice=False)
    x = alt.X("time:Q", title=time_title, scale=alt.Scale(nice=False))
    layers: list[alt.Chart] = []
    for (low, high, name), opacity in zip(bands, _OPACITIES, strict=False):
        rows = pl.DataFrame({"time": time, "low": low, "high": high, "band": [name] * time.size})
        tips = [alt.Tooltip("band:N"), alt.Tooltip("time:Q", title=time_title), alt.Tooltip("low:Q", format=".3~g"),
                alt.Tooltip("high:Q", format=".3~g")]  # fmt: skip
        y = alt.Y("low:Q", title=value_title, scale=scale)
        layers.append(_chart(rows).mark_area(color=BLUE, opacity=opacity).encode(x=x, y=y, y2="high:Q", tooltip=tips))
    tips = [alt.Tooltip("time:Q", title=time_title), alt.Tooltip("value:Q", title="median", format=".3~g")]
    median = _chart(pl.DataFrame({"time": time, "value": middle})).mark_line(color=BLUE, strokeWidth=2)
    layers.append(median.encode(x=x, y=alt.Y("value:Q", title=value_title, scale=scale), tooltip=tips))
    for value in lines:
        rule = _chart(pl.DataFrame({"value": [value]})).mark_rule(strokeDash=[4, 3], color="black", opacity=0.5)
        layers.append(rule.encode(y=alt.Y("value:Q", scale=scale)))
    names = ", ".join(name for _, _, name in bands)
    described = f"{value_title} over {time_title}: median with bands of {names}. {caption}."
    chart = alt.LayerChart(layer=layers)
    title = caption_title(f"{caption}. Line: median; bands: {names}.")
    return styled(chart.properties(width=WIDTH_PX, height=HEIGHT_PX, description=described, title=title))


def _chart(rows: pl.DataFrame) -> alt.Chart:
    return alt.Chart(alt.InlineData(values=chart_records(rows)))  # pyright: ignore[reportArgumentType]
