"""Records that ask for a steady state (SS 1 and 2), with lag, additional doses, infusions and dual absorption, one on top of another.

The truth is written out dose by dose: an endless series is one of 40 doses, and between arrivals, switches and ends of infusions the
amounts are moved by matrix exponentials of scipy. It shares no code and no reckoning of intervals with what is tested.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
from scipy.linalg import expm

from thrombokit.io.patient_models import parse_model
from thrombokit.patients.event_table import EventTable
from thrombokit.patients.simulate_events import simulate_events

Events = Callable[..., EventTable]
FIRST, SECOND, SWITCH, LEAVES = 0.1, 1.2, 1.5, 0.2
DUAL = f"""
schema = "thrombokit-model/1"
units = {{time = "h", amount = "mg", concentration = "mg/L"}}
compartments = ["depot", "central"]
default_dose = "depot"
[[piece]]
kind = "dual_absorption"
from = "depot"
to = "central"
first_rate = "{FIRST}"
second_rate = "{SECOND}"
switch = "{SWITCH}"
FROM
[flow]
"central->out" = "{LEAVES}"
[dose.depot]
lag = "LAG"
[dose.central]
lag = "LAG"
[output]
DEPOT = "depot"
CENTRAL = "central"
"""
RECORD = 'switch_from = "record"'
READ = (13.0, 13.3, 14.2, 14.9, 16.0, 18.5, 19.1, 20.0, 24.9, 26.0, 31.4, 45.0)
AT = 13.0
"""When the record of the steady state stands; 13.0 also reads the amounts right after it."""
ENDLESS = 40


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """A dose that reaches a compartment: at once, or for `lasts` hours."""

    at: float
    compartment: int
    amount: float
    lasts: float = 0.0


@cache
def propagator(rate: float, into_depot: float, into_central: float, hours: float) -> np.ndarray:
    """Of (depot, central, 1) under constant inflows."""
    return expm(np.array([[-rate, 0.0, into_depot], [rate, -LEAVES, into_central], [0.0, 0.0, 0.0]]) * hours)


def walked(x: np.ndarray, start: float, stop: float, known: Sequence[Arrival], switch: float) -> np.ndarray:
    """Amounts at `stop` from those at `start`, just after what arrived then; arrivals before `start` set the phase and go on flowing."""
    depots = sorted(one.at for one in known if one.compartment == 0)
    marks = {one.at for one in known} | {one.at + one.lasts for one in known} | {at + switch for at in depots}
    edges = [start, *sorted(mark for mark in marks if start < mark < stop), stop]
    for a, b in itertools.pairwise(edges):
        middle = 0.5 * (a + b)
        began = max((at for at in depots if at <= a + 1e-9), default=-math.inf)
        rate = SECOND if middle - began > switch else FIRST
        inflow = [0.0, 0.0]
        for one in known:
            if one.at < middle < one.at + one.lasts:
                inflow[one.compartment] += one.amount / one.lasts
        x = (propagator(rate, *inflow, round(b - a, 10)) @ np.append(x, 1.0))[:2]
        for one in known:
            if one.lasts == 0.0 and abs(one.at - b) < 1e-9:
                x[one.compartment] += one.amount
    return x


def truth(
    earlier: Sequence[Arrival], series: Sequence[Arrival], later: Sequence[Arrival], switch: float, *, add: bool
) -> np.ndarray:
    """Amounts at READ: the endless `series` up to AT, with `earlier` (SS 2) or without (SS 1), and then all that is still to come."""
    begin = min(one.at for one in series) - 1.0
    x = walked(np.zeros(2), begin, AT, series, switch)
    if add:
        x = x + walked(np.zeros(2), -1.0, AT, earlier, switch)
    known = [*series, *later, *(earlier if add else ())]
    found: list[np.ndarray] = []
    time = AT
    for read in READ:
        x, time = (walked(x, time, read, known, switch) if read > time else x), read
        found.append(x)
    return np.array(found)


def arrivals(first: float, *, every: float, n: int, lag: float, compartment: int, amount: float, lasts: float) -> list[Arrival]:
    return [Arrival(at=first + k * every + lag, compartment=compartment, amount=amount, lasts=lasts) for k in range(n)]


@pytest.mark.parametrize("lag", [0.0, 0.4, 2.0, 7.5])
@pytest.mark.parametrize("rate", [0.0, 1.0])
@pytest.mark.parametrize("compartment", [0, 1])
@pytest.mark.parametrize("steady", [1, 2])
@pytest.mark.parametrize("origin", ["", RECORD])
def test_a_steady_state_replaces_or_tops_up_other_doses(
    events_of: Events, origin: str, steady: int, compartment: int, rate: float, lag: float
) -> None:
    """Doses of 8 every 5 h run from 0 beyond the record at 13 h, which asks for 10 every 6 h (at once, or over 10 h) and 2 more."""
    lasts = 10.0 / rate if rate else 0.0
    earlier = arrivals(0.0, every=5.0, n=5, lag=lag, compartment=0, amount=8.0, lasts=0.0)
    series = arrivals(AT - 6.0 * ENDLESS, every=6.0, n=ENDLESS + 1, lag=lag, compartment=compartment, amount=10.0, lasts=lasts)
    later = arrivals(AT + 6.0, every=6.0, n=2, lag=lag, compartment=compartment, amount=10.0, lasts=lasts)
    switch = max(SWITCH - lag, 0.0) if origin else SWITCH
    expected = truth(earlier, series, later, switch, add=steady == 2)
    lines = [f"1,0,1,8,1,0,5,4,0,{lag}", f"1,{AT},1,10,{compartment + 1},{rate},6,2,{steady},{lag}"]
    lines += [f"1,{time},0,0,0,0,0,0,0,{lag}" for time in READ]
    table = events_of("\n".join(["ID,TIME,EVID,AMT,CMT,RATE,II,ADDL,SS,LAG", *lines]))
    found = simulate_events(parse_model(DUAL.replace("FROM", origin), file="dual.toml"), table)
    np.testing.assert_allclose(found.outputs[found.observed], expected, rtol=1e-8, atol=1e-11)


@pytest.mark.parametrize("lag", [0.0, 2.0, 7.5])
def test_two_endless_series_may_run_at_once(events_of: Events, lag: float) -> None:
    """SS 1 of one regimen and SS 2 of another at the same time: 10 every 6 h into the depot and 4 every 24 h into the circulation."""
    first = arrivals(AT - 6.0 * ENDLESS, every=6.0, n=ENDLESS + 8, lag=lag, compartment=0, amount=10.0, lasts=0.0)
    second = arrivals(AT - 24.0 * ENDLESS, every=24.0, n=ENDLESS + 2, lag=lag, compartment=1, amount=4.0, lasts=8.0)
    x = walked(np.zeros(2), min(one.at for one in second) - 1.0, AT, [*first, *second], SWITCH)
    expected: list[np.ndarray] = []
    time = AT
    for read in READ:
        x, time = (walked(x, time, read, [*first, *second], SWITCH) if read > time else x), read
        expected.append(x)
    lines = [f"1,{AT},1,10,1,0,6,7,1,{lag}", f"1,{AT},1,4,2,0.5,24,1,2,{lag}", *(f"1,{t},0,0,0,0,0,0,0,{lag}" for t in READ)]
    table = events_of("\n".join(["ID,TIME,EVID,AMT,CMT,RATE,II,ADDL,SS,LAG", *lines]))
    found = simulate_events(parse_model(DUAL.replace("FROM", ""), file="dual.toml"), table)
    np.testing.assert_allclose(found.outputs[found.observed], np.array(expected), rtol=1e-8, atol=1e-11)


def test_a_constant_inflow_tops_up_what_is_there(events_of: Events) -> None:
    """SS 2 with II 0: the amounts of a constant inflow of 3 per h into the circulation, 3/0.2, on top; the inflow ends at its record."""
    lines = ["1,0,1,8,2,0,0,0,0,0", "1,4,1,0,2,3,0,0,2,0", "1,9,0,0,0,0,0,0,0,0"]
    table = events_of("\n".join(["ID,TIME,EVID,AMT,CMT,RATE,II,ADDL,SS,LAG", *lines]))
    found = simulate_events(parse_model(DUAL.replace("FROM", ""), file="dual.toml"), table).outputs[1:, 1]
    after = 8.0 * math.exp(-4.0 * LEAVES) + 3.0 / LEAVES
    assert found == pytest.approx([after, after * math.exp(-5.0 * LEAVES)], rel=1e-12)
