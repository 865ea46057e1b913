"""The pictures of the cells stage's results: an EC50 forest where there are EC50s, stages as stacked bars where there are none."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np
import polars as pl
import pytest

from thrombokit.cells.cultures_result import CulturesResult
from thrombokit.cells.population_result import PopulationResult
from thrombokit.cells.populations import analyse_population_response
from thrombokit.cells.result import CellsResult
from thrombokit.drawing.export import chart_spec
from thrombokit.drawing.theme import HAIRLINE
from thrombokit.errors import InputError

SURFACE = {"CD34+CD41-": 20.0, "CD34-CD41+": 30.0, "CD34-CD41-": 50.0}
PLOIDY = {"CD41-": 40.0, "CD41+": 60.0}
TREATMENTS = (
    ("positive_control", "rhTPO", 1.4),
    ("sample", "hetrombopag", 10.0),
    ("sample", "hetrombopag", 2.0),
    ("vehicle", "", 0.0),
)


def stages(
    shares: dict[str, float], *, panel: str = "surface", donors: tuple[str, ...] = ("D1", "D2"), tubes: int = 1
) -> pl.DataFrame:
    return pl.DataFrame([
        {"tube": f"{donor} {agonist} {dose:g} {panel} {tube}", "donor": donor, "day_d": 12.0, "panel": panel, "role": role, "agonist": agonist,
         "concentration_nM": dose, "stage": stage, "parent": "live", "percent": percent}
        for donor in donors for role, agonist, dose in TREATMENTS for tube in range(tubes) for stage, percent in shares.items()
    ])  # fmt: skip


def gating(table: pl.DataFrame) -> CellsResult:
    nothing = pl.DataFrame()
    return CellsResult(
        populations=nothing, stages=table, thresholds=nothing, quality=nothing, warnings=nothing, by_ploidy=nothing, fitted={}
    )


def cultures(table: pl.DataFrame, responses: PopulationResult | None = None) -> CulturesResult:
    return CulturesResult(
        gating=gating(table), gates={}, markers={}, stage_order=(), spillover=(), tubes=(), confidence=0.95, responses=responses
    )


def responses(tops: dict[str, int]) -> PopulationResult:
    """A donor an entry: 5 % in vehicle, `top` % at high dose, EC50 about 20 nM."""
    doses = np.array([0.0, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0])
    parts = [
        pl.DataFrame({
            "donor": donor, "agonist": "hetrombopag", "population": "CD41+", "day_d": 12.0, "concentration_nM": np.repeat(doses, 2),
            "count": np.round(5000 * (0.05 + (top / 100 - 0.05) * np.repeat(doses / (doses + 20.0), 2))).astype(int) + np.tile([-20, 20], 10),
            "parent_count": 5000,
        })
        for donor, top in tops.items()
    ]  # fmt: skip
    return analyse_population_response(pl.concat(parts))


def drawn(chart: alt.FacetChart) -> list[dict[str, Any]]:
    (rows,) = chart_spec(chart)["datasets"].values()
    return rows


def test_stages_are_a_panel_a_donor_with_vehicle_first_and_the_control_last() -> None:
    rows = drawn(gating(stages(SURFACE)).plot())
    assert list(dict.fromkeys(row["panel"] for row in rows)) == ["D1", "D2"]
    assert [row["dose"] for row in rows if row["panel"] == "D1" and row["part"] == "CD34+CD41-"] == [
        "vehicle",
        "2 nM",
        "10 nM",
        "rhTPO 1.4 nM",
    ]
    assert {row["part"]: row["percent"] for row in rows if row["panel"] == "D2" and row["dose"] == "10 nM"} == SURFACE


def test_tubes_of_one_treatment_are_averaged_and_counted() -> None:
    other = stages({"CD34+CD41-": 40.0, "CD34-CD41+": 10.0, "CD34-CD41-": 50.0}).with_columns(tube=pl.col("tube") + " again")
    rows = drawn(gating(pl.concat([stages(SURFACE), other])).plot())
    first = next(row for row in rows if row["part"] == "CD34+CD41-")
    assert (first["percent"], first["tubes"]) == (30.0, 2)


def test_two_staining_panels_stand_apart_and_every_bar_is_whole() -> None:
    rows = drawn(gating(pl.concat([stages(SURFACE), stages(PLOIDY, panel="ploidy", donors=("D1",))])).plot())
    assert list(dict.fromkeys(row["panel"] for row in rows)) == ["D1, surface panel", "D2, surface panel", "D1, ploidy panel"]
    sums = pl.DataFrame(rows).group_by("panel", "dose").agg(pl.col("percent").sum())
    assert sums["percent"].to_list() == pytest.approx([100.0] * 12)


def test_stages_keep_their_order_and_what_carries_no_marker_is_grey() -> None:
    scale = gating(stages(SURFACE)).plot().to_dict()["spec"]["encoding"]["color"]["scale"]
    assert scale["domain"] == list(SURFACE)
    assert len(set(scale["range"])) == 3
    assert scale["range"][2] == HAIRLINE


def test_a_tube_without_cells_is_left_out() -> None:
    table = stages(SURFACE).with_columns(percent=pl.when(pl.col("agonist") == "rhTPO").then(float("nan")).otherwise("percent"))
    assert "rhTPO 1.4 nM" not in {row["dose"] for row in drawn(gating(table).plot())}


@pytest.mark.parametrize("table", [pl.DataFrame(), stages(SURFACE).with_columns(percent=float("nan"))])
def test_without_any_stage_the_message_says_so(table: pl.DataFrame) -> None:
    with pytest.raises(
        InputError, match=r"stages: found no tube with cells in its stages; expected at least one\. Look at the table of quality"
    ):
        gating(table).plot()


def test_cultures_with_an_ec50_are_a_forest_of_donors() -> None:
    rows = drawn(cultures(stages(SURFACE), responses({"D1": 70, "D2": 65, "D3": 75})).plot())
    assert [row["label"] for row in rows] == ["D1", "D2", "D3", "over donors"]
    assert all(5 < row["ec50_nM"] < 80 for row in rows)


def test_cultures_whose_donors_have_no_ec50_show_their_stages() -> None:
    flat = responses({"D1": 5, "D2": 5})
    assert flat.curves["ec50_nM"].null_count() == 2
    assert {row["part"] for row in drawn(cultures(stages(SURFACE), flat).plot())} == set(SURFACE)


def test_cultures_without_a_dose_series_show_their_stages() -> None:
    assert {row["part"] for row in drawn(cultures(stages(SURFACE)).plot())} == set(SURFACE)
