"""Values over time, a thin line an individual: what single patients of a data set do."""

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
DRAWN_AT_MOST, POINTS_AT_MOST = 40, 240
"""Lines of one chart (of more, evenly spaced ones), and points of a line (of more, evenly spaced ones)."""


def individuals_chart(
    *, time: NDArray[np.float64], values: NDArray[np.float64], individual: NDArray[np.int64], labels: Sequence[str], time_title: str,
    value_title: str,
) -> alt.LayerChart | alt.Chart:  # fmt: skip
    """Lines of individuals over time.

    Parameters
    ----------
    time, values : arrays of shape (n,)
        Points, those of one individual together and in the order of time.
    individual : int array of shape (n,)
        Which line a point belongs to.
    labels : sequence of n str
        What each individual is called.
    time_title, value_title : str
        With units.

    Raises
    ------
    InputError
        If there is nothing to draw.
    """
    if not values.size or values.size != time.size:
        raise InputError(Fault(place="chart of individuals", found=f"no values of {value_title}", expected="a value at each time",
                               cure="Name one of the outputs."))  # fmt: skip
    lines = np.unique(individual)
    drawn = lines[np.unique(np.linspace(0, lines.size - 1, DRAWN_AT_MOST).round().astype(int))]
    lists: list[pl.DataFrame] = []
    for line in drawn:
        places = np.flatnonzero(individual == line)
        kept = places[np.unique(np.linspace(0, places.size - 1, POINTS_AT_MOST).round().astype(int))]
        columns = {"line": np.full(kept.size, line), "ID": [labels[k] for k in kept], "time": time[kept], "value": values[kept]}
        lists.append(pl.DataFrame(columns))
    count = f"{lines.size} individuals" if drawn.size == lines.size else f"{drawn.size} of {lines.size} individuals"
    data = alt.InlineData(values=chart_records(pl.concat(lists)))  # pyright: ignore[reportArgumentType]
    chart = alt.Chart(data).mark_line(color=BLUE, opacity=0.5, strokeWidth=1.2).encode(
        x=alt.X("time:Q", title=time_title), y=alt.Y("value:Q", title=value_title), detail="line:N", order="time:Q",
        tooltip=[alt.Tooltip("ID:N"), alt.Tooltip("time:Q", format=".4~g"), alt.Tooltip("value:Q", format=".4~g")],
    )  # fmt: skip
    described = f"{value_title} over {time_title}, {count}."
    return styled(chart.properties(width=WIDTH_PX, height=HEIGHT_PX, description=described, title=caption_title(count)))
