"""Bands over time: what is drawn, on which axis, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from thrombokit.drawing.percentile_bands import percentile_band_chart
from thrombokit.errors import InputError

TIME = np.arange(5.0)


def drawn(low: float, **more: Any) -> dict[str, Any]:
    bands = ((TIME + low, TIME + 9.0, "5 to 95 %"), (TIME + low + 1.0, TIME + 5.0, "25 to 75 %"))
    chart = percentile_band_chart(
        time=TIME, bands=bands, middle=TIME + 3.0, time_title="week", value_title="platelets (1e9/L)", caption="simulated", **more
    )
    return chart.to_dict()


def test_two_bands_a_median_and_a_line() -> None:
    """In this order, on a logarithmic axis, with a description for readers who hear the chart."""
    spec = drawn(1.0, lines=(50.0,))
    assert [layer["mark"]["type"] for layer in spec["layer"]] == ["area", "area", "line", "rule"]
    assert all(layer["encoding"]["y"]["scale"]["type"] == "log" for layer in spec["layer"])
    assert "median with bands of 5 to 95 %, 25 to 75 %" in spec["description"]


def test_zero_takes_the_logarithm_back() -> None:
    """A count of 0 has no place on a logarithmic axis."""
    assert drawn(0.0)["layer"][0]["encoding"]["y"]["scale"]["type"] == "linear"
    assert drawn(1.0, log_scale=False)["layer"][0]["encoding"]["y"]["scale"]["type"] == "linear"


def test_nothing_to_draw_is_refused() -> None:
    """With the cure."""
    none = np.empty(0)
    with pytest.raises(InputError, match="percentile bands: found no times; expected at least one time and one band"):
        percentile_band_chart(time=none, bands=((none, none, "x"),), middle=none, time_title="", value_title="", caption="")
