"""Gates as plain values for a record that people and programs read: kind, parent, dimensions, boundary."""

from __future__ import annotations

import dataclasses
from typing import Any

from thrombokit.cells.gates import (
    BooleanGate,
    Dimension,
    EllipsoidGate,
    Gate,
    GateTree,
    PolygonGate,
    QuadrantGate,
    RectangleGate,
)  # fmt: skip
from thrombokit.cells.scales import Ratio


def gate_records(tree: GateTree) -> list[dict[str, Any]]:
    """One entry a gate in the order of the tree: `id, kind, parent` (None: all events), `dimensions`, `boundary`.

    Boundaries are on the dimensions' scales, as in Gating-ML 2.0.
    """
    return [{"id": gate.id, "kind": KINDS[type(gate)], "parent": gate.parent, **_body(gate)} for gate in tree.gates]


KINDS: dict[type, str] = {
    RectangleGate: "rectangle",
    PolygonGate: "polygon",
    EllipsoidGate: "ellipsoid",
    QuadrantGate: "quadrants",
    BooleanGate: "Boolean",
}


def dimension_record(dimension: Dimension) -> dict[str, Any]:
    """Channel (or ratio), scale with its letters, compensation."""
    channel, scale = dimension.channel, dimension.scale
    name = f"{channel.numerator} / {channel.denominator}" if isinstance(channel, Ratio) else channel
    letters = {} if scale is None else {key: value for key, value in dataclasses.asdict(scale).items() if value is not None}
    kind = "linear" if scale is None else type(scale).__name__.removesuffix("Scale").lower()
    return {"channel": name, "scale": {"kind": kind, **letters}, "compensation": dimension.compensation}


def _body(gate: Gate) -> dict[str, Any]:
    match gate:
        case RectangleGate():
            ends = [{"low": bound.low, "high": bound.high} for bound in gate.bounds]
            return {"dimensions": [dimension_record(bound.dimension) for bound in gate.bounds], "boundary": ends}
        case PolygonGate():
            return {
                "dimensions": [dimension_record(gate.x), dimension_record(gate.y)],
                "boundary": {"vertices": gate.vertices.tolist()},
            }
        case EllipsoidGate():
            shape = {"mean": gate.mean.tolist(), "covariance": gate.covariance.tolist(), "distance_square": gate.distance_square}
            return {"dimensions": [dimension_record(one) for one in gate.dimensions], "boundary": shape}
        case QuadrantGate():
            cuts = {divider.id: list(divider.values) for divider in gate.dividers}
            parts = {quadrant.id: dict(quadrant.positions) for quadrant in gate.quadrants}
            return {
                "dimensions": [dimension_record(one.dimension) for one in gate.dividers],
                "boundary": {"cuts": cuts, "quadrants": parts},
            }
        case BooleanGate():
            operands = [("not " if operand.complement else "") + operand.gate for operand in gate.operands]
            return {"dimensions": [], "boundary": {"operation": gate.operation, "operands": operands}}
