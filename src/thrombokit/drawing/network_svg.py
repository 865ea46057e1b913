"""A network picture as SVG text, and from it PNG and PDF bytes.

Every line carries what it joins (`data-source`, `data-target`, `data-kind`, `data-sign`), so that a program can hold the drawing against
the model. No style sheet and no script: the text can stand inside a page.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable
from xml.sax.saxutils import escape, quoteattr

import vl_convert

from thrombokit.drawing.network import BOX_HEIGHT, BOX_WIDTH, DOT_RADIUS, Box, Dot, Lane, Line, LineKind, NetworkPicture, Region
from thrombokit.drawing.theme import FAINT_INK, GREEN, HAIRLINE, INK, ORANGE, PURPLE, VERMILLION

LETTERS = "'Liberation Sans', Arial, 'Helvetica Neue', Helvetica, sans-serif"
FLOW_COLOUR = "#6B7280"
GROUNDS = ("#FFFFFF", "#F3F1EA", "#F1F5F8", "#E6EDF3", "#DCE6EE", "#D3DFE9")
EMPTY_COLOUR, FULL_COLOUR = "#FFFFFF", ORANGE
HEAD, BAR, RING = 7.0, 6.0, 4.0
STAND_OFF = DOT_RADIUS + 3.0
BEND, FEEDBACK_BEND = 6.0, 16.0
LEGEND_HEIGHT, CAPTION_LINE = 54, 16
LEAST_WIDTH = 860.0
"""Room for the legend."""
WORD_WIDTH = 5.6
"""Of a letter of a caption, in picture units."""
LABEL_SIZE, WIDE, NARROW = 11.5, 0.74, 0.57
"""Largest letters in a box, and widths of bold capitals and other letters in shares of their size."""
_FLOWS = (LineKind.CONSUMPTION, LineKind.PRODUCTION)
_STEERS = {1: ("speeds up", GREEN), -1: ("slows down", VERMILLION), 0: ("depends on the state", PURPLE)}


def network_svg(picture: NetworkPicture) -> str:
    """SVG text of a picture whose lines all have a path (`edge_routes.route_lines`)."""
    width = max(picture.width, LEAST_WIDTH)
    letters = int((width - 60) / WORD_WIDTH)
    caption = [line for sentence in picture.caption for line in textwrap.wrap(sentence, letters)]
    height = picture.height + LEGEND_HEIGHT + CAPTION_LINE * (len(caption) + 1)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" '
        f'height="{height:g}" role="img" aria-label={quoteattr(picture.title)} font-family="{LETTERS}" style="max-width:100%;height:auto">',
        f"<title>{escape(picture.title)}</title>",
        f'<rect width="{width:g}" height="{height:g}" fill="#FFFFFF"/>',
        _text(30, 34, picture.title, size=16, weight=600),
        *(_region(region, at) for at, region in enumerate(picture.regions)),
        *(_lane(lane) for lane in picture.lanes),
        *(_line(line) for line in sorted(picture.lines, key=lambda one: one.kind is LineKind.REGULATION)),
        *(_dot(dot) for dot in picture.dots),
        *(_box(box) for box in picture.boxes),
        *_legend(picture),
        *(_text(30, picture.height + LEGEND_HEIGHT + CAPTION_LINE * (at + 0.5), line, size=11, colour=FAINT_INK)
          for at, line in enumerate(caption)),
        "</svg>",
    ]  # fmt: skip
    return "\n".join(parts) + "\n"


def network_png(picture: NetworkPicture, *, scale: float = 2.0) -> bytes:
    """PNG bytes; `scale` is pixels per picture unit."""
    return bytes(vl_convert.svg_to_png(network_svg(picture), scale=scale))


def network_pdf(picture: NetworkPicture) -> bytes:
    """PDF bytes, one page of the picture's size."""
    return bytes(vl_convert.svg_to_pdf(network_svg(picture)))


def value_colour(value: float) -> str:
    """Colour of a value between 0 (white) and 1 (orange); outside, that of the nearer end."""
    share = min(max(value, 0.0), 1.0)
    ends = [[int(colour[at : at + 2], 16) for at in (1, 3, 5)] for colour in (EMPTY_COLOUR, FULL_COLOUR)]
    return "#" + "".join(f"{round(a + (b - a) * share):02X}" for a, b in zip(*ends, strict=True))


def _region(region: Region, at: int) -> str:
    ground = GROUNDS[at % len(GROUNDS)]
    return (
        f'<rect x="{region.left:g}" y="{region.top:g}" width="{region.width:g}" height="{region.height:g}" rx="10" fill="{ground}" '
        f'stroke="#FFFFFF" stroke-width="3" data-region={quoteattr(region.id)}/>'
        + _text(*region.label_place, region.label, size=11, colour=FAINT_INK, italic=True)
    )


