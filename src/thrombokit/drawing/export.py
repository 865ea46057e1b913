"""A chart as a Vega-Lite spec, or as PNG, SVG or PDF bytes, made on this machine without a browser or a network."""

from __future__ import annotations

from typing import Any

import altair as alt
import vl_convert

from thrombokit.drawing.saved_chart import SavedChart

VEGA_LITE_VERSION = "6.4"
Chart = alt.Chart | alt.LayerChart | alt.FacetChart | alt.VConcatChart


def chart_spec(chart: Chart | SavedChart) -> dict[str, Any]:
    """The Vega-Lite 6 spec as a plain dict; the same chart gives the same spec whatever theme is enabled.

    Altair has checked each part when it was made; checking the whole again would take as long as drawing it.
    """
    with alt.theme.enable("thrombokit"):
        return chart.to_dict(validate=False)


def chart_to_png(chart: Chart, *, scale: float = 2.0) -> bytes:
    """PNG bytes; `scale` is pixels per drawing unit (2 suits print and high-resolution screens)."""
    return bytes(vl_convert.vegalite_to_png(chart_spec(chart), vl_version=VEGA_LITE_VERSION, scale=scale, allowed_base_urls=[]))


def chart_to_svg(chart: Chart) -> str:
    """SVG text."""
    return str(vl_convert.vegalite_to_svg(chart_spec(chart), vl_version=VEGA_LITE_VERSION, allowed_base_urls=[]))


def chart_to_pdf(chart: Chart) -> bytes:
    """PDF bytes, one page of the chart's size."""
    return bytes(vl_convert.vegalite_to_pdf(chart_spec(chart), vl_version=VEGA_LITE_VERSION, allowed_base_urls=[]))
