"""Heat maps, forest plot and control strip: what they hold, and that they render to SVG, PNG and PDF."""

from __future__ import annotations

import re
from typing import Any

import altair as alt
import polars as pl
import pytest

from thrombokit.drawing.controls import control_strip
from thrombokit.drawing.export import chart_spec, chart_to_pdf, chart_to_png, chart_to_svg
from thrombokit.drawing.forest import forest_chart
from thrombokit.drawing.plates import plate_heatmap
from thrombokit.errors import InputError


@pytest.fixture(scope="module")
def wells() -> pl.DataFrame:
    rows: list[dict[str, Any]] = []
    for plate, n_rows, n_columns in (("small", 8, 12), ("large", 16, 24)):
        for row in range(n_rows):
            for column in range(n_columns):
                role = {0: "vehicle", 1: "positive_control", 2: "blank"}.get(column, "sample")
                signal = None if (row, column) == (0, 5) else 100.0 * (column + 1)
                rows.append({"plate": plate, "well": f"{row}-{column}", "row": row, "column": column, "role": role, "signal": signal,
                             "agonist": "a" if role == "sample" else "", "concentration_nM": 1.0 if role == "sample" else None,
                             "excluded": (row, column) == (1, 0)})  # fmt: skip
    return pl.DataFrame(rows, infer_schema_length=None)


def _rows(chart: alt.Chart | alt.FacetChart) -> list[dict[str, Any]]:
    (rows,) = chart_spec(chart)["datasets"].values()
    return rows


def test_heat_map_letters_controls_and_crosses_out_excluded_wells(wells: pl.DataFrame) -> None:
    rows = {(row["plate"], row["well"]): row for row in _rows(plate_heatmap(wells, description="two plates"))}
    assert [rows["small", f"2-{column}"].get("letter") for column in range(4)] == ["V", "P", "B", None]
    assert rows["small", "1-0"]["letter"] == "×"
    assert "share" not in rows["small", "0-5"], "a well without a signal has no colour"
    assert (rows["large", "15-0"]["line"], rows["large", "15-23"]["column"]) == ("P", 24)


def test_heat_map_share_does_not_depend_on_the_gain(wells: pl.DataFrame) -> None:
    louder = wells.with_columns(pl.col("signal") * 1000)
    shares = [[row.get("share") for row in _rows(plate_heatmap(frame, description="d"))] for frame in (wells, louder)]
    assert shares[0] == shares[1]
    assert max(share for share in shares[0] if share is not None) >= 100


def test_a_well_without_a_signal_stays_white_and_does_not_look_like_a_low_one(wells: pl.DataFrame) -> None:
    one = wells.filter(pl.col("plate") == "small")
    svg = chart_to_svg(plate_heatmap(one, description="plate"))
    fills = re.findall(r'aria-label="[^"]*well: ([^;]+);[^>]*"rect mark"[^>]*fill="([^"]+)"', svg)
    assert len(fills) == 96
    assert [well for well, fill in fills if fill == "#FFFFFF"] == ["0-5"]


def test_heat_map_of_two_sizes_renders(wells: pl.DataFrame) -> None:
    svg = chart_to_svg(plate_heatmap(wells, description="two plates"))
    assert "small" in svg
    assert svg.index(">small<") < svg.index(">large<"), "plates stand in the order given"
    assert "percentile" in svg


def _estimate(kind: str, ec50: float | None, low: float | None = None, high: float | None = None) -> dict[str, Any]:
    return {
        "assay": "32D-MPL, 72 h",
        "agonist": "hetrombopag",
        "kind": kind,
        "label": kind,
        "ec50_nM": ec50,
        "ec50_low_nM": low,
        "ec50_high_nM": high,
    }


FLOATS = {"ec50_nM": pl.Float64, "ec50_low_nM": pl.Float64, "ec50_high_nM": pl.Float64}


