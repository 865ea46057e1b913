"""Spillover matrices as files: every form comes back as it went out, real exports are read, and wrong tables are refused cell by cell."""

from __future__ import annotations

from pathlib import Path

import flowutils.compensate as peer
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thrombokit.cells.spillover import Spillover, remove_spillover
from thrombokit.errors import Fault, FileFormatError, InputError
from thrombokit.io.fcs import read_fcs
from thrombokit.io.spillover_tables import read_spillover_table, write_spillover_table
from thrombokit.io.spillover_xml import spillover_as_xml, spillover_from_xml

GOOD = ",FITC-A,PE-A\nFITC-A,1,0.2\nPE-A,0.05,1\n"
MATRIX = [[1.0, 0.2], [0.05, 1.0]]
NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=12).filter(
    lambda name: name.strip() == name and " :: " not in name and not _is_number(name) and name.strip(' ,;\t"')
)


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", "."))
    except ValueError:
        return False
    return True


@st.composite
def matrices(draw: st.DrawFn) -> Spillover:
    names = tuple(draw(st.lists(NAMES, min_size=2, max_size=5, unique=True)))
    n = len(names)
    off = draw(st.lists(st.floats(0.0, 0.15), min_size=n * n, max_size=n * n))
    matrix = np.array(off).reshape(n, n)
    matrix[0, 1] = 0.1
    np.fill_diagonal(matrix, 1.0)
    return Spillover(channels=names, matrix=matrix, source="generated")


def _written(tmp_path: Path, text: str | bytes, name: str = "matrix.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def _refusal(tmp_path: Path, text: str | bytes, name: str = "matrix.csv") -> list[str]:
    with pytest.raises(FileFormatError) as caught:
        read_spillover_table(_written(tmp_path, text, name))
    return [str(fault) for fault in caught.value.faults]


@given(matrices(), st.sampled_from(["m.csv", "m.tsv", "m.mtx"]))
def test_every_form_brings_back_the_same_numbers(tmp_path_factory: pytest.TempPathFactory, matrix: Spillover, name: str) -> None:
    path = tmp_path_factory.mktemp("m") / name
    write_spillover_table(matrix, path)
    back = read_spillover_table(path)
    assert back.channels == matrix.channels
    np.testing.assert_array_equal(back.matrix, matrix.matrix)


@pytest.mark.parametrize("name", ["m.csv", "m.tsv", "m.mtx", "m.xml"])
def test_the_same_matrix_gives_the_same_bytes(tmp_path: Path, name: str) -> None:
    matrix = Spillover(channels=("FITC-A", "PE-A"), matrix=np.array(MATRIX), source="controls")
    write_spillover_table(matrix, tmp_path / name)
    write_spillover_table(read_spillover_table(tmp_path / name), tmp_path / f"again {name}")
    first, again = (tmp_path / name).read_text(), (tmp_path / f"again {name}").read_text()
    assert first.replace('name="controls"', "") == again.replace(f'name="{name}, matrix controls"', "")


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        "FITC-A,PE-A\n1,0.2\n0.05,1\n",
        "channel,FITC-A,PE-A\nPE-A,0.05,1\nFITC-A,1,0.2\n",
        '"FITC-A" "PE-A"\n"FITC-A" 1 0.2\n"PE-A" 0.05 1\n',
        "\tFITC-A\tPE-A\r\nFITC-A\t1\t0,2\r\nPE-A\t0,05\t1\r\n",
        ";FITC-A;PE-A\nFITC-A;1;0,2\nPE-A;0,05;1\n\n",
        "my matrix\r<\t>\rFITC-A\tPE-A\r1\t0.2\r5e-2\t1\r",
        "\ufeff,FITC-A :: CD41,PE-A :: CD42b\nFITC-A :: CD41,1,0.2\nPE-A :: CD42b,0.05,1\n",
    ],
    ids=[
        "rows named",
        "FlowJo CSV",
        "rows in another order",
        "R",
        "tabs, decimal commas",
        "semicolons",
        "FlowJo text",
        "with stains",
    ],
)
def test_forms_in_which_people_keep_them(tmp_path: Path, text: str) -> None:
    found = read_spillover_table(_written(tmp_path, text))
    assert found.channels == ("FITC-A", "PE-A")
    assert found.matrix.tolist() == MATRIX
    assert found.source == "matrix.csv"


