"""A caption under a chart, broken into lines."""

from __future__ import annotations

import textwrap

import altair as alt

from thrombokit.drawing.theme import FAINT_INK

LETTERS = 120


def caption_title(caption: str, *, letters: int = LETTERS) -> alt.Title:
    """Sentences in small type below a chart; `letters` a line."""
    return alt.Title(
        text=textwrap.wrap(caption, letters) or [""],
        orient="bottom",
        color=FAINT_INK,
        fontSize=10,
        fontWeight="normal",
        anchor="start",
    )