def test_forest_stacks_runs_above_combined_above_published() -> None:
    rows = [
        _estimate("published", 0.4),
        _estimate("combined", 0.41, 0.3, 0.5),
        _estimate("run", 0.5, 0.4, None),
        _estimate("run", None),
    ]
    drawn = _rows(forest_chart(pl.DataFrame(rows, schema_overrides=FLOATS), description="forest"))
    assert [(row["kind"], row["line"]) for row in drawn] == [("run", 0), ("combined", 1), ("published", 2)]
    run, combined, published = drawn
    assert run["drawn_high"] > run["ec50_nM"]
    assert "ec50_high_nM" not in run, "an open end stays open in the data"
    assert (combined["drawn_low"], combined["drawn_high"]) == (0.3, 0.5)
    assert published["drawn_low"] == published["drawn_high"] == 0.4, "no interval, no bar"


def test_a_run_open_at_both_ends_never_looks_exact() -> None:
    rows = pl.DataFrame([_estimate("run", 5.0), _estimate("combined", 5.0)], schema_overrides=FLOATS)
    run, combined = _rows(forest_chart(rows, description="forest"))
    assert run["drawn_low"] < 5 < run["drawn_high"]
    assert combined["drawn_low"] == combined["drawn_high"] == 5


def test_forest_draws_each_estimate_on_its_own_line() -> None:
    rows = [_estimate("run", 0.5, 0.4, 0.6), _estimate("run", 0.6, 0.5, 0.7), _estimate("combined", 0.55, 0.5, 0.6)]
    svg = chart_to_svg(forest_chart(pl.DataFrame(rows, schema_overrides=FLOATS), description="forest"))
    heights = re.findall(r'aria-roledescription="point"[^>]*transform="translate\([\d.]+,([\d.]+)\)"', svg)
    assert len(set(heights)) == 3, "estimates do not lie upon one another"


def test_forest_renders_with_its_unit() -> None:
    chart = forest_chart(pl.DataFrame([_estimate("run", 0.5, 0.4, 0.6)], schema_overrides=FLOATS), description="forest")
    assert "EC50 (nM)" in chart_to_svg(chart)


def test_forest_without_an_ec50_says_so() -> None:
    with pytest.raises(InputError, match=r"1 rows, none with an EC50; expected at least one EC50 in nM\. Leave the picture out"):
        forest_chart(pl.DataFrame([_estimate("run", None)], schema_overrides=FLOATS), description="forest")


def test_control_strip_shows_controls_only(wells: pl.DataFrame) -> None:
    rows = _rows(control_strip(wells, description="controls"))
    assert {row["role"] for row in rows} == {"vehicle", "positive control", "blank"}
    assert len(rows) == 3 * (8 + 16) - 2, "the excluded vehicle well of each plate is not drawn"


def test_every_picture_is_valid_vega_lite(wells: pl.DataFrame) -> None:
    forest = forest_chart(pl.DataFrame([_estimate("run", 0.5, 0.4, 0.6)], schema_overrides=FLOATS), description="forest")
    for chart in (forest, plate_heatmap(wells, description="plates"), control_strip(wells, description="controls")):
        assert chart.to_dict(validate=True)["description"]


def test_names_may_hold_anything_a_user_types(wells: pl.DataFrame) -> None:
    odd = "quote \" ' line \u2028 back \\ </script>"
    renamed = wells.with_columns(pl.col("plate").replace({"small": odd}))
    estimates = pl.DataFrame([{**_estimate("run", 0.5, 0.4, 0.6), "agonist": odd, "assay": odd}], schema_overrides=FLOATS)
    for chart in (
        plate_heatmap(renamed, description=odd),
        control_strip(renamed, description=odd),
        forest_chart(estimates, description=odd),
    ):
        assert "quote" in chart_to_svg(chart)


def test_png_and_pdf_are_what_they_say(wells: pl.DataFrame) -> None:
    chart = control_strip(wells, description="controls")
    assert chart_to_png(chart, scale=1.0).startswith(b"\x89PNG")
    assert chart_to_pdf(chart).startswith(b"%PDF")
