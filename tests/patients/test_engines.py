"""The engines "ode" and "exact-pk": against scipy at 1e-11, on compiled models, on stiff target-mediated binding, over titrated years."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from thrombokit.io.patient_models import parse_model
from thrombokit.io.titrations import parse_titration
from thrombokit.numerics.adaptive_ode import advance
from thrombokit.numerics.arrays import Array
from thrombokit.numerics.driven_derivative import DERIVATIVE, no_trial
from thrombokit.numerics.jit import typed_kernel
from thrombokit.patients.compiled_model import CompiledModel, compile_model
from thrombokit.patients.exact_pk_engine import block_modes_size, exact_pk_tolerances, prepare_block
from thrombokit.patients.ode_engine import STATED_ERROR, ode_memory_size, solver_used, steps_taken, tolerances
from thrombokit.patients.titration import Titration
from thrombokit.patients.titration_program import titration_program
from thrombokit.patients.titration_state import (
    AFTER,
    DECISION_SIZE,
    DISTANCE,
    decide,
    next_dose_h,
    next_visit_h,
    start_state,
    state_size,
    take_dose,
)  # fmt: skip

NONE = np.empty(0)
MODEL = """schema = "thrombokit-model/1"
units = {time = "h", amount = "mg", concentration = "ng/mL"}
compartments = ["depot", "central", "peripheral", "p1", "p2", "p3", "platelets"]
[theta]
CL = 7.66
V = 30.0
Q = 3.0
VP = 60.0
KA = 0.5
EMAX = 12.0
EC50 = 30.0
KTR = 0.0208
KDEG = 0.02
BASE = 14.0
[algebra]
C = "1000*central/V"
[flow]
"depot->central" = "KA"
"central->peripheral" = "Q/V"
"peripheral->central" = "Q/VP"
"central->out" = "CL/V"
[ode]
p1 = "BASE*KDEG*(1 + EMAX*C/(EC50 + C)) - KTR*p1"
p2 = "KTR*(p1 - p2)"
p3 = "KTR*(p2 - p3)"
platelets = "KTR*p3 - KDEG*platelets"
[initial]
p1 = "BASE*KDEG/KTR"
p2 = "BASE*KDEG/KTR"
p3 = "BASE*KDEG/KTR"
platelets = "BASE"
[output]
PLATELET = "platelets"
"""
RULE = """schema = "thrombokit-titration/1"
signal = "PLATELET"
observed_with = "latent"
dose = {compartment = "depot", every_h = 24}
levels = [2.5, 3.75, 5.0, 7.5]
start = 2.5
then_every_h = 336
rules = [
  {when = "> 250", do = "hold", resume_when = "<= 100", resume_at = "one level lower"},
  {when = "> 150", do = "down"},
  {when = "< 50", do = "up"},
]
"""


def compiled() -> CompiledModel:
    return compile_model(parse_model(MODEL, file="model.toml"))


def advance_all(  # type: ignore[no-untyped-def]
    derivative, trial, by_trial, t0, t1, tad0, phase, x, r, u, allowed, memory, times, states
) -> int:
    """`advance` of every compartment, none known exactly."""
    everything, nothing = np.arange(x.size), np.empty(0, np.int64)
    return advance(
        derivative, trial, by_trial, t0, t1, tad0, phase, x, r, u, everything, nothing, np.empty(0), allowed, memory, times, states
    )


class Patient:
    """One patient, moved by one of the two engines with a given tolerance."""

    def __init__(self, model: CompiledModel, engine: str, allowed: Array, values: dict[str, float]) -> None:
        self.model, self.exact, self.allowed = model, engine == "exact-pk", allowed
        n = len(model.compartments)
        self.r, self.x, self.u, self.t = np.zeros(model.n_record), np.zeros(n), np.zeros(n), 0.0
        model.fill_record(model.default_inputs(values), 0.0, self.r)
        model.fill_initial(self.r, self.x)
        self.memory, self.block = np.zeros(ode_memory_size(n)), np.array(model.linear_block, np.int64)
        self.moving = np.setdiff1d(np.arange(n), self.block)
        self.modes = np.zeros(block_modes_size(self.block.size))
        if self.exact:
            prepare_block(model.flow_matrix, 0.0, self.r, self.block, np.zeros((n, n)), self.modes)

    def move(self, t: float, times: Array = NONE) -> Array:
        states = np.empty((times.size, self.x.size))
        if self.exact:
            status = advance(
                self.model.rest_derivative, no_trial, False, self.t, t, 0.0, 0.0, self.x, self.r, self.u, self.moving, self.block, self.modes,
                self.allowed, self.memory, times, states,
            )  # fmt: skip
        else:
            status = advance_all(
                self.model.derivative,
                no_trial,
                False,
                self.t,
                t,
                0.0,
                0.0,
                self.x,
                self.r,
                self.u,
                self.allowed,
                self.memory,
                times,
                states,
            )
        assert status == 0
        self.t = t
        return states


def titrated(patient: Patient, rule: Titration, lag_h: float, days: int) -> tuple[list[float], list[float], list[float]]:
    """Counts, doses in force after each decision, and distances to the nearest threshold."""
    program = titration_program(rule)
    state, decision = np.empty(state_size(program)), np.empty(DECISION_SIZE)
    start_state(program, state)
    counts, doses, distances = [], [], []
    for day in range(days):
        if next_visit_h(state) <= 24.0 * day:
            patient.move(24.0 * day)
            decide(program, state, 24.0 * day, patient.x[6], decision)
            counts.append(float(patient.x[6]))
            doses.append(float(decision[AFTER]))
            distances.append(float(decision[DISTANCE]))
        if next_dose_h(state) <= 24.0 * day:
            amount = take_dose(program, state)
            patient.move(24.0 * day + lag_h)
            patient.x[0] += amount
    return counts, doses, distances


@pytest.mark.parametrize("engine", ["ode", "exact-pk"])
@pytest.mark.parametrize("values", [{"BASE": 8.0}, {"CL": 3.0, "BASE": 28.0, "EMAX": 20.0}, {"V": 6.0, "KA": 2.0, "BASE": 5.0}])
def test_a_titrated_half_year_keeps_the_stated_error_and_every_dose(engine: str, values: dict[str, float]) -> None:
    model, rule = compiled(), parse_titration(RULE)
    assert model.linear_block.tolist() == [0, 1, 2]
    truth, doses, distances = titrated(Patient(model, "ode", tolerances(1e-11), values), rule, 0.4, 182)
    allowed = exact_pk_tolerances() if engine == "exact-pk" else tolerances()
    counts, same_doses, _ = titrated(Patient(model, engine, allowed, values), rule, 0.4, 182)
    assert len(set(doses)) > 1
    assert min(distances) > STATED_ERROR * 250.0  # no near tie here: the decisions have to be the same
    assert same_doses == doses
    np.testing.assert_allclose(counts, truth, rtol=STATED_ERROR)


@pytest.mark.parametrize("engine", ["ode", "exact-pk"])
def test_against_scipy_after_a_dose_and_during_an_infusion(engine: str) -> None:
    model = compiled()
    patient = Patient(model, engine, tolerances(1e-9), {})
    patient.x[0], patient.u[1] = 5.0, 0.3
    start, times = patient.x.copy(), np.linspace(0.0, 30.0, 31)

    def slope(t: float, y: Array) -> Array:
        dx = np.empty(y.size)
        model.derivative(t, t, 0.0, np.ascontiguousarray(y), patient.r, dx)
        return dx + patient.u

    truth = solve_ivp(slope, (0.0, 30.0), start, method="DOP853", rtol=1e-12, atol=1e-13, t_eval=times).y.T
    np.testing.assert_allclose(patient.move(30.0, times), truth, rtol=1e-7, atol=1e-9)


def test_the_output_grid_leaves_the_state_untouched_to_the_last_bit() -> None:
    model = compiled()
    for engine, allowed in (("ode", tolerances()), ("exact-pk", exact_pk_tolerances())):
        ends = []
        for every in (0, 1, 7):
            patient = Patient(model, engine, allowed, {})
            for day in range(5):
                patient.x[0] += 2.5
                begin, end = 24.0 * day, 24.0 * day + 24.0
                patient.move(end, np.arange(begin, end, every) if every else NONE)
            ends.append(patient.x.copy())
        np.testing.assert_array_equal(ends[0], ends[1])
        np.testing.assert_array_equal(ends[0], ends[2])


@typed_kernel(DERIVATIVE)
def binding(t, tad, phase, x, r, dx):  # type: ignore[no-untyped-def]
    """Free drug, free target, complex (nM): r = kon, koff, kel, ksyn, kdeg, kint."""
    bound = r[0] * x[0] * x[1] - r[1] * x[2]
    dx[0] = -bound - r[2] * x[0]
    dx[1] = r[3] - bound - r[4] * x[1]
    dx[2] = bound - r[5] * x[2]


def test_fast_target_binding_is_solved_implicitly_and_says_so() -> None:
    r = np.array([500.0, 50.0, 0.05, 0.2, 0.1, 0.03])  # binding within seconds, elimination over days
    x, memory = np.array([30.0, 2.0, 0.0]), np.zeros(ode_memory_size(3))
    times = np.array([1.0, 24.0, 120.0, 336.0])
    states = np.empty((4, 3))
    assert (
        advance_all(binding, no_trial, False, 0.0, 336.0, 0.0, 0.0, x, r, np.zeros(3), tolerances(1e-7), memory, times, states) == 0
    )

    def slope(t: float, y: Array) -> Array:
        dx = np.empty(3)
        binding(t, 0.0, 0.0, np.ascontiguousarray(y), r, dx)
        return dx

    truth = solve_ivp(slope, (0.0, 336.0), [30.0, 2.0, 0.0], method="Radau", rtol=1e-11, atol=1e-14, t_eval=times).y.T
    np.testing.assert_allclose(states, truth, rtol=2e-5)
    assert solver_used(memory) == "tsit5+rodas5p"
    assert sum(steps_taken(memory)) < 3_000  # explicit alone: about 500 * 30 * 336 / 3.5 steps at first


def test_binding_conserves_drug_and_target_where_nothing_leaves() -> None:
    r = np.array([500.0, 50.0, 0.0, 0.0, 0.0, 0.0])
    x, memory = np.array([30.0, 2.0, 0.0]), np.zeros(ode_memory_size(3))
    assert (
        advance_all(binding, no_trial, False, 0.0, 100.0, 0.0, 0.0, x, r, np.zeros(3), tolerances(), memory, NONE, np.empty((0, 3)))
        == 0
    )
    assert x[0] + x[2] == pytest.approx(30.0, rel=1e-10)
    assert x[1] + x[2] == pytest.approx(2.0, rel=1e-10)
    free = x[0]
    assert x[2] / 2.0 == pytest.approx(free / (free + 0.1), rel=1e-6)  # the law of mass action
