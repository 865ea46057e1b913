"""Time quality: what is found, what is removed, and what is left alone."""

from __future__ import annotations

import numpy as np
import pytest

from thrombokit.cells.drift import TimeQuality, TimeSettings, check_time

NAMES = ("FSC-A", "SSC-A", "CD41", "CD61")
N = 20_000


def arrivals(rng: np.random.Generator, n: int = N) -> np.ndarray:
    return np.cumsum(rng.exponential(1e-3, n))


def signals(rng: np.random.Generator, n: int = N) -> np.ndarray:
    bright = rng.random(n) < 0.4
    level = np.where(bright, 8000.0 * np.exp(0.5 * rng.standard_normal(n)), 0.0)
    return np.column_stack(
        [
            20_000.0 * np.exp(0.25 * rng.standard_normal(n)),
            15_000.0 * np.exp(0.3 * rng.standard_normal(n)),
            level + 120.0 * rng.standard_normal(n),
            0.6 * level * np.exp(0.15 * rng.standard_normal(n)) + 100.0 * rng.standard_normal(n),
        ]
    )


def kept_share(time: np.ndarray, quality: TimeQuality) -> float:
    return float(np.mean(np.logical_or.reduce([(time >= low) & (time < high) for low, high in quality.kept])))


def check(time: np.ndarray, values: np.ndarray) -> TimeQuality:
    return check_time(time, values, NAMES, TimeSettings(), seconds_per_unit=1.0)


def test_sound_tubes_are_clean() -> None:
    rng = np.random.default_rng(1)
    assert [check(arrivals(rng), signals(rng)).verdict for _ in range(40)].count("clean") >= 39


@pytest.mark.parametrize("column", [0, 2])
def test_a_step_of_5_percent_is_found_and_the_shorter_side_removed(column: int) -> None:
    rng = np.random.default_rng(2)
    time, values = arrivals(rng), signals(rng)
    values[14_000:, column] *= 1.05
    quality = check(time, values)
    assert quality.verdict == "cut"
    assert kept_share(time, quality) == pytest.approx(0.7, abs=0.05)
    finding = quality.findings[0]
    assert (finding.kind, finding.channel) == ("step", NAMES[column])
    assert finding.change == pytest.approx(0.05, abs=0.015)
    assert "after a step of the gain" in finding.sentence
    assert finding.start == pytest.approx(time[14_000], abs=0.7)


def test_a_stop_of_two_seconds_costs_no_more_than_its_margin() -> None:
    rng = np.random.default_rng(3)
    time, values = arrivals(rng), signals(rng)
    time[time > 8.0] += 2.0
    quality = check(time, values)
    assert [finding.kind for finding in quality.findings] == ["rate"]
    assert "events nearly stopped" in quality.findings[0].sentence
    assert kept_share(time, quality) > 0.99


def test_a_burst_is_removed() -> None:
    rng = np.random.default_rng(4)
    time = np.sort(np.concatenate([arrivals(rng), rng.uniform(5.0, 7.0, 6000)]))
    quality = check(time, signals(rng, time.size))
    assert any("burst" in finding.sentence for finding in quality.findings)
    assert not any(low < 6.0 < high for low, high in quality.kept)


def test_a_passing_shift_is_removed_and_dated() -> None:
    rng = np.random.default_rng(5)
    time, values = arrivals(rng), signals(rng)
    values[(time > 6) & (time < 8), 0] *= 0.8
    quality = check(time, values)
    assert quality.findings[0].channel == "FSC-A"
    assert quality.findings[0].change == pytest.approx(-0.2, abs=0.06)
    assert "then back" in quality.findings[0].sentence
    assert kept_share(time, quality) == pytest.approx(0.9, abs=0.03)


def test_slow_drift_is_told_and_nothing_removed() -> None:
    rng = np.random.default_rng(6)
    time, values = arrivals(rng), signals(rng)
    values[:, 2] *= np.linspace(1.0, 1.15, N)
    quality = check(time, values)
    assert (quality.verdict, quality.kept) == ("drift", ())
    assert "CD41 drifts slowly" in quality.findings[0].sentence


def test_a_tube_without_a_right_part_is_unstable_and_left_whole() -> None:
    rng = np.random.default_rng(11)
    time, values = arrivals(rng), signals(rng)
    values[:, 0] *= 1.0 + 0.3 * np.repeat([0.0, 4.0, 1.0, 3.0, -1.0], N // 5)
    quality = check(time, values)
    assert (quality.verdict, quality.kept) == ("unstable", ())
    assert quality.is_flagged


def test_what_cannot_be_checked_has_a_verdict() -> None:
    rng = np.random.default_rng(7)
    settings, values = TimeSettings(), signals(rng)
    assert check_time(None, values, NAMES, settings).verdict == "no time channel"
    assert check_time(np.zeros(N), values, NAMES, settings).verdict == "no time channel"
    assert check_time(np.zeros(0), values[:0], NAMES, settings).verdict == "no time channel"
    assert check_time(arrivals(rng, 500), values[:500], NAMES, settings).verdict == "too few events"
    assert check_time(None, values, NAMES, TimeSettings(enabled=False)).verdict == "not checked"


def test_without_a_time_step_places_are_told_in_the_channels_unit() -> None:
    rng = np.random.default_rng(8)
    time, values = 100.0 * arrivals(rng), signals(rng)
    values[12_000:] *= 1.08
    assert "time 1" in check_time(time, values, NAMES, TimeSettings()).findings[0].sentence


def test_the_order_of_the_file_does_not_matter() -> None:
    rng = np.random.default_rng(9)
    time, values = arrivals(rng), signals(rng)
    values[13_000:, 0] *= 1.06
    mixed = rng.permutation(N)
    assert check(time[mixed], values[mixed]) == check(time, values)


def test_constant_channels_are_no_obstacle() -> None:
    rng = np.random.default_rng(10)
    values = signals(rng)
    values[:, 1] = 0.0
    assert check(arrivals(rng), values).verdict == "clean"
