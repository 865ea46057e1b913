"""Histograms on a log2 axis: edges that respect a lattice, counts, and the distribution of sums."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thrombokit.numerics.log_histogram import count, fragments, log_edges, rebin, self_sums, sums_of_two


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


def test_sums_of_one_each_of_two_histograms() -> None:
    rng = np.random.default_rng(5)
    edges = np.append(40.0 * 2.0 ** (np.arange(220) / 60.0), np.inf)
    first, second = rng.normal(100, 4, 60_000), rng.normal(230, 10, 60_000)
    row, swapped = np.empty(edges.size - 1), np.empty(edges.size - 1)
    sums_of_two(edges, count(first, edges), count(second, edges), 1 / 48, row)
    sums_of_two(edges, count(second, edges), count(first, edges), 1 / 48, swapped)
    wanted = count(first + second, edges) / first.size
    assert row == pytest.approx(swapped)
    assert row.sum() == pytest.approx(1.0, abs=0.002)
    assert np.abs(row - wanted).sum() < 0.07


def test_sums_of_nothing_are_nothing() -> None:
    row = np.ones(4)
    self_sums(np.array([1.0, 2.0, 4.0, 8.0, np.inf]), np.zeros(4), 1 / 48, row)
    assert row.tolist() == [0.0] * 4


def test_fragments_are_even_below_what_they_come_from() -> None:
    edges = np.append(np.linspace(10.0, 110.0, 101), np.inf)
    masses = np.zeros(101)
    masses[90] = 5.0  # contents between 100 and 101
    row = np.empty((2, 101))
    fragments(edges, masses, row)
    assert row[0].sum() == pytest.approx(1.0)
    assert row[0, :90] == pytest.approx(row[0, 0])
    assert row[0, 91:] == pytest.approx(0.0)


def test_pieces_of_two_cuts_are_those_of_a_broken_stick() -> None:
    rng = np.random.default_rng(4)
    whole = rng.choice([60.0, 100.0], size=300_000, p=[0.3, 0.7])
    cuts = np.sort(rng.random((2, whole.size)), axis=0)
    pieces = whole * (cuts[1] - cuts[0])  # the middle piece; all three are alike
    edges = np.append(np.linspace(10.0, 110.0, 101), np.inf)
    row = np.empty((2, 101))
    fragments(edges, count(whole, edges), row)
    wanted = count(pieces, edges)
    wanted /= wanted.sum()
    assert row[1].sum() == pytest.approx(1.0)
    assert np.abs(row[1] - wanted).sum() < 0.03
    assert np.all(row[1, 91:] == 0.0)
