"""Dose-response curves of one plate as one faceted chart.

A panel a curve: replicate wells, the fitted line with its band, the vehicle left of a break in the axis, and the EC50 with its
interval as a horizontal bar half-way up. The verdict stands in the panel's heading, so that colour never carries it alone.
Everything a panel needs lies in one table of rows told apart by `kind`, because a facet can split only one data set.
"""

from __future__ import annotations

import math
from typing import cast

import altair as alt
import polars as pl

from thrombokit.drawing.axes import DoseAxis, dose_axis, dose_x
from thrombokit.drawing.numerals import chart_records, three_digits
from thrombokit.drawing.theme import FAINT_INK, GREY, HAIRLINE, INK, VERDICT_COLOURS, styled
from thrombokit.errors import Fault, InputError

LINE_POINTS_MAX = 48
PANEL_WIDTH_PX, PANEL_HEIGHT_PX = 200, 140
WITHOUT_EC50 = frozenset({"not_sigmoid", "flat", "bad"})
"""Verdicts under which a fitted mid-point is no EC50, whatever the numbers say; none is drawn or named."""
THREE = ".3~g"
"""Number format of tooltips: three significant digits."""


def curve_chart(
    wells: pl.DataFrame,
    lines: pl.DataFrame,
    fits: pl.DataFrame,
    *,
    response_label: str,
    description: str,
    columns: int = 4,
) -> alt.FacetChart:
    """All curves of one plate, one panel each, in the order of `fits`.

    Parameters
    ----------
    wells : DataFrame
        One row a well: `curve, concentration_nM` (0 = vehicle), `response_pct, well, excluded`.
    lines : DataFrame
        The fitted curves: `curve, concentration_nM, fitted_pct, low_pct, high_pct` (band), at most 48 rows a curve are drawn.
    fits : DataFrame
        One row a curve: `curve, verdict, ec50_nM, ec50_low_nM, ec50_high_nM, bound_side, bottom_pct, top_pct`.
    response_label : str
        Title of the y axis with its unit ("% of rhTPO").
    description : str
        What the chart shows, for readers who hear it.
    columns : int
        Panels beside one another.

    Raises
    ------
    InputError
        If there is no curve, or no well with a positive dose.
    """
    doses = [*wells["concentration_nM"].drop_nulls().to_list(), *lines["concentration_nM"].drop_nulls().to_list()]
    axis = dose_axis(doses, vehicle=0.0 in doses)
    if axis is None or fits.is_empty():
        raise InputError(
            Fault(place="curve chart", found=f"{fits.height} curves and no positive dose" if axis is None else "no curves",
                  expected="at least one curve with a positive dose in nM", cure="Draw plates that hold a dose series only.")
        )  # fmt: skip
    panels = _panels(fits)
    rows = pl.concat(
        [_line_rows(lines), _well_rows(wells), _vehicle_rows(wells, axis), _ec50_rows(fits, axis)], how="diagonal"
    ).join(panels, on="curve", how="inner", maintain_order="left")  # fmt: skip
    domain = _response_domain(rows)
    # an EC50 half-way to a plateau far outside is marked at the edge, where a reader can see it
    rows = rows.with_columns(pl.col("response", "low", "high").clip(*domain))
    y = alt.Y("response:Q", title=response_label, scale=alt.Scale(domain=list(domain), nice=False), axis=alt.Axis(tickCount=5))
    chart = alt.layer(*_layers(axis, y)).properties(width=PANEL_WIDTH_PX, height=PANEL_HEIGHT_PX)
    facet = alt.Facet(
        "panel:N",
        title=None,
        sort=alt.EncodingSortField("order", op="min"),
        header=alt.Header(labelExpr="split(datum.value, '\\n')", labelAnchor="start", labelLimit=PANEL_WIDTH_PX + 20),
    )
    data = alt.InlineData(values=chart_records(rows.drop("curve")))  # pyright: ignore[reportArgumentType]
    faceted = chart.facet(facet=facet, data=data, columns=min(columns, fits.height), spacing={"row": 26, "column": 22})
    return styled(faceted.properties(description=description, usermeta={"panel_px": PANEL_WIDTH_PX + 62}))


