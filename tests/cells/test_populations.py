"""Populations against dose: n is donors, wells are weighted by what their cells can tell, and what was left out is named."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thrombokit.cells import donor_potencies
from thrombokit.cells.population_result import PopulationResult
from thrombokit.cells.populations import PopulationSettings, analyse_population_response
from thrombokit.dose_response.fits import FITS_COLUMNS
from thrombokit.errors import InputError
from thrombokit.numerics.logistic_mixed import LogisticMixed, fit_logistic_mixed
from thrombokit.numerics.outcome import Outcome

DOSES_nM = 0.3 * np.sqrt(10.0) ** np.arange(9)


def counts(
    ec50s_nM: list[float], *, agonist: str = "hetrombopag", seed: int = 1, wells: int = 2, rho: float = 0.005, top: float = 60.0,
    bottom: float = 4.0, population: str = "CD41+", day_d: float | None = 12.0, doses_nM: np.ndarray = DOSES_nM,
) -> pl.DataFrame:  # fmt: skip
    """One donor an EC50, hill slope 1.2; wells of 500 to 20,000 cells with beta-binomial scatter."""
    rng = np.random.default_rng(seed)
    dose = np.repeat(np.concatenate([[0.0], doses_nM]), wells)
    parts: list[pl.DataFrame] = []
    for number, ec50 in enumerate(ec50s_nM):
        share = (bottom + (top - bottom) * dose**1.2 / (dose**1.2 + ec50**1.2)) / 100
        parent = np.exp(rng.uniform(np.log(500), np.log(20_000), dose.size)).astype(int)
        spread = (1 - rho) / rho
        drawn = rng.binomial(parent, rng.beta(share * spread, (1 - share) * spread))
        parts.append(
            pl.DataFrame({"concentration_nM": dose, "count": drawn, "parent_count": parent}).with_columns(
                donor=pl.lit(f"D{number + 1}"), agonist=pl.lit(agonist), population=pl.lit(population),
                day_d=pl.lit(day_d, dtype=pl.Float64),
            )
        )  # fmt: skip
    return pl.concat(parts)


def only(result: PopulationResult) -> dict[str, object]:
    assert result.combined.height == 1
    return result.combined.row(0, named=True)


def test_two_donors_are_described_and_get_no_interval() -> None:
    result = analyse_population_response(counts([20.0, 45.0]))
    row = only(result)
    assert (row["method"], row["verdict"], row["n_donors"]) == ("descriptive", "too_few_donors", 2)
    assert row["ec50_low_nM"] is None
    assert row["ec50_high_nM"] is None
    assert row["top_low"] is None
    own = result.curves["ec50_nM"].to_numpy()
    assert row["ec50_nM"] == pytest.approx(float(np.exp(np.log(own).mean())))
    assert np.all(result.curves["ec50_low_nM"].to_numpy() < own)
    assert "no interval over donors below three" in result.summary()


def test_three_donors_get_the_t_interval_of_their_log_ec50() -> None:
    result = analyse_population_response(counts([20.0, 30.0, 45.0]))
    row, own = only(result), np.log(result.curves["ec50_nM"].to_numpy())
    half = 4.302653 * own.std(ddof=1) / np.sqrt(3)
    assert (row["method"], row["verdict"]) == ("t_over_donors", "combined")
    assert [row["ec50_low_nM"], row["ec50_high_nM"]] == pytest.approx(
        [np.exp(own.mean() - half), np.exp(own.mean() + half)], rel=1e-6
    )
    assert "t over 3 donors" in result.summary()


def test_five_donors_go_into_a_mixed_model_that_agrees_with_t_on_complete_curves() -> None:
    table = counts([18.0, 24.0, 30.0, 38.0, 50.0], wells=3, rho=0.001)
    result = analyse_population_response(table)
    row, own = only(result), np.log(result.curves["ec50_nM"].to_numpy())
    half = 2.776445 * own.std(ddof=1) / np.sqrt(5)
    assert (row["method"], row["n_donors"]) == ("mixed_model", 5)
    assert row["ec50_nM"] == pytest.approx(np.exp(own.mean()), rel=0.05)
    assert np.log(row["ec50_high_nM"] / row["ec50_low_nM"]) == pytest.approx(2 * half, rel=0.15)
    assert row["between_donor_sd_log10"] == pytest.approx(own.std(ddof=1) / np.log(10), rel=0.2)
    assert [row["bottom"], row["top"]] == pytest.approx([4.0, 60.0], rel=0.1)


def test_a_mixed_model_that_does_not_converge_gives_way_to_t_and_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def unsettled(*arguments: np.ndarray) -> LogisticMixed:
        return replace(fit_logistic_mixed(*arguments), outcome=Outcome.MAX_STEPS)

    monkeypatch.setattr(donor_potencies, "fit_logistic_mixed", unsettled)
    row = only(analyse_population_response(counts([18.0, 24.0, 30.0, 38.0, 50.0])))
    assert (row["method"], row["n_donors"], row["verdict"]) == ("t_over_donors", 5, "combined")
    assert "the mixed model did not converge: t over donors in its place" in str(row["message"])


def test_wells_are_no_donors() -> None:
    """Six wells a dose in place of two: the same donors, the same n, an interval that the donors set."""
    few, many = (only(analyse_population_response(counts([10.0, 30.0, 90.0], wells=wells))) for wells in (2, 6))
    assert few["n_donors"] == many["n_donors"] == 3
    widths = [np.log(row["ec50_high_nM"] / row["ec50_low_nM"]) for row in (few, many)]
    assert widths[1] == pytest.approx(widths[0], rel=0.25)


def test_cells_are_no_wells_either() -> None:
    """A hundred times the cells in every well hardly sharpens a donor's curve: the wells scatter as before."""
    table = counts([30.0], rho=0.02, wells=3)
    more = table.with_columns(pl.col("count", "parent_count") * 100)
    one, hundred = (analyse_population_response(t).curves.row(0, named=True) for t in (table, more))
    widths = [np.log(row["ec50_high_nM"] / row["ec50_low_nM"]) for row in (one, hundred)]
    assert widths[1] > 0.6 * widths[0]


