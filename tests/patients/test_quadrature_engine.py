"""The quadrature engine against a reference at 1e-11, the laws it keeps, and what it says where it cannot."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from thrombokit.errors import InputError
from thrombokit.io.patient_models import parse_model
from thrombokit.numerics.generated_code import load_generated
from thrombokit.numerics.jit import typed_kernel
from thrombokit.patients.compiled_model import CompiledModel, compile_model
from thrombokit.patients.panel_code import panel_source
from thrombokit.patients.quadrature_engine import advance_quadrature, prepare_quadrature, read_quadrature
from thrombokit.patients.quadrature_memory import (
    MAIN_SLOTS,
    STATED_ERROR,
    QuadratureMemory,
    quadrature_memory,
    quadrature_memory_of,
)
from thrombokit.patients.signatures import FLOW_MATRIX

MODEL = """
schema = "thrombokit-model/1"
units = {time = "h", amount = "mg", concentration = "ng/mL"}
compartments = ["depot", "central", "peripheral", "p1", "p2", "p3", "p4", "p5", "platelets"]
default_dose = "depot"
[record]
CL = "7.66"
V = "30"
Q = "3"
VP = "60"
KA = "KAI"
EMAX = "EMAXI"
GAMMA = "GAMMAI"
KTR = "0.0347"
KD = "0.02"
BASE = "14"
[algebra]
C = "1000*central/V"
[flow]
"depot->central" = "KA"
"central->out" = "CL/V"
"central->peripheral" = "Q/V"
"peripheral->central" = "Q/VP"
[ode]
p1 = "BASE*KD*(1 + DRIVE) - KTR*p1"
p2 = "KTR*(p1 - p2)"
p3 = "KTR*(p2 - p3)"
p4 = "KTR*(p3 - p4)"
p5 = "KTR*(p4 - p5)"
platelets = "KTR*p5 - KD*platelets"
[initial]
p1 = "BASE*KD/KTR"
p2 = "BASE*KD/KTR"
p3 = "BASE*KD/KTR"
p4 = "BASE*KD/KTR"
p5 = "BASE*KD/KTR"
platelets = "BASE"
[output]
PLATELET = "platelets"
"""
DRIVES = {
    "emax": "EMAX*C/(30 + C)",
    "hill": "EMAX*C^GAMMA/(30^GAMMA + C^GAMMA)",
    "power": "0.3*C^GAMMA",
    "linear": "0.02*C",
    "kink": "max(C - 20, 0)/30",
}


def compiled_model(drive: str) -> CompiledModel:
    """Two-compartment oral drug, five transits, platelets, driven as said."""
    return compile_model(parse_model(MODEL.replace("DRIVE", DRIVES[drive]), file="model.toml"), ("KAI", "EMAXI", "GAMMAI"))


class Patient:
    """One patient on the engine, and the same on DOP853 at 1e-11."""

    def __init__(self, drive: str, *, ka: float = 0.5, emax: float = 12.0, gamma: float = 1.0, tolerance: float = 1e-6) -> None:
        self.model = compiled_model(drive)
        self.r, self.x = np.zeros(self.model.n_record), np.zeros(9)
        self.model.fill_record(self.model.default_inputs({"KAI": ka, "EMAXI": emax, "GAMMAI": gamma}), 0.0, self.r)
        self.model.fill_initial(self.r, self.x)
        self.u = np.zeros(9)
        self.memory = quadrature_memory_of(self.model, tolerance)
        prepare_quadrature(self.model.flow_matrix, self.r, self.memory, np.zeros((9, 9)))

    def advance(self, since_h: float, length_h: float) -> float:
        """See `advance_quadrature`."""
        return advance_quadrature(self.model.driven_panels, self.r, self.memory, self.x, self.u, since_h, length_h, 0.0)

    def read(self, since_h: float, length_h: float) -> np.ndarray:
        """See `read_quadrature`."""
        then = np.empty(9)
        read_quadrature(self.model.driven_panels, self.r, self.memory, self.x, self.u, since_h, length_h, 0.0, then)
        return then

    def exactly(self, x: np.ndarray, length_h: float) -> np.ndarray:
        """The state `length_h` after `x` by DOP853; from an arrival, after which the first minute is taken apart."""

        def derivative(t: float, y: np.ndarray) -> np.ndarray:
            dx = np.zeros(9)
            self.model.derivative(t, t, 0.0, np.ascontiguousarray(y), self.r, dx)
            return dx + self.u

        for begin, end in ((0.0, min(1e-3, length_h)), (min(1e-3, length_h), length_h)):
            if end > begin:
                x = solve_ivp(derivative, (begin, end), x, method="DOP853", rtol=1e-11, atol=1e-13).y[:, -1]
        return x


def worst(found: np.ndarray, expected: np.ndarray) -> float:
    """Largest relative difference; an amount below 1e-6 is compared with 1e-6, the reference being no better than 1e-13."""
    return float(np.max(np.abs(found - expected) / np.maximum(np.abs(expected), 1e-6)))


def test_the_structure_is_seen() -> None:
    """The drive reads the central compartment and drives the first transit."""
    model = compiled_model("emax")
    assert model.engine == "quadrature"
    assert model.forcing_reads.tolist() == [1]
    assert model.forcing_drives.tolist() == [0]


@pytest.mark.parametrize("drive, gamma", [("emax", 1.0), ("hill", 1.7), ("hill", 3.0), ("power", 0.5), ("linear", 1.0)])
@pytest.mark.parametrize("ka", [0.3, 6.0])
def test_within_the_stated_error_of_a_reference(drive: str, gamma: float, ka: float) -> None:
    """Four days of 7.5 mg with a lag, then a washout day: every compartment within 1e-6, and no step over the tolerance."""
    patient = Patient(drive, ka=ka, gamma=gamma)
    exact = patient.x.copy()
    for day in range(5):
        dose = 7.5 if day < 4 else 0.0
        patient.x[0] += dose
        exact[0] += dose
        for since, length in ((0.0, 23.55), (23.55, 0.45)):
            patient.advance(since, length)
            exact = patient.exactly(exact, length)
        assert worst(patient.x, exact) < STATED_ERROR
    assert patient.memory.account[0] <= patient.memory.account[4]
    assert patient.memory.account[1] == 0.0
    assert patient.memory.account[2] == 10.0


def test_a_smaller_tolerance_reaches_the_reference() -> None:
    """At 1e-11 the engine and DOP853 agree to 1e-9, the reference's own error."""
    patient = Patient("emax", tolerance=1e-11)
    patient.x[0] = 7.5
    exact = patient.exactly(patient.x, 24.0)
    patient.advance(0.0, 24.0)
    assert worst(patient.x, exact) < 1e-9


