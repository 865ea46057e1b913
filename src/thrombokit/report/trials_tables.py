"""The tables of the trials part: subject flow, estimands side by side, response by visit, times given, published trials."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import polars as pl

from thrombokit.drawing.numerals import three_digits
from thrombokit.report.page_tables import (
    NOTHING,
    PageColumn,
    PageTable,
    count,
    interval_words,
    name,
    page_table,
    plain_number,
    words,
)
from thrombokit.trials.stage import TrialsStage

ESTIMAND_NOTE = (
    "Shares with Clopper-Pearson intervals, days with those of their own. Differences of shares are in points of 100. p: against the reference; "
    "in brackets adjusted over the arms of the estimand."
)
PRINTED_NOTE = "Counts are as printed; all else is computed from them, but for the odds ratio as the article prints it."


def flow_page(stage: TrialsStage) -> PageTable | None:
    """What became of the subjects, an arm a row."""
    columns = (
        name("Arm", "name"), count("Enrolled", "enrolled"), count("Treated", "treated"), count("Rescued", "rescued"),
        count("Dropped out", "dropped_out"), words("Why", "dropped_out_by_reason"), count("Completed", "completed"),
        count("End not known", "end_unknown"),
    )  # fmt: skip
    return page_table(stage.flow, columns, caption="Subjects")


def estimand_page(stage: TrialsStage) -> PageTable | None:
    """Every estimand, an arm a row."""
    columns = (
        PageColumn(title="Estimand", text=_name), PageColumn(title="Rules", text=_rules), name("Arm", "arm"),
        PageColumn(title="n", text=_n, look="number"), PageColumn(title="Figure", text=_figure, look="number"),
        PageColumn(title="Against the reference", text=_difference, look="number"), PageColumn(title="Odds ratio", text=_odds, look="number"),
        PageColumn(title="p", text=_p, look="number"),
    )  # fmt: skip
    if stage.estimands.is_empty():
        return None
    frame = stage.estimands.with_columns(first=pl.col("estimand") != pl.col("estimand").shift(1).fill_null(""))
    return page_table(frame, columns, caption="Estimands side by side", note=ESTIMAND_NOTE)


def visit_page(stage: TrialsStage) -> PageTable | None:
    """Response by visit."""
    share = PageColumn(title="Responding", text=lambda row: _percent(row["share"], row["low"], row["high"]), look="number")
    median = PageColumn(title="Median count (quartiles), 1e9/L", text=_median, look="number")
    columns = (
        name("Arm", "arm"), plain_number("Week", "week"), count("With a count", "n_counted"), count("Responders", "responders"), count("Of", "n"),
        share, median,
    )  # fmt: skip
    return page_table(
        stage.by_visit,
        columns,
        caption="Response by visit",
        note="Wilson intervals, by the rules of the first estimand of a response.",
    )


def subgroup_page(stage: TrialsStage) -> PageTable | None:
    """Differences within levels of a factor."""
    counts = PageColumn(
        title="Responders",
        text=lambda r: f"{r['responders_arm']}/{r['n_arm']} vs {r['responders_reference']}/{r['n_reference']}",
        look="number",
    )
    difference = PageColumn(
        title="Difference (points)", text=lambda r: _points(r["difference"], r["low"], r["high"]), look="number"
    )
    columns = (
        name("Factor", "factor"),
        name("Level", "level"),
        name("Arm", "arm"),
        name("Against", "reference"),
        counts,
        difference,
        words("Verdict", "verdict"),
    )
    return page_table(
        stage.subgroups, columns, caption="Subgroups", note="Miettinen-Nurminen intervals; descriptive, nothing is adjusted."
    )


def median_page(stage: TrialsStage) -> PageTable | None:
    """Medians and tests of the times given."""
    columns = (
        words("Measure", "measure"), name("Of", "group"), words("Method", "method"),
        PageColumn(title="Figure", text=lambda row: _with_interval(row["estimate"], row["low"], row["high"]), look="number"),
        PageColumn(title="p", text=lambda row: NOTHING if row["p"] is None else three_digits(row["p"]), look="number"),
    )  # fmt: skip
    return page_table(stage.medians, columns, caption="Times given", note="A figure that was not reached is a dash.")


def published_page(stage: TrialsStage) -> PageTable | None:
    """Published counts analysed, and the article's own odds ratios beside."""
    if stage.published.is_empty():
        return None
    numbers = {one.name: at for at, one in enumerate(stage.sources, 1)}
    shown = stage.published.with_columns(asked=pl.concat_str("trial", "endpoint", separator="/"))
    frame = shown.with_columns(first=pl.col("asked") != pl.col("asked").shift(1).fill_null(""))
    endpoint = PageColumn(title="Endpoint", text=lambda row: f"{row['endpoint']} [{numbers[row['trial']]}]" if row["first"] else "")
    columns = (
        endpoint, name("Arm", "arm"), PageColumn(title="Responders", text=lambda row: f"{row['responders']}/{row['n']}", look="number"),
        _triple("Share", _percent_points, "percent", "percent_low", "percent_high"),
        _triple("Difference (points)", _plain_points, "difference_points", "difference_low", "difference_high"),
        _triple("Odds ratio", _with_interval, "odds_ratio", "odds_ratio_low", "odds_ratio_high"),
        _triple("As printed", _with_interval, "printed_odds_ratio", "printed_low", "printed_high"),
        PageColumn(title="Fisher p (Holm)", text=lambda row: _p_pair(row["fisher_p"], row["p_holm"]), look="number"),
    )  # fmt: skip
    told = "".join(f" [{at}] {one.title}: {one.source}, {one.locator} ({one.tier})." for at, one in enumerate(stage.sources, 1))
    percent = f"{100 * stage.confidence:g} %"
    return page_table(frame, columns, caption="Published trials", note=f"{PRINTED_NOTE} {percent} intervals.{told}")


