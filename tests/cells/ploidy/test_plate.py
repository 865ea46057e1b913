"""A plate fitted as one: shapes shared, wells that differ named, the answer the same on any number of processes."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest

from thrombokit.cells.ploidy import fit_ploidy
from thrombokit.cells.ploidy_plate import fit_ploidy_plate
from thrombokit.errors import InputError
from thrombokit.scale.engine import make_engine


@pytest.fixture(scope="module")
def wells(tube: Callable, recipe: type) -> list:
    rng = np.random.default_rng(8)
    return [
        tube(100 + i, 2_000, recipe(g1=10_000.0 * np.exp(rng.normal(0, 0.01)) * (1.15 if i == 7 else 1.0), exponent=0.97, tail="student"))
        for i in range(12)
    ]  # fmt: skip


def test_shared_shapes_bring_wells_nearer_to_the_truth(wells: list) -> None:
    plate = fit_ploidy_plate([w.signal for w in wells], reference_2n=10_000.0)
    together = np.mean([np.abs(p.fractions - w.realised) for p, w in zip(plate.wells, wells, strict=True)])
    alone = np.mean([np.abs(fit_ploidy(w.signal, reference_2n=10_000.0).fractions - w.realised) for w in wells])
    assert together < alone
    shared = {shape.parameter: shape for shape in plate.shared}
    assert np.exp(shared["ln_g1_peak"].mean) == pytest.approx(10_000.0, rel=0.01)
    assert shared["exponent"].mean == pytest.approx(0.97, abs=0.005)
    assert all(p.verdict == "fit" for p in plate.wells)


def test_a_well_that_departs_is_named(wells: list) -> None:
    plate = fit_ploidy_plate([w.signal for w in wells], names=[f"A{i + 1}" for i in range(12)])
    assert np.argmax(np.abs(plate.deviations[:, 0])) == 7
    assert len(plate.notes) == 1
    assert plate.notes[0].startswith("Well A8 departs from the plate in its 2N position by +")
    assert all(p.octave == "plate" for p in plate.wells)
    assert all("placed by the plate" in p.message for p in plate.wells)


def test_two_processes_give_the_same_answer(wells: list) -> None:
    signals = [w.signal for w in wells[:6]]
    one, two = fit_ploidy_plate(signals), fit_ploidy_plate(signals, engine=make_engine(2))
    assert one.to_dict() == two.to_dict()
    document = json.loads(json.dumps(one.to_dict(), allow_nan=False))
    assert document["schema"] == "thrombokit.plate_ploidy/1"
    assert [well["well"] for well in document["wells"]] == ["1", "2", "3", "4", "5", "6"]
    assert one.table().height == 36


def test_wells_that_cannot_be_fitted_keep_their_verdict(wells: list) -> None:
    plate = fit_ploidy_plate([wells[0].signal, np.ones(5), wells[1].signal])
    assert [p.verdict for p in plate.wells] == ["octave_assumed", "too_few_cells", "octave_assumed"]
    assert np.isnan(plate.deviations).all()
    assert plate.shared == ()


def test_all_bad_wells_are_named_in_one_pass() -> None:
    with pytest.raises(InputError) as caught:
        fit_ploidy_plate([np.array([np.nan]), np.ones(3), np.ones((2, 2))], names=["A1", "A2", "A3"])
    assert [fault.place for fault in caught.value.faults] == ["well A1, event 1", "well A3"]


def test_names_must_match() -> None:
    with pytest.raises(ValueError, match="1 names for 2 wells"):
        fit_ploidy_plate([np.ones(3), np.ones(3)], names=["A1"])