def test_without_a_dose_a_steady_state_stays() -> None:
    """Nothing given: production and loss balance for a year of weeks."""
    patient = Patient("emax")
    before = patient.x.copy()
    for _ in range(52):
        patient.advance(0.0, 168.0)
    np.testing.assert_allclose(patient.x, before, rtol=1e-12)


@given(length=st.floats(1e-3, 400.0), since=st.floats(0.0, 1000.0), platelets=st.floats(0.0, 500.0))
@settings(max_examples=25)
def test_a_constant_drive_is_exact(length: float, since: float, platelets: float) -> None:
    """Emax 0: the chain returns to its steady state as e^{B h} says, to rounding."""
    patient = Patient("emax", emax=0.0)
    patient.x[0], patient.x[8] = 5.0, platelets
    expected = 14.0 + (platelets - 14.0) * np.exp(-0.02 * length)
    patient.advance(since, length)
    assert patient.x[8] == pytest.approx(expected, rel=1e-11)


@given(dose=st.floats(0.01, 50.0), factor=st.floats(0.1, 10.0))
@settings(max_examples=25)
def test_linear_in_the_drive(dose: float, factor: float) -> None:
    """A drive proportional to concentration: the rise of every compartment is proportional to the dose."""
    rises: list[np.ndarray] = []
    for amount in (dose, factor * dose):
        patient = Patient("linear")
        start = patient.x.copy()
        patient.x[0] = amount
        patient.advance(0.0, 24.0)
        rises.append((patient.x - start)[3:])
    np.testing.assert_allclose(rises[1], factor * rises[0], rtol=1e-5, atol=1e-11)


