"""The trials stage: counts and a plan of estimands in, the flow of subjects, response by visit and every estimand out."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from thrombokit.errors import InputError, raise_all
from thrombokit.trials.analysed_trial import Analysis
from thrombokit.trials.count_change import analyse_change
from thrombokit.trials.estimand import TIMES, EndpointKind, Estimand, EstimandPlan
from thrombokit.trials.plan_check import plan_against
from thrombokit.trials.platelet_days import analyse_days
from thrombokit.trials.response_analysis import ResponseAnalysis, analyse_response
from thrombokit.trials.response_by_visit import response_by_visit
from thrombokit.trials.subgroups import subgroup_differences
from thrombokit.trials.subject_flow import subject_flow
from thrombokit.trials.time_analysis import analyse_time
from thrombokit.trials.trial_data import TrialData
from thrombokit.trials.trial_result import TrialResult
from thrombokit.trials.visit_windows import VisitCounts, counts_at_visits


def analyse_trial(data: TrialData, plan: EstimandPlan) -> TrialResult:
    """Every estimand of a plan on one trial's data, side by side.

    Parameters
    ----------
    data : TrialData
        Subjects and counts.
    plan : EstimandPlan
        Visits, reference arm, estimands; the first estimand of a response leads the tables by visit and the subgroups.

    Returns
    -------
    TrialResult
        With every number in `.table()`.

    Raises
    ------
    InputError
        With every reference or arm that is not in the data, week that is not planned, stratum that nobody has or somebody lacks.
    """
    raise_all(plan_against(data, plan), InputError)
    visits = counts_at_visits(data, plan.visits)
    analyses = tuple(_analysis(data, visits, plan, one) for one in plan.estimands)
    lead = next((one for one in analyses if isinstance(one, ResponseAnalysis)), None)
    return TrialResult(
        data=data, plan=plan, visits=visits, flow=subject_flow(data), analyses=analyses, version=_version(),
        by_visit=() if lead is None else response_by_visit(data, visits, lead.estimand),
        subgroups=() if lead is None else subgroup_differences(data, lead, plan.subgroups, reference=plan.reference, order=plan.arms),
    )  # fmt: skip


def _analysis(data: TrialData, visits: VisitCounts, plan: EstimandPlan, one: Estimand) -> Analysis:
    kind = one.endpoint.kind
    if kind in TIMES:
        return analyse_time(data, one, reference=plan.reference, order=plan.arms)
    if kind is EndpointKind.PLATELET_DAYS:
        return analyse_days(data, one, last_week=plan.visits.weeks[-1], reference=plan.reference, order=plan.arms)
    if kind is EndpointKind.CHANGE:
        return analyse_change(data, visits, one, reference=plan.reference, order=plan.arms)
    return analyse_response(data, visits, one, reference=plan.reference, order=plan.arms)


def _version() -> str:
    try:
        return version("thrombokit")
    except PackageNotFoundError:
        return "not installed"
