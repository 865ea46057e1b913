"""Small trials written out by hand: who, which arm, which day, which count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from thrombokit.trials.estimand import Endpoint, EndpointKind, Estimand, Rescue, RescueRule
from thrombokit.trials.trial_data import Subject, TrialData, trial_data

Courses = Mapping[str, Sequence[tuple[float, float]]]


def trial(courses: Courses, *, arms: Mapping[str, str] | None = None, **happened: Mapping[str, Any]) -> TrialData:
    """Subjects by name with (day, count) pairs; `arms` by name ("A" by default); fields of `Subject` by name, such as rescue_days={"s1": (20.0,)}."""
    people = [
        replace(
            Subject(name=name, arm=(arms or {}).get(name, "A")),
            **{key: values[name] for key, values in happened.items() if name in values},
        )
        for name in courses
    ]
    rows = [(k, day, count) for k, pairs in enumerate(courses.values()) for day, count in pairs]
    return trial_data(people, subject=[r[0] for r in rows], day=[r[1] for r in rows], count_1e9_per_L=[r[2] for r in rows])


def weekly(*counts: float | None, baseline: float | None = 10.0) -> list[tuple[float, float]]:
    """The baseline on day 0, then one count a week; None where the visit was missed."""
    first = [] if baseline is None else [(0.0, baseline)]
    return first + [(7.0 * (k + 1), count) for k, count in enumerate(counts) if count is not None]


def estimand(kind: EndpointKind, *, rule: RescueRule = RescueRule.AS_MEASURED, days: float | None = None, options: Mapping[str, Any] | None = None,
             **endpoint: Any) -> Estimand:  # fmt: skip
    """An estimand of an endpoint; `options` are fields of `Estimand`."""
    return Estimand(name="e", endpoint=Endpoint(kind=kind, **endpoint), rescue=Rescue(rule=rule, days=days), **(options or {}))
