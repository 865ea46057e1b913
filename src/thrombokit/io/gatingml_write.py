"""Gates become Gating-ML 2.0, always in the same form: the same gates give the same bytes, and are read back the same to the last bit.

Transformations come first, numbered in the order in which gates use them, then matrices, then gates. Floats are written as the shortest text
that reads back the same. The standard wants the fluorochromes of a matrix to have other names than its detectors: channel FL1-A of a
spillover matrix is named Comp-FL1-A, as is the custom. Names that are no XML ids: see `gatingml_names`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, indent, register_namespace, tostring

from thrombokit.cells.gates import (
    BooleanGate,
    Dimension,
    EllipsoidGate,
    Gate,
    GateTree,
    PolygonGate,
    QuadrantGate,
    RectangleGate,
    dimensions_of,
    population_ids_of,
)
from thrombokit.cells.scales import (
    AsinhScale,
    BiexponentialScale,
    HyperlogScale,
    LinearScale,
    LogicleScale,
    LogScale,
    Ratio,
    Scale,
)
from thrombokit.cells.spectrum import SpectrumMatrix, detectors_of
from thrombokit.cells.spillover import Spillover
from thrombokit.errors import Fault, InputError
from thrombokit.io.gatingml_elements import DATA_TYPE, GATING, TRANSFORMS
from thrombokit.io.gatingml_names import OWN, WrittenIds, names_element, written_ids
from thrombokit.io.gatingml_transforms import written_names
from thrombokit.io.whole_files import replace_file

_KINDS: dict[type, tuple[str, str]] = {
    LinearScale: ("flin", "TA"),
    LogScale: ("flog", "TM"),
    AsinhScale: ("fasinh", "TMA"),
    LogicleScale: ("logicle", "TWMA"),
    HyperlogScale: ("hyperlog", "TWMA"),
}
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_gatingml(tree: GateTree, path: str | Path) -> None:
    """Write gates as a Gating-ML 2.0 file; one that is there is replaced, in one step.

    Raises
    ------
    InputError
        If the gates cannot be said in Gating-ML 2.0: FlowJo's biexponential scale, names with characters that XML does not have.
    FileFormatError
        If the file cannot be written.
    """
    replace_file(Path(path), gatingml_bytes(tree))


def gatingml_bytes(tree: GateTree) -> bytes:
    """The file's bytes; the same for the same gates. Raises as `write_gatingml` does."""
    faults = list(_faults(tree))
    if faults:
        raise InputError(faults)
    for prefix, namespace in (("gating", GATING), ("transforms", TRANSFORMS), ("data-type", DATA_TYPE), ("thrombokit", OWN)):
        register_namespace(prefix, namespace)
    document = _Document(tree=tree, ids=written_ids(tree))
    gates = [_gate_element(document, gate) for gate in tree.gates]
    root = Element(_g("Gating-ML"))
    names = names_element(document.ids)
    if names is not None:
        root.append(names)
    root.extend(document.transformations)
    root.extend(_matrix_element(document, id) for id in tree.matrices)
    root.extend(gates)
    indent(root, " ")
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="utf-8") + b"\n"


@dataclass(kw_only=True)
class _Document:
    """What is written before the gates: each transformation once, by what it is."""

    tree: GateTree
    ids: WrittenIds
    transformations: list[Element] = field(default_factory=list[Element])
    numbered: dict[Scale | Ratio, str] = field(default_factory=dict["Scale | Ratio", str])
    fluorochromes: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])

    def fluorochromes_of(self, id: str) -> dict[str, str]:
        """The file's name for each fluorochrome of a matrix, by ours."""
        if id not in self.fluorochromes:
            self.fluorochromes[id] = _written(self.tree, id)
        return self.fluorochromes[id]

    def id_of(self, what: Scale | Ratio) -> str:
        """The id of a scale or ratio, which is written when first asked for."""
        if what not in self.numbered:
            taken = {*self.numbered.values(), *self.ids.ids.values()}
            kind = "fratio" if isinstance(what, Ratio) else _KINDS[type(what)][0]
            number = next(n for n in range(1, len(taken) + 2) if f"{kind}_{n}" not in taken)
            self.numbered[what] = f"{kind}_{number}"
            self.transformations.append(_transformation_element(self.numbered[what], what))
        return self.numbered[what]


