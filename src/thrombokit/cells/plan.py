"""A planned culture: what is wanted, and what follows from it: wells, cells to seed, and days.

CD34+ cells are expanded for a few days, then differentiate with a dose series of each agonist; wells are sampled on the read days. The
number of cells rests on planning numbers with ranges; cells to start with are given for the middle of the range and for its poor end.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass, field

from thrombokit.cells.culture_numbers import CellSource, PlanningNumber, numbers_for, product_of
from thrombokit.cells.tubes import DNA, CultureRole, Panel, Viability
from thrombokit.domain.estimate import Estimate

WORKING_VOLUMES_mL = (
    ("96-well plate", 0.2),
    ("48-well plate", 0.5),
    ("24-well plate", 1.0),
    ("12-well plate", 2.0),
    ("6-well plate", 4.0),
)
"""Vessels and the volume usually worked with in one well."""
FEWEST_DONORS = 3
"""Below this number of donors nothing but a description is given."""
PLOIDY_NOTES = {
    True: "Cord-blood MKs are mostly 2N (about 80 %; 2.6 % at 8N: Blood 2002;99:888-897), and TPO lowers their ploidy: plan enough cells "
    "for the higher classes, and test two-sided.",
    False: "About 40 % of adult-blood MKs reach 8N or more (Blood 2002;99:888-897), and TPO raises their ploidy.",
}
"""By whether the cells are from cord blood."""
RESERVE = 1.1
"""Cells and media are prepared for a tenth more than is pipetted."""


@dataclass(frozen=True, kw_only=True)
class Dose:
    """One dose as written and in nM."""

    label: str
    concentration_nM: float


@dataclass(frozen=True, kw_only=True)
class PlannedAgonist:
    """An agonist and its doses, the highest first."""

    name: str
    doses: tuple[Dose, ...]


@dataclass(frozen=True, kw_only=True)
class PlannedPanel:
    """A panel and the dye of each marker, where it was said."""

    panel: Panel
    dyes: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, kw_only=True)
class CulturePlan:
    """What is wanted.

    Days of `read_days_d` are days of differentiation; days in results are days of culture, from the seeding of the CD34+ cells.
    `MKs_per_tube` are wanted in the gates, `start` is the date of day 0 where it is known.
    """

    title: str
    cell_source: CellSource
    donors: tuple[str, ...]
    expansion_d: int
    differentiation_d: int
    read_days_d: tuple[int, ...]
    feed_every_d: int
    replicate_wells: int
    MKs_per_tube: int
    agonists: tuple[PlannedAgonist, ...]
    panels: tuple[PlannedPanel, ...]
    positive_control: PlannedAgonist | None = None
    untreated: bool = False
    vehicle: str = ""
    expansion_medium: str = ""
    differentiation_medium: str = ""
    well_volume_mL: float | None = None
    start: dt.date | None = None
    own_numbers: dict[str, PlanningNumber] = field(default_factory=dict[str, PlanningNumber])

    @property
    def numbers(self) -> dict[str, PlanningNumber]:
        """The planning numbers, the lab's own where it gave them."""
        return {**numbers_for(self.cell_source), **self.own_numbers}

    @property
    def culture_days_d(self) -> tuple[int, ...]:
        """The read days as days of culture."""
        return tuple(self.expansion_d + day for day in self.read_days_d)


@dataclass(frozen=True, kw_only=True)
class Condition:
    """What one set of replicate wells is given."""

    role: CultureRole
    agonist: str = ""
    dose: Dose | None = None

    @property
    def words(self) -> str:
        """ "hetrombopag 30 nM", "vehicle"."""
        return f"{self.agonist} {self.dose.label}" if self.dose else self.role.value


