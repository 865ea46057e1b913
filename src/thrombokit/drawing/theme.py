"""How every picture looks: colour-blind safe colours (Okabe-Ito), plain type, a light ground, no row limit.

The look travels inside each chart (`styled`), so that a notebook's own theme and the report do not disturb one another; it is also
registered with Altair under the name "thrombokit" for charts that users draw themselves (`alt.theme.enable("thrombokit")`).

References
----------
Okabe and Ito 2008, Color Universal Design (the palette that colour-blind readers can tell apart).
"""

from __future__ import annotations

from typing import Any, TypeVar

import altair as alt

BLACK, ORANGE, SKY_BLUE, GREEN, YELLOW, BLUE, VERMILLION, PURPLE = (
    "#000000", "#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7",
)  # fmt: skip
GREY = "#6B7280"
INK, FAINT_INK, HAIRLINE, GRID = "#1F2933", "#52606D", "#9AA5B1", "#E9EDF1"
OKABE_ITO: tuple[str, ...] = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY_BLUE, BLACK, YELLOW)
FONT = "system-ui, 'Segoe UI', 'Helvetica Neue', Arial, 'Liberation Sans', sans-serif"

VERDICT_COLOURS: dict[str, str] = {
    "fit": BLUE,
    "plateau_open": ORANGE,
    "beyond_range": VERMILLION,
    "not_sigmoid": PURPLE,
    "flat": GREY,
    "bad": BLACK,
}
"""Verdict of a curve -> colour; the verdict is always written beside it as well."""

Drawn = TypeVar("Drawn", alt.Chart, alt.LayerChart, alt.FacetChart)

CONFIG: dict[str, Any] = {
    "background": "#FFFFFF",
    "font": FONT,
    "padding": 6,
    "view": {"stroke": None, "continuousWidth": 320, "continuousHeight": 220},
    "axis": {
        "labelColor": FAINT_INK,
        "labelFontSize": 11,
        "titleColor": INK,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "titlePadding": 8,
        "gridColor": GRID,
        "domainColor": HAIRLINE,
        "tickColor": HAIRLINE,
        "tickSize": 4,
    },
    "legend": {
        "labelColor": INK,
        "labelFontSize": 11,
        "titleColor": INK,
        "titleFontSize": 11,
        "titleFontWeight": "normal",
        "symbolSize": 70,
    },
    "header": {"labelColor": INK, "labelFontSize": 12, "labelFontWeight": 600, "labelLineHeight": 16, "labelPadding": 6},
    "title": {"color": INK, "fontSize": 14, "fontWeight": 600, "anchor": "start", "offset": 10},
    "scale": {"invalid": {"color": {"value": "#FFFFFF"}}},
    "range": {"category": list(OKABE_ITO)},
}
"""Vega-Lite config of the house; sizes in pixels."""


def house_theme() -> alt.theme.ThemeConfig:
    """The house look in the form Altair's theme register takes."""
    return {"config": CONFIG}  # pyright: ignore[reportReturnType]  # a plain dict is what Altair reads at run time


def styled(chart: Drawn) -> Drawn:
    """`chart` with the house look inside it, whatever theme is enabled outside."""
    return chart.configure(**CONFIG)


alt.theme.register("thrombokit", enable=False)(house_theme)
alt.data_transformers.disable_max_rows()
