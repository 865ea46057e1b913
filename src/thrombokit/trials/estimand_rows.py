"""Estimands side by side: one row an estimand and arm, with the arm's figure and what sets it apart from the reference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from thrombokit.trials.analysed_trial import Analysis
from thrombokit.trials.count_change import ChangeAnalysis
from thrombokit.trials.estimand import Estimand, MissingRule, RescueRule
from thrombokit.trials.platelet_days import DaysAnalysis
from thrombokit.trials.response_analysis import ResponseAnalysis
from thrombokit.trials.time_analysis import TimeAnalysis

WORDS = ("estimand", "role", "rescue", "missing", "population", "strata", "arm", "measure")
NUMBERS = ("estimate", "low", "high")
CONTRAST = ("difference", "difference_low", "difference_high")
ODDS = ("odds_ratio", "odds_low", "odds_high")
SCHEMA = {
    **dict.fromkeys(WORDS, pl.String), "responders": pl.Int64, "n": pl.Int64, **dict.fromkeys(NUMBERS, pl.Float64), "against": pl.String,
    "contrast": pl.String, **dict.fromkeys((*CONTRAST, *ODDS), pl.Float64), "test": pl.String, "p": pl.Float64, "p_adjusted": pl.Float64,
    "adjusted_by": pl.String, "verdict": pl.String,
}  # fmt: skip
RESCUE_WORDS = {
    RescueRule.AS_MEASURED: "rescue: counts as measured", RescueRule.FAILURE_FROM_RESCUE: "failure from a rescue on",
    RescueRule.FAILURE_FOR: "failure for {days:g} days from a rescue", RescueRule.SET_MISSING: "counts from a rescue on set missing",
}  # fmt: skip
MISSING_WORDS = {
    MissingRule.NON_RESPONDER: "a missing count is no response", MissingRule.LOCF: "the last count carried on",
    MissingRule.OBSERVED: "only visits with a count", MissingRule.TIPPING_POINT: "every allocation of the missing tried (figures: no response)",
}  # fmt: skip
Row = dict[str, Any]


def estimand_rows(analyses: Sequence[Analysis]) -> pl.DataFrame:
    """Every estimand's arms in a row each.

    Parameters
    ----------
    analyses : sequence of Analysis
        Of one trial.

    Returns
    -------
    pl.DataFrame
        `estimate` with its interval is a share (Clopper-Pearson), median day of those with the event, mean days in range or ratio to baseline, as
        `measure` says; `difference` is that to the reference (`contrast` says of what and by which method), a ratio of ratios for counts over time.
    """
    rows = [{**_rules(one.estimand, one), **row} for one in analyses for row in _arms(one)]
    return pl.DataFrame([{key: row.get(key) for key in SCHEMA} for row in rows], schema=SCHEMA)


def _rules(estimand: Estimand, one: Analysis) -> Row:
    rescue, days = RESCUE_WORDS[estimand.rescue.rule], estimand.rescue.days
    missing = MISSING_WORDS[estimand.missing] if isinstance(one, ResponseAnalysis | DaysAnalysis) else ""
    if isinstance(one, TimeAnalysis):
        missing = f"drop-out {'competes' if estimand.dropout_competes else 'is censored'}"
    if isinstance(one, ChangeAnalysis):
        missing = "missing counts at random"
    return {
        "estimand": estimand.name, "role": estimand.role, "rescue": rescue if days is None else rescue.format(days=days), "missing": missing,
        "population": estimand.population.value, "strata": ", ".join(estimand.strata),
    }  # fmt: skip


def _arms(one: Analysis) -> list[Row]:
    if isinstance(one, ResponseAnalysis):
        return _shares(one)
    if isinstance(one, TimeAnalysis):
        return _times(one)
    if isinstance(one, DaysAnalysis):
        return _days(one)
    return _changes(one)


def _shares(one: ResponseAnalysis) -> list[Row]:
    rows: list[Row] = []
    for arm in one.arms:
        low, high = arm.clopper_pearson.to_list() if arm.clopper_pearson else (None, None)
        row: Row = {"arm": arm.arm, "measure": "share responding", "responders": arm.responders, "n": arm.n, "estimate": arm.share,
                    "low": low, "high": high, "verdict": "" if arm.n else "nobody with a known outcome"}  # fmt: skip
        for c in one.contrasts:
            if c.arm == arm.arm:
                limits, odds = c.difference_interval.to_list(), c.odds_ratio_interval.to_list()
                contrast = f"difference of shares, {c.difference_method.replace('_', ' ')}"
                row |= {"against": c.reference, "contrast": contrast, "difference": c.difference, "difference_low": limits[0],
                        "difference_high": limits[1], "odds_ratio": c.odds_ratio, "odds_low": odds[0], "odds_high": odds[1],
                        "test": c.test.replace("_", " "), "p": c.p, "p_adjusted": c.p_adjusted, "adjusted_by": c.adjusted_by}  # fmt: skip
        rows.append(row)
    return rows


def _times(one: TimeAnalysis) -> list[Row]:
    sizes = {arm.name: arm.n for arm in one.survival.arms} if one.survival is not None else {}
    rows: list[Row] = []
    for m in one.medians:
        row: Row = {"arm": m.arm, "measure": "median day of those with the event", "responders": m.n, "n": sizes.get(m.arm), "estimate": m.median_d,
                    "low": m.low_d, "high": m.high_d, "verdict": "" if m.n else "nobody with the event"}  # fmt: skip
        for c in one.contrasts:
            if c.arm == m.arm:
                row |= {"against": c.reference, "test": c.test, "p": c.p, "p_adjusted": c.p_adjusted, "adjusted_by": c.adjusted_by}
        rows.append(row)
    return rows or [{"arm": "", "measure": "median day of those with the event", "verdict": one.verdict.replace("_", " ")}]


def _days(one: DaysAnalysis) -> list[Row]:
    rows: list[Row] = []
    for arm in one.arms:
        row: Row = {"arm": arm.arm, "measure": "mean days in range", "n": arm.n, "estimate": arm.mean_d, "low": arm.low_d, "high": arm.high_d,
                    "verdict": "" if arm.n else "nobody with counts in the period"}  # fmt: skip
        for c in one.contrasts:
            if c.arm == arm.arm:
                row |= {"against": c.reference, "contrast": "difference of mean days, Welch", "difference": c.difference_d, "difference_low": c.low_d,
                        "difference_high": c.high_d, "test": "Welch", "p": c.p, "p_adjusted": c.p_adjusted, "adjusted_by": c.adjusted_by}  # fmt: skip
        rows.append(row)
    return rows


def _changes(one: ChangeAnalysis) -> list[Row]:
    measure = "ratio to baseline"
    if one.fit is None:
        return [{"arm": "", "measure": measure, "verdict": one.verdict}]
    told, last = one.to_dict(), one.fit.rows.visits[-1]
    against = {c["arm"]: c for c in told["contrasts"] if c["visit"] == last}
    rows: list[Row] = []
    for mean in (m for m in told["ratios_to_baseline"] if m["visit"] == last):
        row: Row = {"arm": mean["arm"], "measure": f"{measure} at {last}", "estimate": mean["ratio"], "low": mean["low"], "high": mean["high"],
                    "verdict": one.verdict}  # fmt: skip
        c = against.get(mean["arm"])
        if c is not None:
            row |= {"against": c["reference"], "contrast": "ratio of ratios, MMRM", "difference": c["ratio"], "difference_low": c["low"],
                    "difference_high": c["high"], "test": "MMRM", "p": c["p"], "p_adjusted": c["p_adjusted"],
                    "adjusted_by": one.estimand.adjust.value}  # fmt: skip
        rows.append(row)
    return rows