@dataclass(frozen=True, kw_only=True)
class Seeding:
    """Cells and wells of one donor; ranges of 95 %.

    `MKs_per_tube` are those to be expected in the gates of a tube from a well with a working agonist. `CD34_to_start` is what to seed on
    day 0: the upper end is enough even if the cells hardly expand. `wells` are culture wells, `control_wells` those whose cells go into
    control tubes.
    """

    wells: int
    control_wells: int
    vessel: str
    well_volume_mL: float
    CD34_per_well: float
    MKs_per_tube: Estimate
    CD34_to_start: Estimate

    @property
    def all_wells(self) -> int:
        """Culture and control wells."""
        return self.wells + self.control_wells


@dataclass(frozen=True, kw_only=True)
class Step:
    """One entry of the timetable."""

    day_d: int
    what: str
    detail: str
    date: dt.date | None = None


def conditions_of(plan: CulturePlan) -> tuple[Condition, ...]:
    """Every condition of one donor: vehicle, untreated, positive control, then each dose of each agonist."""
    fixed = [Condition(role=CultureRole.VEHICLE)]
    if plan.untreated:
        fixed.append(Condition(role=CultureRole.UNTREATED))
    if plan.positive_control is not None:
        control = plan.positive_control
        fixed += [Condition(role=CultureRole.POSITIVE_CONTROL, agonist=control.name, dose=dose) for dose in control.doses]
    doses = [
        Condition(role=CultureRole.SAMPLE, agonist=agonist.name, dose=dose) for agonist in plan.agonists for dose in agonist.doses
    ]
    return (*fixed, *doses)


def plan_seeding(plan: CulturePlan, *, control_tubes_per_day: int) -> Seeding:
    """Wells and cells of one donor.

    Wells are seeded at the planning density, in the smallest usual vessel that gives every tube its MKs even at the poor end of the planning
    numbers. Wells without an agonist give few MKs whatever is seeded.
    """
    numbers = plan.numbers
    density, fold = numbers["seeding_density"].value, numbers["expansion_fold"]
    acquired = product_of(numbers["MKs_per_CD34"], numbers["staining_recovery"])
    tubes = len(plan.read_days_d) * len(plan.panels)
    needed = tubes * plan.MKs_per_tube / _present(acquired.low)
    vessel, volume = _vessel(plan.well_volume_mL, needed / density)
    per_well = density * volume
    wells = len(conditions_of(plan)) * plan.replicate_wells
    in_controls = control_tubes_per_day * len(plan.read_days_d) * plan.MKs_per_tube
    control_wells = math.ceil(in_controls / (per_well * _present(acquired.low)))
    total = per_well * (wells + control_wells) * RESERVE
    per_tube = (None if end is None else end * per_well / tubes for end in (acquired.estimate, acquired.low, acquired.high))
    estimate, low, high = per_tube
    return Seeding(
        wells=wells, control_wells=control_wells, vessel=vessel, well_volume_mL=volume, CD34_per_well=per_well,
        MKs_per_tube=Estimate(estimate=estimate, low=low, high=high),
        CD34_to_start=Estimate(estimate=total / fold.value, low=total / fold.high, high=total / fold.low),
    )  # fmt: skip


def plan_notes(plan: CulturePlan, seeding: Seeding) -> tuple[str, ...]:
    """What to know before starting: too few donors, wells that are too small, what the read-outs cannot tell."""
    notes: list[str] = []
    if len(plan.donors) < FEWEST_DONORS:
        number = f"{len(plan.donors)} donor" + ("" if len(plan.donors) == 1 else "s")
        notes.append(
            f"{number}: n is donors, and with fewer than {FEWEST_DONORS} the analysis only describes. Wells do not add to n."
        )
    if plan.well_volume_mL is not None and (seeding.MKs_per_tube.low or 0.0) < plan.MKs_per_tube:
        notes.append(
            f"At the poor end of the planning numbers a well of {plan.well_volume_mL:g} mL gives {seeding.MKs_per_tube.low:.0f} MKs per tube, "
            f"fewer than the {plan.MKs_per_tube} wanted: use larger wells, or pool replicates."
        )
    for planned in plan.panels:
        panel = planned.panel
        if panel.fixed and panel.viability is Viability.UNFIXED_DYE:
            notes.append(
                f"Panel {panel.name}: dead cells cannot be told with an unfixed dye on fixed cells; use a fixable one before fixing."
            )
        if DNA in panel.channels and not panel.fixed:
            notes.append(f"Panel {panel.name} holds DNA: fix and permeabilise the cells and digest RNA, and say fixed = true.")
    if any(DNA in planned.panel.channels for planned in plan.panels):
        notes.append(PLOIDY_NOTES[plan.cell_source is CellSource.CORD_BLOOD])
    return tuple(notes)


