"""Lines of a simulated model against time: one panel, a colour and a dash a line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt
import numpy as np
from numpy.typing import NDArray

from thrombokit.drawing.theme import OKABE_ITO, styled
from thrombokit.errors import Fault, raise_all

POINTS_MAX = 240
"""Points drawn a line; of longer ones the first, the last, and the lowest and the highest of each stretch between."""
DASHES: tuple[list[int], ...] = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3])


@dataclass(frozen=True, kw_only=True, eq=False)
class ModelLine:
    """One line: `time` and `values` of shape (n,); values that are not finite leave a gap."""

    name: str
    time: NDArray[np.float64]
    values: NDArray[np.float64]


def draw_model_lines(lines: Sequence[ModelLine], *, time_title: str, value_title: str = "value") -> alt.Chart:
    """All lines in one panel.

    Parameters
    ----------
    lines : list of ModelLine
        At least one; names differ.
    time_title, value_title : str
        With units.

    Raises
    ------
    InputError
        If there is no line, or a line's time and values differ in length.
    """
    raise_all(_faults(lines))
    rows = [
        {"name": line.name, "time": _short(time), "value": _short(value)}
        for line in lines
        for time, value in zip(*_thinned(line), strict=True)
    ]
    names = [line.name for line in lines]
    colours = [OKABE_ITO[at % len(OKABE_ITO)] for at in range(len(names))]
    dashes = [DASHES[at // len(OKABE_ITO) % len(DASHES)] for at in range(len(names))]
    chart = (
        alt.Chart(alt.InlineData(values=rows))  # pyright: ignore[reportArgumentType]
        .mark_line(strokeWidth=1.8)
        .encode(
            x=alt.X("time:Q").title(time_title),
            y=alt.Y("value:Q").title(value_title),
            color=alt.Color("name:N").title(None).scale(domain=names, range=colours),
            strokeDash=alt.StrokeDash("name:N").title(None).scale(domain=names, range=dashes),
        )
        .properties(width=460, height=260)
    )
    return styled(chart)


def _faults(lines: Sequence[ModelLine]) -> list[Fault]:
    if not lines:
        return [Fault(place="lines", found="none", expected="one line or more", cure="Select something besides the time.")]
    return [
        Fault(place=f'line "{one.name}"', found=f"{one.time.size} times beside {one.values.size} values",
              expected="as many of one as of the other", cure="Correct the arrays.")
        for one in lines
        if one.time.shape != one.values.shape or one.time.ndim != 1
    ]  # fmt: skip


def _thinned(line: ModelLine) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if line.time.size <= POINTS_MAX:
        return line.time, line.values
    kept = {0, line.time.size - 1}
    for stretch in np.array_split(np.arange(line.time.size), POINTS_MAX // 2):
        values = line.values[stretch]
        known = np.isfinite(values)
        if known.any():
            kept.update((int(stretch[np.nanargmin(values)]), int(stretch[np.nanargmax(values)])))
        if not known.all():
            kept.add(int(stretch[~known][0]))
    chosen = np.array(sorted(kept))
    return line.time[chosen], line.values[chosen]


def _short(value: float) -> float | None:
    return float(f"{value:.4g}") if np.isfinite(value) else None
