"""Peaks found in noise, and none found where there is none."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from thrombokit.numerics.log_histogram import count, log_edges
from thrombokit.numerics.peaks import HistogramPeaks, find_peaks


def peaks_in(values: np.ndarray) -> HistogramPeaks:
    edges = log_edges(values, float(values.min()) / 2.0, float(values.max()) * 1.0001, 64, 800)
    return find_peaks(edges, count(values, edges))


def inside(found: HistogramPeaks, low: float, high: float) -> HistogramPeaks:
    kept = (found.position > low) & (found.position < high)
    return replace(found, **{field.name: getattr(found, field.name)[kept] for field in fields(found)})


@pytest.mark.parametrize("seed", range(10))
def test_peaks_are_where_they_were_put(seed: int) -> None:
    rng = np.random.default_rng(seed)
    made = [rng.normal(100, 3, 4_000), rng.normal(143, 5, 1_000), rng.normal(400, 32, 2_000), 2.0 ** rng.uniform(6.0, 10.0, 3_000)]
    found = peaks_in(np.concatenate(made))
    found = inside(found, 80.0, 600.0)  # where the even background begins and ends there are edges
    assert found.position == pytest.approx([100, 143, 400], rel=0.03)
    assert found.sd_log2 * np.log(2) == pytest.approx([0.03, 0.035, 0.08], rel=0.35)
    assert found.events == pytest.approx([4_000, 1_000, 2_000], rel=0.2)


def test_chance_makes_no_peaks() -> None:
    """An even background as a whole is one heap, five octaves wide; nothing narrower stands out of it."""
    rng = np.random.default_rng(7)
    found = [peaks_in(2.0 ** rng.uniform(5, 10, 5_000)) for _ in range(40)]
    assert sum(int(np.count_nonzero(peaks.sd_log2 < 0.4)) for peaks in found) <= 4


def test_an_edge_shows_in_its_saddles() -> None:
    rng = np.random.default_rng(8)
    found = peaks_in(np.concatenate([50.0 * (1 - rng.random(9_000)) ** -0.4, rng.normal(400, 20, 3_000)]))
    lowest = int(np.argmin(found.position))
    assert found.left_saddle[lowest] < 0.05
    assert found.position[-1] == pytest.approx(400, rel=0.02)
