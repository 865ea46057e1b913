"""The difference of shares within levels of a factor: what a forest plot shows. Descriptive: nothing is adjusted for the number of looks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from thrombokit.errors import Fault, InputError, raise_all
from thrombokit.trials.analysis_results import AnalysisNumber
from thrombokit.trials.response_analysis import ResponseAnalysis
from thrombokit.trials.risk_difference import miettinen_nurminen
from thrombokit.trials.trial_data import TrialData
from thrombokit.trials.two_by_two import TwoByTwo
from thrombokit.trials.visit_states import UNKNOWN


@dataclass(frozen=True, kw_only=True)
class SubgroupDifference:
    """One arm against the reference within `level` of `factor`; no difference where one of them has nobody there (`verdict`)."""

    factor: str
    level: str
    arm: str
    reference: str
    responders: tuple[int, int]
    sizes: tuple[int, int]
    difference: float | None
    low: float | None
    high: float | None
    verdict: str

    def to_dict(self) -> dict[str, Any]:
        """As the JSON shows it."""
        return {
            "factor": self.factor, "level": self.level, "arm": self.arm, "reference": self.reference, "responders": list(self.responders),
            "sizes": list(self.sizes), "difference": self.difference, "low": self.low, "high": self.high, "verdict": self.verdict,
        }  # fmt: skip

    def number(self) -> AnalysisNumber:
        """The difference."""
        return AnalysisNumber(measure=f"risk difference, {self.factor} = {self.level}", method="miettinen_nurminen", group=self.arm,
                              against=self.reference,
                              value=self.difference, low=self.low, high=self.high, n=sum(self.sizes), verdict=self.verdict)  # fmt: skip


def subgroup_differences(
    data: TrialData, found: ResponseAnalysis, factors: Sequence[str], *, reference: str | None, order: Sequence[str]
) -> tuple[SubgroupDifference, ...]:
    """Each arm against the reference in all subjects (factor "all"), then in each level of each factor; unknown outcomes are left out.

    Raises
    ------
    InputError
        If nobody has one of the factors.
    """
    if reference not in data.arms:
        return ()
    raise_all(subgroup_faults(data, factors), InputError)
    words = {
        "all": ["all subjects"] * len(data.subjects),
        **{name: [one.factors.get(name, "") or "not known" for one in data.subjects] for name in factors},
    }
    others = [arm for arm in dict.fromkeys((*order, *data.arms)) if arm != reference]
    return tuple(
        _one(data, found, np.array([word == level for word in of]), factor, level, arm, reference or "")
        for factor, of in words.items() for level in sorted(set(of)) for arm in others
    )  # fmt: skip


def subgroup_faults(data: TrialData, factors: Sequence[str]) -> list[Fault]:
    """A fault for each factor that no subject has."""
    known = sorted({name for one in data.subjects for name in one.factors})
    expected = f"one of {', '.join(known) or 'no factor at all'}"
    return [
        Fault(place="subgroups", found=f'"{name}", which no subject has', expected=expected, cure="Name a column of the subjects' table.")
        for name in factors if name not in known
    ]  # fmt: skip


def _one(
    data: TrialData,
    found: ResponseAnalysis,
    inside: np.ndarray[Any, np.dtype[np.bool_]],
    factor: str,
    level: str,
    arm: str,
    reference: str,
) -> SubgroupDifference:
    mine = [found.outcome[inside & (data.arm == data.arms.index(name)) & (found.outcome != UNKNOWN)] for name in (arm, reference)]
    (a, b), (n, m) = (int(mine[0].sum()), int(mine[1].sum())), (mine[0].size, mine[1].size)
    if not n or not m:
        return SubgroupDifference(factor=factor, level=level, arm=arm, reference=reference, responders=(a, b), sizes=(n, m),
                                  difference=None, low=None,
                                  high=None, verdict="an arm has nobody here")  # fmt: skip
    table = TwoByTwo(a=a, n=n, b=b, m=m)
    interval = miettinen_nurminen(table, confidence=found.estimand.confidence)
    return SubgroupDifference(factor=factor, level=level, arm=arm, reference=reference, responders=(a, b), sizes=(n, m),
                              difference=table.p1 - table.p2,
                              low=interval.low, high=interval.high, verdict="")  # fmt: skip
