"""Fluctuation of the count and assay error: exact for any interval, exact between two known days, and the formula of event tables."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thrombokit.errors import SpecError
from thrombokit.numerics.streams import stream
from thrombokit.patients.fluctuation import (
    Fluctuation,
    assayed,
    correlation_after,
    fluctuate,
    fluctuation_between,
    next_fluctuation,
    observation_program,
)
from thrombokit.patients.model import Residual
from thrombokit.patients.random_effects import measured

DAYS = st.floats(0.01, 60.0)


@given(DAYS, DAYS, st.floats(0.1, 30.0))
def test_one_step_is_two_steps(first: float, second: float, tau: float) -> None:
    """Carrying over and adding noise twice gives the correlation and the variance of doing it once."""
    kept, both = correlation_after(first, tau) * correlation_after(second, tau), correlation_after(first + second, tau)
    assert kept == pytest.approx(both, rel=1e-12)
    noise = [next_fluctuation(0.0, step, 1.0, 0.3, tau) for step in (first, second, first + second)]
    assert (noise[0] * correlation_after(second, tau)) ** 2 + noise[1] ** 2 == pytest.approx(noise[2] ** 2, rel=1e-9)


@given(DAYS, DAYS, st.floats(0.1, 30.0), st.floats(-1.0, 1.0), st.floats(-1.0, 1.0))
def test_a_draw_between_is_bayes_rule(before: float, after: float, tau: float, left: float, right: float) -> None:
    """Mean and variance between two known values, from the joint normal distribution of the three."""
    sd = 0.4
    a, b, ab = (correlation_after(t, tau) for t in (before, after, before + after))
    known = np.array([[1.0, ab], [ab, 1.0]])
    weights = np.linalg.solve(known, np.array([a, b]))
    mean, variance = weights @ np.array([left, right]), sd**2 * (1.0 - weights @ np.array([a, b]))
    drawn = fluctuation_between(left, before, right, after, 0.0, sd, tau)
    assert drawn == pytest.approx(mean, rel=1e-7, abs=1e-9)
    higher = fluctuation_between(left, before, right, after, 1.0, sd, tau)
    assert (higher - drawn) ** 2 == pytest.approx(variance, rel=1e-6, abs=1e-12)


def test_uneven_visits_keep_the_stationary_law() -> None:
    """Over 20,000 patients SD and correlations at uneven visits are those asked for, within Monte-Carlo error."""
    times, sd, tau = np.array([0.0, 1.0, 1.0, 8.5, 22.0]), 0.3, 6.0
    normals, phi = stream(1, "test", "fluctuation").standard_normal((20_000, times.size)), np.empty((20_000, times.size))
    for k in range(len(normals)):
        fluctuate(times, normals[k], sd, tau, phi[k])
    assert (phi[:, 1] == phi[:, 2]).all()
    assert phi.std(axis=0) == pytest.approx(np.full(5, sd), rel=0.02)
    expected = np.exp(-np.abs(times[:, None] - times[None, :]) / tau)
    assert np.abs(np.corrcoef(phi.T) - expected).max() < 0.03
    assert np.median(np.exp(phi), axis=0) == pytest.approx(np.ones(5), abs=0.01)


def test_without_spread_or_memory() -> None:
    """SD 0 is no fluctuation; a correlation time of 0 makes visits independent."""
    phi = np.empty(3)
    fluctuate(np.array([0.0, 1.0, 2.0]), np.array([1.0, -2.0, 3.0]), 0.0, 5.0, phi)
    assert (phi == 0.0).all()
    fluctuate(np.array([0.0, 1.0, 2.0]), np.array([1.0, -2.0, 3.0]), 0.5, 0.0, phi)
    assert phi.tolist() == [0.5, -1.0, 1.5]


@pytest.mark.parametrize("residual", [Residual(proportional_sd=0.1, additive_sd=2.0), Residual(log_sd=0.2), Residual()])
def test_an_assay_reads_as_in_event_tables(residual: Residual) -> None:
    """The same formula as for the rows of an event table; but a reading below 0 is 0."""
    normals = stream(2, "test", "assay").standard_normal((50, 2))
    true = np.linspace(20.0, 200.0, 50)
    sds = (residual.additive_sd, residual.proportional_sd, residual.log_sd)
    read = [assayed(true[k], normals[k, 0], normals[k, 1], *sds) for k in range(50)]
    assert np.array(read) == pytest.approx(measured(true, normals, residual), rel=1e-14)
    assert assayed(1.0, 0.0, -5.0, 2.0, 0.1, 0.0) == 0.0
    assert math.isnan(assayed(math.nan, 0.0, 0.0, 0.0, 0.1, 0.0))


def test_the_program_holds_what_was_said() -> None:
    """Absent parts do nothing."""
    assert observation_program().tolist() == [0.0] * 5
    full = observation_program(Fluctuation(log_sd=0.3, correlation_time_d=6.0), Residual(proportional_sd=0.1))
    assert full.tolist() == [0.3, 6.0, 0.0, 0.1, 0.0]


def test_values_out_of_range_are_named_together() -> None:
    """Both faults in one pass."""
    with pytest.raises(SpecError) as caught:
        Fluctuation(log_sd=-0.1, correlation_time_d=math.nan)
    assert "fluctuation, log_sd: found -0.1; expected a finite number, 0 or more" in str(caught.value)
    assert "fluctuation, correlation_time_d: found nan" in str(caught.value)
