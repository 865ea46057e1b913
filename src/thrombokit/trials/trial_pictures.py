"""A trial's result as arrays for the charts. Whatever shows single subjects is drawn only where the caller asks for it in words."""

from __future__ import annotations

import math

import altair as alt
import numpy as np
import polars as pl

from thrombokit.drawing.response_by_visit import response_by_visit_chart
from thrombokit.drawing.spaghetti import spaghetti_chart
from thrombokit.drawing.subgroup_forest import subgroup_forest_chart
from thrombokit.drawing.subject_flow import FlowColumn, subject_flow_chart
from thrombokit.drawing.swimmer import swimmer_chart
from thrombokit.drawing.theme import BLACK, GREEN, HAIRLINE, ORANGE, VERMILLION
from thrombokit.drawing.waterfall import waterfall_chart
from thrombokit.errors import Fault, InputError
from thrombokit.trials.analysed_trial import AnalysedTrial
from thrombokit.trials.estimand import Endpoint, EndpointKind
from thrombokit.trials.trial_data import baseline_1e9_per_L
from thrombokit.trials.visit_states import responses

MARKS = {"response": (GREEN, "circle"), "no response": (HAIRLINE, "circle"), "rescue": (VERMILLION, "diamond"), "drop-out": (BLACK, "cross"),
         "last dose": (ORANGE, "triangle-right")}  # fmt: skip


def response_picture(result: AnalysedTrial) -> alt.LayerChart:
    """Share responding by visit."""
    lead = _lead(result)
    rows = pl.DataFrame([row.to_dict() for row in result.by_visit], infer_schema_length=None).with_columns(n=pl.col("n_counted"))
    endpoint, estimand = lead, result.leading
    rules = (
        ""
        if estimand is None
        else f"Rescue: {_plain(estimand.estimand.rescue.rule)}; missing: {_plain(estimand.estimand.missing)}."
    )
    return response_by_visit_chart(
        rows.select("arm", "week", "share", "low", "high", "n"), arms=result.data.arms, y_title=f"responding ({threshold_words(endpoint)})",
        caption=f"Wilson intervals. {rules}", description=f"Share of subjects responding at each visit by arm. {rules}",
    )  # fmt: skip


def flow_picture(result: AnalysedTrial) -> alt.LayerChart:
    """What became of the subjects."""
    columns = [
        FlowColumn(arm=arm.arm, boxes=(
            (f"Enrolled {arm.enrolled}", (f"with a baseline count {arm.with_baseline}",)),
            (f"Treated {arm.treated}", (f"rescued {arm.rescued}", f"counted after a dose {arm.with_count_after}")),
            (f"Dropped out {sum(arm.dropped_out.values())}", [f"{reason} {n}" for reason, n in arm.dropped_out.items()]),
            (f"Completed {arm.completed}", (f"end not known {arm.end_unknown}",) if arm.end_unknown else ()),
        ))
        for arm in result.flow
    ]  # fmt: skip
    told = "; ".join(f"{a.arm}: {a.enrolled} enrolled, {a.treated} treated, {sum(a.dropped_out.values())} dropped out, {a.completed} completed"
                     for a in result.flow)  # fmt: skip
    return subject_flow_chart(columns, description=f"Flow of subjects. {told}.")


def forest_picture(result: AnalysedTrial) -> alt.FacetChart:
    """Differences in subgroups of the leading estimand."""
    lead = result.leading
    rows = [
        {"arm": f"{s.arm} minus {s.reference}", "label": s.level if s.factor == "all" else f"{s.factor}: {s.level}", "whole": s.factor == "all",
         "difference": s.difference, "low": s.low, "high": s.high,
         "counts": f"{s.responders[0]}/{s.sizes[0]} vs {s.responders[1]}/{s.sizes[1]}"}
        for s in result.subgroups
    ]  # fmt: skip
    if not rows or lead is None:
        raise InputError(Fault(place="forest plot", found="no comparison of arms", expected="an estimand of a response and a reference arm",
                               cure="Add them to the estimand file."))  # fmt: skip
    schema = {
        "arm": pl.String,
        "label": pl.String,
        "whole": pl.Boolean,
        **dict.fromkeys(("difference", "low", "high"), pl.Float64),
        "counts": pl.String,
    }
    arms = list(dict.fromkeys(row["arm"] for row in rows))
    caption = f"{lead.estimand.name}. Miettinen-Nurminen {100 * lead.estimand.confidence:g} % intervals, not adjusted for the number of subgroups."
    return subgroup_forest_chart(pl.DataFrame(rows, schema=schema), arms=[str(a) for a in arms], x_title="difference of shares", caption=caption,
                                 description=f"Differences of shares by subgroup: {caption}")  # fmt: skip


