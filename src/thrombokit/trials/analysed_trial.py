"""The nouns of an analysed trial: its subjects and rules, what became of them, and one analysis an estimand.

Words and pictures are made from these; `trial_result.TrialResult` is the same with its tables, words and pictures at hand.
"""

from __future__ import annotations

from dataclasses import dataclass

from thrombokit.trials.count_change import ChangeAnalysis
from thrombokit.trials.estimand import EstimandPlan
from thrombokit.trials.platelet_days import DaysAnalysis
from thrombokit.trials.response_analysis import ResponseAnalysis
from thrombokit.trials.response_by_visit import VisitResponse
from thrombokit.trials.subgroups import SubgroupDifference
from thrombokit.trials.subject_flow import ArmFlow
from thrombokit.trials.time_analysis import TimeAnalysis
from thrombokit.trials.trial_data import TrialData
from thrombokit.trials.visit_windows import VisitCounts

Analysis = ResponseAnalysis | TimeAnalysis | DaysAnalysis | ChangeAnalysis


@dataclass(frozen=True, kw_only=True)
class AnalysedTrial:
    """`analyses` holds one analysis an estimand, in the plan's order; `by_visit` follows the first estimand of a response."""

    data: TrialData
    plan: EstimandPlan
    visits: VisitCounts
    flow: tuple[ArmFlow, ...]
    by_visit: tuple[VisitResponse, ...]
    analyses: tuple[Analysis, ...]
    subgroups: tuple[SubgroupDifference, ...]
    version: str

    @property
    def leading(self) -> ResponseAnalysis | None:
        """The first estimand of a response."""
        return next((one for one in self.analyses if isinstance(one, ResponseAnalysis)), None)
