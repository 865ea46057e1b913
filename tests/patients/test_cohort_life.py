"""What happens to virtual patients besides the drug: fluctuation, assay error, rescue, drop-out, missed doses; and what a result says."""

from __future__ import annotations

import math
import pickle
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from thrombokit.errors import SimulationError
from thrombokit.io.patient_models import load_model, parse_model
from thrombokit.io.titrations import load_titration, parse_titration
from thrombokit.patients.cohort import Adherence, Cohort, Counted, DropOut, Inclusion
from thrombokit.patients.cohort_result import CohortResult
from thrombokit.patients.fixed_dose import FixedDose
from thrombokit.patients.fluctuation import Fluctuation
from thrombokit.patients.model import PatientModel, Residual
from thrombokit.patients.rescue import Rescue
from thrombokit.patients.simulate_cohort import simulate_cohort

PLACEBO = FixedDose(amount=0.0)
FLUCTUATION = Fluctuation(log_sd=0.4, correlation_time_d=7.0)


@pytest.fixture(scope="module")
def model() -> PatientModel:
    """Hetrombopag in ITP."""
    return load_model("hetrombopag-itp")


@pytest.fixture(scope="module")
def titrated(model: PatientModel) -> CohortResult:
    """60 patients, 12 weeks, under everything at once."""
    cohort = Cohort(
        n=60, fluctuation=FLUCTUATION, drop_out=DropOut(hazard_per_d=0.005), adherence=Adherence(missed_share=0.2, run_doses=3.0),
        rescue=Rescue(threshold_1e9_per_L=15.0, hazard_per_d=0.05, added_1e9_per_L=60.0, duration_d=14.0),
    )  # fmt: skip
    return simulate_cohort(model, load_titration("hetrombopag-150-250"), cohort, seed=1, weeks=12)


def placebo(model: PatientModel, n: int, weeks: int, **life: object) -> CohortResult:
    return simulate_cohort(model, PLACEBO, Cohort(n=n, inclusion=None, **life), seed=2, weeks=weeks)  # type: ignore[arg-type]


def test_without_drug_or_fluctuation_counts_stand_still(model: PatientModel) -> None:
    """Placebo: every week the baseline, to the engine's error; readings scatter by the assay's 9.3 %."""
    result = placebo(model, 200, 10)
    assert result.counts == pytest.approx(np.repeat(result.baseline[:, None], 11, axis=1), rel=1e-9)
    scatter = result.measured / result.counts - 1.0
    assert scatter.std() == pytest.approx(0.093, rel=0.05)
    assert abs(np.corrcoef(scatter[:, 1], scatter[:, 2])[0, 1]) < 0.2
    assert (result.doses_mg == 0.0).all()
    assert len(result.ledger) == 0


def test_fluctuation_of_the_weekly_counts(model: PatientModel) -> None:
    """Log counts around the baseline: SD 0.4, correlation exp(-1) from week to week; measured error on top."""
    result = placebo(replace(model, residual={}), 600, 8, fluctuation=FLUCTUATION)
    phi = np.log(result.counts / result.baseline[:, None])
    assert phi.std() == pytest.approx(0.4, rel=0.05)
    assert np.corrcoef(phi[:, 3], phi[:, 4])[0, 1] == pytest.approx(math.exp(-1.0), abs=0.08)
    assert np.median(np.exp(phi)) == pytest.approx(1.0, abs=0.03)
    assert result.measured.tobytes() == result.counts.tobytes()


def test_a_visit_and_the_week_it_falls_on_are_one_sample(model: PatientModel) -> None:
    """What the ledger holds at a whole week is the week's measured count; visits in between have fluctuations of their own law."""
    rule = parse_titration(
        """
        schema = "thrombokit-titration/1"
        signal = "PLATELET"
        observed_with = "residual"
        dose = {compartment = "depot", every_h = 24}
        levels = [1.0]
        start = 1.0
        visits_h = [84.0]
        then_every_h = 42
        rules = [{when = "> 0", do = "keep"}]
        """
    )
    bare = replace(model, residual={"PLATELET": Residual()})
    cohort = Cohort(n=400, inclusion=None, fluctuation=FLUCTUATION)
    result = simulate_cohort(bare, rule, cohort, seed=3, weeks=2)
    table = result.ledger.table()
    at_week = table.filter(pl.col("TIME") == 168.0)["VISIT_VALUE"].to_numpy()
    assert at_week.tobytes() == result.measured[:, 1].tobytes()
    plain = simulate_cohort(bare, rule, replace(cohort, fluctuation=None), seed=3, weeks=2).ledger.table()
    phi = np.log(table["VISIT_VALUE"].to_numpy() / plain["VISIT_VALUE"].to_numpy())
    by_time = {time: phi[(table["TIME"] == time).to_numpy()] for time in (84.0, 126.0, 168.0, 210.0)}
    assert [values.std() for values in by_time.values()] == pytest.approx([0.4] * 4, rel=0.1)
    assert np.corrcoef(by_time[84.0], by_time[126.0])[0, 1] == pytest.approx(math.exp(-0.25), abs=0.05)
    assert np.corrcoef(by_time[84.0], by_time[210.0])[0, 1] == pytest.approx(math.exp(-0.75), abs=0.1)