def _faults(tree: GateTree) -> Iterator[Fault]:
    for id, matrix in tree.matrices.items():
        if len(written_names(matrix, prefixed=False)) < 2:
            cure = "Leave the compensation away: a matrix of one channel only rescales it."
            expected = "two or more, as the standard wants"
            yield Fault(place=f"{tree.source}, matrix {id}", found="one channel", expected=expected, cure=cure)
    named = {
        f"{tree.source}, matrix {id}": [id, *written_names(m, prefixed=False), *detectors_of(m)] for id, m in tree.matrices.items()
    }
    for gate in tree.gates:
        place = f"{tree.source}, gate {gate.id}"
        dividers = [divider.id for divider in gate.dividers] if isinstance(gate, QuadrantGate) else []
        named[place] = [*population_ids_of(gate), gate.id, *dividers]
        for dimension in dimensions_of(gate):
            named[place] += _channels_of(dimension)
            if isinstance(dimension.scale, BiexponentialScale):
                cure = "Draw the gate on a logicle scale, which Gating-ML has and which looks much the same."
                found = "a biexponential scale of FlowJo"
                yield Fault(place=place, found=found, expected="a scale that Gating-ML 2.0 defines", cure=cure)
    for place, names in named.items():
        for name in dict.fromkeys(names):
            if not name or _NOT_IN_XML.search(name):
                yield Fault(place=place, found=f"the name {name!r}", expected="text without control characters", cure="Rename it.")


def _g(name: str) -> str:
    return f"{{{GATING}}}{name}"


def _t(name: str) -> str:
    return f"{{{TRANSFORMS}}}{name}"


def _d(name: str) -> str:
    return f"{{{DATA_TYPE}}}{name}"


def _text(value: float) -> str:
    return repr(float(value))


def _transformation_element(id: str, what: Scale | Ratio) -> Element:
    element = Element(_t("transformation"), {_t("id"): id})
    if isinstance(what, Ratio):
        body = SubElement(element, _t("fratio"), {_t(letter): _text(getattr(what, letter.lower())) for letter in "ABC"})
        for name in (what.numerator, what.denominator):
            SubElement(body, _d("fcs-dimension"), {_d("name"): name})
        return element
    for name, bound in (("boundMin", what.bound_min), ("boundMax", what.bound_max)):
        if bound is not None and math.isfinite(bound):
            element.set(_t(name), _text(bound))
    kind, letters = _KINDS[type(what)]
    SubElement(element, _t(kind), {_t(letter): _text(getattr(what, letter.lower())) for letter in letters})
    return element


def _written(tree: GateTree, id: str) -> dict[str, str]:
    """The name that the file gives to each fluorochrome of a matrix; prefixed, unless a channel already goes by that name."""
    matrix = tree.matrices.get(id)
    if matrix is None:
        return {}
    prefixed = written_names(matrix, prefixed=True)
    taken = {name for gate in tree.gates for d in dimensions_of(gate) if d.compensation == id for name in _channels_of(d)}
    is_free = not taken.union(prefixed).intersection(prefixed.values())
    return prefixed if isinstance(matrix, Spillover) and is_free else written_names(matrix, prefixed=False)


def _channels_of(dimension: Dimension) -> tuple[str, ...]:
    channel = dimension.channel
    return (channel.numerator, channel.denominator) if isinstance(channel, Ratio) else (channel,)


def _matrix_element(document: _Document, id: str) -> Element:
    matrix = document.tree.matrices[id]
    element = Element(_t("spectrumMatrix"), {_t("id"): document.ids.of(id)})
    if isinstance(matrix, SpectrumMatrix) and matrix.inverted:
        element.set(_t("matrix-inverted-already"), "true")
    for what, names in (("fluorochromes", document.fluorochromes_of(id).values()), ("detectors", detectors_of(matrix))):
        listed = SubElement(element, _t(what))
        for name in names:
            SubElement(listed, _d("fcs-dimension"), {_d("name"): name})
    for row in matrix.matrix:
        spectrum = SubElement(element, _t("spectrum"))
        for value in row:
            SubElement(spectrum, _t("coefficient"), {_t("value"): _text(value)})
    return element


