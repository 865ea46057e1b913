"""Ledgers of cultures from sheets and TOML, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from thrombokit.cells.culture_events import ByBeads, ByVolume, Culture, ManualCount, Sampling, Split
from thrombokit.cells.yields import follow_culture
from thrombokit.errors import InputError
from thrombokit.io.yield_sheets import read_cultures

TITLES = (
    "culture,donor,day,event,cells,volume_mL,removed_mL,added_mL,cells_lost,kept_fraction,tube,MKs,beads,beads_uL,bead_lot,"
    "beads_per_uL,bead_lot_cv_pct,tube_uL,acquired_uL,cells_per_mL,cells_looked_at,cv_pct"
)
ROWS = [
    {"day": 0, "event": "seed", "cells": 20000, "volume_mL": 1},
    {"day": 3, "event": "feed", "removed_mL": 0.5, "added_mL": 0.5, "cells_lost": "yes"},
    {"day": 5, "event": "split", "kept_fraction": 0.5, "added_mL": 0.5},
    {"day": 7, "event": "sample", "volume_mL": 0.1, "tube": "T0"},
    {"day": 9, "event": "count", "cells_per_mL": 1e5, "MKs": 40, "cells_looked_at": 200, "cv_pct": 8},
    {"day": 10, "event": "sample", "volume_mL": 0.1, "tube": "T1", "MKs": 2000, "beads": 1000, "beads_uL": 50, "bead_lot": "7",
     "beads_per_uL": 1000, "bead_lot_cv_pct": 5},
    {"day": 11, "event": "sample", "volume_mL": 0.1, "tube": "T2", "MKs": 2000, "tube_uL": 300, "acquired_uL": 100},
]  # fmt: skip


def write(tmp_path: Path, rows: list[dict[str, object]], *, titles: str = TITLES) -> Path:
    lines = [",".join(str({"culture": "A", "donor": "D1", **row}.get(title, "")) for title in titles.split(",")) for row in rows]
    (tmp_path / "yields.csv").write_text("\n".join([titles, *lines]) + "\n", encoding="utf-8")
    return tmp_path / "yields.csv"


def read(tmp_path: Path, rows: list[dict[str, object]]) -> tuple[Culture, ...]:
    return read_cultures(write(tmp_path, rows))


def changed(row: int, **cells: object) -> list[dict[str, object]]:
    return [{**known, **cells} if number == row else dict(known) for number, known in enumerate(ROWS)]


def test_every_kind_of_event_is_read(tmp_path: Path) -> None:
    (culture,) = read(tmp_path, ROWS)
    assert (culture.name, culture.donor, len(culture.events)) == ("A", "D1", 7)
    _, _, split, uncounted, count, beads, volume = culture.events
    assert isinstance(split, Split)
    assert (split.kept_fraction, split.added_mL) == (0.5, 0.5)
    assert isinstance(uncounted, Sampling)
    assert uncounted.measure is None
    assert isinstance(count, ManualCount)
    assert (count.MKs, count.cells, count.cv) == (40, 200, 0.08)
    assert isinstance(beads, Sampling)
    assert isinstance(volume, Sampling)
    assert isinstance(beads.measure, ByBeads)
    assert (beads.measure.lot.cv, beads.measure.acquired, beads.MKs_acquired) == (0.05, 1000, 2000)
    assert volume.measure == ByVolume(tube_uL=300, acquired_uL=100)
    assert [point.method for point in follow_culture(culture)] == ["manual_count", "beads", "volume"]


def test_cultures_may_stand_mixed_and_toml_is_read_alike(tmp_path: Path) -> None:
    rows = [{**row, "culture": name} for row in ROWS for name in ("A", "B")]
    first, second = read(tmp_path, rows)
    assert [event.day_d for event in first.events] == [event.day_d for event in second.events]
    lines = [
        "[[events]]\n" + "".join(f"{k} = {v!r}\n".replace("'", '"') for k, v in {"culture": "A", "donor": "D1", **row}.items())
        for row in ROWS
    ]
    (tmp_path / "yields.toml").write_text("\n".join(lines))
    (from_toml,) = read_cultures(tmp_path / "yields.toml")
    assert follow_culture(from_toml) == follow_culture(first)


def test_counts_may_be_left_for_the_gates(tmp_path: Path) -> None:
    (culture,) = read(tmp_path, changed(5, MKs="", beads=""))
    assert follow_culture(culture)[1].verdict == "not_counted"


@pytest.mark.parametrize(
    ("row", "cells", "told"),
    [
        (0, {"cells": ""}, "row 2, column 5 (cells): found nothing; expected cells of every seed"),
        (0, {"cells": "2e4x"}, 'found "2e4x"; expected a number, above 0'),
        (0, {"volume_mL": '"1,5"'}, "Write the decimal sign as a point."),
        (0, {"event": "sead"}, 'Did you mean "seed"?'),
        (0, {"donor": ""}, "row 2, column 2 (donor): found nothing"),
        (0, {"day": ""}, "expected the day of culture"),
        (1, {"cells_lost": ""}, "row 3, column 9 (cells_lost): found nothing; expected yes or no"),
        (1, {"cells_lost": "maybe"}, 'found "maybe"; expected yes or no'),
        (1, {"volume_mL": 1}, "row 3, column 6 (volume_mL): found 1 in a feed"),
        (1, {"donor": "D2"}, 'found "D2" for culture "A"; expected "D1"'),
        (2, {"kept_fraction": 1.2}, "expected a number, 0 to 1"),
        (3, {"volume_mL": 5}, "row 5: found 5 mL taken from 1 mL"),
        (4, {"MKs": 300}, "expected at most cells_looked_at"),
        (4, {"MKs": 3.5}, "expected a whole number"),
        (5, {"bead_lot_cv_pct": ""}, "expected the beads' volume, lot, count per uL and its CV"),
        (5, {"tube_uL": 300, "acquired_uL": 100}, "found beads and an acquired volume"),
        (6, {"acquired_uL": ""}, "expected both tube_uL and acquired_uL"),
        (6, {"acquired_uL": 400}, "expected at most tube_uL"),
        (6, {"acquired_uL": "", "tube_uL": ""}, "MKs of an unknown part of the tube"),
        (6, {"day": 2}, "day 2 after day 10"),
    ],
)
def test_a_wrong_row_says_what_is_wrong_with_it(tmp_path: Path, row: int, cells: dict[str, object], told: str) -> None:
    with pytest.raises(InputError) as raised:
        read(tmp_path, changed(row, **cells))
    assert told in str(raised.value)
    assert all("yields.csv" in fault.place for fault in raised.value.faults)


def test_a_lot_of_beads_is_the_same_everywhere_and_all_faults_come_together(tmp_path: Path) -> None:
    beads = dict(ROWS[5])
    rows = [*ROWS[:6], {**beads, "day": 11, "beads_per_uL": 900}, {**beads, "day": 12, "volume_mL": ""}]
    with pytest.raises(InputError) as raised:
        read(tmp_path, rows)
    told = str(raised.value)
    assert "found lot 7 with 900 beads per uL, CV 5 %; expected 1000, 5 %, as in yields.csv, row 7" in told
    assert "row 9, column 6 (volume_mL): found nothing" in told


def test_a_sheet_without_its_columns_says_which(tmp_path: Path) -> None:
    (tmp_path / "yields.csv").write_text("culture,donor,day,evnt\nA,D1,0,seed\n")
    with pytest.raises(InputError) as raised:
        read_cultures(tmp_path / "yields.csv")
    assert "found no column event" in str(raised.value)
    assert 'Did you mean "event"?' in str(raised.value)