def timetable(plan: CulturePlan, seeding: Seeding, *, tubes_per_day: int) -> tuple[Step, ...]:
    """What is done for one donor, day by day, in the order of the days."""
    begin, volume = plan.expansion_d, seeding.well_volume_mL
    density = plan.numbers["seeding_density"].value
    start = seeding.CD34_to_start
    medium = plan.expansion_medium or "medium and cytokines: ______________________"
    steps = [
        (0, "Thaw or isolate CD34+ cells, count, seed", f"{rounded_up(start.high)} CD34+ cells ({rounded_up(start.estimate)} if they double as "
         f"assumed) in {_present(start.high) / density:.3g} mL at {density:,.0f} per mL; {medium}"),
        (begin, "Count; start differentiation", f"{seeding.all_wells} wells of {volume:g} mL ({seeding.vessel}), "
         f"{rounded_up(seeding.CD34_per_well)} cells each; {plan.differentiation_medium or 'cytokines other than the agonist: ______________'}; "
         "add agonist, vehicle or positive control"),
    ]  # fmt: skip
    for day in plan.culture_days_d:
        last = day == max(plan.culture_days_d)
        what = "Harvest, stain, acquire" if last else "Sample, stain, acquire"
        share = "all" if last else f"1/{len(plan.culture_days_d)}"
        steps.append(
            (day, what, f"{share} of each well; {tubes_per_day} tubes with controls; counting beads go in after the last wash")
        )
    for day in feed_days(plan):
        exchanged = volume / 2 * seeding.all_wells * RESERVE
        steps.append(
            (day, "Half-feed", f"take {volume / 2:g} mL off each well without its cells, add {volume / 2:g} mL of fresh medium with the "
             f"well's own dose ({exchanged:.3g} mL for all wells); write it into yields.csv")
        )  # fmt: skip
    return tuple(
        Step(day_d=day, what=what, detail=detail, date=plan.start + dt.timedelta(days=day) if plan.start else None)
        for day, what, detail in sorted(steps, key=lambda step: step[0])
    )


def feed_days(plan: CulturePlan) -> tuple[int, ...]:
    """Days of culture on which half the medium is renewed; none on or after the last read day."""
    days = range(plan.expansion_d + plan.feed_every_d, max(plan.culture_days_d), plan.feed_every_d)
    return tuple(days)


def _vessel(wanted_mL: float | None, needed_mL: float) -> tuple[str, float]:
    """The smallest usual vessel that holds what is needed, or the one of the volume wanted."""
    if wanted_mL is not None:
        named = next((name for name, volume in WORKING_VOLUMES_mL if wanted_mL <= volume), "flask")
        return named, wanted_mL
    for name, volume in WORKING_VOLUMES_mL:
        if needed_mL <= volume:
            return name, volume
    return "flask", float(math.ceil(needed_mL))


def _present(value: float | None) -> float:
    assert value is not None  # planning numbers are finite
    return value


def rounded_up(number: float | None) -> str:
    """Two digits, rounded up: 363000 -> "370,000"."""
    value = _present(number)
    step = 10 ** max(math.floor(math.log10(value)) - 1, 0)
    return f"{math.ceil(value / step) * step:,}"
