"""What a model's kernels compute is what the expressions of its file mean."""

from __future__ import annotations

import math

import numpy as np
import pytest

from thrombokit.io.patient_models import parse_model
from thrombokit.numerics.streams import stream
from thrombokit.patients.compiled_model import CompiledModel, compile_model
from thrombokit.patients.expression_values import evaluate
from thrombokit.patients.expressions import ARGUMENT_COUNTS, Call, Expression, Name, Number, expression_text, names_in

CONSTANT = ("TH", "ETA", "COL", "REC")
MOVING = ("one", "two", "T", "TAD", "ALG")
FUNCTIONS = tuple(sorted(ARGUMENT_COUNTS))
N_TREES = 24


def _tree(rng: np.random.Generator, names: tuple[str, ...], depth: int) -> Expression:
    if depth == 0 or rng.random() < 0.15:
        if rng.random() < 0.3:
            return Number(float(rng.choice([0.0, 0.5, 1.0, 2.0, 3.0, 1e-3])))
        return Name(str(rng.choice(names)))
    function = str(rng.choice(FUNCTIONS))
    least, most = ARGUMENT_COUNTS[function]
    n = least if most is not None else int(rng.integers(least, least + 2))
    return Call(function, tuple(_tree(rng, names, depth - 1) for _ in range(n)))


@pytest.fixture(scope="module")
def trees() -> tuple[dict[str, Expression], dict[str, Expression]]:
    """Random [record] entries over what is constant, random outputs over everything."""
    rng = stream(7, "expressions")
    record = {f"R{number}": _tree(rng, CONSTANT, 4) for number in range(N_TREES)}
    output = {f"O{number}": _tree(rng, (*CONSTANT, *MOVING), 4) for number in range(N_TREES)}
    return record, output


@pytest.fixture(scope="module")
def compiled(trees: tuple[dict[str, Expression], dict[str, Expression]]) -> CompiledModel:
    """All the trees in one model."""
    record, output = trees
    lines = [
        'schema = "thrombokit-model/1"', 'units = {time = "h", amount = "mg", concentration = "mg/L"}', 'compartments = ["one", "two"]',
        "[theta]", "TH = 0.7", "[random]", 'omega = [{names = ["ETA"], matrix = [[0.1]]}]',
        "[algebra]", 'ALG = "one*2 - REC*T"', "[flow]", '"one->two" = "COL"',
        "[record]", 'REC = "TH + 2*COL"', *(f'{name} = "{expression_text(tree)}"' for name, tree in record.items()),
        "[output]", *(f'{name} = "{expression_text(tree)}"' for name, tree in output.items()),
    ]  # fmt: skip
    return compile_model(parse_model("\n".join(lines), file="trees.toml"), ["col"])


@pytest.mark.parametrize(
    "values", [(0.3, 1.2, 5.0, 7.5, 3.0), (-0.5, -2.0, 0.0, -1.0, 0.0), (0.0, 0.0, 1.0, 1.0, 12.0), (2.0, 1e3, 1e-8, 4.0, 0.5)]
)
def test_kernels_agree_with_the_interpreter(
    values: tuple[float, ...], trees: tuple[dict[str, Expression], dict[str, Expression]], compiled: CompiledModel
) -> None:
    record, output = trees
    eta, column, one, two, t = values
    tad = t / 2.0
    known = {"TH": 0.7, "ETA": eta, "COL": column, "REC": 0.7 + 2 * column, "one": one, "two": two, "T": t, "TAD": tad}
    known["ALG"] = one * 2 - known["REC"] * t
    r = np.zeros(compiled.n_record)
    compiled.fill_record(compiled.default_inputs({"eta": eta, "Col": column}), 0.0, r)
    out = np.zeros(len(compiled.outputs))
    compiled.output(t, tad, np.array([one, two]), r, out)
    for name, tree in record.items():
        _same(float(r[compiled.record_index(name)]), evaluate(tree, known), expression_text(tree))
    for name, tree in output.items():
        _same(float(out[compiled.output_index(name)]), evaluate(tree, known), expression_text(tree))


def _same(computed: float, meant: float, text: str) -> None:
    same = (math.isnan(computed) and math.isnan(meant)) or computed == meant or math.isclose(computed, meant, rel_tol=1e-9)
    assert same, f"{text}: {computed} is not {meant}"


def test_the_trees_try_every_function_and_name(trees: tuple[dict[str, Expression], dict[str, Expression]]) -> None:
    text = " ".join(expression_text(tree) for entries in trees for tree in entries.values())
    assert all(function in text for function in FUNCTIONS if function != "neg")
    assert {name for entries in trees for tree in entries.values() for name in names_in(tree)} == {*CONSTANT, *MOVING}


def test_a_branch_not_taken_is_not_computed_beforehand() -> None:
    text = """
schema = "thrombokit-model/1"
units = {time = "h", amount = "mg", concentration = "mg/L"}
compartments = ["central"]
[theta]
ZERO = 0.0
[flow]
"central->out" = "if(T > 1, log(ZERO - 1), 1)"
[output]
A = "if(T > 1, central, central + 1/(1 - 1/ZERO*ZERO))"
"""
    compiled = compile_model(parse_model(text, file="lazy.toml"))
    r, dx = np.zeros(compiled.n_record), np.zeros(1)
    compiled.fill_record(compiled.default_inputs(), 0.0, r)
    assert compiled.non_finite("record", r) == ()
    compiled.derivative(0.5, 0.5, 0.0, np.array([2.0]), r, dx)
    assert dx[0] == -2.0
    compiled.derivative(1.5, 1.5, 0.0, np.array([2.0]), r, dx)
    assert compiled.non_finite("compartment", dx) == ("central",)
    assert compiled.engine == "ode"


def test_values_that_are_not_finite_are_named() -> None:
    text = """
schema = "thrombokit-model/1"
units = {time = "h", amount = "mg", concentration = "mg/L"}
compartments = ["central"]
[record]
V = "WT/0"
[flow]
"central->out" = "1/V"
[dose.central]
lag = "log(-WT)"
rate = "log(-WT)"
[initial]
central = "log(-WT)"
[output]
CP = "central/V"
A = "central"
"""
    compiled = compile_model(parse_model(text, file="m.toml"), ["WT"])
    r, x, out = np.zeros(compiled.n_record), np.zeros(1), np.zeros(2)
    compiled.fill_record(compiled.default_inputs({"WT": 70.0}), 0.0, r)
    assert compiled.non_finite("record", r) == ("V", "[dose.central] lag", "[initial] central")
    compiled.fill_initial(r, x)
    assert compiled.non_finite("initial", x) == ("central",)
    compiled.output(0.0, 0.0, x, r, out)
    assert compiled.non_finite("output", out) == ("CP", "A")
