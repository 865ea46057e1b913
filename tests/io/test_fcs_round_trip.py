"""Laws of the FCS reader and writer: what is written is read again, and damaged files end in a sample or an `InputError`."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thrombokit.cells.sample import Channel, Sample
from thrombokit.cells.spillover import Spillover
from thrombokit.errors import FileFormatError, InputError
from thrombokit.io.fcs import read_fcs
from thrombokit.io.fcs_write import write_fcs

TYPES = ("<f4", ">f4", "<f8", ">f8", "u1", "<u2", ">u4", "<u8")
WORDS = st.text(st.characters(min_codepoint=32, max_codepoint=0x3BC, exclude_categories=("C", "Z")), min_size=1, max_size=8)


@st.composite
def samples(draw: st.DrawFn) -> Sample:
    dtype = np.dtype(draw(st.sampled_from(TYPES)))
    n, width = draw(st.integers(0, 9)), draw(st.integers(1, 5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    stored = rng.bytes(n * width * dtype.itemsize)
    values = np.frombuffer(stored, dtype=dtype).reshape(n, width)
    is_integer = dtype.kind == "u"
    channels = tuple(
        Channel(
            name=f"{draw(WORDS)}{i}",
            label=draw(st.one_of(st.just(""), WORDS)),
            range_max=float(2 ** (8 * dtype.itemsize)) if is_integer else 262144.0,
            decades=draw(st.sampled_from([0.0, 4.0, 4.5])) if is_integer else 0.0,
            gain=1.0,
        )
        for i in range(width)
    )
    return Sample(name="x.fcs", channels=channels, stored=values, keywords={"$CYT": draw(WORDS), "NOTE": draw(st.just("") | WORDS)})


@settings(max_examples=150)
@given(samples())
def test_what_is_written_is_read_again(sample: Sample) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.fcs"
        write_fcs(sample, path)
        again = read_fcs(path)
        assert again.channels == sample.channels
        assert (
            again.stored.astype(again.stored.dtype.newbyteorder(">")).tobytes()
            == sample.stored.astype(sample.stored.dtype.newbyteorder(">")).tobytes()
        )
        assert {key: again.keywords[key] for key in sample.keywords} == sample.keywords
        assert (again.n_events, len(again.channels)) == sample.stored.shape


def small_sample(dtype: str = "<u2") -> Sample:
    values = np.arange(40, dtype=dtype).reshape(20, 2)
    channels = (
        Channel(name="FSC-A", range_max=1024.0),
        Channel(name="CD41", label="PE", range_max=1024.0, decades=4.0 * (dtype == "<u2")),
    )
    matrix = Spillover(channels=("FSC-A", "CD41"), matrix=np.array([[1.0, 0.1], [0.0, 1.0]]), source="test")
    return Sample(name="small", channels=channels, stored=values, spillover=matrix)


def test_the_matrix_of_a_sample_is_written_too(tmp_path: Path) -> None:
    write_fcs(small_sample("<f4"), tmp_path / "a.fcs")
    again = read_fcs(tmp_path / "a.fcs")
    np.testing.assert_array_equal(again.events("compensated"), small_sample("<f4").events("compensated"))
    assert not np.array_equal(again.events("compensated"), again.events("decoded"))
    stale = replace(small_sample("<f4"), keywords={"SPILL": "2,FSC-A,CD41,1,0.9,0,1"})
    write_fcs(stale, tmp_path / "a.fcs")
    np.testing.assert_array_equal(read_fcs(tmp_path / "a.fcs").events("compensated"), stale.events("compensated"))
    comma = Spillover(channels=("FITC,A",), matrix=np.eye(1), source="test")
    with pytest.raises(InputError, match="found the channel name 'FITC,A'; expected names without a comma"):
        write_fcs(replace(stale, channels=(Channel(name="FITC,A"),) * 2, spillover=comma), tmp_path / "b.fcs")


@pytest.mark.parametrize(
    "stored, channel, words",
    [
        (np.zeros((1, 1), dtype=np.int32), Channel(name="a"), "found events of type int32; expected float32"),
        (np.zeros((1, 1)), Channel(name="a", decades=4.0, range_max=1024.0), "channel a: found a logarithmic amplifier on floats"),
        (
            np.full((1, 1), 2000, np.uint16),
            Channel(name="a", range_max=1024.0),
            "the value 2000; expected values below the range 1024",
        ),
        (np.zeros((1, 1)), Channel(name=" a"), "found the name ' a'"),
    ],
)
def test_what_cannot_be_said_in_fcs_is_refused(tmp_path: Path, stored: Any, channel: Channel, words: str) -> None:
    with pytest.raises(InputError, match=words):
        write_fcs(Sample(name="s", channels=(channel,), stored=stored), tmp_path / "a.fcs")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match=r"expected a file to write\. Choose a folder that exists"):
        write_fcs(small_sample(), tmp_path / "none" / "a.fcs")


def damaged(raw: bytes, rng: np.random.Generator) -> bytes:
    """Truncated, or with some bytes of HEADER and TEXT (mostly) replaced, or a piece doubled or cut out."""
    way = rng.integers(4)
    if way == 0:
        return raw[: rng.integers(len(raw))]
    if way == 1:
        first, last = sorted(int(x) for x in rng.integers(0, len(raw), 2))
        return raw[:first] + raw[last:] if rng.integers(2) else raw[:last] + raw[first:]
    out = bytearray(raw)
    span = 700 if way == 2 else len(raw)
    for _ in range(rng.integers(1, 8)):
        digits = b"0123456789/ ,-"
        out[rng.integers(min(span, len(raw)))] = rng.integers(256) if rng.integers(2) else digits[rng.integers(len(digits))]
    return bytes(out)


def survives(raw: bytes, path: Path) -> bool:
    """Whether a damaged file was read; anything but a sample or an InputError escapes."""
    path.write_bytes(raw)
    try:
        sample = read_fcs(path)
        assert sample.stored.nbytes <= 8 * len(raw)
        sample.events("decoded")
        sample.events("compensated")
    except InputError as error:
        faults = error.faults
    else:
        return True
    assert all(fault.place and fault.found and fault.expected and fault.cure for fault in faults)
    return False


def test_damaged_files_end_in_a_sample_or_an_input_error(tmp_path: Path) -> None:
    rng = np.random.default_rng(20)
    read = 0
    for dtype in ("<u2", "<f4", "<f8"):
        write_fcs(small_sample(dtype), tmp_path / "good.fcs")
        raw = (tmp_path / "good.fcs").read_bytes()
        read += sum(survives(damaged(raw, rng), tmp_path / "damaged.fcs") for _ in range(200))
    assert 0 < read < 600


@pytest.mark.long
def test_ten_thousand_damaged_files(tmp_path: Path) -> None:
    rng = np.random.default_rng(21)
    for dtype in ("<u2", "<f4", "<f8", "<u8"):
        write_fcs(small_sample(dtype), tmp_path / "good.fcs")
        raw = (tmp_path / "good.fcs").read_bytes()
        for _ in range(2500):
            survives(damaged(raw, rng), tmp_path / "damaged.fcs")