def _lane(lane: Lane) -> str:
    left, right = lane.x - lane.width / 2 + 10, lane.x + lane.width / 2 - 10
    rule = f'<line x1="{left:g}" y1="68" x2="{right:g}" y2="68" stroke="{HAIRLINE}"/>'
    return _text(lane.x, 60, lane.label, size=13, weight=600, anchor="middle") + rule


def _box(box: Box) -> str:
    fill = "#FFFFFF" if box.value is None else value_colour(box.value)
    dash = ' stroke-dasharray="4 3"' if box.is_fixed else ""
    told = box.note if box.value is None else f"{box.note}: {box.value:.2f}"
    rows = len(box.lines)
    size = min(label_size(line) for line in box.lines)
    words = "".join(
        _text(box.x, box.y + 4 + 13 * (at - (rows - 1) / 2), line, size=size, anchor="middle", weight=600)
        for at, line in enumerate(box.lines)
    )
    shown = "" if box.value is None else f' data-value="{box.value:.4g}"'
    return (
        f"<g data-box={quoteattr(box.id)}{shown}><title>{escape(told)}</title>"
        f'<rect x="{box.left:g}" y="{box.top:g}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="6" fill="{fill}" stroke="{INK}" '
        f'stroke-width="1.2"{dash}/>{words}</g>'
    )


def label_size(line: str) -> float:
    """Size of letters at which a line fits its box, at most `LABEL_SIZE`."""
    letters = sum(WIDE if letter.isupper() else NARROW for letter in line)
    return round(min(LABEL_SIZE, (BOX_WIDTH - 8) / max(letters, 1.0)), 1)


def _dot(dot: Dot) -> str:
    if dot.is_open:
        r = DOT_RADIUS + 0.5
        mark = (
            f'<circle cx="{dot.x:g}" cy="{dot.y:g}" r="{r:g}" fill="#FFFFFF" stroke="{FLOW_COLOUR}"/>'
            f'<line x1="{dot.x - r:g}" y1="{dot.y + r:g}" x2="{dot.x + r:g}" y2="{dot.y - r:g}" stroke="{FLOW_COLOUR}"/>'
        )
    else:
        mark = f'<circle cx="{dot.x:g}" cy="{dot.y:g}" r="{DOT_RADIUS - 1}" fill="{FLOW_COLOUR}"/>'
    return f"<g data-dot={quoteattr(dot.id)}><title>{escape(dot.note)}</title>{mark}</g>"


def _line(line: Line) -> str:
    names = (
        f'data-source={quoteattr(line.source)} data-target={quoteattr(line.target)} data-kind="{line.kind.value}" '
        f'data-sign="{line.sign}" data-feedback="{"yes" if line.is_feedback else "no"}"'
    )
    flow = line.kind in _FLOWS
    colour = FLOW_COLOUR if flow else _STEERS[line.sign][1]
    stand_off = 0.0 if flow else STAND_OFF + (2 * RING if line.sign == 1 else 0.0)
    if line.kind is LineKind.PRODUCTION:
        stand_off = HEAD - 1
    path = _shortened(line.path, stand_off)
    bend = FEEDBACK_BEND if line.is_feedback else BEND
    dash = ' stroke-dasharray="7 3"' if line.is_feedback else ""
    drawn = f'<path d="{_rounded(path, bend)}" fill="none" stroke="{colour}" stroke-width="{1.3 if flow else 1.5}"{dash}/>'
    return f"<g {names}>{drawn}{_ending(line, colour)}</g>"


def _ending(line: Line, colour: str) -> str:
    (x0, y0), (x, y) = line.path[-2:]
    length = math.hypot(x - x0, y - y0) or 1.0
    dx, dy = (x - x0) / length, (y - y0) / length
    if line.kind is LineKind.PRODUCTION:
        return _head(x, y, dx, dy, colour)
    if line.kind is LineKind.CONSUMPTION:
        (x1, y1), (x2, y2) = line.path[:2]
        span = math.hypot(x2 - x1, y2 - y1) or 1.0
        return _head(x1, y1, (x1 - x2) / span, (y1 - y2) / span, colour) if line.has_two_heads else ""
    at_x, at_y = x - dx * STAND_OFF, y - dy * STAND_OFF
    if line.sign == 1:
        return f'<circle cx="{at_x - dx * RING:.4g}" cy="{at_y - dy * RING:.4g}" r="{RING:g}" fill="#FFFFFF" stroke="{colour}" stroke-width="1.5"/>'
    if line.sign == -1:
        return (
            f'<line x1="{at_x - dy * BAR:.5g}" y1="{at_y + dx * BAR:.5g}" x2="{at_x + dy * BAR:.5g}" y2="{at_y - dx * BAR:.5g}" '
            f'stroke="{colour}" stroke-width="2.4"/>'
        )
    return f'<rect x="{at_x - 4:.5g}" y="{at_y - 4:.5g}" width="8" height="8" fill="#FFFFFF" stroke="{colour}" stroke-width="1.5"/>'


