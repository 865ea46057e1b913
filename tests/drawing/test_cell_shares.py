"""Stacked shares, yields over days, any statistic on the plate: what is drawn and what is refused."""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl
import pytest

from thrombokit.drawing.compositions import composition_chart
from thrombokit.drawing.export import chart_spec, chart_to_svg
from thrombokit.drawing.plate_statistics import plate_statistic_chart
from thrombokit.drawing.theme import BLUE, GREEN, GREY
from thrombokit.drawing.yields import yield_chart
from thrombokit.errors import InputError

DOSES = ["vehicle", "1 nM", "10 nM", "rhTPO"]


def _rows(chart: alt.FacetChart) -> list[dict[str, Any]]:
    (rows,) = chart_spec(chart)["datasets"].values()
    return rows


def _shares(cd41: float = 40.0) -> pl.DataFrame:
    return pl.DataFrame([
        {"panel": donor, "dose": dose, "part": part, "percent": percent}
        for donor in ("D2", "D1")
        for dose in DOSES
        for part, percent in (("CD41+", cd41), ("CD41-", 60.0))
    ])  # fmt: skip


def _composition(shares: pl.DataFrame) -> alt.FacetChart:
    return composition_chart(
        shares, colours={"CD41-": BLUE, "CD41+": GREEN}, share_title="% of live cells", part_title="stage", description="stages"
    )


def test_parts_stack_in_the_order_of_the_colours_and_doses_in_the_order_given() -> None:
    chart = _composition(_shares())
    ranks = {row["part"]: row["rank"] for row in _rows(chart)}
    assert ranks == {"CD41-": 0, "CD41+": 1}
    steps = {row["dose"]: row["step"] for row in _rows(chart)}
    assert sorted(steps, key=lambda dose: steps[dose]) == DOSES
    svg = chart_to_svg(chart)
    assert svg.index(">D2<") < svg.index(">D1<"), "donors stand in the order given"
    assert svg.index(">vehicle<") < svg.index(">1 nM<") < svg.index(">10 nM<") < svg.index(">rhTPO<")
    assert chart.to_dict(validate=True)["description"] == "stages"


def test_a_part_without_a_colour_is_grey_and_never_dropped() -> None:
    shares = _shares(30.0)
    other = shares.filter(pl.col("part") == "CD41+").with_columns(part=pl.lit("unclear"), percent=pl.lit(10.0))
    spec = chart_spec(_composition(pl.concat([shares, other])))
    scale = spec["spec"]["encoding"]["color"]["scale"]
    assert scale == {"domain": ["CD41-", "CD41+", "unclear"], "range": [BLUE, GREEN, GREY]}


def test_bars_that_do_not_add_up_are_refused_by_name_all_at_once() -> None:
    with pytest.raises(InputError) as caught:
        _composition(_shares(35.0))
    assert len(caught.value.faults) == 8
    assert str(caught.value.faults[0]) == (
        "stacked bar D2, vehicle: found parts that add up to 95 %; expected 100 %. "
        "Give every part of the bar, also those without a name, once."
    )
    with pytest.raises(InputError, match="stacked bars: found no bar"):
        _composition(_shares().clear())


def _yields() -> pl.DataFrame:
    return pl.DataFrame([
        {"panel": "D1", "culture": culture, "day_d": day, "value": value, "low": low, "high": 2.0 * value}
        for culture, scale in (("vehicle", 1.0), ("rhTPO", 4.0))
        for day, value, low in ((0.0, 0.0, 0.0), (7.0, scale, 0.5 * scale), (14.0, 3.0 * scale, -1.0))
    ])  # fmt: skip


def test_yields_leave_out_what_a_logarithm_cannot_show() -> None:
    chart = yield_chart(_yields(), title="MKs per CD34+ cell", description="yield")
    rows = _rows(chart)
    assert [(row["culture"], row["day_d"]) for row in rows] == [("vehicle", 7), ("vehicle", 14), ("rhTPO", 7), ("rhTPO", 14)]
    assert [row.get("low") for row in rows] == [0.5, None, 2, None], "a lower end at or below 0 is open"
    svg = chart_to_svg(chart)
    assert "MKs per CD34+ cell" in svg
    assert ">rhTPO<" in svg


def test_a_yield_chart_without_a_positive_value_is_refused() -> None:
    with pytest.raises(InputError, match=r"yield chart: found 2 rows, none with a yield above 0"):
        yield_chart(_yields().filter(pl.col("day_d") == 0), title="t", description="d")


def _wells(columns: int = 12) -> pl.DataFrame:
    return pl.DataFrame([
        {"plate": "P1", "well": f"{'AB'[row]}{column + 1}", "row": row, "column": column, "role": "vehicle" if column == 0 else "sample",
         "treatment": "hetrombopag 3 nM", "value": None if (row, column) == (1, 1) else 10.0 * column + row}
        for row in range(2)
        for column in range(columns)
    ])  # fmt: skip


def test_a_statistic_is_coloured_by_its_own_value_and_a_missing_one_stays_white() -> None:
    chart = plate_statistic_chart(_wells(), title="CD41+, % of live cells", description="heat map")
    rows = {row["well"]: row for row in _rows(chart)}
    assert rows["A12"]["value"] == 110
    assert "value" not in rows["B2"]
    svg = chart_to_svg(chart)
    assert svg.count('fill="#FFFFFF"') + svg.count('fill="#ffffff"') >= 1
    assert "CD41+, % of live cells" in svg
    assert ">110<" in svg, "small plates carry their numbers"


def test_large_plates_carry_letters_in_place_of_numbers() -> None:
    svg = chart_to_svg(plate_statistic_chart(_wells(24), title="CD41+, %", description="d"))
    assert ">V<" in svg
    assert ">230<" not in svg


def test_a_plate_without_a_value_is_refused() -> None:
    empty = _wells().with_columns(value=pl.lit(None, dtype=pl.Float64))
    with pytest.raises(InputError, match=r'plate heat map of "CD41\+": found 24 wells, none with a value'):
        plate_statistic_chart(empty, title="CD41+", description="d")


def test_equal_values_still_give_an_axis() -> None:
    same = _wells().with_columns(value=pl.lit(0.0))
    assert chart_to_svg(plate_statistic_chart(same, title="t", description="d")).startswith("<svg")
