"""What NONMEM means by its records, against closed forms of one compartment, or the same doses written out one by one."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from thrombokit.errors import InputError, SimulationError
from thrombokit.io.patient_models import parse_model
from thrombokit.patients.event_table import EventTable
from thrombokit.patients.model import PatientModel
from thrombokit.patients.simulate_events import simulate_events

Events = Callable[..., EventTable]
KE = 1.1 / 20
BOLUS = """
schema = "thrombokit-model/1"
units = {time = "h", amount = "mg", concentration = "mg/L"}
compartments = ["central"]
[record]
K = "0.1"
LAG = "ALAG"
[flow]
"central->out" = "K"
[dose.central]
lag = "LAG"
F = "FA"
rate = "R1"
duration = "D1"
[output]
A = "central"
AFTER = "TAD"
"""
HEADER = "ID,TIME,EVID,AMT,CMT,RATE,II,ADDL,SS,ALAG,FA,R1,D1\n"


@pytest.fixture(scope="module")
def bolus() -> PatientModel:
    """One compartment, rate 0.1 per h; lag, F, rate and duration are columns."""
    return parse_model(BOLUS, file="bolus.toml")


def amounts(model: PatientModel, table: EventTable) -> list[float]:
    """The first output at every record."""
    return simulate_events(model, table).outputs[:, 0].tolist()


def rows(*records: str) -> str:
    return HEADER + "\n".join(records)


def reads(times: list[float], tail: str = "0,1,1,1") -> list[str]:
    return [f"1,{time},0,0,0,0,0,0,0,{tail}" for time in times]


def decay(*since_and_dose: tuple[float, float]) -> float:
    return sum(dose * math.exp(-0.1 * since) for since, dose in since_and_dose if since >= 0.0)


def test_a_dose_record_shows_the_state_after_the_dose(bolus: PatientModel, events_of: Events) -> None:
    table = events_of(rows("1,0,0,0,0,0,0,0,0,0,1,1,1", "1,0,1,10,0,0,0,0,0,0,1,1,1", "1,0,0,0,0,0,0,0,0,0,1,1,1"))
    assert amounts(bolus, table) == [0.0, 10.0, 10.0]


def test_an_additional_dose_acts_before_the_record_it_lands_on(bolus: PatientModel, events_of: Events) -> None:
    table = events_of(rows("1,0,1,10,1,0,0.1,4,0,0,1,1,1", *reads([0.3, 0.3, 0.35])))
    expected = [
        decay(*((abs(time - 0.1 * k), 10.0) for k in range(4))) for time in (0.3, 0.3, 0.35)
    ]  # 3 x 0.1 is above 0.3 by rounding
    assert amounts(bolus, table)[1:] == pytest.approx(expected, rel=1e-9)


def test_a_lagged_dose_acts_before_the_record_it_lands_on_and_tad_counts_from_its_nominal_time(
    bolus: PatientModel, events_of: Events
) -> None:
    table = events_of(rows("1,0,1,10,1,0,0,0,0,2,1,1,1", *reads([1, 2, 5], "2,1,1,1")))
    outputs = simulate_events(bolus, table).outputs
    assert outputs[:, 0] == pytest.approx([0.0, 0.0, 10.0, decay((3, 10))], rel=1e-12)
    assert outputs[:, 1].tolist() == [0.0, 1.0, 2.0, 5.0]


def test_f_scales_the_duration_of_a_given_rate_and_the_rate_of_a_given_duration(bolus: PatientModel, events_of: Events) -> None:
    def during(rate: float, duration: float, time: float) -> float:
        run = min(time, duration)
        return rate / 0.1 * (1 - math.exp(-0.1 * run)) * math.exp(-0.1 * (time - run))

    times = [1.0, 3.0, 5.0, 8.0]
    for code, rate, duration in ((4, 4.0, 2.5), (-1, 2.0, 5.0), (-2, 2.5, 4.0)):  # AMT 20, F 0.5; R1 2; D1 4
        table = events_of(rows(f"1,0,1,20,1,{code},0,0,0,0,0.5,2,4", *reads(times, "0,0.5,2,4")))
        assert amounts(bolus, table)[1:] == pytest.approx([during(rate, duration, time) for time in times], rel=1e-12)


def test_parameters_of_a_stretch_are_those_of_the_record_that_ends_it(events_of: Events) -> None:
    text = BOLUS.replace('K = "0.1"', 'K = "KEL"')
    table = events_of("ID,TIME,EVID,AMT,KEL,ALAG,FA,R1,D1\n1,0,1,10,0.5,0,1,1,1\n1,2,0,0,0.1,0,1,1,1\n1,3,0,0,0.3,0,1,1,1\n")
    backward = 10 * np.exp([0.0, -0.2, -0.5])
    forward = 10 * np.exp([0.0, -1.0, -1.1])
    assert amounts(parse_model(text, file="nocb.toml"), table) == pytest.approx(backward, rel=1e-12)
    locf = text.replace("[record]", 'covariates = "locf"\n[record]')
    assert amounts(parse_model(locf, file="locf.toml"), table) == pytest.approx(forward, rel=1e-12)


def test_missing_covariates_are_carried_as_the_model_says_and_told(events_of: Events) -> None:
    text = BOLUS.replace('K = "0.1"', 'K = "KEL"')
    table = events_of(
        "ID,TIME,EVID,AMT,KEL,ALAG,FA,R1,D1\n1,0,1,10,0.5,0,1,1,1\n1,2,0,0,.,0,1,1,1\n1,3,0,0,0.3,0,1,1,1\n1,4,0,0,.,0,1,1,1\n"
    )
    found = simulate_events(parse_model(text, file="nocb.toml"), table)
    assert found.outputs[:, 0] == pytest.approx(10 * np.exp([0.0, -0.6, -0.9, -1.2]), rel=1e-12)
    assert found.notes == ("KEL is missing in 2 records; the next value was taken (nocb).",)
    first = events_of("ID,TIME,EVID,AMT,KEL,ALAG,FA,R1,D1\n1,0,1,10,.,0,1,1,1\n1,2,0,0,0.1,0,1,1,1\n")
    with pytest.raises(InputError, match="row 2, column KEL: found no value at the first record of ID 1"):
        simulate_events(parse_model(text, file="nocb.toml"), first)


def test_reset_cancels_what_is_planned_and_reset_and_dose_repeats(bolus: PatientModel, events_of: Events) -> None:
    table = events_of(rows("1,0,1,10,1,0,2,9,0,0,1,1,1", "1,3,3,0,0,0,0,0,0,0,1,1,1", "1,5,0,0,0,0,0,0,0,0,1,1,1",
                           "1,6,4,7,1,0,4,1,0,0,1,1,1", *reads([9, 11])))  # fmt: skip
    assert amounts(bolus, table) == pytest.approx([10.0, 0.0, 0.0, 7.0, decay((3, 7)), decay((5, 7), (1, 7))], rel=1e-12)


def test_time_that_falls_at_a_reset_begins_anew(bolus: PatientModel, events_of: Events) -> None:
    table = events_of(rows("1,0,1,10,1,0,50,1,0,0,1,1,1", *reads([20]), "1,0,4,3,1,0,0,0,0,0,1,1,1", *reads([4, 60])))
    assert amounts(bolus, table) == pytest.approx([10.0, decay((20, 10)), 3.0, decay((4, 3)), decay((60, 3))], rel=1e-12)


def at_steady_state(amount: float, interval: float, since: float) -> float:
    return amount * math.exp(-0.1 * since) / (1 - math.exp(-0.1 * interval))


def test_steady_state_of_boluses_with_and_without_lag(bolus: PatientModel, events_of: Events) -> None:
    for lag in (0.0, 3.0, 12.0, 15.0, 29.0):
        record = f"1,0,1,10,1,0,12,3,1,{lag},1,1,1"
        found = amounts(bolus, events_of(rows(record, *reads([0, 2, 3, 11.5, 12, 30], f"{lag},1,1,1"))))
        expected = [at_steady_state(10, 12, (time - lag) % 12) for time in (0, 0, 2, 3, 11.5, 12, 30)]
        if lag == 0.0:
            expected[0] = expected[1] = at_steady_state(10, 12, 0)
        assert found == pytest.approx(expected, rel=1e-9), lag


@pytest.mark.parametrize(("rate", "lag"), [(20, 0), (20, 4), (10, 0), (4, 0), (4, 5), (1.5, 0), (1.5, 2.5), (5, 0)])
def test_steady_state_of_infusions_is_where_many_doses_lead(
    bolus: PatientModel, events_of: Events, rate: float, lag: float
) -> None:
    tail = f"{lag},1,1,1"  # AMT 40 every 8 h: 2, 4, 10, 26.7 and 8 h long
    times = [0, 0.7, 2, 5, 9, 23.9, 24]
    steady = amounts(bolus, events_of(rows(f"1,0,1,40,1,{rate},8,20,1,{tail}", *reads([float(time) for time in times], tail))))
    far = 8.0 * 60
    long = amounts(bolus, events_of(rows(f"1,0,1,40,1,{rate},8,90,0,{tail}", *reads([far + time for time in times], tail))))
    assert steady[1:] == pytest.approx(long[1:], rel=1e-9)


def test_steady_state_replaces_or_adds(bolus: PatientModel, events_of: Events) -> None:
    before = "1,0,1,100,1,0,6,5,0,0,1,1,1"
    replaced = amounts(bolus, events_of(rows(before, "1,5,1,10,1,0,12,0,1,0,1,1,1", *reads([8]))))
    assert replaced[1:] == pytest.approx([at_steady_state(10, 12, 0), at_steady_state(10, 12, 3)], rel=1e-12)
    added = amounts(bolus, events_of(rows(before, "1,5,1,10,1,0,12,0,2,0,1,1,1", *reads([8]))))
    expected = [decay((5, 100)) + at_steady_state(10, 12, 0), decay((8, 100), (2, 100)) + at_steady_state(10, 12, 3)]
    assert added[1:] == pytest.approx(expected, rel=1e-12)


def test_constant_infusion_at_steady_state_ends_at_its_record(bolus: PatientModel, events_of: Events) -> None:
    for record in ("1,0,1,0,1,5,0,0,1,0,1,1,1", "1,0,1,.,1,5,.,.,1,0,1,1,1", "1,0,1,0,1,-1,0,0,1,0,1,5,1"):
        table = events_of(rows(record, *reads([4])))
        assert amounts(bolus, table) == pytest.approx([50.0, decay((4, 50))], rel=1e-12)


def test_no_steady_state_where_nothing_leaves(events_of: Events) -> None:
    text = """
    schema = "thrombokit-model/1"
    units = {time = "h", amount = "mg", concentration = "mg/L"}
    compartments = ["gut", "urine"]
    [flow]
    "gut->urine" = "0.5"
    [output]
    U = "urine"
    """
    table = events_of("ID,TIME,EVID,AMT,II,SS\n1,0,1,10,12,1\n1,1,0,0,0,0\n")
    with pytest.raises(SimulationError, match=r"events.csv, ID 1 \(from row 2\): no steady state: urine fills for ever"):
        simulate_events(parse_model(text, file="urine.toml"), table)


def test_default_compartment_and_those_of_the_file(oral: PatientModel, events_of: Events) -> None:
    outputs = simulate_events(oral, events_of("ID,TIME,EVID,AMT,CMT\n1,0,1,10,.\n1,0,1,5,2\n")).outputs
    assert outputs[1, 1:].tolist() == [10.0, 5.0]
    with pytest.raises(InputError) as caught:
        simulate_events(oral, events_of("ID,TIME,EVID,AMT,CMT\n1,0,1,10,3\n1,0,0,0,3\n1,1,0,0,4\n1,1,1,1,1\n"))
    assert "row 2, column CMT: found compartment 3; expected a compartment of oral.toml: 1 = depot, 2 = central" in str(
        caught.value
    )
    assert "row 4, column CMT: found compartment 4" in str(caught.value)
    assert "row 3" not in str(caught.value), "an observation of the compartment after the last is NONMEM's output compartment"


def test_rates_the_model_does_not_give_and_values_that_cannot_be(
    oral: PatientModel, bolus: PatientModel, events_of: Events
) -> None:
    with pytest.raises(InputError) as caught:
        simulate_events(oral, events_of("ID,TIME,EVID,AMT,CMT,RATE\n1,0,1,10,2,-1\n1,0,1,5,1,-2\n"))
    assert "row 2, column RATE: found RATE -1; expected a rate in [dose.central] of the model" in str(caught.value)
    assert "row 3, column RATE: found RATE -2; expected a duration in [dose.depot]" in str(caught.value)
    with pytest.raises(InputError) as caught:
        simulate_events(bolus, events_of(rows("1,0,1,5,1,-1,0,0,0,-1,-0.5,0,0", "1,0,1,5,1,-2,0,0,0,0,1,0,0")))
    for words in ("lag -1", "F -0.5", "rate 0", "duration 0", "row 2", "row 3", "Check rate of central in bolus.toml"):
        assert words in str(caught.value), words


def test_columns_the_data_lacks_or_has_as_text(bolus: PatientModel, events_of: Events) -> None:
    with pytest.raises(InputError) as caught:
        simulate_events(bolus, events_of("ID,TIME,AMT,EVID,ALAGX,R1,D1\n1,0,1,1,0,x,1\n"))
    assert "row 1: found no column ALAG; expected the columns that bolus.toml reads" in str(caught.value)
    assert 'Did you mean "ALAGX"?' in str(caught.value)
    assert "found no column FA" in str(caught.value)
    assert 'row 2, column R1: found the text "x"' in str(caught.value)


def test_outputs_that_are_no_numbers_are_named(events_of: Events) -> None:
    text = BOLUS.replace('A = "central"', 'A = "log(central)"')
    table = events_of(rows(*reads([0, 1]), "1,2,1,10,1,0,0,0,0,0,1,1,1"))
    with pytest.raises(InputError, match=r"row 2: found the output A is no finite number \(and 1 more rows\)"):
        simulate_events(parse_model(text, file="log.toml"), table)