def test_a_well_of_few_cells_weighs_less_but_one_of_many_does_not_rule() -> None:
    table = counts([30.0], wells=2, rho=0.01)
    sizes = np.where(np.arange(table.height) % 2 == 0, 50, 50_000)
    share = table["count"].to_numpy() / table["parent_count"].to_numpy()
    table = table.with_columns(count=pl.Series(np.round(share * sizes)), parent_count=pl.Series(sizes))
    points = analyse_population_response(table).points.filter(pl.col("concentration_nM") > 100)
    weight = points["weight"].to_numpy()
    assert 1.5 < weight[1] / weight[0] < 60


def test_donors_without_an_ec50_are_named_with_the_reason() -> None:
    table = pl.concat([counts([20.0, 30.0, 45.0]), counts([30.0], top=4.0, seed=3).with_columns(donor=pl.lit("flat one"))])
    result = analyse_population_response(table)
    row = only(result)
    assert (row["n_donors"], row["donors_left_out"]) == (3, "flat one")
    assert "flat one left out: no effect of dose found" in str(row["message"])
    assert "Left out: flat one (no effect of dose found" in result.summary()


def test_an_end_that_a_donor_leaves_open_stays_open() -> None:
    """Doses stop at 30 nM and one donor of three does not show its plateau: no upper end is made up for all."""
    result = analyse_population_response(counts([4.0, 6.0, 14.0], doses_nM=DOSES_nM[:5], seed=5))
    row = only(result)
    assert result.curves["ec50_high_nM"].null_count() == 1
    assert (row["method"], row["verdict"], row["ec50_high_nM"]) == ("t_over_donors", "open", None)
    assert row["message"] == "upper end open, as D3 leaves it"
    assert "no upper end, t over 3 donors" in result.summary()


