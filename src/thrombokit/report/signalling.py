"""The signalling part of the report: the answer, the picture, heat maps, panels, combinations, predictions with their misses.

`signalling_parts` gives what `templates/signalling.html.j2` shows under the name `signalling`, and all charts under "figures", so that the page
can embed their data once. The picture is SVG text that stands in the page itself.
"""

from __future__ import annotations

from typing import Any

import polars as pl
from markupsafe import Markup

from thrombokit.drawing.dose_time import dose_time_chart
from thrombokit.drawing.measured_signals import has_series
from thrombokit.drawing.network_svg import network_svg
from thrombokit.drawing.numerals import three_digits
from thrombokit.drawing.time_courses import time_course_chart
from thrombokit.drawing.treatment_bars import treatment_bars
from thrombokit.report.charts import Figure
from thrombokit.report.signalling_tables import (
    anchor_page,
    combination_page,
    prediction_table,
    quality_page,
    rate_page,
    shift_page,
)
from thrombokit.signalling.measured_fit import rate_sentence
from thrombokit.signalling.picture_activity import OTHER_CELLS
from thrombokit.signalling.predictions import NO_BAND, Prediction
from thrombokit.signalling.stage import SignallingStage, prediction_tally

PEAKS = {"STAT5_p_peak_nM": "pSTAT5 peak", "ERK_p_peak_nM": "pERK peak", "AKT_p_peak_nM": "pAKT peak"}
ASSUMED = "CD41 and ploidy over days are assumed by this model, not predicted: they are drawn as bands, and no number of theirs stands here."
NOT_DRAWN = "The measured signals hold neither three times of one treatment nor three doses at one time: they stand in the tables, not in a figure."
ERK_SIGN = (
    "What ERK does to endomitosis is a declared assumption: low-dose MEK inhibition raised polyploid cells from 45 to 70 % (Guerriero 2006), other "
    "data disagree. Bands of ploidy stand under both signs."
)


def signalling_parts(result: SignallingStage) -> dict[str, Any]:
    """What the page shows of signalling.

    Returns
    -------
    dict
        `signalling` (for the template) and `figures` (every chart in it, for embedding).
    """
    figures, cultures = _figures(result), culture_figures(result)
    fit = result.fit
    signalling: dict[str, Any] = {
        "sentences": answer_sentences(result),
        "caveats": caveat_sentences(result),
        # our own text: names from the model are escaped where the SVG is written
        "picture": Markup(network_svg(result.picture)) if result.picture is not None else None,
        "picture_caption": picture_caption(result),
        **figures,
        "cultures": cultures,
        "anchors": anchor_page(result.anchors),
        "predictions": prediction_table(result.predictions),
        "combinations": combination_page(result.combinations),
        "shifts": shift_page(result.shifts),
        "rates": rate_page(fit) if fit is not None else None,
        "fit_quality": quality_page(fit) if fit is not None else None,
    }
    return {"signalling": signalling, "figures": [figure for figure in (*figures.values(), *cultures) if figure is not None]}


def signalling_sentences(result: SignallingStage) -> list[str]:
    """The answer and what limits it, one entry a sentence or two."""
    return [*answer_sentences(result), *caveat_sentences(result)]


def answer_sentences(result: SignallingStage) -> list[str]:
    """What the model was asked and rests on, and what it says: among predictions the tally comes first, then every miss."""
    checked = [one for one in result.predictions if one.published is not None]
    said = [f"Signalling in {result.cell_system} was simulated for {' and '.join(result.agonists)} over {result.hours:g} h."]
    said += [*result.anchoring, *prediction_tally(result.predictions)]
    said += [_miss(one) for one in checked if one.verdict == "outside the band"]
    said += [_without_band(one) for one in checked if one.verdict == NO_BAND]
    said += _shift_sentences(result.shifts)
    said += _combination_sentences(result.combinations)
    if result.fit is not None:
        said += [rate_sentence(rate, result.fit.confidence) for rate in result.fit.rates]
    return said


def caveat_sentences(result: SignallingStage) -> list[str]:
    """What limits it: assumed rates, other cells, agonists whose place is not told, data the model does not follow."""
    untold = [anchor.summary() for anchor in result.anchors if "cannot be told apart" in anchor.summary()]
    fitted = result.fit.caveats() if result.fit is not None else []
    fitted += [NOT_DRAWN] if result.fit is not None and not has_series(result.fit.points) else []
    assumed = [ASSUMED, ERK_SIGN] if not result.cultures.is_empty() else [ASSUMED]
    return [result.caption, OTHER_CELLS, *untold, *fitted, *result.notes, *assumed]


def picture_caption(result: SignallingStage) -> str:
    """What stands under the picture."""
    return (
        f"The network as the model has it, drawn from the model; colours: {result.picture.title}."
        if result.picture is not None
        else ""
    )


