"""Every verdict, its message, and that a number comes with it only where it is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from thrombokit.cells.ploidy import fit_ploidy


@pytest.mark.parametrize("signal", [np.array([]), np.full(150, 7.0), -np.ones(5_000), np.zeros(5_000)])
def test_too_few_cells(signal: np.ndarray) -> None:
    found = fit_ploidy(signal)
    assert found.verdict == "too_few_cells"
    assert not found.is_known
    assert np.isnan(found.mean_ploidy)
    assert found.to_dict()["fractions"]["2N"] == {"estimate": None, "low": None, "high": None}
    assert "at least 200 are needed" in found.message
    assert found.summary().startswith("No ploidy:")


@pytest.mark.parametrize("seed", range(5))
def test_debris_alone_has_no_2n_peak(seed: int) -> None:
    found = fit_ploidy(np.random.default_rng(seed).exponential(100.0, 20_000))
    assert (found.verdict, found.is_known) == ("no_2n_peak", False)
    assert "diploid reference" in found.message


def test_one_value_is_no_histogram() -> None:
    assert fit_ploidy(np.full(1_000, 5.0)).verdict == "no_2n_peak"


def test_a_reference_far_from_every_peak(tube: Callable) -> None:
    cells = tube(30, 5_000).signal
    found = fit_ploidy(cells[cells > 8_000.0], reference_2n=14_000.0)
    assert (found.verdict, found.is_known) == ("no_2n_peak", False)
    assert "No peak stands at 2N (1.4e+04)" in found.message


def test_a_reference_somewhat_off_is_told(tube: Callable) -> None:
    found = fit_ploidy(tube(31).signal, reference_2n=11_000.0)
    assert found.verdict == "fit"
    assert any("more than 8 % from the reference's (1.1e+04)" in warning for warning in found.warnings)


def test_classes_beyond_the_scale_have_no_lower_limit(tube: Callable, recipe: type) -> None:
    made = tube(32, recipe=recipe(doublets=0.0))
    found = fit_ploidy(np.minimum(made.signal, 140_000.0), reference_2n=10_000.0)
    assert found.verdict == "saturated"
    assert "140000" in found.message
    assert "32N, 64N" in found.message
    assert found.fractions[:4] == pytest.approx(made.realised[:4], abs=0.012)
    assert found.fractions[4] == pytest.approx(made.realised[4:].sum(), abs=0.01)
    assert found.low[4:].tolist() == [0.0, 0.0]
    assert found.high[4] == found.high[5]


def test_a_pile_above_64n_is_only_told(tube: Callable) -> None:
    signal = np.concatenate([tube(33).signal, np.full(60, 1e6)])
    found = fit_ploidy(signal, reference_2n=10_000.0)
    assert found.verdict == "fit"
    assert any("60 events lie at the end of the scale" in warning for warning in found.warnings)


@pytest.mark.parametrize(
    "display", [np.log10, np.log, lambda x: np.arcsinh(x / 150), lambda x: np.floor(1024 * np.log10(x) / 6)],
    ids=["log10", "ln", "asinh", "channels"],
)  # fmt: skip
@pytest.mark.parametrize("n", [2_000, 20_000])
def test_display_values_are_refused(tube: Callable, display: Callable, n: int) -> None:
    found = fit_ploidy(display(tube(34, n).signal))
    assert (found.verdict, found.is_known) == ("display_transformed", False)
    assert "linear scale" in found.message


def test_linear_signals_are_not_taken_for_a_display(tube: Callable, recipe: type) -> None:
    populations = [(1.0,), (0.95, 0.05), (0.0, 0.4, 0.6), (0.0, 0.3, 0.7), (0.1, 0.2, 0.3, 0.2, 0.2)]
    for seed in range(4):
        for population in populations:
            made = tube(seed, 3_000, recipe(population=population, cv=0.025, doublets=0.08))
            assert fit_ploidy(made.signal).verdict != "display_transformed"


def test_an_exponent_outside_the_band_is_said(tube: Callable, recipe: type) -> None:
    made = tube(35, recipe=recipe(population=(0.6, 0.4), exponent=0.82, cv=0.07, doublets=0.0))
    found = fit_ploidy(made.signal)
    assert found.exponent == pytest.approx(0.82, abs=0.02)
    assert found.g1_peak == pytest.approx(10_000.0, rel=0.02)
    assert found.fractions[:2] == pytest.approx(made.realised[:2], abs=0.03)
    assert any("exponent is 0.8" in warning and "background or uneven staining" in warning for warning in found.warnings)
