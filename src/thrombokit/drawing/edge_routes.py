"""Ways for lines around boxes: level and upright stretches on a grid, no line through a box, few corners and crossings.

Each line is the cheapest way by A*: a step costs 1, a corner, a crossing and a stretch along another line cost more, and lines from one box
may share their beginning, as a bus does. Lines are laid one after the other, the short ones first and feedback last, each seeing those
before.

References
----------
Hart PE, Nilsson NJ, Raphael B (1968) A formal basis for the heuristic determination of minimum cost paths. IEEE Trans Syst Sci Cybern
4:100-107, doi:10.1109/TSSC.1968.300136.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise

from thrombokit.drawing.network import BOX_HEIGHT, BOX_WIDTH, GRID, Box, Dot, Line, NetworkPicture, Region

Cell = tuple[int, int]
Corner = tuple[float, float]
Owner = tuple[str, int, bool]
State = tuple[Cell, int]
"""A cell and the direction in which a line runs through it."""
STEP, SHARED_STEP, CORNER, CROSSING, ALONG, BY_A_DOT, ON_WORDS, BY_A_BOX = 1.0, 0.6, 5.0, 6.0, 18.0, 8.0, 12.0, 0.8
"""Costs of a step of `GRID`."""
LETTER_WIDTH = 5.8
_DIRECTIONS: tuple[Cell, ...] = ((1, 0), (0, 1), (-1, 0), (0, -1))
_HALF_X, _HALF_Y = BOX_WIDTH // (2 * GRID), BOX_HEIGHT // (2 * GRID)
_ROUND = 4
"""Steps around a box from which a line may start off its middle for free of charge but this share of a step."""


def route_lines(picture: NetworkPicture) -> NetworkPicture:
    """The picture with a path for every line.

    Parameters
    ----------
    picture : NetworkPicture
        Lines with a path keep it.

    Returns
    -------
    NetworkPicture
        Where an end is walled in by its neighbours the line is straight, behind the boxes.
    """
    grid = _Grid.of(picture)
    for line in picture.lines:
        if line.path:
            grid.take(line, line.path)
    waiting = [at for at, line in enumerate(picture.lines) if not line.path]
    waiting.sort(key=lambda at: (picture.lines[at].is_feedback, grid.distance(picture.lines[at]), at))
    found: dict[int, tuple[Corner, ...]] = {}
    for at in waiting:
        found[at] = grid.way(picture.lines[at])
        grid.take(picture.lines[at], found[at])
    lines = tuple(replace(line, path=found[at]) if at in found else line for at, line in enumerate(picture.lines))
    return replace(picture, lines=lines)


@dataclass
class _Grid:
    """The picture as cells of `GRID`, and who runs through them: per cell and orientation (0 level, 1 upright) the lines' owners.

    `busy` are cells where a step costs more than 1.
    """

    columns: int
    rows: int
    boxes: Mapping[str, Cell]
    dots: Mapping[str, Cell]
    blocked: frozenset[Cell]
    near_dots: Mapping[Cell, frozenset[str]]
    words: frozenset[Cell]
    beside: frozenset[Cell]
    taken: dict[tuple[Cell, int], set[Owner]] = field(default_factory=dict[tuple[Cell, int], set[Owner]])
    busy: set[Cell] = field(default_factory=set[Cell])

    @classmethod
    def of(cls, picture: NetworkPicture) -> _Grid:
        boxes = {box.id: _cell(box) for box in picture.boxes}
        dots = {dot.id: _cell(dot) for dot in picture.dots}
        near: dict[Cell, set[str]] = {}
        for id, (x, y) in dots.items():
            for cell in ((x + dx, y + dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1)):
                near.setdefault(cell, set()).add(id)
        return cls(
            columns=int(picture.width // GRID) + 1, rows=int(picture.height // GRID) + 1, boxes=boxes, dots=dots,
            blocked=frozenset(cell for centre in boxes.values() for cell in _inside(centre)) | frozenset(dots.values()),
            near_dots={cell: frozenset(ids) for cell, ids in near.items()},
            beside=frozenset(cell for centre in boxes.values() for cell in _inside(centre, margin=1)),
            words=frozenset(cell for region in picture.regions for cell in _label_cells(region)),
        )  # fmt: skip

    def __post_init__(self) -> None:
        self.busy.update(self.words, self.near_dots, self.beside)

    def distance(self, line: Line) -> int:
        a, b = self._centre(line.source), self._centre(line.target)
        return abs(a[0] - b[0]) + abs(a[1] - b[1])

    def take(self, line: Line, path: Iterable[Corner]) -> None:
        for cell, orientation in _cells_along([_nearest(x, y) for x, y in path]):
            self.taken.setdefault((cell, orientation), set()).add(_owner(line))
            self.busy.add(cell)

    def way(self, line: Line) -> tuple[Corner, ...]:
        """The cheapest way of one line, as corners in picture units; straight, where one of its ends is walled in."""
        goals = self._goals(line)
        aim = next(iter(goals))[0] if line.port else self._centre(line.target)
        reach = _HALF_X + _HALF_Y if line.target in self.boxes else 0
        waiting: list[tuple[float, float, Cell, int, Cell | None, int]] = []
        for cell, direction in self._ends(line.source, inward=False):
            cost = abs(cell[0] - self._centre(line.source)[0]) / _ROUND
            heapq.heappush(waiting, (cost, cost, cell, direction, None, -1))
        came: dict[State, tuple[Cell | None, int]] = {}
        least: dict[State, float] = {}
        while waiting:
            _, cost, cell, direction, before, turned = heapq.heappop(waiting)
            if (cell, direction) in came:
                continue
            came[cell, direction] = (before, turned)
            if (cell, direction) in goals:
                return _corners(came, cell, direction)
            for after, heading, more in self._steps(line, cell, direction, goals, came):
                total = cost + more
                if total < least.get((after, heading), math.inf):
                    least[after, heading] = total
                    left = max(abs(after[0] - aim[0]) + abs(after[1] - aim[1]) - reach, 0) * STEP
                    heapq.heappush(waiting, (total + left, total, after, heading, cell, direction))
        return tuple((float(x * GRID), float(y * GRID)) for x, y in (self._centre(line.source), self._centre(line.target)))

    def _goals(self, line: Line) -> set[State]:
        goals = set(self._ends(line.target, inward=True))
        if line.port is not None:
            goals = {(_nearest(*line.port), heading) for heading in range(4)}
        return {goal for goal in goals if line.heading is None or goal[1] == line.heading}

    def _steps(
        self, line: Line, cell: Cell, direction: int, goals: set[State], came: Container[State]
    ) -> Iterator[tuple[Cell, int, float]]:
        starting = cell in self.blocked
        # the mark at the end needs a straight stretch
        corner = CORNER * (2.0 if line.target in self.near_dots.get(cell, ()) else 1.0)
        for heading, (dx, dy) in enumerate(_DIRECTIONS):
            if (heading + 2) % 4 == direction or (starting and heading != direction):
                continue
            after = (cell[0] + dx, cell[1] + dy)
            if not (0 < after[0] < self.columns - 1 and 0 < after[1] < self.rows - 1):
                continue
            if after in self.blocked and (after, heading) not in goals:
                continue
            if (after, heading) in came:
                continue
            yield after, heading, self._price(line, after, heading % 2) + (corner if heading != direction else 0.0)

    def _price(self, line: Line, cell: Cell, orientation: int) -> float:
        same, across = self.taken.get((cell, orientation), ()), self.taken.get((cell, 1 - orientation), ())
        if cell not in self.busy:
            return STEP
        own = _owner(line)
        price = SHARED_STEP if own in same else STEP
        if any(owner != own for owner in same):
            price += ALONG
        if any(owner != own for owner in across):
            price += CROSSING
        price += (ON_WORDS if cell in self.words else 0.0) + (BY_A_BOX if cell in self.beside else 0.0)
        return price + BY_A_DOT * len(self.near_dots.get(cell, frozenset[str]()) - {line.target, line.source})

    def _ends(self, id: str, *, inward: bool) -> Iterator[State]:
        """Cells at which a line leaves or enters, with the direction in which it does."""
        if id in self.dots:
            yield from ((self.dots[id], direction) for direction in range(4))
            return
        x, y = self.boxes[id]
        for dx in range(1 - _HALF_X, _HALF_X):
            yield (x + dx, y + _HALF_Y), 3 if inward else 1
            yield (x + dx, y - _HALF_Y), 1 if inward else 3
        for dy in range(1 - _HALF_Y, _HALF_Y):
            yield (x + _HALF_X, y + dy), 2 if inward else 0
            yield (x - _HALF_X, y + dy), 0 if inward else 2

    def _centre(self, id: str) -> Cell:
        return self.boxes[id] if id in self.boxes else self.dots[id]


def _cell(one: Box | Dot) -> Cell:
    return _nearest(one.x, one.y)


def _owner(line: Line) -> Owner:
    """Lines that may share a stretch: of one source, drawn alike."""
    return line.source, line.sign, line.is_feedback


def _nearest(x: float, y: float) -> Cell:
    return round(x / GRID), round(y / GRID)


def _label_cells(region: Region) -> Iterator[Cell]:
    """Cells under the label of a region; a letter is about as wide as half its height."""
    x, y = region.label_place
    for column in range(int(x // GRID), int((x + LETTER_WIDTH * len(region.label)) // GRID) + 2):
        yield column, int(y // GRID)
        yield column, int(y // GRID) - 1


def _inside(centre: Cell, *, margin: int = 0) -> Iterator[Cell]:
    """Cells of a box with its border, and `margin` cells around."""
    for dx in range(-_HALF_X - margin, _HALF_X + margin + 1):
        for dy in range(-_HALF_Y - margin, _HALF_Y + margin + 1):
            yield centre[0] + dx, centre[1] + dy


def _cells_along(corners: list[Cell]) -> Iterator[tuple[Cell, int]]:
    """Cells of a path with the orientation in which it runs through them; both at a corner."""
    for (x0, y0), (x1, y1) in pairwise(corners):
        if y0 == y1:
            yield from (((x, y0), 0) for x in range(min(x0, x1), max(x0, x1) + 1))
        else:
            yield from (((x0, y), 1) for y in range(min(y0, y1), max(y0, y1) + 1))


def _corners(came: Mapping[State, tuple[Cell | None, int]], cell: Cell, direction: int) -> tuple[Corner, ...]:
    path = [cell]
    at: Cell | None = cell
    while at is not None:
        before, turned = came[at, direction]
        if before is not None and turned != direction:
            path.append(before)
        elif before is None and path[-1] != at:
            path.append(at)
        at, direction = before, turned
    return tuple((float(x * GRID), float(y * GRID)) for x, y in reversed(path))
