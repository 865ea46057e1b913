"""Which count stands for which planned visit: a window of days about each, the count nearest the planned day, ties by a rule that is said."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from thrombokit.errors import Fault, InputError, raise_all
from thrombokit.numerics.arrays import Array, FrozenArrays, IntArray, frozen
from thrombokit.trials.trial_data import TrialData


class Unscheduled(StrEnum):
    """Whether an unscheduled count may stand for a visit."""

    IF_MISSING = "if_missing"
    ALWAYS = "as_scheduled"
    NEVER = "never"


class Tie(StrEnum):
    """Which of two counts equally near the planned day stands for the visit."""

    LATER = "later"
    EARLIER = "earlier"


@dataclass(frozen=True, kw_only=True)
class VisitPlan:
    """Planned `weeks` after the first dose, in rising order; a count from `before_d` days before to `after_d` after may stand for a visit.

    Raises
    ------
    InputError
        If weeks do not rise from above 0, a width is negative, or two windows share a day.
    """

    weeks: tuple[float, ...]
    before_d: float = 3.0
    after_d: float = 3.0
    unscheduled: Unscheduled = Unscheduled.IF_MISSING
    tie: Tie = Tie.LATER

    def __post_init__(self) -> None:
        raise_all(plan_faults(self.weeks, self.before_d, self.after_d), InputError)

    @property
    def days(self) -> Array:
        """Planned days, shape (v,)."""
        return 7.0 * np.array(self.weeks)

    def column(self, week: float) -> int:
        """Index of a planned week.

        Raises
        ------
        InputError
            If it is not planned.
        """
        for k, planned in enumerate(self.weeks):
            if math.isclose(planned, week, abs_tol=1e-9):
                return k
        known = ", ".join(f"{w:g}" for w in self.weeks)
        raise InputError(Fault(place="week", found=f"{week:g}", expected=f"a planned week: {known}",
                               cure="Plan the visit, or name another week."))  # fmt: skip


def plan_faults(weeks: tuple[float, ...], before_d: float, after_d: float) -> list[Fault]:
    """What is wrong with a plan of visits."""
    faults: list[Fault] = []
    if not weeks or not all(math.isfinite(w) for w in weeks) or not all(b > a for a, b in zip((0.0, *weeks), weeks, strict=False)):
        faults.append(Fault(place="visits.weeks", found=f"{list(weeks)}", expected="weeks after the first dose, rising from above 0",
                            cure="Write for example [1, 2, 3, 4]."))  # fmt: skip
    if not (before_d >= 0.0 and after_d >= 0.0 and math.isfinite(before_d + after_d)):
        faults.append(Fault(place="visits", found=f"a window of {before_d:g} days before and {after_d:g} after",
                            expected="0 days or more on either side",
                            cure="Correct before_d and after_d."))  # fmt: skip
    if faults:
        return faults
    for first, second in itertools.pairwise(weeks):
        if 7.0 * first + after_d >= 7.0 * second - before_d:
            faults.append(Fault(place="visits", found=f"windows of weeks {first:g} and {second:g} that share a day", expected="windows apart",
                                cure=f"Make before_d + after_d less than {7.0 * (second - first):g}."))  # fmt: skip
    return faults


@dataclass(frozen=True, kw_only=True, eq=False)
class VisitCounts(FrozenArrays):
    """`count_1e9_per_L` and its `day`, both (s, v), NaN where no count stands for the visit; and how the choice went.

    `n_ties` visits had two counts equally near, `n_unscheduled` are stood for by an unscheduled count, `n_outside` counts after the first dose lie
    in no window.
    """

    plan: VisitPlan
    count_1e9_per_L: Array
    day: Array
    n_ties: int
    n_unscheduled: int
    n_outside: int

    @property
    def day_or_planned(self) -> Array:
        """The day of the count, the planned day where there is none, shape (s, v)."""
        return np.where(np.isnan(self.day), self.plan.days, self.day)

    def column(self, week: float) -> int:
        """Index of a planned week; see `VisitPlan.column`."""
        return self.plan.column(week)


def counts_at_visits(data: TrialData, plan: VisitPlan) -> VisitCounts:
    """The count that stands for each visit.

    A scheduled count goes before an unscheduled one (unless the plan treats them alike), then the nearest to the planned day, then the tie's rule;
    of two on the same day the last in the file.

    Parameters
    ----------
    data : TrialData
    plan : VisitPlan

    Returns
    -------
    VisitCounts
        Only counts after day 0 stand for visits.
    """
    shape = (len(data.subjects), len(plan.weeks))
    count, day, n_ties, n_unscheduled = np.full(shape, math.nan), np.full(shape, math.nan), 0, 0
    visit = _visit_of(data, plan)
    for k in range(shape[0]):
        rows = data.counts_of(k)
        mine = visit[rows]
        for v in np.unique(mine[mine >= 0]):
            chosen, tied = _chosen(np.flatnonzero(mine == v) + rows.start, data, plan, float(plan.days[v]))
            if chosen < 0:
                continue
            count[k, v], day[k, v] = data.count_1e9_per_L[chosen], data.day[chosen]
            n_ties += tied
            n_unscheduled += not data.scheduled[chosen]
    outside = int(np.count_nonzero((data.day > 0.0) & (visit < 0)))
    return VisitCounts(
        plan=plan, count_1e9_per_L=frozen(count), day=frozen(day), n_ties=n_ties, n_unscheduled=n_unscheduled, n_outside=outside
    )


def _visit_of(data: TrialData, plan: VisitPlan) -> IntArray:
    """The visit in whose window each count lies, -1 for none, shape (n,)."""
    visit = np.full(data.day.size, -1, np.int64)
    for v, planned in enumerate(plan.days):
        visit[(data.day > 0.0) & (data.day >= planned - plan.before_d) & (data.day <= planned + plan.after_d)] = v
    return visit


def _chosen(rows: IntArray, data: TrialData, plan: VisitPlan, planned: float) -> tuple[int, bool]:
    """The row that stands for the visit (-1: none may), and whether another was as near."""
    scheduled = rows[data.scheduled[rows]]
    if plan.unscheduled is not Unscheduled.ALWAYS and scheduled.size:
        rows = scheduled
    elif plan.unscheduled is Unscheduled.NEVER:
        return -1, False
    distance = np.abs(data.day[rows] - planned)
    near = rows[distance <= distance.min() + 1e-9]
    later = data.day[near] >= data.day[near].max()
    side = near[later] if plan.tie is Tie.LATER else near[data.day[near] <= data.day[near].min()]
    return int(side[-1]), near.size > 1
