"""Each built-in piece against its equations written by hand, solved by scipy."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.special import gammaln

from thrombokit.io.patient_models import parse_model
from thrombokit.patients.compiled_model import CompiledModel, compile_model
from thrombokit.patients.gamma_inputs import MOST_DOSES_UNDER_WAY, clear_arrivals, note_arrival

HEAD = """
schema = "thrombokit-model/1"
units = {time = "h", amount = "ug", concentration = "ng/mL"}
compartments = [%s]
"""
TIMES = np.array([0.5, 2.0, 7.0, 20.0, 60.0])


def compiled(compartments: str, rest: str) -> CompiledModel:
    return compile_model(parse_model(HEAD % compartments + rest, file="piece.toml"))


def record(model: CompiledModel) -> np.ndarray:
    r = np.zeros(model.n_record)
    model.fill_record(model.default_inputs(), 0.0, r)
    assert model.non_finite("record", r) == ()
    return r


def solved(model: CompiledModel, start: Sequence[float], r: np.ndarray, *, phase: float = 0.0) -> np.ndarray:
    """Compartments at TIMES, shape (n_compartments, n_times)."""

    def rate(t: float, x: np.ndarray) -> np.ndarray:
        dx = np.zeros(len(x))
        model.derivative(t, t, phase, np.ascontiguousarray(x), r, dx)
        return dx

    return by_hand(rate, start)


def by_hand(rate: Callable[[float, np.ndarray], Sequence[float] | np.ndarray], start: Sequence[float]) -> np.ndarray:
    done = solve_ivp(rate, (0.0, TIMES[-1]), np.array(start, dtype=float), method="LSODA", t_eval=TIMES, rtol=1e-10, atol=1e-12)
    assert done.success
    return done.y


def test_linear() -> None:
    model = compiled(
        '"depot", "central"',
        """
[[piece]]
kind = "linear"
central = "central"
clearance = "CL"
volume = 20
from = "depot"
absorption = "0.7"
peripherals = ["shallow", "deep"]
distribution = ["3", 1.0]
peripheral_volumes = [30, "60"]
[theta]
CL = 2.0
[output]
CP = "central/20"
""",
    )
    assert model.compartments == ("depot", "central", "shallow", "deep")
    assert model.engine == "exact"

    def rate(_: float, x: np.ndarray) -> list[float]:
        depot, central, shallow, deep = x
        to_shallow, to_deep = 3 / 20 * central - 3 / 30 * shallow, 1 / 20 * central - 1 / 60 * deep
        return [-0.7 * depot, 0.7 * depot - 2 / 20 * central - to_shallow - to_deep, to_shallow, to_deep]

    start = [100.0, 5.0, 0.0, 0.0]
    np.testing.assert_allclose(solved(model, start, record(model)), by_hand(rate, start), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize(("phase", "ka"), [(0.0, 0.333), (1.0, 5.26)])
def test_dual_absorption(phase: float, ka: float) -> None:
    model = compiled(
        '"depot", "central"',
        """
