"""From plates to potencies: what a failed plate, a bad compound, a missing comparator and too few runs do, and what they do not."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from thrombokit.dose_response.fits import FITS_COLUMNS
from thrombokit.dose_response.settings import FitSettings
from thrombokit.plate.analyse import analyse_plates
from thrombokit.plate.layout import Layout
from thrombokit.plate.plate import Plate
from thrombokit.plate.result import PlateResult
from thrombokit.plate.settings import PlateSettings
from thrombokit.scale.engine import ProcessEngine

PlateOf = Callable[..., Plate]
COMPARED = PlateSettings(comparator="reference-1")
SHIFTS = (0.8, 1.3, 1.0, 0.9)
"""Sensitivity of four runs: all EC50s of a run move together, the comparator's too."""


def runs(plate_of: PlateOf, shifts: tuple[float, ...] = SHIFTS, **fields: object) -> list[Plate]:
    return [
        plate_of(name=f"plate-{i}", run=f"run {i}", seed=i, ec50_nM={"s": 5.0 * f, "t": 40.0 * f, "c": 20.0 * f}, **fields)
        for i, f in enumerate(shifts, start=1)
    ]


@pytest.fixture(scope="module")
def four(plate_of: PlateOf) -> PlateResult:
    return analyse_plates(runs(plate_of), COMPARED)


def test_truth_lies_in_the_combined_intervals(four: PlateResult) -> None:
    truth = math.exp(np.log(SHIFTS).mean())
    for potency in four.potencies:
        expected = {"agonist-1": 5.0, "agonist-2": 40.0, "reference-1": 20.0}[potency.agonist] * truth
        found = potency.ec50_nM
        assert found.low is not None
        assert found.high is not None
        assert found.low < expected < found.high
        assert (potency.verdict, potency.interval, potency.n_runs) == ("combined", "hartung_knapp", 4)
        assert potency.assay.label() == "32D-MPL, luminescence, 72 h"


def test_ratios_are_formed_within_runs(four: PlateResult) -> None:
    """Sensitivity that a run's compounds share falls out: the ratio is far better known than either EC50."""
    by_agonist = {r.agonist: r for r in four.ratios}
    assert set(by_agonist) == {"agonist-1", "agonist-2"}
    for agonist, truth in (("agonist-1", 4.0), ("agonist-2", 0.5)):
        ratio = by_agonist[agonist]
        assert ratio.ratio.low is not None
        assert ratio.ratio.high is not None
        assert ratio.ratio.low < truth < ratio.ratio.high
        potency = next(p for p in four.potencies if p.agonist == agonist).ec50_nM
        assert potency.low is not None
        assert potency.high is not None
        assert math.log(ratio.ratio.high / ratio.ratio.low) < 0.7 * math.log(potency.high / potency.low)
        runs_of = {p.agonist: dict(zip(p.runs_used, p.run_ec50_nM, strict=True)) for p in four.potencies}
        for run, value in zip(ratio.runs_used, ratio.run_ratios, strict=True):
            assert value == pytest.approx(runs_of["reference-1"][run] / runs_of[agonist][run], rel=1e-9)


def test_tables_hold_every_plate_well_and_curve(four: PlateResult) -> None:
    assert four.wells["plate"].n_unique() == 4
    assert four.fits.columns[:4] == ["plate", "agonist", "cell_system", "run"]
    assert [c for c in four.fits.columns if c in FITS_COLUMNS] == list(FITS_COLUMNS[1:])
    assert four.fits.height == 12
    assert four.fits["response_unit"].unique().to_list() == ["% of rhTPO window"]
    assert four.curves.group_by("plate", "agonist").len()["len"].unique().to_list() == [48]
    assert four.table().height == 3
    assert set(four.table()["verdict"]) == {"combined"}
    for row in four.fits.rows(named=True):
        assert row["emax_pct_low"] < row["emax_pct"] < row["emax_pct_high"]
        assert row["top_pct"] == row["emax_pct"]
        assert row["emax_pct"] == pytest.approx(100.0, abs=12.0)
        assert row["bottom_pct"] == pytest.approx(0.0, abs=6.0)