def _put_dimension(document: _Document, element: Element, dimension: Dimension) -> None:
    element.set(_g("compensation-ref"), document.ids.of(dimension.compensation))
    if dimension.scale is not None:
        element.set(_g("transformation-ref"), document.id_of(dimension.scale))
    written = document.fluorochromes_of(dimension.compensation)
    channel = dimension.channel
    if isinstance(channel, Ratio):
        top, below = (written.get(name, name) for name in (channel.numerator, channel.denominator))
        ratio = Ratio(numerator=top, denominator=below, a=channel.a, b=channel.b, c=channel.c)
        SubElement(element, _d("new-dimension"), {_d("transformation-ref"): document.id_of(ratio)})
    else:
        SubElement(element, _d("fcs-dimension"), {_d("name"): written.get(channel, channel)})


def _gate_element(document: _Document, gate: Gate) -> Element:
    element = Element(_g(type(gate).__name__), {_g("id"): document.ids.of(gate.id)})
    if gate.parent:
        element.set(_g("parent_id"), document.ids.of(gate.parent))
    if isinstance(gate, PolygonGate | EllipsoidGate):
        for dimension in dimensions_of(gate):
            _put_dimension(document, SubElement(element, _g("dimension")), dimension)
    match gate:
        case RectangleGate():
            for bounds in gate.bounds:
                child = SubElement(element, _g("dimension"))
                for name, value in (("min", bounds.low), ("max", bounds.high)):
                    if value is not None:
                        child.set(_g(name), _text(value))
                _put_dimension(document, child, bounds.dimension)
        case PolygonGate():
            for vertex in gate.vertices:
                _put_values(SubElement(element, _g("vertex")), "coordinate", vertex.tolist())
        case EllipsoidGate():
            _put_values(SubElement(element, _g("mean")), "coordinate", gate.mean.tolist())
            covariance = SubElement(element, _g("covarianceMatrix"))
            for row in gate.covariance:
                _put_values(SubElement(covariance, _g("row")), "entry", row.tolist())
            SubElement(element, _g("distanceSquare"), {_d("value"): _text(gate.distance_square)})
        case QuadrantGate():
            _put_quadrants(document, element, gate)
        case BooleanGate():
            _put_operands(document, SubElement(element, _g(gate.operation)), gate)
    return element


def _put_values(element: Element, child: str, values: list[float]) -> None:
    for value in values:
        SubElement(element, _g(child), {_d("value"): _text(value)})


def _put_quadrants(document: _Document, element: Element, gate: QuadrantGate) -> None:
    for divider in gate.dividers:
        child = SubElement(element, _g("divider"), {_g("id"): document.ids.of(divider.id, gate=gate.id)})
        _put_dimension(document, child, divider.dimension)
        for value in divider.values:
            SubElement(child, _g("value")).text = _text(value)
    for quadrant in gate.quadrants:
        child = SubElement(element, _g("Quadrant"), {_g("id"): document.ids.of(quadrant.id)})
        for divider, location in quadrant.positions:
            reference = document.ids.of(divider, gate=gate.id)
            SubElement(child, _g("position"), {_g("divider_ref"): reference, _g("location"): _text(location)})


def _put_operands(document: _Document, element: Element, gate: BooleanGate) -> None:
    """The standard wants two operands of and, or; one alone is written twice, which means the same."""
    doubled = gate.operands * 2 if len(gate.operands) == 1 and gate.operation != "not" else gate.operands
    for operand in doubled:
        child = SubElement(element, _g("gateReference"), {_g("ref"): document.ids.of(operand.gate)})
        if operand.complement:
            child.set(_g("use-as-complement"), "true")
