"""One faceted chart a plate: what is drawn, how it is worded, and that it renders."""

from __future__ import annotations

import re
from typing import Any

import altair as alt
import polars as pl
import pytest

from thrombokit.drawing.curves import curve_chart, ec50_words
from thrombokit.drawing.export import chart_spec, chart_to_svg
from thrombokit.errors import InputError

DOSES = [0.1, 1.0, 10.0, 100.0]


def _wells(curve: str) -> pl.DataFrame:
    rows = [
        {"curve": curve, "concentration_nM": d, "response_pct": 20.0 + i, "well": f"A{i:02d}", "excluded": i == 3}
        for i, d in enumerate(DOSES)
    ]
    rows += [
        {"curve": curve, "concentration_nM": 0.0, "response_pct": v, "well": "H01", "excluded": False} for v in (1.0, 2.0, 6.0)
    ]
    return pl.DataFrame(rows)


def _lines(curve: str, number: int = 48) -> pl.DataFrame:
    doses = [0.1 * 1.15**k for k in range(number)]
    return pl.DataFrame({"curve": curve, "concentration_nM": doses, "fitted_pct": 33.33333, "low_pct": 30.0, "high_pct": 36.0})


def _fit(curve: str, verdict: str, ec50: float | None, low: float | None, high: float | None, side: str = "") -> dict[str, Any]:
    return {"curve": curve, "verdict": verdict, "ec50_nM": ec50, "ec50_low_nM": low, "ec50_high_nM": high, "bound_side": side,
            "bottom_pct": 0.0, "top_pct": 90.0}  # fmt: skip


FITS = [
    _fit("good", "fit", 0.41, 0.31, 0.54), _fit("weak", "beyond_range", None, 90.0, None, "above"),
    _fit("strong", "beyond_range", None, None, 0.2, "below"), _fit("open", "plateau_open", 50.0, 30.0, None), _fit("none", "flat", None, None, None),
]  # fmt: skip
SCHEMA = dict.fromkeys(("ec50_nM", "ec50_low_nM", "ec50_high_nM", "bottom_pct", "top_pct"), pl.Float64)


def _chart(fits: list[dict[str, Any]] | None = None, **changes: Any) -> alt.FacetChart:
    table = pl.DataFrame(FITS if fits is None else fits, schema_overrides=SCHEMA)
    names = table["curve"].to_list()
    parts = {"wells": pl.concat([_wells(n) for n in names]), "lines": pl.concat([_lines(n) for n in names]), **changes}
    return curve_chart(parts["wells"], parts["lines"], table, response_label="response (% of rhTPO)", description="five curves")


def _rows(chart: alt.FacetChart) -> list[dict[str, Any]]:
    (rows,) = chart_spec(chart)["datasets"].values()
    return rows


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (FITS[0], "EC50 0.410 nM (0.310 to 0.540)"), (FITS[1], "EC50 above 90.0 nM"), (FITS[2], "EC50 below 0.200 nM"),
        (FITS[3], "EC50 50.0 nM (30.0 to open)"), (FITS[4], "no EC50"), (_fit("c", "fit", 2.0, None, None), "EC50 2.00 nM"),
        (_fit("c", "plateau_open", 2.0, None, 3.0), "EC50 2.00 nM (open to 3.00)"),
        (_fit("c", "plateau_open", 2.0, None, None), "EC50 2.00 nM (interval open)"),
    ],
)  # fmt: skip
def test_ec50_in_words(row: dict[str, Any], words: str) -> None:
    assert ec50_words(row) == words


def test_panels_carry_curve_verdict_and_ec50_in_the_order_of_the_fits() -> None:
    rows = _rows(_chart())
    assert list(dict(sorted({row["order"]: row["panel"] for row in rows}.items())).values()) == [
        "good\nEC50 0.410 nM (0.310 to 0.540)", "weak · beyond range\nEC50 above 90.0 nM", "strong · beyond range\nEC50 below 0.200 nM",
        "open · plateau open\nEC50 50.0 nM (30.0 to open)", "none · flat\nno EC50",
    ]  # fmt: skip
    svg = chart_to_svg(_chart())
    places = [
        svg.index(f">{name}<")
        for name in ("good", "weak · beyond range", "strong · beyond range", "open · plateau open", "none · flat")
    ]
    assert places == sorted(places)


