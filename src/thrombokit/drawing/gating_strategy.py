"""The gating strategy of one tube, step by step: what every paper and every review asks to see.

Panels follow the order in which events were taken out: time, debris, doublets, dead cells, then markers. Each shows the events that
came into the step, the gate, and the share of them inside.
"""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt

from thrombokit.drawing.densities import DensityPanel, density_layers, density_rows
from thrombokit.drawing.panels import panels_chart
from thrombokit.drawing.traces import TimePanel, time_layers, time_rows


def gating_strategy_chart(steps: Sequence[DensityPanel | TimePanel], *, description: str, columns: int = 4) -> alt.FacetChart:
    """All steps of one tube.

    Parameters
    ----------
    steps : sequence of DensityPanel or TimePanel
        In the order of the strategy; headings are unique.
    description : str
        What the chart shows, for readers who hear it.
    columns : int
        Panels beside one another.

    Raises
    ------
    InputError
        If there is no step, or two bear the same heading.
    """
    panels = [time_rows(step) if isinstance(step, TimePanel) else density_rows(step) for step in steps]
    densities = [step if isinstance(step, DensityPanel) else None for step in steps]
    times = [step if isinstance(step, TimePanel) else None for step in steps]
    return panels_chart(panels, [*density_layers(densities), *time_layers(times)], description=description, columns=columns)
