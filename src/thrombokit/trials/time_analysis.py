"""An estimand whose subjects have an event at a time, or not: curves, incidences, medians, each arm against the reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import bdtr

from thrombokit.numerics.arrays import Array
from thrombokit.trials.analysis_results import AnalysisNumber
from thrombokit.trials.estimand import EndpointKind, Estimand
from thrombokit.trials.event_days import EventDays, first_responses, relapses
from thrombokit.trials.response_analysis import adjusted, population
from thrombokit.trials.survival import SurvivalResult, analyse_survival
from thrombokit.trials.survival_data import SurvivalData, survival_data
from thrombokit.trials.trial_data import TrialData, factor_words


@dataclass(frozen=True, kw_only=True)
class EventMedian:
    """Median day of those of one arm who had the event, with the interval of its order statistics (None with too few)."""

    arm: str
    n: int
    median_d: float | None
    low_d: float | None
    high_d: float | None


@dataclass(frozen=True, kw_only=True)
class TimeContrast:
    """One arm against the reference: the log-rank test and, where causes compete, Gray's, whose p is then the one adjusted."""

    arm: str
    reference: str
    logrank_p: float | None
    gray_p: float | None
    test: str
    p: float | None
    p_adjusted: float | None
    adjusted_by: str


@dataclass(frozen=True, kw_only=True)
class TimeAnalysis:
    """`survival` is None where nobody is at risk; then `verdict` says so."""

    estimand: Estimand
    survival: SurvivalResult | None
    medians: tuple[EventMedian, ...]
    contrasts: tuple[TimeContrast, ...]
    verdict: str
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Keys `verdict`, `survival`, `medians_of_those_with_the_event`, `contrasts`, `notes`."""
        medians = [{"name": m.arm, "n": m.n, "median_d": m.median_d, "low_d": m.low_d, "high_d": m.high_d} for m in self.medians]
        contrasts = [
            {"arm": c.arm, "reference": c.reference, "logrank_p": c.logrank_p, "gray_p": c.gray_p, "test": c.test, "p": c.p,
             "p_adjusted": c.p_adjusted,
             "adjusted_by": c.adjusted_by}
            for c in self.contrasts
        ]  # fmt: skip
        return {"verdict": self.verdict, "survival": None if self.survival is None else self.survival.to_dict(),
                "medians_of_those_with_the_event": medians, "contrasts": contrasts, "notes": list(self.notes)}  # fmt: skip

    def numbers(self) -> tuple[AnalysisNumber, ...]:
        """Every number."""
        if self.survival is None:
            return (AnalysisNumber(measure="median day", method="Kaplan-Meier", verdict=self.verdict),)
        sizes = {arm.name: arm.n for arm in self.survival.arms}
        out = [
            AnalysisNumber(measure=row["measure"], method=row["method"], group=row["group"], value=row["estimate"], low=row["low"], high=row["high"],
                           p=row["p"], n=sizes.get(row["group"]),
                           verdict="not reached" if row["measure"] == "median" and row["estimate"] is None else "")
            for row in self.survival.to_rows()
        ]  # fmt: skip
        out += [AnalysisNumber(measure="median day of those with the event", method="order statistics", group=m.arm, value=m.median_d, low=m.low_d,
                               high=m.high_d, n=m.n, verdict="" if m.n else "nobody with the event") for m in self.medians]  # fmt: skip
        for c in self.contrasts:
            out += [AnalysisNumber(measure="no difference", method=name, group=c.arm, against=c.reference, p=p,
                                   verdict="" if p is not None else "not computable")
                    for name, p in (("log-rank", c.logrank_p), ("Gray", c.gray_p)) if name == "log-rank" or c.test == "Gray"]  # fmt: skip
            out.append(AnalysisNumber(measure=f"p adjusted for {len(self.contrasts)} comparisons", method=f"{c.adjusted_by} of {c.test}", group=c.arm,
                                      against=c.reference, p=c.p_adjusted))  # fmt: skip
        return tuple(out)


def analyse_time(data: TrialData, estimand: Estimand, *, reference: str | None, order: Sequence[str]) -> TimeAnalysis:
    """Curves and tests of one estimand.

    Parameters
    ----------
    data : TrialData
    estimand : Estimand
        Of a time to first response or to relapse.
    reference : str, optional
        The arm that the others are compared with.
    order : sequence of str
        The arms in the order of a fixed sequence.

    Raises
    ------
    InputError
        A stratum that nobody has or somebody lacks.
    """
    find = first_responses if estimand.endpoint.kind is EndpointKind.FIRST_RESPONSE else relapses
    found = find(data, estimand, population(data, estimand).tolist())
    if not found.day.size:
        return TimeAnalysis(estimand=estimand, survival=None, medians=(), contrasts=(), verdict="nobody_at_risk")
    strata = factor_words(data, estimand.strata) if estimand.strata else None
    present = [k for k in range(len(data.arms)) if np.any(data.arm[found.subject] == k)]
    notes = tuple(f"Nobody in {name} is at risk." for k, name in enumerate(data.arms) if k not in present)
    whole = analyse_survival(_subset(data, found, strata, [data.arms[k] for k in present]), confidence=estimand.confidence)
    pairs: list[tuple[str, float | None, float | None]] = []
    names = {data.arms[k] for k in present}
    for arm in [a for a in dict.fromkeys((*order, *data.arms)) if a in names and a != reference and reference in names]:
        pair = analyse_survival(_subset(data, found, strata, [arm, reference or ""]), confidence=estimand.confidence)
        pairs.append((arm, pair.logrank.p if pair.logrank else None, pair.gray[0].p if pair.gray else None))
    competing = len(found.causes) > 1
    chosen = [gray if competing else logrank for _, logrank, gray in pairs]
    contrasts = tuple(
        TimeContrast(arm=arm, reference=reference or "", logrank_p=logrank, gray_p=gray, test="Gray" if competing else "log-rank", p=p, p_adjusted=q,
                     adjusted_by=estimand.adjust.value)
        for (arm, logrank, gray), p, q in zip(pairs, chosen, adjusted(chosen, estimand.adjust), strict=True)
    )  # fmt: skip
    medians = tuple(
        _median(data.arms[k], found.day[(found.cause == 1) & (data.arm[found.subject] == k)], estimand.confidence) for k in present
    )
    return TimeAnalysis(estimand=estimand, survival=whole, medians=medians, contrasts=contrasts, verdict="estimated", notes=notes)


def _subset(data: TrialData, found: EventDays, strata: list[str] | None, arms: Sequence[str]) -> SurvivalData:
    names = [data.subjects[k].arm for k in found.subject.tolist()]
    keep = np.array([name in arms for name in names], dtype=np.bool_)
    codes = np.array([arms.index(name) for name in names if name in arms], dtype=np.int64)
    options: dict[str, Any] = {}
    if strata is not None:
        mine = [strata[k] for k in found.subject[keep].tolist()]
        levels = tuple(sorted(set(mine)))
        options = {"stratum": np.array([levels.index(word) for word in mine], dtype=np.int64), "strata": levels}
    return survival_data(
        time=found.day[keep], cause=found.cause[keep], arm=codes, arms=arms, causes=found.causes, time_name="days", **options
    )


def _median(arm: str, days: Array, confidence: float) -> EventMedian:
    """Median and its interval from order statistics: the innermost pair whose binomial tails are each at most half of 1 - confidence."""
    n = int(days.size)
    if not n:
        return EventMedian(arm=arm, n=0, median_d=None, low_d=None, high_d=None)
    ordered = np.sort(days)
    rank = -1
    while float(bdtr(rank + 1, n, 0.5)) <= (1.0 - confidence) / 2.0:
        rank += 1
    low, high = (float(ordered[rank]), float(ordered[n - 1 - rank])) if rank >= 0 else (None, None)
    return EventMedian(arm=arm, n=n, median_d=float(np.median(ordered)), low_d=low, high_d=high)
