"""Laws that any event table obeys, by generated tables: linearity, splitting, mass balance, units, order of patients, grids of records."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thrombokit.io.patient_models import parse_model
from thrombokit.patients.model import PatientModel
from thrombokit.patients.simulate_events import simulate_events

CLOSED = """
schema = "thrombokit-model/1"
units = {time = "h", amount = "mg", concentration = "mg/L"}
compartments = ["depot", "central", "deep", "gone"]
[record]
S = "SPEED"
[flow]
"depot->central" = "1.3*S"
"central->deep" = "0.4*S"
"deep->central" = "0.2*S"
"central->gone" = "0.25*S"
[dose.depot]
lag = "LAG"
F = "0.7"
[output]
DEPOT = "depot"
CENTRAL = "central"
DEEP = "deep"
GONE = "gone"
"""
COLUMNS = ("ID", "TIME", "EVID", "AMT", "CMT", "RATE", "II", "ADDL", "LAG", "SPEED")
times = st.floats(0.0, 40.0, width=32).map(lambda time: round(time, 3))
doses = st.tuples(
    times,
    st.floats(0.5, 100.0),
    st.integers(1, 2),
    st.sampled_from([0.0, 3.0, 20.0]),
    st.sampled_from([2.5, 7.0]),
    st.integers(0, 3),
)


@pytest.fixture(scope="module")
def closed() -> PatientModel:
    """Three compartments and one that gathers what has left; lag and speed of all rates are columns."""
    return parse_model(CLOSED, file="closed.toml")


def table(
    given_doses: list[tuple[float, float, int, float, float, int]], reads: list[float], lag: float = 0.0, speed: float = 1.0
) -> pl.DataFrame:
    rows = [(1, time, 1, amount, cmt, rate, every, more, lag, speed) for time, amount, cmt, rate, every, more in given_doses]
    rows += [(1, time, 0, 0.0, 0, 0.0, 0.0, 0, lag, speed) for time in reads]
    rows.sort(key=lambda row: (row[1], -row[2]))
    return pl.DataFrame(rows, schema=COLUMNS, orient="row", infer_schema_length=None)


def outputs(model: PatientModel, frame: pl.DataFrame) -> np.ndarray:
    return simulate_events(model, frame).outputs


@settings(max_examples=25)
@given(st.lists(doses, min_size=1, max_size=4), st.floats(0.01, 50.0), st.floats(0.0, 5.0))
def test_amounts_are_linear_in_the_dose(closed: PatientModel, given_doses: list, factor: float, lag: float) -> None:
    reads = [5.0, 20.0, 60.0]
    scaled = [(time, factor * amount, cmt, factor * rate, every, more) for time, amount, cmt, rate, every, more in given_doses]
    np.testing.assert_allclose(
        outputs(closed, table(scaled, reads, lag)), factor * outputs(closed, table(given_doses, reads, lag)), rtol=1e-9, atol=1e-12
    )


@settings(max_examples=25)
@given(doses, st.floats(0.05, 0.95), st.floats(0.0, 5.0))
def test_a_dose_may_be_split(closed: PatientModel, dose: tuple, share: float, lag: float) -> None:
    reads = [dose[0] + 3.0, dose[0] + 30.0]
    time, amount, cmt, rate, every, more = dose
    parts = [
        (time, share * amount, cmt, share * rate, every, more),
        (time, (1 - share) * amount, cmt, (1 - share) * rate, every, more),
    ]
    whole, split = (outputs(closed, table(one, reads, lag))[-2:] for one in ([dose], parts))
    np.testing.assert_allclose(split, whole, rtol=1e-9, atol=1e-12)


@settings(max_examples=25)
@given(st.lists(doses, min_size=1, max_size=4), st.floats(0.0, 5.0))
def test_nothing_is_lost_or_negative(closed: PatientModel, given_doses: list, lag: float) -> None:
    found = outputs(closed, table(given_doses, [0.0, 13.0, 500.0], lag))
    assert (found >= 0.0).all()
    taken = sum(amount * (0.7 if cmt == 1 else 1.0) * (1 + more) for _, amount, cmt, _, _, more in given_doses)
    assert found[-1].sum() == pytest.approx(taken, rel=1e-10)


@settings(max_examples=25)
@given(st.lists(doses, min_size=1, max_size=3), st.sampled_from([1 / 24, 60.0, 7.0]))
def test_the_unit_of_time_does_not_matter(closed: PatientModel, given_doses: list, unit: float) -> None:
    reads = [6.0, 21.0, 80.0]
    other = [(time * unit, amount, cmt, rate / unit, every * unit, more) for time, amount, cmt, rate, every, more in given_doses]
    expected = outputs(closed, table(given_doses, reads, 1.5))
    found = outputs(closed, table(other, [time * unit for time in reads], 1.5 * unit, 1.0 / unit))
    np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-10)


@settings(max_examples=20)
@given(st.lists(st.lists(doses, min_size=1, max_size=2), min_size=2, max_size=4), st.randoms(use_true_random=False))
def test_patients_do_not_hear_of_one_another(closed: PatientModel, patients: list, random: object) -> None:
    frames = [table(one, [10.0, 50.0]).with_columns(ID=pl.lit(number)) for number, one in enumerate(patients)]
    order = list(range(len(frames)))
    random.shuffle(order)  # pyright: ignore[reportAttributeAccessIssue]
    straight = simulate_events(closed, pl.concat(frames)).table()
    mixed = simulate_events(closed, pl.concat([frames[k] for k in order])).table()
    for number in order:
        assert straight.filter(pl.col("ID") == number).equals(mixed.filter(pl.col("ID") == number))


@settings(max_examples=25)
@given(st.lists(doses, min_size=1, max_size=3), st.lists(times, max_size=12), st.floats(0.0, 5.0))
def test_more_records_to_read_change_no_other(closed: PatientModel, given_doses: list, more_reads: list, lag: float) -> None:
    few = simulate_events(closed, table(given_doses, [100.0], lag)).outputs
    many = simulate_events(closed, table(given_doses, [100.0, *more_reads], lag)).outputs
    np.testing.assert_array_equal(many[-1], few[-1])


@settings(max_examples=25)
@given(st.floats(1.0, 100.0), times)
def test_a_very_short_infusion_is_a_dose_at_once(closed: PatientModel, amount: float, time: float) -> None:
    at_once = outputs(closed, table([(time, amount, 2, 0.0, 0.0, 0)], [time + 1.0]))[-1]
    short = outputs(closed, table([(time, amount, 2, amount * 1e7, 0.0, 0)], [time + 1.0]))[-1]
    np.testing.assert_allclose(short, at_once, rtol=1e-6)


ONE = """
schema = "thrombokit-model/1"
units = {time = "h", amount = "mg", concentration = "mg/L"}
compartments = ["central"]
[flow]
"central->out" = "0.15"
[dose.central]
lag = "LAG"
F = "FA"
rate = "R1"
duration = "D1"
[output]
A = "central"
"""
one_doses = st.tuples(
    times, st.floats(0.5, 50.0), st.sampled_from([0.0, 0.0, 4.0, 0.7, -1.0, -2.0]), st.sampled_from([3.0, 8.5]), st.integers(0, 4),
    st.sampled_from([0.0, 0.0, 1.25, 6.0]), st.sampled_from([1.0, 0.4]),
)  # fmt: skip
"""time, amount, rate code, interval, additional doses, lag, F."""


@pytest.fixture(scope="module")
def one() -> PatientModel:
    """One compartment whose dose values are columns: modelled rate 2.5, modelled duration 5."""
    return parse_model(ONE, file="one.toml")


def closed_form(time: float, given_doses: list, since: float) -> float:
    """The amount at `time` after all doses given from `since` on, unrolled one by one; what lands on `time` counts."""
    total = 0.0
    for start, amount, code, every, more, lag, share in given_doses:
        taken = amount * share
        rate = {0.0: 0.0, -1.0: 2.5, -2.0: taken / 5.0}.get(code, code)
        for number in range(more + 1 if start >= since else 0):
            gone = time - (start + number * every + lag)
            if gone < -1e-9:
                continue
            if rate == 0.0:
                total += taken * np.exp(-0.15 * gone)
            else:
                run = min(max(gone, 0.0), taken / rate)
                total += rate / 0.15 * (1.0 - np.exp(-0.15 * run)) * np.exp(-0.15 * (gone - run))
    return total


@settings(max_examples=60)
@given(st.lists(one_doses, min_size=1, max_size=5), st.lists(times, min_size=1, max_size=8), st.none() | times)
def test_any_table_of_doses_is_the_sum_of_its_doses(one: PatientModel, given_doses: list, reads: list, reset: float | None) -> None:
    rows = [
        (1, at, 1, amount, code, every, more, lag, share, 2.5, 5.0) for at, amount, code, every, more, lag, share in given_doses
    ]
    rows += [(1, at, 0, 0.0, 0.0, 0.0, 0, 0.0, 1.0, 2.5, 5.0) for at in reads]
    if reset is not None:
        rows.append((1, reset, 3, 0.0, 0.0, 0.0, 0, 0.0, 1.0, 2.5, 5.0))
    rows.sort(key=lambda row: (row[1], {3: 0, 1: 1, 0: 2}[row[2]]))
    names = ("ID", "TIME", "EVID", "AMT", "RATE", "II", "ADDL", "LAG", "FA", "R1", "D1")
    frame = pl.DataFrame(rows, schema=names, orient="row", infer_schema_length=None)
    found = simulate_events(one, frame).outputs[:, 0]
    for row, amount in zip(rows, found, strict=True):
        if row[2] == 0:
            since = -1.0 if reset is None or row[1] < reset else reset
            assert amount == pytest.approx(closed_form(row[1], given_doses, since), rel=1e-9, abs=1e-9)
