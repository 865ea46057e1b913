"""A model's own trial step of Tsit5 against the general one, and which models have one."""

from __future__ import annotations

import numpy as np
import pytest

from thrombokit import load_model
from thrombokit.io.patient_models import parse_model
from thrombokit.numerics.adaptive_ode import EXPLICIT_STEPS, advance, memory_size
from thrombokit.numerics.driven_derivative import no_trial
from thrombokit.patients.compiled_model import CompiledModel, compile_model
from thrombokit.patients.exact_pk_engine import block_modes_size, exact_pk_tolerances, prepare_block

MODEL = """
schema = "thrombokit-model/1"
units = {time = "h", amount = "mg", concentration = "ng/mL"}
compartments = ["depot", "central", "young", "platelets"]
[algebra]
C = "central/20"
DRIVE = "(1 + 0.01*T)*C/(1 + C)"
[flow]
"depot->central" = "KA"
"central->out" = "0.1"
[record]
KA = "0.8"
[ode]
young = "0.5*(1 + DRIVE) - 0.05*young"
platelets = "0.05*young - 3*platelets/(40 + platelets)"
[initial]
young = "10"
platelets = "8"
[output]
PLATELET = "platelets"
"""


def days_of(model: CompiledModel, engine: str, *, own: bool, inflow: float = 0.0) -> tuple[np.ndarray, float]:
    """The state after four days of a daily dose, and the explicit steps that took."""
    n, r = len(model.compartments), np.zeros(model.n_record)
    model.fill_record(model.default_inputs(), 0.0, r)
    x, u, memory = np.zeros(n), np.zeros(n), np.zeros(memory_size(n))
    model.fill_initial(r, x)
    u[1] = inflow
    block = np.array(model.linear_block if engine == "exact-pk" else [], dtype=np.int64)
    modes, none = np.zeros(block_modes_size(block.size)), np.empty(0)
    if block.size:
        prepare_block(model.flow_matrix, 0.0, r, block, np.zeros((n, n)), modes)
    derivative = model.rest_derivative if block.size else model.derivative
    trial = model.trial(engine) if own else no_trial
    for day in range(4):
        x[0] += 5.0
        status = advance(
            derivative, trial, own, 24.0 * day, 24.0 * day + 24.0, 0.0, 0.0, x, r, u, np.setdiff1d(np.arange(n), block), block, modes,
            exact_pk_tolerances(1e-8), memory, none, np.empty((0, n)),
        )  # fmt: skip
        assert status == 0
    return x, memory[EXPLICIT_STEPS]


@pytest.mark.parametrize("engine", ["exact-pk", "ode"])
@pytest.mark.parametrize("inflow", [0.0, 0.3])
def test_own_trial_goes_the_way_of_the_general_one(engine: str, inflow: float) -> None:
    """To rounding, which moves later steps a little (the tolerance is 1e-8); an inflow is left to the general step, and so exactly alike."""
    model = compile_model(parse_model(MODEL, file="model.toml"))
    (ours, steps), (general, general_steps) = (days_of(model, engine, own=own, inflow=inflow) for own in (True, False))
    np.testing.assert_allclose(ours, general, rtol=1e-10 if inflow == 0.0 else 0.0)
    assert steps == general_steps > 20


def test_the_state_that_is_not_finite_is_taken_back() -> None:
    """A state that blows up ends as it does with the general step."""
    model = compile_model(parse_model(MODEL.replace("0.5*(1 + DRIVE) - 0.05*young", "young^2"), file="model.toml"))
    n, r = 4, np.zeros(model.n_record)
    model.fill_record(model.default_inputs(), 0.0, r)
    for own in (True, False):
        x, memory = np.zeros(n), np.zeros(memory_size(n))
        model.fill_initial(r, x)
        trial = model.trial("ode") if own else no_trial
        status = advance(
            model.derivative, trial, own, 0.0, 24.0, 0.0, 0.0, x, r, np.zeros(n), np.arange(n), np.empty(0, np.int64), np.empty(0),
            exact_pk_tolerances(1e-6), memory, np.empty(0), np.empty((0, n)),
        )  # fmt: skip
        assert status != 0


def test_which_models_have_a_step_of_their_own() -> None:
    """Neither the largest, nor those whose doses under way ride in the record."""
    assert not compile_model(load_model("lusutrombopag-healthy"), ()).has_trial("ode")
    model = compile_model(parse_model(MODEL, file="model.toml"))
    assert model.has_trial("ode")
    assert model.has_trial("exact-pk")
    linear = MODEL.replace("- 3*platelets/(40 + platelets)", "- 0.1*platelets").replace("0.5*(1 + DRIVE) ", "")
    assert not compile_model(parse_model(linear, file="model.toml")).has_trial("exact-pk")
