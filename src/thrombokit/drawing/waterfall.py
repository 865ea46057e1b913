"""One bar a subject in falling order, a panel an arm: a waterfall."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import polars as pl

from thrombokit.drawing.captions import caption_title
from thrombokit.drawing.numerals import chart_records
from thrombokit.drawing.theme import BLUE, HAIRLINE, styled
from thrombokit.errors import Fault, InputError

HEIGHT_PX, PANEL_PX = 220, 230
YES, NO = "responded", "did not respond"


def waterfall_chart(rows: pl.DataFrame, *, arms: Sequence[str], y_title: str, caption: str, description: str) -> alt.FacetChart:
    """Bars of subjects.

    Parameters
    ----------
    rows : DataFrame
        `arm, subject, value, responded` (true or false), one row a subject.
    arms : sequence of str
        In the order of the panels.
    y_title : str
        The value with its unit.
    caption, description : str

    Raises
    ------
    InputError
        If there is no row.
    """
    if rows.is_empty():
        raise InputError(Fault(place="waterfall", found="no subject", expected="at least one", cure="Check baselines and counts."))
    ordered = rows.sort(["value", "subject"], descending=[True, False]).with_columns(
        place=pl.int_range(pl.len()).over("arm"), outcome=pl.when("responded").then(pl.lit(YES)).otherwise(pl.lit(NO))
    ).drop("responded")  # fmt: skip
    most = max(int(ordered["place"].max()) + 1, 1)  # pyright: ignore[reportArgumentType]  # not empty
    colour = alt.Color(
        "outcome:N", title=None, scale=alt.Scale(domain=[YES, NO], range=[BLUE, HAIRLINE]), legend=alt.Legend(orient="top")
    )
    bars = alt.Chart().mark_bar(width=max(PANEL_PX / most - 0.5, 0.8)).encode(
        x=alt.X("place:Q", axis=None, scale=alt.Scale(domain=[-1, most], nice=False)), y=alt.Y("value:Q", title=y_title), y2=alt.datum(0.0),
        color=colour,
        tooltip=[alt.Tooltip("subject:N"), alt.Tooltip("value:Q", format=".4~g"), alt.Tooltip("outcome:N")],
    )  # fmt: skip
    data = alt.InlineData(values=chart_records(ordered))  # pyright: ignore[reportArgumentType]
    panel = bars.properties(width=PANEL_PX, height=HEIGHT_PX)
    facet = alt.Facet("arm:N", title=None, sort=list(arms), header=alt.Header(labelLimit=PANEL_PX))
    chart = panel.facet(facet=facet, data=data, columns=3, title=caption_title(caption, letters=95))
    return styled(chart.properties(description=description, usermeta={"margin_px": 90}))
