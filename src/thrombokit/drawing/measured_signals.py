"""Measured signals beside a model: points of every run, the model's line, a panel each for time courses and dose series."""

from __future__ import annotations

import altair as alt
import polars as pl

from thrombokit.drawing.captions import caption_title
from thrombokit.drawing.numerals import chart_records
from thrombokit.drawing.theme import OKABE_ITO, styled
from thrombokit.errors import Fault, InputError

PANEL_PX = (210, 140)
TICKS = (0, 1, 3, 10, 30, 100, 300, 1000, 3000, 10000)
TIMES_OF_A_COURSE, DOSES_OF_A_SERIES = 3, 3
"""Different times, or doses, from which on points count as a series."""


def measured_chart(points: pl.DataFrame, *, caption: str, description: str) -> alt.FacetChart:
    """Points and lines, % of each run's own range.

    Parameters
    ----------
    points : DataFrame
        `analyte, run, agonist, concentration_nM, time_min, response_pct, model_pct`.
    caption, description : str
        Below the panels; for readers who hear the chart.

    Raises
    ------
    InputError
        If there is nothing to draw.
    """
    rows = _series(points)
    if rows.is_empty():
        raise InputError(Fault(place="measured signals", found="no time course and no dose series", expected="one or the other",
                               cure="Measure three times or more, or three doses or more."))  # fmt: skip
    series = rows["series"].unique(maintain_order=True).to_list()
    colours = [OKABE_ITO[at % len(OKABE_ITO)] for at in range(len(series))]
    colour = alt.Color("series:N", title=None, scale=alt.Scale(domain=series, range=colours),
                       legend=alt.Legend(orient="top", columns=3, labelLimit=260))  # fmt: skip
    ticks = alt.Axis(labelOverlap=True, values=list(TICKS), labelExpr="datum.value")
    x = alt.X("x:Q", title=None, axis=ticks, scale=alt.Scale(type="symlog", constant=0.3))
    base = alt.Chart().encode(x=x, color=colour)
    y = alt.Y("response_pct:Q", title="% of the run's range")
    tips = [
        alt.Tooltip("series:N"),
        alt.Tooltip("run:N"),
        alt.Tooltip("x:Q", format=".3~g"),
        alt.Tooltip("response_pct:Q", format=".3~g"),
    ]
    dots = base.mark_point(filled=True, size=26, opacity=0.7).encode(y=y, shape=alt.Shape("run:N", title="run"), tooltip=tips)
    lines = base.mark_line(strokeWidth=1.6).encode(y=alt.Y("mean(model_pct):Q", title="% of the run's range"))
    data = alt.InlineData(values=chart_records(rows))  # pyright: ignore[reportArgumentType]
    panels = rows["panel"].unique(maintain_order=True).to_list()
    facet = alt.Facet("panel:N", title=None, sort=panels, header=alt.Header(labelAnchor="start"))
    chart = alt.layer(lines, dots).properties(width=PANEL_PX[0], height=PANEL_PX[1])
    faceted = chart.facet(facet=facet, data=data, columns=min(3, len(panels))).resolve_scale(x="independent")
    return styled(faceted.properties(description=description, title=caption_title(caption)))


def has_series(points: pl.DataFrame) -> bool:
    """Whether `measured_chart` has something to draw: a time course of three times, or three doses at one time."""
    return not _series(points).is_empty()


def _series(points: pl.DataFrame) -> pl.DataFrame:
    """Rows with `panel`, `series`, `x`: time courses by treatment, and dose series by agonist at one time."""
    treatment = ["analyte", "agonist", "concentration_nM"]
    times = points.group_by(treatment).agg(pl.col("time_min").n_unique().alias("times"))
    dosed = points.join(times, on=treatment, how="left", maintain_order="left").filter(pl.col("concentration_nM") > 0.0)
    dose_words = pl.format("{} {} nM", "agonist", pl.col("concentration_nM").round_sig_figs(3))
    courses = dosed.filter(pl.col("times") >= TIMES_OF_A_COURSE).with_columns(
        panel=pl.format("{} over time (min)", "analyte"), series=dose_words, x="time_min"
    )
    moment = ["analyte", "agonist", "time_min"]
    doses = dosed.group_by(moment).agg(pl.col("concentration_nM").n_unique().alias("doses"))
    by_dose = dosed.join(doses, on=moment, how="left", maintain_order="left").filter(pl.col("doses") >= DOSES_OF_A_SERIES)
    series = by_dose.with_columns(
        panel=pl.format("{} over dose (nM)", "analyte"), series=pl.format("{} at {} min", "agonist", pl.col("time_min").cast(pl.Int64)),
        x="concentration_nM",
    )  # fmt: skip
    kept = ["panel", "series", "run", "x", "response_pct", "model_pct"]
    return pl.concat([courses.select(kept), series.select(kept)])