def test_rescue_follows_low_readings_and_lifts_counts(model: PatientModel) -> None:
    """Only where the reading was low; the next week is higher; the exclusion window is marked; the model's state is left alone."""
    rescue = Rescue(
        threshold_1e9_per_L=12.0, hazard_per_d=0.2, added_1e9_per_L=50.0, duration_d=10.0, exclusion_d=14.0, apart_d=21.0
    )
    plain, rescued = placebo(model, 150, 8), placebo(model, 150, 8, rescue=rescue)
    given = rescued.rescue_given
    assert given.any()
    assert not given[:, 0].any()
    assert (rescued.measured[given] < 12.0).all()
    weeks_apart = [np.diff(np.flatnonzero(row)) for row in given if row.sum() > 1]
    assert min(gap.min() for gap in weeks_apart) >= 3
    after = np.zeros_like(given)
    after[:, 1:] = given[:, :-1]
    assert (rescued.counts - plain.counts)[after] == pytest.approx(50.0 * 0.3)
    assert (rescued.counts - plain.counts)[~after] == pytest.approx(0.0, abs=1e-9)
    assert rescued.rescued.sum(axis=1)[given[:, 2]].min() >= 3


def test_who_leaves_takes_nothing_more(model: PatientModel) -> None:
    """Share who left follows the hazard; afterwards no reading, no dose, no visit; the drug's effect fades."""
    cohort = Cohort(n=400, drop_out=DropOut(hazard_per_d=0.01))
    result = simulate_cohort(model, load_titration("hetrombopag-150-250"), cohort, seed=4, weeks=10)
    left = result.dropped_out
    assert left[:, -1].mean() == pytest.approx(1.0 - math.exp(-0.7), abs=0.07)
    assert np.isnan(result.measured[left]).all()
    assert np.isfinite(result.measured[~left]).all()
    assert (result.doses_mg[left] == 0.0).all()
    assert np.isfinite(result.counts).all()
    last = {int(i): t for i, t in result.ledger.table().group_by("ID").agg(pl.col("TIME").max()).iter_rows()}
    first_away = [(int(i) + 1, 168.0 * int(np.argmax(left[i]))) for i in np.flatnonzero(left[:, -1])]
    assert all(last.get(patient, 0.0) < away_h for patient, away_h in first_away)
    assert (result.taken_mg[:, 1:][left[:, 1:-1]] == 0.0).all()


def test_missed_doses_have_their_share_and_their_runs(model: PatientModel) -> None:
    """20 % missed, in runs of 3 on average, whatever the seed does to the counts."""
    rarely = placebo_of_one(model, Adherence(missed_share=0.2, run_doses=3.0))
    assert 1.0 - rarely.mean() == pytest.approx(0.2, abs=0.02)
    alone = placebo_of_one(model, Adherence(missed_share=0.2))
    assert 1.0 - alone.mean() == pytest.approx(0.2, abs=0.02)
    assert rarely.std() > 1.25 * alone.std()


def placebo_of_one(model: PatientModel, adherence: Adherence) -> np.ndarray:
    """Share of the week's doses taken, by patient and week."""
    cohort = Cohort(n=120, inclusion=None, adherence=adherence)
    return simulate_cohort(model, FixedDose(amount=1.0), cohort, seed=5, weeks=20).taken_mg / 7.0


