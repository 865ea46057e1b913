"""Warning signs: told when there, silent when not."""

from __future__ import annotations

import numpy as np
import pytest

from thrombokit.cells.warning_signs import (
    WarningSettings,
    coated_progenitors,
    much_removed,
    one_chain_only,
    saturated,
    shed_cd42b,
    spill_left,
)

SETTINGS = WarningSettings()
N = 6000
Culture = tuple[dict[str, np.ndarray], dict[str, np.ndarray], np.ndarray]


def culture(*, coated: float = 0.0, shed: float = 0.0, spill: float = 0.0, without_cd61: float = 0.0) -> Culture:
    """A third CD34+, half mature; what is asked for goes wrong."""
    rng = np.random.default_rng(1)
    kind = rng.choice(3, N, p=[0.35, 0.5, 0.15])  # progenitor, mature, immature
    mature, lineage = kind == 1, kind > 0
    stuck = (kind == 0) & (rng.random(N) < coated)
    lost = mature & (rng.random(N) < shed)
    size = 12_000.0 * np.exp(0.15 * rng.standard_normal(N)) * np.where(mature, 2.2, 1.0)
    level = np.exp(0.4 * rng.standard_normal(N))
    single = lineage & (rng.random(N) < without_cd61)
    shine = {
        "CD34": np.where(kind == 0, 3000.0, 0.0) * level,
        "CD41": np.where(lineage, np.where(mature, 15_000.0, 6000.0), np.where(stuck, 1500.0, 0.0)) * level,
        "CD61": np.where(lineage & ~single, 7000.0, np.where(stuck, 700.0, 0.0)) * level,
        "CD42b": np.where((mature & ~lost) | stuck, 2500.0, 0.0) * level,
    }
    for values in shine.values():
        values += 60.0 * rng.standard_normal(N)
    positive = {marker: values > 300.0 for marker, values in shine.items()}
    shine["CD42b"] = shine["CD42b"] + spill * shine["CD34"]
    return positive, shine, size


def test_coated_progenitors_are_told_with_their_number() -> None:
    sign = coated_progenitors(*culture(coated=0.2), SETTINGS)
    assert sign is not None
    assert sign.value == pytest.approx(0.2, abs=0.03)
    assert "look coated with platelets" in sign.sentence
    assert coated_progenitors(*culture(), SETTINGS) is None


def test_shed_cd42b_is_told() -> None:
    positive, shine, _ = culture(shed=0.6)
    sign = shed_cd42b(positive, shine, SETTINGS)
    assert sign is not None
    assert sign.value == pytest.approx(0.6, abs=0.06)
    assert "CD42b may be shed" in sign.sentence
    positive, shine, _ = culture(shed=0.05)
    assert shed_cd42b(positive, shine, SETTINGS) is None


def test_one_chain_alone_is_told() -> None:
    sign = one_chain_only(culture(without_cd61=0.4)[0], SETTINGS)
    assert sign is not None
    assert "lack CD61" in sign.sentence
    assert one_chain_only(culture()[0], SETTINGS) is None


def test_saturated_detectors_are_told_by_name() -> None:
    signs = saturated({"FSC-A": 300, "SSC-A": 2}, 10_000, SETTINGS)
    assert [sign.subject for sign in signs] == ["FSC-A"]
    assert signs[0].sentence.startswith("FSC-A: 3.00 % of events at the top of the scale")


def test_a_step_that_takes_most_events_is_told() -> None:
    signs = much_removed({"debris": (1000, 700), "dead": (300, 30), "doublets": (10, 9)}, SETTINGS)
    assert [sign.sentence for sign in signs] == ["70 % of 1000 events are removed as debris: look at the gate before the numbers."]


@pytest.mark.parametrize(("spill", "words"), [(0.04, "too little is subtracted"), (-0.03, "too much is subtracted")])
def test_spill_that_is_left_is_measured(spill: float, words: str) -> None:
    positive, shine, size = culture(spill=spill)
    signs = spill_left(positive, shine, size, SETTINGS)
    assert [sign.subject for sign in signs] == ["CD34 in CD42b"]
    assert signs[0].value == pytest.approx(spill, abs=0.006)
    assert words in signs[0].sentence


def test_sound_compensation_is_not_told_nor_small_or_incomplete_panels() -> None:
    positive, shine, size = culture()
    assert spill_left(positive, shine, size, SETTINGS) == []
    assert coated_progenitors({}, {}, size, SETTINGS) is None
    assert shed_cd42b({}, {}, SETTINGS) is None
    assert one_chain_only({}, SETTINGS) is None
    few = {marker: values[:20] for marker, values in positive.items()}
    assert coated_progenitors(few, {m: v[:20] for m, v in shine.items()}, size[:20], SETTINGS) is None
