"""The parts of a network picture, all with their places; `network_svg` draws them, `edge_routes` finds the lines.

Boxes hold what there is, dots are what happens. A line goes from a box to a dot (used), from a dot to a box (made), or from a box to a dot it
steers; between two boxes where one enters the rate of the other. Places are in picture units, multiples of `GRID`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum

GRID = 10
BOX_WIDTH, BOX_HEIGHT = 100, 40
DOT_RADIUS = 4


class LineKind(StrEnum):
    """What a line says."""

    CONSUMPTION = "consumption"
    PRODUCTION = "production"
    REGULATION = "regulation"
    RATE_RULE = "rate_rule"
    ASSIGNMENT = "assignment"


class Heading(IntEnum):
    """Which way a stretch of a line runs."""

    RIGHT = 0
    DOWN = 1
    LEFT = 2
    UP = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Box:
    """A rectangle around (x, y) with lines of text; `value` (0 to 1) is its colour, None for none; `note` is told on pointing at it."""

    id: str
    lines: tuple[str, ...]
    x: float
    y: float
    note: str = ""
    value: float | None = None
    is_fixed: bool = False

    @property
    def left(self) -> float:
        """x of its left side."""
        return self.x - BOX_WIDTH / 2

    @property
    def top(self) -> float:
        """y of its upper side."""
        return self.y - BOX_HEIGHT / 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Dot:
    """Something that happens, at (x, y); `is_open` where it comes from nothing or leads to nothing."""

    id: str
    x: float
    y: float
    note: str = ""
    is_open: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """From `source` to `target`, ids of boxes or dots.

    `sign` is +1, -1, or 0 where it depends; `is_feedback`: it leads back to what comes before; `path` are corners where the way is fixed,
    () where it is to be found. `port` is where it ends, None for the dot or the box itself, and `heading` the only direction it may end in.
    """

    source: str
    target: str
    kind: LineKind
    sign: int = 1
    is_feedback: bool = False
    has_two_heads: bool = False
    path: tuple[tuple[float, float], ...] = ()
    port: tuple[float, float] | None = None
    heading: Heading | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Region:
    """A labelled rectangle behind the boxes: a compartment, from the outermost to the innermost."""

    id: str
    label: str
    left: float
    top: float
    width: float
    height: float

    @property
    def label_place(self) -> tuple[float, float]:
        """Where the label begins, on its baseline."""
        return self.left + 10, self.top + 17


@dataclass(frozen=True, kw_only=True, slots=True)
class Lane:
    """A heading over the columns around x."""

    label: str
    x: float
    width: float


@dataclass(frozen=True, kw_only=True, slots=True)
class NetworkPicture:
    """A whole picture; `caption` are sentences under it, `scale_words` say what the colours mean, "" where there are none."""

    title: str
    width: float
    height: float
    boxes: tuple[Box, ...]
    dots: tuple[Dot, ...]
    lines: tuple[Line, ...]
    regions: tuple[Region, ...] = ()
    lanes: tuple[Lane, ...] = ()
    caption: tuple[str, ...] = ()
    scale_words: str = ""
