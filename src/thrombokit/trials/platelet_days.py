"""Days in a range of counts, and platelet-days there: counts joined by straight lines, the time the line spends within the range.

From the baseline (day 0) or a later week to a planned week. Beyond the last count the missing rule speaks: non-responder counts the rest as out of
range, LOCF carries the last count on, observed only scales the share of the observed time to the whole. From a rescue on, a failure counts as out of
range; set missing ends the observation there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.special import stdtr, stdtrit

from thrombokit.numerics.arrays import Array, FrozenArrays, frozen
from thrombokit.numerics.student import t_interval
from thrombokit.trials.analysis_results import AnalysisNumber
from thrombokit.trials.estimand import Endpoint, Estimand, MissingRule, RescueRule
from thrombokit.trials.response_analysis import adjusted, population
from thrombokit.trials.trial_data import TrialData, baseline_1e9_per_L
from thrombokit.trials.visit_states import touched_by_rescue


@dataclass(frozen=True, kw_only=True)
class MeanDays:
    """One arm: mean days in range with Student's interval (None with fewer than two subjects), and mean platelet-days there."""

    arm: str
    n: int
    n_left_out: int
    mean_d: float | None
    low_d: float | None
    high_d: float | None
    sd_d: float | None
    median_d: float | None
    mean_platelet_days_1e9_per_L: float | None


@dataclass(frozen=True, kw_only=True)
class DaysContrast:
    """Difference of mean days, arm minus reference, by Welch's t (None where a variance is not known); p adjusted as the estimand says."""

    arm: str
    reference: str
    difference_d: float
    low_d: float | None
    high_d: float | None
    p: float | None
    p_adjusted: float | None
    adjusted_by: str


@dataclass(frozen=True, kw_only=True, eq=False)
class DaysAnalysis(FrozenArrays):
    """`days` in range and `platelet_days_1e9_per_L` of each subject (s,), NaN where unknown or not in the population."""

    estimand: Estimand
    days: Array
    platelet_days_1e9_per_L: Array
    arms: tuple[MeanDays, ...]
    contrasts: tuple[DaysContrast, ...]

    def to_dict(self) -> dict[str, Any]:
        """Keys `arms`, `contrasts`."""
        arms = [
            {"name": a.arm, "n": a.n, "n_left_out": a.n_left_out, "mean_d": a.mean_d, "low_d": a.low_d, "high_d": a.high_d, "sd_d": a.sd_d,
             "median_d": a.median_d, "mean_platelet_days_1e9_per_L": a.mean_platelet_days_1e9_per_L}
            for a in self.arms
        ]  # fmt: skip
        contrasts = [
            {"arm": c.arm, "reference": c.reference, "difference_d": c.difference_d, "low_d": c.low_d, "high_d": c.high_d, "p": c.p,
             "p_adjusted": c.p_adjusted, "adjusted_by": c.adjusted_by}
            for c in self.contrasts
        ]  # fmt: skip
        return {"arms": arms, "contrasts": contrasts}

    def numbers(self) -> tuple[AnalysisNumber, ...]:
        """Every number."""
        out: list[AnalysisNumber] = []
        for a in self.arms:
            none = "" if a.n else "nobody with counts in the period"
            out += [
                AnalysisNumber(measure="mean days in range", method="Student's t", group=a.arm, value=a.mean_d, low=a.low_d, high=a.high_d, n=a.n,
                               verdict=none or ("" if a.low_d is not None else "one subject")),
                AnalysisNumber(measure="median days in range", method="sample", group=a.arm, value=a.median_d, n=a.n, verdict=none),
                AnalysisNumber(measure="mean platelet-days in range (1e9/L x d)", method="sample", group=a.arm,
                               value=a.mean_platelet_days_1e9_per_L, n=a.n,
                               verdict=none),
            ]  # fmt: skip
        for c in self.contrasts:
            out.append(AnalysisNumber(measure="difference of mean days", method="Welch's t", group=c.arm, against=c.reference, value=c.difference_d,
                                      low=c.low_d, high=c.high_d, p=c.p, verdict="" if c.p is not None else "no variance"))  # fmt: skip
            out.append(AnalysisNumber(measure=f"p adjusted for {len(self.contrasts)} comparisons", method=f"{c.adjusted_by} of Welch's t",
                                      group=c.arm,
                                      against=c.reference, p=c.p_adjusted))  # fmt: skip
        return tuple(out)