@given(share=st.floats(0.01, 0.99))
@settings(max_examples=25)
def test_two_steps_are_one(share: float) -> None:
    """A visit in the middle of an interval changes nothing beyond the stated error."""
    whole, parts = Patient("emax"), Patient("emax")
    whole.x[0] = parts.x[0] = 7.5
    whole.advance(0.0, 24.0)
    parts.advance(0.0, 24.0 * share)
    parts.advance(24.0 * share, 24.0 * (1.0 - share))
    assert worst(whole.x, parts.x) < STATED_ERROR


def test_infusions_into_drug_and_response() -> None:
    """Constant rates into the central compartment and, as a transfusion, into the platelets; then none."""
    patient = Patient("emax")
    exact = patient.x.copy()
    for rates in ((2.0, 1.5), (0.0, 0.0), (2.0, 0.0)):
        patient.u[1], patient.u[8] = rates
        exact = patient.exactly(exact, 5.0)
        patient.advance(0.0, 5.0)
        assert worst(patient.x, exact) < STATED_ERROR


def test_reading_moves_nothing_and_depends_on_nothing_read_before() -> None:
    """With hourly readings the path is the same to the last bit; a reading is the same alone and among many; both are right."""
    quiet, asked = Patient("emax", ka=3.0), Patient("emax", ka=3.0)
    alone = np.empty(9)
    for day in range(3):
        for patient in (quiet, asked):
            patient.x[0] += 5.0
        hourly = [asked.read(0.0, float(h)) for h in range(25)]
        if day == 2:
            alone = quiet.read(0.0, 7.0)
            assert worst(hourly[7], quiet.exactly(quiet.x, 7.0)) < STATED_ERROR
            np.testing.assert_array_equal(hourly[7], alone)
        for patient in (quiet, asked):
            patient.advance(0.0, 24.0)
        np.testing.assert_array_equal(quiet.x, asked.x)
    assert quiet.memory.account.tolist()[:3] == asked.memory.account.tolist()[:3]


def test_more_intervals_than_are_kept() -> None:
    """Every interval new, three times as many as there is room for: still right."""
    patient = Patient("emax")
    exact = patient.x.copy()
    for k in range(3 * MAIN_SLOTS):
        patient.x[0] += 2.5
        exact[0] += 2.5
        length = 5.0 + k % (MAIN_SLOTS + 3)
        exact = patient.exactly(exact, length)
        patient.advance(0.0, length)
    assert worst(patient.x, exact) < STATED_ERROR


def test_patients_do_not_hear_of_each_other() -> None:
    """A memory used by another patient before gives the same bits as a fresh one."""
    fresh, used = Patient("emax", ka=4.0), Patient("emax", ka=4.0)
    other = Patient("emax", ka=0.1)
    used.memory = other.memory
    other.x[0] = 7.5
    other.advance(0.0, 24.0)
    prepare_quadrature(used.model.flow_matrix, used.r, used.memory, np.zeros((9, 9)))
    for patient in (fresh, used):
        patient.x[0] = 5.0
        patient.advance(0.0, 24.0)
    np.testing.assert_array_equal(fresh.x, used.x)


def test_a_kink_is_refined_or_owned_up_to() -> None:
    """A corner in the drive: within the error at the default, and at 1e-13 the account says how many steps missed it."""
    patient, strict = Patient("kink"), Patient("kink", tolerance=1e-13)
    for one in (patient, strict):
        one.x[0] = 7.5
    exact = patient.exactly(patient.x, 24.0)
    assert patient.advance(0.0, 24.0) <= 1e-6
    assert worst(patient.x, exact) < 2e-6
    assert strict.advance(0.0, 24.0) > 1e-13
    assert strict.memory.account[1] == 1.0


