"""From a plate result to its pictures: picks the columns each picture needs and writes what a listener should hear of it."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from thrombokit.drawing.controls import CONTROLS, control_strip
from thrombokit.drawing.curves import curve_chart
from thrombokit.drawing.export import Chart
from thrombokit.drawing.forest import forest_chart
from thrombokit.drawing.plates import plate_heatmap
from thrombokit.drawing.saved_chart import SavedChart
from thrombokit.plate.forest_rows import FOREST_SCHEMA, forest_row, forest_rows, run_words
from thrombokit.plate.result import PlateResult
from thrombokit.study.result import PublishedComparison

CURVE_KEYS = ["plate", "agonist", "cell_system", "run"]
CURVE_ROLES = ["sample", "comparator", "positive_control", "counter_screen"]
"""Roles whose wells can belong to a dose-response curve."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Figure:
    """A chart with its place in the page: `key` is a plain word for file names, `heading` and `caption` are for the reader."""

    key: str
    heading: str
    caption: str
    chart: Chart | SavedChart


def curve_figures(plate: PlateResult) -> list[Figure]:
    """One faceted chart for every plate that holds curves, in the order of the fits."""
    figures: list[Figure] = []
    if plate.fits.is_empty():
        return figures
    status = {quality.plate: quality.status for quality in plate.quality}
    for number, name in enumerate(plate.fits["plate"].unique(maintain_order=True).to_list(), start=1):
        fits = _with_curve_name(plate.fits.filter(pl.col("plate") == name))
        points = _points(plate, name, fits)
        if points.filter(pl.col("concentration_nM") > 0).is_empty():
            continue
        lines = plate.curves.filter(pl.col("plate") == name).join(
            fits.select(*CURVE_KEYS, "curve"), on=CURVE_KEYS, maintain_order="left"
        )
        unit = plate.response_unit.get(name, "%")
        named = [*fits["cell_system"].to_list(), *(run_words(run) for run in fits["run"].to_list() if run)]
        where = ", ".join(dict.fromkeys(text for text in named if text))
        chart = curve_chart(
            points, lines, fits, response_label=f"response ({unit})",
            description=f"Dose-response curves of plate {name}: {fits.height} panels, response against concentration in nM.",
        )  # fmt: skip
        check = status.get(name, "")
        heading = " · ".join(text for text in (name, where, f"quality: {check}" if check else "") if text)
        figures.append(
            Figure(key=f"curves-{number}", heading=heading, caption=f"{fits.height} curves of {name}, {unit}.", chart=chart)
        )
    return figures


def forest_figure(plate: PlateResult, published: tuple[PublishedComparison, ...]) -> Figure | None:
    """EC50 of every run beside the combined and the published value; None when no EC50 was found."""
    rows = forest_rows(plate.potencies, plate.fits, plate.failed_plates)
    shown = {(row["assay"], row["agonist"]) for row in rows}
    labels = {(p.agonist, p.assay.cell_system): p.assay.label() for p in plate.potencies}
    for one in published:
        assay = labels.get((one.agonist, one.cell_system))
        if (assay, one.agonist) in shown:
            rows.append(forest_row(assay or "", one.agonist, "published", one.source, one.published_ec50_nM, None, None))
    frame = pl.DataFrame(rows, schema=FOREST_SCHEMA)
    if frame.filter(pl.col("ec50_nM") > 0).is_empty():
        return None
    chart = forest_chart(
        frame, description="EC50 of every run with its interval, the combined EC50 and the published one, per assay, in nM."
    )
    caption = "Each dot is one run with its own interval; the diamond is the combined EC50. Values beyond the doses are not drawn."
    return Figure(key="forest", heading="EC50 by run and combined", caption=caption, chart=chart)


def heatmap_figure(plate: PlateResult) -> Figure | None:
    """Heat maps of all plates in one chart; None when there are no wells."""
    if plate.wells.is_empty():
        return None
    headings = {q.plate: f"{q.plate} · {q.status}" if q.status != "pass" else q.plate for q in plate.quality}
    wells = plate.wells.with_columns(pl.col("plate").replace(headings))
    number = wells["plate"].n_unique()
    chart = plate_heatmap(wells, description=f"Signal by well on {number} plates, control wells lettered.")
    caption = "V vehicle, P positive control, B blank, U untreated, D day 0, I IL-3 rescue, S counter-screen, Q quality sample; "
    caption += "× a well left out."
    return Figure(key="plates", heading="Plate heat maps", caption=caption, chart=chart)


def controls_figure(plate: PlateResult) -> Figure | None:
    """Control wells plate by plate; None when no plate has controls."""
    roles = pl.col("role").str.replace_all("_", " ")
    if plate.wells.filter(roles.is_in(list(CONTROLS)) & ~pl.col("excluded") & pl.col("signal").is_finite()).is_empty():
        return None
    chart = control_strip(plate.wells, description="Signal of the control wells on every plate.")
    return Figure(
        key="controls",
        heading="Control wells",
        caption="Each mark is one control well, before the blank is subtracted.",
        chart=chart,
    )


def _with_curve_name(fits: pl.DataFrame) -> pl.DataFrame:
    """Add `curve`: the agonist, with cell system and run where one plate holds the agonist more than once."""
    extra = [name for name in ("cell_system", "run") if fits[name].n_unique() > 1]
    return fits.with_columns(curve=pl.concat_str("agonist", *extra, separator=", ", ignore_nulls=True))


def _points(plate: PlateResult, name: str, fits: pl.DataFrame) -> pl.DataFrame:
    """Wells of each curve of one plate, with the vehicle wells of its cell system repeated at dose 0 for every curve."""
    wells = plate.wells.filter(pl.col("plate") == name)
    picked = ["curve", "concentration_nM", "response_pct", "well", "excluded"]
    curves = fits.select(*CURVE_KEYS, "curve")
    dosed = wells.filter(pl.col("role").is_in(CURVE_ROLES) & (pl.col("concentration_nM") > 0))
    dosed = dosed.join(curves, on=CURVE_KEYS, maintain_order="left", nulls_equal=True)
    vehicle = wells.filter(pl.col("role") == "vehicle").select("response_pct", "well", "excluded", vehicle_cells="cell_system")
    repeated = curves.join(vehicle, how="cross", maintain_order="left_right").filter(_same_cells())
    return pl.concat([dosed.select(picked), repeated.with_columns(concentration_nM=pl.lit(0.0)).select(picked)])


def _same_cells() -> pl.Expr:
    """Vehicle wells serve the curves of their own cells; where the map names no cells for them, every curve of the plate."""
    cells = pl.col("vehicle_cells")
    return cells.eq_missing(pl.col("cell_system")) | cells.is_null() | (cells == "")
