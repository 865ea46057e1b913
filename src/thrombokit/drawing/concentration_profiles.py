"""Concentrations over time on a log axis, a panel a subject, with the line through the terminal phase."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import numpy as np
import polars as pl
from numpy.typing import NDArray

from thrombokit.drawing.captions import caption_title
from thrombokit.drawing.numerals import chart_records
from thrombokit.drawing.theme import BLUE, VERMILLION, styled
from thrombokit.errors import Fault, InputError

PANEL_WIDTH_PX, PANEL_HEIGHT_PX, COLUMNS, PANELS_AT_MOST = 150, 110, 4, 24


def concentration_chart(
    *, times: Sequence[NDArray[np.float64]], concentrations: Sequence[NDArray[np.float64]], labels: Sequence[str],
    lines: Sequence[tuple[float, float, float] | None], time_title: str, concentration_title: str,
) -> alt.FacetChart:  # fmt: skip
    """Panels of profiles; of more than 24, the first 24.

    Parameters
    ----------
    times, concentrations : sequences of arrays of shape (n_samples,)
        A profile each; what is not above 0 has no place on a log axis and is left out.
    labels : sequence of str
        Titles of the panels.
    lines : sequence of (rate, start, end) or None
        The terminal phase: falls by exp(-rate t) between two times, through the mean of its samples on the log scale.
    time_title, concentration_title : str
        With units.

    Raises
    ------
    InputError
        If nothing is above 0.
    """
    rows: list[dict[str, object]] = []
    shown = min(len(labels), PANELS_AT_MOST)
    for time, value, label, line in zip(times[:shown], concentrations[:shown], labels[:shown], lines[:shown], strict=True):
        seen = value > 0.0
        for t, c in zip(time[seen], value[seen], strict=True):
            rows.append({"panel": label, "kind": "sample", "time": float(t), "value": float(c)})
        rows += [] if line is None else _line_rows(label, time[seen], value[seen], line)
    if not rows:
        raise InputError(Fault(place="chart of concentrations", found="no concentration above 0", expected="samples",
                               cure="Check the columns."))  # fmt: skip
    frame = pl.DataFrame(rows)
    base = alt.Chart().encode(
        x=alt.X("time:Q", title=time_title), y=alt.Y("value:Q", title=concentration_title, scale=alt.Scale(type="log"))
    )
    samples = base.transform_filter("datum.kind == 'sample'")
    layers = [
        samples.mark_line(color=BLUE, strokeWidth=1.0, opacity=0.5),
        samples.mark_point(color=BLUE, filled=True, size=22, opacity=1.0).encode(
            tooltip=[alt.Tooltip("panel:N"), alt.Tooltip("time:Q", format=".4~g"), alt.Tooltip("value:Q", format=".4~g")]
        ),
        base.transform_filter("datum.kind == 'terminal'").mark_line(color=VERMILLION, strokeWidth=1.8),
    ]
    data = alt.InlineData(values=chart_records(frame))  # pyright: ignore[reportArgumentType]
    panel = alt.layer(*layers).properties(width=PANEL_WIDTH_PX, height=PANEL_HEIGHT_PX)
    facet = alt.Facet("panel:N", title=None, sort=list(labels[:shown]), header=alt.Header(labelAnchor="start"))
    caption = f"{shown} of {len(labels)} profiles. Red: the terminal phase, over the samples it was fitted to."
    faceted = panel.facet(facet=facet, data=data, columns=min(COLUMNS, shown))
    return styled(
        faceted.properties(title=caption_title(caption), description=f"{concentration_title} over {time_title}, {shown} panels.")
    )


def _line_rows(
    label: str, time: NDArray[np.float64], value: NDArray[np.float64], line: tuple[float, float, float]
) -> list[dict[str, object]]:
    rate, start, end = line
    used = (time >= start) & (time <= end)
    if not used.any():
        return []
    level = float((np.log(value[used]) + rate * time[used]).mean())
    return [{"panel": label, "kind": "terminal", "time": at, "value": float(np.exp(level - rate * at))} for at in (start, end)]