def test_the_emax_interval_holds_the_truth_at_its_rate(plate_of: PlateOf) -> None:
    """150 plates, three curves each, whose true Emax is 100 % of rhTPO: 95 % of intervals, and the controls' error is in them."""
    plates = [plate_of(name=f"p{i}", run=f"r{i}", seed=100 + i, cv=0.08) for i in range(150)]
    fits = analyse_plates(plates).fits
    inside = ((fits["emax_pct_low"] <= 100.0) & (fits["emax_pct_high"] >= 100.0)).mean()
    assert 0.91 <= inside <= 0.985


def test_a_failed_plate_stays_in_the_tables_and_leaves_the_combined_value(plate_of: PlateOf, four: PlateResult) -> None:
    bad = plate_of(name="plate-5", run="run 5", seed=9, cv=0.7)
    result = analyse_plates([*runs(plate_of), bad], COMPARED)
    status = {q.plate: q.status for q in result.quality}
    assert status["plate-5"] == "fail"
    assert {status[f"plate-{i}"] for i in range(1, 5)} <= {"pass", "warn"}
    assert result.wells.filter(plate="plate-5").height > 0
    assert result.fits.filter(plate="plate-5").height == 3
    for with_bad, without in zip(result.potencies, four.potencies, strict=True):
        assert with_bad.ec50_nM == without.ec50_nM
        assert with_bad.runs_left_out == (("run 5", "plate plate-5 failed its quality check"),)
    for with_bad, without in zip(result.ratios, four.ratios, strict=True):
        assert with_bad.ratio == without.ratio
        assert "run 5" not in with_bad.runs_used


def test_a_run_with_one_failed_and_one_good_plate_counts_by_the_good_one(plate_of: PlateOf, four: PlateResult) -> None:
    bad = plate_of(name="plate-1b", run="run 1", seed=9, cv=0.7)
    result = analyse_plates([*runs(plate_of), bad], COMPARED)
    for with_bad, without in zip(result.potencies, four.potencies, strict=True):
        assert with_bad.n_runs == 4
        assert with_bad.ec50_nM == without.ec50_nM


def spoilt(plate: Plate, agonist: str, role: str = "sample") -> Plate:
    """The agonist's dose lost from all but two of its wells."""
    dose = plate.layout.concentration_nM.copy()
    dose[tuple(np.argwhere(plate.layout.agonist == agonist)[2:].T)] = np.nan
    layout = Layout(
        role=plate.layout.role, agonist=plate.layout.agonist, concentration_nM=dose, cell_system=plate.layout.cell_system
    )
    return Plate(
        reading=plate.reading, layout=layout, name=plate.name, run=plate.run, cell_system=plate.cell_system, hours=plate.hours
    )


def test_one_bad_compound_never_stops_the_plate(plate_of: PlateOf, four: PlateResult) -> None:
    plates = [spoilt(p, "agonist-1") for p in runs(plate_of)]
    result = analyse_plates(plates, COMPARED)
    verdicts = dict(result.fits.select("agonist", "verdict").unique().iter_rows())
    assert verdicts["agonist-1"] == "bad"
    by_agonist = {p.agonist: p for p in result.potencies}
    assert by_agonist["agonist-1"].ec50_nM.estimate is None
    assert by_agonist["agonist-1"].verdict == "bad"
    assert {reason for _, reason in by_agonist["agonist-1"].runs_left_out} == {
        "too few doses or points to fit, or all responses equal"
    }
    assert by_agonist["agonist-2"].verdict == "combined"
    ratio = next(r for r in result.ratios if r.agonist == "agonist-1")
    assert (ratio.ratio.estimate, ratio.reason) == (None, "no run has an EC50 of both")
    bad = result.fits.filter(agonist="agonist-1").row(0, named=True)
    assert [bad[c] for c in ("ec50_nM", "bottom_pct", "top_pct", "emax_pct", "emax_pct_low")] == [None] * 5
    assert result.curves.filter(agonist="agonist-1").height == 0


def test_a_flat_compound_has_no_plateaus_in_percent(plate_of: PlateOf) -> None:
    result = analyse_plates([*runs(plate_of)[:1], plate_of(name="q", run="q", ec50_nM={"t": 1e12})])
    flat = result.fits.filter(plate="q", agonist="agonist-2").row(0, named=True)
    assert flat["verdict"] == "flat"
    assert [flat[c] for c in ("bottom_pct", "top_pct", "emax_pct", "ec50_nM")] == [None] * 4
    assert flat["bottom"] == flat["top"]


