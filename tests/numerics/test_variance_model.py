"""sigma0 and phi from replicates and residuals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thrombokit.numerics.collapse import DoseMeans, collapse
from thrombokit.numerics.variance_model import VarianceModel, estimate_variance

N_CURVES, N_DOSES, REPLICATES = 60, 8, 3


def simulated(sigma0: float, phi: float, seed: int, *, scale: float = 1.0) -> tuple[DoseMeans, np.ndarray]:
    """Dose means of curves whose true mean runs from 20 to 1,000, and that mean."""
    rng = np.random.default_rng(seed)
    x = np.tile(np.repeat(np.arange(N_DOSES, dtype=float), REPLICATES), N_CURVES)
    mean = scale * (20.0 + 980.0 / (1.0 + np.exp(-1.5 * (x - 3.5))))
    y = mean + np.sqrt((scale * sigma0) ** 2 + (phi * mean) ** 2) * rng.standard_normal(x.size)
    starts = np.arange(N_CURVES + 1, dtype=np.int64) * N_DOSES * REPLICATES
    return collapse(x, y, np.ones_like(y), starts), mean[: N_DOSES * REPLICATES : REPLICATES]


def estimated(means: DoseMeans, truth: np.ndarray, chosen: np.ndarray | None = None) -> VarianceModel:
    everyone = np.ones(N_CURVES, dtype=np.bool_)
    return estimate_variance(means, np.tile(truth, N_CURVES), n_parameters=0, chosen=everyone if chosen is None else chosen)


@pytest.mark.parametrize("sigma0, phi", [(10.0, 0.0), (10.0, 0.08), (2.0, 0.12), (40.0, 0.02)])
def test_recovers_both_parts_within_sampling_error(sigma0: float, phi: float) -> None:
    """Over 12 data sets of 1,440 wells the mean lies within 5 standard errors (and 5 %) of the truth."""
    found = [estimated(*simulated(sigma0, phi, seed)) for seed in range(12)]
    for values, truth, floor in (([f.sigma0 for f in found], sigma0, 0.0), ([f.phi for f in found], phi, 0.012)):
        error = np.std(values, ddof=1) / np.sqrt(len(values))
        assert abs(np.mean(values) - truth) < max(5 * error, 0.05 * truth, floor)


def test_bright_wells_alone_do_not_hide_the_noise_of_dark_ones() -> None:
    model = estimated(*simulated(10.0, 0.08, 1))
    assert model.variance(np.array([0.0])) == pytest.approx([model.sigma0**2])
    assert model.variance(np.array([1000.0]))[0] == pytest.approx(model.sigma0**2 + (1000 * model.phi) ** 2)


@given(sigma0=st.floats(0.01, 100.0), phi=st.floats(0.0, 0.5), seed=st.integers(0, 1000), power=st.integers(-9, 9))
@settings(max_examples=25, deadline=None)
def test_never_negative_and_moves_with_the_unit_of_the_signal(sigma0: float, phi: float, seed: int, power: int) -> None:
    one = estimated(*simulated(sigma0, phi, seed))
    other = estimated(*simulated(sigma0, phi, seed, scale=10.0**power))
    assert one.sigma0 > 0
    assert one.phi >= 0
    assert other.sigma0 == pytest.approx(one.sigma0 * 10.0**power, rel=5e-3)
    assert other.phi == pytest.approx(one.phi, rel=5e-3, abs=1e-6)


def test_noise_in_proportion_alone_keeps_a_floor() -> None:
    """sigma0 stays at 1 % of the brightest mean's noise or more, so a well near zero never outweighs the plate."""
    means, truth = simulated(0.0, 0.1, 3)
    model = estimated(means, truth)
    assert model.sigma0 >= 0.0099 * model.phi * truth.max()


def test_curves_not_chosen_take_no_part() -> None:
    means, truth = simulated(10.0, 0.05, 4)
    spoilt = DoseMeans(
        x=means.x,
        mean=np.where(means.curve_index() < 5, means.mean * 40.0, means.mean),
        weight=means.weight,
        count=means.count,
        within_ss=np.where(means.curve_index() < 5, 1e9, means.within_ss),
        starts=means.starts,
    )
    chosen = np.arange(N_CURVES) >= 5
    assert estimated(spoilt, truth, chosen) == estimated(means, truth, chosen)


def test_without_any_scatter_the_weights_are_equal() -> None:
    means = collapse(np.array([0.0, 1.0]), np.array([1.0, 2.0]), np.ones(2), np.array([0, 2], np.int64))
    model = estimate_variance(means, np.array([1.0, 2.0]), n_parameters=0, chosen=np.array([True]))
    assert (model.sigma0, model.phi) == (1.0, 0.0)
    nobody = estimate_variance(means, np.array([1.0, 2.0]), n_parameters=0, chosen=np.array([False]))
    assert (nobody.sigma0, nobody.phi) == (1.0, 0.0)
