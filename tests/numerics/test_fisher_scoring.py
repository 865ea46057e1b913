"""Searches: exact on quadratics, held by bounds, stopped where there is nothing."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from thrombokit.numerics.arrays import Array, frozen
from thrombokit.numerics.fisher_scoring import Box, LocalModel, maximise
from thrombokit.numerics.outcome import Outcome

CURVED = np.array([[4.0, 1.0, 0.0], [1.0, 3.0, 0.5], [0.0, 0.5, 2.0]])


def box(n: int, low: float = -10.0, high: float = 10.0) -> Box:
    return Box(
        lower=frozen(np.full(n, low)),
        upper=frozen(np.full(n, high)),
        longest_step=frozen(np.full(n, 5.0)),
        free=frozen(np.ones(n), bool),
    )


def hill(top: Array, curved: Array = CURVED):  # type: ignore[no-untyped-def]
    def value(x: Array) -> float:
        return float(-0.5 * (x - top) @ curved @ (x - top))

    def linearise(x: Array) -> LocalModel:
        return LocalModel(value=value(x), gradient=frozen(-curved @ (x - top)), information=frozen(curved))

    return value, linearise


@given(top=st.lists(st.floats(-8, 8), min_size=3, max_size=3), start=st.lists(st.floats(-10, 10), min_size=3, max_size=3))
def test_the_top_of_a_quadratic(top: list[float], start: list[float]) -> None:
    found = maximise(*hill(np.array(top)), np.array(start), box(3), gain=1e-12)
    assert found.outcome is Outcome.CONVERGED
    np.testing.assert_allclose(found.point, top, atol=1e-4)


@given(top=st.lists(st.floats(-30, 30), min_size=3, max_size=3))
def test_within_a_box_the_gradient_points_outwards(top: list[float]) -> None:
    bounds = box(3)
    found = maximise(*hill(np.array(top)), np.zeros(3), bounds, gain=1e-12)
    gradient = -CURVED @ (found.point - np.array(top))
    inside = (found.point > bounds.lower) & (found.point < bounds.upper)
    assert (np.abs(gradient[inside]) < 1e-3).all()
    assert (gradient[found.point >= bounds.upper] >= -1e-9).all()
    assert (gradient[found.point <= bounds.lower] <= 1e-9).all()
    assert found.outcome is (Outcome.CONVERGED if inside.all() else Outcome.AT_BOUND)


def test_a_parameter_that_is_held_stays_and_a_flat_one_does_no_harm() -> None:
    curved = np.diag([2.0, 0.0, 1.0])
    found = maximise(*hill(np.array([1.0, 5.0, 3.0]), curved), np.array([-4.0, 0.3, -1.0]), box(3).without(2), gain=1e-12)
    np.testing.assert_allclose(found.point, [1.0, 0.3, -1.0], atol=1e-5)
    assert found.outcome is Outcome.CONVERGED


def test_a_curved_valley_is_followed() -> None:
    def residuals(x: Array) -> Array:
        return np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]])

    def value(x: Array) -> float:
        return float(-0.5 * residuals(x) @ residuals(x))

    def linearise(x: Array) -> LocalModel:
        jacobian = np.array([[-20 * x[0], 10.0], [-1.0, 0.0]])
        return LocalModel(value=value(x), gradient=frozen(-jacobian.T @ residuals(x)), information=frozen(jacobian.T @ jacobian))

    found = maximise(value, linearise, np.array([-1.2, 1.0]), box(2), gain=1e-12)
    np.testing.assert_allclose(found.point, [1, 1], atol=1e-4)


def test_where_there_is_no_likelihood_the_search_says_so() -> None:
    found = maximise(lambda _: -math.inf, lambda _: None, np.zeros(2), box(2))
    assert (found.outcome, found.value) == (Outcome.NOT_FINITE, -math.inf)


def test_a_gradient_that_lies_ends_a_search_without_claiming_a_maximum() -> None:
    value, linearise = hill(np.zeros(3))
    upside_down = lambda x: LocalModel(value=value(x), gradient=frozen(-linearise(x).gradient), information=frozen(CURVED))  # noqa: E731
    found = maximise(value, upside_down, np.ones(3), box(3))
    assert found.outcome is Outcome.MAX_STEPS
    assert found.promised_gain > 1.0
