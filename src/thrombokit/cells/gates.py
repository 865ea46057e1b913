"""Gates as values, and the tree they stand in.

A gate says which events lie in it, in named dimensions; its parent is another gate (or none: all events) and an event is in a gate only
if it is in the parent too. Lower bounds belong to the gate, upper bounds do not, as Gating-ML 2.0 has it. Nothing here touches events:
`thrombokit.cells.membership` does.

References
----------
Spidlen J, ISAC Data Standards Task Force, Brinkman RR (2015) Gating-ML 2.0. Cytometry A 87:683-687, doi:10.1002/cyto.a.22690.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from thrombokit.cells.gate_geometry import (
    Trouble,
    divider_troubles,
    ellipsoid_troubles,
    is_ellipsoid,
    polygon_troubles,
    range_troubles,
)
from thrombokit.cells.scales import Ratio, Scale
from thrombokit.cells.spectrum import SpectrumMatrix
from thrombokit.cells.spillover import Spillover
from thrombokit.errors import Fault, InputError
from thrombokit.numerics.arrays import Array, FrozenArrays, frozen

UNCOMPENSATED, FILE_MATRIX = "uncompensated", "FCS"
"""`Dimension.compensation`: decoded values as they are; the file's own matrix; any other text names a matrix of the tree."""


@dataclass(frozen=True, kw_only=True)
class Dimension:
    """What a gate looks at: a channel (or a ratio of two), whether its spillover is removed, and the scale it is looked at on.

    `scale` None is the plain linear value. `compensation` is "uncompensated", "FCS" or the name of one of the tree's matrices. `channel`
    is a channel's short name ($PnN), or with a spectrum matrix the name of the fluorochrome.
    """

    channel: str | Ratio
    scale: Scale | None = None
    compensation: str = UNCOMPENSATED


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """low <= value < high in one dimension, on its scale; None leaves a side open."""

    dimension: Dimension
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, kw_only=True)
class RectangleGate:
    """All of its bounds at once, in one or more dimensions."""

    id: str
    bounds: tuple[Bounds, ...]
    parent: str | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class PolygonGate(FrozenArrays):
    """Inside a polygon by the even-odd rule, its border included; `vertices` of shape (n, 2), n >= 3, on the dimensions' scales."""

    id: str
    x: Dimension
    y: Dimension
    vertices: Array
    parent: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "vertices", frozen(self.vertices))


@dataclass(frozen=True, kw_only=True, eq=False)
class EllipsoidGate(FrozenArrays):
    """(x - mean) covariance^-1 (x - mean) <= distance_square, in two or more dimensions; `mean` (d,), `covariance` (d, d)."""

    id: str
    dimensions: tuple[Dimension, ...]
    mean: Array
    covariance: Array
    distance_square: float
    parent: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "mean", frozen(self.mean))
        object.__setattr__(self, "covariance", frozen(self.covariance))


@dataclass(frozen=True, kw_only=True)
class Divider:
    """One dimension cut at one or more values, rising."""

    id: str
    dimension: Dimension
    values: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Quadrant:
    """One part of a divided plane: for each divider named, the interval between its values that holds `location`."""

    id: str
    positions: tuple[tuple[str, float], ...]


@dataclass(frozen=True, kw_only=True)
class QuadrantGate:
    """Dividers and the parts they make; each quadrant's id is a population of its own."""

    id: str
    dividers: tuple[Divider, ...]
    quadrants: tuple[Quadrant, ...]
    parent: str | None = None


@dataclass(frozen=True, kw_only=True)
class Operand:
    """A gate (or quadrant) that a Boolean gate refers to, or with `complement` its events' complement."""

    gate: str
    complement: bool = False


@dataclass(frozen=True, kw_only=True)
class BooleanGate:
    """and, or, not of other gates; not has one operand."""

    id: str
    operation: Literal["and", "or", "not"]
    operands: tuple[Operand, ...]
    parent: str | None = None


Gate = RectangleGate | PolygonGate | EllipsoidGate | QuadrantGate | BooleanGate


