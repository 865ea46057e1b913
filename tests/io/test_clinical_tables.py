"""SAS transport and Dataset-JSON: the same data, whatever form it came in; damaged files refused with the cure."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thrombokit.errors import FileFormatError
from thrombokit.io.clinical_tables import read_clinical_table
from thrombokit.io.xport import ibm_floats, read_xport

CLINICAL = "clinical"


def header(kind: str, tail: str = "0" * 30) -> bytes:
    return f"HEADER RECORD*******{kind:<8}HEADER RECORD!!!!!!!{tail}  ".encode()


def ibm(value: float | None) -> bytes:
    """An IBM hexadecimal float, written independently of the reader."""
    if value is None:
        return b"." + bytes(7)
    if value == 0.0:
        return bytes(8)
    exponent, size = 64, abs(value)
    while size >= 1.0:
        size, exponent = size / 16.0, exponent + 1
    while size < 1.0 / 16.0:
        size, exponent = size * 16.0, exponent - 1
    return bytes([exponent | (0x80 if value < 0 else 0)]) + int(size * 2**56).to_bytes(7, "big")


def transport(rows: list[tuple[str, float | None]], *, name: str = "COUNTS") -> bytes:
    """A version-5 file of one member with SUBJ (6 characters) and DAY (a date)."""

    def described(number: int, kind: int, width: int, title: str, label: str, form: str, start: int) -> bytes:
        text = f"{title:<8}{label:<40}{form:<8}".encode()
        return (
            struct.pack(">hhhh", kind, 0, width, number)
            + text
            + bytes(6)
            + bytes(2)
            + b" " * 8
            + bytes(4)
            + struct.pack(">i", start)
            + bytes(52)
        )

    names = described(1, 2, 6, "SUBJ", "Subject", "$", 0) + described(2, 1, 8, "DAY", "Date", "DATE", 6)
    body = b"".join(f"{subject:<6}".encode() + ibm(day) for subject, day in rows)
    parts = [
        header("LIBRARY"), b"SAS     SAS     SASLIB  9.4".ljust(80), b" " * 80,
        header("MEMBER", "000000000000000001600000000140"), header("DSCRPTR"),
        f"SAS     {name:<8}SASDATA 9.4".encode().ljust(80), b" " * 80,
        header("NAMESTR", "000000000200000000000000000000"), names.ljust(-(-len(names) // 80) * 80), header("OBS"),
        body.ljust(-(-len(body) // 80) * 80),
    ]  # fmt: skip
    return b"".join(parts)


@given(
    st.floats(allow_nan=False, allow_infinity=False, min_value=-1e60, max_value=1e60).filter(lambda v: v == 0.0 or abs(v) > 1e-60)
)
def test_ibm_floats_come_back_exactly(value: float) -> None:
    cells = np.frombuffer(ibm(value), dtype=np.uint8).reshape(1, 8)
    assert ibm_floats(cells)[0] == value


def test_missing_values_are_marks(tmp_path: Path) -> None:
    cells = np.frombuffer(b"".join(mark + bytes(7) for mark in (b".", b"_", b"A", b"Z")) + bytes(8), dtype=np.uint8).reshape(5, 8)
    assert np.isnan(ibm_floats(cells)[:4]).all()
    assert ibm_floats(cells)[4] == 0.0


def test_rows_dates_and_blank_padding(tmp_path: Path) -> None:
    file = tmp_path / "counts.xpt"
    file.write_bytes(transport([("01-001", 19725.0), ("01-002", None), ("01-003", 0.0)]))
    table = read_clinical_table(file)
    assert table.titles == ("SUBJ", "DAY")
    assert table.labels == ("Subject", "Date")
    assert table.rows == (("01-001", "2014-01-02"), ("01-002", ""), ("01-003", "1960-01-01"))
    assert table.places[1] == "counts.xpt, record 2"


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    whole = transport([("01-001", 1.0)] * 40)
    for name, data, words in (
        ("v8.xpt", b"HEADER RECORD*******LIBV8   " + whole[28:], "version 8"),
        ("cut.xpt", whole[:700], "cut"),
        ("tail.xpt", whole[:-80] + b"\x01" * 75, "cut|whole row"),
        ("none.xpt", whole[:240], "no data set"),
        ("empty.xpt", b"", "an empty file"),
    ):
        file = tmp_path / name
        file.write_bytes(data)
        with pytest.raises(FileFormatError, match=words):
            read_xport(file) if data else read_clinical_table(file)
    with pytest.raises(FileFormatError, match="no such file"):
        read_clinical_table(tmp_path / "absent.xpt")


def test_several_members_need_a_name(tmp_path: Path) -> None:
    first, second = transport([("a", 1.0)], name="ADSL"), transport([("b", 2.0)], name="ADTTE")
    file = tmp_path / "both.xpt"
    file.write_bytes(first + second[240:])
    with pytest.raises(FileFormatError, match="2 data sets: ADSL, ADTTE"):
        read_xport(file)
    assert read_xport(file, name="adtte").rows[0][0] == "b"
    with pytest.raises(FileFormatError, match='no data set "ADLB"'):
        read_xport(file, name="ADLB")


def json_head(**changes: object) -> dict[str, object]:
    columns = [{"name": "SUBJ", "label": "Subject", "dataType": "string"}, {"name": "AVAL", "label": "Value", "dataType": "float"}]
    return {"datasetJSONVersion": "1.1.0", "name": "ADLB", "label": "Counts", "records": 2, "columns": columns, **changes}


def test_json_and_ndjson_are_one(tmp_path: Path) -> None:
    rows = [["a", 12], ["b", None]]
    (tmp_path / "one.json").write_text(json.dumps({**json_head(), "rows": rows}))
    (tmp_path / "two.ndjson").write_text("\n".join(json.dumps(part) for part in (json_head(), *rows)) + "\n")
    one, two = (read_clinical_table(tmp_path / name) for name in ("one.json", "two.ndjson"))
    assert one.rows == two.rows == (("a", "12"), ("b", ""))
    assert one.name == "ADLB"


def test_json_faults_in_one_pass(tmp_path: Path) -> None:
    file = tmp_path / "bad.json"
    file.write_text(json.dumps({**json_head(records=3), "rows": [["a", "twelve"], ["b"]]}))
    with pytest.raises(FileFormatError) as caught:
        read_clinical_table(file)
    said = str(caught.value)
    for words in ("2 rows", "record 1, AVAL", '"twelve"', "record 2: found 1 values"):
        assert words in said
    file.write_text(json.dumps({**json_head(datasetJSONVersion="1.0.0"), "rows": []}))
    with pytest.raises(FileFormatError, match=r'version "1\.0\.0"'):
        read_clinical_table(file)


@pytest.mark.parametrize("name", ["adsl", "adtte"])
def test_the_cdisc_pilot_is_the_same_in_both_forms(reference_data: Path, name: str) -> None:
    transported = read_clinical_table(reference_data / CLINICAL / "cdisc-pilot-adam" / f"{name}.xpt")
    described = read_clinical_table(reference_data / CLINICAL / "dataset-json" / f"{name}.json")
    assert len(transported.rows) == 254
    assert set(transported.titles) == set(described.titles)
    for title in transported.titles:
        first = [row[transported.titles.index(title)] for row in transported.rows]
        assert first == [row[described.titles.index(title)] for row in described.rows], title
    if name == "adtte":
        assert read_clinical_table(reference_data / CLINICAL / "dataset-json" / "adtte.ndjson").rows == described.rows
