"""The trials stage: counts and a plan of estimands in, the flow of subjects, response by visit and every estimand out."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from thrombokit.errors import Fault, InputError, raise_all
from thrombokit.trials.count_change import analyse_change
from thrombokit.trials.estimand import TIMES, EndpointKind, Estimand, EstimandPlan
from thrombokit.trials.platelet_days import analyse_days
from thrombokit.trials.response_analysis import ResponseAnalysis, analyse_response
from thrombokit.trials.response_by_visit import response_by_visit
from thrombokit.trials.subgroups import subgroup_differences, subgroup_faults
from thrombokit.trials.subject_flow import subject_flow
from thrombokit.trials.time_analysis import analyse_time
from thrombokit.trials.trial_data import TrialData, factor_words
from thrombokit.trials.trial_result import Analysis, TrialResult
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
    visits = counts_at_visits(data, plan.visits)
    faults = [*_arm_faults(data, plan), *subgroup_faults(data, plan.subgroups)]
    faults += [fault for one in plan.estimands for fault in _estimand_faults(data, visits, one)]
    raise_all(faults, InputError)
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


def _arm_faults(data: TrialData, plan: EstimandPlan) -> list[Fault]:
    known = ", ".join(data.arms)
    faults: list[Fault] = []
    if plan.reference is None and len(data.arms) > 1:
        faults.append(Fault(place="reference", found=f"none, and arms {known}", expected="the arm that the others are compared with",
                            cure="Add reference to the estimand file."))  # fmt: skip
    for key, names in (("reference", () if plan.reference is None else (plan.reference,)), ("arms", plan.arms)):
        faults += [Fault(place=key, found=f'"{name}"', expected=f"an arm of the data: {known}", cure="Correct the name in the estimand file.")
                   for name in names if name not in data.arms]  # fmt: skip
    return faults


def _estimand_faults(data: TrialData, visits: VisitCounts, one: Estimand) -> list[Fault]:
    """What the data cannot answer of an estimand."""
    faults: list[Fault] = []
    try:
        factor_words(data, one.strata)
    except InputError as error:
        faults += [
            Fault(place=f"estimand {one.name}, {f.place}", found=f.found, expected=f.expected, cure=f.cure) for f in error.faults
        ]
    endpoint, planned = one.endpoint, visits.plan.weeks
    if (
        endpoint.kind is EndpointKind.AT_WEEK
        and endpoint.week is not None
        and not any(abs(w - endpoint.week) < 1e-9 for w in planned)
    ):
        faults.append(Fault(place=f"estimand {one.name}, endpoint.week", found=f"{endpoint.week:g}",
                            expected=f"a planned week: {', '.join(f'{w:g}' for w in planned)}",
                            cure="Plan the visit, or name another week."))  # fmt: skip
    if endpoint.kind is EndpointKind.DURABLE and endpoint.of_last > len(planned):
        faults.append(Fault(place=f"estimand {one.name}, endpoint.of_last", found=f"{endpoint.of_last}",
                            expected=f"at most {len(planned)} planned visits",
                            cure="Plan more visits, or ask for fewer."))  # fmt: skip
    return faults


def _version() -> str:
    try:
        return version("thrombokit")
    except PackageNotFoundError:
        return "not installed"