@pytest.mark.parametrize("n", [1, 2])
def test_fewer_than_three_runs_have_no_pooled_interval(plate_of: PlateOf, n: int) -> None:
    result = analyse_plates(runs(plate_of)[:n], COMPARED)
    for potency in result.potencies:
        assert potency.ec50_nM.estimate == pytest.approx(math.exp(np.log(potency.run_ec50_nM).mean()))
        assert (potency.ec50_nM.low, potency.ec50_nM.high, potency.between_run_sd_log10) == (None, None, None)
        assert (potency.verdict, potency.interval) == ("too_few_runs", "none: fewer than 3 runs")
        assert len(potency.run_intervals_nM) == n
    said = {r.reason for r in result.ratios}
    assert said == {f"{n} run{'s' if n > 1 else ''}: value shown, no pooled interval"}


def test_a_run_without_a_good_comparator_leaves_the_ratio_and_keeps_the_ec50(plate_of: PlateOf) -> None:
    plates = runs(plate_of)
    result = analyse_plates([*plates[:3], spoilt(plates[3], "reference-1")], COMPARED)
    ratio = next(r for r in result.ratios if r.agonist == "agonist-1")
    assert ratio.runs_used == ("run 1", "run 2", "run 3")
    assert next(p for p in result.potencies if p.agonist == "agonist-1").n_runs == 4


def test_no_comparator_no_ratios(plate_of: PlateOf) -> None:
    assert analyse_plates(runs(plate_of)).ratios == ()
    assert analyse_plates(runs(plate_of), PlateSettings(comparator="nobody")).ratios == ()


def test_cell_systems_are_never_pooled(plate_of: PlateOf) -> None:
    other = [plate_of(name=f"o{i}", run=f"donor {i}", seed=50 + i, cell_system="CD34+", ec50_nM={"s": 50.0}) for i in range(3)]
    result = analyse_plates([*runs(plate_of), *other], COMPARED)
    found = {(p.assay.cell_system, p.agonist): p for p in result.potencies}
    assert len(found) == 6
    assert found["32D-MPL", "agonist-1"].runs_used == tuple(f"run {i}" for i in range(1, 5))
    assert found["CD34+", "agonist-1"].ec50_nM.estimate == pytest.approx(50.0, rel=0.3)
    assert {(r.assay.cell_system, r.agonist) for r in result.ratios} == {
        (s, a) for s in ("32D-MPL", "CD34+") for a in ("agonist-1", "agonist-2")
    }


def test_a_compound_beyond_the_doses_has_the_weakest_common_bound(plate_of: PlateOf) -> None:
    plates = runs(plate_of, levels={"P": 1_110_000.0}, cv=0.01)
    weak = [
        plate_of(name=p.name, run=p.run, seed=i, cv=0.01, ec50_nM={"t": 9_000.0}, levels={"P": 1_110_000.0})
        for i, p in enumerate(plates)
    ]
    result = analyse_plates(weak)
    potency = next(p for p in result.potencies if p.agonist == "agonist-2")
    fits = result.fits.filter(agonist="agonist-2")
    assert set(fits["verdict"]) == {"beyond_range"}
    assert (potency.verdict, potency.ec50_nM.estimate, potency.ec50_nM.high) == ("beyond_range", None, None)
    assert potency.ec50_nM.low == pytest.approx(fits["ec50_low_nM"].min())


def test_day_zero_plates_are_kept_and_give_no_curves(plate_of: PlateOf) -> None:
    result = analyse_plates([plate_of(), plate_of(name="day 0", day0=True)])
    assert set(result.wells["plate"]) == {"plate-1", "day 0"}
    assert set(result.fits["plate"]) == {"plate-1"}


def test_no_plates_and_no_curves(plate_of: PlateOf) -> None:
    assert analyse_plates([]).wells.height == 0
    only_day0 = analyse_plates([plate_of(day0=True)])
    assert (only_day0.fits.height, only_day0.potencies, only_day0.curves.height) == (0, (), 0)


