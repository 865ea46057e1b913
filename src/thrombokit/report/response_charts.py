"""Populations against dose, donor by donor: dose-response curves, stages as stacked bars, yield over days, any share on the plate."""

from __future__ import annotations

import re
from collections.abc import Mapping

import polars as pl

from thrombokit.cells.population_result import PopulationResult
from thrombokit.cells.treatments import culture_panels, treatment_words
from thrombokit.drawing.compositions import composition_chart
from thrombokit.drawing.curves import curve_chart
from thrombokit.drawing.plate_statistics import plate_statistic_chart
from thrombokit.drawing.theme import BLUE, GREEN, HAIRLINE, ORANGE, PURPLE, SKY_BLUE, VERMILLION, YELLOW
from thrombokit.drawing.yields import yield_chart
from thrombokit.report.charts import Figure

STAGE_COLOURS = (SKY_BLUE, BLUE, GREEN, ORANGE, VERMILLION, PURPLE, YELLOW)
"""In the order of maturation; what belongs to no stage is light grey."""
FEWEST_WELLS_ON_A_PLATE = 8
_RESPONSE_KEYS = ["agonist", "population", "day_d", "panel"]
_WELL = re.compile(r"(?:^|[^A-Za-z0-9])([A-Pa-p])0?(\d{1,2})(?:$|[^A-Za-z0-9])")


def response_figures(result: PopulationResult) -> list[Figure]:
    """One figure an agonist, population, day and panel, with a dose-response curve a donor; none for curves without a dose."""
    figures: list[Figure] = []
    for fits in result.curves.partition_by(_RESPONSE_KEYS, maintain_order=True):
        agonist, population, day_d, panel = fits.select(_RESPONSE_KEYS).row(0)
        points, lines = (_of_same_response(frame, fits) for frame in (result.points, result.lines))
        if points.filter(pl.col("concentration_nM") > 0).is_empty():
            continue
        percent = fits["response_unit"][0] == "percent"
        day = f", day {day_d:g}" if day_d is not None else ""
        label = f"{population} (%)" if percent else f"{population} (yield)"
        chart = curve_chart(
            points.select("concentration_nM", curve="donor", well="tube", response_pct="response", excluded=pl.lit(value=False)),
            lines.select("concentration_nM", curve="donor", fitted_pct="fitted", low_pct="low", high_pct="high"),
            fits.with_columns(curve="donor", bottom_pct="bottom", top_pct="top"),
            response_label=label, description=f"{population} against the concentration of {agonist}{day}, one panel a donor.",
        )  # fmt: skip
        caption = (
            f"n = {fits['donor'].n_unique()} donors, a panel each: dots are tubes, the line is the donor's own fit with its band, "
        )
        caption += "diamond and bar are its EC50 and interval."
        heading = f"{population}, {agonist}{day}" + (f" ({panel})" if panel else "")
        figures.append(Figure(key=f"cells-response-{len(figures) + 1}", heading=heading, caption=caption, chart=chart))
    return figures


def stage_figures(stages: pl.DataFrame, *, order: tuple[str, ...]) -> list[Figure]:
    """Stacked stages over dose, a figure a staining panel, for panels tell stages of their own.

    Parameters
    ----------
    stages : DataFrame
        One row a tube and stage: `tube, donor, day_d, panel, role, agonist, concentration_nM, stage, percent`.
    order : tuple of str
        Stages from the least to the most mature.
    """
    known = stages.filter(pl.col("percent").is_finite())
    several = known["panel"].n_unique() > 1
    return [
        _stage_figure(rows, order, number, several=several)
        for number, rows in enumerate(known.partition_by("panel", maintain_order=True), 1)
    ]


def _stage_figure(rows: pl.DataFrame, order: tuple[str, ...], number: int, *, several: bool) -> Figure:
    parent = rows["parent"][0] if "parent" in rows.columns and rows["parent"][0] else "analysed cells"
    shares = culture_panels(rows).group_by("panel", "dose", part="stage", maintain_order=True)
    means = shares.agg(pl.col("percent").mean(), tubes=pl.len())
    chart = composition_chart(
        means, colours=stage_colours(order), share_title=f"% of {parent}", part_title="stage",
        description="Stages of maturation in percent, by donor and dose.",
    )  # fmt: skip
    caption = "Every cell is in one stage and one only, so each bar is 100 %; tubes of the same donor and treatment are averaged."
    heading = f"Stages over dose, panel {rows['panel'][0]}" if several else "Stages over dose"
    return Figure(key=f"cells-stages-{number}", heading=heading, caption=caption, chart=chart)


