"""Every tube of a planned culture: the stained wells, and the controls that each donor and day needs of its own.

For each panel, donor and day: unstained, one single stain for every dye (for the spillover), an FMO for every surface marker (for its
threshold), and where DNA is stained a diploid reference (for the place of 2N).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from thrombokit.cells.plan import Condition, CulturePlan, PlannedPanel, conditions_of
from thrombokit.cells.tubes import DNA, TubeKind


@dataclass(frozen=True, kw_only=True)
class PlannedTube:
    """One tube to come; `condition` None: a control from the pool of control wells, or the diploid reference."""

    name: str
    donor: str
    day_d: int
    panel: str
    kind: TubeKind
    stain: str = ""
    condition: Condition | None = None
    replicate: int = 0

    @property
    def file(self) -> str:
        """The file to save it under."""
        return f"{self.name}.fcs"


def controls_of(planned: PlannedPanel) -> tuple[tuple[TubeKind, str], ...]:
    """Kind and stain of each control tube that a panel needs, per donor and day."""
    panel = planned.panel
    reference = [(TubeKind.DIPLOID_REFERENCE, "")] if DNA in panel.channels else []
    return (
        (TubeKind.UNSTAINED, ""),
        *((TubeKind.SINGLE_STAIN, marker) for marker in panel.channels),
        *((TubeKind.FMO, marker) for marker in panel.surface_markers),
        *reference,
    )


def control_tubes_per_day(plan: CulturePlan) -> int:
    """Control tubes of one donor on one day that are filled from the culture; the diploid reference is not."""
    return sum(kind is not TubeKind.DIPLOID_REFERENCE for planned in plan.panels for kind, _ in controls_of(planned))


def plan_tubes(plan: CulturePlan) -> tuple[PlannedTube, ...]:
    """Every tube, by donor, day and panel: the stained wells first, then the controls."""
    tubes: list[PlannedTube] = []
    for donor in plan.donors:
        for day in plan.culture_days_d:
            for planned in plan.panels:
                tubes += _stained(plan, planned, donor, day)
                tubes += _controls(planned, donor, day)
    return tuple(tubes)


def culture_names(plan: CulturePlan) -> tuple[tuple[str, str, Condition, int], ...]:
    """(culture, donor, condition, replicate) of every well that gives stained tubes."""
    return tuple(
        (_joined(donor, condition.words, f"r{replicate}"), donor, condition, replicate)
        for donor in plan.donors
        for condition in conditions_of(plan)
        for replicate in range(1, plan.replicate_wells + 1)
    )


def _stained(plan: CulturePlan, planned: PlannedPanel, donor: str, day: int) -> list[PlannedTube]:
    name = planned.panel.name
    return [
        PlannedTube(
            name=_joined(donor, f"d{day}", name, condition.words, f"r{replicate}"), donor=donor, day_d=day, panel=name,
            kind=TubeKind.FULL, condition=condition, replicate=replicate,
        )
        for condition in conditions_of(plan)
        for replicate in range(1, plan.replicate_wells + 1)
    ]  # fmt: skip


def _controls(planned: PlannedPanel, donor: str, day: int) -> list[PlannedTube]:
    name = planned.panel.name
    return [
        PlannedTube(
            name=_joined(donor, f"d{day}", name, kind.value, stain), donor=donor, day_d=day, panel=name, kind=kind, stain=stain
        )
        for kind, stain in controls_of(planned)
    ]


def _joined(*parts: str) -> str:
    """A name that any file system takes: letters, digits, points, minus; the parts joined by "_"."""
    return "_".join(re.sub(r"[^\w.-]+", "-", part).strip("-") for part in parts if part)