def test_screening_counts_are_those_of_day_0(model: PatientModel) -> None:
    """Included by a measured count below 30: so reads week 0 of every patient."""
    cohort = Cohort(n=100, inclusion=Inclusion(when="< 30", counted=Counted.MEASURED), fluctuation=FLUCTUATION)
    result = simulate_cohort(model, PLACEBO, cohort, seed=6, weeks=4)
    assert (result.measured[:, 0] < 30.0).all()
    assert result.baseline.max() > 30.0
    assert (result.measured[:, 4] > 30.0).sum() > 5, "who read low by chance reads higher later"


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(model: PatientModel, titrated: CohortResult) -> None:
    """Under everything at once."""
    cohort = Cohort(
        n=60, fluctuation=FLUCTUATION, drop_out=DropOut(hazard_per_d=0.005), adherence=Adherence(missed_share=0.2, run_doses=3.0),
        rescue=Rescue(threshold_1e9_per_L=15.0, hazard_per_d=0.05, added_1e9_per_L=60.0, duration_d=14.0),
    )  # fmt: skip
    rule = load_titration("hetrombopag-150-250")
    again, other = (simulate_cohort(model, rule, cohort, seed=seed, weeks=12) for seed in (1, 2))
    assert again.measured.tobytes() == titrated.measured.tobytes()
    assert again.ledger.table().equals(titrated.ledger.table())
    assert other.counts.tobytes() != titrated.counts.tobytes()
    assert titrated.rescue_given.any()
    assert titrated.dropped_out.any()


def test_a_result_tells_itself(titrated: CohortResult) -> None:
    """Tables with units in their names, sentences, plain values, a chart."""
    table = titrated.table()
    assert table.columns == [
        "patient",
        "week",
        "count_1e9_per_L",
        "measured_1e9_per_L",
        "dose_mg",
        "taken_mg",
        "rescued",
        "dropped_out",
    ]
    assert table.height == 60 * 13
    assert table["measured_1e9_per_L"].null_count() == int(titrated.dropped_out.sum())
    patients = titrated.patients
    assert patients["RESPONSE"].unique().sort().to_list() == ["non-responder", "responder"]
    assert patients["baseline_1e9_per_L"].max() < 30.0  # type: ignore[operator]
    said = titrated.summary()
    assert "60 virtual patients (itp, PLATELET < 30 before treatment)" in said
    assert "Engine quadrature, relative error of a count at most 1e-06." in said
    assert "left before the end" in said
    assert said.endswith("Simulated: research use only.")
    plain = titrated.to_dict()
    assert plain["schema"] == "thrombokit.cohort/1"
    assert plain["patients"] == 60
    bands = titrated.percentiles()
    assert (bands["p5"] <= bands["p50"]).all()
    assert bands["patients"][0] == 60
    assert "5 to 95 %" in str(titrated.plot().to_dict())
    assert not pickle.loads(pickle.dumps(titrated)).counts.flags.writeable


BROKEN = """
schema = "thrombokit-model/1"
units = {time = "h", amount = "mg", concentration = "mg/L"}
compartments = ["depot", "platelets"]
[record]
KIN = "1"
[flow]
"depot->out" = "0.1"
"platelets->out" = "0.01"
[ode]
platelets = "KIN + depot"
[initial]
platelets = "100"
[dose.depot]
lag = "LAG"
[output]
PLATELET = "platelets"
"""


def test_values_that_cannot_be_name_the_patient() -> None:
    """A negative lag, a baseline that is no number, a solver that cannot go on."""
    cohort = Cohort(n=2, inclusion=None, covariates={"LAG": -1.0})
    with pytest.raises(SimulationError, match=r"patient 1 of m.toml, seed 1: lag of depot is -1, expected 0 or more"):
        simulate_cohort(parse_model(BROKEN, file="m.toml"), FixedDose(amount=1.0), cohort, seed=1, weeks=1)
    infinite = parse_model(BROKEN.replace('"100"', '"log(0*LAG)"'), file="m.toml")
    with pytest.raises(SimulationError, match=r"patient 1 of m.toml, seed 1: .* is no finite number before treatment"):
        simulate_cohort(infinite, FixedDose(amount=1.0), replace(cohort, covariates={"LAG": 1.0}), seed=1, weeks=1)
    explodes = parse_model(BROKEN.replace('"KIN + depot"', '"KIN + depot + platelets*platelets"'), file="m.toml")
    with pytest.raises(SimulationError, match=r"patient 1 of m.toml, seed 1: the engine .* ended with .* on day 0"):
        simulate_cohort(explodes, FixedDose(amount=1.0), replace(cohort, covariates={"LAG": 1.0}), seed=1, weeks=1)


def test_more_doses_under_way_than_there_is_room_for() -> None:
    """A lag of three months under daily doses."""
    cohort = Cohort(n=1, inclusion=None, covariates={"LAG": 2000.0})
    with pytest.raises(SimulationError, match="more than 64 doses are under way at once"):
        simulate_cohort(parse_model(BROKEN, file="m.toml"), FixedDose(amount=1.0), cohort, seed=1, weeks=20)