def analyse_days(
    data: TrialData, estimand: Estimand, *, last_week: float, reference: str | None, order: Sequence[str]
) -> DaysAnalysis:
    """Days in range of every subject, their means, and each arm against the reference.

    Parameters
    ----------
    data : TrialData
    estimand : Estimand
    last_week : float
        The end of the period where the endpoint names none.
    reference : str, optional
    order : sequence of str
        The arms in the order of a fixed sequence.
    """
    inside, base = population(data, estimand), baseline_1e9_per_L(data)
    found = np.full((len(data.subjects), 2), math.nan)
    for k in np.flatnonzero(inside):
        found[k] = _of_subject(data, int(k), float(base[k]), estimand, last_week)
    arms = tuple(_mean(name, found[(data.arm == k) & inside], estimand.confidence) for k, name in enumerate(data.arms))
    values = {name: found[(data.arm == k) & np.isfinite(found[:, 0]), 0] for k, name in enumerate(data.arms)}
    others = [
        a
        for a in dict.fromkeys((*order, *data.arms))
        if a != reference and reference in values and values[a].size and values[reference].size
    ]
    rows = [_welch(values[a], values[reference or ""], estimand.confidence) for a in others]
    contrasts = tuple(
        DaysContrast(arm=a, reference=reference or "", difference_d=row[0], low_d=row[1], high_d=row[2], p=row[3], p_adjusted=q,
                     adjusted_by=estimand.adjust.value)
        for a, row, q in zip(others, rows, adjusted([row[3] for row in rows], estimand.adjust), strict=True)
    )  # fmt: skip
    return DaysAnalysis(
        estimand=estimand, days=frozen(found[:, 0]), platelet_days_1e9_per_L=frozen(found[:, 1]), arms=arms, contrasts=contrasts
    )


def time_in_range(day: Array, count: Array, low: float, high: float) -> tuple[float, float]:
    """Days that the line through (day, count), both (m,), spends in [low, high], and the area under it meanwhile; exact for straight pieces."""
    days, area = 0.0, 0.0
    for (a, b), (start, end) in zip(pairwise(day.tolist()), pairwise(count.tolist()), strict=True):
        width, rise = b - a, end - start
        if rise == 0.0:
            inside = (0.0, 1.0) if low <= start <= high else (0.0, 0.0)
        else:
            first, second = sorted(((low - start) / rise, (high - start) / rise))
            inside = (min(max(first, 0.0), 1.0), min(max(second, 0.0), 1.0))
        share = inside[1] - inside[0]
        days += width * share
        area += width * share * (start + rise * 0.5 * (inside[0] + inside[1]))
    return days, area


def _of_subject(data: TrialData, k: int, baseline: float, estimand: Estimand, last_week: float) -> tuple[float, float]:
    """Days in range and platelet-days; NaN where there is no count of the period."""
    endpoint = estimand.endpoint
    begin, end = 7.0 * endpoint.from_week, 7.0 * (endpoint.to_week if endpoint.to_week is not None else last_week)
    day, count = _course(data, k, baseline)
    rescued = min((d for d in data.subjects[k].rescue_days), default=math.inf)
    stop = rescued if estimand.rescue.rule is RescueRule.SET_MISSING else math.inf
    day, count = day[day <= stop], count[day <= stop]
    if not day.size or day[0] >= end or day[-1] <= begin:
        carried = estimand.missing is MissingRule.LOCF and day.size and day[-1] <= begin
        if not carried:
            return (0.0, 0.0) if estimand.missing is MissingRule.NON_RESPONDER else (math.nan, math.nan)
    if estimand.missing is MissingRule.LOCF and day[-1] < end:
        day, count = np.append(day, end), np.append(count, count[-1])
    first, last = max(begin, float(day[0])), min(end, float(day[-1]))
    grid = np.unique(np.concatenate([[first, last], day[(day > first) & (day < last)], _edges(data, k, first, last, estimand)]))
    days, area = _outside_rescue(data, k, grid, np.interp(grid, day, count), endpoint, estimand)
    if estimand.missing is MissingRule.OBSERVED and last > first:
        scale = (end - begin) / (last - first)
        return days * scale, area * scale
    return days, area


