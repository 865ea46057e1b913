"""The trials part of the report: subjects, response by visit, estimands side by side, subgroups, times, published trials.

`trials_parts` gives what `templates/trials.html.j2` shows under the name `trials`, and all charts under "figures", so that the page can embed their
data once. The pictures come out of the saved result as they were drawn: a page holds single subjects only where the study asked for that.
"""

from __future__ import annotations

from typing import Any

from thrombokit.drawing.saved_chart import SavedChart
from thrombokit.report.charts import Figure
from thrombokit.report.trials_tables import estimand_page, flow_page, median_page, published_page, subgroup_page, visit_page
from thrombokit.trials.stage import TrialPicture, TrialsStage

SUBJECTS_SHOWN = "Some pictures of this part hold single subjects’ data, as the study file asks for: share this page only as such data may be shared."


def trials_parts(stage: TrialsStage) -> dict[str, Any]:
    """What the page shows of trials.

    Returns
    -------
    dict
        `trials` (for the template) and `figures` (every chart in it, for embedding).
    """
    figures = {one.key.removeprefix("trials-"): _figure(one) for one in stage.pictures}
    shown: dict[str, Any] = {
        "sentences": list(stage.answer), "caveats": caveat_sentences(stage), "flow_table": flow_page(stage), "estimands": estimand_page(stage),
        "visits": visit_page(stage), "subgroups": subgroup_page(stage), "medians": median_page(stage), "published": published_page(stage),
        "flow": figures.get("flow"), "response": figures.get("response"), "counts": figures.get("counts"), "forest": figures.get("forest"),
        "times": [figure for key, figure in figures.items() if key.startswith("time-") or key == "adtte"],
        "subjects": [figures[key] for key in ("waterfall", "swimmer") if key in figures],
    }  # fmt: skip
    return {"trials": shown, "figures": list(figures.values())}


def trials_sentences(stage: TrialsStage) -> list[str]:
    """The answer and what limits it, one entry a sentence or two."""
    return [*stage.answer, *caveat_sentences(stage)]


def caveat_sentences(stage: TrialsStage) -> list[str]:
    """What limits it."""
    return [*stage.caveats, *([SUBJECTS_SHOWN] if stage.include_subjects and stage.document else [])]


def _figure(picture: TrialPicture) -> Figure:
    return Figure(key=picture.key, heading=picture.heading, caption=picture.caption, chart=SavedChart(spec=picture.spec))
