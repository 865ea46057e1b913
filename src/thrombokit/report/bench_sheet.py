"""A plan as one printable page for the bench: numbers to start with, timetable, tubes, voltage card, and what the plan rests on."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import jinja2

from thrombokit import __version__
from thrombokit.cells.culture_numbers import BEST_PUBLISHED_YIELD, CellSource
from thrombokit.cells.plan import (
    CulturePlan,
    PlannedPanel,
    Seeding,
    Step,
    conditions_of,
    plan_notes,
    plan_seeding,
    rounded_up,
    timetable,
)
from thrombokit.cells.plan_tubes import PlannedTube, control_tubes_per_day, controls_of, plan_tubes
from thrombokit.cells.tubes import DNA, VIABILITY, TubeKind
from thrombokit.report.embedding import content_security_policy

PILOT = (
    "One donor, before the others are thawed: vehicle, the positive control and the highest dose of each agonist.",
    "Titrate each antibody on these cells at their later size, not on blood cells: large megakaryocytes bind more and autofluoresce more.",
    "Set the voltages on the unstained pool and the brightest single stains, write them into the card, and keep them for all donors: "
    "thresholds do not carry over between settings.",
    "Count one tube before staining and after acquisition, and replace the planning numbers below by your own.",
    "Wash with EDTA and keep platelets out of the tubes: progenitors that are coated with them look CD41 positive.",
)
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_TARGETS = {
    VIABILITY: "live cells in the lowest decade, killed cells (a heated aliquot) apart from them and on scale",
    DNA: "linear scale; 2N of the diploid reference at about 1/40 of full scale, so that 64N stays on it",
}
_SURFACE = "unstained above noise; the largest and brightest stained cells on scale"


@dataclass(frozen=True, kw_only=True)
class PreparedPlan:
    """A plan with all that follows from it."""

    plan: CulturePlan
    seeding: Seeding
    steps: tuple[Step, ...]
    tubes: tuple[PlannedTube, ...]
    notes: tuple[str, ...]


def prepare_plan(plan: CulturePlan) -> PreparedPlan:
    """Work a plan out."""
    seeding = plan_seeding(plan, control_tubes_per_day=control_tubes_per_day(plan))
    tubes = plan_tubes(plan)
    per_day = len(tubes) // (len(plan.donors) * len(plan.read_days_d))
    return PreparedPlan(
        plan=plan,
        seeding=seeding,
        tubes=tubes,
        steps=timetable(plan, seeding, tubes_per_day=per_day),
        notes=plan_notes(plan, seeding),
    )


def bench_sheet_html(prepared: PreparedPlan) -> str:
    """The page: self-contained, without scripts, the same bytes for the same plan."""
    plan = prepared.plan
    return _template().render(
        version=__version__,
        policy=content_security_policy([]),
        plan=plan,
        seeding=prepared.seeding,
        steps=prepared.steps,
        notes=prepared.notes,
        conditions=conditions_of(plan),
        panels=[_panel_rows(prepared, planned) for planned in plan.panels],
        n_tubes=len(prepared.tubes),
        numbers=list(plan.numbers.values()),
        best=BEST_PUBLISHED_YIELD if plan.cell_source is CellSource.CORD_BLOOD else "",
        pilot=PILOT,
        weekdays=WEEKDAYS,
    )


def _panel_rows(prepared: PreparedPlan, planned: PlannedPanel) -> dict[str, Any]:
    """A panel for the page: its controls, counts of tubes per donor and day, and its rows of the voltage card."""
    plan, panel = prepared.plan, planned.panel
    stained = len(conditions_of(plan)) * plan.replicate_wells
    controls = [
        (
            "FMO" if kind is TubeKind.FMO else kind.value.replace("_", " "),
            ", ".join(stain for other, stain in controls_of(planned) if other is kind and stain),
            number,
        )
        for kind in TubeKind
        if (number := sum(other is kind for other, _ in controls_of(planned)))
    ]
    card = [
        {"channel": channel, "marker": marker, "dye": planned.dyes.get(marker, ""), "target": _TARGETS.get(marker, _SURFACE)}
        for marker, channel in panel.channels.items()
    ]
    scatter = [
        {"channel": channel, "marker": "scatter", "dye": "", "target": "2N cells in the lower third: the largest stay on scale"}
        for channel in (panel.fsc_area, panel.ssc_area)
        if channel
    ]
    return {"name": panel.name, "stained": stained, "controls": controls, "card": [*scatter, *card], "fixed": panel.fixed}


def _two_digits(number: float) -> str:
    """7125.4 -> "7,100"."""
    return f"{float(f'{number:.2g}'):,.0f}"


def _four_digits(number: float) -> str:
    """1.428571 -> "1.429", 10000.0 -> "10,000"."""
    return f"{float(f'{number:.4g}'):,}".removesuffix(".0")


@functools.cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("thrombokit.report", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(cells=rounded_up, two=_two_digits, nM=_four_digits)
    return environment.get_template("bench_sheet.html.j2")
