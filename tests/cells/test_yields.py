"""Yields: laws that hold whatever was done to a culture, hand-computed ledgers, coverage of the interval."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thrombokit.cells.culture_events import (
    BeadLot,
    ByBeads,
    ByVolume,
    CountingErrors,
    Culture,
    Event,
    Feed,
    ManualCount,
    Sampling,
    Seed,
    Split,
    TubeCounts,
    with_counts,
)
from thrombokit.cells.yields import YieldPoint, follow_culture, yields_table
from thrombokit.errors import InputError

LOT = BeadLot(name="7", beads_per_uL=1000.0, cv=0.05)
SEED = Seed(day_d=0, CD34_cells=20_000, volume_mL=1.0, cv=0.05)


def culture(*events: Event) -> Culture:
    return Culture(name="D1-A", donor="D1", events=events)


def by_beads(acquired: int | None) -> ByBeads:
    return ByBeads(lot=LOT, added_uL=50.0, acquired=acquired)


def sampled(MKs: int | None, beads: int | None, *, volume_mL: float = 0.1, day_d: float = 10) -> Sampling:
    return Sampling(day_d=day_d, volume_mL=volume_mL, tube="T1", MKs_acquired=MKs, measure=by_beads(beads))


def last(*events: Event, **options: object) -> YieldPoint:
    return follow_culture(culture(*events), **options)[-1]  # type: ignore[arg-type]


def test_a_ledger_by_hand() -> None:
    # half-feed with its cells on day 4; at day 10 2000 MKs beside 1000 of 50,000 beads in 0.1 mL: 1e5 MKs in 0.1 mL, 1e6 in 1 mL
    feed = Feed(day_d=4, removed_mL=0.5, added_mL=0.5, cells_lost=True)
    first, second = follow_culture(culture(SEED, feed, sampled(2000, 1000), sampled(1000, 1000, day_d=12)))
    assert first.MKs_in_vessel.estimate == pytest.approx(1e6)
    assert first.kept_fraction == pytest.approx(0.5)
    assert first.MKs_per_CD34.estimate == pytest.approx(1e6 / 0.5 / 20_000)
    # the sample took a tenth of the culture with it: 5e5 per mL in 0.9 mL, of 0.45 of the culture
    assert second.MKs_in_vessel.estimate == pytest.approx(0.5e6 * 0.9)
    assert second.kept_fraction == pytest.approx(0.45)
    assert second.MKs_per_CD34.estimate == pytest.approx(1e6 / 20_000)
    assert (first.verdict, first.method, first.MKs_counted) == ("counted", "beads", 2000)


def test_acquired_volume_and_a_part_that_was_stained() -> None:
    taken = Sampling(day_d=10, volume_mL=0.2, stained_mL=0.1, MKs_acquired=500, measure=ByVolume(tube_uL=300, acquired_uL=60))
    assert last(SEED, taken).MKs_per_CD34.estimate == pytest.approx(500 * 5 / 0.1 * 1.0 / 20_000)


def test_doubling_the_beads_seen_halves_the_yield() -> None:
    one, two = (last(SEED, sampled(2000, beads)).MKs_per_CD34 for beads in (1000, 2000))
    assert one.estimate == pytest.approx(2 * (two.estimate or 0))


@dataclass
class World:
    """A culture without noise: its MKs, volume, and the part of it in the vessel."""

    MKs: float
    volume_mL: float
    day_d: float = 0.0


STEPS = st.lists(st.tuples(st.sampled_from(["feed", "half_feed", "split", "sample"]), st.floats(0.05, 0.9)), max_size=8)


def step(world: World, kind: str, share: float) -> Event:
    world.day_d += 1
    if kind == "feed":
        world.volume_mL += share
        return Feed(day_d=world.day_d, removed_mL=0.0, added_mL=share, cells_lost=False)
    if kind == "split":
        world.MKs, world.volume_mL = world.MKs * share, world.volume_mL * share
        return Split(day_d=world.day_d, kept_fraction=share)
    taken = world.volume_mL * share
    world.MKs *= 1 - share
    if kind == "half_feed":
        return Feed(day_d=world.day_d, removed_mL=taken, added_mL=taken, cells_lost=True)
    world.volume_mL -= taken
    return Sampling(day_d=world.day_d, volume_mL=taken)


@given(STEPS)
def test_nothing_that_is_written_down_changes_the_cumulative_yield(steps: list[tuple[str, float]]) -> None:
    world = World(MKs=1e6, volume_mL=1.0)
    events = [step(world, kind, share) for kind, share in steps]
    count = ManualCount(day_d=world.day_d, cells_per_mL=world.MKs / world.volume_mL, MKs=100, cells=100)
    point = last(SEED, *events, count)
    assert point.MKs_per_CD34.estimate == pytest.approx(1e6 / 20_000, rel=1e-9)
    assert point.MKs_in_vessel.estimate == pytest.approx(world.MKs, rel=1e-9)


TAKEN_AWAY = st.lists(st.tuples(st.sampled_from(["split", "sample"]), st.floats(0.05, 0.9)), max_size=8)


@given(TAKEN_AWAY)
def test_how_much_was_taken_away_adds_no_error_because_it_cancels(steps: list[tuple[str, float]]) -> None:
    world = World(MKs=1e6, volume_mL=1.0)
    events = [step(world, kind, share) for kind, share in steps]
    count = ManualCount(day_d=world.day_d, cells_per_mL=1e5, MKs=100, cells=100)
    without, with_steps = last(SEED, replace(count, day_d=0)).MKs_per_CD34, last(SEED, *events, count).MKs_per_CD34
    assert (with_steps.low, with_steps.high) == pytest.approx((without.low, without.high), rel=1e-9)


def test_the_error_of_a_half_feed_by_hand() -> None:
    # yield ~ (V - r + a) V / (V - r): at V = 1, r = a = 0.5 its elasticities are 0, 0.5 and 0.5; without the feed V alone has 1
    def squared(*events: Event) -> float:
        estimate = last(SEED, *events, sampled(2000, 1000)).MKs_per_CD34
        return math.log((estimate.high or 0) / (estimate.estimate or 1)) ** 2

    feed = Feed(day_d=3, removed_mL=0.5, added_mL=0.5, cells_lost=True)
    variance = 1.959964**2 * math.log1p(0.02**2)
    assert squared() - squared(feed) == pytest.approx(variance * (1.0 - 2 * 0.5**2), rel=1e-5)


def test_a_lossless_split_and_a_lossless_feed_change_nothing_at_all() -> None:
    feed = Feed(day_d=3, removed_mL=0.5, added_mL=0.5, cells_lost=False)
    plain = last(SEED, sampled(2000, 1000))
    assert last(SEED, Split(day_d=2, kept_fraction=1.0), sampled(2000, 1000)).MKs_per_CD34 == plain.MKs_per_CD34
    assert last(SEED, feed, sampled(2000, 1000)).MKs_per_CD34.estimate == plain.MKs_per_CD34.estimate


def test_the_error_is_told_apart() -> None:
    shares = last(SEED, sampled(2000, 1000)).error_shares
    assert sum(shares.values()) == pytest.approx(1.0)
    assert set(shares) == {"cells seeded", "bead lot 7", "beads counted", "MKs counted", "pipetting"}
    assert next(iter(shares)) in ("cells seeded", "bead lot 7")
    assert next(iter(last(SEED, sampled(5, 1000)).error_shares)) == "MKs counted"


def test_no_MKs_is_an_estimate_of_none_with_what_that_still_allows() -> None:
    point = last(SEED, sampled(0, 1000))
    assert (point.verdict, point.MKs_per_CD34.estimate, point.MKs_per_CD34.low) == ("no_MKs_counted", 0.0, 0.0)
    one = last(SEED, sampled(1, 1000)).MKs_per_CD34.estimate or 0
    assert 3.69 * one < (point.MKs_per_CD34.high or 0) < 4.6 * one
    assert "upper limit" in point.message


@pytest.mark.parametrize(
    ("MKs", "beads", "message"),
    [
        (None, 1000, "The MKs of tube T1 were not counted."),
        (10, None, "The beads of tube T1 were not counted."),
        (10, 0, "The beads of tube T1 are none: they were not added, or their gate misses them."),
    ],
)
def test_what_is_lacking_is_a_verdict(MKs: int | None, beads: int | None, message: str) -> None:
    point = last(SEED, sampled(MKs, beads))
    assert (point.verdict, point.MKs_per_CD34.estimate, point.message) == ("not_counted", None, message)


def test_few_counts_are_called_so() -> None:
    assert last(SEED, sampled(19, 1000)).verdict == last(SEED, sampled(1000, 19)).verdict == "few_counts"


def test_gated_counts_fill_what_the_ledger_left_open_and_nothing_else() -> None:
    counts = {"T1": TubeCounts(MKs=500, beads=250)}
    assert last(*with_counts(culture(SEED, sampled(None, None)), counts).events).MKs_counted == 500
    assert with_counts(culture(SEED, sampled(7, 9)), counts) == culture(SEED, sampled(7, 9))
    assert with_counts(culture(SEED, sampled(None, 9)), {}) == culture(SEED, sampled(None, 9))


@pytest.mark.parametrize(
    ("events", "told"),
    [
        ((sampled(1, 1),), "without a seeding first"),
        ((SEED, replace(SEED, day_d=1)), "a second seeding"),
        ((SEED, sampled(1, 1, volume_mL=1.5)), "1.5 mL taken from 1 mL"),
        ((SEED, sampled(1, 1), sampled(1, 1, day_d=9)), "day 9 after day 10"),
        ((SEED, Feed(day_d=1, removed_mL=1.0, added_mL=0.0, cells_lost=False), sampled(1, 1)), "an empty vessel"),
    ],
)
def test_a_ledger_that_cannot_be_is_refused(events: tuple[Event, ...], told: str) -> None:
    with pytest.raises(InputError, match=told):
        follow_culture(culture(*events))


def test_the_table_has_a_row_for_each_point_and_nulls_where_nothing_is_known() -> None:
    table = yields_table(follow_culture(culture(SEED, sampled(2000, 1000), sampled(None, 10, day_d=12))))
    assert table.height == 2
    assert table["MKs_per_CD34"].null_count() == 1
    assert table["largest_error"][1] == ""
    assert yields_table([]).height == 0


def simulate(rng: np.random.Generator, *, MK_density: float, cv: CountingErrors) -> tuple[Culture, float]:
    """A ledger as it would be written, and the true cumulative yield: half-feed with cells, split, lossless feed, then a sample with beads."""

    def real(nominal: float, share: float) -> float:
        return nominal * math.exp(math.sqrt(math.log1p(share**2)) * rng.standard_normal())

    p = cv.pipetting_cv
    seeded, volume, kept = real(20_000, 0.05), real(1.0, p), 1.0
    removed = real(0.5, p)
    kept *= (volume - removed) / volume
    volume = volume - removed + real(0.5, p)
    split = real(0.5, p)
    kept, volume = kept * split, volume * split + real(0.5, p)
    volume += real(0.3, p)
    early = real(0.2, p)
    kept, volume = kept * (volume - early) / volume, volume - early
    beads_in_tube = real(1000.0, 0.05) * real(50.0, p)
    acquired = 0.05
    MKs = int(rng.poisson(MK_density * real(0.1, p) * acquired))
    beads = int(rng.poisson(beads_in_tube * acquired))
    events: tuple[Event, ...] = (
        SEED, Feed(day_d=3, removed_mL=0.5, added_mL=0.5, cells_lost=True), Split(day_d=5, kept_fraction=0.5, added_mL=0.5),
        Feed(day_d=7, removed_mL=0.0, added_mL=0.3, cells_lost=False), Sampling(day_d=8, volume_mL=0.2), sampled(MKs, beads),
    )  # fmt: skip
    return culture(*events), MK_density * volume / kept / seeded


@pytest.mark.long
@pytest.mark.parametrize(("MK_density", "pipetting"), [(200_000, 0.02), (2_000, 0.02), (20_000, 0.10)])
def test_the_interval_holds_the_truth_in_95_of_100(
    MK_density: float, pipetting: float, print_figure: Callable[[str], None]
) -> None:
    rng, errors = np.random.default_rng(int(MK_density)), CountingErrors(pipetting_cv=pipetting)
    hits, runs = 0, 4000
    for _ in range(runs):
        ledger, truth = simulate(rng, MK_density=MK_density, cv=errors)
        estimate = follow_culture(ledger, errors=errors)[-1].MKs_per_CD34
        hits += (estimate.low or 0) <= truth <= (estimate.high or 0)
    print_figure(f"yield, {MK_density} MKs per mL, pipetting CV {100 * pipetting:g} %: coverage {100 * hits / runs:.1f} %")
    assert 0.94 <= hits / runs <= 0.97
