"""Models that are not linear, dual absorption, steady states by iteration, random effects and titration over event tables."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
from scipy.integrate import quad, solve_ivp

from thrombokit.errors import InputError
from thrombokit.io.patient_models import parse_model
from thrombokit.io.titrations import parse_titration
from thrombokit.patients.bound_events import bind_events
from thrombokit.patients.event_run import records_of, run_individual
from thrombokit.patients.event_table import EventTable
from thrombokit.patients.model import PatientModel
from thrombokit.patients.ode_movers import OdeMover, mover_for
from thrombokit.patients.simulate_events import simulate_events

Events = Callable[..., EventTable]

SATURABLE = """
schema = "thrombokit-model/1"
units = {time = "h", amount = "mg", concentration = "mg/L"}
compartments = ["depot", "central"]
[flow]
"depot->central" = "0.8"
[ode]
central = "-3*central/(5 + central)"
[dose.depot]
lag = "LAG"
[output]
CENTRAL = "central"
"""
DUAL = """
schema = "thrombokit-model/1"
units = {time = "h", amount = "mg", concentration = "mg/L"}
compartments = ["depot", "central"]
default_dose = "depot"
[[piece]]
kind = "dual_absorption"
from = "depot"
to = "central"
first_rate = "0.1"
second_rate = "1.2"
switch = "1.5"
FROM
[flow]
"central->out" = "0.2"
[dose.depot]
lag = "LAG"
[output]
CENTRAL = "central"
DEPOT = "depot"
"""
PLATELETS = """
schema = "thrombokit-model/1"
units = {time = "h", amount = "mg", concentration = "mg/L"}
compartments = ["depot", "central", "young", "platelets"]
default_dose = "depot"
[record]
KIN = "1.2*exp(ETA_BASE)"
[algebra]
CP = "central/10"
[flow]
"depot->central" = "0.9"
"central->out" = "0.05"
[ode]
young = "KIN*(1 + 4*CP/(0.4 + CP)) - young/40"
platelets = "young/40 - platelets/80"
[initial]
young = "KIN*40"
platelets = "KIN*80"
[random]
omega = [{names = ["ETA_BASE"], matrix = [[0.16]]}]
[residual]
PLATELET = {proportional_sd = 0.1}
[output]
PLATELET = "platelets"
AUC = "CP"
"""
RULE = """
schema = "thrombokit-titration/1"
signal = "PLATELET"
observed_with = "OBSERVED"
dose = {compartment = "depot", every_h = 24, first_h = 0, rate = 0}
levels = [1, 2, 4]
start = 2
visits_h = [168, 336]
then_every_h = 168
rules = [
  {when = "> 250", do = "hold", resume_when = "<= 150", resume_at = "one level lower"},
  {when = "> 180", do = "down", at_lowest = "keep"},
  {when = "< 120", do = "up", at_highest = "keep"},
]
"""
FIFTY_DAYS = 1200.0


@pytest.fixture(scope="module")
def saturable() -> PatientModel:
    return parse_model(SATURABLE, file="saturable.toml")


@pytest.fixture(scope="module")
def platelets() -> PatientModel:
    return parse_model(PLATELETS, file="platelets.toml")


def test_saturable_removal_against_scipy(saturable: PatientModel, events_of: Events) -> None:
    table = events_of("ID,TIME,EVID,AMT,CMT,RATE,II,ADDL,LAG\n1,0,1,30,1,0,12,1,0.5\n1,2,1,20,2,4,0,0,0.5\n"
                      + "".join(f"1,{time},0,0,0,0,0,0,0.5\n" for time in (2, 7, 12.5, 13, 20, 60)))  # fmt: skip
    found = simulate_events(saturable, table)
    assert found.engine in ("exact-pk", "ode")
    x, time, expected = np.zeros(2), 0.0, {}
    for stop, jump, rate in ((0.5, 0, 0), (2.0, 30, 0), (7.0, 0, 4), (12.5, 0, 0), (13.0, 30, 0), (20.0, 0, 0), (60.0, 0, 0)):
        x[0] += jump
        x = solve_ivp(lambda _, y, r: [-0.8 * y[0], 0.8 * y[0] - 3 * y[1] / (5 + y[1]) + r], (time, stop), x, method="DOP853", rtol=1e-12,
                      atol=1e-13, args=(rate,)).y[:, -1]  # fmt: skip
        time, expected[stop] = stop, float(x[1])
    ours = dict(zip(table.time[2:], found.outputs[2:, 0], strict=True))
    for stop, amount in ours.items():
        assert amount == pytest.approx(expected[stop], rel=1e-7, abs=1e-9), stop


@pytest.mark.parametrize(("rate", "lag"), [(0, 0), (0, 3), (6, 0), (2, 2)])
def test_steady_state_by_iteration_is_where_many_doses_lead(
    saturable: PatientModel, events_of: Events, rate: float, lag: float
) -> None:
    def read(first: str, start: float) -> np.ndarray:
        lines = [f"1,{start + time},0,0,0,0,0,0,0,{lag}" for time in (0, 1, 4, 11, 25)]
        return simulate_events(
            saturable, events_of("ID,TIME,EVID,AMT,CMT,RATE,II,ADDL,SS,LAG\n" + "\n".join([first, *lines]))
        ).outputs[1:, 0]

    steady = read(f"1,0,1,20,1,{rate},12,9,1,{lag}", 0.0)
    after_many = read(f"1,0,1,20,1,{rate},12,209,0,{lag}", 12.0 * 200)
    np.testing.assert_allclose(steady, after_many, rtol=1e-6)


def test_constant_infusion_by_iteration(saturable: PatientModel, events_of: Events) -> None:
    table = events_of("ID,TIME,EVID,AMT,CMT,RATE,II,SS,LAG\n1,0,1,0,2,2,0,1,0\n")
    assert simulate_events(saturable, table).outputs[0, 0] == pytest.approx(10.0, rel=1e-6)  # 3 x / (5 + x) = 2


def test_ss_2_in_a_model_that_is_not_linear_is_told(saturable: PatientModel, events_of: Events) -> None:
    found = simulate_events(saturable, events_of("ID,TIME,EVID,AMT,CMT,II,SS,LAG\n1,0,1,5,2,12,2,0\n1,1,0,0,0,0,0,0\n"))
    assert "SS 2 adds amounts" in found.notes[0]


@pytest.mark.parametrize("origin", ["", 'switch_from = "record"'])
@pytest.mark.parametrize("lag", [0.0, 0.4, 2.0])
def test_dual_absorption_switches_after_each_arrival(events_of: Events, origin: str, lag: float) -> None:
    model = parse_model(DUAL.replace("FROM", origin), file="dual.toml")
    times = np.array([0.0, 0.7, 1.4, 1.6, 2.2, 4.0, 6.1, 6.5, 7.6, 9.0, 11.0])
    lines = [f"1,0,1,10,1,6,1,{lag}", f"1,5,1,3,2,0,0,{lag}", *(f"1,{time},0,0,0,0,0,{lag}" for time in times)]
    lines.sort(key=lambda line: float(line.split(",")[1]))
    found = simulate_events(model, events_of("\n".join(["ID,TIME,EVID,AMT,CMT,II,ADDL,LAG", *lines])))
    switch = max(1.5 - lag, 0.0) if origin else 1.5
    expected = [_dual(float(time), lag, switch) for time in times]
    ours = found.outputs[found.observed]
    np.testing.assert_allclose(ours, expected, rtol=1e-9, atol=1e-12)


def _absorbed(_: float, x: np.ndarray, rate: float) -> list[float]:
    return [-rate * x[0], rate * x[0] - 0.2 * x[1]]


def _dual(time: float, lag: float, switch: float) -> list[float]:
    """Central and depot by scipy: arrivals at lag and 6 + lag into the depot, 3 into central at 5."""
    marks = sorted({0.0, time, *(mark for mark in (lag, lag + switch, 6 + lag, 6 + lag + switch, 5.0) if mark < time)})
    x = np.zeros(2)
    for start, stop in zip([*marks[:-1], marks[-1]], [*marks[1:], marks[-1]], strict=True):
        for at, place, amount in ((lag, 0, 10.0), (6 + lag, 0, 10.0), (5.0, 1, 3.0)):
            x[place] += amount if at == start else 0.0
        since = start - lag if start < 6 + lag else start - 6 - lag
        rate = 1.2 if since >= switch - 1e-12 else 0.1
        if stop > start:
            x = solve_ivp(_absorbed, (start, stop), x, method="DOP853", rtol=1e-12, atol=1e-14, args=(rate,)).y[:, -1]
    return [float(x[1]), float(x[0])]


@pytest.mark.parametrize("lag", [0.0, 1.0, 9.0])
def test_dual_absorption_at_steady_state(events_of: Events, lag: float) -> None:
    model = parse_model(DUAL.replace("FROM", ""), file="dual.toml")

    def read(first: str, start: float) -> np.ndarray:
        lines = [f"1,{start + time},0,0,0,0,0,0,{lag}" for time in (0, 0.5, 1.7, 3, 8)]
        return simulate_events(model, events_of("ID,TIME,EVID,AMT,CMT,II,ADDL,SS,LAG\n" + "\n".join([first, *lines]))).outputs[1:]

    np.testing.assert_allclose(read(f"1,0,1,10,1,6,3,1,{lag}", 0.0), read(f"1,0,1,10,1,6,103,0,{lag}", 600.0), rtol=1e-9)


@pytest.mark.parametrize("text", [PLATELETS, DUAL.replace("FROM", "").replace('"LAG"', '"0.3"')], ids=["platelets", "dual"])
def test_engines_agree_within_what_they_state(text: str, events_of: Events, print_figure: Callable[[str], None]) -> None:
    model = parse_model(text, file="model.toml")
    lines = "".join(f"1,{time},0,0,0,0,0,0\n" for time in np.linspace(1, 300, 40))
    table = events_of(f"ID,TIME,EVID,AMT,CMT,RATE,II,ADDL\n1,0,1,3,1,0,24,9\n1,0.5,1,2,2,0.25,0,0\n{lines}")
    bound = bind_events(model, table)
    found: dict[str, np.ndarray] = {}
    for mover in (mover_for(bound.compiled), OdeMover(bound.compiled)):
        found[mover.name] = np.full((len(table), len(bound.compiled.outputs)), np.nan)
        run_individual(records_of(bound, 0, len(table)), mover, found[mover.name])
    best, ode = found.values()
    assert len(found) == 2
    difference = float(np.abs(best / np.maximum(ode, 1e-3 * ode.max(axis=0)) - 1.0)[ode > 1e-3 * ode.max(axis=0)].max())
    print_figure(f"engines {' and '.join(found)} over an event table: largest relative difference {difference:.1e}")
    assert difference < 1e-6


def test_steady_state_of_counts_that_come_slowly(platelets: PatientModel, events_of: Events) -> None:
    def at(first: str, start: float) -> np.ndarray:
        lines = [f"1,{start + time},0,0,0,0,0" for time in (0, 6, 24)]
        return simulate_events(platelets, events_of("ID,TIME,EVID,AMT,II,ADDL,SS\n" + "\n".join([first, *lines]))).outputs[1:, 0]

    np.testing.assert_allclose(at("1,0,1,1,24,3,1", 0.0), at("1,0,1,1,24,153,0", 24.0 * 150), rtol=2e-7)


def daily(until: float, step: float, ids: tuple[int, ...] = (1, 2, 3)) -> pl.DataFrame:
    times = np.append(np.arange(0.0, until, step), until)
    return pl.DataFrame({"ID": np.repeat(ids, times.size), "TIME": np.tile(times, len(ids))})


@pytest.mark.parametrize("observed", ["latent", "residual"])
def test_neither_grid_nor_order_of_patients_changes_a_dose(platelets: PatientModel, observed: str) -> None:
    rule = parse_titration(RULE.replace("OBSERVED", observed), file="rule.toml")

    def ledger(frame: pl.DataFrame) -> pl.DataFrame:
        found = simulate_events(platelets, frame, rule, seed=3).ledger
        assert found is not None
        return found.table().sort("ID", "TIME")

    weekly = ledger(daily(FIFTY_DAYS, 168.0))
    assert weekly["AMT_AFTER"].n_unique() > 1
    assert weekly.height == 3 * 7
    for frame in (
        daily(FIFTY_DAYS, 1.0),
        daily(FIFTY_DAYS, 24.0),
        daily(FIFTY_DAYS, FIFTY_DAYS),
        daily(FIFTY_DAYS, 31.7, ids=(3, 1, 2)),
    ):
        assert ledger(frame).equals(weekly)


def test_measured_counts_are_those_with_error(platelets: PatientModel) -> None:
    latent, residual = (parse_titration(RULE.replace("OBSERVED", word), file="rule.toml") for word in ("latent", "residual"))
    frame = daily(FIFTY_DAYS, 168.0)
    first, second, third = (
        simulate_events(platelets, frame, rule, seed=seed).ledger for rule, seed in ((latent, 3), (residual, 3), (residual, None))
    )
    assert first is not None
    assert second is not None
    assert third is not None
    ratio = second.count[[0, 7, 14]] / first.count[[0, 7, 14]]  # the first visits: no dose has changed yet
    assert (np.abs(np.log(ratio)) > 1e-6).all()
    assert (np.abs(np.log(ratio)) < 0.5).all()
    assert third.count[0] == pytest.approx(third.count[7], rel=1e-12), "without a seed there is neither error nor random effect"


def test_random_effects_belong_to_the_patient_not_to_the_order(platelets: PatientModel) -> None:
    counts = {
        ids: simulate_events(platelets, daily(0.0, 24.0, ids=ids), seed=11).table().sort("ID")
        for ids in ((1, 2, 3), (3, 1, 2), (2,))
    }
    assert counts[1, 2, 3].equals(counts[3, 1, 2])
    assert counts[1, 2, 3].filter(pl.col("ID") == 2).equals(counts[2,])
    many = simulate_events(parse_model(PLATELETS.replace("[residual]\nPLATELET = {proportional_sd = 0.1}\n", ""), file="many.toml"),
                           pl.DataFrame({"ID": np.arange(4000), "TIME": np.zeros(4000)}), seed=5)  # fmt: skip
    effects = np.log(many.outputs[:, 0] / 96.0)
    assert effects.std() == pytest.approx(0.4, rel=0.05)
    assert effects.mean() == pytest.approx(0.0, abs=0.03)


def test_occasions_and_classes(events_of: Events) -> None:
    text = """
    schema = "thrombokit-model/1"
    units = {time = "h", amount = "mg", concentration = "mg/L"}
    compartments = ["central"]
    [record]
    K = "0.1*exp(ETA_OCC)"
    [flow]
    "central->out" = "K"
    [random]
    omega = [{names = ["ETA_OCC"], matrix = [[0.04]], occasion = "OCC"}]
    [output]
    K = "K"
    """
    found = simulate_events(
        parse_model(text, file="iov.toml"), events_of("ID,TIME,OCC\n1,0,1\n1,1,1\n1,2,2\n2,0,1\n"), seed=1
    ).outputs[:, 0]
    assert found[0] == found[1]
    assert len(set(found.tolist())) == 3
    with pytest.raises(InputError, match="column OCC: found no value at the first record of ID 1"):
        simulate_events(parse_model(text, file="iov.toml"), events_of("ID,TIME,OCC\n1,0,.\n1,1,1\n"), seed=1)
    with pytest.raises(InputError, match="found no column OCC"):
        simulate_events(parse_model(text, file="iov.toml"), events_of("ID,TIME\n1,0\n"))


BROKEN_TRANSIT = """
schema = "thrombokit-model/1"
units = {time = "h", amount = "mg", concentration = "mg/L"}
compartments = ["depot", "gut"]
default_dose = "depot"
[[piece]]
kind = "transit"
from = "depot"
to = "gut"
n = "3.7"
rate = "2.1"
[flow]
"gut->out" = "0.6"
[dose.depot]
lag = "0.5"
F = "0.8"
[output]
GUT = "gut"
"""


def test_a_transit_chain_of_a_broken_number_of_steps(events_of: Events) -> None:
    model = parse_model(BROKEN_TRANSIT, file="transit.toml")
    times = [0.2, 2.0, 4.5, 5.0, 9.0, 20.0]
    lines = "".join(f"1,{time},0,0,0,0,0,0\n" for time in times)
    header = "ID,TIME,EVID,AMT,II,ADDL,RATE,SS\n"
    found = simulate_events(model, events_of(f"{header}1,0,1,10,4,1,0,0\n{lines}"))
    expected = [_gut(time) for time in times]
    np.testing.assert_allclose(found.outputs[1:, 0], expected, rtol=1e-7, atol=1e-9)
    for wrong in ("1,0,1,10,4,1,5,0", "1,0,1,10,4,1,0,1"):
        with pytest.raises(InputError, match="row 2: found an infusion or a steady state into a transit chain"):
            simulate_events(model, events_of(f"{header}{wrong}\n{lines}"))


def _gut(time: float) -> float:
    """Amounts of 8 arrive from 0.5 and 4.5 as a gamma density and leave at 0.6, by quadrature."""

    def arriving(at: float, start: float) -> float:
        since = 2.1 * (at - start)
        return (
            8 * 2.1 * math.exp(3.7 * math.log(since) - since - math.lgamma(4.7)) * math.exp(-0.6 * (time - at))
            if since > 0
            else 0.0
        )

    return sum(
        quad(arriving, start, time, args=(start,), epsabs=1e-12, epsrel=1e-12, limit=200)[0] for start in (0.5, 4.5) if start < time
    )


def test_a_rule_that_stops_ends_doses_and_visits(platelets: PatientModel) -> None:
    stops = RULE.replace("OBSERVED", "latent").replace(
        '{when = "> 180", do = "down", at_lowest = "keep"}', '{when = "> 100", do = "stop"}'
    )
    ledger = simulate_events(platelets, daily(FIFTY_DAYS, 24.0, ids=(1,)), parse_titration(stops, file="rule.toml")).ledger
    assert ledger is not None
    assert ledger.table()["AMT_AFTER"].to_list()[-1] == 0.0
    assert len(ledger) == 1


def test_classes_are_drawn_by_their_shares_and_typical_is_the_largest() -> None:
    text = """
    schema = "thrombokit-model/1"
    units = {time = "h", amount = "mg", concentration = "mg/L"}
    compartments = ["central"]
    [flow]
    "central->out" = "0.1"
    [random]
    mixture = [{name = "CLASS", shares = [0.3, 0.7], labels = ["weak", "strong"]}]
    [output]
    CLASS = "CLASS"
    """
    model, frame = parse_model(text, file="mixture.toml"), pl.DataFrame({"ID": np.arange(3000), "TIME": np.zeros(3000)})
    assert (simulate_events(model, frame).outputs == 2.0).all()
    drawn = simulate_events(model, frame, seed=4).outputs[:, 0]
    assert set(drawn) == {1.0, 2.0}
    assert (drawn == 1.0).mean() == pytest.approx(0.3, abs=0.03)


def test_titration_refuses_what_would_make_doses_depend_on_records(platelets: PatientModel, events_of: Events) -> None:
    rule = parse_titration(RULE.replace("OBSERVED", "latent"), file="rule.toml")
    clocked = parse_model(PLATELETS.replace('KIN = "1.2', 'KIN = "(1.2 + 0.001*TIME)'), file="clocked.toml")
    with pytest.raises(
        InputError, match=r"KIN: found TIME in a value of the record, in a titrated run.*Write it in \[algebra\] with T"
    ):
        simulate_events(clocked, daily(48.0, 24.0), rule)
    with pytest.raises(InputError, match="a time that falls at a reset, in a titrated run"):
        simulate_events(platelets, events_of("ID,TIME,EVID\n1,5,0\n1,0,3\n"), rule)
    other = parse_titration(
        RULE.replace("OBSERVED", "latent").replace('"PLATELET"', '"PLATELETS"').replace('"depot"', '"dept"'), file="rule.toml"
    )
    in_days = parse_model(PLATELETS.replace('time = "h"', 'time = "d"'), file="days.toml")
    with pytest.raises(InputError) as caught:
        simulate_events(in_days, daily(48.0, 24.0), other)
    for words in (
        'signal: found "PLATELETS"',
        'Did you mean "PLATELET"?',
        'Did you mean "depot"?',
        'units.time: found "d"',
        "counts in hours",
    ):
        assert words in str(caught.value), words


def test_result_in_words_table_and_picture(platelets: PatientModel) -> None:
    found = simulate_events(platelets, daily(48.0, 24.0))
    assert "3 individuals, 9 records of events through platelets.toml, without random effects" in found.summary()
    assert "PLATELET: 96 to 96." in found.summary()
    assert found.table().columns == ["ID", "TIME", "PLATELET", "AUC"]
    assert found.to_dict()["schema"] == "thrombokit.events/1"
    assert '"title": "time (h)"' in found.plot("platelet").to_json()
    with pytest.raises(InputError, match="no values of NOPE"):
        found.plot("NOPE")
    with pytest.raises(ValueError, match="read-only"):
        found.outputs[0, 0] = 1.0
