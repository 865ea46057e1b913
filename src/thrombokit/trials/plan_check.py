"""A plan of estimands held against the data it is for: everything it asks that the data or the planned visits do not have."""

from __future__ import annotations

from collections.abc import Iterator

from thrombokit.errors import Fault, InputError
from thrombokit.trials.estimand import EndpointKind, Estimand, EstimandPlan
from thrombokit.trials.subgroups import subgroup_faults
from thrombokit.trials.trial_data import TrialData, factor_words


def plan_against(data: TrialData, plan: EstimandPlan) -> list[Fault]:
    """A fault for each reference or arm that is not in the data, week or visits that are not planned, factor that nobody has or somebody lacks.

    Parameters
    ----------
    data : TrialData
        The trial.
    plan : EstimandPlan
        What is asked of it; its `source`, where there is one, stands first in each place.

    Returns
    -------
    list of Fault
        Empty where every estimand can be answered.
    """
    faults = [*_arm_faults(data, plan), *subgroup_faults(data, plan.subgroups)]
    faults += [fault for one in plan.estimands for fault in _estimand_faults(data, plan, one)]
    return [_placed(fault, plan.source) for fault in faults]


def _arm_faults(data: TrialData, plan: EstimandPlan) -> Iterator[Fault]:
    known = ", ".join(data.arms)
    if plan.reference is None and len(data.arms) > 1:
        yield Fault(place="reference", found=f"none, and arms {known}", expected="the arm that the others are compared with",
                    cure="Add reference to the estimand file.")  # fmt: skip
    for key, names in (("reference", () if plan.reference is None else (plan.reference,)), ("arms", plan.arms)):
        for name in names:
            if name not in data.arms:
                yield Fault(place=key, found=f'"{name}"', expected=f"an arm of the data: {known}",
                            cure="Correct the name in the estimand file.")  # fmt: skip


def _estimand_faults(data: TrialData, plan: EstimandPlan, one: Estimand) -> Iterator[Fault]:
    place, endpoint, planned = f"estimand {one.name}", one.endpoint, plan.visits.weeks
    try:
        factor_words(data, one.strata)
    except InputError as error:
        yield from (_placed(fault, place) for fault in error.faults)
    if endpoint.kind is EndpointKind.AT_WEEK and endpoint.week is not None:
        try:
            plan.visits.column(endpoint.week)
        except InputError as error:
            yield from (
                Fault(place=f"{place}, endpoint.week", found=f.found, expected=f.expected, cure=f.cure) for f in error.faults
            )
    if endpoint.kind is EndpointKind.DURABLE and endpoint.of_last > len(planned):
        yield Fault(place=f"{place}, endpoint.of_last", found=f"{endpoint.of_last}", expected=f"at most {len(planned)} planned visits",
                    cure="Plan more visits, or ask for fewer.")  # fmt: skip


def _placed(fault: Fault, within: str) -> Fault:
    place = f"{within}, {fault.place}" if within else fault.place
    return Fault(place=place, found=fault.found, expected=fault.expected, cure=fault.cure)
