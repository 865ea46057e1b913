"""Mixed models where the answer is known exactly: balanced designs, whose t tests are those of the textbook."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thrombokit.numerics.mixed_model import fit_mixed
from thrombokit.numerics.outcome import Outcome


def one_way(seed: int, groups: int = 6, size: int = 4, between: float = 2.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(groups), size)
    return 10.0 + between * rng.standard_normal(groups)[group] + rng.standard_normal(group.size), group


@pytest.mark.parametrize("seed", range(4))
def test_a_balanced_one_way_design_gives_the_t_interval_of_the_group_means(seed: int) -> None:
    y, group = one_way(seed)
    ones = np.ones((y.size, 1))
    fit = fit_mixed(y, ones, ones, group)
    means = y.reshape(6, 4).mean(axis=1)
    within = y.reshape(6, 4).var(axis=1, ddof=1).mean()
    assert fit.outcome is Outcome.CONVERGED
    assert fit.beta[0] == pytest.approx(means.mean(), rel=1e-9)
    assert fit.covariance[0, 0] == pytest.approx(means.var(ddof=1) / 6, rel=1e-5)
    assert fit.degrees[0] == pytest.approx(5.0, rel=1e-4)
    assert fit.residual_variance == pytest.approx(within, rel=1e-5)
    assert fit.random_variance[0] == pytest.approx(means.var(ddof=1) - within / 4, rel=1e-4)
    assert fit.cluster_covariance()[0, 0] == pytest.approx(means.var(ddof=1) / 6, rel=1e-9)


def test_a_balanced_split_plot_has_the_degrees_of_freedom_of_its_strata() -> None:
    """A treatment of whole groups is judged between groups, one within groups against the residual."""
    rng = np.random.default_rng(11)
    group, within = np.repeat(np.arange(8), 6), np.tile(np.repeat([-0.5, 0.5], 3), 8)
    whole = np.where(group < 4, -0.5, 0.5)
    y = whole + within + 1.5 * rng.standard_normal(8)[group] + 0.5 * rng.standard_normal(48)
    fit = fit_mixed(y, np.column_stack([np.ones(48), whole, within]), np.ones((48, 1)), group)
    assert fit.degrees == pytest.approx([6.0, 6.0, 48 - 8 - 1], rel=1e-3)
    means = y.reshape(8, 6).mean(axis=1)
    pooled = (means[:4].var(ddof=1) + means[4:].var(ddof=1)) / 2
    assert fit.covariance[1, 1] == pytest.approx(pooled * 2 / 4, rel=1e-4)


def test_groups_that_do_not_differ_give_a_variance_of_zero() -> None:
    y = np.tile([1.0, 2.0, 3.0, 4.0], 5)
    ones = np.ones((20, 1))
    fit = fit_mixed(y, ones, ones, np.repeat(np.arange(5), 4))
    assert fit.outcome is Outcome.AT_BOUND
    assert fit.random_variance[0] == 0.0
    assert np.all(fit.effects == 0.0)
    assert fit.covariance[0, 0] == pytest.approx(y.var(ddof=1) / 20, rel=1e-9)


@given(st.floats(0.1, 1e3), st.floats(-1e3, 1e3), st.integers(0, 50))
def test_scale_and_origin_of_the_response_pass_through(factor: float, origin: float, seed: int) -> None:
    y, group = one_way(seed)
    ones = np.ones((y.size, 1))
    fit, moved = fit_mixed(y, ones, ones, group), fit_mixed(factor * y + origin, ones, ones, group)
    assert moved.beta[0] == pytest.approx(factor * fit.beta[0] + origin, rel=1e-6, abs=1e-6)
    assert np.sqrt(moved.random_variance[0]) == pytest.approx(factor * np.sqrt(fit.random_variance[0]), rel=1e-3, abs=1e-4 * factor)


def test_a_weight_of_two_is_a_point_told_twice_over() -> None:
    """Averages of two wells with weight 2 lead to the same centre as the wells themselves."""
    y, group = one_way(3)
    ones = np.ones((y.size, 1))
    half = y.reshape(-1, 2).mean(axis=1)
    fit = fit_mixed(y, ones, ones, group)
    short = fit_mixed(half, np.ones((half.size, 1)), np.ones((half.size, 1)), group[::2], weight=np.full(half.size, 2.0))
    assert short.beta[0] == pytest.approx(fit.beta[0], rel=1e-9)


def test_pulls_of_the_groups_sum_to_zero_and_starts_do_not_matter() -> None:
    rng = np.random.default_rng(2)
    group, x = np.repeat(np.arange(7), 5), np.tile(np.linspace(0, 1, 5), 7)
    design = np.column_stack([np.ones(35), x])
    y = (
        design @ [1.0, 2.0]
        + rng.standard_normal(7)[group]
        + 0.7 * rng.standard_normal(7)[group] * x
        + 0.3 * rng.standard_normal(35)
    )
    fit = fit_mixed(y, design, design, group)
    np.testing.assert_allclose(fit.scores.sum(axis=0), 0.0, atol=1e-9)
    again = fit_mixed(y, design, design, group, start=np.array([30.0, 30.0]))
    assert again.minus_two_reml == pytest.approx(fit.minus_two_reml, abs=1e-6)
    np.testing.assert_allclose(again.random_variance, fit.random_variance, rtol=1e-3)


def test_a_response_that_is_not_finite_is_told_by_the_outcome() -> None:
    y, group = one_way(0)
    y[3] = np.nan
    ones = np.ones((y.size, 1))
    assert fit_mixed(y, ones, ones, group).outcome is Outcome.NOT_FINITE
