"""EC50 of every run as a dot with its interval, the combined value below them, and what others published: a forest plot."""

from __future__ import annotations

import altair as alt
import polars as pl

from thrombokit.drawing.axes import dose_axis, dose_x
from thrombokit.drawing.numerals import chart_records
from thrombokit.drawing.theme import BLACK, BLUE, HAIRLINE, ORANGE, styled
from thrombokit.errors import Fault, InputError

KINDS: dict[str, tuple[str, str]] = {
    "run": (BLUE, "circle"),
    "run, not combined": (HAIRLINE, "cross"),
    "combined": (BLACK, "diamond"),
    "published": (ORANGE, "triangle-down"),
}
"""Kind of an estimate -> (colour, shape)."""
WIDTH_PX, LINE_PX = 720, 10


def forest_chart(estimates: pl.DataFrame, *, description: str) -> alt.FacetChart:
    """EC50s of all agonists, a panel per assay, on one logarithmic axis.

    Parameters
    ----------
    estimates : DataFrame
        One row an estimate: `assay` (heading of the panel), `agonist, kind` ("run", "run, not combined", "combined", "published"),
        `label` (for the tooltip), `ec50_nM, ec50_low_nM, ec50_high_nM` (null where open or unknown). Rows without an
        EC50 are not drawn.
    description : str
        What the chart shows, for readers who hear it.

    Raises
    ------
    InputError
        If no row holds an EC50.
    """
    drawn = estimates.filter(pl.col("ec50_nM") > 0)
    axis = dose_axis([v for name in ("ec50_nM", "ec50_low_nM", "ec50_high_nM") for v in drawn[name].drop_nulls().to_list()])
    if axis is None:
        raise InputError(
            Fault(place="forest plot", found=f"{estimates.height} rows, none with an EC50", expected="at least one EC50 in nM",
                  cure="Leave the picture out, or look at the verdicts to see why there is no EC50.")
        )  # fmt: skip
    ranks = {kind: rank for rank, kind in enumerate(KINDS)}
    assays = {assay: place for place, assay in enumerate(drawn["assay"].unique(maintain_order=True))}
    rows = (
        drawn.with_columns(rank=pl.col("kind").replace_strict(ranks, return_dtype=pl.Int64))
        .sort("rank", maintain_order=True)
        .with_columns(
            line=pl.int_range(pl.len()).over("assay", "agonist"),
            order=pl.col("assay").replace_strict(assays, return_dtype=pl.Int64),
            drawn_low=_end("low", axis.low_nM),
            drawn_high=_end("high", axis.high_nM),
        )
    )
    lines = int(rows["line"].max()) + 1  # pyright: ignore[reportArgumentType]  # an int column that is not empty
    layers = _layers(lines, dose_x("ec50_nM", axis, title="EC50 (nM)"))
    chart = alt.layer(*layers).properties(width=WIDTH_PX, height=alt.Step(LINE_PX * lines + 6, **{"for": "position"}))
    facet = alt.Facet(
        "assay:N",
        title=None,
        sort=alt.EncodingSortField("order", op="min"),
        header=alt.Header(labelAnchor="start", labelLimit=WIDTH_PX),
    )
    data = alt.InlineData(values=chart_records(rows.drop("rank")))  # pyright: ignore[reportArgumentType]
    faceted = chart.facet(facet=facet, data=data, columns=1).resolve_scale(y="independent", yOffset="independent")
    return styled(faceted.properties(description=description, usermeta={"margin_px": 150}))


def _end(side: str, edge_nM: float) -> pl.Expr:
    """Where a bar is drawn to: the interval's end, or the axis' edge where it is open.

    A run always has a bar, open at both ends at worst, for a bare dot would look exact; without an interval the others have none.
    """
    known = pl.col("ec50_low_nM").is_not_null() | pl.col("ec50_high_nM").is_not_null() | pl.col("kind").str.starts_with("run")
    return pl.when(known).then(pl.col(f"ec50_{side}_nM").fill_null(edge_nM)).otherwise("ec50_nM")


def _layers(lines: int, x: alt.X) -> list[alt.Chart]:
    kinds = list(KINDS)
    colour = alt.Color("kind:N", title=None, sort=kinds, scale=alt.Scale(domain=kinds, range=[KINDS[kind][0] for kind in kinds]),
                       legend=alt.Legend(orient="top"))  # fmt: skip
    shape = alt.Shape("kind:N", title=None, sort=kinds, scale=alt.Scale(domain=kinds, range=[KINDS[kind][1] for kind in kinds]))
    number = ".3~g"
    tips = [
        alt.Tooltip("agonist:N"),
        alt.Tooltip("label:N", title="estimate"),
        alt.Tooltip("ec50_nM:Q", title="EC50 (nM)", format=number),
        alt.Tooltip("ec50_low_nM:Q", title="from (nM)", format=number),
        alt.Tooltip("ec50_high_nM:Q", title="to (nM)", format=number),
    ]
    base = alt.Chart().encode(
        x=x,
        y=alt.Y(
            "agonist:N",
            title=None,
            sort=None,
            axis=alt.Axis(ticks=False, domain=False, labelFontSize=12, labelLimit=130, grid=True),
        ),
        yOffset=alt.YOffset("line:O", scale=alt.Scale(domain=list(range(lines)))),
        color=colour,
        tooltip=tips,
    )
    return [
        base.mark_rule().encode(
            x=alt.X("drawn_low:Q"),
            x2="drawn_high:Q",
            size=alt.condition("datum.kind === 'combined'", alt.value(3), alt.value(1.3)),
        ),
        base.mark_point(filled=True, opacity=1).encode(
            shape=shape, size=alt.condition("datum.kind === 'run'", alt.value(32), alt.value(75))
        ),
    ]