def test_utf16_as_excel_saves_it(tmp_path: Path) -> None:
    assert read_spillover_table(_written(tmp_path, GOOD.encode("utf-16"))).matrix.tolist() == MATRIX


def test_flowjo_s_export_compensates_as_flowutils_does(reference_data: Path) -> None:
    folder = reference_data / "fcs/flowkit_flowjo"
    matrix, sample = read_spillover_table(folder / "comp_complete_example.csv"), read_fcs(folder / "test_comp_example.fcs")
    uncompensated = np.fromfile(folder / "test_comp_example.npy").reshape(-1, len(sample.channels))
    np.testing.assert_array_equal(sample.events("stored"), uncompensated)
    index = [sample.channel_names.index(name) for name in matrix.channels]
    expected = peer.compensate(uncompensated, matrix.matrix, index)
    found = remove_spillover(uncompensated, sample.channel_names, matrix)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-6)
    assert np.abs(found - uncompensated).max() > 1000.0


def test_a_table_without_row_names_is_what_flowjo_writes(tmp_path: Path, reference_data: Path) -> None:
    folder = reference_data / "fcs/flowkit_flowjo"
    matrix = read_spillover_table(folder / "comp_complete_example.csv")
    write_spillover_table(matrix, tmp_path / "out.csv", row_names=False)
    theirs, ours = (path.read_text().split() for path in (folder / "comp_complete_example.csv", tmp_path / "out.csv"))
    assert ours[0] == theirs[0]
    assert [[float(x) for x in line.split(",")] for line in ours[1:]] == [
        [float(x) for x in line.split(",")] for line in theirs[1:]
    ]


def test_every_wrong_cell_is_named(tmp_path: Path) -> None:
    said = _refusal(tmp_path, ",A,B,C\nA,1,x,0\nB,0.1,1\nC,0,0,\n")
    assert said[0] == "matrix.csv:2, column B: found 'x'; expected a number. Correct the cell."
    assert said[1].startswith("matrix.csv:3: found 2 numbers; expected 3, one a channel of the first line.")
    assert said[2].startswith("matrix.csv:4, column C: found ''; expected a number.")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("A,B\n1,0.1\n", "found 1 rows for 2 channels; expected one row a channel"),
        (",A,B\nA,1,0.1\nX,0.2,1\n", "found rows named X; expected the columns' names: A, B"),
        ("A,B\n100,20\n5,100\n", "found 100 all along the diagonal: a table in percent; expected fractions"),
        ("A,B\n1.01,-0.2\n-0.05,1.01\n", "found no positive number beside the diagonal: a compensation matrix, inverted already"),
        ("1,0.2\n0.05,1\n", "found a first line of '1, 0.2'; expected a line of channel names"),
        ("A,B\n", "found one line only; expected a line of channel names"),
        ("  \n\n", "found an empty file"),
        (b"A,B\n\x00\x01\x02", "found binary content"),
        ('"A,B\n1,0\n0,1\n', "found damaged text"),
    ],
)
def test_tables_that_are_none_are_refused(tmp_path: Path, text: str | bytes, said: str) -> None:
    assert said in "\n".join(_refusal(tmp_path, text))


def test_singular_matrices_and_channels_named_twice_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"matrix.csv: found a singular matrix"):
        read_spillover_table(_written(tmp_path, "A,B\n1,1\n1,1\n"))
    with pytest.raises(InputError, match=r"matrix.csv: found channel named twice: A"):
        read_spillover_table(_written(tmp_path, "A,A\n1,0\n0,1\n"))


def test_missing_files_and_endings(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match=r"nowhere.csv: found No such file"):
        read_spillover_table(tmp_path / "nowhere.csv")
    matrix = Spillover(channels=("A",), matrix=np.eye(1), source="s")
    with pytest.raises(FileFormatError, match=r"found the ending '.doc'; expected one of .csv, .tsv, .txt, .mtx, .xml"):
        write_spillover_table(matrix, tmp_path / "m.doc")
    with pytest.raises(FileFormatError, match=r"expected a place to write to"):
        write_spillover_table(matrix, tmp_path / "no" / "m.csv")
    odd = Spillover(channels=("A\x01",), matrix=np.eye(1), source="s")
    with pytest.raises(FileFormatError, match=r"found a control character"):
        spillover_as_xml(odd)


def _xml(inner: str) -> bytes:
    return f'<gating:gatingML xmlns:gating="g" xmlns:transforms="t" xmlns:data-type="d">{inner}</gating:gatingML>'.encode()