def test_all_donors_beyond_the_doses_give_a_bound() -> None:
    result = analyse_population_response(counts([1e4, 1.5e4, 2e4], wells=4, rho=1e-4))
    row = only(result)
    assert row["verdict"] == "beyond_range"
    assert row["ec50_nM"] is None
    assert row["ec50_high_nM"] is None
    assert float(str(row["ec50_low_nM"])) > 1_000
    assert "no EC50 (above" in result.summary()


def test_the_ratio_to_the_comparator_is_formed_within_donors() -> None:
    ec50s = [10.0, 30.0, 90.0]
    table = pl.concat([counts(ec50s, wells=3), counts([4 * e for e in ec50s], agonist="eltrombopag", wells=3, seed=2)])
    result = analyse_population_response(table, settings=PopulationSettings(comparator="eltrombopag"))
    row = result.combined.row(0, named=True)
    assert row["ec50_ratio"] == pytest.approx(4.0, rel=0.35)
    assert (row["ratio_method"], row["n_donors_ratio"]) == ("t_over_donors", 3)
    ratio_width = np.log(row["ec50_ratio_high"] / row["ec50_ratio_low"])
    assert ratio_width < 0.5 * np.log(row["ec50_high_nM"] / row["ec50_low_nM"])
    assert result.combined["ec50_ratio"][1] is None
    assert "EC50 of eltrombopag is" in result.summary()


def test_a_top_above_100_percent_is_told() -> None:
    """Wells that rise on a straight line to 99 % make the curve point beyond 100 %."""
    dose = np.repeat(DOSES_nM, 2)
    share = np.interp(np.log(dose), [np.log(dose[0]), np.log(dose[-1])], [0.02, 0.985])
    table = pl.DataFrame(
        {
            "donor": "D1",
            "agonist": "a",
            "concentration_nM": dose,
            "population": "CD41+",
            "count": np.round(2_000 * share),
            "parent_count": 2_000,
        }
    )
    row = analyse_population_response(table).curves.row(0, named=True)
    assert row["top"] > 100
    assert "lies above 100 %" in row["message"]


def test_yields_are_fitted_on_the_log_scale_and_printed_as_yields() -> None:
    rng = np.random.default_rng(6)
    dose = np.repeat(np.concatenate([[0.0], DOSES_nM]), 3)
    parts: list[pl.DataFrame] = []
    for donor, ec50 in (("D1", 20.0), ("D2", 35.0), ("D3", 50.0)):
        value = np.exp(np.log(2.0) + (np.log(40.0) - np.log(2.0)) * dose / (dose + ec50) + 0.1 * rng.standard_normal(dose.size))
        parts.append(pl.DataFrame({"donor": donor, "concentration_nM": dose, "value": value, "relative_sd": 0.05}))
    table = pl.concat(parts).with_columns(agonist=pl.lit("a"), population=pl.lit("MK per CD34+ cell"))
    table = table.with_columns(value=pl.when(pl.int_range(pl.len()) == 0).then(0.0).otherwise(pl.col("value")))
    result = analyse_population_response(table)
    row, first = only(result), result.curves.row(0, named=True)
    assert first["response_unit"] == "yield"
    assert [row["bottom"], row["top"]] == pytest.approx([2.0, 40.0], rel=0.15)
    assert row["ec50_nM"] == pytest.approx((20.0 * 35.0 * 50.0) ** (1 / 3), rel=0.2)
    assert first["scatter"] == pytest.approx(0.09, abs=0.03)
    assert (first["n_excluded"], first["n_points"]) == (1, 29)
    assert "1 well left out (no yield above 0, which has no logarithm)" in first["message"]


def test_donors_whose_curves_run_against_the_others_are_named() -> None:
    table = pl.concat([counts([20.0, 30.0]), counts([30.0], bottom=60.0, top=5.0, seed=5).with_columns(donor=pl.lit("D9"))])
    assert "donors disagree: the curve of D9 falls" in str(only(analyse_population_response(table))["message"])


