"""Well names there and back."""

from __future__ import annotations

import pytest

from thrombokit.plate.wells import PLATE_SHAPES, parse_well, row_name, shape_that_holds, well_name


@pytest.mark.parametrize("shape", PLATE_SHAPES.values())
def test_every_well_has_one_name_and_the_name_leads_back(shape: tuple[int, int]) -> None:
    wells = [(r, c) for r in range(shape[0]) for c in range(shape[1])]
    names = [well_name(r, c) for r, c in wells]
    assert len(set(names)) == len(wells)
    assert [parse_well(name) for name in names] == wells
    assert [parse_well(f" {name[:-2].lower()}{int(name[-2:])} ") for name in names] == wells


def test_the_last_rows_of_a_1536_well_plate() -> None:
    assert (row_name(25), row_name(26), row_name(31)) == ("Z", "AA", "AF")
    assert parse_well("AF48") == (31, 47)


@pytest.mark.parametrize("text", ["", "A", "7", "A0", "AG1", "A49", "A1.5", "1A", "AAA1", "B-1", "A 1 2"])
def test_what_is_no_well(text: str) -> None:
    assert parse_well(text) is None


def test_the_smallest_plate_that_holds() -> None:
    assert shape_that_holds(8, 12) == (8, 12)
    assert shape_that_holds(9, 12) == (16, 24)
    assert shape_that_holds(16, 25) == (32, 48)
    assert shape_that_holds(33, 1) is None
