"""Where the reactions of a network picture stand, and the lines that run straight.

A reaction between neighbours stands between them, those to the right above those to the left. What comes from nothing stands above
its product, what goes to nothing below its reactant; a step into another row stands by its reactant, on the side it leads to. Any other
reaction takes a free place in the middle of its participants.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from thrombokit.drawing.network import BOX_HEIGHT, BOX_WIDTH, GRID, Dot, Heading
from thrombokit.signalling.network import Network, Reaction
from thrombokit.signalling.placement import COLUMN_PITCH
from thrombokit.signalling.regulation import Edge, EdgeKind

Place = tuple[float, float]
Key = tuple[str, str, EdgeKind]
STUB = 20
"""From a box to a reaction above or below it."""
_SPACING = {1: 0, 2: 40, 3: 30}
_PORTS: dict[int, tuple[int, ...]] = {1: (0,), 2: (-10, 10), 3: (-20, 0, 20)}
"""Where on its line a reaction is steered from one side, from its dot, by how many do."""
_SHIFT = (0, -20, 20)


@dataclass(frozen=True, kw_only=True)
class ReactionPlaces:
    """A dot for every reaction, and corners of the lines that need no search, by source, target and kind.

    `ports` are where the steering lines of a reaction between neighbours end, by source and reaction, and the direction they come in.
    """

    dots: tuple[Dot, ...]
    paths: Mapping[Key, tuple[Place, ...]]
    ports: Mapping[tuple[str, str], tuple[Place, Heading]]


@dataclass
class _Layout:
    centres: Mapping[str, Place]
    at: dict[str, Place] = field(default_factory=dict[str, Place])
    paths: dict[Key, tuple[Place, ...]] = field(default_factory=dict[Key, tuple[Place, ...]])


def place_reactions(network: Network, edges: Sequence[Edge], centres: Mapping[str, Place]) -> ReactionPlaces:
    """A place for every reaction.

    Parameters
    ----------
    network : Network
    edges : sequence of Edge
        Of `network_edges`.
    centres : dict of str to (float, float)
        Of the boxes by id, on the grid.
    """
    layout = _Layout(centres)
    regulated = {edge.target for edge in edges if edge.kind is EdgeKind.REGULATION}
    beside: dict[tuple[str, int], list[Reaction]] = {}
    neighbours = _between_neighbours(network, centres, regulated)
    for (start, stop), reactions in neighbours.items():
        _place_between(layout, start, stop, reactions)
    placed = set(layout.at)
    for reaction in network.reactions:
        if reaction.id not in placed and (side := _side(reaction, centres)) is not None:
            beside.setdefault(side, []).append(reaction)
    for (id, side), reactions in beside.items():
        _place_beside(layout, id, side, reactions)
    for reaction in network.reactions:
        if reaction.id not in layout.at:
            layout.at[reaction.id] = _free_place(layout, reaction)
    dots = tuple(
        Dot(id=one.id, x=layout.at[one.id][0], y=layout.at[one.id][1], note=one.label.replace("_", " "),
            is_open=not (one.reactants and one.products))
        for one in network.reactions
    )  # fmt: skip
    return ReactionPlaces(dots=dots, paths=layout.paths, ports=_ports(layout, edges, neighbours))


def _ends(reaction: Reaction) -> tuple[list[str], list[str]]:
    return (
        list(dict.fromkeys(one.species for one in reaction.reactants)),
        list(dict.fromkeys(one.species for one in reaction.products)),
    )


def _are_neighbours(a: Place, b: Place) -> bool:
    return a[1] == b[1] and abs(a[0] - b[0]) == COLUMN_PITCH


def _between_neighbours(
    network: Network, centres: Mapping[str, Place], regulated: set[str]
) -> dict[tuple[str, str], list[Reaction]]:
    """Reactions between two boxes side by side, by (from, to); those that nothing steers first."""
    found: dict[tuple[str, str], list[Reaction]] = {}
    for reaction in sorted(network.reactions, key=lambda one: one.id in regulated):
        inward, outward = _ends(reaction)
        if len(inward) == len(outward) == 1 and _are_neighbours(centres[inward[0]], centres[outward[0]]):
            found.setdefault((inward[0], outward[0]), []).append(reaction)
    return found


def _place_between(layout: _Layout, start: str, stop: str, reactions: list[Reaction]) -> None:
    (x0, y0), (x1, _) = layout.centres[start], layout.centres[stop]
    across = 1 if x1 > x0 else -1
    for at, reaction in enumerate(reactions):
        x, y = (x0 + x1) / 2 + _SHIFT[at % len(_SHIFT)], y0 - across * (GRID + at * 2 * GRID)
        side0, side1 = x0 + across * BOX_WIDTH / 2, x1 - across * BOX_WIDTH / 2
        first: tuple[Place, ...] = ((side0, y), (x, y))
        last: tuple[Place, ...] = ((x, y), (side1, y))
        if at:
            edge = y0 - across * BOX_HEIGHT / 2
            leaves, enters = side0 - across * GRID * (at + 1), side1 + across * GRID * (at + 1)
            first, last = ((leaves, edge), (leaves, y), (x, y)), ((x, y), (enters, y), (enters, edge))
        layout.at[reaction.id] = (x, y)
        layout.paths[start, reaction.id, EdgeKind.CONSUMPTION] = first
        layout.paths[reaction.id, stop, EdgeKind.PRODUCTION] = last


def _ports(
    layout: _Layout, edges: Sequence[Edge], neighbours: Mapping[tuple[str, str], list[Reaction]]
) -> dict[tuple[str, str], tuple[Place, Heading]]:
    """Steering lines come from the outer side; where nothing runs back, those from below come from there."""
    ports: dict[tuple[str, str], tuple[Place, Heading]] = {}
    for (start, stop), reactions in neighbours.items():
        to_the_right = layout.centres[start][0] < layout.centres[stop][0]
        for reaction in reactions:
            x, y = layout.at[reaction.id]
            steering = [edge.source for edge in edges if edge.kind is EdgeKind.REGULATION and edge.target == reaction.id]
            outer = Heading.DOWN if to_the_right else Heading.UP
            inner = Heading.UP if to_the_right else Heading.DOWN
            both = (stop, start) not in neighbours and reaction is reactions[0]
            crossing = [id for id in steering if both and (layout.centres[id][1] > y) == to_the_right]
            for heading, ids in ((outer, [id for id in steering if id not in crossing]), (inner, crossing)):
                shifts = _PORTS.get(len(ids), (0,) * len(ids))
                for shift, id in zip(shifts, sorted(ids, key=lambda one: layout.centres[one]), strict=True):
                    ports[id, reaction.id] = ((x + shift, y), heading)
    return ports


def _side(reaction: Reaction, centres: Mapping[str, Place]) -> tuple[str, int] | None:
    """The box a reaction stands by, and whether above (-1) or below (1) it."""
    inward, outward = _ends(reaction)
    if not inward and outward:
        return outward[0], -1
    if inward and not outward:
        return inward[0], 1
    if len(inward) == len(outward) == 1 and inward != outward:
        return inward[0], -1 if centres[outward[0]][1] < centres[inward[0]][1] else 1
    return None


def _place_beside(layout: _Layout, id: str, side: int, reactions: list[Reaction]) -> None:
    x, y = layout.centres[id]
    spacing = _SPACING.get(len(reactions), 20)
    first = -spacing * (len(reactions) - 1) / 2
    for at, reaction in enumerate(reactions):
        here = (x + first + at * spacing, y + side * (BOX_HEIGHT / 2 + STUB))
        here = (round(here[0] / GRID) * float(GRID), here[1])
        box_side: Place = (here[0], y + side * BOX_HEIGHT / 2)
        layout.at[reaction.id] = here
        if reaction.reactants:
            layout.paths[id, reaction.id, EdgeKind.CONSUMPTION] = (box_side, here)
        else:
            layout.paths[reaction.id, id, EdgeKind.PRODUCTION] = (here, box_side)


def _free_place(layout: _Layout, reaction: Reaction) -> Place:
    """The free grid point nearest to the middle of the participants."""
    inward, outward = _ends(reaction)
    ends = [layout.centres[id] for id in (*inward, *outward)] or [(COLUMN_PITCH, BOX_HEIGHT)]
    x, y = (round(sum(one[axis] for one in ends) / len(ends) / GRID) * GRID for axis in (0, 1))
    for reach in range(60):
        ring = sorted(_ring(x, y, reach), key=lambda one: (abs(one[0] - x) + abs(one[1] - y), one))
        free = next((one for one in ring if _is_free(layout, one)), None)
        if free is not None:
            return free
    return float(x), float(y)


def _ring(x: int, y: int, reach: int) -> Iterable[Place]:
    for dx in range(-reach, reach + 1):
        for dy in range(-reach, reach + 1):
            if max(abs(dx), abs(dy)) == reach:
                yield float(x + dx * GRID), float(y + dy * GRID)


def _is_free(layout: _Layout, place: Place) -> bool:
    if place[0] < 2 * GRID or place[1] < 2 * GRID:
        return False
    off_boxes = all(
        abs(place[0] - x) >= BOX_WIDTH / 2 + 2 * GRID or abs(place[1] - y) >= BOX_HEIGHT / 2 + 2 * GRID
        for x, y in layout.centres.values()
    )
    return off_boxes and all(abs(place[0] - x) >= 2 * GRID or abs(place[1] - y) >= 2 * GRID for x, y in layout.at.values())