Write = Callable[[float | None, float | None, float | None], str]


def _triple(title: str, write: Write, estimate: str, low: str, high: str) -> PageColumn:
    """A number with its interval, from three columns."""
    return PageColumn(title=title, text=lambda row: write(row[estimate], row[low], row[high]), look="number")


def _name(row: Mapping[str, Any]) -> str:
    role = f" ({row['role']})" if row["role"] else ""
    return f"{row['estimand']}{role}" if row["first"] else ""


def _rules(row: Mapping[str, Any]) -> str:
    if not row["first"]:
        return ""
    rules = [row["rescue"], row["missing"], f"within {row['strata']}" if row["strata"] else ""]
    rules += [f"{row['population']} subjects only" if row["population"] != "enrolled" else ""]
    return "; ".join(one for one in rules if one)


def _n(row: Mapping[str, Any]) -> str:
    if row["n"] is None:
        return NOTHING
    return f"{row['n']}" if row["responders"] is None else f"{row['responders']}/{row['n']}"


def _figure(row: Mapping[str, Any]) -> str:
    verdict = str(row["verdict"] or "")
    if row["estimate"] is None and verdict:
        return verdict
    if row["measure"] == "share responding":
        return _percent(row["estimate"], row["low"], row["high"])
    unit = " d" if "day" in row["measure"] else ""
    told = _with_interval(row["estimate"], row["low"], row["high"])
    return told if told == NOTHING else f"{told}{unit}" + (f" ({verdict})" if verdict not in ("", "converged") else "")


def _difference(row: Mapping[str, Any]) -> str:
    if row["difference"] is None:
        return NOTHING
    if row["measure"] == "share responding":
        return _points(row["difference"], row["difference_low"], row["difference_high"])
    unit = " d" if "day" in row["measure"] else "-fold"
    return f"{three_digits(row['difference'])}{unit} ({interval_words(row['difference_low'], row['difference_high'])})"


def _odds(row: Mapping[str, Any]) -> str:
    return _with_interval(row["odds_ratio"], row["odds_low"], row["odds_high"])


def _p(row: Mapping[str, Any]) -> str:
    return _p_pair(row["p"], row["p_adjusted"] if row["adjusted_by"] != "none" else None)


def _p_pair(p: float | None, adjusted: float | None) -> str:
    if p is None:
        return NOTHING
    return three_digits(p) if adjusted is None else f"{three_digits(p)} ({three_digits(adjusted)})"


def _percent(share: float | None, low: float | None, high: float | None) -> str:
    scaled = [None if one is None else 100.0 * one for one in (share, low, high)]
    return _percent_points(*scaled)


def _percent_points(share: float | None, low: float | None, high: float | None) -> str:
    if share is None:
        return NOTHING
    return f"{share:.1f} %" if low is None or high is None else f"{share:.1f} % ({low:.1f} to {high:.1f})"


def _points(difference: float | None, low: float | None, high: float | None) -> str:
    return _plain_points(*(None if one is None else 100.0 * one for one in (difference, low, high)))


def _plain_points(difference: float | None, low: float | None, high: float | None) -> str:
    if difference is None or low is None or high is None:
        return NOTHING
    return f"{difference:.1f} ({low:.1f} to {high:.1f})"


def _median(row: Mapping[str, Any]) -> str:
    if row["median_1e9_per_L"] is None:
        return NOTHING
    return f"{three_digits(row['median_1e9_per_L'])} ({interval_words(row['lower_quartile_1e9_per_L'], row['upper_quartile_1e9_per_L'])})"


def _with_interval(estimate: float | None, low: float | None, high: float | None) -> str:
    """ "33 (12.8 to open)"; an estimate that does not exist is a dash, its interval stays."""
    told = NOTHING if estimate is None else three_digits(estimate)
    ends = interval_words(low, high)
    return told if ends == NOTHING else f"{told} ({ends})"