def test_tables_carry_keys_fits_columns_lines_points_and_controls() -> None:
    control = pl.DataFrame({"donor": "D1", "agonist": "rhTPO", "concentration_nM": 5.0, "population": "CD41+", "count": [70, 72],
                            "parent_count": 100, "day_d": 12.0, "role": "positive_control"})  # fmt: skip
    table = pl.concat([counts([30.0]).with_columns(role=pl.lit("sample")), control], how="diagonal_relaxed")
    result = analyse_population_response(table)
    assert result.curves.columns == ["donor", "agonist", "population", "day_d", "panel", "response_unit", *FITS_COLUMNS, "scatter"]
    assert result.curves["curve"][0] == "donor D1, hetrombopag, CD41+, day 12"
    assert result.lines.height == 48
    assert np.all(result.lines["low"].to_numpy() <= result.lines["fitted"].to_numpy())
    assert result.points.height == table.height - 2
    assert result.points.filter(pl.col("concentration_nM") == 0).height == 2
    assert result.controls.select("role", "agonist", "n_wells", "mean").row(0) == (
        "positive_control",
        "rhTPO",
        2,
        pytest.approx(71.0),
    )
    assert result.table().equals(result.combined)
    assert "layer" in str(result.plot().to_dict().keys()) or "spec" in result.plot().to_dict()


@given(st.sampled_from([0.01, 0.1, 10.0, 1_000.0]))
def test_scaling_all_doses_scales_the_ec50(factor: float) -> None:
    table = counts([20.0, 30.0, 45.0])
    first, moved = (only(analyse_population_response(t)) for t in (table, table.with_columns(pl.col("concentration_nM") * factor)))
    for name in ("ec50_nM", "ec50_low_nM", "ec50_high_nM"):
        assert moved[name] == pytest.approx(factor * float(str(first[name])), rel=1e-5)


def test_the_order_of_rows_does_not_matter() -> None:
    table = counts([20.0, 30.0, 45.0])
    first = only(analyse_population_response(table))
    other = only(analyse_population_response(table.sample(fraction=1.0, shuffle=True, seed=1).sort("donor")))
    for name in ("ec50_nM", "ec50_low_nM", "top"):
        assert other[name] == pytest.approx(first[name], rel=1e-7)


def test_too_few_doses_are_a_verdict() -> None:
    result = analyse_population_response(counts([30.0], doses_nM=DOSES_nM[:2]))
    assert result.curves["verdict"].to_list() == ["bad"]
    assert only(result)["verdict"] == "bad"
    assert "no EC50 (bad)" in result.summary()


def test_more_cells_than_the_parent_and_an_unknown_comparator_are_refused() -> None:
    table = counts([30.0]).with_columns(count=pl.col("parent_count") + 1)
    with pytest.raises(
        InputError, match=r"counts.csv, row 2, column count: found \d+ beside parent_count \d+; expected no more cells"
    ):
        analyse_population_response(table, source="counts.csv")
    with pytest.raises(InputError, match='found "romiplostim"; expected one of hetrombopag'):
        analyse_population_response(counts([30.0]), settings=PopulationSettings(comparator="romiplostim"))
    with pytest.raises(InputError, match=r"confidence: found 95; expected above 0.5 and below 1"):
        PopulationSettings(confidence=95)


def test_a_yield_without_its_error_is_refused() -> None:
    table = pl.DataFrame({"donor": ["D1"], "agonist": ["a"], "concentration_nM": [1.0], "value": [3.0], "relative_sd": [None]})
    with pytest.raises(
        InputError, match="row 2, column relative_sd: found nothing beside value 3; expected the relative standard deviation"
    ):
        analyse_population_response(table.with_columns(pl.col("relative_sd").cast(pl.Float64)))


def test_three_donors_twelve_populations_nine_doses_make_a_row_each() -> None:
    table = pl.concat([counts([20.0, 30.0, 45.0], population=f"P{k}", seed=k) for k in range(12)])
    result = analyse_population_response(table)
    assert result.combined.height == 12
