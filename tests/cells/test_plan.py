"""Plans: cells and wells follow from what is wanted, tubes from the panels, days from the culture."""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thrombokit.cells.culture_numbers import CellSource, PlanningNumber, numbers_for, product_of
from thrombokit.cells.plan import (
    CulturePlan,
    Dose,
    PlannedAgonist,
    PlannedPanel,
    conditions_of,
    feed_days,
    plan_notes,
    plan_seeding,
    rounded_up,
    timetable,
)
from thrombokit.cells.plan_tubes import control_tubes_per_day, controls_of, culture_names, plan_tubes
from thrombokit.cells.tubes import DNA, VIABILITY, Panel, TubeKind, Viability
from thrombokit.domain.agonist import Tier

SURFACE = PlannedPanel(
    panel=Panel(name="surface", channels={"CD41": "APC-A", "CD42b": "PE-A", VIABILITY: "BV421-A"}, viability=Viability.FIXABLE)
)
PLOIDY = PlannedPanel(panel=Panel(name="ploidy", channels={"CD41": "APC-A", DNA: "PI-A"}, fixed=True))
PLAN = CulturePlan(
    title="t",
    cell_source=CellSource.CORD_BLOOD,
    donors=("D1", "D2", "D3"),
    expansion_d=3,
    differentiation_d=12,
    read_days_d=(12,),
    feed_every_d=3,
    replicate_wells=2,
    MKs_per_tube=5000,
    agonists=(PlannedAgonist(name="X", doses=tuple(Dose(label=f"{c} nM", concentration_nM=c) for c in (100.0, 10.0, 1.0))),),
    panels=(SURFACE, PLOIDY),
    positive_control=PlannedAgonist(name="rhTPO", doses=(Dose(label="100 ng/mL", concentration_nM=1.43),)),
)


def seeded(plan: CulturePlan) -> float:
    seeding = plan_seeding(plan, control_tubes_per_day=control_tubes_per_day(plan))
    return seeding.CD34_per_well * seeding.wells


def test_conditions_are_vehicle_control_and_every_dose() -> None:
    assert [condition.words for condition in conditions_of(PLAN)] == [
        "vehicle",
        "rhTPO 100 ng/mL",
        "X 100.0 nM",
        "X 10.0 nM",
        "X 1.0 nM",
    ]
    assert "untreated" in [condition.words for condition in conditions_of(replace(PLAN, untreated=True))]


def test_a_seeding_by_hand() -> None:
    # 2 tubes of 5000 MKs; 2.8 x 0.5 MKs acquired per cell, poor end exp(-sqrt(ln(2.8/1.8)^2 + ln(0.5/0.3)^2)) of it
    poor = 1.4 * math.exp(-math.hypot(math.log(2.8 / 1.8), math.log(0.5 / 0.3)))
    assert 10_000 / poor < 20_000  # so 1 mL at 20,000 per mL is enough and 0.5 mL is not
    assert 10_000 / poor > 10_000
    seeding = plan_seeding(PLAN, control_tubes_per_day=control_tubes_per_day(PLAN))
    assert (seeding.vessel, seeding.well_volume_mL, seeding.CD34_per_well) == ("24-well plate", 1.0, 20_000)
    assert seeding.wells == 5 * 2
    assert seeding.MKs_per_tube.low == pytest.approx(20_000 * poor / 2)
    controls = (1 + 3 + 2) + (1 + 2 + 1)
    assert seeding.control_wells == math.ceil(controls * 5000 / (20_000 * poor))
    total = 20_000 * seeding.all_wells * 1.1
    assert seeding.CD34_to_start.estimate == pytest.approx(total / 2)
    assert (seeding.CD34_to_start.low, seeding.CD34_to_start.high) == (pytest.approx(total / 4), pytest.approx(total))


@given(st.integers(500, 200_000), st.integers(1, 3))
def test_every_tube_gets_its_cells_even_at_the_poor_end(wanted: int, days: int) -> None:
    plan = replace(PLAN, MKs_per_tube=wanted, read_days_d=tuple(range(13 - days, 13)))
    seeding = plan_seeding(plan, control_tubes_per_day=control_tubes_per_day(plan))
    assert (seeding.MKs_per_tube.low or 0) >= wanted * (1 - 1e-9)
    assert seeding.CD34_per_well == pytest.approx(20_000 * seeding.well_volume_mL)


@given(st.integers(1, 12), st.integers(1, 12))
def test_cells_to_seed_rise_with_the_wells(few: int, more: int) -> None:
    a, b = sorted((few, more))
    assert seeded(replace(PLAN, replicate_wells=a)) <= seeded(replace(PLAN, replicate_wells=b))
    assert seeded(replace(PLAN, replicate_wells=b)) == pytest.approx(seeded(replace(PLAN, replicate_wells=1)) * b)


def test_the_ranges_of_a_product_are_joined_by_squares() -> None:
    def number(value: float, factor: float) -> PlanningNumber:
        return PlanningNumber(name="n", value=value, low=value / factor, high=value * factor, unit="", source="", tier=Tier.ASSUMED)

    both = product_of(number(2.0, math.exp(0.3)), number(5.0, math.exp(0.4)))
    assert (both.low, both.estimate, both.high) == pytest.approx((10 * math.exp(-0.5), 10, 10 * math.exp(0.5)))


