"""Many files through one strategy: counts, shares, and the same numbers from any number of workers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from thrombokit import gate_files, make_engine, population_table, write_fcs
from thrombokit.cells.gates import Bounds, Dimension, GateTree, rectangle
from thrombokit.cells.sample import Channel, Sample
from thrombokit.errors import InputError

X, Y = Dimension(channel="X"), Dimension(channel="Y")
TREE = GateTree(
    gates=(
        rectangle("low", Bounds(dimension=X, high=25.0)),
        rectangle("odd", Bounds(dimension=Y, low=1.0), parent="low"),
        rectangle("none", Bounds(dimension=X, low=1e9)),
        rectangle("of none", Bounds(dimension=X, low=0.0), parent="none"),
    )
)


def save(path: Path, n: int, names: str = "XY") -> Path:
    values = np.column_stack([np.arange(n), np.arange(n) % 2]).astype(np.float32)
    write_fcs(Sample(name=path.name, channels=tuple(Channel(name=name) for name in names), stored=values), path)
    return path


def test_counts_and_shares_of_the_parent_with_exact_intervals(tmp_path: Path) -> None:
    (one,) = gate_files([save(tmp_path / "a.fcs", 100)], TREE)
    low, odd, none, of_none = one.counts
    assert (low.events, low.parent, low.parent_events, low.pct_of_parent) == (25, "", 100, 25.0)
    assert (low.pct_low, low.pct_high) == pytest.approx(
        (16.877974, 34.655247), abs=1e-5
    )  # Clopper-Pearson, 25 of 100, R binom.test
    assert (odd.events, odd.parent, odd.parent_events) == (12, "low", 25)
    assert (none.events, none.pct_of_parent, none.pct_low) == (0, 0.0, 0.0)
    assert (of_none.events, of_none.pct_of_parent, of_none.pct_low, of_none.pct_high) == (0, None, None, None)
    assert of_none.sentence() == "of none: 0 events; none holds none"
    assert low.sentence() == "low: 25 events, 25.00 % of all events (16.88 to 34.66 %)"


def test_workers_do_not_change_a_number(tmp_path: Path) -> None:
    paths = [save(tmp_path / f"{i}.fcs", 50 + 7 * i) for i in range(6)]
    serial, pool = gate_files(paths, TREE), gate_files(paths, TREE, engine=make_engine(2))
    assert serial == pool
    assert population_table(serial).shape == (24, 10)
    assert population_table(serial)["file"].unique(maintain_order=True).to_list() == [path.name for path in paths]


def test_the_faults_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        gate_files([save(tmp_path / "a.fcs", 5, names="XZ"), tmp_path / "b.fcs", save(tmp_path / "c.fcs", 5)], TREE)
    assert [fault.place for fault in caught.value.faults] == ["gates, gate odd on a.fcs", "b.fcs"]
