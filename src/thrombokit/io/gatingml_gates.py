"""Gate elements of a Gating-ML file become gates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, cast

import numpy as np

from thrombokit.cells.gates import (
    BooleanGate,
    Bounds,
    Dimension,
    Divider,
    EllipsoidGate,
    Gate,
    Operand,
    PolygonGate,
    Quadrant,
    QuadrantGate,
    RectangleGate,
)
from thrombokit.cells.scales import Ratio, Scale
from thrombokit.cells.spectrum import SpectrumMatrix
from thrombokit.cells.spillover import Spillover
from thrombokit.io.gatingml_elements import (
    DATA_TYPE,
    GATING,
    GatingFile,
    called,
    check,
    children_of,
    number,
    number_attribute,
    some_of,
    text_attribute,
    truth_attribute,
    values_of,
)
from thrombokit.io.xml_tree import Element

_DIMENSION = [(DATA_TYPE, "fcs-dimension"), (DATA_TYPE, "new-dimension")]
_REFERENCES = ["compensation-ref", "transformation-ref"]


@dataclass(frozen=True, kw_only=True)
class Definitions:
    """What gates of the file refer to; None stands for one that could not be read (its fault is noted already).

    `names` holds, for each matrix, our name for each fluorochrome by the file's.
    """

    transformations: dict[str, Scale | Ratio | None]
    matrices: dict[str, Spillover | SpectrumMatrix | None]
    names: dict[str, dict[str, str]]


def read_gate(file: GatingFile, element: Element, known: Definitions) -> Gate | None:
    """The gate of a gate element, or None with at least one fault."""
    before = file.n_faults
    id = text_attribute(file, element, called(element), GATING, "id") or ""
    parent = text_attribute(file, element, f"gate {id}", GATING, "parent_id", needed=False)
    gate = GATE_ELEMENTS[element.name](file, element, known, id, parent)
    return gate if file.n_faults == before else None


def _rectangle(file: GatingFile, element: Element, known: Definitions, id: str, parent: str | None) -> Gate | None:
    about = f"gate {id}"
    check(file, element, about, attributes=["id", "parent_id"], children=[(GATING, "dimension")])
    bounds: list[Bounds] = []
    for child in children_of(element, GATING, "dimension"):
        check(file, child, about, attributes=[*_REFERENCES, "min", "max"], children=_DIMENSION)
        low, high = (number_attribute(file, child, about, GATING, name, needed=False) for name in ("min", "max"))
        dimension = _dimension(file, child, known, about)
        if dimension is not None:
            bounds.append(Bounds(dimension=dimension, low=low, high=high))
    return RectangleGate(id=id, bounds=tuple(bounds), parent=parent)


def _dimensions(file: GatingFile, element: Element, known: Definitions, about: str) -> tuple[Dimension, ...]:
    found: list[Dimension] = []
    for child in children_of(element, GATING, "dimension"):
        check(file, child, about, attributes=_REFERENCES, children=_DIMENSION)
        dimension = _dimension(file, child, known, about)
        if dimension is not None:
            found.append(dimension)
    return tuple(found)


def _polygon(file: GatingFile, element: Element, known: Definitions, id: str, parent: str | None) -> Gate | None:
    about = f"gate {id}"
    check(file, element, about, attributes=["id", "parent_id"], children=[(GATING, "dimension"), (GATING, "vertex")])
    n_dimensions = len(children_of(element, GATING, "dimension"))
    dimensions = _dimensions(file, element, known, about)
    if n_dimensions != 2:
        file.fault(element, about, f"a polygon of {n_dimensions} dimension(s)", "two")
    vertices: list[list[float]] = []
    for child in children_of(element, GATING, "vertex"):
        values = values_of(file, child, about, "coordinate")
        vertices.append(values)
        if len(children_of(child, GATING, "coordinate")) != 2:
            file.fault(child, about, f"a vertex of {len(values)} coordinate(s)", "two")
    if len(dimensions) != 2 or any(len(vertex) != 2 for vertex in vertices):
        return None
    return PolygonGate(id=id, x=dimensions[0], y=dimensions[1], vertices=np.array(vertices).reshape(-1, 2), parent=parent)


def _ellipsoid(file: GatingFile, element: Element, known: Definitions, id: str, parent: str | None) -> Gate | None:
    about = f"gate {id}"
    parts = ("mean", "covarianceMatrix", "distanceSquare")
    check(file, element, about, attributes=["id", "parent_id"], children=[(GATING, name) for name in ("dimension", *parts)])
    dimensions = _dimensions(file, element, known, about)
    found = {name: children_of(element, GATING, name) for name in parts}
    for name, elements in found.items():
        if len(elements) != 1:
            file.fault(element, about, f"{len(elements)} elements gating:{name}", "one")
    if any(len(elements) != 1 for elements in found.values()):
        return None
    mean, covariance, distance = (found[name][0] for name in parts)
    check(file, covariance, about, children=[(GATING, "row")])
    check(file, distance, about, attributes=["value"])
    centre = values_of(file, mean, about, "coordinate")
    rows = [values_of(file, row, about, "entry") for row in children_of(covariance, GATING, "row")]
    square = number_attribute(file, distance, about, DATA_TYPE, "value")
    if len({len(row) for row in rows}) > 1:
        file.fault(covariance, about, f"rows of {', '.join(str(len(row)) for row in rows)} entries", f"rows of {len(centre)}")
        return None
    return EllipsoidGate(
        id=id, dimensions=dimensions, mean=np.array(centre), covariance=np.array(rows), distance_square=square or 0.0, parent=parent
    )


def _quadrants(file: GatingFile, element: Element, known: Definitions, id: str, parent: str | None) -> Gate | None:
    about = f"gate {id}"
    check(file, element, about, attributes=["id", "parent_id"], children=[(GATING, "divider"), (GATING, "Quadrant")])
    dividers: list[Divider] = []
    for child in children_of(element, GATING, "divider"):
        check(file, child, about, attributes=["id", *_REFERENCES], children=[*_DIMENSION, (GATING, "value")])
        dimension = _dimension(file, child, known, about)
        name = text_attribute(file, child, about, GATING, "id") or ""
        values = [number(file, one, about, "gating:value", one.text) for one in children_of(child, GATING, "value")]
        if dimension is not None:
            rising = tuple(sorted(value for value in values if value is not None))
            dividers.append(Divider(id=name, dimension=dimension, values=rising))
    quadrants: list[Quadrant] = []
    for child in children_of(element, GATING, "Quadrant"):
        check(file, child, about, attributes=["id"], children=[(GATING, "position")])
        name = text_attribute(file, child, about, GATING, "id") or ""
        quadrants.append(Quadrant(id=name, positions=tuple(_positions(file, child, about))))
    return QuadrantGate(id=id, dividers=tuple(dividers), quadrants=tuple(quadrants), parent=parent)


def _positions(file: GatingFile, quadrant: Element, about: str) -> list[tuple[str, float]]:
    found: list[tuple[str, float]] = []
    for child in children_of(quadrant, GATING, "position"):
        check(file, child, about, attributes=["divider_ref", "location"])
        divider = text_attribute(file, child, about, GATING, "divider_ref")
        location = number_attribute(file, child, about, GATING, "location")
        if divider is not None and location is not None:
            found.append((divider, location))
    return found


def _boolean(file: GatingFile, element: Element, known: Definitions, id: str, parent: str | None) -> Gate | None:
    about = f"gate {id}"
    operations = [(GATING, name) for name in ("and", "or", "not")]
    check(file, element, about, attributes=["id", "parent_id"], children=operations)
    found = [child for child in element.children if (child.namespace, child.name) in operations]
    if len(found) != 1:
        file.fault(element, about, f"{len(found)} operations", "one of gating:and, gating:or, gating:not")
        return None
    check(file, found[0], about, children=[(GATING, "gateReference")])
    operands: list[Operand] = []
    for child in children_of(found[0], GATING, "gateReference"):
        check(file, child, about, attributes=["ref", "use-as-complement"])
        ref = text_attribute(file, child, about, GATING, "ref") or ""
        operands.append(Operand(gate=ref, complement=truth_attribute(file, child, about, GATING, "use-as-complement")))
    operation = cast(Literal["and", "or", "not"], found[0].name)
    return BooleanGate(id=id, operation=operation, operands=tuple(operands), parent=parent)


def _dimension(file: GatingFile, element: Element, known: Definitions, about: str) -> Dimension | None:
    cure = 'Write gating:compensation-ref="uncompensated", or "FCS" for the file\'s own matrix.'
    compensation = text_attribute(file, element, about, GATING, "compensation-ref", needed=False)
    if compensation is None:
        file.fault(element, about, f"no gating:compensation-ref in {called(element)}", "what is compensated by what", cure)
    reference = text_attribute(file, element, about, GATING, "transformation-ref", needed=False)
    scale = _referred(file, element, known, about, reference) if reference is not None else None
    if isinstance(scale, Ratio):
        file.fault(element, about, f'the ratio "{reference}" as a scale', "a scale", "Use it in a data-type:new-dimension.")
        return None
    channel = _channel(file, element, known, about)
    if compensation is None or channel is None or (reference is not None and scale is None):
        return None
    return Dimension(channel=_our_name(channel, known.names.get(compensation, {})), scale=scale, compensation=compensation)


def _channel(file: GatingFile, element: Element, known: Definitions, about: str) -> str | Ratio | None:
    found = [child for child in element.children if (child.namespace, child.name) in _DIMENSION]
    if len(found) != 1:
        file.fault(element, about, f"{len(found)} channels in {called(element)}", "one data-type:fcs-dimension or new-dimension")
        return None
    if found[0].name == "fcs-dimension":
        check(file, found[0], about)
        return text_attribute(file, found[0], about, DATA_TYPE, "name")
    check(file, found[0], about, attributes=["transformation-ref"])
    reference = text_attribute(file, found[0], about, DATA_TYPE, "transformation-ref")
    ratio = _referred(file, found[0], known, about, reference) if reference is not None else None
    if ratio is not None and not isinstance(ratio, Ratio):
        file.fault(found[0], about, f'the scale "{reference}" as a new dimension', "a ratio (transforms:fratio)")
        return None
    return ratio


def _referred(file: GatingFile, element: Element, known: Definitions, about: str, reference: str) -> Scale | Ratio | None:
    if reference not in known.transformations:
        cure = "Add that transformation, or name one that is there."
        file.fault(element, about, f'the transformation "{reference}"', f"one of the file: {some_of(known.transformations)}", cure)
        return None
    found = known.transformations[reference]
    if found is None:
        file.fault(
            element, about, f'the transformation "{reference}", which could not be read', "one that can", "See its own fault."
        )
    return found


def _our_name(channel: str | Ratio, names: dict[str, str]) -> str | Ratio:
    """Names as in the sample: "Comp-FL1-A" of a spillover matrix with channel FL1-A is FL1-A."""
    if isinstance(channel, str):
        return names.get(channel, channel)
    top, below = (names.get(name, name) for name in (channel.numerator, channel.denominator))
    return Ratio(numerator=top, denominator=below, a=channel.a, b=channel.b, c=channel.c)


GATE_ELEMENTS: dict[str, Callable[[GatingFile, Element, Definitions, str, str | None], Gate | None]] = {
    "RectangleGate": _rectangle, "PolygonGate": _polygon, "EllipsoidGate": _ellipsoid, "QuadrantGate": _quadrants, "BooleanGate": _boolean,
}  # fmt: skip
