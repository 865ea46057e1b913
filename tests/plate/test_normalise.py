"""Blanks, controls and percentages, with whatever was on the plate."""

from __future__ import annotations

import dataclasses
import pickle
from collections.abc import Callable

import numpy as np
import pytest

from thrombokit.plate.layout import Layout
from thrombokit.plate.normalise import OF_VEHICLE, SIGNAL, WINDOW, Level, level_of, normalise, wells_of
from thrombokit.plate.plate import Plate, Reading

PlateOf = Callable[..., Plate]


def without(drawing: str, *letters: str) -> str:
    for letter in letters:
        drawing = drawing.replace(letter, ".")
    return drawing


def test_window_of_rhtpo_over_vehicle(plate_of: PlateOf) -> None:
    plate = plate_of(cv=0.0)
    each = normalise(plate)
    assert (each.unit, each.blank) == (WINDOW, 500.0)
    assert each.vehicle == Level(mean=9_500.0, se=0.0, n=int(np.sum(plate.layout.role == "vehicle")))
    assert each.positive is not None
    assert each.positive.mean == 109_500.0
    assert each.percent(np.array([9_500.0, 109_500.0, 59_500.0])).tolist() == [0.0, 100.0, 50.0]
    assert each.corrected[plate.layout.role == "blank"].tolist() == [0.0] * int(np.sum(plate.layout.role == "blank"))


def test_without_blanks_nothing_is_subtracted(plate_of: PlateOf, full_drawing: str) -> None:
    each = normalise(plate_of(without(full_drawing, "B"), cv=0.0))
    assert each.blank is None
    assert (each.zero, each.full, each.unit) == (10_000.0, 110_000.0, WINDOW)


def test_without_rhtpo_the_response_is_over_vehicle(plate_of: PlateOf, full_drawing: str) -> None:
    each = normalise(plate_of(without(full_drawing, "P"), cv=0.0))
    assert (each.unit, each.positive) == (OF_VEHICLE, None)
    assert each.percent(19_000.0) == pytest.approx(200.0)


def test_without_vehicle_the_response_is_the_signal(plate_of: PlateOf, full_drawing: str) -> None:
    each = normalise(plate_of(without(full_drawing, "V"), cv=0.0))
    assert (each.unit, each.vehicle) == (SIGNAL, None)
    assert each.percent(109_500.0) == pytest.approx(109_500.0)
    assert each.percent_se(np.array(5.0), np.array(2.0)) == pytest.approx(2.0)


def test_a_plate_whose_controls_are_the_same_has_no_window(plate_of: PlateOf) -> None:
    each = normalise(plate_of(cv=0.0, levels={"P": 10_000.0}))
    assert each.unit == OF_VEHICLE


def test_excluded_and_unread_wells_take_no_part(plate_of: PlateOf, full_drawing: str) -> None:
    plain = plate_of(full_drawing, cv=0.0)
    signal = plain.reading.signal.copy()
    vehicle = np.argwhere(plain.layout.role == "vehicle")
    wild, unread = tuple(vehicle[0]), tuple(np.argwhere(plain.layout.role == "positive_control")[0])
    signal[wild], signal[unread] = 1e9, np.nan
    reading = Reading(name="p", signal=signal, source="p", reader="memory")
    name = f"{chr(65 + wild[0])}{wild[1] + 1:02d}"
    plate = Plate(reading=reading, layout=plain.layout, name="p", run="1", cell_system="32D-MPL", excluded={name: "bubble"})
    each = normalise(plate)
    assert each.vehicle is not None
    assert (each.vehicle.mean, each.vehicle.n) == (9_500.0, len(vehicle) - 1)
    assert each.positive is not None
    assert each.positive.n == int(np.sum(plain.layout.role == "positive_control")) - 1
    assert not each.used[wild]
    assert not each.used[unread]
    wells = wells_of(plate)
    row = wells.filter(well=name).row(0, named=True)
    assert (row["excluded"], row["reason"], row["signal"]) == (True, "bubble", 1e9), "an excluded well stays in the table"
    assert wells.filter(row=unread[0], column=unread[1])["signal"].to_list() == [None]
    assert wells.filter(excluded=True).height == 1


