"""The patients' part of the report: what every regimen does week by week, regimens compared, decisions counted. Nothing of a single patient.

`patients_parts` gives what `templates/patients.html.j2` shows under the name `patients`, and all charts under "figures", so that the page can
embed their data once. Under every figure stands what its model and rule rest on.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from thrombokit.drawing.cohort_weeks import cohort_weeks_chart
from thrombokit.drawing.draw_bands import draw_bands_chart
from thrombokit.drawing.regimen_differences import regimen_chart
from thrombokit.patients.draws_result import ALL, SHARES, measure_titles
from thrombokit.patients.stage import PatientsArm, PatientsStage
from thrombokit.report.charts import Figure
from thrombokit.report.patients_tables import (
    arms_page,
    draws_page,
    event_page,
    measures_page,
    nca_page,
    reasons_page,
)

SIMULATED = "These are simulated patients. No one was treated, and nothing here is for diagnosis or treatment: research use only."


def patients_parts(stage: PatientsStage) -> dict[str, Any]:
    """What the page shows of patients.

    Returns
    -------
    dict
        `patients` (for the template) and `figures` (every chart in it, for embedding).
    """
    weeks = [weeks_figure(stage, arm, number) for number, arm in enumerate(stage.arms, 1)]
    compared, drawn = comparison_figures(stage), draws_figures(stage)
    patients: dict[str, Any] = {
        "sentences": answer_sentences(stage), "caveats": caveat_sentences(stage), "weeks": weeks, "compared": compared,
        "arms": arms_page(stage), "measures": measures_page(stage), "reasons": reasons_page(stage), "events": event_page(stage),
        "nca": nca_page(stage), "drawn": drawn, "draws": draws_page(stage),
    }  # fmt: skip
    return {"patients": patients, "figures": [*weeks, *compared, *drawn]}


def patients_sentences(stage: PatientsStage) -> list[str]:
    """The answer and what limits it, one entry a sentence or two."""
    return [*answer_sentences(stage), *caveat_sentences(stage)]


def answer_sentences(stage: PatientsStage) -> list[str]:
    """Every arm at the end, how arms differ in the same patients, event tables and analyses."""
    said = [arm.said[0] for arm in stage.arms]
    said += [arm.said_of_draws for arm in stage.arms if arm.said_of_draws is not None]
    said += _paired_sentences(stage)
    said += [f"{run.name}: {run.said}" for run in stage.events]
    return [*said, *(run.said for run in stage.profiles)]


def caveat_sentences(stage: PatientsStage) -> list[str]:
    """Simulated; who was included; what models and rules rest on; engines and near ties; what the intervals leave out."""
    said = [SIMULATED] if stage.arms or stage.events else []
    said += [f"{arm.name}: {' '.join(arm.said[1:])}" for arm in stage.arms]
    for title in dict.fromkeys(arm.model_title for arm in stage.arms):
        arms = [arm for arm in stage.arms if arm.model_title == title]
        parameters = "; ".join(dict.fromkeys(arm.tier_words.split("; rule")[0] for arm in arms))
        said.append(f"{title}. It rests on {parameters}.")
    said += _rule_sentences(stage)
    said += list(dict.fromkeys(_included(arm) for arm in stage.arms if arm.criterion is not None))
    said += [f"{arm.name}: {note}" for arm in stage.arms for note in arm.notes]
    return [*dict.fromkeys(said), *stage.notes]


def weeks_figure(stage: PatientsStage, arm: PatientsArm, number: int) -> Figure:
    """Counts as percentile bands, share in range, dose, share above the limit, week by week."""
    r = stage.counts_in
    chart = cohort_weeks_chart(stage.weeks_of(arm.name), low=r.low, high=r.high, above=r.above, amount_unit=arm.amount_unit,
                               caption=f"{arm.name}; {arm.patients} virtual patients, simulated")  # fmt: skip
    told = (
        f"{arm.model_title}; {arm.regimen_title}. Measured counts: the line is the median, the bands hold 50 and 90 % of the patients still there. "
        f"The other bands are Monte-Carlo intervals ({100 * stage.confidence:g} %). Engine {arm.engine}, relative error of a count at most "
        f"{arm.stated_error:.0e}. {_capital(arm.tier_words)}. Simulated; research use only."
    )
    return Figure(key=f"patients-weeks-{number}", heading=arm.name, caption=told, chart=chart)


def comparison_figures(stage: PatientsStage) -> list[Figure]:
    """One figure a cohort of several regimens."""
    figures: list[Figure] = []
    if stage.measures.is_empty():
        return figures
    for number, ((cohort,), rows) in enumerate(stage.measures.group_by("cohort", maintain_order=True), 1):
        arms = [arm for arm in stage.arms if arm.cohort == cohort]
        names = {arm.name: arm.regimen for arm in arms}
        shown = rows.with_columns(regimen=pl.col("arm").replace_strict(names)).filter((pl.col("value") > 0.0).any().over("measure"))
        if shown.is_empty():
            continue
        caption = f"{cohort}: the same {arms[0].patients} virtual patients under each regimen, simulated"
        told = (
            f"The same virtual patients under each regimen over {arms[0].weeks} weeks. Bars are Monte-Carlo intervals "
            f"({100 * stage.confidence:g} %): of the simulation, not of what is unknown about the model. {_capital(arms[0].tier_words)}."
        )
        figures.append(
            Figure(key=f"patients-compared-{number}", heading=f"{cohort}: regimens compared", caption=told,
                   chart=regimen_chart(shown, regimens=list(names.values()), caption=caption))
        )  # fmt: skip
    return figures


def draws_figures(stage: PatientsStage) -> list[Figure]:
    """One figure an arm that was run under frozen parameter sets: median and interval of the draws, week by week."""
    figures: list[Figure] = []
    for number, arm in enumerate((one for one in stage.arms if one.parameter_sets), 1):
        rows = stage.draws.filter(pl.col("arm") == arm.name)
        caption = f"{arm.name}; {arm.draws} draws, {arm.patients} virtual patients each, simulated"
        chart = draw_bands_chart(
            rows, titles=measure_titles(stage.counts_in, arm.amount_unit), shares=SHARES, whole=ALL, caption=caption
        )
        told = (
            f"{arm.draws} joint draws of frozen parameters, each with {arm.patients} new virtual patients, with fluctuation, rescue and remission "
            f"of the draw. The band holds 5 to 95 % of all draws; lines are medians, of all and of every part. "
            f"Sets of equal weight: {', '.join(one.words for one in arm.parameter_sets)}. Simulated; research use only."
        )
        figures.append(Figure(key=f"patients-draws-{number}", heading=f"{arm.name}: under frozen draws", caption=told, chart=chart))
    return figures


def _paired_sentences(stage: PatientsStage) -> list[str]:
    """How much of the time in range each arm gains or loses against the first of its cohort."""
    if stage.measures.is_empty():
        return []
    rows = stage.measures.filter((pl.col("measure") == "time in range") & pl.col("difference").is_not_null())
    first = {arm.cohort: arm for arm in reversed(stage.arms)}
    return [
        f"{row['arm']} has {row['difference']:+.1f} points of the weeks in range ({row['difference_low']:+.1f} to "
        f"{row['difference_high']:+.1f}) against {first[row['cohort']].regimen} in the same virtual patients."
        for row in rows.to_dicts()
    ]


def _rule_sentences(stage: PatientsStage) -> list[str]:
    """What the lines of every rule rest on; rules alike share a sentence."""
    by_words: dict[str, list[str]] = {}
    for arm in stage.arms:
        if arm.rule_tiers:
            by_words.setdefault(_rule_words(arm), []).append(arm.regimen)
    return [f"Lines of the rule {' and of '.join(dict.fromkeys(names))}: {told}." for told, names in by_words.items()]


def _rule_words(arm: PatientsArm) -> str:
    return ", ".join(f"{number} {tier}" for tier, number in arm.rule_tiers.items())


def _included(arm: PatientsArm) -> str:
    return (
        f"Virtual patients of {arm.cohort} were drawn anew until their count before treatment was {arm.criterion} x 1e9/L, "
        f"{arm.draws_mean:.2f} times on average and at most {arm.draws_most} times; none was clipped."
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
