"""Gates applied to a sample: which events lie in which population.

Events are taken a block at a time, small enough that its columns stay in the processor's cache; a column is compensated once a block,
whichever gates ask for it. Bounds are carried over to plain values first (`bound_values`), so that ranges and quadrants need no scaled
column; polygons and ellipsoids scale only the events inside their bounding box and their parent.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from thrombokit.cells.bound_values import first_value_at
from thrombokit.cells.event_columns import EventBlock, Recipe, RecipeKey, key_of, recipes_for
from thrombokit.cells.gate_geometry import interval_of
from thrombokit.cells.gates import (
    BooleanGate,
    Dimension,
    EllipsoidGate,
    Gate,
    GateTree,
    PolygonGate,
    QuadrantGate,
    RectangleGate,
    in_order,
    population_ids_of,
)
from thrombokit.cells.sample import Sample
from thrombokit.cells.scales import HyperlogScale, LogicleScale, Scale
from thrombokit.numerics.arrays import Array, BoolArray
from thrombokit.numerics.ellipsoids import ellipsoid_box, inside_ellipsoid
from thrombokit.numerics.polygons import inside_polygon
from thrombokit.numerics.scale_table import look_up

EVENTS_AT_ONCE = 1 << 14
"""Twelve columns of float64 of so many events fill 1.5 MB."""

Recipes = Mapping[RecipeKey, Recipe]
Members = Mapping[str, BoolArray]
Test = Callable[[EventBlock, BoolArray], BoolArray]
"""Which of the events that are marked (bool array (n,)) lie in a shape; the marks may be written to."""


@dataclass(frozen=True, kw_only=True)
class _Range:
    """first <= plain value, and not past <= plain value; not-a-number in `past` leaves it open."""

    recipe: Recipe
    first: float
    past: float


def apply_gates(sample: Sample, gates: GateTree) -> dict[str, BoolArray]:
    """Which events lie in each population.

    Parameters
    ----------
    sample : Sample
        Its decoded events are gated; compensation is what each dimension of the gates says.
    gates : GateTree
        Gates and the matrices they name.

    Returns
    -------
    dict of bool arrays of shape (n_events,)
        One entry a population id, in the order of the tree: each gate, and each quadrant of a quadrant gate. An event is in a population
        only if it is in its parent too. An event whose value is not a number is in no gate that looks at it.

    Raises
    ------
    InputError
        If a gate's channel or matrix does not fit the sample; all faults at once.

    Notes
    -----
    Ranges take their lower bound in and leave their upper bound out; borders of polygons and ellipsoids belong to them. "FCS" means the
    file's own matrix: channels outside it, and files without one, are taken as they are. Polygons and ellipsoids look at logicle and
    hyperlog scales through a table, which differs from the exact scale by less than 1e-11; ranges are exact.

    References
    ----------
    Spidlen J, ISAC Data Standards Task Force, Brinkman RR (2015) Gating-ML 2.0. Cytometry A 87:683-687, doi:10.1002/cyto.a.22690.
    """
    recipes = recipes_for(sample, gates)
    events = sample.events("decoded")
    ordered = [(gate, _tests_of(gate, recipes)) for gate in in_order(gates)]
    members = {name: np.zeros(sample.n_events, dtype=np.bool_) for name in gates.population_ids}
    for start in range(0, sample.n_events, EVENTS_AT_ONCE):
        part = slice(start, min(start + EVENTS_AT_ONCE, sample.n_events))
        block = EventBlock(events=events[part])
        here = {name: member[part] for name, member in members.items()}
        for gate, tests in ordered:
            _mark(gate, tests, block, here)
    return members


def _mark(gate: Gate, tests: tuple[Test, ...], block: EventBlock, here: Members) -> None:
    parent = here[gate.parent] if gate.parent else np.ones(len(block.events), dtype=np.bool_)
    if isinstance(gate, BooleanGate):
        here[gate.id][:] = parent & _combined(gate, here)
        return
    for name, test in zip(population_ids_of(gate), tests, strict=True):
        here[name][:] = test(block, parent.copy()) if parent.any() else False


def _combined(gate: BooleanGate, here: Members) -> BoolArray:
    parts = [~here[operand.gate] if operand.complement else here[operand.gate] for operand in gate.operands]
    if gate.operation == "not":
        return ~parts[0]
    return np.logical_and.reduce(parts) if gate.operation == "and" else np.logical_or.reduce(parts)


def _tests_of(gate: Gate, recipes: Recipes) -> tuple[Test, ...]:
    """One test a population of the gate; none for a Boolean gate."""
    match gate:
        case RectangleGate():
            return (_range_test([_range(bounds.dimension, bounds.low, bounds.high, recipes) for bounds in gate.bounds]),)
        case PolygonGate():
            return (_polygon_test(gate, recipes),)
        case EllipsoidGate():
            return (_ellipsoid_test(gate, recipes),)
        case QuadrantGate():
            dividers = {divider.id: divider for divider in gate.dividers}
            return tuple(
                _range_test(
                    [
                        _range(dividers[name].dimension, *interval_of(dividers[name].values, location), recipes)
                        for name, location in quadrant.positions
                    ]
                )
                for quadrant in gate.quadrants
            )
        case BooleanGate():
            return ()


def _range(dimension: Dimension, low: float | None, high: float | None, recipes: Recipes) -> _Range:
    return _Range(
        recipe=recipes[key_of(dimension)],
        first=-math.inf if low is None else first_value_at(dimension.scale, low),
        past=math.nan if high is None else first_value_at(dimension.scale, high),
    )


def _range_test(ranges: list[_Range]) -> Test:
    def test(block: EventBlock, inside: BoolArray) -> BoolArray:
        for one in ranges:
            values = block.values(one.recipe)
            inside &= values >= one.first
            if not math.isnan(one.past):
                inside &= values < one.past
        return inside

    return test


def _polygon_test(gate: PolygonGate, recipes: Recipes) -> Test:
    box = [_box_side(dimension, gate.vertices[:, i], recipes) for i, dimension in enumerate((gate.x, gate.y))]

    def shape(x: Array, y: Array) -> BoolArray:
        return inside_polygon(x, y, gate.vertices)

    return _box_then_shape_test(box, (gate.x, gate.y), shape)


def _ellipsoid_test(gate: EllipsoidGate, recipes: Recipes) -> Test:
    box = ellipsoid_box(gate.mean, gate.covariance, gate.distance_square)
    if box is None:
        sides = [_range(dimension, None, None, recipes) for dimension in gate.dimensions]
    else:
        ends = np.stack(box, axis=1)
        sides = [_box_side(dimension, places, recipes) for dimension, places in zip(gate.dimensions, ends, strict=True)]

    def shape(*columns: Array) -> BoolArray:
        return inside_ellipsoid(list(columns), gate.mean, gate.covariance, gate.distance_square)

    return _box_then_shape_test(sides, gate.dimensions, shape)


def _box_side(dimension: Dimension, places: Array, recipes: Recipes) -> _Range:
    """The plain values from the lowest of `places` on the scale to the highest, both ends in."""
    return _range(dimension, float(places.min()), float(np.nextafter(places.max(), math.inf)), recipes)


def _box_then_shape_test(box: list[_Range], dimensions: tuple[Dimension, ...], shape: Callable[..., BoolArray]) -> Test:
    in_box = _range_test(box)

    def test(block: EventBlock, inside: BoolArray) -> BoolArray:
        inside = in_box(block, inside)
        chosen = np.flatnonzero(inside)
        if chosen.size:
            plain = [block.values(side.recipe)[chosen] for side in box]
            inside[chosen] = shape(*(_on_scale(d.scale, values) for d, values in zip(dimensions, plain, strict=True)))
        return inside

    return test


def _on_scale(scale: Scale | None, values: Array) -> Array:
    """Through the table however few the values are: where an event lies must not depend on how many lie beside it."""
    if scale is None:
        return values
    if not isinstance(scale, LogicleScale | HyperlogScale):
        return scale.apply(values)
    scaled = look_up(values, scale.table())
    is_cut = scale.bound_min is not None or scale.bound_max is not None
    return np.clip(scaled, scale.bound_min, scale.bound_max) if is_cut else scaled
