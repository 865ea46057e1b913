"""Which models may be advanced exactly, which partly, which only step by step."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from thrombokit.io.patient_models import parse_model
from thrombokit.numerics.graded_quadrature import PANEL_NODES
from thrombokit.patients.compiled_model import CompiledModel, compile_model
from thrombokit.patients.expansion import expand
from thrombokit.patients.expression_values import evaluate
from thrombokit.patients.expressions import ARGUMENT_COUNTS, Call, Expression, Name, Number, names_in
from thrombokit.patients.panel_code import N_EXTRA
from thrombokit.patients.structure import Equations, Structure, equations_of, structure_of

HEAD = """
schema = "thrombokit-model/1"
units = {time = "h", amount = "mg", concentration = "ng/mL"}
[theta]
CL = 1.1
V = 20.0
KA = 1.5
Q = 2.0
V2 = 40.0
KIN = 0.3
KTR = 0.1
KD = 0.05
EMAX = 9.0
EC50 = 2.0
"""
ORAL = """
"depot->central" = "KA"
"central->out" = "CL/V"
"central->peripheral" = "Q/V"
"peripheral->central" = "Q/V2"
"""
CASES = {
    "oral two-compartment": (
        'compartments = ["depot", "central", "peripheral"]',
        f"[flow]{ORAL}[output]\nCP = \"central/V\"",
        ("depot", "central", "peripheral"), (), "exact",
    ),
    "the same, written as derivatives": (
        'compartments = ["depot", "central"]',
        '[algebra]\nCP = "central/V"\nABS = "KA*depot"\n[ode]\ndepot = "-ABS"\ncentral = "ABS - CL*CP"\n[output]\nCP = "CP"',
        ("depot", "central"), (), "exact",
    ),
    "emax drive on a chain": (
        'compartments = ["depot", "central", "peripheral", "P1", "P2", "PLT"]',
        f'[algebra]\nCP = "central/V"\nE = "1 + EMAX*CP/(EC50 + CP)"\n[flow]{ORAL}"P1->P2" = "KTR"\n"P2->PLT" = "KTR"\n"PLT->out" = "KD"\n'
        '[ode]\nP1 = "KIN*E"\n[output]\nPLT = "PLT"',
        ("depot", "central", "peripheral"), ("P1", "P2", "PLT"), "quadrature",
    ),
    "feedback of the cells on their production": (
        'compartments = ["central", "P1", "PLT"]',
        '[flow]\n"central->out" = "CL/V"\n"P1->PLT" = "KTR"\n"PLT->out" = "KD"\n[ode]\nP1 = "KIN*(1 + central/V)*(250/PLT)^0.2"\n'
        '[output]\nPLT = "PLT"',
        ("central",), (), "exact-pk",
    ),
    "drug raises the loss of cells": (
        'compartments = ["central", "PLT"]',
        '[flow]\n"central->out" = "CL/V"\n"PLT->out" = "KD*(1 + central)"\n[ode]\nPLT = "KIN"\n[output]\nPLT = "PLT"',
        ("central",), (), "exact-pk",
    ),
    "saturable elimination": (
        'compartments = ["depot", "central"]',
        '[flow]\n"depot->central" = "KA"\n"central->out" = "CL/(EC50 + central)"\n[output]\nCP = "central/V"',
        ("depot",), (), "exact-pk",
    ),
    "saturable elimination alone": (
        'compartments = ["central"]',
        '[flow]\n"central->out" = "CL/(EC50 + central)"\n[output]\nCP = "central/V"',
        (), (), "ode",
    ),
    "a rhythm in production": (
        'compartments = ["central", "PLT"]',
        '[flow]\n"central->out" = "CL/V"\n"PLT->out" = "KD"\n[ode]\nPLT = "KIN*(1 + if(TAD < 12, 1, 0)*central)"\n[output]\nPLT = "PLT"',
        ("central",), (), "exact-pk",
    ),
    "a rate that changes with time": (
        'compartments = ["depot", "central"]',
        '[flow]\n"depot->central" = "if(T < 24, KA, 2*KA)"\n"central->out" = "CL/V"\n[output]\nCP = "central/V"',
        (), (), "ode",
    ),
    "dual absorption": (
        'compartments = ["depot", "central", "PLT"]',
        '[[piece]]\nkind = "dual_absorption"\nfrom = "depot"\nto = "central"\nfirst_rate = "KA"\nsecond_rate = "2*KA"\nswitch = "1.46"\n'
        '[flow]\n"central->out" = "CL/V"\n"PLT->out" = "KD"\n[ode]\nPLT = "KIN*(1 + central/V)"\n[output]\nPLT = "PLT"',
        ("depot", "central"), ("PLT",), "quadrature",
    ),
    "a constant choice of rates": (
        'compartments = ["central"]',
        '[flow]\n"central->out" = "if(WT > 50, CL, 2*CL)/V"\n[output]\nCP = "central/V"',
        ("central",), (), "exact",
    ),
    "linear drive, production besides": (
        'compartments = ["central", "PLT"]',
        '[flow]\n"central->out" = "CL/V"\n"PLT->out" = "KD"\n[ode]\nPLT = "KIN + 0.5*central"\n[output]\nPLT = "PLT"',
        ("central",), ("PLT",), "quadrature",
    ),
    "quasi-equilibrium binding after a depot": (
        'compartments = ["depot", "central"]',
        '[[piece]]\nkind = "tmdd_qe"\ncentral = "central"\nvolume = "V"\nkel = "CL/V"\nkint = "0.1"\nkd = "EC50"\ntarget = "R"\n'
        'ksyn = "KIN"\nkdeg = "KD"\n[flow]\n"depot->central" = "KA"\n[output]\nCP = "central/V"',
        ("depot",), (), "exact-pk",
    ),
}  # fmt: skip


def structure(name: str) -> tuple[Structure, tuple[str, ...], tuple[str, ...], str]:
    compartments, rest, block, response, engine = CASES[name]
    model = parse_model(HEAD.replace("[theta]", f"{compartments}\n[theta]") + rest, file="m.toml")
    return structure_of(equations_of(expand(model))), block, response, engine


@pytest.mark.parametrize("name", CASES)
def test_block_and_response_are_found(name: str) -> None:
    found, block, response, engine = structure(name)
    assert found.block == block
    assert found.response == response
    assert found.is_linear == (engine == "exact")


SIMPLE = ("+", "-", "*", "/", "neg", "if", "<", "max")
leaves = st.sampled_from(("x", "y", "z", "a", "b")).map(Name) | st.floats(min_value=0.25, max_value=4.0).map(Number)
trees = st.recursive(
    leaves,
    lambda inner: st.sampled_from(SIMPLE).flatmap(
        lambda function: st.tuples(*[inner] * (ARGUMENT_COUNTS[function][0])).map(lambda arguments: Call(function, arguments))
    ),
    max_leaves=12,
)


@given(trees, st.tuples(*[st.floats(min_value=-3.0, max_value=3.0)] * 5))
def test_a_linear_form_is_worth_what_the_expression_is(expression: Expression, numbers: tuple[float, ...]) -> None:
    """x, y, z are compartments, a and b constants; the form in x and y alone."""
    equations = Equations(derivatives=dict.fromkeys("xyz", expression), values={}, jumping=frozenset())
    form = equations.linear_form(expression, frozenset("xy"))
    assume(form is not None)
    assert form is not None
    assert not {"x", "y"} & set(names_in(form.rest))
    assert all(not {"x", "y", "z"} & set(names_in(coefficient)) for coefficient in form.coefficients.values())
    values = dict(zip(("x", "y", "z", "a", "b"), numbers, strict=True))
    parts = [evaluate(coefficient, values) * values[name] for name, coefficient in form.coefficients.items()]
    whole = evaluate(expression, values)
    assume(np.isfinite([whole, *parts]).all() and max(map(abs, parts), default=0.0) < 1e6)
    assert sum(parts) + evaluate(form.rest, values) == pytest.approx(whole, rel=1e-6, abs=1e-6)


def _compiled(name: str) -> CompiledModel:
    compartments, rest, *_ = CASES[name]
    model = parse_model(HEAD.replace("[theta]", f"{compartments}\n[theta]") + rest, file="m.toml")
    return compile_model(model, ["WT"])


@pytest.mark.parametrize(
    "name", ["emax drive on a chain", "dual absorption", "saturable elimination", "the same, written as derivatives"]
)
@pytest.mark.parametrize("phase", [0.0, 1.0])
def test_matrix_and_forcing_add_up_to_the_derivative(name: str, phase: float) -> None:
    compiled = _compiled(name)
    n = len(compiled.compartments)
    block, response = compiled.linear_block, compiled.linear_response
    r, dx, rest, matrix = np.zeros(compiled.n_record), np.zeros(n), np.full(n, -99.0), np.full((n, n), 7.0)
    compiled.fill_record(compiled.default_inputs(), 0.0, r)
    x = np.linspace(1.0, 3.0, n)
    compiled.derivative(2.0, 1.0, phase, x, r, dx)
    compiled.rest_derivative(2.0, 1.0, phase, x, r, rest)
    compiled.flow_matrix(phase, r, matrix)
    np.testing.assert_allclose((matrix @ x)[block], dx[block], rtol=1e-14)
    if response.size:
        drive = drive_at(compiled, r, x[block])
        np.testing.assert_allclose((matrix @ x)[response] + drive, dx[response], rtol=1e-14)
        assert not np.array_equal(drive[compiled.forcing_drives], drive_at(compiled, r, 2.0 * x[block])[compiled.forcing_drives])
    outside = [place for place in range(n) if place not in block]
    np.testing.assert_allclose(rest[outside], dx[outside], rtol=1e-15)
    assert (rest[block] == -99.0).all()
    assert compiled.engine == CASES[name][4]


def drive_at(compiled: CompiledModel, r: np.ndarray, amounts: np.ndarray) -> np.ndarray:
    """The drive of every response compartment at these amounts of the drug: one panel, whose first node alone has weight, 1."""
    n, m = compiled.linear_block.size, compiled.linear_response.size
    rows = np.zeros((compiled.forcing_reads.size, n, PANEL_NODES))
    rows[np.arange(len(rows)), compiled.forcing_reads] = 1.0
    weights = np.zeros((compiled.forcing_drives.size, m + N_EXTRA, PANEL_NODES))
    weights[np.arange(len(weights)), compiled.forcing_drives, 0] = 1.0
    parts = [amounts, np.zeros(n), rows, np.zeros_like(rows), weights, np.zeros(m), np.zeros(len(weights)), np.zeros(len(weights))]
    places = np.concatenate([[0], np.cumsum([part.size for part in parts])]).astype(np.uint64)
    store = np.concatenate([part.ravel() for part in parts])
    compiled.driven_panels(store, r, *places[:5], np.uint64(0), 1, *places[5:8])
    return store[places[5] : places[6]]


def test_what_the_forcing_reads_and_drives_is_told() -> None:
    compiled = _compiled("emax drive on a chain")
    assert [compiled.compartments[compiled.linear_block[place]] for place in compiled.forcing_reads] == ["central"]
    assert [compiled.compartments[compiled.linear_response[place]] for place in compiled.forcing_drives] == ["P1"]


def test_a_flow_moves_what_it_takes() -> None:
    compiled = _compiled("emax drive on a chain")
    r, matrix = np.zeros(compiled.n_record), np.zeros((6, 6))
    compiled.fill_record(compiled.default_inputs(), 0.0, r)
    compiled.flow_matrix(0.0, r, matrix)
    lost = -matrix.sum(axis=0)
    np.testing.assert_allclose(lost, [0.0, 1.1 / 20.0, 0.0, 0.0, 0.0, 0.05], atol=1e-15)