def ec50_words(row: dict[str, object]) -> str:
    """The EC50 of one row of `fits` in a few words: "EC50 0.410 nM (0.310 to 0.540)"."""
    low, high = cast("float | None", row["ec50_low_nM"]), cast("float | None", row["ec50_high_nM"])
    estimate = cast("float | None", row["ec50_nM"])
    if row["verdict"] in WITHOUT_EC50:
        return "no EC50"
    if estimate is not None:
        nothing = " (interval open)" if row["verdict"] == "plateau_open" else ""
        inside = nothing if low is None and high is None else f" ({three_digits(low)} to {three_digits(high)})"
        inside = inside.replace("(– to", "(open to").replace("to –)", "to open)")
        return f"EC50 {three_digits(estimate)} nM{inside}"
    if row["bound_side"] == "above":
        return f"EC50 above {three_digits(low)} nM"
    if row["bound_side"] == "below":
        return f"EC50 below {three_digits(high)} nM"
    return "no EC50"


def _panels(fits: pl.DataFrame) -> pl.DataFrame:
    said = {name: "" if name == "fit" else f" · {name.replace('_', ' ')}" for name in fits["verdict"].unique()}
    headings = [f"{row['curve']}{said[row['verdict']]}\n{ec50_words(row)}" for row in fits.iter_rows(named=True)]
    return fits.select("curve", "verdict").with_columns(panel=pl.Series(headings, dtype=pl.String), order=pl.int_range(pl.len()))


def _line_rows(lines: pl.DataFrame) -> pl.DataFrame:
    every = (pl.len().over("curve") / LINE_POINTS_MAX).ceil().cast(pl.Int64).clip(1)
    thinned = lines.filter(pl.int_range(pl.len()).over("curve") % every == 0)
    return thinned.select(
        "curve", kind=pl.lit("line"), dose="concentration_nM", response="fitted_pct", low="low_pct", high="high_pct"
    )  # fmt: skip


def _well_rows(wells: pl.DataFrame) -> pl.DataFrame:
    kind = pl.when("excluded").then(pl.lit("left out")).otherwise(pl.lit("well"))
    dosed = wells.filter(pl.col("concentration_nM") > 0)
    return dosed.select("curve", "well", kind=kind, dose="concentration_nM", response="response_pct")


def _vehicle_rows(wells: pl.DataFrame, axis: DoseAxis) -> pl.DataFrame:
    vehicle = wells.filter((pl.col("concentration_nM") == 0) & ~pl.col("excluded") & pl.col("response_pct").is_finite())
    response = pl.col("response_pct")
    return vehicle.group_by("curve", maintain_order=True).agg(
        kind=pl.lit("vehicle"),
        dose=pl.lit(axis.vehicle_nM, dtype=pl.Float64),
        response=response.median(),
        low=response.min(),
        high=response.max(),
        wells=pl.len(),
    )


def _ec50_rows(fits: pl.DataFrame, axis: DoseAxis) -> pl.DataFrame:
    rows: list[dict[str, object]] = []
    for row in fits.iter_rows(named=True):
        low, high, estimate = row["ec50_low_nM"], row["ec50_high_nM"], row["ec50_nM"]
        bottom, top = row["bottom_pct"], row["top_pct"]
        if row["verdict"] in WITHOUT_EC50 or bottom is None or top is None or (estimate is None and low is None and high is None):
            continue
        rows.append({
            "curve": row["curve"],
            "kind": "ec50" if estimate is not None else f"ec50 {row['bound_side']}",
            "dose": estimate if estimate is not None else axis.clipped(low if low is not None else high),
            "ec50": ec50_words(row),
            "ec50_low": axis.low_nM if low is None else axis.clipped(low),
            "ec50_high": axis.high_nM if high is None else axis.clipped(high),
            "response": (bottom + top) / 2,
        })  # fmt: skip
    numbers = {"dose": pl.Float64, "ec50_low": pl.Float64, "ec50_high": pl.Float64, "response": pl.Float64}
    return pl.DataFrame(rows, schema={"curve": pl.String, "kind": pl.String, "ec50": pl.String, **numbers})


