"""The plates of the guide study: how many, how laid out, and which go wrong how."""

from __future__ import annotations

import ast
import pickle
from pathlib import Path

import numpy as np
import pytest

import thrombokit.study.templates.guide
from thrombokit.plate.layout import Role
from thrombokit.study.templates.guide import guide_plates
from thrombokit.study.templates.guide_design import DESIGNS
from thrombokit.study.templates.guide_truth import DISPENSER_FAULT, MAP_FAULT
from thrombokit.study.templates.synthetic_plate import SyntheticPlate
from thrombokit.study.templates.well_plan import DoseSeries, moved_down, outer_ring, plan_from_drawing

PLATES = guide_plates(20181)


def z_prime(plate: SyntheticPlate) -> float:
    rhTPO, vehicle = plate.signal[plate.role == "positive_control"], plate.signal[plate.role == "vehicle"]
    return 1 - 3 * (rhTPO.std(ddof=1) + vehicle.std(ddof=1)) / abs(rhTPO.mean() - vehicle.mean())


def vehicle_cv(plate: SyntheticPlate) -> float:
    vehicle = plate.signal[plate.role == "vehicle"]
    return vehicle.std(ddof=1) / vehicle.mean()


def test_at_least_four_good_runs_of_each_cell_system() -> None:
    good = {cells: {p.run for p in PLATES if p.cell_system == cells and not p.fault} for cells in ("32D-MPL", "CD34+ cord blood")}
    assert good["32D-MPL"] == {"run 1", "run 2", "run 3", "run 4", "run 5"}
    assert good["CD34+ cord blood"] == {"donor A", "donor B", "donor C", "donor D", "donor E"}
    assert sorted(p.fault for p in PLATES if p.fault) == sorted([DISPENSER_FAULT, MAP_FAULT])


def test_failing_runs_are_runs_of_their_own() -> None:
    for faulty in (p for p in PLATES if p.fault):
        assert [p.name for p in PLATES if (p.cell_system, p.run) == (faulty.cell_system, faulty.run)] == [faulty.name]


