"""Cohorts under frozen draws: what a draw brings along, equal weights, where the interval comes from, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from thrombokit.agonists.parameter_sets import load_parameter_set
from thrombokit.errors import SpecError
from thrombokit.io.patient_models import load_model
from thrombokit.numerics.arrays import frozen
from thrombokit.patients.calibration.frozen_draw import fluctuation_of, remission_of, rescue_of
from thrombokit.patients.cohort import Cohort, Counted, Inclusion
from thrombokit.patients.compare_draws import compare_draws
from thrombokit.patients.drawn_cohort import DrawnModel, cohort_under_draw, simulate_drawn_cohort
from thrombokit.patients.draws_result import ALL, MEASURES, DrawsResult
from thrombokit.patients.fixed_dose import FixedDose
from thrombokit.patients.fluctuation import Fluctuation
from thrombokit.patients.simulate_draws import choose_replicates, simulate_draws
from thrombokit.scale.engine import ProcessEngine

FIVE_MG = FixedDose(amount=5.0)
STOPPED, DOSED = "hetrombopag-itp-absolute-stopped-day-14", "hetrombopag-itp-absolute-dosed-to-day-28"


def drawn(name: str) -> DrawnModel:
    parameters = load_parameter_set(name)
    return DrawnModel(parameters=parameters, model=load_model(parameters.model))


@pytest.fixture(scope="module")
def both() -> tuple[DrawnModel, ...]:
    return drawn(DOSED), drawn(STOPPED)


@pytest.fixture(scope="module")
def result(both: tuple[DrawnModel, ...]) -> DrawsResult:
    return simulate_draws(both, FIVE_MG, Cohort(n=40), draws=12, seed=3, weeks=6)


def test_a_draw_brings_its_fluctuation_rescue_remission_and_admission() -> None:
    parameters = load_parameter_set(STOPPED)
    who = cohort_under_draw(Cohort(n=5), parameters, 7)
    assert (who.fluctuation, who.rescue, who.remission) == (
        fluctuation_of(parameters, 7),
        rescue_of(parameters, 7),
        remission_of(parameters, 7),
    )
    assert who.criterion == Inclusion(when="< 30", counted=Counted.MEASURED)
    assert who.remission is not None
    assert who.remission.share == parameters.draw(7)["remission.share"]


def test_what_the_cohort_says_goes_before_the_draw() -> None:
    parameters = load_parameter_set(STOPPED)
    own, latent = Fluctuation(log_sd=0.1, correlation_time_d=3.0), Inclusion(when="< 20")
    who = cohort_under_draw(Cohort(n=5, fluctuation=own, inclusion=latent), parameters, 7)
    assert (who.fluctuation, who.criterion) == (own, latent)
    assert cohort_under_draw(Cohort(n=5, inclusion=None), parameters, 7).criterion is None
    result = simulate_drawn_cohort(drawn(STOPPED), 7, FIVE_MG, Cohort(n=5, fluctuation=own), seed=1, weeks=2)
    assert "Of the cohort, not of the draw: fluctuation." in result.summary()
    assert "keep the spread that the draw's own fluctuation leaves" in result.summary()


def test_a_result_names_its_draw_and_hash() -> None:
    result = simulate_drawn_cohort(drawn(STOPPED), 7, FIVE_MG, Cohort(n=5), seed=1, weeks=2)
    told = result.to_dict()["parameters"]
    sha = load_parameter_set(STOPPED).sha256
    assert told == {
        "parameters": STOPPED,
        "sha256": sha,
        "draw": 7,
        "structure": "absolute",
        "reading": "stopped-day-14",
        "kind": "posterior",
    }
    assert f"draw 7 of {STOPPED} ({sha[:12]}), with its fluctuation, rescue, remission." in result.summary()
    assert "admitted by their measured count, as in the fit" in result.summary()
    assert (result.measured[:, 0] < 30.0).all()
    theta = dict(zip(result.input_names, result.inputs[0], strict=True))
    assert theta["THETA"] == load_parameter_set(STOPPED).draw(7)["theta.THETA"]


def test_a_replicate_is_the_cohort_of_its_draw_and_seed(both: tuple[DrawnModel, ...], result: DrawsResult) -> None:
    k = 5
    one = simulate_drawn_cohort(
        both[result.set_places[k]], int(result.set_rows[k]), FIVE_MG, Cohort(n=40), seed=result.seeds[k], weeks=6
    )
    np.testing.assert_array_equal(result.estimates[k, MEASURES.index("median count")], np.median(one.measured, axis=0))
    held = (one.measured >= 50.0) & (one.measured <= 200.0) & ~one.rescued
    np.testing.assert_array_equal(result.estimates[k, MEASURES.index("in range")], held.mean(axis=0))
    assert (result.estimates[:, MEASURES.index("median dose"), 0] == 5.0).all()


def test_sets_weigh_equally_and_more_draws_begin_with_the_same(both: tuple[DrawnModel, ...], result: DrawsResult) -> None:
    assert [one.draws for one in result.sets] == [6, 6]
    assert (np.bincount(result.set_places, minlength=2) == 6).all()
    more = choose_replicates(both, 30, seed=3)
    assert [(one.at, one.draw, one.seed) for one in more[:12]] == list(
        zip(result.set_places.tolist(), result.set_rows.tolist(), result.seeds, strict=True)
    )
    assert list(result.parts) == [ALL, "dosed-to-day-28", "stopped-day-14"]


@pytest.mark.long
def test_processes_change_no_byte(both: tuple[DrawnModel, ...], result: DrawsResult) -> None:
    again = simulate_draws(both, FIVE_MG, Cohort(n=40), draws=12, seed=3, weeks=6, engine=ProcessEngine(2))
    assert again.estimates.tobytes() == result.estimates.tobytes()
    assert again.sampling.tobytes() == result.sampling.tobytes()
    assert again.table().equals(result.table())


def test_the_table_is_the_quantiles_of_the_replicates(result: DrawsResult) -> None:
    row = (
        result.table()
        .filter((pl.col("part") == "stopped-day-14") & (pl.col("measure") == "response") & (pl.col("week") == 6))
        .to_dicts()[0]
    )
    values = result.estimates[result.parts["stopped-day-14"], MEASURES.index("response"), 6]
    assert (row["median"], row["replicates"]) == (np.median(values), 6)
    assert [row["low"], row["high"]] == np.percentile(values, [5, 95]).tolist()
    assert row["variance"] == pytest.approx(values.var(ddof=1))
    assert row["sampling_variance"] + row["parameter_variance"] >= row["variance"] * (1.0 - 1e-12)
    assert result.to_dict()["schema"] == "thrombokit.draws/1"
    assert result.plot().to_dict()["vconcat"]
    said = result.summary()
    for words in (
        "12 draws of 2 frozen sets",
        "all sets: at week 6",
        "stopped-day-14: at week 6",
        f"{DOSED} (",
        "of its variance from the parameters",
    ):
        assert words in said, words


def test_one_draw_many_times_varies_by_its_patients_alone() -> None:
    """A set of one row: between replicates lies what the sampling variance says, within what 39 degrees of freedom allow."""
    parameters = load_parameter_set(STOPPED)
    same = replace(parameters, draws=frozen(parameters.draws[[9]]))
    told = simulate_draws(
        [DrawnModel(parameters=same, model=load_model(same.model))], FIVE_MG, Cohort(n=50), draws=40, seed=1, weeks=4
    ).table()
    for measure in ("median count", "in range", "response"):
        row = told.filter((pl.col("measure") == measure) & (pl.col("week") == 4)).to_dicts()[0]
        assert 0.5 < row["variance"] / row["sampling_variance"] < 1.7, measure
    wide = simulate_draws([drawn(STOPPED)], FIVE_MG, Cohort(n=400), draws=10, seed=1, weeks=4).table()
    row = wide.filter((pl.col("measure") == "median count") & (pl.col("week") == 4)).to_dicts()[0]
    assert row["parameter_variance"] > 3.0 * row["sampling_variance"]


def test_regimens_meet_the_same_patients_in_every_draw(both: tuple[DrawnModel, ...]) -> None:
    regimens = {"5 mg": FIVE_MG, "again": FIVE_MG, "placebo": FixedDose(amount=0.0)}
    found = compare_draws(both, regimens, Cohort(n=30), draws=4, seed=2, weeks=4)
    table = found.table().filter((pl.col("part") == ALL) & (pl.col("measure") == "time in range"))
    rows = {row["regimen"]: row for row in table.to_dicts()}
    assert (rows["again"]["difference"], rows["again"]["difference_low"], rows["again"]["difference_high"]) == (0.0, 0.0, 0.0)
    assert rows["5 mg"]["difference"] is None
    assert rows["placebo"]["difference_high"] < 0.0
    assert rows["placebo"]["above_reference"] == 0.0
    assert "above it in 0 % of the draws" in found.summary()
    assert found.to_dict()["schema"] == "thrombokit.regimen-draws/1"
    assert found.plot().to_dict()


@pytest.mark.parametrize(
    ("names", "draws", "said"),
    [
        (
            (DOSED, STOPPED),
            7,
            "draws: found 7; expected a multiple of 2, the number of sets, so that they weigh equally. Take 6 or 8.",
        ),
        ((DOSED,), 1, "draws: found 1; expected 2 or more"),
        ((DOSED, DOSED), 4, f'parameters: found "{DOSED}" twice'),
        ((), 4, "parameters: found no set"),
    ],
)
def test_draws_that_cannot_be_shared_out_are_refused(names: tuple[str, ...], draws: int, said: str) -> None:
    with pytest.raises(SpecError) as caught:
        choose_replicates([drawn(name) for name in names], draws, seed=1)
    assert said in str(caught.value)


def test_a_row_or_population_that_is_not_there_is_refused() -> None:
    with pytest.raises(SpecError) as caught:
        cohort_under_draw(replace(Cohort(n=5), population="healthy"), load_parameter_set(STOPPED), 250)
    told = str(caught.value)
    assert "draw: found 250; expected a row from 0 to 249" in told
    assert 'found a cohort of "healthy"; expected "itp", whom it was fitted to' in told
