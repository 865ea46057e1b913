"""What became of the subjects of each arm: enrolled, treated, rescued, completed, dropped out and why."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from thrombokit.trials.analysis_results import AnalysisNumber
from thrombokit.trials.trial_data import TrialData, baseline_1e9_per_L

UNKNOWN_REASON = "reason not given"


@dataclass(frozen=True, kw_only=True)
class ArmFlow:
    """Subjects of one arm. `dropped_out` holds numbers by reason, the most frequent first; `end_unknown` neither completed nor left, as far as
    told."""

    arm: str
    enrolled: int
    treated: int
    rescued: int
    completed: int
    dropped_out: dict[str, int]
    end_unknown: int
    with_baseline: int
    with_count_after: int

    def to_dict(self) -> dict[str, Any]:
        """As the JSON shows it."""
        return {
            "name": self.arm, "enrolled": self.enrolled, "treated": self.treated, "rescued": self.rescued, "completed": self.completed,
            "dropped_out": sum(self.dropped_out.values()), "dropped_out_by_reason": dict(self.dropped_out), "end_unknown": self.end_unknown,
            "with_baseline": self.with_baseline, "with_count_after_first_dose": self.with_count_after,
        }  # fmt: skip

    def numbers(self) -> list[AnalysisNumber]:
        """Counts of subjects."""
        told = {
            "enrolled": self.enrolled, "treated": self.treated, "rescued": self.rescued, "completed": self.completed,
            "dropped out": sum(self.dropped_out.values()), **{f"dropped out: {reason}": n for reason, n in self.dropped_out.items()},
            "end not known": self.end_unknown, "with a baseline": self.with_baseline, "with a count after the first dose": self.with_count_after,
        }  # fmt: skip
        return [
            AnalysisNumber(measure=f"subjects {name}", method="count", group=self.arm, value=float(n), n=self.enrolled)
            for name, n in told.items()
        ]


def subject_flow(data: TrialData) -> tuple[ArmFlow, ...]:
    """One `ArmFlow` an arm, in the data's order."""
    base = np.isfinite(baseline_1e9_per_L(data))
    after = np.zeros(len(data.subjects), dtype=np.bool_)
    after[data.subject[data.day > 0.0]] = True
    return tuple(_of_arm(data, name, base.tolist(), after.tolist()) for name in data.arms)


def _of_arm(data: TrialData, name: str, base: list[bool], after: list[bool]) -> ArmFlow:
    mine = [(one, base[k], after[k]) for k, one in enumerate(data.subjects) if one.arm == name]
    reasons = Counter(one.dropout_reason or UNKNOWN_REASON for one, *_ in mine if one.dropped_out)
    completed = sum(1 for one, *_ in mine if one.completed and not one.dropped_out)
    return ArmFlow(
        arm=name, enrolled=len(mine), treated=sum(1 for one, *_ in mine if one.treated), rescued=sum(1 for one, *_ in mine if one.rescue_days),
        completed=completed, dropped_out=dict(sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0]))),
        end_unknown=len(mine) - completed - sum(reasons.values()), with_baseline=sum(1 for _, b, _ in mine if b),
        with_count_after=sum(1 for *_, a in mine if a),
    )  # fmt: skip
