"""Visual predictive check: a true model is inside its own intervals, a wrong one is not, and the titration is simulated again."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import polars as pl
import pytest

from thrombokit.errors import InputError
from thrombokit.io.patient_models import parse_model
from thrombokit.io.titrations import parse_titration
from thrombokit.patients.event_records import event_table
from thrombokit.patients.model import PatientModel
from thrombokit.patients.simulate_events import simulate_events
from thrombokit.patients.vpc import simulate_vpc
from thrombokit.patients.vpc_bins import bin_edges, bin_of
from thrombokit.patients.vpc_result import VpcResult

MODEL = """
schema = "thrombokit-model/1"
units = {time = "h", amount = "mg", concentration = "mg/L"}
compartments = ["depot", "count"]
default_dose = "depot"
[record]
K = "0.02*exp(E1)"
BASE = "25*exp(E2)"
[flow]
"depot->count" = "0.1"
"count->out" = "K"
[random]
omega = [{names = ["E1"], matrix = [[0.16]]}, {names = ["E2"], matrix = [[0.09]]}]
[residual]
COUNT = {proportional_sd = 0.1}
[output]
COUNT = "BASE + 3*count"
"""
RULE = """
schema = "thrombokit-titration/1"
signal = "COUNT"
observed_with = "residual"
dose = {compartment = "depot", every_h = 24, first_h = 0, rate = 0}
levels = [1, 2, 4, 8, 16]
start = 4
visits_h = [168]
then_every_h = 168
rules = [
  {when = "> 60", do = "down"},
  {when = "< 45", do = "up"},
]
"""
N = 16
TIMES = np.arange(0.0, 841.0, 168.0)


def model(text: str = MODEL) -> PatientModel:
    return parse_model(text, file="count.toml")


def design(n: int = N) -> pl.DataFrame:
    """Weekly counts of n patients, half of each arm."""
    ids = np.repeat(np.arange(1.0, n + 1), TIMES.size)
    return pl.DataFrame(
        {"ID": ids, "TIME": np.tile(TIMES, n), "EVID": np.zeros(ids.size), "DV": np.zeros(ids.size), "ARM": ids % 2}
    )


def trial(n: int = N, seed: int = 7) -> pl.DataFrame:
    """A titrated trial of the model."""
    frame = design(n)
    seen = simulate_events(model(), event_table(frame), parse_titration(RULE, file="rule.toml"), seed=seed).outputs[:, 0]
    return frame.with_columns(DV=pl.Series(seen))


def inside(table: pl.DataFrame) -> float:
    """Share of observed percentiles inside their interval."""
    return float(table["inside"].to_numpy().mean())


@cache
def checked(text: str = MODEL, **options: object) -> VpcResult:
    rule = parse_titration(RULE, file="rule.toml")
    return simulate_vpc(model(text), event_table(trial()), "COUNT", rule, seed=1, replicates=39, **options)  # pyright: ignore[reportArgumentType]


def test_the_true_model_lies_inside_its_intervals_and_another_does_not() -> None:
    table = checked().table()
    assert table.height == TIMES.size * 3
    assert inside(table) > 0.8
    wrong = checked(MODEL.replace("25*exp", "15*exp"))
    assert inside(wrong.table().filter(percentile=50.0)) < 0.7
    assert "lies above" in wrong.summary()


def test_the_doses_of_the_table_are_set_aside_and_the_rule_doses() -> None:
    frame = trial().with_columns(AMT=pl.lit(0.0))
    doses = frame.filter(pl.col("TIME") == 0).with_columns(EVID=pl.lit(1.0), AMT=pl.lit(1000.0), TIME=pl.lit(1.0))
    dosed = pl.concat([frame, doses]).sort("ID", "TIME", maintain_order=True)
    placebo = dosed.with_columns(AMT=pl.lit(0.0))
    rule = parse_titration(RULE, file="rule.toml")
    without = simulate_vpc(model(), event_table(placebo), "COUNT", rule, seed=1, replicates=39)
    with_doses = simulate_vpc(model(), event_table(dosed), "COUNT", rule, seed=1, replicates=39)
    assert with_doses.table()["simulated"].to_list() == pytest.approx(without.table()["simulated"].to_list(), rel=1e-6)
    assert "16 dose records set aside" in with_doses.summary()


@pytest.mark.long
def test_the_answer_does_not_depend_on_the_workers() -> None:
    assert checked(workers=1).table().equals(checked(workers=2).table())


def test_strata_and_chosen_observations() -> None:
    table = checked(by="ARM").table()
    assert table["stratum"].unique(maintain_order=True).to_list() == ["ARM 0", "ARM 1"]
    assert checked(only=("ARM", 1.0)).table()["n_observed"].unique().to_list() == [8]


def test_simulated_drop_out_thins_the_simulated_patients_alone() -> None:
    frame = trial().filter((pl.col("ID") > 8) | (pl.col("TIME") < 500))
    rule = parse_titration(RULE, file="rule.toml")
    hazard = 0.02
    found = simulate_vpc(model(), event_table(frame), "COUNT", rule, seed=1, replicates=40, drop_out_per_d=hazard)
    rows = found.table().filter(percentile=50.0)
    assert rows["n_observed"].to_list() == [16, 16, 16, 8, 8, 8]
    for time, low, high in rows.select("time", "n_low", "n_high").iter_rows():
        assert low <= 16 * np.exp(-hazard * time / 24.0) <= high
    as_observed = simulate_vpc(model(), event_table(frame), "COUNT", rule, seed=1, replicates=39).table().filter(percentile=50.0)
    assert as_observed["n_low"].to_list() == [16, 16, 16, 8, 8, 8]


def test_prediction_correction_takes_out_differences_of_design() -> None:
    dose = np.repeat(np.where(np.arange(N) % 2 == 0, 1.0, 8.0), TIMES.size)
    first = pl.col("TIME") == 0
    frame = design().with_columns(EVID=first.cast(pl.Float64), AMT=first * pl.Series(dose), II=24.0 * first, ADDL=40.0 * first)
    frame = frame.with_columns(DV=pl.Series(simulate_events(model(), event_table(frame), seed=5).outputs[:, 0]))
    plain = simulate_vpc(model(), event_table(frame), "COUNT", seed=1, replicates=39)
    corrected = simulate_vpc(model(), event_table(frame), "COUNT", seed=1, replicates=39, corrected=True)

    def spread(found: VpcResult) -> float:
        rows = found.table().filter(pl.col("time") > 400)
        return float((rows.filter(percentile=95.0)["simulated"] / rows.filter(percentile=5.0)["simulated"]).mean())  # pyright: ignore[reportArgumentType]

    assert spread(corrected) < 0.75 * spread(plain)
    assert inside(corrected.table()) > 0.8


def test_all_that_does_not_go_together_is_said_at_once() -> None:
    rule = parse_titration(RULE, file="rule.toml")
    with pytest.raises(InputError) as told:
        simulate_vpc(model(), event_table(design().drop("DV")), "COUNTS", rule, seed=1, replicates=3, by="ARMS", corrected=True)
    message = str(told.value)
    for part in (
        'no output "COUNTS"',
        "no column DV",
        "no column ARMS",
        "found 3; expected 39 or more for intervals of 95 %",
        "simulating the titration again",
    ):
        assert part in message, part
    with pytest.raises(InputError, match="no observation with a DV"):
        simulate_vpc(model(), event_table(design().with_columns(MDV=pl.lit(1.0))), "COUNT", seed=1)


def test_bins() -> None:
    weekly = np.repeat(TIMES, 10)
    assert bin_edges(weekly, None).size == TIMES.size + 1
    scattered = weekly + np.tile(np.linspace(-5, 5, 10), TIMES.size)
    assert bin_edges(scattered, None).size == TIMES.size + 1
    assert bin_edges(np.linspace(0, 100, 400), None).size == 9
    edges = bin_edges(weekly, [0.0, 400.0, 840.0])
    assert bin_of(np.array([0.0, 399.0, 400.0, 840.0]), edges).tolist() == [0, 0, 1, 1]
    with pytest.raises(InputError, match=r"observations at 504, 672, 840 outside the edges"):
        bin_edges(weekly, [0.0, 400.0])
    with pytest.raises(InputError, match="rising"):
        bin_edges(weekly, [400.0, 0.0])


@pytest.mark.long
def test_coverage_of_the_intervals(print_figure: Callable[[str], None]) -> None:
    rule, held, n = parse_titration(RULE, file="rule.toml"), 0, 0
    for seed in range(30):
        found = simulate_vpc(model(), event_table(trial(seed=100 + seed)), "COUNT", rule, seed=seed, replicates=40).table()
        held, n = held + int(found["inside"].sum()), n + found.height
    print_figure(f"visual predictive check: {100 * held / n:.1f} % of {n} percentiles of a true model inside their 95 % interval")
    assert 0.90 < held / n < 0.985
