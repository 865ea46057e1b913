"""The trials part of the report: cells of its tables, sentences, and pictures that come out as they were saved."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import altair as alt
import polars as pl
import pytest

from thrombokit.drawing.export import chart_spec, chart_to_svg
from thrombokit.drawing.saved_chart import SavedChart
from thrombokit.report.page_tables import PageTable
from thrombokit.report.trials import SUBJECTS_SHOWN, trials_parts, trials_sentences
from thrombokit.report.trials_tables import estimand_page, flow_page, median_page, published_page, subgroup_page, visit_page
from thrombokit.trials.estimand_rows import SCHEMA
from thrombokit.trials.stage import PublishedSource, TrialPicture, TrialsStage

EMPTY = TrialsStage(
    title="", arms=(), reference=None, confidence=0.95, include_subjects=False, answer=(), caveats=(), document={}, pictures=(), sources=(),
)  # fmt: skip
RULES = {
    "rescue": "failure from a rescue on",
    "missing": "a missing count is no response",
    "population": "enrolled",
    "strata": "",
    "verdict": "",
}
SHARE = {**RULES, "estimand": "week 8", "role": "primary", "measure": "share responding"}
PLACEBO: dict[str, Any] = {**SHARE, "arm": "placebo", "responders": 1, "n": 40, "estimate": 0.025, "low": 0.0006, "high": 0.132}
DRUG: dict[str, Any] = {
    **SHARE, "arm": "5 mg", "responders": 19, "n": 40, "estimate": 0.475, "low": 0.315, "high": 0.639, "against": "placebo", "difference": 0.45,
    "difference_low": 0.285, "difference_high": 0.606, "odds_ratio": None, "odds_low": 5.46, "odds_high": None, "p": 3.05e-6, "p_adjusted": 6.1e-6,
    "adjusted_by": "holm",
}  # fmt: skip
PRINTED = {
    "trial": "phase3", "endpoint": "week 8", "arm": "5 mg", "responders": 110, "n": 171, "percent": 64.3, "percent_low": 56.7, "percent_high": 71.5,
    "difference_points": 58.4, "difference_low": 48.7, "difference_high": 66.4, "odds_ratio": 28.85, "odds_ratio_low": 11.4, "odds_ratio_high": 72.9,
    "fisher_p": 1e-20, "p_holm": 2e-20, "printed_odds_ratio": 32.81, "printed_low": 12.39, "printed_high": 86.87,
}  # fmt: skip


def estimands(*rows: dict[str, Any]) -> TrialsStage:
    return replace(EMPTY, estimands=pl.DataFrame([{key: row.get(key) for key in SCHEMA} for row in rows], schema=SCHEMA))


def shown(table: PageTable | None) -> list[tuple[str, ...]]:
    assert table is not None
    return list(table.rows)


def test_an_estimand_is_named_once_and_its_arms_follow() -> None:
    first, second = shown(estimand_page(estimands(PLACEBO, DRUG)))
    assert first == (
        "week 8 (primary)",
        "failure from a rescue on; a missing count is no response",
        "placebo",
        "1/40",
        "2.5 % (0.1 to 13.2)",
        "–",
        "–",
        "–",
    )
    assert second == (
        "",
        "",
        "5 mg",
        "19/40",
        "47.5 % (31.5 to 63.9)",
        "45.0 (28.5 to 60.6)",
        "– (5.46 to open)",
        "3.05e-6 (6.10e-6)",
    )


def test_days_and_ratios_carry_their_unit_and_what_has_no_figure_its_verdict() -> None:
    days = {**RULES, "estimand": "days", "measure": "mean days in range", "arm": "5 mg", "n": 40, "estimate": 28.1, "low": 22.9, "high": 33.3,
            "difference": 27.1, "difference_low": 21.8, "difference_high": 32.5}  # fmt: skip
    ratio = {**RULES, "estimand": "counts", "measure": "ratio to baseline at week 8", "arm": "5 mg", "estimate": 4.0, "low": 3.0, "high": 5.0,
             "difference": 4.04, "difference_low": 2.66, "difference_high": 6.14, "verdict": "at_bound", "strata": "sex",
             "population": "treated"}  # fmt: skip
    nobody = {**SHARE, "estimand": "none", "arm": "5 mg", "n": 0, "responders": 0, "verdict": "nobody with a known outcome"}
    found = shown(estimand_page(estimands(days, ratio, nobody)))
    assert found[0][4:6] == ("28.1 (22.9 to 33.3) d", "27.1 d (21.8 to 32.5)")
    assert found[1][4:6] == ("4.00 (3.00 to 5.00) (at_bound)", "4.04-fold (2.66 to 6.14)")
    assert found[1][1].endswith("within sex; treated subjects only")
    assert found[2][3:5] == ("0/0", "nobody with a known outcome")


def test_published_counts_stand_beside_what_is_printed() -> None:
    source = PublishedSource(name="phase3", title="Phase 3", source="Mei 2021", locator="Table 2", tier="published", note="")
    second = {**PRINTED, "arm": "placebo", "responders": 5, "n": 85, **dict.fromkeys(list(PRINTED)[8:], None)}
    table = published_page(replace(EMPTY, sources=(source,), published=pl.DataFrame([PRINTED, second], infer_schema_length=None)))
    first, last = shown(table)
    assert first[0] == "week 8 [1]"
    assert first[2:] == (
        "110/171",
        "64.3 % (56.7 to 71.5)",
        "58.4 (48.7 to 66.4)",
        "28.9 (11.4 to 72.9)",
        "32.8 (12.4 to 86.9)",
        "1.00e-20 (2.00e-20)",
    )
    assert last[0] == ""
    assert last[4:] == ("–", "–", "–", "–")
    assert table is not None
    assert "[1] Phase 3: Mei 2021, Table 2 (published)." in table.note


def test_nothing_to_show_is_no_table() -> None:
    for page in (estimand_page, flow_page, median_page, published_page, subgroup_page, visit_page):
        assert page(EMPTY) is None
    parts = trials_parts(EMPTY)
    assert parts["figures"] == []


def test_a_picture_comes_out_as_it_was_saved() -> None:
    drawn = alt.Chart(pl.DataFrame({"x": [1, 2], "y": [3, 4]})).mark_point().encode(x="x:Q", y="y:Q")
    spec = chart_spec(drawn)
    parts = trials_parts(
        replace(EMPTY, pictures=(TrialPicture(key="trials-response", heading="Response", caption="c", spec=spec),))
    )
    (figure,) = parts["figures"]
    assert parts["trials"]["response"] is figure
    assert chart_spec(figure.chart) == spec
    assert isinstance(figure.chart, SavedChart)
    assert chart_to_svg(drawn).startswith("<svg")


@pytest.mark.parametrize(("asked", "document", "told"), [(True, {"a": 1}, True), (False, {"a": 1}, False), (True, {}, False)])
def test_single_subjects_are_announced_where_they_are_shown(asked: bool, document: dict[str, Any], told: bool) -> None:
    stage = replace(EMPTY, include_subjects=asked, document=document, answer=("a",), caveats=("b",))
    assert trials_sentences(stage) == ["a", "b", *([SUBJECTS_SHOWN] if told else [])]
