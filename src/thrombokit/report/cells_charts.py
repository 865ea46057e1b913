"""From gated tubes to the pictures of gating: the strategy of a tube, markers against their controls, markers over dose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from thrombokit.drawing.densities import DensityPanel
from thrombokit.drawing.gating_strategy import gating_strategy_chart
from thrombokit.drawing.histograms import OverlayPanel, overlay_chart
from thrombokit.drawing.ridges import RidgePanel, ridge_chart
from thrombokit.drawing.traces import TimePanel
from thrombokit.report.charts import Figure

MOST_STRATEGIES, MOST_OVERLAYS, MOST_RIDGES = 4, 24, 6


@dataclass(frozen=True, kw_only=True, eq=False)
class StrategyPicture:
    """The strategy of one tube: the tube's name, what it is ("donor D1, vehicle"), and its steps in order."""

    tube: str
    treatment: str
    steps: tuple[DensityPanel | TimePanel, ...]


def strategy_figures(pictures: Sequence[StrategyPicture]) -> list[Figure]:
    """One figure a representative tube, at most four: the first of the list."""
    figures: list[Figure] = []
    for number, picture in enumerate(pictures[:MOST_STRATEGIES], start=1):
        steps = ", ".join(step.heading.split("\n")[0].lower() for step in picture.steps)
        chart = gating_strategy_chart(picture.steps, description=f"Gating strategy of tube {picture.tube}: {steps}.")
        removed = any(isinstance(step, TimePanel) and step.removed for step in picture.steps)
        caption = f"Tube {picture.tube}.{' Shaded stretches of time were taken out.' if removed else ''}"
        heading = " · ".join(part for part in (picture.treatment, picture.tube) if part)
        figures.append(Figure(key=f"cells-strategy-{number}", heading=heading, caption=caption, chart=chart))
    return figures


def overlay_figures(panels: Sequence[OverlayPanel]) -> list[Figure]:
    """Stained tubes against FMO and unstained ones, all in one figure; none without panels."""
    if not panels:
        return []
    chart = overlay_chart(
        panels[:MOST_OVERLAYS], description="Histograms of each marker in stained tubes, FMO and unstained controls."
    )
    caption = "Each histogram is drawn to its own height. The dashed line is the threshold, told for a cell of median size, the grey band its "
    caption += "interval; beside it stands the rule that set it."
    return [Figure(key="cells-overlays", heading="Markers against their controls", caption=caption, chart=chart)]


def ridge_figure(panels: Sequence[RidgePanel]) -> Figure | None:
    """Markers over dose; None without panels."""
    if not panels:
        return None
    chart = ridge_chart(panels[:MOST_RIDGES], description="Histograms of a marker dose by dose, one panel a donor.")
    caption = "One histogram a dose, each to its own height, the lowest dose at the bottom; the dashed line is the threshold."
    return Figure(key="cells-ridges", heading="Marker signal over dose", caption=caption, chart=chart)