def _miss(one: Prediction) -> str:
    return (
        f"Miss: {one.fact} is predicted at {three_digits(one.predicted)} {one.unit} ({three_digits(one.low)} to {three_digits(one.high)}), "
        f"known {three_digits(one.published)} ({one.source})."
    )


def _without_band(one: Prediction) -> str:
    return f"{one.fact} is {three_digits(one.predicted)} in the model, which cannot change it; known {three_digits(one.published)} ({one.source})."


def _shift_sentences(shifts: pl.DataFrame) -> list[str]:
    """EC50 of the first and the last read-out, agonist by agonist; once where all shift alike."""
    said: dict[tuple[str, ...], list[str]] = {}
    for (agonist,), rows in shifts.group_by("agonist", maintain_order=True) if not shifts.is_empty() else ():
        told = tuple(f"{row['hours']:g} h {three_digits(row['shift'])}" for row in rows.to_dicts())
        said.setdefault(told, []).append(str(agonist))
    return [
        f"EC50 by hours of the read-out, over that of the last: {', '.join(told)} ({' and '.join(names)})."
        for told, names in said.items()
    ]


def _combination_sentences(table: pl.DataFrame) -> list[str]:
    """The pair of lowest doses given together."""
    together = table.filter((pl.col("first_nM") > 0.0) & (pl.col("second_nM") > 0.0)) if not table.is_empty() else table
    if together.is_empty():
        return []
    row = together.row(0, named=True)
    return [
        f"{row['first']} {three_digits(row['first_nM'])} nM with {row['second']} {three_digits(row['second_nM'])} nM: "
        f"{three_digits(row['drive_additive_pct'])} % where drives add, {three_digits(row['bliss_pct'])} % by Bliss, "
        f"{three_digits(row['sum_pct'])} % as the sum."
    ]


def _figures(result: SignallingStage) -> dict[str, Figure | None]:
    fit = result.fit
    caption = result.caption
    heat = None
    if not result.dose_time.is_empty():
        chart = dose_time_chart(result.dose_time, caption=caption, description="Pathway activity and cell number by dose and time.")
        told = "Pathways in % of the highest level shown, cell number in % of the positive control at the same time (from 24 h)."
        heat = Figure(key="signalling-dose-time", heading="Dose and time", caption=told, chart=chart)
    measured = None
    if fit is not None and has_series(fit.points):
        told = (
            "Points are measurements, a mark a run; lines are the model. 0 % is the vehicle and 100 % the highest mean of that run."
        )
        measured = Figure(key="signalling-measured", heading="Measured signals beside the model", caption=told, chart=fit.plot())
    return {
        "dose_time": heat,
        "inhibitors": _panel(result.inhibitors, "signalling-inhibitors", "Inhibitors", caption),
        "mutants": _panel(result.mutants, "signalling-mutants", "Mutations and receptor variants", caption),
        "measured": measured,
    }


def culture_figures(result: SignallingStage) -> list[Figure]:
    """CD41 and ploidy over days as bands, one figure for each kind of cells."""
    figures: list[Figure] = []
    if result.cultures.is_empty():
        return figures
    for number, (((cells,), rows), caption) in enumerate(
        zip(result.cultures.group_by("cell_system", maintain_order=True), result.culture_captions, strict=True), 1
    ):
        chart = time_course_chart(
            rows.rename({"quantity": "panel", "median": "value"}), series=rows["treatment"].unique(maintain_order=True).to_list(),
            value_title="%", caption=caption, description=f"CD41 and ploidy of {cells} over days, assumed, as bands.", columns=3,
        )  # fmt: skip
        told = (
            "Bands, not predictions: a wide band says that the assumptions do not tell the number. Compare treatments, not heights."
        )
        figures.append(
            Figure(key=f"signalling-culture-{number}", heading=f"{cells}: CD41 and ploidy, assumed", caption=told, chart=chart)
        )
    return figures


def _panel(table: pl.DataFrame, key: str, heading: str, caption: str) -> Figure | None:
    """Response, and peaks of the pathways in % of the highest in the table."""
    if table.is_empty():
        return None
    columns = {"response_pct": pl.col("response_pct").alias("cell number")}
    columns |= {name: (100.0 * pl.col(name) / pl.col(name).max()).fill_nan(None).alias(title) for name, title in PEAKS.items()}
    rows = table.select("treatment", *columns.values()).unpivot(index="treatment", variable_name="quantity", value_name="value")
    if rows["value"].drop_nulls().is_empty():
        return None
    told = "Cell number in % of the positive control; peaks in % of the highest in this figure."
    chart = treatment_bars(rows, caption=caption, description=f"{heading}: response and pathway peaks, one row a treatment.")
    return Figure(key=key, heading=heading, caption=told, chart=chart)
