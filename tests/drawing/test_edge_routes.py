"""Ways around boxes: level and upright, never through a box, whatever the boxes."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from thrombokit.drawing.edge_routes import route_lines
from thrombokit.drawing.network import BOX_HEIGHT, BOX_WIDTH, Box, Dot, Heading, Line, LineKind, NetworkPicture
from thrombokit.drawing.network_svg import LABEL_SIZE, label_size, value_colour

PLACES = [(x, y) for x in range(100, 900, 160) for y in range(100, 700, 110)]


def picture(places: list[tuple[int, int]], lines: tuple[Line, ...], dots: tuple[Dot, ...] = ()) -> NetworkPicture:
    boxes = tuple(Box(id=f"b{at}", lines=("b",), x=float(x), y=float(y)) for at, (x, y) in enumerate(places))
    return NetworkPicture(title="t", width=1000, height=800, boxes=boxes, dots=dots, lines=lines)


@given(st.lists(st.sampled_from(PLACES), min_size=3, max_size=9, unique=True))
@settings(max_examples=10)
def test_lines_go_around_every_box(places: list[tuple[int, int]]) -> None:
    lines = tuple(Line(source=f"b{at}", target=f"b{(at + 1) % len(places)}", kind=LineKind.RATE_RULE) for at in range(len(places)))
    routed = route_lines(picture(places, lines))
    for line in routed.lines:
        assert len(line.path) >= 2
        for (x0, y0), (x1, y1) in pairwise(line.path):
            assert (x0 == x1) != (y0 == y1)
            for box in routed.boxes:
                inside_x = min(x0, x1) < box.x + BOX_WIDTH / 2 and max(x0, x1) > box.x - BOX_WIDTH / 2
                inside_y = min(y0, y1) < box.y + BOX_HEIGHT / 2 and max(y0, y1) > box.y - BOX_HEIGHT / 2
                assert not (inside_x and inside_y)


def test_a_line_ends_at_its_port_in_its_heading() -> None:
    dot = Dot(id="d", x=400.0, y=300.0)
    line = Line(source="b0", target="d", kind=LineKind.REGULATION, port=(420.0, 300.0), heading=Heading.UP)
    path = route_lines(picture([(100, 100)], (line,), (dot,))).lines[0].path
    assert path[-1] == (420.0, 300.0)
    assert path[-2][0] == 420.0
    assert path[-2][1] > 300.0


def test_a_walled_in_end_is_joined_by_a_straight_line() -> None:
    walls = [(400, 300), (400, 340), (400, 380), (500, 340), (300, 340)]
    line = Line(source="b1", target="b5", kind=LineKind.RATE_RULE)
    path = route_lines(picture([*walls, (800, 600)], (line,))).lines[0].path
    assert path == ((400.0, 340.0), (800.0, 600.0))


@given(st.floats(-1.0, 2.0), st.floats(-1.0, 2.0))
def test_more_is_never_paler(one: float, other: float) -> None:
    low, high = sorted((one, other))
    blue = [int(value_colour(value)[5:], 16) for value in (low, high)]
    assert blue[0] >= blue[1]


@given(st.text(alphabet="MAPKabcw-_15", min_size=1, max_size=18))
def test_letters_shrink_to_their_box(words: str) -> None:
    width = label_size(words) * sum(0.74 if letter.isupper() else 0.57 for letter in words)
    assert width <= BOX_WIDTH
    assert label_size(words) <= LABEL_SIZE
