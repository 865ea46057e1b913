"""Ploidy against dose: either direction is found, none is taken for granted, and n is donors."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from thrombokit.cells.ploidy_response import analyse_ploidy_response, ploidy_populations
from thrombokit.cells.ploidy_shift import fit_shift, gather_classes
from thrombokit.cells.populations import analyse_population_response
from thrombokit.domain.ploidy import CLASSES
from thrombokit.errors import InputError
from thrombokit.numerics.ordered_logit import class_shares

DOSES_nM = np.repeat(np.concatenate([[0.0], 0.3 * np.sqrt(10.0) ** np.arange(9)]), 2)
CUTS = np.array([0.5, 1.5, 2.5, 4.0, 6.0])


def classes(
    shifts: list[float], *, seed: int = 1, rho: float = 0.005, ec50_nM: float = 30.0, cells: tuple[int, int] = (1_000, 10_000)
) -> pl.DataFrame:
    """One donor a shift of the log odds; wells scatter by a Dirichlet-multinomial of correlation rho."""
    rng = np.random.default_rng(seed)
    parts: list[pl.DataFrame] = []
    for number, shift in enumerate(shifts):
        shares = class_shares(CUTS + 0.2 * rng.standard_normal(), shift * DOSES_nM / (DOSES_nM + ec50_nM))
        drawn = [rng.multinomial(rng.integers(*cells), rng.dirichlet(s * (1 - rho) / rho + 1e-9)) for s in shares]
        parts.append(
            pl.DataFrame(np.array(drawn), schema=list(CLASSES)).with_columns(
                concentration_nM=pl.Series(DOSES_nM),
                donor=pl.lit(f"D{number + 1}"),
                agonist=pl.lit("hetrombopag"),
                day_d=pl.lit(12.0),
            )
        )
    return pl.concat(parts)


def flipped(table: pl.DataFrame) -> pl.DataFrame:
    """Classes in the opposite order: 2N counts as 64N and so on."""
    return table.rename(dict(zip(CLASSES, reversed(CLASSES), strict=True)))


def test_a_rise_is_found_with_its_size_and_its_ec50() -> None:
    result = analyse_ploidy_response(classes([1.2, 1.0, 1.4, 1.1]))
    row = result.combined.row(0, named=True)
    assert (row["verdict"], row["method"], row["n_donors"]) == ("higher_ploidy", "t_over_donors", 4)
    assert row["odds_ratio_low"] < np.exp(1.175) < row["odds_ratio_high"]
    assert row["doublings_low"] > 0
    assert row["ec50_nM"] == pytest.approx(30.0, rel=0.6)
    assert "ploidy rises with dose" in result.summary()
    assert "two-sided" in result.summary()


def test_a_fall_is_found_as_readily() -> None:
    up, down = (analyse_ploidy_response(t) for t in (classes([1.2, 1.0, 1.4, 1.1]), flipped(classes([1.2, 1.0, 1.4, 1.1]))))
    first, second = up.combined.row(0, named=True), down.combined.row(0, named=True)
    assert second["verdict"] == "lower_ploidy"
    assert second["p"] == pytest.approx(first["p"], rel=1e-6)
    assert second["odds_ratio"] == pytest.approx(1 / first["odds_ratio"], rel=1e-6)
    assert "ploidy falls with dose" in down.summary()


def test_no_shift_is_not_a_direction_and_gives_no_ec50() -> None:
    result = analyse_ploidy_response(classes([0.0, 0.0, 0.0, 0.0], seed=3))
    row = result.combined.row(0, named=True)
    assert row["verdict"] == "no_shift_shown"
    assert row["doublings_low"] < 0 < row["doublings_high"]
    flat = result.shifts.filter(pl.col("verdict") == "no_shift")
    assert flat.height >= 3
    assert flat["ec50_nM"].null_count() == flat.height
    assert flat.filter((pl.col("odds_ratio_low") > 1) | (pl.col("odds_ratio_high") < 1)).height == 0


def test_two_donors_are_described_without_a_test() -> None:
    result = analyse_ploidy_response(classes([1.2, 1.0]))
    row = result.combined.row(0, named=True)
    assert (row["verdict"], row["method"], row["p"], row["odds_ratio_low"]) == ("too_few_donors", "descriptive", None, None)
    assert row["odds_ratio"] > 1
    assert result.shifts["odds_ratio_low"].min() > 1
    assert "no test over donors below three" in result.summary()


def test_the_scatter_of_wells_is_found_and_widens_the_donors_interval() -> None:
    calm, rough = (analyse_ploidy_response(classes([1.0] * 4, rho=rho)) for rho in (0.0005, 0.03))
    assert rough.shifts["scatter"][0] == pytest.approx(0.03, rel=0.35)
    assert calm.shifts["scatter"][0] < 0.002
    widths = [np.log(r.shifts["odds_ratio_high"] / r.shifts["odds_ratio_low"]).mean() for r in (calm, rough)]
    assert widths[1] > 2 * widths[0]


def test_cells_do_not_stand_in_for_wells() -> None:
    table = classes([1.0], rho=0.02)
    more = table.with_columns(pl.col(CLASSES) * 100)
    widths = []
    for each in (table, more):
        row = analyse_ploidy_response(each).shifts.row(0, named=True)
        widths.append(np.log(row["odds_ratio_high"] / row["odds_ratio_low"]))
    assert widths[1] > 0.7 * widths[0]


def test_shares_with_effective_cells_are_the_counts_they_stand_for() -> None:
    table = classes([1.0, 1.2, 0.9])
    total = table.select(pl.sum_horizontal(CLASSES)).to_series()
    shares = table.with_columns([(pl.col(c) / total).alias(c) for c in CLASSES] + [total.cast(pl.Float64).alias("n_effective")])
    first, second = (analyse_ploidy_response(t).combined.row(0, named=True) for t in (table, shares))
    assert second["odds_ratio"] == pytest.approx(first["odds_ratio"], rel=1e-6)
    errors = [(pl.col(c) * (1 - pl.col(c)) / 100.0).sqrt().alias(f"se_{c}") for c in CLASSES]
    assert ploidy_populations(shares.with_columns(errors))["parent_count"].to_numpy() == pytest.approx(np.full(60, 100.0))


def test_classes_with_hardly_a_cell_join_their_neighbour_and_it_is_told() -> None:
    table = classes([1.0, 1.1, 0.9], cells=(1_000, 1_001)).with_columns(pl.col("64N").clip(0, 0), pl.lit(0).alias("32N"))
    result = analyse_ploidy_response(table)
    assert result.shifts["classes"][0] == "2N, 4N, 8N, 16N to 64N"
    assert "too few cells for classes of their own: 16N to 64N" in result.shifts["message"][0]
    assert result.classes["share"].sum() == pytest.approx(table.height)


def test_share_at_least_8n_goes_through_the_population_response() -> None:
    table = classes([2.0, 1.8, 2.2], rho=0.001)
    population = ploidy_populations(table)
    assert population["population"].unique().to_list() == [">= 8N"]
    assert (
        population["count"].to_list()
        == table.select(pl.sum_horizontal("8N", "16N", "32N", "64N").cast(pl.Float64)).to_series().to_list()
    )
    row = analyse_population_response(population).combined.row(0, named=True)
    assert row["method"] == "t_over_donors"
    assert row["top"] > row["bottom"]


def test_too_little_to_fit_is_a_verdict_with_its_reason() -> None:
    few = classes([1.0, 1.0, 1.0]).filter(pl.col("concentration_nM") < 0.5)
    result = analyse_ploidy_response(few)
    assert set(result.shifts["verdict"]) == {"bad"}
    assert "3 doses, 5 wells and 2 classes are needed" in result.shifts["message"][0]
    assert result.combined["n_donors"][0] == 0
    assert "no donor's classes could be fitted" in result.summary()


def test_shares_that_do_not_sum_to_one_and_missing_classes_are_refused() -> None:
    table = classes([1.0]).with_columns(n_effective=pl.lit(100.0))
    with pytest.raises(InputError, match=r"ploidy.csv, row 2: found shares that sum to \S+; expected shares that sum to 1"):
        analyse_ploidy_response(table, source="ploidy.csv")
    with pytest.raises(InputError, match=r"Add 16N."):
        analyse_ploidy_response(classes([1.0]).drop("16N"))


def test_the_profile_interval_holds_the_fitted_shift_and_the_ec50_its_own() -> None:
    table = classes([1.5], rho=0.001)
    with np.errstate(divide="ignore"):
        gathered = gather_classes(np.log(DOSES_nM), table.select(CLASSES).to_numpy().astype(float))
    shift = fit_shift(gathered, 0.001, confidence=0.95)
    assert shift.low < shift.log_odds < shift.high
    assert shift.ln_ec50[1] < shift.ln_ec50[0] < shift.ln_ec50[2]
    wider = fit_shift(gathered, 0.001, confidence=0.99)
    assert wider.low < shift.low < shift.high < wider.high