[[piece]]
kind = "dual_absorption"
from = "depot"
to = "central"
first_rate = 0.333
second_rate = 5.26
switch = "1.0 + 0.46"
switch_from = "record"
[flow]
"central->out" = "0.1"
[output]
A = "central"
""",
    )
    r = record(model)
    assert r[model.switch_index] == pytest.approx(1.46)
    assert model.switch_from_record
    expected = by_hand(lambda _, x: [-ka * x[0], ka * x[0] - 0.1 * x[1]], [10.0, 0.0])
    np.testing.assert_allclose(solved(model, [10.0, 0.0], r, phase=phase), expected, rtol=1e-7, atol=1e-9)


TRANSIT = """
[theta]
NTR = %s
KTR = 0.8
[[piece]]
kind = "transit"
from = "depot"
to = "central"
n = %s
rate = "KTR"
[flow]
"central->out" = "0.05"
[output]
A = "central"
"""


def test_transit_with_a_whole_number_is_a_chain() -> None:
    model = compiled('"depot", "central"', TRANSIT % ("3", "3"))
    assert model.compartments == ("depot", "central", "depot_transit_1", "depot_transit_2", "depot_transit_3")
    assert model.engine == "exact"

    def rate(_: float, x: np.ndarray) -> list[float]:
        depot, central, one, two, three = x
        return [-0.8 * depot, 0.8 * three - 0.05 * central, 0.8 * (depot - one), 0.8 * (one - two), 0.8 * (two - three)]

    start = [100.0, 0.0, 0.0, 0.0, 0.0]
    np.testing.assert_allclose(solved(model, start, record(model)), by_hand(rate, start), rtol=1e-7, atol=1e-9)


def test_transit_with_any_number_agrees_with_the_chain_and_loses_nothing() -> None:
    chain = compiled('"depot", "central"', TRANSIT % ("3", "3"))
    gamma = compiled('"depot", "central"', TRANSIT % ("3", '"NTR"'))
    assert gamma.compartments == ("depot", "central")
    assert gamma.engine == "ode"
    r = record(gamma)
    assert note_arrival(r, gamma.gamma_inputs, 0, 0.0, 100.0)
    assert note_arrival(r, gamma.gamma_inputs, 1, 0.0, 55.0)  # into another compartment: not under way
    gamma.fill_record(gamma.default_inputs(), 0.0, r)  # leaves the doses under way alone
    under_way = solved(gamma, [100.0, 0.0], r)
    in_chain = solved(chain, [100.0, 0.0, 0.0, 0.0, 0.0], record(chain))
    np.testing.assert_allclose(under_way[1], in_chain[1], rtol=1e-7)
    np.testing.assert_allclose(under_way[0], in_chain[[0, 2, 3, 4]].sum(axis=0), rtol=1e-6, atol=1e-6)


def test_transit_with_a_fraction_is_savics_gamma_input() -> None:
    model = compiled('"depot", "central"', TRANSIT % ("2.5", '"NTR"'))
    r, dx = record(model), np.zeros(2)
    assert note_arrival(r, model.gamma_inputs, 0, 1.0, 100.0)
    assert note_arrival(r, model.gamma_inputs, 0, 3.0, 50.0)
    for t in (0.5, 1.0, 2.0, 3.5, 9.0):
        model.derivative(t, 0.0, 0.0, np.array([0.0, 0.0]), r, dx)
        doses = [(100.0, t - 1.0), (50.0, t - 3.0)]
        expected = sum(d * 0.8 * np.exp(2.5 * np.log(0.8 * s) - 0.8 * s - gammaln(3.5)) for d, s in doses if s > 0)
        assert dx[1] == pytest.approx(expected, rel=1e-13)
        assert dx[0] == -dx[1]
    clear_arrivals(r, model.gamma_inputs)
    model.derivative(9.0, 0.0, 0.0, np.array([0.0, 0.0]), r, dx)
    assert dx.tolist() == [0.0, 0.0]


def test_doses_long_arrived_make_room_and_too_many_are_not_taken() -> None:
    model = compiled('"depot", "central"', TRANSIT % ("2.5", '"NTR"'))
    r = record(model)
    assert all(note_arrival(r, model.gamma_inputs, 0, 24.0 * day, 1.0) for day in range(1000))
    clear_arrivals(r, model.gamma_inputs)
    taken = [note_arrival(r, model.gamma_inputs, 0, 0.01 * number, 1.0) for number in range(MOST_DOSES_UNDER_WAY + 1)]
    assert taken == [True] * MOST_DOSES_UNDER_WAY + [False]


BINDING = """
[theta]
V = 3.0
KEL = 0.05
KINT = 0.12
KSYN = 0.4
KDEG = 0.1
KON = %s
KOFF = %s
"""
QE = """
[[piece]]
kind = "tmdd_qe"
central = "central"
volume = "V"
factor = 2
kel = "KEL"
kd = "KOFF/KON"
kint = "KINT"
target = "R"
ksyn = "KSYN"
kdeg = "KDEG"
free = "C"
bound = "RC"
peripheral = "tissue"
kcp = 0.3
kpc = 0.2
[output]
C = "C"
RC = "RC"
"""
FULL = """
[[piece]]
kind = "tmdd_full"
central = "central"
volume = "V"
factor = 2
kel = "KEL"
kon = "KON"
koff = "KOFF"
kint = "KINT"
target = "R"
complex = "RC"
ksyn = "KSYN"
kdeg = "KDEG"
free = "C"
peripheral = "tissue"
kcp = 0.3
kpc = 0.2
[output]
C = "C"
"""


def full_rate(kon: float, koff: float) -> Callable[[float, np.ndarray], list[float]]:
    """Free drug (amount), free target, complex (concentrations), tissue; concentration = 2 x amount / 3."""

    def rate(_: float, x: np.ndarray) -> list[float]:
        amount, target, bound, tissue = x
        net = kon * (2 * amount / 3) * target - koff * bound
        exchange = 0.3 * amount - 0.2 * tissue
        return [-0.05 * amount - net * 3 / 2 - exchange, 0.4 - 0.1 * target - net, net - 0.12 * bound, exchange]

    return rate


def test_full_binding() -> None:
    model = compiled('"central"', BINDING % ("0.3", "0.6") + FULL)
    assert model.compartments == ("central", "R", "RC", "tissue")
    r, start = record(model), np.zeros(4)
    model.fill_initial(r, start)
    assert start.tolist() == [0.0, pytest.approx(4.0), 0.0, 0.0]
    start[0] = 30.0
    np.testing.assert_allclose(solved(model, start.tolist(), r), by_hand(full_rate(0.3, 0.6), start.tolist()), rtol=1e-6, atol=1e-9)


def test_quasi_equilibrium_is_the_limit_of_fast_binding() -> None:
    kon, koff = 0.3 * 1000, 0.6 * 1000
    model = compiled('"central"', BINDING % ("0.3", "0.6") + QE)
    assert model.compartments == ("central", "R", "tissue")
    r, start = record(model), np.zeros(3)
    model.fill_initial(r, start)
    assert start[1] == pytest.approx(4.0)
    start[0] = 30.0
    slow = solved(model, start.tolist(), r)
    # the same state, divided into free and bound at the start
    total, target = 20.0, 4.0
    free = 0.5 * (total - target - 2 + np.sqrt((total - target - 2) ** 2 + 8 * total))
    bound = total - free
    fast = by_hand(full_rate(kon, koff), [free * 1.5, target - bound, bound, 0.0])
    out = np.zeros(2)
    for place in range(TIMES.size):
        model.output(0.0, 0.0, np.ascontiguousarray(slow[:, place]), r, out)
        assert out[0] == pytest.approx(2 * fast[0, place] / 3, rel=2e-3)
        assert out[1] == pytest.approx(fast[2, place], rel=2e-3)
        assert slow[0, place] == pytest.approx(fast[0, place] + 1.5 * fast[2, place], rel=2e-3)


@pytest.mark.parametrize("amount", [1e-12, 1e-6, 1.0, 6.0, 1e3, 1e9])
def test_free_and_bound_solve_the_equilibrium_without_losing_digits(amount: float) -> None:
    model = compiled('"central"', BINDING % ("0.3", "0.6") + QE)
    r, out = record(model), np.zeros(2)
    model.output(0.0, 0.0, np.array([amount, 4.0, 0.0]), r, out)
    free, bound = out
    assert free + bound == pytest.approx(2 * amount / 3, rel=1e-12)
    assert bound == pytest.approx(4.0 * free / (2.0 + free), rel=1e-12)


def test_target_may_be_an_expression() -> None:
    model = compiled(
        '"central", "PLT"',
        """
