"""A sample at a glance: its numbers are those of its events, and the ends of the scale are found in every kind of file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from thrombokit.cells.off_scale import is_at_bottom, is_at_top
from thrombokit.cells.sample import Channel, Sample
from thrombokit.cells.sample_summary import events_table, sample_document, summarise_sample
from thrombokit.errors import Fault, InputError
from thrombokit.io.fcs import read_fcs


@pytest.mark.parametrize(
    ("range_max", "stored", "expected"),
    [
        (1024.0, np.array([0, 1022, 1023], dtype=np.uint16), [False, False, True]),
        (262_144.0, np.array([262_142.5, 262_143.0, 262_144.0], dtype=np.float32), [False, True, True]),
        (1.0, np.array([0.0, 0.999, 1.0]), [False, False, True]),
        (None, np.array([0.0, 1e9]), [False, False]),
    ],
)
def test_the_last_channel_of_a_detector(range_max: float | None, stored: np.ndarray, expected: list[bool]) -> None:
    assert is_at_top(stored, Channel(name="FL1-A", range_max=range_max)).tolist() == expected


def test_only_whole_numbers_have_a_lowest_channel_and_time_has_none() -> None:
    whole = np.array([0, 1], dtype=np.uint16)
    assert is_at_bottom(whole, Channel(name="FL1-H")).tolist() == [True, False]
    assert is_at_bottom(whole, Channel(name="Time")).tolist() == [False, False]
    assert is_at_bottom(whole.astype(np.float32), Channel(name="FL1-H")).tolist() == [False, False]


def test_values_are_those_of_the_stage_and_not_finite_ones_are_counted() -> None:
    channels = (Channel(name="log", range_max=1024.0, decades=4.0), Channel(name="gain", range_max=1024.0, gain=2.0))
    sample = Sample(name="s", channels=channels, stored=np.array([[0.0, 10.0], [512.0, np.nan], [1023.0, 30.0]]))
    stored, decoded = summarise_sample(sample, "stored"), summarise_sample(sample, "decoded")
    assert (stored[0].smallest, stored[0].median, stored[0].largest) == (0.0, 512.0, 1023.0)
    assert (decoded[0].smallest, decoded[0].median) == (1.0, pytest.approx(100.0))
    assert (decoded[1].smallest, decoded[1].median, decoded[1].largest, decoded[1].n_not_finite) == (5.0, 10.0, 15.0, 1)
    assert decoded[0].share_at_top == stored[0].share_at_top == pytest.approx(1.0 / 3.0)


def test_a_sample_without_events_has_no_values() -> None:
    sample = Sample(name="s", channels=(Channel(name="FL1-A"),), stored=np.empty((0, 1), dtype=np.float32))
    (summary,) = summarise_sample(sample)
    assert (summary.smallest, summary.median, summary.largest, summary.share_at_top) == (None, None, None, 0.0)
    assert sample_document(sample)["channels"][0]["median"] is None
    assert events_table(sample).shape == (0, 1)


def test_a_matrix_that_cannot_be_used_is_told_and_refused_only_when_asked_for() -> None:
    fault = Fault(place="s.fcs, $SPILLOVER", found="a singular matrix", expected="another", cure="Take it again.")
    sample = Sample(name="s.fcs", channels=(Channel(name="FL1-A"),), stored=np.ones((2, 1)), spillover_faults=(fault,))
    document = sample_document(sample, "decoded")
    assert document["spillover"] is None
    assert document["spillover_faults"] == [fault.to_dict()]
    with pytest.raises(InputError, match=r"s\.fcs, \$SPILLOVER: found a singular matrix"):
        sample_document(sample)


def test_every_real_file_can_be_summarised(reference_data: Path) -> None:
    files = [
        f for f in sorted((reference_data / "fcs").rglob("*")) if f.suffix.lower() in (".fcs", ".lmd") or f.parent.name == "data"
    ]
    read = 0
    for file in files:
        try:
            sample = read_fcs(file)
        except InputError:
            continue
        read += 1
        document = sample_document(sample, "decoded")
        assert document["events"] == sample.n_events
        events = sample.events("decoded")
        for column, channel in enumerate(document["channels"]):
            if channel["not_finite"] == 0:
                assert channel["min"] <= channel["median"] <= channel["max"]
                assert channel["median"] == float(np.median(events[:, column]))
            assert 0.0 <= channel["share_at_top"] <= 1.0
    assert read > 30
