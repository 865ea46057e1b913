"""Spillover of flowCore's own example (compdata, Artistic-2.0): five files of one cytometer and the matrices flowCore takes from them.

`compref1` is the median of the decoded signal less the unstained tube's, over that of the dye's own channel; `comp_match` says which file
is which dye. `compref2` is what flowCore gives when files are taken in their order instead: the rows of FL3 and FL4 change places. `compref3`
and `compref4` are not medians of these tubes; ungated density modes come near them (within 0.06), so they probably are modes of gated
events, a statistic that we do not offer.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from thrombokit.cells.compensation import compute_spillover, fit_spillover
from thrombokit.cells.sample import Sample
from thrombokit.io.fcs import read_fcs
from thrombokit.io.spillover_tables import read_spillover_table


@pytest.fixture(scope="module")
def folder(reference_data: Path) -> Path:
    return reference_data / "fcs/flowcore_compdata"


@pytest.fixture(scope="module")
def tubes(folder: Path) -> tuple[dict[str, Sample], Sample]:
    lines = [line.split(",") for line in (folder / "comp_match").read_text().split()[1:]]
    files = {channel: read_fcs(folder / "data" / name) for name, channel in lines}
    return {channel: sample for channel, sample in files.items() if channel != "unstained"}, files["unstained"]


def test_compref1_to_twelve_digits(folder: Path, tubes: tuple[dict[str, Sample], Sample]) -> None:
    expected = read_spillover_table(folder / "compref1")
    found = compute_spillover(*tubes)
    assert found.channels == expected.channels == ("FL1-H", "FL2-H", "FL3-H", "FL4-H")
    np.testing.assert_allclose(found.matrix, expected.matrix, rtol=0.0, atol=1e-12)


def test_compref2_is_the_same_with_two_rows_in_each_other_s_place(folder: Path, tubes: tuple[dict[str, Sample], Sample]) -> None:
    swapped = read_spillover_table(folder / "compref2").matrix[[0, 1, 3, 2]]
    np.testing.assert_allclose(compute_spillover(*tubes).matrix, swapped, rtol=0.0, atol=1e-12)


def test_the_matrix_set_at_the_cytometer_is_near(folder: Path, tubes: tuple[dict[str, Sample], Sample]) -> None:
    """An operator's matrix of that day, in FlowJo's older text form, with two digits: the same within 0.03."""
    by_hand = read_spillover_table(folder / "compmatrix")
    assert by_hand.channels == ("FL1-H", "FL2-H", "FL3-H", "FL4-H")
    assert np.abs(compute_spillover(*tubes).matrix - by_hand.matrix).max() < 0.03


def test_grouped_slope_agrees_where_the_tubes_stain_as_one(tubes: tuple[dict[str, Sample], Sample]) -> None:
    """FL1, FL2 and FL4 within 2 % (or 0.001) of the medians; 7-AAD (FL3) stains dead and dying cells differently, and differs."""
    medians, slopes = compute_spillover(*tubes).matrix, compute_spillover(*tubes, statistic="grouped_slope").matrix
    for row in (0, 1, 3):
        np.testing.assert_allclose(slopes[row], medians[row], rtol=0.02, atol=0.001)
    assert abs(slopes[2, 3] - medians[2, 3]) > 0.05


def test_events_at_the_top_are_told(tubes: tuple[dict[str, Sample], Sample]) -> None:
    assert fit_spillover(*tubes).notes == (
        "060909.004 (single stain of FL4-H), channel FL4-H: 7 of 10000 events at the top of the scale.",
    )