def test_names_are_unique_and_fit_a_file_system() -> None:
    names = [p.name for p in PLATES]
    assert len(set(names)) == len(names) == 17
    assert all(set(name) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") for name in names)


@pytest.mark.parametrize("plate", PLATES, ids=lambda p: p.name)
def test_each_plate_carries_its_controls(plate: SyntheticPlate) -> None:
    assert set(plate.role.ravel()) <= {role.value for role in Role}
    assert (plate.role == "vehicle").sum() >= 6
    assert (plate.role == "positive_control").sum() >= 4
    assert (plate.role == "blank").sum() >= 4
    assert (plate.role == "il3_rescue").any() == (plate.cell_system == "32D-MPL")
    assert set(plate.agonist[plate.role == "comparator"]) == {"eltrombopag"}
    assert np.array_equal(np.isfinite(plate.concentration_nM), np.isin(plate.role, ["sample", "comparator", "vehicle"]))
    vehicle_columns = np.unique(np.nonzero(plate.role == "vehicle")[1])
    assert vehicle_columns.size >= 4, "vehicle is spread over the plate"


@pytest.mark.parametrize("key", [key for key in DESIGNS if key[1] == "main"], ids=lambda key: key[0])
def test_main_plate_has_ten_doses_in_triplicate_balanced_over_the_ring(key: tuple[str, str]) -> None:
    plan = DESIGNS[key]
    ring = outer_ring(plan.shape)
    for agonist in ("hetrombopag", "eltrombopag"):
        doses, wells = np.unique(plan.concentration[plan.agonist == agonist], return_counts=True)
        in_ring = np.unique(plan.concentration[(plan.agonist == agonist) & ring], return_counts=True)[1]
        assert doses.size == 10
        assert set(wells) == {3}
        assert in_ring.tolist() == [1] * 10
    for role in ("vehicle", "positive_control", "blank"):
        assert 3 * ((plan.role == role) & ring).sum() == (plan.role == role).sum()


@pytest.mark.parametrize("key", list(DESIGNS), ids=" ".join)
def test_dose_series_is_centred_on_the_ec50_and_reaches_the_plateau(key: tuple[str, str]) -> None:
    ec50 = {"32D-MPL": {"hetrombopag": 0.4, "eltrombopag": 13.4}, "CD34+ cord blood": {"hetrombopag": 2.3, "eltrombopag": 86.2}}
    for agonist, expected in ec50[key[0]].items():
        doses = DESIGNS[key].concentration[DESIGNS[key].agonist == agonist]
        if doses.size:
            assert 0.8 < np.exp(np.log(doses).mean()) / expected < 1.25
            assert doses.max() > 40 * expected
            assert doses.min() < expected / 40


@pytest.mark.parametrize("seed", range(12))
def test_both_faults_can_be_seen_from_the_controls(seed: int) -> None:
    plates = guide_plates(seed)
    for cells in ("32D-MPL", "CD34+ cord blood"):
        good = [p for p in plates if p.cell_system == cells and not p.fault]
        (bad,) = (p for p in plates if p.cell_system == cells and p.fault)
        assert z_prime(bad) < -1.5
        assert vehicle_cv(bad) > 0.4
        assert max(vehicle_cv(p) for p in good) < 0.25
    assert min(z_prime(p) for p in plates if p.cell_system == "32D-MPL" and not p.fault) > 0


def test_dispenser_gave_rhTPO_to_half_of_the_vehicle_wells() -> None:
    (plate,) = (p for p in PLATES if p.fault == DISPENSER_FAULT)
    vehicle, rhTPO = plate.mean[plate.role == "vehicle"], plate.mean[plate.role == "positive_control"]
    high = vehicle > 10 * rhTPO.max()
    assert high.sum() == vehicle.size // 2
    assert vehicle[~high].max() < 1.1 * rhTPO.max()


def test_wrong_map_is_one_row_too_low() -> None:
    (plate,) = (p for p in PLATES if p.fault == MAP_FAULT)
    right = DESIGNS["CD34+ cord blood", "main"]
    for name in ("role", "agonist", "unit"):
        assert np.array_equal(getattr(plate.plan, name)[1:], getattr(right, name)[:-1])
    np.testing.assert_array_equal(plate.plan.concentration[1:], right.concentration[:-1])
    assert set(plate.role[0]) == {"empty"}
    # read with the right map the plate is sound
    vehicle = plate.signal[right.role == "vehicle"]
    assert vehicle.std(ddof=1) / vehicle.mean() < 0.25


def test_odd_compounds_behave_as_named() -> None:
    (plate,) = (p for p in PLATES if p.name == "32D-MPL_run-1_panel")
    top = plate.mean[plate.role == "positive_control"].max()

    def by_dose(agonist: str) -> np.ndarray:
        wells = plate.agonist == agonist
        order = np.argsort(plate.concentration_nM[wells], kind="stable")
        return plate.mean[wells][order].reshape(8, 2).mean(axis=1) / top

    assert by_dose("partial-01")[-1] == pytest.approx(0.45, abs=0.04)
    bell = by_dose("bell-01")
    assert bell.max() > 2 * bell[-1]
    assert 1 <= bell.argmax() <= 5
    toxic = by_dose("toxic-01")
    assert toxic[-2] > 0.8
    assert toxic[-1] < 0.4


def test_same_seed_same_plates_and_other_seed_others() -> None:
    again, other = guide_plates(20181), guide_plates(20182)
    assert all(np.array_equal(a.signal, b.signal) for a, b in zip(PLATES, again, strict=True))
    assert not any(np.array_equal(a.signal, b.signal) for a, b in zip(PLATES, other, strict=True))


def test_arrays_cannot_be_written_to_even_after_pickling() -> None:
    for plate in (PLATES[0], pickle.loads(pickle.dumps(PLATES[0]))):
        for array in (plate.signal, plate.mean, plate.role, plate.plan.concentration):
            with pytest.raises(ValueError, match="read-only"):
                array[0, 0] = 1


def test_plate_refuses_arrays_of_different_shapes() -> None:
    plan = plan_from_drawing("V P\nB .", {})
    with pytest.raises(ValueError, match="odd: arrays differ in shape"):
        SyntheticPlate(
            name="odd", cell_system="c", run="r", date="2024-01-01", operator="op1", hours=72.0,
            signal=np.zeros((2, 3)), mean=np.zeros((2, 3)), plan=plan, map_name="m",
        )  # fmt: skip


def test_drawing_that_cuts_a_series_is_refused() -> None:
    with pytest.raises(ValueError, match="row 1 holds 2 wells of x, its series has 3 doses"):
        plan_from_drawing("xxx\nxx.", {"x": DoseSeries(agonist="x", top_nM=9.0, fold=3.0, n_doses=3)})


def test_moved_map_keeps_nothing_of_the_last_row() -> None:
    plan = plan_from_drawing("VP\nxx\nBB", {"x": DoseSeries(agonist="x", top_nM=9.0, fold=3.0, n_doses=2)})
    moved = moved_down(plan, 1)
    assert moved.role.tolist() == [["empty", "empty"], ["vehicle", "positive_control"], ["sample", "sample"]]
    np.testing.assert_array_equal(moved.concentration, [[np.nan, np.nan], [0.0, 100.0], [3.0, 9.0]])
    assert plan.role[0, 0] == "vehicle"


def test_templates_share_no_code_with_the_analysis() -> None:
    allowed = ("thrombokit.study.templates.", "thrombokit.errors", "thrombokit.plate.wells")
    allowed += ("thrombokit.numerics.streams", "thrombokit.numerics.arrays")
    allowed += (
        "thrombokit.cells.sample",
        "thrombokit.cells.spillover",
        "thrombokit.cells.tubes",
        "thrombokit.io.fcs_write",
    )  # nouns, files
    room = Path(thrombokit.study.templates.guide.__file__).parent
    imported = {
        node.module
        for file in room.glob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module
    }
    own = {module for module in imported if module.startswith("thrombokit")}
    assert own
    assert all(module.startswith(allowed) for module in own), own
    assert not {module for module in imported if module.startswith("scipy")}
