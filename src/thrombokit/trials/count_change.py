"""Change from baseline of the logarithm of counts, by the mixed model for repeated measures: ratios to baseline by arm and visit.

Counts below 1e9/L stand as 1e9/L on the logarithm, and are counted. Counts from a rescue on are as measured, or set missing, as the estimand
says. What
the model cannot be fitted to is a verdict, not an end of the whole analysis.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from thrombokit.errors import InputError
from thrombokit.numerics.arrays import frozen
from thrombokit.trials.analysis_results import AnalysisNumber
from thrombokit.trials.estimand import Estimand
from thrombokit.trials.mmrm import MeanEstimate, MmrmResult, fit_mmrm
from thrombokit.trials.repeated_measures import Covariate, RepeatedMeasures
from thrombokit.trials.response_analysis import adjusted, population
from thrombokit.trials.trial_data import TrialData, baseline_1e9_per_L
from thrombokit.trials.visit_states import touched_by_rescue
from thrombokit.trials.visit_windows import VisitCounts

LOWEST_1e9_per_L = 1.0
BASELINE = "log baseline"


@dataclass(frozen=True, kw_only=True)
class ChangeAnalysis:
    """The fit (None where there is none, and `verdict` says why); `n_floored` counts stood as 1e9/L."""

    estimand: Estimand
    fit: MmrmResult | None
    p_adjusted: dict[tuple[str, str], float | None]
    n_floored: int
    verdict: str

    def to_dict(self) -> dict[str, Any]:
        """Ratios to baseline by arm and visit, ratios of arms, and the fit itself on the logarithm."""
        means = [] if self.fit is None else [_ratio_dict(m) for m in self.fit.lsmeans]
        contrasts = [] if self.fit is None else [
            {**_ratio_dict(c), "reference": c.reference, "p": c.p, "p_adjusted": self.p_adjusted.get((c.visit, c.arm))} for c in self.fit.contrasts
        ]  # fmt: skip
        return {"verdict": self.verdict, "n_counts_below_1e9_per_L": self.n_floored, "ratios_to_baseline": means, "contrasts": contrasts,
                "mmrm": None if self.fit is None else self.fit.to_dict()}  # fmt: skip

    def numbers(self) -> tuple[AnalysisNumber, ...]:
        """Every number."""
        if self.fit is None:
            return (AnalysisNumber(measure="ratio to baseline", method="MMRM", verdict=self.verdict),)
        method = f"MMRM on logarithms, {self.fit.structure}, {self.fit.degrees}"
        n = len(self.fit.rows.subjects)
        out: list[AnalysisNumber] = []
        for m in (*self.fit.lsmeans, *self.fit.contrasts):
            row = _ratio_dict(m)
            measure = "ratio to baseline" if m.reference is None else "ratio of ratios to baseline"
            out.append(AnalysisNumber(measure=measure, method=method, group=m.arm, against=m.reference or "", visit=m.visit, value=row["ratio"],
                                      low=row["low"], high=row["high"], p=m.p, n=n, verdict=self.verdict))  # fmt: skip
        for (visit, arm), p in self.p_adjusted.items():
            out.append(AnalysisNumber(measure="p adjusted over arms", method=f"{self.estimand.adjust.value}, within the visit", group=arm,
                                      visit=visit,
                                      against=self.fit.rows.arms[0], p=p))  # fmt: skip
        return tuple(out)


def analyse_change(
    data: TrialData, visits: VisitCounts, estimand: Estimand, *, reference: str | None, order: Sequence[str]
) -> ChangeAnalysis:
    """Fit the model.

    Parameters
    ----------
    data : TrialData
    visits : VisitCounts
        Of the same data.
    estimand : Estimand
        Its strata are covariates beside the logarithm of the baseline.
    reference : str, optional
        The arm that the others are compared with; without it there is no model.
    order : sequence of str
        The arms in the order of a fixed sequence.
    """
    measured, n_floored = _rows(data, visits, estimand)
    if reference is None or len(data.arms) < 2:
        return ChangeAnalysis(
            estimand=estimand, fit=None, p_adjusted={}, n_floored=n_floored, verdict="needs a reference arm and another"
        )
    names = tuple(f"week {w:g}" for w in visits.plan.weeks)
    seen = set(measured.visit.tolist())
    try:
        fit = fit_mmrm(measured, reference=reference, covariance=estimand.covariance, confidence=estimand.confidence,
                       visit_order=tuple(name for name in names if name in seen))  # fmt: skip
    except InputError as error:
        said = "; ".join(f"{fault.found} (expected {fault.expected})" for fault in error.faults)
        return ChangeAnalysis(estimand=estimand, fit=None, p_adjusted={}, n_floored=n_floored, verdict=f"not estimable: {said}")
    p_adjusted: dict[tuple[str, str], float | None] = {}
    for visit in fit.rows.visits:
        here = {c.arm: c.p for c in fit.contrasts if c.visit == visit}
        arms = [arm for arm in dict.fromkeys((*order, *data.arms)) if arm in here]
        p_adjusted |= dict(zip([(visit, arm) for arm in arms], adjusted([here[arm] for arm in arms], estimand.adjust), strict=True))
    return ChangeAnalysis(estimand=estimand, fit=fit, p_adjusted=p_adjusted, n_floored=n_floored, verdict=fit.verdict)


def _rows(data: TrialData, visits: VisitCounts, estimand: Estimand) -> tuple[RepeatedMeasures, int]:
    """One row a subject and visit with a count and a baseline."""
    inside, base, days = population(data, estimand), baseline_1e9_per_L(data), visits.day_or_planned
    kept: list[tuple[int, int]] = []
    for k in np.flatnonzero(inside & np.isfinite(base)).tolist():
        measured = np.isfinite(visits.count_1e9_per_L[k]) & ~touched_by_rescue(data.subjects[k], days[k], estimand.rescue)
        kept += [(k, v) for v in np.flatnonzero(measured).tolist()]
    who, when = [k for k, _ in kept], [v for _, v in kept]
    counts, before = visits.count_1e9_per_L[who, when], base[who]
    logs, log_base = np.log(np.maximum(counts, LOWEST_1e9_per_L)), np.log(np.maximum(before, LOWEST_1e9_per_L))
    factors = tuple(
        Covariate(name=name, words=frozen([data.subjects[k].factors.get(name, "") for k in who], object))
        for name in estimand.strata
    )
    week = [f"week {visits.plan.weeks[v]:g}" for v in when]
    floored = np.count_nonzero(counts < LOWEST_1e9_per_L) + np.count_nonzero(base[sorted(set(who))] < LOWEST_1e9_per_L)
    return RepeatedMeasures(
        file="change from baseline", subject=frozen([data.subjects[k].name for k in who], object), visit=frozen(week, object),
        arm=frozen([data.subjects[k].arm for k in who], object), response=frozen(logs - log_base),
        covariates=(Covariate(name=BASELINE, values=frozen(log_base)), *factors),
        places=tuple(f"subject {data.subjects[k].name}, {w}" for k, w in zip(who, week, strict=True)),
    ), int(floored)  # fmt: skip


def _ratio_dict(m: MeanEstimate) -> dict[str, Any]:
    def ratio(value: float | None) -> float | None:
        return math.exp(value) if value is not None and math.isfinite(value) else None

    return {"visit": m.visit, "arm": m.arm, "ratio": ratio(m.estimate), "low": ratio(m.low), "high": ratio(m.high), "df": m.df}
