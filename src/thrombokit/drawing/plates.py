"""Plates as they stand on the bench: a heat map of the signal by well, with the controls lettered.

Colour is the signal as a share of the plate's own 98th percentile, so that plates read at different gains can stand side by side
and one hot well does not darken the rest. A mis-mapped plate shows at once: its letters do not sit on the wells they should.
"""

from __future__ import annotations

import string

import altair as alt
import polars as pl

from thrombokit.drawing.numerals import chart_records
from thrombokit.drawing.theme import INK, styled

ROLE_LETTERS: dict[str, str] = {
    "vehicle": "V", "positive_control": "P", "blank": "B", "untreated": "U", "day0": "D", "il3_rescue": "I",
    "counter_screen": "S", "qc": "Q",
}  # fmt: skip
"""Role of a control well -> the letter on the heat map; an excluded well carries a cross whatever its role."""
EXCLUDED_LETTER = "×"
PANEL_WIDTH_PX, PANEL_HEIGHT_PX = 264, 176


def plate_heatmap(wells: pl.DataFrame, *, description: str, columns: int = 3) -> alt.FacetChart:
    """Small multiples, one heat map a plate, in order of appearance.

    Parameters
    ----------
    wells : DataFrame
        One row a well: `plate` (heading of the panel), `well, row, column` (zero-based), `role, agonist, concentration_nM, signal`
        (instrument units), `excluded`. Plates of different size may stand together; rows without a signal stay white.
    description : str
        What the chart shows, for readers who hear it.
    columns : int
        Plates beside one another.
    """
    widest = int(wells["column"].cast(pl.Int64).max() or 0) + 1  # pyright: ignore[reportArgumentType]  # Int64 gives an int
    data = alt.InlineData(values=chart_records(_rows(wells)))  # pyright: ignore[reportArgumentType]
    layers = alt.layer(*_layers(letter_px=9 if widest <= 12 else 7)).properties(width=PANEL_WIDTH_PX, height=PANEL_HEIGHT_PX)
    facet = alt.Facet(
        "plate:N",
        title=None,
        sort=alt.EncodingSortField("order", op="min"),
        header=alt.Header(labelAnchor="start", labelLimit=PANEL_WIDTH_PX),
    )
    chart = layers.facet(facet=facet, data=data, columns=min(columns, wells["plate"].n_unique()), spacing={"row": 22, "column": 24})
    chart = chart.resolve_scale(x="independent", y="independent")
    return styled(chart.properties(description=description, usermeta={"panel_px": PANEL_WIDTH_PX + 52}))


def _rows(wells: pl.DataFrame) -> pl.DataFrame:
    top = pl.col("signal").filter(pl.col("signal").is_finite()).quantile(0.98, interpolation="linear").over("plate")
    letter = pl.when("excluded").then(pl.lit(EXCLUDED_LETTER)).otherwise(pl.col("role").replace_strict(ROLE_LETTERS, default=None))
    names = {index: _row_letters(index) for index in range(32)}
    return wells.select(
        "plate", "well", "signal",
        line=pl.col("row").cast(pl.Int64).replace_strict(names, return_dtype=pl.String), column=pl.col("column").cast(pl.Int64) + 1,
        share=pl.when(top > 0).then(100 * pl.col("signal") / top),
        letter=letter,
        role=pl.col("role").str.replace_all("_", " "),
        agonist=pl.when(pl.col("agonist") != "").then("agonist"),
        dose="concentration_nM",
        order=pl.col("plate").rle_id(),
    )  # fmt: skip


def _row_letters(index: int) -> str:
    letters = string.ascii_uppercase
    return letters[index] if index < 26 else "A" + letters[index - 26]


def _layers(*, letter_px: int) -> list[alt.Chart]:
    rows = [_row_letters(index) for index in range(32)]
    x = alt.X(
        "column:O",
        title=None,
        axis=alt.Axis(orient="top", labelAngle=0, labelFontSize=9, ticks=False, domain=False, labelOverlap=True),
    )
    y = alt.Y("line:O", title=None, sort=rows, axis=alt.Axis(labelFontSize=9, ticks=False, domain=False, labelOverlap=True))
    scale = alt.Scale(domain=[0, 100], clamp=True, scheme="blues")
    legend = alt.Legend(title="signal, % of the plate's 98th percentile", orient="top", gradientLength=220, gradientThickness=9,
                        titleLimit=320, values=[0, 25, 50, 75, 100])  # fmt: skip
    tips = [
        alt.Tooltip("well:N"),
        alt.Tooltip("role:N"),
        alt.Tooltip("agonist:N"),
        alt.Tooltip("dose:Q", title="dose (nM)", format=".3~g"),
        alt.Tooltip("signal:Q", title="signal", format=".4~g"),
    ]
    base = alt.Chart().encode(x=x, y=y, tooltip=tips)
    dark = alt.condition("datum.share > 60", alt.value("#FFFFFF"), alt.value(INK))
    # both layers keep the same rows: a filter, also the silent one for missing values, would give each panel's axes two sources
    share = alt.Color("share:Q", scale=scale, legend=legend)
    letter = alt.condition("isValid(datum.letter)", "letter:N", alt.value(""))
    return [
        base.mark_rect(invalid="show", stroke="#E3E8ED", strokeWidth=0.6).encode(color=share),
        base.mark_text(invalid="show", fontSize=letter_px, fontWeight=600).encode(text=letter, color=dark),
    ]
