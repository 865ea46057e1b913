"""Histograms on a log2 axis: edges that respect a lattice, counts, and the distribution of sums."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thrombokit.numerics.log_histogram import count, fragments, log_edges, rebin, self_sums


def test_edges_are_even_in_log2() -> None:
    edges = log_edges(np.random.default_rng(1).uniform(10, 1000, 500), 10.0, 640.0, 20, 500)
    assert (edges[0], edges[-1], edges.size) == (10.0, pytest.approx(640.0), 121)
    assert np.diff(np.log2(edges)) == pytest.approx(0.05)


def test_edges_never_cut_a_lattice() -> None:
    values = np.random.default_rng(2).integers(20, 1000, 20_000).astype(float)
    edges = log_edges(values, 20.0, 1000.0, 60, 700)
    assert np.all(np.diff(edges) > 0)
    assert np.all(np.abs(edges[1:-1] % 1.0 - 0.5) < 1e-9)
    assert count(values, edges).sum() >= 0.99 * values.size


def test_counts_take_the_lower_edge_and_an_open_end() -> None:
    edges = np.array([1.0, 2.0, 4.0, np.inf])
    assert count(np.array([0.5, 1.0, 1.9, 2.0, 4.0, 1e9]), edges).tolist() == [2.0, 1.0, 2.0]


@given(st.integers(0, 10_000))
def test_rebinning_keeps_the_mass(seed: int) -> None:
    rng = np.random.default_rng(seed)
    edges = np.sort(2.0 ** rng.uniform(1, 6, 30))
    masses = rng.random(29)
    assert rebin(edges, masses, 1.0, 0.05, 101).sum() == pytest.approx(masses.sum())


def test_sums_are_those_of_pairs() -> None:
    rng = np.random.default_rng(3)
    cells = np.concatenate([rng.normal(100, 4, 50_000), rng.normal(200, 8, 30_000)])
    edges = np.append(80.0 * 2.0 ** (np.arange(160) / 60.0), np.inf)
    row = np.empty(edges.size - 1)
    self_sums(edges, count(cells, edges), 1 / 48, row)
    pairs = rng.permutation(cells) + rng.permutation(cells)
    wanted = count(pairs, edges) / cells.size
    assert row.sum() == pytest.approx(1.0, abs=0.002)
    assert np.abs(row - wanted).sum() < 0.07
    middle = np.sqrt(edges[:-2] * edges[1:-1])
    assert row[:-1] @ middle == pytest.approx(wanted[:-1] @ middle, rel=0.01)


def test_sums_of_nothing_are_nothing() -> None:
    row = np.ones(4)
    self_sums(np.array([1.0, 2.0, 4.0, 8.0, np.inf]), np.zeros(4), 1 / 48, row)
    assert row.tolist() == [0.0] * 4


def test_fragments_are_even_below_what_they_come_from() -> None:
    edges = np.append(np.linspace(10.0, 110.0, 101), np.inf)
    masses = np.zeros(101)
    masses[90] = 5.0  # contents between 100 and 101
    row = np.empty(101)
    fragments(edges, masses, row)
    assert row.sum() == pytest.approx(1.0)
    assert row[:90] == pytest.approx(row[0])
    assert row[91:] == pytest.approx(0.0)