def test_wells_that_a_map_leaves_as_vehicle_count_only_where_they_were_read(plate_of: PlateOf) -> None:
    """Maps that give doses alone mean vehicle elsewhere; the unread rim of such a plate holds nothing."""
    signal = np.full((8, 12), 100.0)
    signal[0] = np.nan
    role = np.full((8, 12), "vehicle", object)
    blank = np.full((8, 12), "", object)
    layout = Layout(role=role, agonist=blank, concentration_nM=np.full((8, 12), np.nan), cell_system=blank)
    plate = Plate(reading=Reading(name="p", signal=signal, source="p", reader="memory"), layout=layout, name="p", run="1")
    each = normalise(plate)
    assert set(each.role[0]) == {"empty"}
    assert each.vehicle is not None
    assert each.vehicle.n == 84
    assert wells_of(plate).height == 84


def test_only_the_highest_dose_of_the_positive_control_is_a_hundred_percent(plate_of: PlateOf) -> None:
    plain = plate_of(cv=0.0)
    dose = plain.layout.concentration_nM.copy()
    positive = np.argwhere(plain.layout.role == "positive_control")
    dose[tuple(positive.T)] = 1.0
    dose[tuple(positive[:3].T)] = 10.0
    layout = Layout(
        role=plain.layout.role, agonist=plain.layout.agonist, concentration_nM=dose, cell_system=plain.layout.cell_system
    )
    each = normalise(Plate(reading=plain.reading, layout=layout, name="p", run="1"))
    assert each.positive is not None
    assert each.positive.n == 3


def test_percentages_carry_the_error_of_both_controls() -> None:
    """Monte Carlo: the spread of 100 (value - vehicle) / (rhTPO - vehicle) over 200,000 draws of all three."""
    rng = np.random.default_rng(1)
    empty = np.full((1, 1), "", object)
    layout = Layout(role=np.full((1, 1), "sample", object), agonist=empty, concentration_nM=np.ones((1, 1)), cell_system=empty)
    reading = Reading(name="p", signal=np.ones((1, 1)), source="p", reader="memory")
    each = normalise(Plate(reading=reading, layout=layout, name="p", run="1"))
    for full, value in ((11_000.0, 6_000.0), (3_000.0, 1_000.0), (3_000.0, 3_500.0)):
        vehicle, positive = Level(mean=1_000.0, se=30.0, n=8), Level(mean=full, se=90.0, n=8)
        window = _with(each, vehicle, positive, WINDOW)
        draws = {name: rng.normal(mean, se, 200_000) for name, mean, se in (("v", 1_000, 30), ("p", full, 90), ("y", value, 60))}
        spread = np.std(100 * (draws["y"] - draws["v"]) / (draws["p"] - draws["v"]))
        assert float(window.percent_se(np.array(value), np.array(60.0))) == pytest.approx(spread, rel=0.02)
        over = _with(each, vehicle, None, OF_VEHICLE)
        assert float(over.percent_se(np.array(value), np.array(60.0))) == pytest.approx(
            np.std(100 * draws["y"] / draws["v"]), rel=0.02
        )


def _with(each: object, vehicle: Level | None, positive: Level | None, unit: str) -> object:

    return dataclasses.replace(each, vehicle=vehicle, positive=positive, unit=unit)  # type: ignore[type-var]


def test_levels() -> None:
    assert level_of(np.array([])) is None
    one = level_of(np.array([3.0]))
    assert one is not None
    assert (one.mean, one.n) == (3.0, 1)
    assert np.isnan(one.se), "one well has no error of its own"
    two = level_of(np.array([1.0, 3.0]))
    assert two is not None
    assert two.se == pytest.approx(1.0)


def test_arrays_stay_read_only_after_unpickling(plate_of: PlateOf) -> None:
    copy = pickle.loads(pickle.dumps(normalise(plate_of())))
    for array in (copy.corrected, copy.plate.reading.signal, copy.plate.layout.role):
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 0


def test_shapes_must_agree(plate_of: PlateOf) -> None:
    plate = plate_of()
    with pytest.raises(ValueError, match=r"p: signal \(2, 3\) and layout \(8, 12\) differ in shape"):
        Plate(
            reading=Reading(name="p", signal=np.ones((2, 3)), source="p", reader="memory"), layout=plate.layout, name="p", run="1"
        )
    with pytest.raises(ValueError, match="layout arrays differ in shape"):
        Layout(
            role=plate.layout.role,
            agonist=plate.layout.agonist,
            concentration_nM=np.ones((2, 2)),
            cell_system=plate.layout.cell_system,
        )
