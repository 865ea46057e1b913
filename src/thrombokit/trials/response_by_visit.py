"""Visit by visit: how many have a count, how many respond, with an interval, and where the counts lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from thrombokit.numerics.binomial_intervals import wilson
from thrombokit.trials.analysis_results import AnalysisNumber
from thrombokit.trials.estimand import Estimand, MissingRule
from thrombokit.trials.response_analysis import population
from thrombokit.trials.trial_data import TrialData, baseline_1e9_per_L
from thrombokit.trials.visit_states import UNKNOWN, filled, visit_states
from thrombokit.trials.visit_windows import VisitCounts


@dataclass(frozen=True, kw_only=True)
class VisitResponse:
    """One arm at one visit: `responders` of `n` after the rescue and missing rules (Wilson's interval), and the counts of `n_counted` subjects."""

    arm: str
    week: float
    n_counted: int
    responders: int
    n: int
    share: float | None
    low: float | None
    high: float | None
    median_1e9_per_L: float | None
    lower_quartile_1e9_per_L: float | None
    upper_quartile_1e9_per_L: float | None

    def to_dict(self) -> dict[str, Any]:
        """As the JSON and the table show it."""
        return {
            "arm": self.arm, "week": self.week, "n_counted": self.n_counted, "responders": self.responders, "n": self.n, "share": self.share,
            "low": self.low, "high": self.high, "median_1e9_per_L": self.median_1e9_per_L,
            "lower_quartile_1e9_per_L": self.lower_quartile_1e9_per_L, "upper_quartile_1e9_per_L": self.upper_quartile_1e9_per_L,
        }  # fmt: skip

    def numbers(self) -> list[AnalysisNumber]:
        """Share with its interval, median count."""
        visit = f"week {self.week:g}"
        return [
            AnalysisNumber(measure="share responding at the visit", method="wilson", group=self.arm, visit=visit, value=self.share, low=self.low,
                           high=self.high, n=self.n, verdict="" if self.n else "nobody with a known state"),
            AnalysisNumber(measure="median count (1e9/L)", method="sample", group=self.arm, visit=visit, value=self.median_1e9_per_L,
                           n=self.n_counted,
                           verdict="" if self.n_counted else "no count"),
        ]  # fmt: skip


def response_by_visit(data: TrialData, visits: VisitCounts, estimand: Estimand) -> tuple[VisitResponse, ...]:
    """Every arm at every planned visit, by the threshold, rescue and missing rules of an estimand (a tipping point counts as non-responder)."""
    states = visit_states(data, visits, baseline_1e9_per_L(data), estimand.endpoint, estimand.rescue)
    rule = MissingRule.NON_RESPONDER if estimand.missing is MissingRule.TIPPING_POINT else estimand.missing
    states, inside = filled(states, rule), population(data, estimand)
    rows: list[VisitResponse] = []
    for k, name in enumerate(data.arms):
        mine = (data.arm == k) & inside
        for v, week in enumerate(visits.plan.weeks):
            counts = visits.count_1e9_per_L[mine, v]
            counts = counts[np.isfinite(counts)]
            known = states[mine, v] != UNKNOWN
            n, responders = int(known.sum()), int((states[mine, v] == 1).sum())
            low, high = wilson(responders, n, confidence=estimand.confidence) if n else (None, None)
            lower, median, upper = (float(q) for q in np.quantile(counts, [0.25, 0.5, 0.75])) if counts.size else (None, None, None)
            rows.append(
                VisitResponse(arm=name, week=week, n_counted=int(counts.size), responders=responders, n=n,
                              share=responders / n if n else None, low=low,
                              high=high, median_1e9_per_L=median, lower_quartile_1e9_per_L=lower, upper_quartile_1e9_per_L=upper)
            )  # fmt: skip
    return tuple(rows)