def test_two_workers_give_the_same_bytes(plate_of: PlateOf, four: PlateResult) -> None:
    told: list[int] = []
    again = analyse_plates(runs(plate_of), COMPARED, engine=ProcessEngine(2), progress=told.append)
    assert again.fits.write_csv() == four.fits.write_csv()
    assert again.curves.write_csv() == four.curves.write_csv()
    assert again.potencies == four.potencies
    assert sum(told) == 12


def test_settings_reach_the_fits(plate_of: PlateOf) -> None:
    settings = PlateSettings(fit=FitSettings(confidence=0.8, weights="none"), readout="absorbance", serum="10 % FBS")
    result = analyse_plates(runs(plate_of), settings)
    assert result.confidence == 0.8
    assert result.fits["confidence"].unique().to_list() == [0.8]
    assert result.potencies[0].assay.label() == "32D-MPL, absorbance, 72 h, 10 % FBS"
    wide = analyse_plates(runs(plate_of)).potencies[0].ec50_nM
    narrow = result.potencies[0].ec50_nM
    assert narrow.low is not None
    assert wide.low is not None
    assert narrow.low > wide.low


def test_operators_are_kept_only_where_asked_for(plate_of: PlateOf) -> None:
    plate = plate_of(operator="op1")
    assert analyse_plates([plate]).quality[0].operator is None
    assert analyse_plates([plate], PlateSettings(show_operator=True)).quality[0].operator == "op1"


def bell_and_screen(plate_of: PlateOf, full_drawing: str, screen: float, *, name: str) -> Plate:
    """agonist-1 turns back at high dose; on parental cells its wells read `screen` times a flat level at high dose."""
    plain = plate_of(
        full_drawing.replace("V tttttttttt P", "V xxxxxxxxxx P").replace("P cccccccccc B", "P ssssssssss B"), name=name, run=name
    )
    dose, role = plain.layout.concentration_nM, plain.layout.role
    falling = 1.0 / (1.0 + (dose / 150.0) ** 2)
    signal = plain.reading.signal.copy()
    sample = role == "sample"
    signal[sample] = 10_000.0 + (signal[sample] - 10_000.0) * falling[sample]
    other = role == "counter_screen"
    signal[other] = 60_000.0 * (1 + 0.03 * np.random.default_rng(2).standard_normal(int(other.sum())))
    signal[other] *= (1 - screen) + screen * falling[other]
    system = plain.layout.cell_system.copy()
    system[other] = "parental"
    layout = Layout(role=role, agonist=plain.layout.agonist, concentration_nM=dose, cell_system=system)
    reading = type(plain.reading)(name=name, signal=signal, source=name, reader="memory")
    return Plate(reading=reading, layout=layout, name=name, run=name, cell_system="32D-MPL", hours=72.0)


@pytest.mark.parametrize(
    "screen, qualifier, words",
    [
        (0.0, None, "the counter-screen without TPO-R is flat, so it goes through the receptor"),
        (0.8, "off_target_suspected", "the counter-screen without TPO-R falls too"),
    ],
)
def test_counter_screens_settle_the_off_target_question(
    plate_of: PlateOf, full_drawing: str, screen: float, qualifier: str | None, words: str
) -> None:
    result = analyse_plates([bell_and_screen(plate_of, full_drawing, screen, name="p")])
    rows = {(r["agonist"], r["cell_system"]): r for r in result.fits.rows(named=True)}
    bell = rows["agonist-1", "32D-MPL"]
    assert (bell["verdict"], bell["qualifier"]) == ("not_sigmoid", qualifier)
    assert bell["message"].endswith(words)
    assert rows["agonist-1", "parental"]["verdict"] == ("flat" if screen == 0.0 else "fit")
    assert {p.assay.cell_system for p in result.potencies} == {"32D-MPL"}, "a counter-screen is no potency"


def test_wells_table_gives_percentages_of_the_plate_s_own_window(four: PlateResult) -> None:
    wells = four.wells.filter(pl.col("role").is_in(["vehicle", "positive_control"]))
    means = wells.group_by("plate", "role").agg(pl.col("response_pct").mean())
    for row in means.rows(named=True):
        assert row["response_pct"] == pytest.approx(0.0 if row["role"] == "vehicle" else 100.0, abs=1e-9)
