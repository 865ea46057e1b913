"""Histograms of a marker tube by tube: over the bins of the group, gated, and complete."""

from __future__ import annotations

import numpy as np
import pytest

from thrombokit.cells.analyse import analyse_samples
from thrombokit.cells.dose_histograms import dose_histograms
from thrombokit.cells.result import CellsResult
from thrombokit.cells.tubes import Tube, TubeKind
from thrombokit.study.templates.guide_cells import guide_tubes


@pytest.fixture(scope="module")
def tubes() -> tuple[Tube, ...]:
    made = [tube.to_tube() for tube in guide_tubes(5_101)]
    donor = made[0].donor
    return tuple(tube for tube in made if tube.donor == donor and tube.panel.name == "surface")


@pytest.fixture(scope="module")
def result(tubes: tuple[Tube, ...]) -> CellsResult:
    return analyse_samples(tubes)


def test_every_stained_tube_has_a_histogram_of_its_analysed_cells(tubes: tuple[Tube, ...], result: CellsResult) -> None:
    ((pooled, histograms),) = dose_histograms(tubes, result, "CD41").values()
    stained = [tube for tube in tubes if tube.kind is TubeKind.FULL]
    assert [one.tube for one in histograms] == [tube.name for tube in stained]
    analysed = dict(result.quality.select("tube", "analysed").iter_rows())
    removed = dict(result.quality.select("tube", "removed_time").iter_rows())
    for one in histograms:
        assert one.counts.size == pooled.edges.size - 1
        assert 0 <= one.counts.sum() - analysed[one.tube] <= removed[one.tube], "windows of time are not cut"


def test_more_cells_lie_above_the_threshold_with_the_positive_control(tubes: tuple[Tube, ...], result: CellsResult) -> None:
    ((pooled, histograms),) = dose_histograms(tubes, result, "CD41").values()
    assert pooled.threshold is not None
    above = pooled.edges[1:] > pooled.threshold
    share = {one.role: float(one.counts[above].sum() / one.counts.sum()) for one in histograms}
    assert share["positive_control"] > share["vehicle"] + 0.2


def test_an_unknown_marker_gives_nothing_and_counts_cannot_be_written_to(tubes: tuple[Tube, ...], result: CellsResult) -> None:
    assert dose_histograms(tubes, result, "CD99") == {}
    ((_, histograms),) = dose_histograms(tubes, result, "CD41").values()
    with pytest.raises(ValueError, match="read-only"):
        histograms[0].counts[0] = 1
    assert all(one.counts.dtype == np.int64 for one in histograms)
