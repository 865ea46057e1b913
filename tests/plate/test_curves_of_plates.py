"""Which wells make a curve."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl

from thrombokit.plate.curves import CurveKey, curves_of
from thrombokit.plate.layout import Layout
from thrombokit.plate.normalise import normalise
from thrombokit.plate.plate import Plate

PlateOf = Callable[..., Plate]


def found_in(plate: Plate) -> dict[tuple[str, str], tuple[CurveKey, pl.DataFrame]]:
    return {(key.agonist, key.cell_system): (key, points) for key, points in curves_of(normalise(plate))}


def test_one_curve_an_agonist_with_the_vehicle_as_dose_zero(plate_of: PlateOf) -> None:
    plate = plate_of(cv=0.0)
    found = found_in(plate)
    assert set(found) == {("agonist-1", "32D-MPL"), ("agonist-2", "32D-MPL"), ("reference-1", "32D-MPL")}
    key, points = found["reference-1", "32D-MPL"]
    assert key == CurveKey(plate="plate-1", agonist="reference-1", cell_system="32D-MPL", run="run 1", hours=72.0)
    zero = points.filter(pl.col("concentration_nM") == 0)
    assert zero.height == int(np.sum(plate.layout.role == "vehicle"))
    assert zero["response"].unique().to_list() == [9_500.0], "blank-corrected"
    assert points.height - zero.height == 20


def test_day_zero_plates_give_none(plate_of: PlateOf) -> None:
    assert curves_of(normalise(plate_of(day0=True))) == []


def test_wells_of_other_roles_give_none(plate_of: PlateOf, full_drawing: str) -> None:
    drawing = full_drawing.replace(". VVPPBBVVPP .", "Q UU00IIVVPP Q")
    assert set(found_in(plate_of(drawing))) == set(found_in(plate_of(full_drawing)))


def test_excluded_wells_and_wells_without_a_dose_are_left_out(plate_of: PlateOf) -> None:
    plain = plate_of()
    dose = plain.layout.concentration_nM.copy()
    r, c = np.argwhere(plain.layout.agonist == "agonist-2")[0]
    dose[r, c] = np.nan
    layout = Layout(
        role=plain.layout.role, agonist=plain.layout.agonist, concentration_nM=dose, cell_system=plain.layout.cell_system
    )
    plate = Plate(
        reading=plain.reading, layout=layout, name="p", run="1", cell_system="32D-MPL", excluded={"B02": "bubble", "A02": "edge"}
    )
    found = found_in(plate)
    n_vehicle = int(np.sum(plain.layout.role == "vehicle")) - 1
    assert plain.layout.agonist[1, 1] == "agonist-1"
    assert plain.layout.role[0, 1] == "vehicle"
    assert found["agonist-1", "32D-MPL"][1].height == n_vehicle + 19
    assert found["agonist-2", "32D-MPL"][1].height == n_vehicle + 9


def with_positive_doses(plain: Plate, doses: list[float]) -> Plate:
    dose = plain.layout.concentration_nM.copy()
    positive = tuple(np.argwhere(plain.layout.role == "positive_control").T)
    dose[positive] = np.resize(doses, positive[0].size)
    layout = Layout(
        role=plain.layout.role, agonist=plain.layout.agonist, concentration_nM=dose, cell_system=plain.layout.cell_system
    )
    return Plate(reading=plain.reading, layout=layout, name="p", run="1", cell_system="32D-MPL")


def test_a_positive_control_at_four_doses_is_a_curve_too(plate_of: PlateOf) -> None:
    plain = plate_of()
    assert ("rhTPO", "32D-MPL") not in found_in(with_positive_doses(plain, [1.0, 3.0, 10.0]))
    key, points = found_in(with_positive_doses(plain, [1.0, 3.0, 10.0, 30.0]))["rhTPO", "32D-MPL"]
    assert not key.counter_screen
    assert points["concentration_nM"].unique().sort().to_list() == [0.0, 1.0, 3.0, 10.0, 30.0]


def test_a_counter_screen_on_other_cells_is_a_curve_of_its_own(plate_of: PlateOf, full_drawing: str) -> None:
    plain = plate_of(full_drawing.replace("V tttttttttt P", "V xxxxxxxxxx P"))
    system = plain.layout.cell_system.copy()
    system[plain.layout.role == "counter_screen"] = "parental"
    layout = Layout(
        role=plain.layout.role,
        agonist=plain.layout.agonist,
        concentration_nM=plain.layout.concentration_nM,
        cell_system=system,
    )
    found = found_in(Plate(reading=plain.reading, layout=layout, name="p", run="1", cell_system="32D-MPL"))
    assert set(found) == {("agonist-1", "32D-MPL"), ("agonist-1", "parental"), ("reference-1", "32D-MPL")}
    key, points = found["agonist-1", "parental"]
    assert key.counter_screen
    assert points["concentration_nM"].min() > 0, "vehicle wells of other cells are no dose 0 of these"
    assert not found["agonist-1", "32D-MPL"][0].counter_screen
