"""The patient models that ship: complete in their sources, at rest without a dose, and told as they are in the documentation."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from thrombokit.agonists.library import model_path, shipped_models
from thrombokit.domain.agonist import Tier
from thrombokit.io.patient_models import load_model
from thrombokit.patients.compiled_model import CompiledModel, compile_model
from thrombokit.patients.model import PatientModel, Theta

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "explanation" / "patient-models.md"
CITED = re.compile(
    r"doi:10\.\d{4,}/\S+|PMID \d+|Blood 95\(8\):2514|EMPR|DrugBank|J Fourth Mil Med Univ|abstract: Eltrombopag PK/PD"
)
PLASMA_ONLY = {"avatrombopag-healthy"}
KNOWN_COLUMNS = {"WT", "FEMALE", "EASTASIAN", "SCASIAN", "CP", "STEROID", "FED", "MEAL", "TC", "SPLENECTOMY", "NAB"}


def _compiled(model: PatientModel) -> CompiledModel:
    return compile_model(model, model.needed_columns)


def _start(compiled: CompiledModel, columns: dict[str, float]) -> tuple[np.ndarray, np.ndarray]:
    """Record values and compartments of a typical patient at time 0."""
    record, state = np.zeros(compiled.n_record), np.zeros(len(compiled.compartments))
    compiled.fill_record(compiled.default_inputs(columns), 0.0, record)
    compiled.fill_initial(record, state)
    return record, state


def _typical(model: PatientModel) -> dict[str, float]:
    return {name: 70.0 if name == "WT" else 0.0 for name in model.needed_columns}


@pytest.mark.parametrize("name", shipped_models())
def test_every_parameter_has_unit_source_and_tier(name: str) -> None:
    model = load_model(model_path(name))
    assert model.title
    assert model.note
    for theta_name, theta in model.theta.items():
        assert theta.unit, theta_name
        assert theta.source, theta_name
        assert theta.tier is not None, theta_name
        if theta.tier is not Tier.ASSUMED:
            assert CITED.search(theta.source), (theta_name, theta.source)
    for effect in (*model.omega, *model.mixtures):
        assert effect.source
        assert effect.tier is not None


@pytest.mark.parametrize("name", shipped_models())
def test_transcribed_from_a_library_is_not_called_published(name: str) -> None:
    """Published means read in the text or the abstract; what a library copied says so in its tier."""
    for theta_name, theta in load_model(model_path(name)).theta.items():
        if theta.source is not None and "from nlmixr2lib" in theta.source:
            assert theta.tier is not Tier.PUBLISHED, theta_name


@pytest.mark.parametrize("name", shipped_models())
def test_columns_and_outputs_go_by_the_same_names(name: str) -> None:
    model = load_model(model_path(name))
    assert {column.upper() for column in model.needed_columns} <= KNOWN_COLUMNS
    assert ("PLATELET" in model.output) == (name not in PLASMA_ONLY)
    assert model.units.time == "h"


@pytest.mark.parametrize("name", sorted(set(shipped_models()) - PLASMA_ONLY))
def test_without_a_dose_nothing_moves(name: str) -> None:
    model = load_model(model_path(name))
    compiled = _compiled(model)
    for mechanism in (1.0, 2.0):
        classes = {mixture.name: mechanism for mixture in model.mixtures}
        record, state = _start(compiled, {**_typical(model), **classes})
        rates = np.zeros_like(state)
        compiled.derivative(0.0, 0.0, 1.0, state, record, rates)
        turnover = np.abs(state).max()
        assert np.abs(rates).max() < 1e-12 * turnover
        outputs = np.zeros(len(compiled.outputs))
        compiled.output(0.0, 0.0, state, record, outputs)
        assert 1.0 < outputs[compiled.output_index("PLATELET")] < 300.0


def test_engines_of_the_shipped_models() -> None:
    """Linear plasma and a linear chain take the fastest engine; where platelets bind the drug, or set the rate of division, none does."""
    engines = {name: _compiled(load_model(model_path(name))).engine for name in shipped_models()}
    assert engines.pop("avatrombopag-healthy") == "exact"
    slower = {name for name, engine in engines.items() if engine != "quadrature"}
    divisions = {"lusutrombopag-healthy", "lusutrombopag-cld", "rhtpo-healthy", "rhtpo-healthy-megakaryocytes"}
    saturable = {"eltrombopag-itp-saturable", "hetrombopag-itp-saturable"}
    assert slower == {"romiplostim-healthy", "hetrombopag-itp-tmdd", *saturable, *divisions}


def test_both_lusutrombopag_files_say_the_same_equations() -> None:
    healthy, disease = (load_model(model_path(f"lusutrombopag-{population}")) for population in ("healthy", "cld"))
    assert healthy.structure_hash == disease.structure_hash
    different = {name for name in healthy.theta if healthy.theta[name].value != disease.theta[name].value}
    assert different == {"TVTPO0", "TVBASE"}


def test_disease_of_both_oral_itp_models_is_the_same() -> None:
    """Eltrombopag and hetrombopag differ by the drug and by how it carries over to ITP; the patients are the same."""
    eltrombopag, hetrombopag = (load_model(model_path(f"{name}-itp")) for name in ("eltrombopag", "hetrombopag"))
    for shared in ("KIN_HEALTHY", "TVBASE", "LIFE_SHORT", "LIFE_LOWPRODUCTION", "SPREAD_LOWPRODUCTION"):
        assert eltrombopag.theta[shared] == hetrombopag.theta[shared]


@pytest.mark.parametrize("name", shipped_models())
def test_documentation_lists_every_parameter_as_it_stands(name: str) -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    start = text.index(f"### {name}\n")
    section = text[start : text.find("\n### ", start + 1)] if "\n### " in text[start + 1 :] else text[start:]
    model = load_model(model_path(name))
    rows = [documented_row(theta_name, theta) for theta_name, theta in model.theta.items()]
    assert [row for row in rows if row not in section] == []
    assert section.count("\n| `") == len(rows)


def documented_row(name: str, theta: Theta) -> str:
    """A parameter as a line of the documentation's tables."""
    return f"| `{name}` | {theta.value:g} | {theta.unit} | {theta.tier.value if theta.tier else ''} | {theta.source} |"
