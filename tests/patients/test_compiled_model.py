"""A compiled model in other processes and in solvers compiled before it."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from thrombokit.io.patient_models import parse_model
from thrombokit.patients.compiled_model import CompiledModel, compile_model
from thrombokit.patients.expansion import expand
from thrombokit.patients.model_code import generate
from thrombokit.patients.signatures import DERIVATIVE_FUNCTION
from thrombokit.patients.structure import equations_of, structure_of
from thrombokit.scale.engine import ProcessEngine

TEXT = """
schema = "thrombokit-model/1"
units = {time = "h", amount = "mg", concentration = "mg/L"}
compartments = ["central"]
[theta]
KEL = %s
[flow]
"central->out" = "KEL*(1 + 0*max(T, TAD))"
[output]
A = "central"
"""

_VECTOR: Any = numba.types.float64[::1]
_ONE_STEP: Any = numba.types.void(DERIVATIVE_FUNCTION, _VECTOR, _VECTOR, _VECTOR)


@numba.njit(_ONE_STEP)
def euler(derivative: Any, x: np.ndarray, r: np.ndarray, dx: np.ndarray) -> None:
    """One step of length 1, compiled before any model is known."""
    derivative(0.0, 0.0, 0.0, x, r, dx)
    for place in range(x.size):
        x[place] += dx[place]


def left_after_a_step(model: CompiledModel, start: int, stop: int) -> list[float]:
    r, x, dx = np.zeros(model.n_record), np.array([8.0]), np.zeros(1)
    model.fill_record(model.default_inputs(), 0.0, r)
    euler(model.derivative, x, r, dx)
    return [float(x[0])] * (stop - start)


def test_a_solver_compiled_once_takes_any_model() -> None:
    slow, fast = (compile_model(parse_model(TEXT % rate, file="m.toml")) for rate in (0.25, 0.5))
    other = compile_model(parse_model((TEXT % 0.25).replace("1 + 0*", "2 + 0*"), file="m.toml"))
    assert [left_after_a_step(model, 0, 1) for model in (slow, fast, other)] == [[6.0], [4.0], [4.0]]
    assert slow.derivative is fast.derivative  # values are inputs: another value compiles nothing


def test_a_model_works_in_spawned_processes() -> None:
    model = compile_model(parse_model(TEXT % 0.25, file="m.toml"))
    assert ProcessEngine(2).map_ranges(left_after_a_step, model, 2, chunk=1) == [[6.0], [6.0]]


def test_nothing_a_file_says_enters_the_generated_source() -> None:
    text = (TEXT % 0.25).replace("central", "os_system_1").replace("KEL", "secret_2").replace("A =", "evil_3 =")
    expanded = expand(parse_model(text, file="m.toml"))
    code = generate(expanded, structure_of(equations_of(expanded)), record_names=(), inputs={"secret_2": 0})
    assert "inputs[0]" in code.source
    assert not any(name in code.source for name in ("os_system_1", "secret_2", "evil_3", "m.toml"))


def test_the_same_model_and_columns_are_compiled_once() -> None:
    model = parse_model(TEXT % 0.25, file="m.toml")
    assert compile_model(model) is compile_model(model)
    assert compile_model(model, ["WT"]).columns == ()
