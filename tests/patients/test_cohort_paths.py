"""Two paths, one answer: cohorts in compiled code beside event tables, patient by patient, by all three engines; and what must never matter."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from thrombokit.errors import SpecError
from thrombokit.io.patient_models import load_model, parse_model
from thrombokit.io.titrations import parse_titration
from thrombokit.patients.cohort import Cohort
from thrombokit.patients.cohort_result import CohortResult
from thrombokit.patients.events_result import EventsResult
from thrombokit.patients.fixed_dose import FixedDose
from thrombokit.patients.model import PatientModel
from thrombokit.patients.simulate_cohort import simulate_cohort
from thrombokit.patients.simulate_events import simulate_events
from thrombokit.patients.titration import Titration

RULE = """
schema = "thrombokit-titration/1"
signal = "PLATELET"
observed_with = "residual"
dose = {compartment = "depot", every_h = 24}
levels = [12.5, 25.0, 50.0, 75.0]
start = 50.0
visits_h = [100.0, 168.0]
then_every_h = 168
first_change_h = 168
rules = [
  {when = "> 150", do = "hold", resume_when = "< 100", resume_at = "one level lower", check_every_h = 84},
  {when = ">= 100", do = "down", at_lowest = {every_h = 48}},
  {when = "< 50", do = "up", at_highest = {stop_after_h = 1344}},
]
"""
"""Uneven visits, holds with their own checks, alternate days and stops."""

ENGINES = ("quadrature", "exact-pk", "ode")


@pytest.fixture(scope="module")
def rule() -> Titration:
    """See RULE."""
    return parse_titration(RULE, file="rule.toml")


def cohort_of(model: PatientModel, n: int) -> Cohort:
    """Everybody, with the same covariates."""
    return Cohort(n=n, inclusion=None, covariates=columns_of(model))


def columns_of(model: PatientModel) -> dict[str, float]:
    return {name: 70.0 if name == "WT" else 0.0 for name in model.needed_columns}


def events_of(model: PatientModel, n: int, weeks: int, dose: FixedDose | None = None) -> pl.DataFrame:
    """The same patients as an event table that reads every week, with a fixed dose where one is given."""
    columns, rows = columns_of(model), list[dict[str, float]]()
    for patient in range(1, n + 1):
        empty = {"ID": patient, "EVID": 0.0, "AMT": 0.0, "II": 0.0, "ADDL": 0.0, "RATE": 0.0, **columns}
        if dose is not None:
            last = min(dose.until_h - 1e-6, weeks * 168.0)
            more = np.floor((last - dose.first_h) / dose.every_h)
            rows.append(
                {
                    **empty,
                    "TIME": dose.first_h,
                    "EVID": 1.0,
                    "AMT": dose.amount,
                    "II": dose.every_h,
                    "ADDL": more,
                    "RATE": dose.rate,
                }
            )
        rows += [{**empty, "TIME": 168.0 * week} for week in range(weeks + 1)]
    return pl.DataFrame(rows).with_columns(pl.col("TIME").cast(pl.Float64)).sort("ID", "TIME", -pl.col("EVID"))


def differences(path_a: EventsResult, path_b: CohortResult) -> float:
    """Largest relative difference of the counts read at visits; everything else in the two ledgers must be the same."""
    a, b = path_a.ledger, path_b.ledger
    assert a is not None
    for name in ("patient", "time_h", "dose_before", "dose_after", "rule", "reason"):
        assert np.array_equal(getattr(a, name), getattr(b, name)), name
    return float(np.abs(a.count / b.count - 1.0).max())


@pytest.mark.parametrize("engine", ENGINES)
def test_titrated_patients_are_those_of_the_event_table(engine: str, rule: Titration) -> None:
    """Eltrombopag (lag, two absorption rates): every decision of 12 patients over 20 weeks, counts within the stated error."""
    model = load_model("eltrombopag-itp")
    b = simulate_cohort(model, rule, cohort_of(model, 12), seed=3, weeks=20, prefer=engine)
    a = simulate_events(model, events_of(model, 12, 20), rule, seed=3)
    assert b.engine == engine
    assert differences(a, b) < b.stated_error
    assert {"held", "resumed", "moved up", "interval between doses changed"} <= {
        w.split(" (")[0] for w in b.ledger.table()["REASON"]
    }


@pytest.mark.parametrize(
    ("name", "dose"),
    [
        ("eltrombopag-itp", FixedDose(amount=50.0)),
        ("hetrombopag-itp", FixedDose(amount=5.0, every_h=48.0, first_h=30.0, until_h=500.0)),
        ("romiplostim-itp", FixedDose(amount=3.0, every_h=168.0, rate=0.05)),
        ("hetrombopag-itp-tmdd", FixedDose(amount=5.0)),
        ("lusutrombopag-cld", FixedDose(amount=3.0, until_h=167.0)),
    ],
)
def test_fixed_doses_are_those_of_the_event_table(name: str, dose: FixedDose) -> None:
    """Weekly counts of 3 patients over 6 weeks: lags, switches, infusions that overlap visits, a last dose."""
    model = load_model(name)
    result = simulate_cohort(model, dose, cohort_of(model, 3), seed=4, weeks=6)
    table = events_of(model, 3, 6, dose)
    events = simulate_events(model_without_error(model), table, seed=4)
    count = events.outputs[events.observed, events.output_names.index("PLATELET")].reshape(3, 7)
    assert result.counts == pytest.approx(count, rel=result.stated_error)
    doses = 1 + np.floor((min(dose.until_h - 1e-6, 1008.0 - 1e-6) - dose.first_h) / dose.every_h)
    assert result.taken_mg.sum(axis=1) == pytest.approx(np.full(3, dose.amount * doses))


def model_without_error(model: PatientModel) -> PatientModel:
    return replace(model, residual={})


@pytest.mark.parametrize("engine", ENGINES)
def test_reading_outputs_never_changes_a_dose(engine: str, rule: Titration) -> None:
    """Ledger and counts byte-identical for hourly, daily, weekly, uneven and no output."""
    model = load_model("eltrombopag-itp")
    grids = [
        np.arange(0.0, 1345.0, 1.0),
        np.arange(0.0, 1345.0, 24.0),
        np.arange(0.0, 1345.0, 168.0),
        np.array([0.447, 33.3, 1343.9]),
    ]
    plain = simulate_cohort(model, rule, cohort_of(model, 4), seed=6, weeks=8, prefer=engine)
    for grid in grids:
        read = simulate_cohort(model, rule, cohort_of(model, 4), seed=6, weeks=8, prefer=engine, outputs_h=tuple(grid))
        assert read.ledger.table().equals(plain.ledger.table())
        assert read.ledger.count.tobytes() == plain.ledger.count.tobytes()
        assert read.counts.tobytes() == plain.counts.tobytes()
        assert np.isfinite(read.outputs).all()
        whole = np.isin(grid, 168.0 * np.arange(9))
        at_weeks = read.outputs[:, whole, read.output_names.index("PLATELET")]
        weeks = (grid[whole] / 168.0).astype(int)
        assert at_weeks == pytest.approx(plain.counts[:, weeks], rel=1e-9)


def test_outputs_between_break_points_are_right(rule: Titration) -> None:
    """Concentrations and counts read by the quadrature at odd times are those of the event table."""
    model = load_model("eltrombopag-itp")
    times = (0.2, 0.447, 1.0, 1.46, 3.0, 25.1, 100.0, 310.7)
    result = simulate_cohort(model, rule, cohort_of(model, 2), seed=6, weeks=2, outputs_h=times)
    rows = [{"ID": i, "TIME": t, "EVID": 0.0, "AMT": 0.0, **columns_of(model)} for i in (1, 2) for t in times]
    events = simulate_events(model_without_error(model), pl.DataFrame(rows), rule_without_error(rule), seed=6)
    latent = simulate_cohort(model, rule_without_error(rule), cohort_of(model, 2), seed=6, weeks=2, outputs_h=times)
    assert latent.outputs.reshape(16, 2) == pytest.approx(events.outputs, rel=1e-6, abs=1e-9)
    assert result.outputs.shape == (2, 8, 2)


def rule_without_error(rule: Titration) -> Titration:
    return parse_titration(RULE.replace('"residual"', '"latent"'), file=rule.file)


def test_order_and_company_do_not_matter(rule: Titration) -> None:
    """A patient among 3 is the patient among 60, though ranges are cut elsewhere."""
    model = load_model("hetrombopag-itp")
    few, many = (simulate_cohort(model, rule, cohort_of(model, n), seed=8, weeks=10) for n in (3, 60))
    assert few.counts.tobytes() == many.counts[:3].tobytes()
    assert few.ledger.count.tobytes() == many.ledger.count[: len(few.ledger)].tobytes()


def test_a_model_that_asks_for_the_time_of_a_record_is_refused() -> None:
    """TIME, occasions and a missing signal are named with their cures."""
    text = """
    schema = "thrombokit-model/1"
    units = {time = "h", amount = "mg", concentration = "mg/L"}
    compartments = ["depot"]
    [record]
    K = "0.1 + 0.001*TIME"
    [flow]
    "depot->out" = "K*exp(ETA)"
    [random]
    omega = [{names = ["ETA"], matrix = [[0.1]], occasion = "OCC"}]
    [output]
    AMOUNT = "depot"
    """
    with pytest.raises(SpecError) as caught:
        simulate_cohort(parse_model(text, file="m.toml"), FixedDose(amount=1.0), Cohort(n=1), seed=1, weeks=0)
    said = str(caught.value)
    assert "TIME in a value of the record" in said
    assert "Write it in [algebra] with T" in said
    assert 'ETA by occasion ("OCC")' in said
    assert "cohort, weeks: found 0; expected 1 week or more" in said
    plain = text.replace("0.1 + 0.001*TIME", "0.1").replace(', occasion = "OCC"', "")
    with pytest.raises(SpecError, match="found no PLATELET \\(outputs: AMOUNT\\)"):
        simulate_cohort(parse_model(plain, file="m.toml"), FixedDose(amount=1.0), Cohort(n=1, inclusion=None), seed=1)


def test_an_engine_that_the_structure_does_not_allow_is_refused(rule: Titration) -> None:
    """And times of output that fall or lie beyond the end."""
    model = load_model("eltrombopag-itp-saturable")
    with pytest.raises(SpecError, match='found "quadrature"; expected one of exact-pk, ode'):
        simulate_cohort(model, rule, cohort_of(model, 1), seed=1, prefer="quadrature")
    with pytest.raises(SpecError, match="times that fall, are negative or are no numbers"):
        simulate_cohort(model, rule, cohort_of(model, 1), seed=1, weeks=1, outputs_h=(5.0, 1.0))
    with pytest.raises(SpecError, match="found 200 h; expected times within 1 weeks, 168 h"):
        simulate_cohort(model, rule, cohort_of(model, 1), seed=1, weeks=1, outputs_h=(200.0,))