@dataclass(frozen=True, kw_only=True)
class GateTree:
    """Gates, in the order in which they were written, and the spillover or spectrum matrices they name.

    Raises
    ------
    InputError
        If ids are not unique, a parent, operand or matrix does not exist, gates hang on each other in a circle, or the shape of a gate
        is impossible; all faults at once.
    """

    gates: tuple[Gate, ...]
    matrices: dict[str, Spillover | SpectrumMatrix] = field(default_factory=dict[str, Spillover | SpectrumMatrix])
    source: str = "gates"

    def __post_init__(self) -> None:
        faults = tuple(_faults(self))
        if faults:
            raise InputError(faults)

    @property
    def population_ids(self) -> tuple[str, ...]:
        """Every id that has a membership of its own: gates in order, a quadrant gate's quadrants in its place."""
        return tuple(name for gate in self.gates for name in population_ids_of(gate))

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences on what is odd about the gates and applied all the same."""
        return tuple(
            f"gate {gate.id}: its covariance matrix is not symmetric and positive definite, so that the gate is not closed or not the "
            "ellipsoid that was drawn; the formula of the standard is applied as it stands."
            for gate in self.gates
            if isinstance(gate, EllipsoidGate) and not is_ellipsoid(gate.covariance)
        )

    def gate(self, id: str) -> Gate:
        """The gate of that id, or the one that holds the quadrant of that id; a KeyError where there is none."""
        for gate in self.gates:
            if gate.id == id or id in population_ids_of(gate):
                return gate
        raise KeyError(id)

    def parent_of(self, id: str) -> str | None:
        """The id of a population's parent, or None for all events."""
        return self.gate(id).parent


def population_ids_of(gate: Gate) -> tuple[str, ...]:
    """The gate's own id, or its quadrants' ids."""
    return tuple(q.id for q in gate.quadrants) if isinstance(gate, QuadrantGate) else (gate.id,)


def needs_of(gate: Gate) -> tuple[str, ...]:
    """Ids whose membership must be known first: parent and operands."""
    operands = tuple(o.gate for o in gate.operands) if isinstance(gate, BooleanGate) else ()
    return (*((gate.parent,) if gate.parent else ()), *operands)


def dimensions_of(gate: Gate) -> tuple[Dimension, ...]:
    """The dimensions a gate looks at; none for a Boolean gate."""
    match gate:
        case RectangleGate():
            return tuple(b.dimension for b in gate.bounds)
        case PolygonGate():
            return (gate.x, gate.y)
        case EllipsoidGate():
            return gate.dimensions
        case QuadrantGate():
            return tuple(d.dimension for d in gate.dividers)
        case BooleanGate():
            return ()


def in_order(tree: GateTree) -> tuple[Gate, ...]:
    """The gates such that what a gate needs comes before it."""
    owner = {name: number for number, gate in enumerate(tree.gates) for name in (gate.id, *population_ids_of(gate))}
    followers: list[list[int]] = [[] for _ in tree.gates]
    waits_for = [0] * len(tree.gates)
    for number, gate in enumerate(tree.gates):
        for need in needs_of(gate):
            followers[owner[need]].append(number)
            waits_for[number] += 1
    ready = deque(number for number, count in enumerate(waits_for) if count == 0)
    order: list[int] = []
    while ready:
        order.append(ready.popleft())
        for number in followers[order[-1]]:
            waits_for[number] -= 1
            if waits_for[number] == 0:
                ready.append(number)
    if len(order) < len(tree.gates):
        raise ValueError("gates hang on each other in a circle")
    return tuple(tree.gates[number] for number in order)


def _faults(tree: GateTree) -> Iterator[Fault]:
    ids = [name for gate in tree.gates for name in dict.fromkeys((gate.id, *population_ids_of(gate)))]
    for name in sorted(name for name, count in Counter(ids).items() if count > 1):
        yield Fault(place=f"{tree.source}, gate {name}", found="an id used more than once", expected="ids that are unique",
                    cure="Rename one of them.")  # fmt: skip
    references = tuple(_reference_faults(tree, set(ids)))
    yield from references
    if not references:
        try:
            in_order(tree)
        except ValueError:
            yield Fault(place=tree.source, found="gates that hang on each other in a circle", expected="a tree",
                        cure="Give one of them another parent.")  # fmt: skip
    for gate in tree.gates:
        for found, expected, cure in _shape_troubles(gate):
            yield Fault(place=f"{tree.source}, gate {gate.id}", found=found, expected=expected, cure=cure)


