"""Changes of level: found where they are, and not where there are none."""

from __future__ import annotations

import numpy as np
import pytest

from thrombokit.numerics.change_points import largest_difference_tail, level_changes, most_evident_change, rather_slope_than_step


def test_a_step_is_found_where_it_is() -> None:
    rng = np.random.default_rng(3)
    bins = rng.normal(0.0, 0.1, (300, 4))
    bins[170:, 2] += 0.15
    found = level_changes(bins, np.ones(4), np.full(300, 100.0), false_alarm=0.01)
    assert [change.series for change in found] == [2]
    assert found[0].at == pytest.approx(170, abs=4)


def test_two_steps_make_three_parts() -> None:
    rng = np.random.default_rng(4)
    bins = rng.normal(0.0, 0.1, (300, 1))
    bins[100:140] += 0.4
    found = level_changes(bins, np.ones(1), np.full(300, 100.0), false_alarm=0.01)
    assert [change.at for change in found] == pytest.approx([100, 140], abs=2)


def test_false_alarms_stay_below_their_rate() -> None:
    rng = np.random.default_rng(5)
    flags = [
        bool(level_changes(rng.normal(0.0, 0.1, (200, 8)), np.ones(8), np.full(200, 100.0), false_alarm=0.05)) for _ in range(400)
    ]
    assert np.mean(flags) <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 400)


def test_the_tail_is_that_of_simulation() -> None:
    rng = np.random.default_rng(6)
    size = []
    for _ in range(2000):
        z = rng.standard_normal(400).cumsum()
        k = np.arange(1, 400)
        size.append(np.abs((z[:-1] - k / 400 * z[-1]) / np.sqrt(k * (1 - k / 400)))[7:-7].max())
    for x in (3.0, 3.5):
        assert np.mean(np.array(size) > x) == pytest.approx(largest_difference_tail(x), rel=0.5, abs=0.005)


def test_series_that_tell_nothing_and_short_ones_change_nowhere() -> None:
    assert level_changes(np.ones((200, 2)), np.zeros(2), np.full(200, 10.0), false_alarm=0.05) == ()
    assert most_evident_change(np.ones((2, 1)), np.ones(1), np.ones(2)).p == 1.0


def test_a_slope_is_told_from_a_step() -> None:
    weights, place = np.ones(200), np.linspace(0.0, 1.0, 200)
    assert rather_slope_than_step(place, weights, 100)
    assert not rather_slope_than_step((place > 0.5).astype(float), weights, 100)
