"""fit_ploidy on tubes whose truth is known, and the laws it must keep."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thrombokit.cells.ploidy import class_medians, class_probabilities, fit_ploidy
from thrombokit.domain.ploidy import CLASSES
from thrombokit.errors import InputError

ADULT = (0.12, 0.20, 0.28, 0.25, 0.12, 0.03)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"exponent": 0.95, "population": ADULT},
        {"tail": "student", "debris": 0.15, "debris_shape": "power"},
        {"tail": "skewed", "s_shape": "late", "cv": 0.07},
        {"tail": "contaminated", "debris": 0.15, "debris_shape": "cut", "doublets": 0.06},
        {"debris": 0.0, "doublets": 0.0, "s_phase": 0.0},
    ],
)
def test_shares_are_near_the_truth(tube: Callable, recipe: type, change: dict) -> None:
    made = tube(11, recipe=recipe(**change))
    found = fit_ploidy(made.signal, reference_2n=10_000.0)
    assert found.verdict == "fit"
    assert 100 * np.mean(np.abs(found.fractions - made.realised)) < 0.5
    assert found.mean_ploidy == pytest.approx(made.realised_mean_ploidy, rel=0.03)
    assert found.ge8N == pytest.approx(made.realised[2:].sum(), abs=0.012)
    mode = 10_000.0 * (1 - 0.33 * 0.07 if change.get("tail") == "skewed" else 1)
    assert found.g1_peak == pytest.approx(mode, rel=0.01)
    assert found.fractions.sum() == pytest.approx(1.0, abs=1e-12)
    assert np.all((found.low >= 0) & (found.low <= found.fractions) & (found.fractions <= found.high) & (found.high <= 1))
    assert 0.5 < found.chi_square_per_df < 1.6


def test_parts_of_the_tube_are_found(tube: Callable, recipe: type) -> None:
    made = tube(12, recipe=recipe(exponent=0.96, doublets=0.06, s_phase=0.15))
    found = fit_ploidy(made.signal, reference_2n=10_000.0)
    assert found.doublets == pytest.approx(0.06, abs=0.02)
    assert found.s_phase == pytest.approx(0.15, abs=0.03)
    assert found.exponent == pytest.approx(0.96, abs=0.01)
    assert found.g1_cv == pytest.approx(0.05 * np.sqrt(1.1), rel=0.1)
    assert [peak.series for peak in found.peaks] == [0] * 6


def test_s_cells_count_where_it_is_said(tube: Callable) -> None:
    made = tube(13)
    lower, upper, excluded = (fit_ploidy(made.signal, s_assignment=a) for a in ("lower", "upper", "excluded"))
    assert lower.fractions[0] > excluded.fractions[0] > upper.fractions[0]
    assert upper.mean_ploidy > lower.mean_ploidy
    assert (lower.s_assignment, upper.s_assignment) == ("lower", "upper")
    assert lower.s_phase == upper.s_phase


def test_cells_above_64N_count_in_the_highest_class(tube: Callable, recipe: type) -> None:
    made = tube(14, recipe=recipe(population=(0.3, 0.2, 0.2, 0.1, 0.1, 0.06, 0.04), doublets=0.0))
    assert fit_ploidy(made.signal).fractions[5] == pytest.approx(0.10, abs=0.01)


@settings(max_examples=8)
@given(st.floats(-9.0, 9.0))
def test_units_do_not_matter(exponent: float) -> None:
    from_one = np.exp(np.random.default_rng(5).normal(0.0, 0.05, 900)) * np.repeat([1.0, 2.0, 4.0], 300)
    unit = 10.0**exponent
    plain, scaled = fit_ploidy(1000.0 * from_one), fit_ploidy(1000.0 * from_one * unit)
    assert scaled.g1_peak / unit == pytest.approx(plain.g1_peak, rel=1e-3)
    assert scaled.fractions == pytest.approx(plain.fractions, abs=2e-3)


def test_order_does_not_matter_and_the_answer_repeats(tube: Callable) -> None:
    made = tube(15, 4_000)
    first, again, sorted_ = (fit_ploidy(x).to_dict() for x in (made.signal, made.signal, np.sort(made.signal)))
    assert first == again == sorted_


def test_an_internal_standard_is_a_series_of_its_own(tube: Callable, recipe: type) -> None:
    made = tube(16, 10_000, recipe(population=(0.9, 0.1), doublets=0.0))
    standard = np.random.default_rng(1).normal(13_700.0, 400.0, 3_000)
    found = fit_ploidy(np.concatenate([made.signal, standard]))
    other = [peak for peak in found.peaks if peak.series > 0]
    assert len(other) == 1
    assert other[0].position == pytest.approx(13_700.0, rel=0.005)
    assert other[0].cv == pytest.approx(400 / 13_700, rel=0.15)
    assert found.fractions[:2] == pytest.approx(made.realised[:2], abs=0.01)
    assert any("another series" in warning for warning in found.warnings)


def test_the_octave_comes_from_the_reference(tube: Callable, recipe: type) -> None:
    made = tube(17, recipe=recipe(population=(0.0, 0.0, 0.5, 0.3, 0.15, 0.05)))
    alone, placed = fit_ploidy(made.signal), fit_ploidy(made.signal, reference_2n=10_100.0)
    assert alone.verdict == "octave_assumed"
    assert "4N/8N/16N" in alone.message
    assert alone.fractions[0] == pytest.approx(0.5, abs=0.03)
    assert placed.verdict == "no_2n_peak"
    assert placed.fractions[2] == pytest.approx(0.5, abs=0.03)


def test_integer_channels_do_not_beat(tube: Callable) -> None:
    made = tube(18)
    plain, coarse = fit_ploidy(made.signal), fit_ploidy(np.floor(made.signal / 150.0))
    assert coarse.fractions == pytest.approx(plain.fractions, abs=0.006)


def test_json_and_attributes_agree(tube: Callable) -> None:
    found = fit_ploidy(tube(19, 3_000).signal)
    document = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert document["schema"] == "thrombokit.ploidy/1"
    assert list(document["fractions"]) == list(CLASSES)
    assert document["fractions"]["8N"] == {"estimate": found.fractions[2], "low": found.low[2], "high": found.high[2]}
    for key in ("mean_ploidy", "ge8N", "g1_peak", "g1_cv", "exponent", "s_phase", "debris", "doublets", "verdict", "s_assignment"):
        assert document[key] == getattr(found, key)
    assert [peak["position"] for peak in document["peaks"]] == [peak.position for peak in found.peaks]
    assert "Mean ploidy" in found.summary()
    assert found.table().height == 6


def test_the_histogram_holds_all_that_was_fitted(tube: Callable) -> None:
    found = fit_ploidy(tube(20).signal)
    histogram = found.histogram
    assert histogram is not None
    assert histogram.counts.sum() == pytest.approx(histogram.expected.sum(), rel=0.01)
    table = histogram.table()
    assert table.columns == ["signal_low", "signal_high", "events", *CLASSES, "debris", "doublets", "other series"]


def test_events_are_given_to_classes_by_probability(tube: Callable) -> None:
    made = tube(21)
    found = fit_ploidy(made.signal)
    probability = class_probabilities(made.signal, found)
    assert probability.shape == (made.signal.size, 6)
    assert np.all(probability >= 0)
    assert np.all(probability.sum(axis=1) <= 1 + 1e-9)
    assert probability.sum(axis=0) / probability.sum() == pytest.approx(found.fractions, abs=0.01)
    at_peaks = class_probabilities(10_000.0 * 2.0 ** np.arange(6), found)
    assert np.argmax(at_peaks, axis=1).tolist() == [0, 1, 2, 3, 4, 5]
    marker = np.log2(made.signal)
    assert np.all(np.diff(class_medians(made.signal, marker, found)) > 0.5)


def test_classes_need_a_histogram() -> None:
    with pytest.raises(ValueError, match="at least 200"):
        class_probabilities(np.ones(3), fit_ploidy(np.ones(20)))


def test_what_is_no_signal_is_refused() -> None:
    with pytest.raises(InputError, match=r"dna_signal, event 3: found nan \(1 such values in all\); expected finite numbers"):
        fit_ploidy(np.array([1.0, 2.0, np.nan]))
    with pytest.raises(InputError, match=r"an array of shape \(2, 2\); expected one value per event"):
        fit_ploidy(np.ones((2, 2)))
    with pytest.raises(InputError, match="reference_2n: found -3"):
        fit_ploidy(np.ones(300), reference_2n=-3.0)
