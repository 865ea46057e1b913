"""Weeks of a cohort in four panels: counts, share in a range, dose, share above a limit."""

from __future__ import annotations

import altair as alt
import polars as pl

from thrombokit.drawing.captions import caption_title
from thrombokit.drawing.numerals import chart_records
from thrombokit.drawing.theme import BLUE, GREEN, INK, PURPLE, VERMILLION, styled
from thrombokit.errors import Fault, InputError

PANEL_WIDTH_PX, PANEL_HEIGHT_PX = 300, 170


def cohort_weeks_chart(
    weeks: pl.DataFrame, *, low: float, high: float, above: float, amount_unit: str, caption: str
) -> alt.VConcatChart:
    """Four panels.

    Parameters
    ----------
    weeks : DataFrame
        `week, p5, p25, p50, p75, p95, in_range, in_range_low, in_range_high, above, above_low, above_high, dose_mean, dose_low, dose_high`.
    low, high, above : float
        Counts (1e9/L) the panels are about.
    amount_unit, caption : str

    Raises
    ------
    InputError
        If there is no week with a patient.
    """
    seen = weeks.filter(pl.col("patients") > 0)
    if seen.is_empty():
        raise InputError(
            Fault(place="weeks of a cohort", found="no week with a patient", expected="at least one", cure="Simulate longer.")
        )
    data = alt.InlineData(values=chart_records(seen))  # pyright: ignore[reportArgumentType]
    base = (
        alt.Chart(data)
        .encode(x=alt.X("week:Q", title="week", scale=alt.Scale(nice=False)))
        .properties(width=PANEL_WIDTH_PX, height=PANEL_HEIGHT_PX)
    )
    count = alt.Scale(type="log") if float(seen["p5"].min()) > 0.0 else alt.Scale()  # pyright: ignore[reportArgumentType]
    title = "platelets (1e9/L)"
    rules = [
        base.mark_rule(color=colour, strokeDash=[4, 3], opacity=0.7).encode(x=alt.X(), y=alt.datum(value))
        for value, colour in ((low, INK), (high, INK), (above, VERMILLION))
    ]
    counts = alt.layer(
        base.mark_area(color=BLUE, opacity=0.18).encode(y=alt.Y("p5:Q", title=title, scale=count), y2="p95:Q"),
        base.mark_area(color=BLUE, opacity=0.28).encode(y=alt.Y("p25:Q", title=title, scale=count), y2="p75:Q"),
        base.mark_line(color=BLUE).encode(y=alt.Y("p50:Q", title=title, scale=count)),
        *rules,
    )
    in_range = _banded(base, "in_range", f"share at {low:g} to {high:g}", GREEN)
    dose = _banded(base, "dose", f"mean dose ({amount_unit})", PURPLE, middle="dose_mean", share=False)
    over = _banded(base, "above", f"share above {above:g}", VERMILLION)
    described = f"Counts, share at {low:g} to {high:g}, mean dose and share above {above:g} over the weeks. {caption}."
    lines = f"{caption}. Counts: median, with 50 and 90 % of the patients; dashes at {low:g}, {high:g}, {above:g}. Other bands: Monte-Carlo."
    return alt.vconcat(alt.hconcat(counts, in_range), alt.hconcat(dose, over)).properties(
        title=caption_title(lines), description=described
    ).configure(**styled(alt.Chart(data).mark_point()).to_dict()["config"])  # fmt: skip


def _banded(
    base: alt.Chart, name: str, title: str, colour: str, *, middle: str | None = None, share: bool = True
) -> alt.LayerChart | alt.FacetChart:
    axis = alt.Axis(format="%") if share else alt.Axis()
    scale = alt.Scale(domainMin=0.0)
    return alt.layer(
        base.mark_area(color=colour, opacity=0.25).encode(
            y=alt.Y(f"{name}_low:Q", title=title, axis=axis, scale=scale), y2=f"{name}_high:Q"
        ),
        base.mark_line(color=colour).encode(y=alt.Y(f"{middle or name}:Q", title=title, axis=axis, scale=scale)),
    )
