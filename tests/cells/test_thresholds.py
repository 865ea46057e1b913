"""Thresholds: the rule that is used, where it lies, and that it holds for the negative cells of the stained tubes."""

from __future__ import annotations

import numpy as np
import pytest

from thrombokit.cells.thresholds import FMO, NO_RULE, UNSTAINED, VALLEY, Signals, Threshold, ThresholdSettings, fit_thresholds


def cells(rng: np.random.Generator, n: int, carrying: float, *, stained: bool) -> tuple[Signals, np.ndarray]:
    """Cells of which a share carries A and B together; B's light spreads into A's channel, and the own light grows with size."""
    both = rng.random(n) < carrying
    size = rng.normal(0.6, 0.06, n) + 0.05 * both
    spread = 0.02 * (1 + 3 * both)
    a = 0.1 + 0.3 * size + spread * rng.standard_normal(n) + (0.5 * both if stained else 0.0)
    b = 0.2 + 0.03 * rng.standard_normal(n) + 0.4 * both
    return Signals(size=size, shine={"A": a, "B": b}), both


def test_false_positives_hold_where_fmo_tubes_hold_other_cells() -> None:
    rng, rates, naive = np.random.default_rng(1), [], []
    for _ in range(12):
        stained, both = cells(rng, 15_000, 0.3, stained=True)
        fmo, _ = cells(rng, 15_000, 0.8, stained=False)
        found = fit_thresholds(stained, {"A": fmo}, None, ("A", "B"), ThresholdSettings())
        assert (found["A"].rule, found["B"].rule) == (FMO, VALLEY)
        rates.append(found["A"].is_above(stained)[~both].mean())
        naive.append((stained.shine["A"] > np.quantile(fmo.shine["A"], 0.995))[~both].mean())
    assert 0.003 < np.mean(rates) < 0.008
    assert np.mean(naive) < 0.0005


def test_the_rules_are_tried_in_order_and_say_why_not() -> None:
    rng = np.random.default_rng(2)
    stained, _ = cells(rng, 5000, 0.4, stained=True)
    few = Signals(size=stained.size[:100], shine={m: v[:100] for m, v in stained.shine.items()})
    found = fit_thresholds(stained, {"A": few}, None, ("A",), ThresholdSettings())["A"]
    assert found.rule == VALLEY
    assert found.reasons == ("FMO: 100 events, fewer than 400",)
    assert found.line is not None
    assert (found.line.low <= found.line.y).all()
    assert (found.line.y <= found.line.high).all()


def test_without_valley_the_unstained_cells_decide_and_without_them_nothing() -> None:
    rng = np.random.default_rng(3)
    dull, _ = cells(rng, 5000, 0.0, stained=True)
    unstained, _ = cells(rng, 5000, 0.0, stained=False)
    found = fit_thresholds(dull, {}, unstained, ("A",), ThresholdSettings())["A"]
    assert (found.rule, found.reasons) == (UNSTAINED, ("no FMO tube", "density valley: none that is deep enough"))
    assert found.is_above(unstained).mean() == pytest.approx(0.005, abs=0.002)
    none = fit_thresholds(dull, {}, None, ("A",), ThresholdSettings())["A"]
    assert none.rule == NO_RULE
    assert none.reasons[-1] == "no unstained tube"
    assert not none.is_above(dull).any()


def test_the_order_of_rules_can_be_changed() -> None:
    rng = np.random.default_rng(4)
    stained, _ = cells(rng, 5000, 0.4, stained=True)
    fmo, _ = cells(rng, 5000, 0.4, stained=False)
    settings = ThresholdSettings(rules=(VALLEY, FMO))
    assert fit_thresholds(stained, {"A": fmo}, None, ("A",), settings)["A"].rule == VALLEY


def test_same_input_same_line() -> None:
    def once() -> Threshold:
        rng = np.random.default_rng(5)
        stained, _ = cells(rng, 4000, 0.4, stained=True)
        return fit_thresholds(stained, {}, None, ("A",), ThresholdSettings())["A"]

    first, second = once().line, once().line
    assert first is not None
    assert second is not None
    for name in ("x", "y", "low", "high"):
        assert np.array_equal(getattr(first, name), getattr(second, name))
