"""Rescue: hazard below a threshold, an effect that comes and fades, and visits observed under it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thrombokit.errors import SpecError
from thrombokit.numerics.streams import stream
from thrombokit.patients.fluctuation import Fluctuation, observation_program
from thrombokit.patients.model import Residual
from thrombokit.patients.observed_counts import observe_counts
from thrombokit.patients.rescue import Rescue, rescue_happens, rescue_hazard_per_d, rescue_program, rescued_count, under_rescue

RESCUE = Rescue(
    threshold_1e9_per_L=20.0, hazard_per_d=0.1, steepness=1.0, added_1e9_per_L=40.0, onset_d=2.0, duration_d=14.0, apart_d=7.0
)


def test_the_hazard_rises_as_the_count_falls() -> None:
    """Nothing at the threshold and above; linear below it with steepness 1; constant with 0; a count that is no number does nothing."""
    program = rescue_program(RESCUE)
    assert [rescue_hazard_per_d(program, c) for c in (25.0, 20.0, 10.0, 0.0, math.nan)] == pytest.approx([0.0, 0.0, 0.05, 0.1, 0.0])
    flat = rescue_program(Rescue(threshold_1e9_per_L=20.0, hazard_per_d=0.1, duration_d=1.0))
    assert rescue_hazard_per_d(flat, 19.9) == 0.1


def test_chance_of_rescue() -> None:
    """1 - exp(-hazard x days), never within the days apart, never where there is no rescue."""
    program = rescue_program(RESCUE)
    chance = 1.0 - math.exp(-0.05 * 7.0)
    assert rescue_happens(program, 10.0, 7.0, math.inf, chance - 1e-9)
    assert not rescue_happens(program, 10.0, 7.0, math.inf, chance + 1e-9)
    assert not rescue_happens(program, 10.0, 7.0, 6.9, 0.0)
    assert rescue_happens(program, 10.0, 7.0, 7.0, 0.0)
    assert not rescue_happens(rescue_program(None), 0.0, 1e9, math.inf, 0.0)


def test_the_effect_comes_and_fades() -> None:
    """Straight up over the onset, straight down to nothing at the end; a factor works on the log."""
    program = rescue_program(RESCUE)
    days = (0.0, 1.0, 2.0, 8.0, 14.0, 100.0, math.inf)
    assert [rescued_count(program, 10.0, d) for d in days] == pytest.approx([10.0, 30.0, 50.0, 30.0, 10.0, 10.0, 10.0])
    times = rescue_program(Rescue(threshold_1e9_per_L=20.0, hazard_per_d=0.1, factor=4.0, duration_d=10.0))
    assert [rescued_count(times, 10.0, d) for d in (0.0, 5.0, 10.0)] == pytest.approx([40.0, 20.0, 10.0])
    assert under_rescue(program, 28.0)
    assert not under_rescue(program, 28.1)


@given(st.floats(0.0, 400.0), st.floats(0.0, 60.0), st.floats(0.0, 50.0))
def test_rescue_never_lowers_a_count(count: float, since: float, added: float) -> None:
    """With a factor of 1 or more."""
    program = rescue_program(Rescue(threshold_1e9_per_L=30.0, hazard_per_d=1.0, added_1e9_per_L=added, factor=1.5, duration_d=21.0))
    assert rescued_count(program, count, since) >= count


def test_faults_are_named_together() -> None:
    """All values out of range in one pass, and an onset longer than the effect."""
    with pytest.raises(SpecError) as caught:
        Rescue(threshold_1e9_per_L=0.0, hazard_per_d=-1.0, duration_d=2.0, onset_d=3.0)
    said = str(caught.value)
    assert "rescue, threshold_1e9_per_L: found 0; expected a finite number above 0" in said
    assert "rescue, hazard_per_d: found -1" in said
    assert "rescue, onset_d: found 3; expected at most duration_d, 2" in said


def _observed(latent: np.ndarray, times: np.ndarray, observation: np.ndarray, rescue: np.ndarray) -> tuple[np.ndarray, ...]:
    m, n = latent.shape
    normals = stream(3, "test", "visits").standard_normal((m, n, 3))
    uniforms = stream(3, "test", "rescue").random((m, n))
    true, read, since = (np.empty((m, n)) for _ in range(3))
    observe_counts(times, latent, normals, uniforms, observation, rescue, true, read, since)
    return true, read, since


def test_nothing_in_the_way_shows_the_model() -> None:
    """Without fluctuation, assay error and rescue a visit shows the model's count."""
    latent = stream(3, "test", "latent").uniform(1.0, 300.0, (20, 5))
    true, read, since = _observed(latent, np.arange(5.0) * 7.0, observation_program(), rescue_program(None))
    assert (true == latent).all()
    assert (read == latent).all()
    assert np.isinf(since).all()


def test_rescue_is_decided_on_what_was_read_and_seen_at_the_next_visit() -> None:
    """At constant 10e9/L: none at day 0, the share of 1 - exp(-0.35) at day 7, whose next count is higher by what is left then."""
    latent, times = np.full((4000, 4), 10.0), np.array([0.0, 7.0, 14.0, 28.0])
    true, _, since = _observed(latent, times, observation_program(), rescue_program(RESCUE))
    assert np.isinf(since[:, 0]).all()
    rescued = since[:, 1] == 0.0
    assert rescued.mean() == pytest.approx(1.0 - math.exp(-0.35), abs=0.02)
    assert (true[:, :2] == 10.0).all()
    assert true[rescued, 2] == pytest.approx(10.0 + 40.0 * 7.0 / 12.0)
    assert (true[~rescued, 2] == 10.0).all()


def test_fluctuation_and_assay_add_up_on_the_log() -> None:
    """SD of the log reading: fluctuation and log assay error together."""
    latent, times = np.full((20_000, 2), 50.0), np.array([0.0, 3.0])
    observation = observation_program(Fluctuation(log_sd=0.3, correlation_time_d=6.0), Residual(log_sd=0.1))
    _, read, _ = _observed(latent, times, observation, rescue_program(None))
    assert np.log(read).std(axis=0) == pytest.approx(np.full(2, math.hypot(0.3, 0.1)), rel=0.02)
