"""Gating-ML written and read: what comes back, and what is refused with which words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thrombokit import read_gatingml, write_gatingml
from thrombokit.cells.gate_words import words_of
from thrombokit.cells.gates import (
    BooleanGate,
    Bounds,
    Dimension,
    Divider,
    EllipsoidGate,
    GateTree,
    Operand,
    Quadrant,
    QuadrantGate,
    in_order,
    polygon,
    rectangle,
)
from thrombokit.cells.scales import (
    AsinhScale,
    BiexponentialScale,
    HyperlogScale,
    LinearScale,
    LogicleScale,
    LogScale,
    Ratio,
)
from thrombokit.cells.spectrum import SpectrumMatrix
from thrombokit.cells.spillover import Spillover
from thrombokit.errors import FileFormatError, InputError
from thrombokit.io.gatingml_read import parse_gatingml
from thrombokit.io.gatingml_write import gatingml_bytes
from thrombokit.io.xml_tree import MOST_DEPTH

HEAD = (
    '<gating:Gating-ML xmlns:gating="http://www.isac-net.org/std/Gating-ML/v2.0/gating" '
    'xmlns:transforms="http://www.isac-net.org/std/Gating-ML/v2.0/transformations" '
    'xmlns:data-type="http://www.isac-net.org/std/Gating-ML/v2.0/datatypes">\n'
)
RANGE = (
    '<gating:RectangleGate gating:id="A"><gating:dimension gating:compensation-ref="uncompensated" gating:min="1">'
    '<data-type:fcs-dimension data-type:name="X"/></gating:dimension></gating:RectangleGate>\n'
)


def faults_of(body: str, head: str = HEAD, tail: str = "</gating:Gating-ML>") -> list[str]:
    with pytest.raises(FileFormatError) as caught:
        parse_gatingml((head + body + tail).encode(), place="g.xml")
    return [str(fault) for fault in caught.value.faults]


def everything() -> GateTree:
    """Every kind of gate, scale, bound, matrix and name."""
    dims = [
        Dimension(channel="FSC-A"),
        Dimension(channel="Y", scale=LinearScale(t=1e5, a=0.1 + 0.2), compensation="FCS"),
        Dimension(channel="A", scale=LogicleScale(t=262144.0, w=1 / 3, m=4.5, a=-0.1), compensation="plate & 1"),
        Dimension(channel="FITC", scale=HyperlogScale(t=1e4, w=0.7, m=4.5, a=0.0), compensation="wide"),
        Dimension(channel=Ratio(numerator="A", denominator="B", a=2.5, b=-1e-300, c=3.0), scale=LogScale(t=10.0, m=2.0), compensation="plate & 1"),
        Dimension(channel="Z", scale=AsinhScale(t=1e4, m=4.0, a=1.0, bound_min=-0.25, bound_max=0.9)),
    ]  # fmt: skip
    gates = (
        rectangle("CD34+CD41-", *(Bounds(dimension=d, low=-1 / 3, high=2 / 3) for d in dims), parent="8N <&> \"x\""),
        polygon("poly", dims[1], dims[4], np.random.default_rng(1).normal(size=(5, 2))),
        EllipsoidGate(id="8N <&> \"x\"", dimensions=(dims[2], dims[5]), mean=np.array([0.1, 1e-9]), covariance=np.array([[2.0, 0.1], [0.1, 1.0]]),
                      distance_square=1.1, parent="poly"),
        QuadrantGate(id="q", dividers=(Divider(id="d", dimension=dims[0], values=(1.0, 2.5)), Divider(id="e f", dimension=dims[3], values=(0.5,))),
                     quadrants=(Quadrant(id="q++", positions=(("d", 3.0), ("e f", 0.7))), Quadrant(id="q--", positions=(("d", 0.0),)))),
        QuadrantGate(id="r", dividers=(Divider(id="d", dimension=dims[0], values=(1.0,)),), quadrants=(Quadrant(id="rd", positions=(("d", 1.0),)),)),
        BooleanGate(id="both", operation="and", operands=(Operand(gate="q++", complement=True), Operand(gate="poly")), parent="rd"),
        BooleanGate(id="none", operation="not", operands=(Operand(gate="both"),)),
    )  # fmt: skip
    matrices = {
        "plate & 1": Spillover(channels=("A", "B"), matrix=np.array([[1.0, 0.1], [0.2, 1.0]]), source="plate"),
        "wide": SpectrumMatrix(
            fluorochromes=("FITC", "PE"),
            detectors=("D1", "D2", "D3"),
            matrix=np.array([[1.0, 0.1, 1 / 7], [0.2, 1.0, 0.3]]),
            source="s",
        ),
        "back": SpectrumMatrix(fluorochromes=("P", "Q"), detectors=("D1", "D2"), matrix=np.eye(2), source="s", inverted=True),
    }
    return GateTree(gates=gates, matrices=matrices, source="all")  # type: ignore[arg-type]


def test_every_kind_of_gate_scale_and_matrix_comes_back_to_the_last_bit(tmp_path: Path) -> None:
    tree = everything()
    write_gatingml(tree, tmp_path / "g.xml")
    again = read_gatingml(tmp_path / "g.xml")
    assert again.population_ids == tree.population_ids
    assert [words_of(gate, again) for gate in again.gates] == [words_of(gate, tree) for gate in tree.gates]
    assert gatingml_bytes(again) == gatingml_bytes(tree)
    assert {name: type(matrix) for name, matrix in again.matrices.items()} == {n: type(m) for n, m in tree.matrices.items()}


@given(
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1),
)
def test_any_number_and_any_name_come_back(number: float, name: str) -> None:
    tree = GateTree(gates=(rectangle(name, Bounds(dimension=Dimension(channel=name + "!"), low=number)),))
    (gate,) = parse_gatingml(gatingml_bytes(tree), place="g.xml").gates
    assert words_of(gate, tree) == words_of(tree.gates[0], tree)
    assert gate.id == name


def test_a_channel_named_as_a_compensated_one_is_not_mistaken_for_it() -> None:
    matrix = Spillover(channels=("A", "B"), matrix=np.array([[1.0, 0.1], [0.2, 1.0]]), source="m")
    dims = [Dimension(channel=name, compensation="m") for name in ("A", "Comp-A")]
    tree = GateTree(gates=(rectangle("g", *(Bounds(dimension=d, low=0.0) for d in dims)),), matrices={"m": matrix})
    (gate,) = parse_gatingml(gatingml_bytes(tree), place="g.xml").gates
    assert words_of(gate, tree) == words_of(tree.gates[0], tree)


def test_what_gatingml_cannot_say_is_not_written(tmp_path: Path) -> None:
    gates = (
        rectangle("flowjo", Bounds(dimension=Dimension(channel="X", scale=BiexponentialScale()), low=0.1)),
        rectangle("bell\a", Bounds(dimension=Dimension(channel="X", compensation="one"), low=0.1)),
    )
    matrix = Spillover(channels=("X",), matrix=np.array([[2.0]]), source="one")
    with pytest.raises(InputError) as caught:
        write_gatingml(GateTree(gates=gates, matrices={"one": matrix}), tmp_path / "g.xml")
    assert [fault.found for fault in caught.value.faults] == [
        "one channel",
        "a biexponential scale of FlowJo",
        "the name 'bell\\x07'",
    ]
    assert not (tmp_path / "g.xml").exists()


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match="Choose a folder that exists"):
        write_gatingml(everything(), tmp_path / "absent" / "g.xml")


def test_entities_and_document_types_are_refused_before_they_grow() -> None:
    laughs = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>\n'
    other = '<?xml version="1.0"?>\n<!DOCTYPE x SYSTEM "file:///etc/passwd">\n'
    (found,) = faults_of(RANGE, head=laughs + HEAD)
    assert found.startswith("g.xml:1: found a document type declaration; expected XML without one.")
    assert faults_of(RANGE, head=other + HEAD)[0].startswith("g.xml:2: found a document type declaration")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "no element found at column 1"),
        (b"FCS3.0    not XML", "syntax error"),
        (b'<?xml version="1.0" encoding="klingon"?><a/>', "unknown encoding"),
        (b"<a>" * (MOST_DEPTH + 5) + b"</a>" * (MOST_DEPTH + 5), f"elements {MOST_DEPTH + 1} deep"),
        (b"<a><b></a>", "mismatched tag"),
        (b'<Workspace flowJoVersion="10"/>', "export its gates as Gating-ML 2.0"),
        (b'<Gating-ML xmlns="http://www.isac-net.org/std/Gating-ML/v1.5/gating"/>', "Convert the file to version 2.0"),
        (b"<html/>", "the root element <html>"),
    ],
)
def test_what_is_no_gatingml_is_refused_with_its_line(data: bytes, said: str) -> None:
    with pytest.raises(FileFormatError) as caught:
        parse_gatingml(data, place="g.xml")
    (fault,) = caught.value.faults
    assert said in str(fault)
    assert fault.place == "g.xml:1"


def test_a_file_that_is_not_there_is_told() -> None:
    with pytest.raises(FileFormatError, match=r"none\.xml: found No such file"):
        read_gatingml("none.xml")


def test_what_is_not_understood_is_refused_by_name_and_custom_info_is_not() -> None:
    body = RANGE.replace('gating:id="A"', 'gating:id="A" gating:name="Cells" eventsInside="0"')
    body = body.replace(
        "<gating:dimension", "<data-type:custom_info><any/></data-type:custom_info>\n<gating:tilt/><gating:dimension"
    )
    assert faults_of("<data-type:custom_info>x</data-type:custom_info>\n" + body + "<gating:CurlyQuad/>\n") == [
        "g.xml:5: found element <gating:CurlyQuad> in gating:Gating-ML, which is not understood; expected elements: gating:RectangleGate, "
        "gating:PolygonGate, gating:EllipsoidGate, gating:QuadrantGate, gating:BooleanGate, transforms:transformation, "
        "transforms:spectrumMatrix. Remove it, or draw the gate with what Gating-ML 2.0 offers.",
        "g.xml:3, gate A: found attribute eventsInside of gating:RectangleGate, which is not understood; expected attributes: id, parent_id. "
        "Correct the file, or export it again.",
        "g.xml:4, gate A: found element <gating:tilt> in gating:RectangleGate, which is not understood; expected elements: gating:dimension. "
        "Remove it, or draw the gate with what Gating-ML 2.0 offers.",
    ]


BODIES: list[tuple[str, str]] = [
    (RANGE.replace('"1"', '"one"'), "gating:min = 'one'; expected a finite number"),
    (RANGE.replace('"1"', '"INF"'), "gating:min = 'INF'; expected a finite number"),
    (RANGE.replace('"1"', '"1_0"'), "gating:min = '1_0'; expected a finite number"),
    (RANGE.replace('"1"', '"1" gating:max="0"'), "g.xml:2, gate A: found the range 1.0 to 0.0, which holds no event"),
    (RANGE.replace(' gating:compensation-ref="uncompensated"', ""), "no gating:compensation-ref in gating:dimension"),
    (RANGE.replace(' gating:id="A"', ""), "no gating:id in gating:RectangleGate"),
    (RANGE.replace('"uncompensated"', '"uncompensated" compensation-ref="FCS"'), "two different attributes compensation-ref"),
    (RANGE.replace("uncompensated", "mine"), 'g.xml:2, gate A: found the compensation "mine"'),
    (RANGE.replace('min="1"', 'min="1" gating:transformation-ref="T"'), 'the transformation "T"; expected one of the file: none is defined'),
    (RANGE.replace('<data-type:fcs-dimension data-type:name="X"/>', ""), "0 channels in gating:dimension"),
    (RANGE + RANGE, "g.xml:2, gate A: found an id used more than once"),
    (RANGE.replace('id="A"', 'id="A" gating:parent_id="B"'), 'g.xml:2, gate A: found a reference to "B"'),
    (RANGE.replace("RectangleGate", "PolygonGate").replace(' gating:min="1"', ""), "a polygon of 1 dimension(s)"),
    ('<gating:BooleanGate gating:id="B"><gating:and/><gating:or/></gating:BooleanGate>', "2 operations; expected one of gating:and"),
    ('<gating:BooleanGate gating:id="B"><gating:not><gating:gateReference gating:ref="B" gating:use-as-complement="yes"/></gating:not>'
     "</gating:BooleanGate>", "gating:use-as-complement = 'yes'; expected true or false"),
    ('<gating:EllipsoidGate gating:id="E"/>', "0 elements gating:covarianceMatrix"),
    ('<transforms:transformation transforms:id="T"><transforms:logicle transforms:T="1" transforms:W="3" transforms:M="4" transforms:A="0"/>'
     "</transforms:transformation>", "g.xml:2, transformation T: found W = 3"),
    ('<transforms:transformation transforms:id="T"><transforms:logicle transforms:T="1"/></transforms:transformation>',
     "no transforms:W in transforms:logicle"),
    ('<transforms:transformation transforms:id="T"><transforms:wiggle/></transforms:transformation>', "element <transforms:wiggle>"),
    ('<transforms:spectrumMatrix transforms:id="FCS"><transforms:fluorochromes/><transforms:detectors/></transforms:spectrumMatrix>',
     'the id "FCS"; expected an id that has no meaning of its own'),
    ('<transforms:spectrumMatrix transforms:id="M"><transforms:spectrum><transforms:coefficient transforms:value="1"/></transforms:spectrum>'
     "<transforms:spectrum/></transforms:spectrumMatrix>", "rows of 1, 0 coefficients"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "said"), BODIES)
def test_each_fault_says_what_and_where(body: str, said: str) -> None:
    found = faults_of(body)
    assert any(said in fault for fault in found), found
    assert all(fault.startswith("g.xml:") for fault in found)


def test_a_gate_that_could_not_be_read_is_not_missed_a_second_time() -> None:
    child = RANGE.replace('id="A"', 'id="C" gating:parent_id="A"')
    (found,) = faults_of(RANGE.replace('"1"', '"one"') + child)
    assert "gate A: found gating:min" in found


def test_faults_of_many_gates_come_in_one_pass() -> None:
    body = "".join(RANGE.replace('"A"', f'"A{i}"').replace('"1"', '"one"') for i in range(3))
    assert [fault.split(":")[1].split(",")[0] for fault in faults_of(body)] == ["2", "3", "4"]


def test_attributes_without_a_prefix_are_taken_too(write_text: Callable[..., Path]) -> None:
    path = write_text(
        "bare.xml", HEAD + RANGE.replace("gating:min", "min").replace("data-type:name", "name") + "</gating:Gating-ML>"
    )
    (gate,) = read_gatingml(path).gates
    assert words_of(gate, read_gatingml(path))[-1] == "X (uncompensated, linear values): 1.0 and above"


def outcome(data: bytes) -> str:
    """ "read" or "refused"; any other end is an error of ours."""
    try:
        parse_gatingml(data, place="g.xml")
    except InputError:
        return "refused"
    return "read"


def test_a_thousand_damaged_files_are_read_or_refused_never_crash() -> None:
    whole = np.frombuffer(gatingml_bytes(everything()), dtype=np.uint8)
    rng = np.random.default_rng(11)
    ends: list[str] = []
    for _ in range(1000):
        data = whole.copy()
        at = rng.integers(0, len(data), int(rng.integers(1, 6)))
        data[at] = rng.integers(1, 256, len(at))
        cut = data[: int(rng.integers(1, len(data)))] if rng.random() < 0.2 else data
        ends.append(outcome(cut.tobytes()))
    assert set(ends) == {"read", "refused"}


def test_beyond_two_hundred_faults_the_rest_is_counted() -> None:
    found = faults_of("".join(RANGE.replace('"A"', f'"A{i}" gating:parent_id="Z"') for i in range(250)))
    assert len(found) == 201
    assert found[-1].startswith("g.xml: found 50 more faults")


def test_a_long_chain_of_parents_in_the_wrong_order_is_no_trouble() -> None:
    n = 2000
    body = "".join(RANGE.replace('"A"', f'"A{i}"' + (f' gating:parent_id="A{i + 1}"' if i < n - 1 else "")) for i in range(n))
    tree = parse_gatingml((HEAD + body + "</gating:Gating-ML>").encode(), place="g.xml")
    assert len(in_order(tree)) == n
    assert in_order(tree)[0].id == f"A{n - 1}"
