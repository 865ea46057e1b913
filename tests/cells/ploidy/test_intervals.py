"""Intervals of ploidy shares: what an empty class may hold, and what more cells do not tell."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from thrombokit.cells.ploidy import fit_ploidy, fit_tube, prepare_tube
from thrombokit.cells.ploidy_model import DOUBLETS, N_PEAKS
from thrombokit.cells.ploidy_prior import usual_prior
from thrombokit.cells.ploidy_shares import assignment_matrix, intervals, parameter_covariance, shape_doubt

LOW = (0.70, 0.20, 0.07, 0.03, 0.0, 0.0)


@pytest.mark.parametrize("variance", [1e-300, 1e-9, 1e-6])
@pytest.mark.parametrize("n", [200, 1_000, 20_000])
def test_a_class_not_met_may_hold_what_is_often_not_met(n: int, variance: float) -> None:
    """Of 3.7 cells expected none is met one time in forty: no variance, however small, may make the upper end lower."""
    low, high = intervals(np.array([0.0]), np.array([[variance]]), float(n))
    assert low[0] == 0.0
    assert high[0] >= 3.6 / n


def test_no_share_is_known_better_than_by_counting() -> None:
    low, high = intervals(np.array([0.3]), np.array([[1e-12]]), 1_000.0)
    assert high[0] - low[0] == pytest.approx(2 * 1.96 * np.sqrt(0.3 * 0.7 / 1_000), rel=0.02)


def test_classes_above_all_cells_keep_an_upper_end(tube: Callable, recipe: type) -> None:
    made = tube(11, 1_000, recipe(population=LOW, debris=0.0, doublets=0.0))
    found = fit_ploidy(made.signal, reference_2n=10_000.0)
    assert found.low[5] == 0.0
    assert 3.0 / 1_000 < found.high[5] < 13.0 / 1_000


def doubt_and_counting(tube: Callable, recipe: type, n: int) -> tuple[float, float]:
    """SD (points) of the share of 2N from doubtful shapes alone, and from all there is, in one dirty tube."""
    made = tube(12, n, recipe(debris=0.2, debris_shape="power", doublets=0.05, tail="student"))
    prepared = prepare_tube(made.signal, 10_000.0)
    fit = fit_tube(prepared, usual_prior(prepared.comb.g1))
    known, matrix = parameter_covariance(fit), assignment_matrix(fit.theta.size, "lower")
    found = fit_ploidy(made.signal, reference_2n=10_000.0)
    doubt = shape_doubt(fit, known, matrix)
    assert np.min(np.linalg.eigvalsh(doubt)) > -1e-12
    assert doubt.sum() == pytest.approx(0.0, abs=1e-9)  # what one class gains the others lose
    return 100 * float(np.sqrt(doubt[0, 0])), 100 * float(found.high[0] - found.low[0]) / 3.92


def test_doubt_of_shapes_does_not_shrink_with_cells(tube: Callable, recipe: type) -> None:
    doubt_few, wide = doubt_and_counting(tube, recipe, 5_000)
    doubt_many, narrow = doubt_and_counting(tube, recipe, 80_000)
    assert 0.4 < doubt_many / doubt_few < 2.5
    assert narrow < 0.6 * wide
    assert doubt_many < narrow


def test_where_pairs_meet_threes_do(tube: Callable, recipe: type) -> None:
    """Three 2N cells lie at 6N, where no doublet of 2N cells is."""
    made = tube(13, 20_000, recipe(population=(1.0, 0.0, 0.0, 0.0, 0.0, 0.0), doublets=0.10, debris=0.0, s_phase=0.0))
    prepared = prepare_tube(made.signal, 10_000.0)
    fit = fit_tube(prepared, usual_prior(prepared.comb.g1))
    edges, row = fit.histogram.edges, fit.lagged[2]
    middle = np.sqrt(edges[:-2] * edges[1:-1])
    at_6N = row[:-1][(middle > 26_000) & (middle < 34_000)].sum()
    cells = fit.expect()[2][:N_PEAKS].sum()
    assert at_6N == pytest.approx(2 / 3 * fit.theta[DOUBLETS] / cells, rel=0.25)
