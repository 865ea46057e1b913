"""Subjects of a trial as boxes, a column an arm: who was enrolled, who was treated, who stayed, and why the others left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import altair as alt

from thrombokit.drawing.theme import FAINT_INK, GRID, HAIRLINE, INK, OKABE_ITO, styled
from thrombokit.errors import Fault, InputError

COLUMN_PX, BOX_PX, GAP_PX, LINE_PX, LETTER_PX = 210, 180, 26, 14, 6
MOST_LETTERS = BOX_PX // LETTER_PX


@dataclass(frozen=True, kw_only=True)
class FlowColumn:
    """One arm: boxes from top to bottom, each a heading and lines of text."""

    arm: str
    boxes: Sequence[tuple[str, Sequence[str]]]


def subject_flow_chart(columns: Sequence[FlowColumn], *, description: str) -> alt.LayerChart:
    """Boxes of all arms, those of one kind at the same height, joined by lines.

    Parameters
    ----------
    columns : sequence of FlowColumn
        All with as many boxes.
    description : str
        For readers who hear the chart.

    Raises
    ------
    InputError
        If there is no arm, or the arms have different numbers of boxes.
    """
    if not columns or len({len(column.boxes) for column in columns}) > 1:
        found = "no arm" if not columns else "arms with different numbers of boxes"
        raise InputError(
            Fault(place="subject flow", found=found, expected="arms with the same boxes", cure="Give each arm every box.")
        )
    heights = [max(len(column.boxes[k][1]) for column in columns) * LINE_PX + LINE_PX + 12 for k in range(len(columns[0].boxes))]
    tops = [sum(heights[:k]) + GAP_PX * k for k in range(len(heights))]
    boxes, texts, joints = list[dict[str, float]](), list[dict[str, str | float | bool]](), list[dict[str, float]]()
    for c, column in enumerate(columns):
        left = c * COLUMN_PX
        for k, (heading, lines) in enumerate(column.boxes):
            boxes.append({"x": left, "x2": left + BOX_PX, "y": tops[k], "y2": tops[k] + heights[k]})
            texts.append({"x": left + 8, "y": tops[k] + 12, "text": heading[:MOST_LETTERS], "head": True})
            for i, line in enumerate(lines):
                text = line if len(line) <= MOST_LETTERS else f"{line[: MOST_LETTERS - 1]}…"
                texts.append({"x": left + 8, "y": tops[k] + 12 + LINE_PX * (i + 1), "text": text, "head": False})
            if k:
                joints.append({"x": left + BOX_PX / 2, "y": tops[k] - GAP_PX, "y2": tops[k]})
    width, height = COLUMN_PX * len(columns), tops[-1] + heights[-1]
    layers = _layers(boxes, texts, joints, width, height, [column.arm for column in columns])
    return styled(
        alt.LayerChart(layer=layers, width=width, height=height, description=description).properties(usermeta={"panel_px": width})
    )


def _layers(
    boxes: Sequence[Mapping[str, float]], texts: Sequence[Mapping[str, str | float | bool]], joints: Sequence[Mapping[str, float]], width: float,
    height: float, arms: Sequence[str],
) -> list[alt.Chart]:  # fmt: skip
    x = alt.X("x:Q", axis=None, scale=alt.Scale(domain=[0, width], nice=False))
    y = alt.Y("y:Q", axis=None, scale=alt.Scale(domain=[-24, height], nice=False, reverse=True))
    names: list[dict[str, float | str]] = [{"x": c * COLUMN_PX, "y": -12, "text": arm} for c, arm in enumerate(arms)]
    colours = [OKABE_ITO[k % len(OKABE_ITO)] for k in range(len(arms))]
    rule = _chart(joints).mark_rule(stroke=HAIRLINE).encode(x=x, y=y, y2="y2:Q")
    box = _chart(boxes).mark_rect(fill=GRID, stroke=HAIRLINE, cornerRadius=3).encode(x=x, x2="x2:Q", y=y, y2="y2:Q")
    head = alt.datum["head"]
    text = _chart(texts).mark_text(align="left", baseline="middle", fontSize=11).encode(
        x=x, y=y, text="text:N", color=alt.when(head).then(alt.value(INK)).otherwise(alt.value(FAINT_INK))
    )  # fmt: skip
    title = _chart(names).mark_text(align="left", baseline="middle", fontSize=13, fontWeight=600, limit=BOX_PX).encode(
        x=x, y=y, text="text:N", color=alt.Color("text:N", legend=None, scale=alt.Scale(domain=list(arms), range=colours))
    )  # fmt: skip
    return [rule, box, text, title]


def _chart(rows: Sequence[Mapping[str, object]]) -> alt.Chart:
    return alt.Chart(alt.InlineData(values=[dict(row) for row in rows]))  # pyright: ignore[reportArgumentType]
