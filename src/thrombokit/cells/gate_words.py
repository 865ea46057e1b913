"""A gate in words, exact to the last digit: what a lock keeps of it, and what is told when it changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

from thrombokit.cells.gates import (
    FILE_MATRIX,
    UNCOMPENSATED,
    BooleanGate,
    Dimension,
    EllipsoidGate,
    Gate,
    GateTree,
    PolygonGate,
    QuadrantGate,
    RectangleGate,
    dimensions_of,
)
from thrombokit.cells.scales import Ratio, Scale
from thrombokit.cells.spectrum import SpectrumMatrix, detectors_of, fluorochromes_of


def words_of(gate: Gate, tree: GateTree) -> tuple[str, ...]:
    """Lines of text that say all that decides which events are in a gate: its kind, parent, shape, scales and matrices."""
    kind = type(gate).__name__.removesuffix("Gate").lower()
    used = dict.fromkeys(dimension.compensation for dimension in dimensions_of(gate))
    matrices = (_matrix_words(tree, name) for name in used if name in tree.matrices)
    return (f"kind: {kind}", f"parent: {gate.parent or 'all events'}", *_shape_words(gate), *matrices)


def _shape_words(gate: Gate) -> tuple[str, ...]:
    match gate:
        case RectangleGate():
            return tuple(f"{dimension_words(b.dimension)}: {range_words(b.low, b.high)}" for b in gate.bounds)
        case PolygonGate():
            corners = " ".join(f"({x!r}, {y!r})" for x, y in gate.vertices.tolist())
            return (f"x: {dimension_words(gate.x)}", f"y: {dimension_words(gate.y)}", f"vertices: {corners}")
        case EllipsoidGate():
            along = tuple(f"dimension {n}: {dimension_words(d)}" for n, d in enumerate(gate.dimensions, start=1))
            rows = " / ".join(_numbers(row) for row in gate.covariance.tolist())
            square = f"squared distance: {float(gate.distance_square)!r}"
            return (*along, f"mean: {_numbers(gate.mean.tolist())}", f"covariance: {rows}", square)
        case QuadrantGate():
            cuts = tuple(f"divider {d.id}: {dimension_words(d.dimension)} cut at {_numbers(d.values)}" for d in gate.dividers)
            parts = tuple(
                f"quadrant {q.id}: " + ", ".join(f"{name} about {float(place)!r}" for name, place in q.positions)
                for q in gate.quadrants
            )
            return (*cuts, *parts)
        case BooleanGate():
            operands = [("not " if operand.complement else "") + operand.gate for operand in gate.operands]
            return ("not " + operands[0] if gate.operation == "not" else f" {gate.operation} ".join(operands),)


def range_words(low: float | None, high: float | None) -> str:
    """low <= value < high in words."""
    if low is not None and high is not None:
        return f"{float(low)!r} to {float(high)!r}"
    if low is not None:
        return f"{float(low)!r} and above"
    return "any value" if high is None else f"below {float(high)!r}"


def dimension_words(dimension: Dimension) -> str:
    """Channel or ratio, compensation and scale in words."""
    channel = dimension.channel
    if isinstance(channel, Ratio):
        channel = (
            f"{float(channel.a)!r} ({channel.numerator} - {float(channel.b)!r}) / ({channel.denominator} - {float(channel.c)!r})"
        )
    known = {UNCOMPENSATED: UNCOMPENSATED, FILE_MATRIX: "compensated by the file"}
    return f"{channel} ({known.get(dimension.compensation, f'matrix {dimension.compensation}')}, {scale_words(dimension.scale)})"


def scale_words(scale: Scale | None) -> str:
    """Kind and letters of a scale in words."""
    if scale is None:
        return "linear values"
    letters = [(field.name, getattr(scale, field.name)) for field in fields(scale)]
    said = [f"{name if len(name) > 1 else name.upper()} {float(value)!r}" for name, value in sorted(letters) if value is not None]
    return " ".join([type(scale).__name__.removesuffix("Scale").lower(), *said])


def _matrix_words(tree: GateTree, name: str) -> str:
    matrix = tree.matrices[name]
    rows = " / ".join(_numbers(row) for row in matrix.matrix.tolist())
    inverted = ", inverted" if isinstance(matrix, SpectrumMatrix) and matrix.inverted else ""
    return f"matrix {name}{inverted}: {', '.join(fluorochromes_of(matrix))} from {', '.join(detectors_of(matrix))}: {rows}"


def _numbers(values: Sequence[float]) -> str:
    return " ".join(repr(float(value)) for value in values)
