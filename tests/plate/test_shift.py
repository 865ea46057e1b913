"""A map written in the wrong place is found out; a plate that is merely bad is not blamed on its map."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thrombokit.plate.layout import Layout
from thrombokit.plate.normalise import normalise
from thrombokit.plate.plate import Plate, Reading
from thrombokit.plate.quality import assess
from thrombokit.plate.shift import control_spread, shift_layout, suggest_shift, unread_wells

PlateOf = Callable[..., Plate]
STEP = st.integers(-2, 2)

INNER = """
    . .......... .
    . .......... .
    . .VPBVssss. .
    . .ssssVPBV. .
    . .ccccVPBV. .
    . .VPccccBP. .
    . .......... .
    . .......... .
"""
"""Two empty rings around the wells, so that a shift by two pushes nothing off the plate."""


def laid_out(plate: Plate, layout: Layout) -> Plate:
    return Plate(reading=plate.reading, layout=layout, name=plate.name, run=plate.run, cell_system=plate.cell_system)


def same(one: Layout, other: Layout) -> bool:
    grids = ("role", "agonist", "cell_system")
    return all(np.array_equal(getattr(one, g), getattr(other, g)) for g in grids) and np.array_equal(
        one.concentration_nM, other.concentration_nM, equal_nan=True
    )


@given(rows=STEP, columns=STEP)
@settings(max_examples=25, deadline=None)
def test_there_and_back_is_where_it_was(plate_of: PlateOf, rows: int, columns: int) -> None:
    layout = plate_of(INNER).layout
    inner = Layout(
        role=layout.role,
        agonist=layout.agonist,
        concentration_nM=layout.concentration_nM,
        cell_system=np.where(layout.role == "empty", "", layout.cell_system),
    )
    assert same(shift_layout(shift_layout(inner, rows, columns), -rows, -columns), inner)


@given(rows=STEP, columns=STEP)
@settings(max_examples=25, deadline=None)
def test_every_well_moves_by_as_much(plate_of: PlateOf, full_drawing: str, rows: int, columns: int) -> None:
    before = plate_of(full_drawing).layout
    after = shift_layout(before, rows, columns)
    n_rows, n_columns = before.shape
    for r in range(n_rows):
        for c in range(n_columns):
            inside = 0 <= r - rows < n_rows and 0 <= c - columns < n_columns
            assert after.role[r, c] == (before.role[r - rows, c - columns] if inside else "empty")
            assert after.agonist[r, c] == (before.agonist[r - rows, c - columns] if inside else "")


@pytest.mark.parametrize("rows, columns", [(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-2, 1), (2, 2)])
def test_a_map_in_the_wrong_place_is_told_to_move_back(plate_of: PlateOf, rows: int, columns: int) -> None:
    right = plate_of(INNER)
    wrong = laid_out(right, shift_layout(right.layout, rows, columns))
    found = suggest_shift(wrong)
    assert found is not None
    assert (found.rows, found.columns) == (-rows, -columns)
    assert found.cv_shifted < 0.05 < found.cv_now
    said = found.sentence()
    for amount, words in ((rows, ("down", "up")), (columns, ("right", "left"))):
        direction = words[0] if amount < 0 else words[1]
        assert (f" {direction}" in said) == (amount != 0)
    quality = assess(normalise(wrong))
    assert quality.status == "fail"
    assert quality.suggestion == said
    assert said.endswith("; correct the wells of the map"), "a map that names its wells has no origin to move"


def test_the_sentence_names_the_origin_to_try(plate_of: PlateOf) -> None:
    """A map read from A1 that lies one row too low and one column too far right belongs at B2."""
    right = plate_of(INNER)
    moved = shift_layout(right.layout, 1, 1)
    wrong = Layout(
        role=moved.role, agonist=moved.agonist, concentration_nM=moved.concentration_nM, cell_system=moved.cell_system, origin="A1"
    )
    found = suggest_shift(laid_out(right, wrong))
    assert found is not None
    assert found.origin == "B2"
    falls = f"falls from {100 * found.cv_now:.0f} % to {100 * found.cv_shifted:.1f} %"
    said = f"the map looks shifted: moved 1 row up and 1 column left the controls' spread {falls}"
    assert found.sentence().startswith(said)
    assert found.sentence().endswith('; try map_origin = "B2"')


def test_an_origin_beyond_the_sheet_is_not_suggested(plate_of: PlateOf) -> None:
    right = plate_of(INNER)
    moved = shift_layout(right.layout, -1, 0)
    wrong = Layout(
        role=moved.role, agonist=moved.agonist, concentration_nM=moved.concentration_nM, cell_system=moved.cell_system, origin="A1"
    )
    found = suggest_shift(laid_out(right, wrong))
    assert found is not None
    assert found.origin == ""


@pytest.mark.parametrize("seed", range(10))
def test_a_plate_that_is_merely_bad_is_not_blamed_on_its_map(plate_of: PlateOf, seed: int) -> None:
    quality = assess(normalise(plate_of(INNER, cv=0.6, seed=seed)))
    assert quality.status == "fail"
    assert quality.suggestion == ""


def test_a_good_plate_is_not_moved(plate_of: PlateOf) -> None:
    assert suggest_shift(plate_of(INNER)) is None


def test_no_suggestion_that_loses_wells_of_the_map(plate_of: PlateOf, full_drawing: str) -> None:
    """The full plate's rows of agonist fill rows B to F and columns 2 to 11: nothing may be pushed off."""
    right = plate_of(full_drawing)
    wrong = laid_out(right, shift_layout(right.layout, 1, 0))
    found = suggest_shift(wrong)
    if found is not None:
        kept = shift_layout(wrong.layout, found.rows, found.columns)
        assert np.sum(kept.agonist != "") == np.sum(wrong.layout.agonist != "")


def test_spread_by_hand() -> None:
    """Vehicle 90, 110 and rhTPO 900, 1000, 1100: squares 2 x 0.1^2 + 2 x 0.1^2 over 1 + 2 degrees of freedom."""
    role = np.array([["vehicle", "vehicle", "positive_control", "positive_control", "positive_control", "empty"]], object)
    none = np.full((1, 6), "", object)
    layout = Layout(role=role, agonist=none, concentration_nM=np.full((1, 6), np.nan), cell_system=none)
    signal = np.array([[90.0, 110.0, 900.0, 1000.0, 1100.0, np.nan]])
    plate = Plate(reading=Reading(name="p", signal=signal, source="p", reader="memory"), layout=layout, name="p", run="1")
    assert control_spread(plate, layout) == pytest.approx(np.sqrt(0.04 / 3))
    assert unread_wells(plate, layout) == 0
    fewer = Layout(
        role=np.where(role == "vehicle", "empty", role), agonist=none, concentration_nM=np.full((1, 6), np.nan), cell_system=none
    )
    assert np.isnan(control_spread(plate, fewer))
