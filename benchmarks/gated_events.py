"""Events and gates for measuring: twelve channels with spillover, and six gates as on a megakaryocyte culture."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from thrombokit.cells.gates import (
    Bounds,
    Dimension,
    Divider,
    EllipsoidGate,
    GateTree,
    Quadrant,
    QuadrantGate,
    polygon,
    rectangle,
)
from thrombokit.cells.sample import Channel, Sample
from thrombokit.cells.scales import LogicleScale
from thrombokit.cells.spillover import Spillover
from thrombokit.io.fcs_write import write_fcs

DYES = tuple(f"FL{i}-A" for i in range(1, 9))
NAMES = ("FSC-A", "FSC-H", "SSC-A", *DYES, "Time")
LOGICLE = LogicleScale(t=262144.0, w=0.7, m=4.5, a=0.0)


def measured_events(n: int, *, seed: int) -> np.ndarray:
    """float32 events of shape (n, 12), linear, with spillover in them and negative values."""
    rng = np.random.default_rng(seed)
    events = np.empty((n, len(NAMES)), dtype=np.float32)
    size = rng.lognormal(11.0, 0.35, n)
    events[:, 0], events[:, 1] = size, size * rng.normal(0.8, 0.03, n)
    events[:, 2] = rng.lognormal(10.0, 0.5, n)
    bright = rng.random((n, len(DYES))) < 0.4
    light = np.where(bright, rng.lognormal(8.5, 0.8, bright.shape), rng.normal(20.0, 60.0, bright.shape))
    events[:, 3:11] = light @ spillover_matrix()
    events[:, 11] = np.linspace(0.0, 600.0, n)
    return events


def spillover_matrix() -> np.ndarray:
    """Ones on the diagonal, 1 to 12 % beside it."""
    rng = np.random.default_rng(3)
    matrix = rng.uniform(0.0, 0.03, (len(DYES), len(DYES)))
    matrix[np.arange(7), np.arange(1, 8)] = rng.uniform(0.05, 0.12, 7)
    np.fill_diagonal(matrix, 1.0)
    return matrix


def write_events(path: Path, n: int, *, seed: int = 1) -> Path:
    """An FCS file of n events."""
    spillover = Spillover(channels=DYES, matrix=spillover_matrix(), source="benchmark")
    channels = tuple(Channel(name=name, range_max=262144.0) for name in NAMES)
    write_fcs(Sample(name=path.name, channels=channels, stored=measured_events(n, seed=seed), spillover=spillover), path)
    return path


def six_gates(*, compensation: str = "FCS", matrices: dict[str, Spillover] | None = None) -> GateTree:
    """Cells, singlets, live, CD41+CD61+ (a polygon), CD42b against CD34 (quadrants) and an ellipse."""
    size, height, grain = (Dimension(channel=name) for name in NAMES[:3])
    dye = [Dimension(channel=name, scale=LOGICLE, compensation=compensation) for name in DYES]
    cells = polygon(
        "cells", size, grain, [[2e4, 5e3], [5e4, 2e3], [2.4e5, 8e3], [2.5e5, 1.5e5], [1.2e5, 2e5], [4e4, 9e4], [1.8e4, 3e4]]
    )
    band = polygon("singlets", size, height, [[1e4, 6e3], [2.6e5, 1.9e5], [2.6e5, 2.4e5], [1e4, 1.2e4]], parent="cells")
    live = rectangle("live", Bounds(dimension=dye[0], high=0.62), parent="singlets")
    ring = 0.62 + 0.24 * np.column_stack([np.cos(np.arange(12) * np.pi / 6), np.sin(np.arange(12) * np.pi / 6)])
    beside = {"+": 0.65, "-": 0.25}
    stages = QuadrantGate(
        id="stages", parent="live",
        dividers=(Divider(id="CD42b", dimension=dye[3], values=(0.45,)), Divider(id="CD34", dimension=dye[4], values=(0.45,))),
        quadrants=tuple(
            Quadrant(id=f"CD42b{a}CD34{b}", positions=(("CD42b", beside[a]), ("CD34", beside[b]))) for a in beside for b in beside
        ),
    )  # fmt: skip
    ellipse = EllipsoidGate(
        id="ellipse", parent="live", dimensions=(dye[5], dye[6]), mean=np.array([0.6, 0.6]),
        covariance=np.array([[0.02, 0.008], [0.008, 0.015]]), distance_square=2.0,
    )  # fmt: skip
    gates = (cells, band, live, polygon("CD41+CD61+", dye[1], dye[2], ring, parent="live"), stages, ellipse)
    return GateTree(gates=gates, matrices=dict(matrices or {}), source="benchmark")