def test_every_number_names_source_and_tier_and_what_is_assumed_says_so() -> None:
    for source in CellSource:
        for number in numbers_for(source).values():
            assert number.low <= number.value <= number.high
            assert number.source
    assert numbers_for(CellSource.CORD_BLOOD)["MKs_per_CD34"].tier is Tier.CALIBRATED
    assert numbers_for(CellSource.ADULT_BLOOD)["MKs_per_CD34"].tier is Tier.ASSUMED
    # 48 +- 7.7 over 17 +- 2.5, as published
    published = numbers_for(CellSource.CORD_BLOOD)["MKs_per_CD34"]
    half = 1.96 * math.hypot(7.7 / 48, 2.5 / 17)
    assert published.value == pytest.approx(48 / 17, rel=0.02)
    assert (published.low, published.high) == pytest.approx((48 / 17 * math.exp(-half), 48 / 17 * math.exp(half)), rel=0.03)


def test_own_numbers_take_the_place_of_shipped_ones() -> None:
    own = PlanningNumber(name="MKs_per_CD34", value=28, low=18, high=43, unit="", source="ours", tier=Tier.CALIBRATED)
    assert seeded(replace(PLAN, own_numbers={"MKs_per_CD34": own})) < seeded(PLAN)


def test_the_timetable_has_every_day_once_in_order_with_dates_where_known() -> None:
    seeding = plan_seeding(PLAN, control_tubes_per_day=10)
    steps = timetable(PLAN, seeding, tubes_per_day=30)
    assert [(step.day_d, step.what) for step in steps] == [
        (0, "Thaw or isolate CD34+ cells, count, seed"), (3, "Count; start differentiation"), (6, "Half-feed"), (9, "Half-feed"),
        (12, "Half-feed"), (15, "Harvest, stain, acquire"),
    ]  # fmt: skip
    assert all(step.date is None for step in steps)
    dated = timetable(replace(PLAN, start=dt.date(2026, 5, 4)), seeding, tubes_per_day=30)
    assert dated[-1].date == dt.date(2026, 5, 19)


def test_a_sample_comes_before_the_feed_of_its_day_and_none_is_fed_at_the_end() -> None:
    plan = replace(PLAN, read_days_d=(6, 12))
    steps = timetable(plan, plan_seeding(plan, control_tubes_per_day=10), tubes_per_day=30)
    assert [step.what for step in steps if step.day_d == 9] == ["Sample, stain, acquire", "Half-feed"]
    assert feed_days(plan) == (6, 9, 12)
    assert feed_days(replace(PLAN, feed_every_d=20)) == ()


def test_controls_are_those_of_the_panel() -> None:
    assert Counter(kind for kind, _ in controls_of(SURFACE)) == {TubeKind.UNSTAINED: 1, TubeKind.SINGLE_STAIN: 3, TubeKind.FMO: 2}
    assert (TubeKind.DIPLOID_REFERENCE, "") in controls_of(PLOIDY)
    assert {stain for kind, stain in controls_of(PLOIDY) if kind is TubeKind.FMO} == {"CD41"}


def test_every_donor_and_day_has_all_tubes_under_names_of_their_own() -> None:
    plan = replace(PLAN, read_days_d=(10, 12))
    tubes = plan_tubes(plan)
    per_day = 2 * 5 * 2 + 6 + 5
    assert Counter((tube.donor, tube.day_d) for tube in tubes) == {(d, day): per_day for d in plan.donors for day in (13, 15)}
    assert len({tube.name.casefold() for tube in tubes}) == len(tubes)
    assert all(set(tube.name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") for tube in tubes)
    assert len(culture_names(plan)) == 3 * 5 * 2


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"donors": ("D1", "D2")}, "2 donors: n is donors"),
        ({"donors": ("D1",)}, "1 donor: n is donors"),
        ({"well_volume_mL": 0.2}, "fewer than the 5000 wanted"),
        ({}, "2.6 % at 8N"),
        ({"cell_source": CellSource.ADULT_BLOOD}, "About 40 % of adult-blood MKs reach 8N"),
        ({"panels": (replace(PLOIDY, panel=replace(PLOIDY.panel, fixed=False)),)}, "say fixed = true"),
        ({"panels": (replace(SURFACE, panel=replace(SURFACE.panel, fixed=True, viability=Viability.UNFIXED_DYE)),)}, "fixable one"),
    ],
)
def test_notes_say_what_to_know_before_starting(changes: dict[str, object], told: str) -> None:
    plan = replace(PLAN, **changes)  # type: ignore[arg-type]
    notes = plan_notes(plan, plan_seeding(plan, control_tubes_per_day=10))
    assert any(told in note for note in notes)


def test_a_sound_plan_without_dna_needs_no_note() -> None:
    plan = replace(PLAN, panels=(SURFACE,))
    assert plan_notes(plan, plan_seeding(plan, control_tubes_per_day=5)) == ()


@pytest.mark.parametrize(("number", "said"), [(363_000, "370,000"), (20_000, "20,000"), (7.2, "8"), (1234, "1,300"), (99, "99")])
def test_cells_are_rounded_up_to_two_digits(number: float, said: str) -> None:
    assert rounded_up(number) == said