def test_what_is_not_a_number_is_said() -> None:
    """NaN in the drug: the error is NaN, and the step counts as missed."""
    patient = Patient("emax")
    patient.x[1] = np.nan
    assert np.isnan(patient.advance(0.0, 24.0))
    assert patient.memory.account[1] == 1.0


def two_phases() -> tuple[Any, Any]:
    """A drug that leaves at 0.1/h in phase 0 and at 1/h in phase 1, and a compartment that sums it up and loses 0.05/h."""

    @typed_kernel(FLOW_MATRIX)
    def flow_matrix(phase: float, r: np.ndarray, rates: np.ndarray) -> None:
        rates[0, 0] = -0.1 if phase == 0.0 else -1.0
        rates[1, 1] = -0.05

    head = "import numba\nfrom numpy import uint64 as U\nfrom thrombokit.patients import signatures\n\n\n"
    drive = panel_source(n_block=1, n_response=1, reads=[0], values=[], drives=["x0"])
    return flow_matrix, load_generated(head + drive + "\n").driven_panels


def test_each_phase_has_its_rates() -> None:
    """The same interval in phase 0 and in phase 1."""
    flow_matrix, driven_panels = two_phases()
    zero = np.zeros(1, np.int64)
    memory = quadrature_memory(zero, np.ones(1, np.int64), zero, zero)
    prepare_quadrature(flow_matrix, np.zeros(1), memory, np.zeros((2, 2)))
    for phase, rate in ((0.0, 0.1), (1.0, 1.0), (0.0, 0.1)):
        x = np.array([3.0, 2.0])
        advance_quadrature(driven_panels, np.zeros(1), memory, x, np.zeros(2), 0.0, 8.0, phase)
        summed = 3.0 * (np.exp(-0.05 * 8.0) - np.exp(-rate * 8.0)) / (rate - 0.05) + 2.0 * np.exp(-0.4)
        np.testing.assert_allclose(x, [3.0 * np.exp(-rate * 8.0), summed], rtol=1e-8)


def places(*values: int) -> np.ndarray:
    """An int64 array."""
    return np.array(values, np.int64)


@pytest.mark.parametrize(
    "make, said",
    [
        (lambda: quadrature_memory(places(), places(1), places(), places(0)), "block: found no compartment"),
        (lambda: quadrature_memory(places(0), places(), places(0), places()), "response: found no compartment"),
        (lambda: quadrature_memory(places(0), places(1), places(1), places(0)), "reads: found [1]; expected positions from 0 to 0"),
        (lambda: quadrature_memory(places(0), places(1), places(0), places(-1)), "drives: found [-1]"),
        (
            lambda: quadrature_memory(places(0), places(1), places(0), places(0), 0.5),
            "tolerance: found 0.5; expected a number from 1e-14",
        ),
    ],
)
def test_a_shape_that_is_none_is_refused(make: Callable[[], QuadratureMemory], said: str) -> None:
    """The message says which part, what was found and what to do."""
    with pytest.raises(InputError) as refused:
        make()
    assert said in str(refused.value)
    assert refused.value.faults[0].cure


def test_all_faults_of_a_shape_come_in_one_pass() -> None:
    """Two things wrong, two faults."""
    with pytest.raises(InputError) as refused:
        quadrature_memory(places(0), places(1), places(5), places(5))
    assert len(refused.value.faults) == 2


def test_the_type_of_a_memory_is_one_for_all_shapes() -> None:
    """Kernels with an explicit signature take any memory."""
    small, large = (quadrature_memory(places(*range(n)), places(*range(n)), places(0), places(0)) for n in (1, 4))
    assert numba.typeof(small) == numba.typeof(large)
