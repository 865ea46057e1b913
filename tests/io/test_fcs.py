"""FCS files built byte by byte: what is read, how oddities are told, and what is refused with which words."""

from __future__ import annotations

import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from thrombokit import read_fcs, write_fcs
from thrombokit.errors import FileFormatError, InputError


def fcs_bytes(
    data: bytes, keywords: dict[str, Any], *, version: str = "FCS3.1", delimiter: str = "/", header: tuple[int, int] | None = None,
    text_places: tuple[int, int] | None = None,
) -> bytes:  # fmt: skip
    """A data set; DATA follows TEXT directly. `header` and `text_places` shift the announced first and last byte of DATA."""
    n = int(keywords["$PAR"])
    said = {"$BYTEORD": "1,2,3,4", "$MODE": "L", "$NEXTDATA": "0", "$DATATYPE": "I", **keywords}
    for i in range(1, n + 1):
        said = {f"$P{i}N": f"C{i}", f"$P{i}B": 16, f"$P{i}R": 65536, f"$P{i}E": "0,0", **said}

    def text(first: int) -> bytes:
        shift = text_places or (0, 0)
        places = {"$BEGINDATA": f"{first + shift[0]:08d}", "$ENDDATA": f"{first + len(data) - 1 + shift[1]:08d}"}
        every = {**({} if version == "FCS2.0" else places), **said}
        return (delimiter + "".join(f"{k}{delimiter}{v}{delimiter}" for k, v in every.items())).encode("latin-1")

    first = 58 + len(text(0))
    shift = header or (0, 0)
    numbers = (58, first - 1, first + shift[0], first + len(data) - 1 + shift[1], 0, 0)
    return f"{version}    ".encode() + b"".join(f"{x:>8d}".encode() for x in numbers) + text(first) + data


def read(tmp_path: Path, raw: bytes, **options: Any) -> Any:
    path = tmp_path / "tube.fcs"
    path.write_bytes(raw)
    return read_fcs(path, **options)


def test_floats_of_both_byte_orders_are_views_of_the_file(tmp_path: Path) -> None:
    values = np.array([[1.5, -2.0], [3.25, 1e9]])
    for order, said in (("<", "1,2,3,4"), (">", "4,3,2,1")):
        for kind, width in (("F", 4), ("D", 8)):
            data = values.astype(f"{order}f{width}").tobytes()
            bits = {f"$P{i}B": width * 8 for i in (1, 2)}
            sample = read(tmp_path, fcs_bytes(data, {"$PAR": 2, "$TOT": 2, "$DATATYPE": kind, "$BYTEORD": said, **bits}))
            np.testing.assert_array_equal(sample.events("stored"), values)
            assert sample.events("decoded") is sample.events("stored")
            assert not sample.stored.flags.owndata
            assert not sample.stored.flags.writeable
            assert not pickle.loads(pickle.dumps(sample)).stored.flags.writeable


@pytest.mark.parametrize("order", ["<", ">"])
def test_integers_of_8_16_24_32_and_64_bits_side_by_side(tmp_path: Path, order: str) -> None:
    rows = [(200, 60000, 0x123456, 4_000_000_000, 2**60 + 1), (1, 2, 3, 4, 5)]
    end = "little" if order == "<" else "big"
    sizes = (1, 2, 3, 4, 8)
    data = b"".join(value.to_bytes(size, end) for row in rows for value, size in zip(row, sizes, strict=True))
    keys = {f"$P{i}B": size * 8 for i, size in enumerate(sizes, 1)} | {f"$P{i}R": 256**size for i, size in enumerate(sizes, 1)}
    said = "1,2,3,4" if order == "<" else "4,3,2,1"
    sample = read(tmp_path, fcs_bytes(data, {"$PAR": 5, "$TOT": 2, "$BYTEORD": said, **keys}))
    assert sample.events("stored").tolist() == [list(row) for row in rows]
    with pytest.raises(InputError, match=r"channel C5: found the integer 1152921504606846977; expected integers up to 2\^53"):
        sample.events("decoded")