def _reference_faults(tree: GateTree, known: set[str]) -> Iterator[Fault]:
    whole = {gate.id: population_ids_of(gate) for gate in tree.gates if isinstance(gate, QuadrantGate)}
    for gate in tree.gates:
        place = f"{tree.source}, gate {gate.id}"
        for need in dict.fromkeys(needs_of(gate)):
            if need in whole:
                yield Fault(place=place, found=f'a reference to the quadrant gate "{need}"',
                            expected=f"one of its quadrants: {', '.join(whole[need])}",
                            cure="Name the quadrant: the whole gate has no events of its own.")  # fmt: skip
            elif need not in known:
                yield Fault(place=place, found=f'a reference to "{need}"', expected="the id of a gate in the file",
                            cure="Correct the id, or add that gate.")  # fmt: skip
        for name in dict.fromkeys(dimension.compensation for dimension in dimensions_of(gate)):
            if name not in (UNCOMPENSATED, FILE_MATRIX, *tree.matrices):
                there = ", ".join(f'"{matrix}"' for matrix in list(tree.matrices)[:20]) or "none is defined"
                yield Fault(place=place, found=f'the compensation "{name}"',
                            expected=f'"{UNCOMPENSATED}", "{FILE_MATRIX}" or a matrix of the file ({there})',
                            cure="Add that matrix, or name one that is there.")  # fmt: skip


def _shape_troubles(gate: Gate) -> Iterator[Trouble]:
    match gate:
        case RectangleGate():
            if not gate.bounds:
                yield "a rectangle without a dimension", "one or more", "Add a dimension, or remove the gate."
            for bounds in gate.bounds:
                yield from range_troubles(bounds.low, bounds.high)
        case PolygonGate():
            yield from polygon_troubles(gate.vertices)
        case EllipsoidGate():
            yield from ellipsoid_troubles(len(gate.dimensions), gate.mean, gate.covariance, gate.distance_square)
        case QuadrantGate():
            yield from _quadrant_troubles(gate)
        case BooleanGate():
            if not gate.operands or (gate.operation == "not" and len(gate.operands) != 1):
                expected = "one" if gate.operation == "not" else "two or more"
                yield f"{gate.operation} of {len(gate.operands)} gates", expected, "Correct the gate's references."


def _quadrant_troubles(gate: QuadrantGate) -> Iterator[Trouble]:
    names = [divider.id for divider in gate.dividers]
    for divider in gate.dividers:
        yield from divider_troubles(divider.values)
    if len(set(names)) != len(names):
        yield f"dividers of the same id among {', '.join(names)}", "ids that are unique", "Rename one of them."
    if not gate.quadrants:
        yield "a quadrant gate without quadrants", "one quadrant or more", "Add its quadrants, or remove the gate."
    for quadrant in gate.quadrants:
        said = [name for name, _ in quadrant.positions]
        if not said or len(set(said)) != len(said) or not set(said) <= set(names):
            found = f"quadrant {quadrant.id} with positions for {', '.join(said) or 'no divider'}"
            yield found, f"dividers of the gate, each once at most: {', '.join(names)}", "Correct the positions."
        for name, location in quadrant.positions:
            if not np.isfinite(location):
                yield f"quadrant {quadrant.id} at {location} of {name}", "a finite number", "Correct the position."


def rectangle(id: str, *bounds: Bounds, parent: str | None = None) -> RectangleGate:
    """A rectangle gate in one line."""
    return RectangleGate(id=id, bounds=bounds, parent=parent)


def polygon(id: str, x: Dimension, y: Dimension, vertices: object, *, parent: str | None = None) -> PolygonGate:
    """A polygon gate in one line; `vertices` of shape (n, 2)."""
    return PolygonGate(id=id, x=x, y=y, vertices=np.asarray(vertices, dtype=np.float64), parent=parent)