def test_names_may_hold_anything_a_user_types() -> None:
    names = ["quote \" ' `", "line \u2028 separator", "back \\ slash", "</script>", "${datum}"]
    chart = _chart([{**FITS[0], "curve": name} for name in names])
    assert "quote" in chart_to_svg(chart)


def test_vehicle_wells_become_median_and_range_left_of_the_doses() -> None:
    (vehicle,) = [row for row in _rows(_chart([FITS[0]])) if row["kind"] == "vehicle"]
    assert (vehicle["response"], vehicle["low"], vehicle["high"], vehicle["wells"]) == (2, 1, 6, 3)
    assert vehicle["dose"] < min(DOSES)


def test_excluded_wells_are_drawn_apart() -> None:
    rows = _rows(_chart([FITS[0]]))
    assert [row["well"] for row in rows if row["kind"] == "left out"] == ["A03"]
    assert len([row for row in rows if row["kind"] == "well"]) == 3


def test_a_bound_gets_an_arrow_head_and_a_flat_curve_no_mark() -> None:
    marks = {row["panel"].split(" ")[0].split("\n")[0]: row for row in _rows(_chart()) if row["kind"].startswith("ec50")}
    assert {name: row["kind"] for name, row in marks.items()} == {
        "good": "ec50", "weak": "ec50 above", "strong": "ec50 below", "open": "ec50",
    }  # fmt: skip
    assert (marks["weak"]["ec50_low"], marks["strong"]["ec50_high"]) == (90, 0.2)
    assert marks["open"]["ec50_high"] > max(DOSES), "an open side runs to the edge of the axis"
    (fitted,) = [row for row in _rows(_chart([{**FITS[0], "top_pct": 44.0}])) if row["kind"] == "ec50"]
    assert fitted["response"] == 22, "half-way between bottom and top"


def test_a_curve_that_is_no_sigmoid_shows_no_ec50_even_where_one_was_fitted() -> None:
    chart = _chart([_fit("bell", "not_sigmoid", 6.6, 3.0, 14.0)])
    rows = _rows(chart)
    assert {row["panel"] for row in rows} == {"bell · not sigmoid\nno EC50"}
    assert not any(row["kind"].startswith("ec50") for row in rows)


def test_a_plateau_far_outside_is_marked_at_the_edge_and_does_not_stretch_the_chart() -> None:
    runaway = {**FITS[1], "bottom_pct": -4e8, "top_pct": 90.0}
    lines = _lines("weak").with_columns(low_pct=pl.lit(-1e6), high_pct=pl.lit(1e6))
    chart = _chart([runaway], lines=lines)
    rows = _rows(chart)
    assert all(abs(row[name]) < 100 for row in rows for name in ("response", "low", "high") if name in row)
    (height,) = re.findall(r'<svg [^>]*height="(\d+)"', chart_to_svg(chart))
    assert int(height) < 400


def test_lines_are_thinned_to_48_points_and_4_digits() -> None:
    rows = [row for row in _rows(_chart([FITS[0]], lines=_lines("good", 200))) if row["kind"] == "line"]
    assert 24 <= len(rows) <= 48
    assert {row["response"] for row in rows} == {33.33}


def test_no_dose_is_an_error_that_says_so() -> None:
    vehicle_only = _wells("good").filter(pl.col("concentration_nM") == 0)
    with pytest.raises(InputError, match=r"no positive dose; expected at least one curve with a positive dose in nM\. Draw plates"):
        _chart([FITS[0]], wells=vehicle_only, lines=_lines("good").head(0))


def test_the_chart_renders_and_describes_itself() -> None:
    svg = chart_to_svg(_chart())
    assert "concentration (nM)" in svg
    assert "response (% of rhTPO)" in svg
    assert "EC50 above 90.0 nM" in svg
    assert chart_spec(_chart())["description"] == "five curves"
    assert _chart().to_dict(validate=True)["$schema"].endswith("v6.4.1.json")


def test_the_same_input_gives_the_same_spec_under_any_theme() -> None:
    first = chart_spec(_chart())
    with alt.theme.enable("dark"):
        assert chart_spec(_chart()) == first
