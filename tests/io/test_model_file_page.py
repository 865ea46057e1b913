"""The reference page of the model file: its example runs, and it names every key there is."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from thrombokit.io.patient_models import parse_model
from thrombokit.patients.compiled_model import compile_model
from thrombokit.patients.expressions import FUNCTIONS
from thrombokit.patients.piece_keys import PIECE_KEYS

PAGE = (Path(__file__).resolve().parents[2] / "docs/reference/model-file.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```toml\n(.*?)```", PAGE, flags=re.DOTALL)


def test_the_complete_example_starts_at_rest() -> None:
    compiled = compile_model(parse_model(BLOCKS[0], file="page.toml"), ["WT"])
    assert compiled.engine == "quadrature"
    r, x, dx = np.zeros(compiled.n_record), np.zeros(7), np.zeros(7)
    compiled.fill_record(compiled.default_inputs({"WT": 70.0}), 0.0, r)
    assert compiled.non_finite("record", r) == ()
    compiled.fill_initial(r, x)
    compiled.derivative(0.0, 0.0, 0.0, x, r, dx)
    np.testing.assert_allclose(dx, 0.0, atol=1e-14)
    assert x[-1] == 15.0


@pytest.mark.parametrize("block", BLOCKS[1:], ids=["linear", "chains"])
def test_the_pieces_of_the_page_are_sound(block: str) -> None:
    head = 'schema = "thrombokit-model/1"\nunits = {time = "h", amount = "mg", concentration = "mg/L"}\n'
    names = "".join(f"{name} = 1.0\n" for name in ("CL", "V", "KA", "Q", "V2", "KIN", "DRIVE", "MATURATION", "LIFE"))
    text = f'{head}compartments = ["depot", "central"]\n[theta]\n{names}{block}[output]\nA = "central"\n'
    assert compile_model(parse_model(text, file="page.toml")).engine in ("exact", "quadrature")


@pytest.mark.parametrize("kind", PIECE_KEYS)
def test_every_piece_and_each_of_its_keys_is_on_the_page(kind: str) -> None:
    section = PAGE.split(f"### {kind}\n")[1].split("\n#")[0]
    assert [key for key in PIECE_KEYS[kind] if f"`{key}`" not in section] == []


def test_every_function_is_on_the_page() -> None:
    assert all(function in PAGE for function in FUNCTIONS)
