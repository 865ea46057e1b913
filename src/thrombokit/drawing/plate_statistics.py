"""Any one number a well has, as it stands on the plate: % CD41+, cells acquired, median signal, mean ploidy.

Unlike `plates.plate_heatmap`, which shows each plate against its own brightest wells, the colour here is the number itself, one scale for
all plates, so that they can be compared.
"""

from __future__ import annotations

import string
from typing import Any

import altair as alt
import polars as pl

from thrombokit.drawing.numerals import chart_records
from thrombokit.drawing.plates import PANEL_HEIGHT_PX, PANEL_WIDTH_PX, ROLE_LETTERS
from thrombokit.drawing.theme import INK, styled
from thrombokit.errors import Fault, InputError

NUMBERED_COLUMNS_MAX = 12
"""Wells of plates up to this width carry their value as text as well."""


def plate_statistic_chart(wells: pl.DataFrame, *, title: str, description: str, columns: int = 3) -> alt.FacetChart:
    """Small multiples, one heat map a plate, in order of appearance.

    Parameters
    ----------
    wells : DataFrame
        One row a well: `plate` (heading), `well, row, column` (zero-based), `value` (null: stays white), `role`, `treatment`.
    title : str
        What the value is, with its unit ("CD41+, % of live cells").
    description : str
        What the chart shows, for readers who hear it.
    columns : int
        Plates beside one another.

    Raises
    ------
    InputError
        If no well has a value.
    """
    known = wells["value"].drop_nulls().drop_nans()
    if known.is_empty():
        raise InputError(
            Fault(place=f'plate heat map of "{title}"', found=f"{wells.height} wells, none with a value", expected="at least one",
                  cure="Leave the picture out.")
        )  # fmt: skip
    ends = _domain(known)
    lines = [letter + tail for letter in ("", "A") for tail in string.ascii_uppercase][:32]
    widest = int(wells["column"].cast(pl.Int64).max() or 0) + 1  # pyright: ignore[reportArgumentType]  # Int64 gives an int
    rows = wells.select(
        "plate", "well", "value", line=pl.col("row").cast(pl.Int64).replace_strict(dict(enumerate(lines)), return_dtype=pl.String),
        column=pl.col("column").cast(pl.Int64) + 1, role=pl.col("role").str.replace_all("_", " "), treatment="treatment",
        letter=pl.col("role").replace_strict(ROLE_LETTERS, default=None), order=pl.col("plate").rle_id(),
        share=(pl.col("value") - ends[0]) / (ends[1] - ends[0]),
    )  # fmt: skip
    data = alt.InlineData(values=chart_records(rows))  # pyright: ignore[reportArgumentType]
    layers = alt.layer(*_layers(lines, title, ends, numbered=widest <= NUMBERED_COLUMNS_MAX))
    layers = layers.properties(width=PANEL_WIDTH_PX, height=PANEL_HEIGHT_PX)
    facet = alt.Facet("plate:N", title=None, sort=alt.EncodingSortField("order", op="min"),
                      header=alt.Header(labelAnchor="start", labelLimit=PANEL_WIDTH_PX))  # fmt: skip
    chart = layers.facet(facet=facet, data=data, columns=min(columns, wells["plate"].n_unique()), spacing={"row": 22, "column": 24})
    chart = chart.resolve_scale(x="independent", y="independent")
    return styled(chart.properties(description=description, usermeta={"panel_px": PANEL_WIDTH_PX + 52}))


def _domain(known: pl.Series) -> tuple[float, float]:
    low, high = float(known.min()), float(known.max())  # pyright: ignore[reportArgumentType]  # a float column that is not empty
    low = min(0.0, low)
    return float(f"{low:.4g}"), float(f"{high if high > low else low + 1.0:.4g}")


def _layers(lines: list[str], title: str, ends: tuple[float, float], *, numbered: bool) -> list[alt.Chart]:
    axis: dict[str, Any] = {"labelFontSize": 9, "ticks": False, "domain": False, "labelOverlap": True}
    legend = alt.Legend(
        title=title, orient="top", gradientLength=220, gradientThickness=9, titleLimit=360, format=".3~g", tickCount=5
    )
    tips = [
        alt.Tooltip("well:N"),
        alt.Tooltip("role:N"),
        alt.Tooltip("treatment:N"),
        alt.Tooltip("value:Q", title=title, format=".3~g"),
    ]
    base = alt.Chart().encode(
        x=alt.X("column:O", title=None, axis=alt.Axis(orient="top", labelAngle=0, **axis)),
        y=alt.Y("line:O", title=None, sort=lines, axis=alt.Axis(**axis)),
        tooltip=tips,
    )
    colour = alt.Color("value:Q", scale=alt.Scale(domain=list(ends), clamp=True, scheme="blues"), legend=legend)
    dark = alt.condition("datum.share > 0.6", alt.value("#FFFFFF"), alt.value(INK))
    # both layers keep the same rows: a filter, also the silent one for missing values, would give each panel's axes two sources
    shown = "isValid(datum.value) ? format(datum.value, '.2~r') : ''" if numbered else "isValid(datum.letter) ? datum.letter : ''"
    return [
        base.mark_rect(invalid="show", stroke="#E3E8ED", strokeWidth=0.6).encode(color=colour),
        base.transform_calculate(said=shown).mark_text(invalid="show", fontSize=8).encode(text="said:N", color=dark),
    ]