def _course(data: TrialData, k: int, baseline: float) -> tuple[Array, Array]:
    """Counts after the first dose with the baseline on day 0; of several on a day, their mean."""
    rows = data.counts_of(k)
    after = data.day[rows] > 0.0
    day, count = data.day[rows][after], data.count_1e9_per_L[rows][after]
    if math.isfinite(baseline):
        day, count = np.concatenate([[0.0], day]), np.concatenate([[baseline], count])
    distinct, place = np.unique(day, return_inverse=True)
    return distinct, np.bincount(place, weights=count, minlength=distinct.size) / np.maximum(
        np.bincount(place, minlength=distinct.size), 1
    )


def _edges(data: TrialData, k: int, first: float, last: float, estimand: Estimand) -> list[float]:
    """Days on which a rescue's failure begins or ends, within the period."""
    if estimand.rescue.rule not in (RescueRule.FAILURE_FROM_RESCUE, RescueRule.FAILURE_FOR):
        return []
    days = [d for given in data.subjects[k].rescue_days for d in (given, given + (estimand.rescue.days or 0.0))]
    return [d for d in days if first < d < last]


def _outside_rescue(
    data: TrialData, k: int, day: Array, count: Array, endpoint: Endpoint, estimand: Estimand
) -> tuple[float, float]:
    """Days and area in range over the pieces that no rescue touches."""
    if estimand.rescue.rule in (RescueRule.AS_MEASURED, RescueRule.SET_MISSING):
        return time_in_range(day, count, endpoint.low_1e9_per_L, endpoint.high_1e9_per_L)
    touched = touched_by_rescue(data.subjects[k], 0.5 * (day[1:] + day[:-1]), estimand.rescue)
    pieces = [
        time_in_range(day[i : i + 2], count[i : i + 2], endpoint.low_1e9_per_L, endpoint.high_1e9_per_L)
        for i in np.flatnonzero(~touched)
    ]
    return sum(d for d, _ in pieces), sum(a for _, a in pieces)


def _mean(arm: str, found: Array, confidence: float) -> MeanDays:
    known = found[np.isfinite(found[:, 0])]
    n, out = known.shape[0], found.shape[0] - known.shape[0]
    if not n:
        return MeanDays(
            arm=arm,
            n=0,
            n_left_out=out,
            mean_d=None,
            low_d=None,
            high_d=None,
            sd_d=None,
            median_d=None,
            mean_platelet_days_1e9_per_L=None,
        )
    t = t_interval(known[:, 0], confidence=confidence)
    low, high, sd = (value if math.isfinite(value) else None for value in (t.low, t.high, t.sd))
    return MeanDays(arm=arm, n=n, n_left_out=out, mean_d=t.mean, low_d=low, high_d=high, sd_d=sd, median_d=float(np.median(known[:, 0])),
                    mean_platelet_days_1e9_per_L=float(known[:, 1].mean()))  # fmt: skip


def _welch(first: Array, second: Array, confidence: float) -> tuple[float, float | None, float | None, float | None]:
    """Difference of means, its interval and p, by Welch's t; None where no variance is known."""
    difference = float(first.mean() - second.mean())
    if first.size < 2 or second.size < 2:
        return difference, None, None, None
    a, b = float(first.var(ddof=1)) / first.size, float(second.var(ddof=1)) / second.size
    if a + b == 0.0:
        return difference, None, None, None
    df = (a + b) ** 2 / (a**2 / (first.size - 1) + b**2 / (second.size - 1))
    error = math.sqrt(a + b)
    half = float(stdtrit(df, 0.5 + confidence / 2.0)) * error
    return difference, difference - half, difference + half, 2.0 * float(stdtr(df, -abs(difference) / error))
