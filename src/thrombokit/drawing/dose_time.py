"""Dose x time as heat maps: a panel an agonist and quantity, a cell a dose and time, colour the value."""

from __future__ import annotations

import altair as alt
import polars as pl

from thrombokit.drawing.captions import caption_title
from thrombokit.drawing.numerals import chart_records
from thrombokit.drawing.theme import styled
from thrombokit.errors import Fault, InputError

CELL_PX = (20, 17)


def dose_time_chart(rows: pl.DataFrame, *, caption: str, description: str) -> alt.FacetChart:
    """Heat maps of dose and time, the highest dose on top; cells without a value are white.

    Parameters
    ----------
    rows : DataFrame
        `agonist, quantity, concentration_nM, time_h, value` (0 to 100 in %), in the order in which panels shall stand.
    caption, description : str
        Below the panels; for readers who hear the chart.

    Raises
    ------
    InputError
        If no cell has a value.
    """
    if rows.is_empty() or rows["value"].drop_nulls().is_empty():
        raise InputError(
            Fault(place="dose x time", found="no cell with a value", expected="at least one", cure="Leave the picture out.")
        )
    labelled = rows.with_columns(
        panel=pl.format("{}: {}", "agonist", "quantity"), dose=pl.col("concentration_nM").map_elements(_plain, return_dtype=pl.String),
        time=pl.col("time_h").map_elements(time_words, return_dtype=pl.String),
    )  # fmt: skip
    times = labelled.sort("time_h")["time"].unique(maintain_order=True).to_list()
    doses = labelled.sort("concentration_nM", descending=True)["dose"].unique(maintain_order=True).to_list()
    panels = labelled["panel"].unique(maintain_order=True).to_list()
    chart = alt.Chart().mark_rect(stroke="#FFFFFF", strokeWidth=0.5).encode(
        x=alt.X("time:N", title="time", sort=times, axis=alt.Axis(labelAngle=-45)),
        y=alt.Y("dose:N", title="dose (nM)", sort=doses),
        color=alt.Color("value:Q", title="%", scale=alt.Scale(domain=[0, 100], clamp=True, scheme="blues")),
        tooltip=[alt.Tooltip("panel:N"), alt.Tooltip("dose:N", title="nM"), alt.Tooltip("time:N"), alt.Tooltip("value:Q", title="%", format=".3~g")],
    )  # fmt: skip
    # a step in place of a size does not work where panels have scales of their own
    most = labelled.group_by("panel").agg(pl.col("dose").n_unique())["dose"].max()
    sized = chart.properties(width=CELL_PX[0] * len(times), height=CELL_PX[1] * int(str(most)))
    kept = labelled.select("panel", "dose", "time", "value")
    data = alt.InlineData(values=chart_records(kept, digits=3))  # pyright: ignore[reportArgumentType]
    facet = alt.Facet("panel:N", title=None, sort=panels, header=alt.Header(labelAnchor="start"))
    columns = min(rows["quantity"].n_unique(), 2)
    faceted = sized.facet(facet=facet, data=data, columns=columns).resolve_scale(x="independent", y="independent")
    return styled(
        faceted.properties(
            description=description, title=caption_title(caption), usermeta={"panel_px": CELL_PX[0] * len(times) + 70}
        )
    )


def time_words(time_h: float) -> str:
    """ "2 min", "1 h"."""
    return f"{time_h:g} h" if time_h >= 1.0 else f"{60.0 * time_h:.3g} min"


def _plain(dose_nM: float) -> str:
    return f"{dose_nM:.2g}" if dose_nM < 100.0 else f"{dose_nM:.0f}"
