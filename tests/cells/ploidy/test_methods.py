"""Windows and Dean-Jett-Fox, the named alternatives."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from thrombokit.cells.dean_jett_fox import HELD
from thrombokit.cells.ploidy import fit_ploidy
from thrombokit.cells.ploidy_model import DOUBLETS, EXPONENT
from thrombokit.cells.ploidy_windows import window_counts


def test_windows_cut_half_way_in_log2() -> None:
    root = np.sqrt(2.0)
    values = np.array([0.70, 0.72, 1.0, root * 0.99, root * 1.01, 2.0, 4.0, 40.0, 64.0, 500.0])
    assert window_counts(values, 1.0).tolist() == [3, 2, 1, 0, 0, 3]


def test_windows_count_and_do_not_model(tube: Callable) -> None:
    made = tube(40)
    found = fit_ploidy(made.signal, method="windows", reference_2n=10_000.0)
    assert (found.method, found.verdict) == ("windows", "fit")
    k = np.rint(np.log2(made.signal / 10_000.0))
    counts = np.bincount(np.minimum(k[k >= 0], 5).astype(int), minlength=6)
    assert found.fractions == pytest.approx(counts / counts.sum(), abs=0.002)
    assert np.isnan(found.s_phase)
    assert found.histogram is None
    assert any("count debris, doublets" in warning for warning in found.warnings)


def test_dean_jett_fox_holds_what_it_does_not_have(tube: Callable, recipe: type) -> None:
    assert (HELD[EXPONENT], HELD[DOUBLETS]) == (1.0, 0.0)
    made = tube(41, recipe=recipe(doublets=0.0, noise=0.0))
    found = fit_ploidy(made.signal, method="dean_jett_fox", reference_2n=10_000.0)
    assert (found.method, found.exponent, found.offset, found.doublets) == ("dean_jett_fox", 1.0, 0.0, 0.0)
    assert 100 * np.mean(np.abs(found.fractions - made.realised)) < 0.4


def test_the_model_is_nearer_than_both_where_tubes_are_dirty(tube: Callable, recipe: type) -> None:
    error = dict.fromkeys(("maximum_likelihood", "windows", "dean_jett_fox"), 0.0)
    for seed in range(5):
        made = tube(seed, recipe=recipe(tail="student", debris=0.15, debris_shape="cut", doublets=0.06))
        for method in error:
            found = fit_ploidy(made.signal, method=method, reference_2n=10_000.0)
            error[method] += float(np.mean(np.abs(found.fractions - made.realised)))
    assert error["maximum_likelihood"] < 0.5 * error["windows"]
    assert error["maximum_likelihood"] < error["dean_jett_fox"]


def test_a_verdict_without_shares_is_the_same_by_any_method() -> None:
    for method in ("windows", "dean_jett_fox"):
        found = fit_ploidy(np.ones(10), method=method)
        assert (found.verdict, found.method) == ("too_few_cells", method)
