"""Platelet-like particles: calibrated, or not counted."""

from __future__ import annotations

import numpy as np
import pytest

from thrombokit.cells.particles import ParticleSize, calibrate_particles, fit_particles
from thrombokit.errors import InputError

RNG = np.random.default_rng(1)
PLATELETS = np.concatenate([900.0 * np.exp(0.3 * RNG.standard_normal(5000)), 15_000.0 * np.exp(0.2 * RNG.standard_normal(800))])
COMMON = {
    "forward_channel": "FSC-A", "forward_top": 262144.0, "marker_channels": {"CD41": ("B", 262144.0), "CD42b": ("C", 262144.0)},
    "compensation": "FCS", "percentile": 99.5,
}  # fmt: skip


def test_the_window_holds_the_platelets_and_not_the_cells_among_them() -> None:
    size = calibrate_particles(PLATELETS, source="platelets, day 0")
    inside = (size.forward_low <= PLATELETS) & (size.forward_high > PLATELETS)
    assert inside[:5000].mean() > 0.97
    assert inside[5000:].mean() < 0.01


def test_a_reference_with_too_few_events_is_refused() -> None:
    with pytest.raises(InputError, match=r"particle reference \(beads\): found 3 events .* expected at least 200"):
        calibrate_particles(np.array([1.0, 2.0, 3.0, -4.0]), source="beads")


def test_a_window_the_wrong_way_round_is_refused() -> None:
    with pytest.raises(InputError, match="found 5 to 2 in forward scatter; expected 0 < low < high"):
        ParticleSize(forward_low=5.0, forward_high=2.0, source="")


def test_without_calibration_or_control_nothing_is_counted() -> None:
    assert fit_particles(None, {}, **COMMON) == ("uncalibrated", ())  # pyright: ignore[reportArgumentType]
    size = ParticleSize(forward_low=300.0, forward_high=2500.0, source="platelets")
    assert fit_particles(size, {}, **COMMON)[0] == "no FMO particles"  # pyright: ignore[reportArgumentType]


def test_particle_gates_stand_on_the_fmo_particles() -> None:
    size = calibrate_particles(PLATELETS, source="platelets")
    dull = 60.0 * RNG.standard_normal(PLATELETS.size)
    verdict, gates = fit_particles(size, {"CD41": (PLATELETS, dull), "CD42b": (PLATELETS, dull)}, **COMMON)  # pyright: ignore[reportArgumentType]
    assert verdict == "counted"
    assert [gate.id for gate in gates] == ["platelet size", "particle CD41+", "particle CD42b+", "platelet-like"]