def stage_colours(order: tuple[str, ...]) -> dict[str, str]:
    """A colour a stage in the order of maturation; cells of no stage (CD34-CD41-, "other") are light grey."""
    rest = [name for name in order if not _is_rest(name)]
    colours = {name: STAGE_COLOURS[place % len(STAGE_COLOURS)] for place, name in enumerate(rest)}
    return {**colours, **{name: HAIRLINE for name in order if _is_rest(name)}}


def yield_figure(yields: pl.DataFrame) -> Figure | None:
    """Cumulative yield over days, a panel a donor; `yields` as `cells.yields.yields_table` gives it."""
    # the panel names the donor already; without it a treatment has one colour in all panels
    cultures = [_without_donor(*pair) for pair in yields.select("culture", "donor").iter_rows()]
    rows = yields.select(
        "day_d", culture=pl.Series(cultures, dtype=pl.String), panel=pl.col("donor"), value="MKs_per_CD34", low="MKs_per_CD34_low",
        high="MKs_per_CD34_high",
    )  # fmt: skip
    if rows.filter(pl.col("value") > 0).is_empty():
        return None
    chart = yield_chart(rows.sort("panel", "culture", "day_d", maintain_order=True), title="MKs per CD34+ cell seeded",
                        description="Cumulative megakaryocytes per CD34+ cell seeded against the day of culture.")  # fmt: skip
    caption = (
        "Cumulative: cells removed at samplings and feeds are counted in. Bars are intervals of counting, pipetting and bead lot."
    )
    return Figure(key="cells-yield", heading="Yield over days", caption=caption, chart=chart)


def plate_figure(populations: pl.DataFrame, *, population: str, wells: Mapping[str, str]) -> Figure | None:
    """The share of one population well by well; `wells` maps a tube to its well ("B04"), tubes without one by a well in their name."""
    rows = of_leading_panel(populations, population)
    places = [_well_place(wells.get(tube, "") or tube) for tube in rows["tube"].to_list()]
    treatments = [treatment_words(*row) for row in rows.select("role", "agonist", "concentration_nM").iter_rows()]
    frame = rows.select(
        "role", value="percent", plate=pl.when(pl.col("plate") != "").then("plate").otherwise(pl.lit("plate")),
        well=pl.Series([place[0] if place else None for place in places], dtype=pl.String),
        row=pl.Series([place[1] if place else None for place in places], dtype=pl.Int64),
        column=pl.Series([place[2] if place else None for place in places], dtype=pl.Int64),
        treatment=pl.Series(treatments, dtype=pl.String),
    ).drop_nulls("well")  # fmt: skip
    if frame.height < FEWEST_WELLS_ON_A_PLATE or frame["value"].is_finite().sum() == 0:
        return None
    title = f"{population}, % of {rows['parent'][0] or 'all events'}"
    chart = plate_statistic_chart(frame, title=title, description=f"{title}, by well.")
    return Figure(key="cells-plates", heading=f"{population} on the plate", caption="White wells hold no value.", chart=chart)


def of_leading_panel(populations: pl.DataFrame, population: str) -> pl.DataFrame:
    """Rows of one population, of one staining panel: two panels that both tell it are not mixed.

    The panel that tells most populations leads, then the one with most tubes.
    """
    rows = populations.filter(pl.col("population") == population)
    if "panel" not in rows.columns or rows["panel"].n_unique() < 2:
        return rows
    panels = populations.filter(pl.col("panel").is_in(rows["panel"].unique().to_list())).group_by("panel", maintain_order=True)
    told = panels.agg(pl.col("population").n_unique(), pl.col("tube").n_unique())
    leading = told.sort("population", "tube", descending=True, maintain_order=True)["panel"][0]
    return rows.filter(pl.col("panel") == leading)


def _of_same_response(frame: pl.DataFrame, fits: pl.DataFrame) -> pl.DataFrame:
    """Rows of the agonist, population, day and panel of `fits`."""
    first = fits.select(_RESPONSE_KEYS).row(0, named=True)
    return frame.filter(pl.all_horizontal(pl.col(name).eq_missing(pl.lit(value)) for name, value in first.items()))


def _without_donor(culture: str, donor: str) -> str:
    rest = culture.removeprefix(donor).strip(" ,_-·") if donor else culture
    return rest or culture


def _is_rest(name: str) -> bool:
    """Cells of no stage: those without any of the markers, and what a user's own stages call so."""
    return "+" not in name or any(word in name.lower() for word in ("other", "unclear"))


def _well_place(text: str) -> tuple[str, int, int] | None:
    """ "B04", "plate 1 B4" -> ("B4", 1, 3); None where no well is named."""
    found = _WELL.search(text)
    if found is None or not 1 <= int(found[2]) <= 24:
        return None
    return f"{found[1].upper()}{int(found[2])}", "ABCDEFGHIJKLMNOP".index(found[1].upper()), int(found[2]) - 1
