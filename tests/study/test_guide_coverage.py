"""The guide study from wells to combined intervals: what one study says, and how often a thousand hold the guide's EC50s."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from thrombokit.plate.analyse import analyse_plates
from thrombokit.plate.layout import Layout
from thrombokit.plate.plate import Plate, Reading
from thrombokit.plate.result import PlateResult
from thrombokit.plate.settings import PlateSettings
from thrombokit.scale.engine import ProcessEngine
from thrombokit.study.templates.guide import guide_plates
from thrombokit.study.templates.guide_truth import DEFAULT_SEED, MAP_FAULT
from thrombokit.study.templates.synthetic_plate import SyntheticPlate

N_SEEDS, FIRST_SEED, SEEDS_A_TASK = 1_000, 1, 25
GUIDE_EC50_nM = {
    ("32D-MPL", "hetrombopag"): 0.4,
    ("32D-MPL", "eltrombopag"): 13.4,
    ("CD34+ cord blood", "hetrombopag"): 2.3,
    ("CD34+ cord blood", "eltrombopag"): 86.2,
}
"""GUIDE rows Q1 and Q2; written out, so that the test does not take its answer from the generator."""


def as_plate(synthetic: SyntheticPlate) -> Plate:
    """The plate a reader and a map would have given."""
    layout = Layout(
        role=synthetic.role,
        agonist=synthetic.agonist,
        concentration_nM=synthetic.concentration_nM,
        cell_system=np.full(synthetic.role.shape, synthetic.cell_system, object),
    )
    reading = Reading(name=synthetic.name, signal=synthetic.signal, source=synthetic.name, reader="memory")
    return Plate(
        reading=reading,
        layout=layout,
        name=synthetic.name,
        run=synthetic.run,
        cell_system=synthetic.cell_system,
        hours=synthetic.hours,
    )


def inside_by_seed(first_seed: int, start: int, stop: int) -> list[tuple[bool, ...]]:
    """For seeds first_seed + start to first_seed + stop - 1: whether each guide EC50 lies in its interval, order of GUIDE_EC50_nM."""
    found: list[tuple[bool, ...]] = []
    for seed in range(first_seed + start, first_seed + stop):
        result = analyse_plates([as_plate(p) for p in guide_plates(seed)], PlateSettings(comparator="eltrombopag"))
        intervals = {(p.assay.cell_system, p.agonist): p.ec50_nM for p in result.potencies}
        row: list[bool] = []
        for key, value in GUIDE_EC50_nM.items():
            low, high = intervals[key].low, intervals[key].high
            row.append(low is not None and high is not None and low <= value <= high)
        found.append(tuple(row))
    return found


@pytest.fixture(scope="module")
def one_study() -> PlateResult:
    return analyse_plates([as_plate(p) for p in guide_plates(DEFAULT_SEED)], PlateSettings(comparator="eltrombopag"))


def test_the_two_plates_that_went_wrong_leave_the_combined_values_and_say_so(one_study: PlateResult) -> None:
    faulty = {p.name: p.run for p in guide_plates(DEFAULT_SEED) if p.fault}
    assert len(faulty) == 2
    assert {q.plate for q in one_study.quality if q.status == "fail"} == set(faulty)
    assert set(faulty) <= set(one_study.wells["plate"]) & set(one_study.fits["plate"])
    for key in GUIDE_EC50_nM:
        potency = next(p for p in one_study.potencies if (p.assay.cell_system, p.agonist) == key)
        left_out = dict(potency.runs_left_out)
        assert not set(potency.runs_used) & set(faulty.values())
        for plate, run in faulty.items():
            if key[0] in one_study.wells.filter(plate=plate)["cell_system"].unique().to_list():
                assert left_out[run] == f"plate {plate} failed its quality check"


def test_the_mis_mapped_plate_is_told_to_move_its_map(one_study: PlateResult) -> None:
    misplaced = next(p.name for p in guide_plates(DEFAULT_SEED) if p.fault == MAP_FAULT)
    suggestions = {q.plate: q.suggestion for q in one_study.quality}
    assert "the map looks shifted: moved 1 row up" in suggestions.pop(misplaced)
    assert set(suggestions.values()) == {""}, "nobody else is told so, the misdispensed plate included"


def test_verdicts_on_the_compounds_that_are_no_plain_agonists(one_study: PlateResult) -> None:
    good = one_study.fits.filter(~pl.col("plate").is_in([q.plate for q in one_study.quality if q.status == "fail"]))
    most = {agonist: part["verdict"].mode()[0] for (agonist,), part in good.group_by("agonist")}
    assert most["bell-01"] == "not_sigmoid"
    assert most["partial-01"] == "fit"
    partial = good.filter(agonist="partial-01")["emax_pct"].to_numpy()
    assert np.abs(np.median(partial) - 45.0) < 8.0


def test_the_ratio_to_the_comparator_holds_the_guides(one_study: PlateResult) -> None:
    for ratio in (r for r in one_study.ratios if r.agonist == "hetrombopag"):
        system = ratio.assay.cell_system
        truth = GUIDE_EC50_nM[system, "eltrombopag"] / GUIDE_EC50_nM[system, "hetrombopag"]
        assert ratio.ratio.low is not None
        assert ratio.ratio.high is not None
        assert ratio.ratio.low < truth < ratio.ratio.high


@pytest.mark.long
def test_guide_ec50s_lie_in_the_combined_interval_at_its_rate(print_figure: Callable[[str], None]) -> None:
    """93 to 97 % over 1,000 seeds: one binomial standard error is 0.7 %, so an interval that holds 95 % passes nearly always.

    A study whose interval could not be formed counts as a miss.
    """
    parts = ProcessEngine(2).map_ranges(inside_by_seed, FIRST_SEED, N_SEEDS, chunk=SEEDS_A_TASK)
    inside = np.array([row for part in parts for row in part])
    assert inside.shape == (N_SEEDS, len(GUIDE_EC50_nM))
    rates = dict(zip(GUIDE_EC50_nM, 100.0 * inside.mean(axis=0), strict=True))
    for (cell_system, agonist), rate in rates.items():
        print_figure(f"guide EC50 inside the combined 95 % interval, {cell_system}, {agonist}: {rate:.1f} % of {N_SEEDS} seeds")
    for cell_system in dict.fromkeys(system for system, _ in rates):
        both = [rate for (system, _), rate in rates.items() if system == cell_system]
        print_figure(f"guide EC50s inside the combined 95 % interval, {cell_system}: {np.mean(both):.1f} %")
    assert all(93.0 <= rate <= 97.0 for rate in rates.values()), rates