def _mtx(*, value: str = "0.1", extra: str = "", spectral: str = "0", name: str = "one") -> str:
    return f"""<transforms:spilloverMatrix spectral="{spectral}" name="{name}"><data-type:parameters>
<data-type:parameter data-type:name="A"/><data-type:parameter data-type:name="B"/></data-type:parameters>
<transforms:spillover data-type:parameter="B"><transforms:coefficient data-type:parameter="B" transforms:value="1"/>
<transforms:coefficient data-type:parameter="A" transforms:value="0.02"/></transforms:spillover>
<transforms:spillover data-type:parameter="A"><transforms:coefficient data-type:parameter="A" transforms:value="1"/>
<transforms:coefficient data-type:parameter="B" transforms:value="{value}"/>{extra}</transforms:spillover></transforms:spilloverMatrix>"""


def test_mtx_in_any_order_of_rows_and_by_name() -> None:
    found = spillover_from_xml(_xml(_mtx()), "m.mtx")
    assert found.matrix.tolist() == [[1.0, 0.1], [0.02, 1.0]]
    assert found.source == "m.mtx, matrix one"
    assert spillover_from_xml(_xml(_mtx() + _mtx(name="two", value="0.3")), "m.mtx", name="two").matrix[0, 1] == 0.3


@pytest.mark.parametrize(
    ("inner", "said"),
    [
        ("", "m.mtx: found 0 spillover matrices; expected one."),
        (_mtx() + _mtx(name="two"), "found 2 spillover matrices; expected one. Say which: one, two."),
        (_mtx(spectral="1"), "m.mtx:1: found a spectral matrix"),
        (_mtx(value="x"), "m.mtx:6, A into B: found 'x'; expected a number."),
        (_mtx(value="inf"), "A into B: found 'inf'; expected a number."),
        (_mtx(extra='<transforms:coefficient data-type:parameter="A" transforms:value="1"/>'), "A into A: found a detector twice"),
        (_mtx(extra='<transforms:coefficient data-type:parameter="C" transforms:value="1"/>'), "A into C: found the detector 'C'"),
        (
            _mtx().replace('<transforms:coefficient data-type:parameter="A" transforms:value="0.02"/>', ""),
            "B: found no coefficient for A",
        ),
        (
            _mtx().replace('spillover data-type:parameter="B"', 'spillover data-type:parameter="Z"'),
            "found rows for Z, A; expected one for each of A, B",
        ),
    ],
)
def test_mtx_that_cannot_be_read_right(inner: str, said: str) -> None:
    with pytest.raises(FileFormatError) as caught:
        spillover_from_xml(_xml(inner), "m.mtx")
    assert said in str(caught.value)


def test_mtx_with_a_document_type_is_refused(tmp_path: Path) -> None:
    bomb = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "cc"><!ENTITY d "&b;&b;">]><a>&d;</a>'
    assert "found a document type declaration" in _refusal(tmp_path, bomb, "m.mtx")[0]


def test_names_that_xml_must_escape_come_back() -> None:
    matrix = Spillover(channels=("A", 'B<&>"'), matrix=np.array(MATRIX), source='quoted " & <source>')
    back = spillover_from_xml(spillover_as_xml(matrix).encode(), "w")
    assert back.channels == matrix.channels
    assert back.source == 'w, matrix quoted " & <source>'
    np.testing.assert_array_equal(back.matrix, matrix.matrix)


def _matrix_or_faults(path: Path) -> tuple[Fault, ...]:
    try:
        found = read_spillover_table(path)
    except InputError as error:
        return error.faults
    assert found.matrix.shape == (len(found.channels),) * 2
    return ()


def test_damaged_matrices_are_refused_and_never_crash(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    matrix = Spillover(channels=("FITC-A", "PE-A", "APC-A"), matrix=np.eye(3) + 0.1 * rng.random((3, 3)), source="s")
    for name in ("m.csv", "m.mtx"):
        write_spillover_table(matrix, tmp_path / name)
        whole = (tmp_path / name).read_bytes()
        for _ in range(300):
            data = bytearray(whole)
            for _ in range(int(rng.integers(1, 6))):
                data[int(rng.integers(0, len(data)))] = int(rng.integers(0, 256))
            faults = _matrix_or_faults(_written(tmp_path, bytes(data), f"damaged {name}"))
            assert all(fault.cure and fault.place for fault in faults)