def _response_domain(rows: pl.DataFrame) -> tuple[float, float]:
    """Ends of the y axis, from wells, vehicle and fitted lines: a band or plateau that runs away does not flatten them."""
    vehicle = rows.filter(pl.col("kind") == "vehicle")
    seen = rows.filter(~pl.col("kind").str.starts_with("ec50"))["response"]
    values = [v for column in (seen, vehicle["low"], vehicle["high"]) for v in column.drop_nulls().to_list() if math.isfinite(v)]
    low, high = min([0.0, *values]), max([1.0, *values])
    margin = 0.06 * (high - low)
    return float(f"{low - margin:.4g}"), float(f"{high + margin:.4g}")


def _layers(axis: DoseAxis, y: alt.Y) -> list[alt.Chart]:
    base = alt.Chart().encode(x=dose_x("dose", axis), y=y)
    colour = alt.Color(
        "verdict:N", legend=None, scale=alt.Scale(domain=list(VERDICT_COLOURS), range=list(VERDICT_COLOURS.values()))
    )
    line = base.transform_filter("datum.kind === 'line'").encode(color=colour)
    layers = [
        line.mark_area(opacity=0.16, clip=True).encode(y=alt.Y("low:Q"), y2="high:Q"),
        *_vehicle_layers(base),
        *_well_layers(base, colour),
        line.mark_line(strokeWidth=2, clip=True),
        *_ec50_layers(base),
    ]
    if axis.break_nM is not None:
        layers.insert(0, alt.Chart().mark_rule(color=HAIRLINE, strokeDash=[2, 3]).encode(x=alt.datum(axis.break_nM)))
    return layers


def _vehicle_layers(base: alt.Chart) -> list[alt.Chart]:
    """Median and range of the vehicle wells, left of the break."""
    vehicle = base.transform_filter("datum.kind === 'vehicle'")
    tips = [
        alt.Tooltip("response:Q", title="vehicle, median (%)", format=THREE),
        alt.Tooltip("low:Q", title="lowest (%)", format=THREE),
        alt.Tooltip("high:Q", title="highest (%)", format=THREE),
        alt.Tooltip("wells:Q", title="wells"),
    ]
    return [
        vehicle.mark_rule(color=GREY, strokeWidth=1.5).encode(y=alt.Y("low:Q"), y2="high:Q"),
        vehicle.mark_point(shape="square", filled=True, color=GREY, size=34, opacity=1).encode(tooltip=tips),
    ]


def _well_layers(base: alt.Chart, colour: alt.Color) -> list[alt.Chart]:
    """Replicate wells as dots, wells left out as crosses."""
    dose = alt.Tooltip("dose:Q", title="dose (nM)", format=THREE)
    response = alt.Tooltip("response:Q", title="response (%)", format=THREE)
    well = base.transform_filter("datum.kind === 'well'").encode(tooltip=[alt.Tooltip("well:N"), dose, response])
    out = base.transform_filter("datum.kind === 'left out'")
    out = out.encode(tooltip=[alt.Tooltip("well:N", title="well, left out"), dose, response])
    return [
        well.mark_point(filled=True, size=26, opacity=0.6).encode(color=colour),
        out.mark_point(shape="cross", angle=45, filled=True, size=40, color=FAINT_INK, opacity=0.75),
    ]


def _ec50_layers(base: alt.Chart) -> list[alt.Chart]:
    """Interval bar, a diamond at the EC50, or an arrow head where only a bound is known."""
    tip = alt.Tooltip("ec50:N", title="EC50")
    ec50 = base.transform_filter("isValid(datum.ec50)").encode(tooltip=tip)
    layers = [ec50.mark_rule(strokeWidth=2.5, color=INK, clip=True).encode(x=alt.X("ec50_low:Q"), x2="ec50_high:Q")]
    for kind, shape in (("ec50", "diamond"), ("ec50 above", "triangle-right"), ("ec50 below", "triangle-left")):
        marked = base.transform_filter(f"datum.kind === '{kind}'").encode(tooltip=tip)
        layers.append(marked.mark_point(shape=shape, filled=True, size=52, color=INK, opacity=1))
    return layers