def spaghetti_picture(result: AnalysedTrial, *, include_subjects: bool) -> alt.FacetChart:
    """Counts by visit."""
    middles = pl.DataFrame(
        [{"arm": r.arm, "time": r.week, "median": r.median_1e9_per_L, "lower": r.lower_quartile_1e9_per_L, "upper": r.upper_quartile_1e9_per_L}
         for r in result.by_visit], infer_schema_length=None,
    )  # fmt: skip
    lines: dict[str, list[str | float]] = {"arm": [], "subject": [], "time": [], "value": []}
    if include_subjects:
        base = baseline_1e9_per_L(result.data)
        for k, one in enumerate(result.data.subjects):
            course = [(0.0, float(base[k])), *zip(result.visits.plan.weeks, result.visits.count_1e9_per_L[k].tolist(), strict=True)]
            for week, count in course:
                if math.isfinite(count):
                    lines["arm"].append(one.arm)
                    lines["subject"].append(one.name)
                    lines["time"].append(week)
                    lines["value"].append(count)
    endpoint = _lead(result)
    shown = "a thin line each subject, the baseline at week 0" if include_subjects else "no single subject is shown"
    caption = f"Median and quartiles of the counts taken; {shown}. Dashed: {threshold_words(endpoint)}."
    table = pl.DataFrame(lines, schema={"arm": pl.String, "subject": pl.String, "time": pl.Float64, "value": pl.Float64})
    return spaghetti_chart(middles, table, arms=result.data.arms, levels=[endpoint.threshold_1e9_per_L], x_title="week", y_title="platelets (1e9/L)",
                           caption=caption, description=f"Platelet counts over weeks by arm. {caption}")  # fmt: skip


def waterfall_picture(result: AnalysedTrial, *, include_subjects: bool) -> alt.FacetChart:
    """Largest change from baseline of each subject."""
    _refuse(include_subjects, "waterfall")
    base, lead = baseline_1e9_per_L(result.data), result.leading
    rows: list[dict[str, str | float | bool]] = []
    for k, one in enumerate(result.data.subjects):
        counts = result.visits.count_1e9_per_L[k]
        if math.isfinite(base[k]) and np.isfinite(counts).any():
            change = counts[np.isfinite(counts)] - base[k]
            largest = float(change[np.argmax(np.abs(change))])
            rows.append(
                {
                    "arm": one.arm,
                    "subject": one.name,
                    "value": largest,
                    "responded": lead is not None and bool(lead.outcome[k] == 1),
                }
            )
    schema = {"arm": pl.String, "subject": pl.String, "value": pl.Float64, "responded": pl.Boolean}
    name = "" if lead is None else f" Responded: {lead.estimand.name}."
    caption = f"The largest change from baseline in size, at the planned visits; subjects without a baseline or a later count are left out.{name}"
    return waterfall_chart(pl.DataFrame(rows, schema=schema), arms=result.data.arms, y_title="change from baseline (1e9/L)", caption=caption,
                           description=f"Waterfall of changes by subject. {caption}")  # fmt: skip


def swimmer_picture(result: AnalysedTrial, *, include_subjects: bool) -> alt.FacetChart:
    """Time on study of each subject, with what happened."""
    _refuse(include_subjects, "swimmer plot")
    data, endpoint = result.data, _lead(result)
    states = responses(data.count_1e9_per_L, baseline_1e9_per_L(data)[data.subject], endpoint)
    lanes, events = list[dict[str, str | float]](), list[dict[str, str | float]]()
    for k, one in enumerate(data.subjects):
        rows = data.counts_of(k)
        found = [
            ("response" if s == 1 else "no response", d)
            for d, s in zip(data.day[rows].tolist(), states[rows].tolist(), strict=True)
            if d > 0 and s >= 0
        ]
        found += [("rescue", d) for d in one.rescue_days]
        found += [("drop-out", one.dropout_day)] if one.dropout_day is not None else []
        found += [("last dose", one.stop_day)] if one.stop_day is not None else []
        lanes.append({"arm": one.arm, "subject": one.name, "end": max((d for _, d in found), default=0.0) / 7.0})
        events += [{"arm": one.arm, "subject": one.name, "time": day / 7.0, "event": what} for what, day in found]
    words = {"arm": pl.String, "subject": pl.String}
    caption = f"Each lane is a subject, from the first dose to the last event known. Response: {threshold_words(endpoint)}."
    return swimmer_chart(pl.DataFrame(lanes, schema={**words, "end": pl.Float64}), pl.DataFrame(events, schema={**words, "time": pl.Float64,
        "event": pl.String}),
                         arms=data.arms, marks=MARKS, x_title="week", caption=caption, description=f"Swimmer plot. {caption}")  # fmt: skip


def threshold_words(endpoint: Endpoint) -> str:
    """What a response is."""
    times = "" if endpoint.times_baseline is None else f" and {endpoint.times_baseline:g} times the baseline"
    return f">= {endpoint.threshold_1e9_per_L:g}e9/L{times}"


def _lead(result: AnalysedTrial) -> Endpoint:
    return Endpoint(kind=EndpointKind.AT_LEAST_ONCE) if result.leading is None else result.leading.estimand.endpoint


def _refuse(include_subjects: bool, what: str) -> None:
    if not include_subjects:
        raise InputError(Fault(place=what, found="include_subjects = False", expected="a word that single subjects may be shown",
                               cure="Pass include_subjects=True (--include-subjects); the picture then holds each subject's data."))  # fmt: skip


def _plain(word: str) -> str:
    return str(word).replace("_", " ")