@pytest.mark.parametrize("order", ["<", ">"])
def test_packed_10_bit_values(tmp_path: Path, order: str) -> None:
    rng = np.random.default_rng(3)
    values = rng.integers(0, 1024, (37, 3))
    flat = [int(v) for v in values.ravel()]
    if order == ">":
        bits = "".join(f"{v:010b}" for v in flat)
        bits += "0" * (-len(bits) % 8)
        data = bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))
    else:
        whole = sum(v << (10 * i) for i, v in enumerate(flat))
        data = whole.to_bytes(-(-len(flat) * 10 // 8), "little")
    keys = {f"$P{i}B": 10 for i in (1, 2, 3)} | {f"$P{i}R": 1024 for i in (1, 2, 3)}
    said = "1,2,3,4" if order == "<" else "4,3,2,1"
    sample = read(tmp_path, fcs_bytes(data, {"$PAR": 3, "$TOT": 37, "$BYTEORD": said, **keys}))
    np.testing.assert_array_equal(sample.events("stored"), values)
    words = read(tmp_path, fcs_bytes(values.astype(f"{order}u2").tobytes(), {"$PAR": 3, "$TOT": 37, "$BYTEORD": said, **keys}))
    np.testing.assert_array_equal(words.events("stored"), values)
    assert any("16-bit words" in note for note in words.notes)
    too_long = values.copy()
    too_long[0, 1] = 1024
    with pytest.raises(FileFormatError, match=r"DATA: found words with more than the 10 bits of \$P2B"):
        read(tmp_path, fcs_bytes(too_long.astype(f"{order}u2").tobytes(), {"$PAR": 3, "$TOT": 37, "$BYTEORD": said, **keys}))


def test_bits_above_the_range_are_masked_to_the_next_power_of_two_and_told(tmp_path: Path) -> None:
    data = struct.pack("<4H", 1023 + 1024, 700, 40000, 32767 + 32768)
    sample = read(tmp_path, fcs_bytes(data, {"$PAR": 2, "$TOT": 2, "$P1R": 1024, "$P2R": 30000}))
    assert sample.events("stored").tolist() == [[1023, 700], [40000 % 1024, 32767]]
    assert any(note.startswith("C1: 2 of 2 values reach beyond the range") for note in sample.notes)


def test_mixed_types_of_3_2(tmp_path: Path) -> None:
    data = b"".join(struct.pack("<fHd", *row) for row in [(1.5, 7, 1e100), (-2.5, 1023, 0.1)])
    keys = {"$P1B": 32, "$P3B": 64, "$P1DATATYPE": "F", "$P3DATATYPE": "D", "$P2R": 1024}
    sample = read(tmp_path, fcs_bytes(data, {"$PAR": 3, "$TOT": 2, **keys}, version="FCS3.2"))
    assert sample.events("stored").tolist() == [[1.5, 7.0, 1e100], [-2.5, 1023.0, 0.1]]
    wide = struct.pack("<fQ", 1.0, 2**60)
    keys = {"$P1B": 32, "$P1DATATYPE": "F", "$P2B": 64, "$P2R": 2**64}
    with pytest.raises(FileFormatError, match=r"channel C2: found the integer 1152921504606846976; expected at most 2\^53"):
        read(tmp_path, fcs_bytes(wide, {"$PAR": 2, "$TOT": 1, **keys}, version="FCS3.2"))


def test_decoded_undoes_log_amplifiers_and_gain(tmp_path: Path) -> None:
    data = struct.pack("<6H", 0, 80, 512, 1023, 512, 256)
    keys = {"$P1E": "4,1", "$P1R": 1024, "$P2G": "8", "$P3E": "4,0", "$P3R": 1024}
    sample = read(tmp_path, fcs_bytes(data, {"$PAR": 3, "$TOT": 2, **keys}))
    expected = [[1.0, 10.0, 100.0], [10 ** (4 * 1023 / 1024), 64.0, 10.0]]
    np.testing.assert_allclose(sample.events("decoded"), expected, rtol=1e-14)
    assert any("offset 0 was read as 1" in note for note in sample.notes)


FLOATS = struct.pack("<6f", 10.0, 3.0, 5.0, 20.0, 1.0, 2.0)
THREE = {"$PAR": 3, "$TOT": 2, "$DATATYPE": "F", "$P1B": 32, "$P2B": 32, "$P3B": 32}


def test_compensated_removes_the_spillover_among_named_channels(tmp_path: Path) -> None:
    sample = read(tmp_path, fcs_bytes(FLOATS, {**THREE, "$SPILLOVER": "2,C3,C1,1,0.1,0.02,1"}))
    true, seen = sample.events("compensated"), np.array([[10.0, 3.0, 5.0], [20.0, 1.0, 2.0]])
    np.testing.assert_allclose(true[:, 2] * 0.1 + true[:, 0], seen[:, 0], rtol=1e-14)
    np.testing.assert_allclose(true[:, 2] + true[:, 0] * 0.02, seen[:, 2], rtol=1e-14)
    np.testing.assert_array_equal(true[:, 1], seen[:, 1])
    none = read(tmp_path, fcs_bytes(FLOATS, THREE))
    np.testing.assert_array_equal(none.events("compensated"), seen)
    assert any("no spillover matrix" in note for note in none.notes)
    by_number = read(tmp_path, fcs_bytes(FLOATS, {**THREE, "$SPILLOVER": "2,3,1,1,0.1,0.02,1"}))
    np.testing.assert_array_equal(by_number.events("compensated"), true)
    assert any("by number" in note for note in by_number.notes)


@pytest.mark.parametrize(
    "matrix, words",
    [
        ({"$SPILLOVER": "2,C1,C2,1,1,1,1"}, "found a singular matrix"),
        ({"$SPILLOVER": "2,C1,XX,1,0,0,1"}, r"found 'XX' \(0 channels of that name\); expected channels of the file: C1, C2, C3"),
        ({"$SPILLOVER": "2,C1,C2,1,0,0"}, "found 2 channels in 6 fields"),
        ({"$SPILLOVER": "2,C1,C2,1,0,none,1"}, "found 'none'; expected a number"),
        ({"$SPILLOVER": "2,C1,C2,1,.1,0,1", "SPILL": "2,C1,C2,1,.2,0,1"}, "found another matrix in SPILL"),
        ({"$COMP": "2,1,0.1,0,1"}, "found 2 channels in 5 fields"),
        ({"$COMP": "3,100,1,0,0,100,0,0,0,100"}, "on the diagonal; expected ones"),
        ({"$DFC1TO2": "12.5"}, r"form of FCS 2.0 \(\$DFC1TO2\)"),
    ],
)
def test_matrices_that_do_not_fit_are_refused_when_asked_for(tmp_path: Path, matrix: dict[str, str], words: str) -> None:
    sample = read(tmp_path, fcs_bytes(FLOATS, {**THREE, **matrix}))
    assert sample.events("decoded")[0, 0] == 10.0
    with pytest.raises(InputError, match=words) as caught:
        sample.events("compensated")
    assert "tube.fcs" in str(caught.value)


def test_header_and_text_that_disagree(tmp_path: Path) -> None:
    data = struct.pack("<4H", 1, 2, 3, 4)
    keys = {"$PAR": 2, "$TOT": 2}
    for shifts in ({"header": (-20, 0)}, {"header": (0, 700)}, {"text_places": (-30, -30)}):
        sample = read(tmp_path, fcs_bytes(data, keys, **shifts))
        assert sample.events("stored").tolist() == [[1, 2], [3, 4]]
        assert any("HEADER and TEXT disagree on DATA" in note for note in sample.notes)
    with pytest.raises(FileFormatError, match="both of which hold 2 events"):
        read(tmp_path, fcs_bytes(data + b"\0" * 8, keys, header=(0, -8), text_places=(4, -4)))
    with pytest.raises(
        FileFormatError, match=r"found DATA in HEADER: .*expected 2 events \(\$TOT\) of 32 bits, 8 bytes, after TEXT"
    ):
        read(tmp_path, fcs_bytes(data, keys)[:-3])


def test_events_beyond_tot_are_no_silence(tmp_path: Path) -> None:
    data = struct.pack("<8H", *range(8))
    with pytest.raises(FileFormatError, match=r"2 events \(\$TOT\) of 32 bits"):
        read(tmp_path, fcs_bytes(data, {"$PAR": 2, "$TOT": 2}))
    with pytest.raises(FileFormatError, match=r"\$TOT: found 0 events, and 16 bytes of DATA"):
        read(tmp_path, fcs_bytes(data, {"$PAR": 2, "$TOT": 0}))
    counted = read(tmp_path, fcs_bytes(data, {"$PAR": 2}, version="FCS2.0"))
    assert counted.n_events == 4


def test_several_data_sets(tmp_path: Path) -> None:
    second = fcs_bytes(struct.pack("<H", 9), {"$PAR": 1, "$TOT": 1})
    length = len(fcs_bytes(b"\5\0", {"$PAR": 1, "$TOT": 1, "$NEXTDATA": "0000"}))
    raw = fcs_bytes(b"\5\0", {"$PAR": 1, "$TOT": 1, "$NEXTDATA": f"{length:04d}"}) + second
    one, two = read(tmp_path, raw), read(tmp_path, raw, data_set=2)
    assert (one.events("stored")[0, 0], two.events("stored")[0, 0]) == (5, 9)
    assert (one.n_data_sets, two.data_set) == (2, 2)
    assert "The file holds 2 data sets; this is number 1." in one.notes
    with pytest.raises(FileFormatError, match=r"2 data set\(s\), and number 3 was asked for"):
        read(tmp_path, raw, data_set=3)
    torn = read(tmp_path, raw[: length + 30])
    assert any(note.startswith("What follows data set 1 could not be read") for note in torn.notes)


def test_delimiters_within_values_and_empty_values(tmp_path: Path) -> None:
    keys = {"$PAR": 1, "$TOT": 1}
    doubled = read(tmp_path, fcs_bytes(b"\5\0", {**keys, "$CELLS": "a//b////c"}))
    assert doubled.keywords["$CELLS"] == "a/b//c"
    empty = read(tmp_path, fcs_bytes(b"\5\0", {"$CELLS": "", "$OP": "", **keys}))
    assert (empty.keywords["$CELLS"], empty.keywords["$OP"], empty.keywords["$TOT"]) == ("", "", "1")
    assert any("empty values" in note for note in empty.notes)
    latin = read(tmp_path, fcs_bytes(b"\5\0", {**keys, "$P1S": "µ"}, delimiter="|"))
    assert latin.channels[0].label == "µ"
    assert any("Latin-1" in note for note in latin.notes)


def test_supplemental_text(tmp_path: Path) -> None:
    keys = {"$PAR": 1, "$TOT": 1, "$BEGINSTEXT": "00000000", "$ENDSTEXT": "00000000"}
    start = len(fcs_bytes(b"\5\0", keys))
    more = b"/$P1S/CD41/"
    raw = fcs_bytes(b"\5\0", {**keys, "$BEGINSTEXT": f"{start:08d}", "$ENDSTEXT": f"{start + len(more) - 1:08d}"}) + more
    assert read(tmp_path, raw).channels[0].label == "CD41"
    with pytest.raises(FileFormatError, match=r"\$BEGINSTEXT: found supplemental TEXT at bytes"):
        read(tmp_path, raw[:-5])


@pytest.mark.parametrize(
    "change, words",
    [
        ({"$DATATYPE": "A"}, r"tube.fcs, \$DATATYPE: found 'A'; expected I, F or D. ASCII data .* is not read"),
        ({"$BYTEORD": "3,4,1,2"}, r"\$BYTEORD: found '3,4,1,2'; expected 1,2,3,4"),
        ({"$MODE": "C"}, r"\$MODE: found 'C'; expected L"),
        ({"$P1B": "*"}, r"\$P1B: found '\*'; expected 1 to 64 bits"),
        ({"$P1R": "0"}, r"\$P1R: found '0'; expected a whole number >= 2"),
        ({"$P1E": "4"}, r"\$P1E: found '4'; expected two numbers"),
        ({"$P1E": "400,1"}, r"\$P1E: found '400,1'; expected up to 20 decades"),
        ({"$P1G": "-1"}, r"\$P1G: found '-1'; expected a gain > 0"),
        ({"$TOT": "many"}, r"\$TOT: found 'many'; expected the number of events"),
        ({"$DATATYPE": "F"}, r"\$P1B: found '16'; expected 32 bits for type F"),
    ],
)
def test_what_cannot_be_read_right_is_refused_by_name(tmp_path: Path, change: dict[str, str], words: str) -> None:
    with pytest.raises(FileFormatError, match=words) as caught:
        read(tmp_path, fcs_bytes(b"\5\0", {"$PAR": 1, "$TOT": 1, **change}))
    assert all(fault.cure for fault in caught.value.faults)


def test_all_faults_of_the_channels_come_in_one_pass(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError) as caught:
        read(tmp_path, fcs_bytes(b"\5\0\5\0", {"$PAR": 2, "$TOT": 1, "$P1R": "x", "$P2B": "99", "$P2G": "zero"}))
    assert [fault.place for fault in caught.value.faults] == ["tube.fcs, $P1R", "tube.fcs, $P2B", "tube.fcs, $P2G"]


def test_files_that_are_no_fcs(tmp_path: Path) -> None:
    good = fcs_bytes(b"\5\0", {"$PAR": 1, "$TOT": 1})
    for raw, words in (
        (b"", "found 0 bytes"),
        (b"<?xml" + good[5:], 'an FCS file, which starts with "FCS"'),
        (b"FCS1.0" + good[6:], "version 'FCS1.0'"),
        (good[:10] + b"     abc" + good[18:], "HEADER: found TEXT at"),
        (good.replace(b"/$PAR/1/", b"/$PAR/99999999/"), r"\$PAR: found '99999999'"),
    ):
        with pytest.raises(FileFormatError, match=words):
            read(tmp_path, raw)
    with pytest.raises(FileFormatError, match=r"absent.fcs: found No such file.*Check the path"):
        read_fcs(tmp_path / "absent.fcs")


def test_data_beyond_the_header_is_found_through_text(tmp_path: Path) -> None:
    raw = fcs_bytes(b"\5\0", {"$PAR": 1, "$TOT": 1})
    path = tmp_path / "far.fcs"
    first, far = int(raw[26:34]), 100_000_123
    near, last = f"{first:08d}".encode(), f"{first + 1:08d}".encode()
    text = raw[58:first].replace(b"/" + near + b"/", b"/%d/" % far).replace(b"/" + last + b"/", b"/%d/" % (far + 1))
    with path.open("wb") as file:
        file.write(raw[:18] + f"{57 + len(text):>8d}{0:>8d}{0:>8d}".encode() + raw[42:58] + text)
        file.seek(far)
        file.write(b"\7\0")
    assert read_fcs(path).events("stored").tolist() == [[7]]


def test_writing_over_the_file_that_is_being_read(tmp_path: Path) -> None:
    path = tmp_path / "tube.fcs"
    path.write_bytes(fcs_bytes(FLOATS, THREE))
    sample = read_fcs(path)
    write_fcs(sample, path)
    np.testing.assert_array_equal(read_fcs(path).stored, sample.stored)
    assert [entry.name for entry in tmp_path.iterdir()] == ["tube.fcs"]