[[piece]]
kind = "tmdd_qe"
central = "central"
volume = 2
kel = "0.04"
kd = "0.13"
kint = "0.17"
target_total = "0.02*PLT"
free = "C"
[ode]
PLT = "1 - 0.01*PLT"
[output]
C = "C"
""",
    )

    def rate(_: float, x: np.ndarray) -> list[float]:
        drug, cells = x[0] / 2, x[1]
        excess = drug - 0.02 * cells - 0.13
        free = 0.5 * (excess + np.sqrt(excess**2 + 4 * 0.13 * drug))
        return [-0.04 * free * 2 - 0.17 * (drug - free) * 2, 1 - 0.01 * cells]

    start = [50.0, 200.0]
    np.testing.assert_allclose(solved(model, start, record(model)), by_hand(rate, start), rtol=1e-6, atol=1e-9)


def test_lifespan_chains_one_after_the_other() -> None:
    model = compiled(
        '"central"',
        """
[theta]
BASE = 200.0
LIFE = 48.0
MATURE = 60.0
[[piece]]
kind = "lifespan_chain"
name = "young"
n = 3
lifespan = "MATURE"
production = "BASE/LIFE*(1 + central)"
outflow = "RIPE"
initial = "BASE/LIFE*MATURE"
[[piece]]
kind = "lifespan_chain"
name = "platelet"
n = 2
lifespan = "LIFE"
production = "RIPE"
total = "PLT"
initial = "BASE"
[flow]
"central->out" = "0.1"
[output]
PLT = "PLT"
""",
    )
    assert model.compartments == ("central", "young_1", "young_2", "young_3", "platelet_1", "platelet_2")
    assert model.engine == "quadrature"
    r, start, out = record(model), np.zeros(6), np.zeros(1)
    model.fill_initial(r, start)
    model.output(0.0, 0.0, start, r, out)
    assert out[0] == pytest.approx(200.0)
    at_rest = np.zeros(6)
    model.derivative(0.0, 0.0, 0.0, start, r, at_rest)
    np.testing.assert_allclose(at_rest, 0.0, atol=1e-12)

    def rate(_: float, x: np.ndarray) -> list[float]:
        c, a, b, d, p, q = x
        return [-0.1 * c, 200 / 48 * (1 + c) - a / 20, (a - b) / 20, (b - d) / 20, d / 20 - p / 24, (p - q) / 24]

    start[0] = 3.0
    np.testing.assert_allclose(solved(model, start.tolist(), r), by_hand(rate, start.tolist()), rtol=1e-7, atol=1e-8)


def test_a_chain_may_end_in_another_compartment_and_be_long() -> None:
    model = compiled(
        '"blood", "marrow"',
        """
[[piece]]
kind = "lifespan_chain"
name = "marrow_cell"
n = 60
lifespan = 140
to = "blood"
total = "ALL"
initial = 10
[flow]
"blood->out" = "0.01"
"marrow->out" = "0.01"
[output]
ALL = "ALL"
""",
    )
    r, start, dx, out = record(model), np.zeros(62), np.zeros(62), np.zeros(1)
    model.fill_initial(r, start)
    model.output(0.0, 0.0, start, r, out)
    assert out[0] == pytest.approx(10.0)
    model.derivative(0.0, 0.0, 0.0, start, r, dx)
    assert dx[0] == pytest.approx(10.0 / 60 * 60 / 140)
    assert dx.sum() == pytest.approx(0.0, abs=1e-15)
    assert model.engine == "exact"