def _head(x: float, y: float, dx: float, dy: float, colour: str) -> str:
    back_x, back_y, half = x - dx * HEAD, y - dy * HEAD, HEAD * 0.5
    corners = ((x, y), (back_x - dy * half, back_y + dx * half), (back_x + dy * half, back_y - dx * half))
    return f'<polygon points="{" ".join(f"{a:.5g},{b:.5g}" for a, b in corners)}" fill="{colour}"/>'


def _shortened(path: tuple[tuple[float, float], ...], by: float) -> tuple[tuple[float, float], ...]:
    (x0, y0), (x, y) = path[-2:]
    length = math.hypot(x - x0, y - y0)
    if length <= by or by == 0.0:
        return path
    share = 1.0 - by / length
    return (*path[:-1], (x0 + (x - x0) * share, y0 + (y - y0) * share))


def _rounded(path: tuple[tuple[float, float], ...], bend: float) -> str:
    """Path data with corners rounded as far as the stretches beside them allow."""
    parts = [f"M{path[0][0]:.5g} {path[0][1]:.5g}"]
    for before, corner, after in zip(path, path[1:], path[2:], strict=False):
        radius = min(bend, math.dist(before, corner) / 2, math.dist(corner, after) / 2)
        near, far = _towards(corner, before, radius), _towards(corner, after, radius)
        parts.append(f"L{near[0]:.5g} {near[1]:.5g}Q{corner[0]:.5g} {corner[1]:.5g} {far[0]:.5g} {far[1]:.5g}")
    parts.append(f"L{path[-1][0]:.5g} {path[-1][1]:.5g}")
    return "".join(parts)


def _towards(start: tuple[float, float], aim: tuple[float, float], by: float) -> tuple[float, float]:
    length = math.dist(start, aim) or 1.0
    return start[0] + (aim[0] - start[0]) * by / length, start[1] + (aim[1] - start[1]) * by / length


def _legend(picture: NetworkPicture) -> Iterable[str]:
    y, x = picture.height + 14, 36.0
    samples = [
        (Line(source="", target="", kind=LineKind.PRODUCTION, path=((0, 0), (34, 0))), "turns into"),
        *((Line(source="", target="", kind=LineKind.REGULATION, sign=sign, path=((0, 0), (44, 0))), words)
          for sign, (words, _) in _STEERS.items() if any(one.sign == sign and one.kind not in _FLOWS for one in picture.lines)),
        *([(Line(source="", target="", kind=LineKind.REGULATION, sign=1, is_feedback=True, path=((0, 0), (44, 0))), "dashed: feedback")]
          if any(one.is_feedback for one in picture.lines) else []),
    ]  # fmt: skip
    for line, words in samples:
        drawn = _line(line).partition(">")[2].rpartition("</g>")[0]  # a sample is no line of the model
        yield f'<g transform="translate({x:g} {y:g})">{drawn}</g>' + _text(x + 48, y + 4, words, size=11)
        x += 62 + WORD_WIDTH * len(words) + 14
    if any(dot.is_open for dot in picture.dots):
        yield _dot(Dot(id="", x=x, y=y, is_open=True)).replace(' data-dot=""', "") + _text(x + 10, y + 4, "made or lost", size=11)
        x += 22 + WORD_WIDTH * 12 + 14
    if any(box.is_fixed for box in picture.boxes):
        yield f'<rect x="{x:g}" y="{y - 7:g}" width="22" height="14" rx="3" fill="#FFFFFF" stroke="{INK}" stroke-dasharray="4 3"/>'
        yield _text(x + 28, y + 4, "held constant", size=11)
    if picture.scale_words:
        yield from _scale(36.0, y + 26, picture.scale_words)


def _scale(x: float, y: float, words: str) -> Iterable[str]:
    steps = 24
    yield _text(x, y + 4, "0", size=11)
    for at in range(steps):
        yield f'<rect x="{x + 12 + 5 * at:g}" y="{y - 6:g}" width="5.2" height="12" fill="{value_colour(at / (steps - 1))}"/>'
    yield f'<rect x="{x + 12:g}" y="{y - 6:g}" width="{5 * steps}" height="12" fill="none" stroke="{HAIRLINE}"/>'
    yield _text(x + 16 + 5 * steps, y + 4, f"1   {words}", size=11)


def _text(
    x: float,
    y: float,
    words: str,
    *,
    size: float,
    colour: str = INK,
    weight: int = 400,
    anchor: str = "start",
    italic: bool = False,
) -> str:
    slant = ' font-style="italic"' if italic else ""
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{size:g}" fill="{colour}" font-weight="{weight}" text-anchor="{anchor}"{slant}>'
        f"{escape(words)}</text>"
    )
