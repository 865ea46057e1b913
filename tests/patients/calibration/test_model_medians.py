"""The shipped model files against the frozen sets: medians, sources, what their notes say in numbers, and that the sets do not hang on them."""

from __future__ import annotations

import re
import runpy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from thrombokit.agonists.library import model_path
from thrombokit.agonists.parameter_sets import load_parameter_set, shipped_parameter_sets
from thrombokit.domain.agonist import Tier
from thrombokit.domain.parameter_set import ParameterSet
from thrombokit.errors import SpecError
from thrombokit.io.patient_models import load_model
from thrombokit.numerics.arrays import frozen
from thrombokit.patients.calibration.effect_site import halflife_at, mean_drive
from thrombokit.patients.calibration.latent_counts import KIN_HEALTHY
from thrombokit.patients.calibration.model_medians import HARDLY_INFORMED, Kind, ModelMedian, model_medians
from thrombokit.patients.calibration.run import CALIBRATED_MODELS
from thrombokit.patients.calibration.starting_point import starting_point

REPOSITORY = Path(__file__).resolve().parents[3]
PAGE = REPOSITORY / "docs" / "explanation" / "calibration.md"
MODELS = tuple(f"eltrombopag-itp{form}" for form in ("", "-emax", "-relative", "-saturable")) + tuple(
    f"hetrombopag-itp{form}" for form in ("", "-relative", "-saturable")
)


def posterior(model: str) -> list[ParameterSet]:
    sets = [load_parameter_set(name) for name in shipped_parameter_sets()]
    return [one for one in sets if one.kind == "posterior" and one.model == model]


def test_every_calibrated_model_is_held() -> None:
    sets = [load_parameter_set(name) for name in shipped_parameter_sets()]
    assert {one.model for one in sets if one.kind == "posterior" and one.model} == set(MODELS)


@pytest.mark.parametrize("name", MODELS)
def test_a_file_holds_the_medians_of_its_sets(name: str) -> None:
    """Values, tiers and sources: a new freeze cannot leave old ones behind."""
    model = load_model(name)
    medians = model_medians(posterior(name))
    for one in medians:
        held: Any
        if one.kind is Kind.THETA:
            held = model.theta[one.name]
            value = held.value
        elif one.kind is Kind.OMEGA:
            held = next(block for block in model.omega if block.names == (one.name,))
            value = held.matrix[0, 0]
        else:
            held = next(mixture for mixture in model.mixtures if mixture.name == one.name)
            value = held.shares[0]
        assert value == one.value, one.name
        assert (held.tier, held.source) == (Tier.CALIBRATED, one.source), one.name
    calibrated = {theta for theta, value in model.theta.items() if value.tier is Tier.CALIBRATED}
    assert calibrated == {one.name for one in medians if one.kind is Kind.THETA}


def test_medians_are_of_the_equal_mixture() -> None:
    sets = posterior("hetrombopag-itp")
    assert len(sets) == 4
    medians = {one.name: one for one in model_medians(sets)}
    gamma = np.concatenate([one.column("theta.GAMMA") for one in sets])
    assert medians["GAMMA"].value == pytest.approx(np.median(gamma), rel=1e-3)
    low, high = np.percentile(gamma, (5, 95))
    assert f"5 to 95 %: {low:.3g} to {high:.3g}" in medians["GAMMA"].source
    products = np.concatenate([one.column("theta.THETA") * one.column("theta.TRANSFER") for one in sets])
    assert medians["THETA"].value * medians["TRANSFER"].value == pytest.approx(np.median(products), rel=1e-3)
    assert "ETA_BASE" not in medians


def test_sets_of_two_models_have_no_medians() -> None:
    with pytest.raises(SpecError, match="expected sets of one model with the same columns"):
        model_medians([*posterior("hetrombopag-itp"), *posterior("eltrombopag-itp")])
    with pytest.raises(SpecError, match="found no set"):
        model_medians([])


def test_what_is_said_to_be_hardly_informed_is_so_on_the_page() -> None:
    """In at least three of four sets the page's verdict on these is "not informed", and on the product it never is."""
    words = {"GAMMA": "gamma", "HALFLIFE": "halflife_h", "ETA_DRIVE": "iiv", "ETA_SLOPE": "spread", "RESPONSE": "non_responders"}
    rows = re.findall(
        r"^\| ((?:hetrom|eltrom)bopag-itp-\S+) \| `([^`]+)` \|.*\| ([^|]+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE
    )
    rows = [row for row in rows if row[2] in ("informed", "not informed by the data")]
    assert set(words) == set(HARDLY_INFORMED)
    for name in words.values():
        verdicts = [verdict for _, parameter, verdict in rows if parameter == name]
        assert verdicts, name
        assert sum(verdict.startswith("not informed") for verdict in verdicts) >= 0.75 * len(verdicts), name
    products = [verdict for _, parameter, verdict in rows if parameter in ("theta x transfer", "slope x transfer")]
    assert products
    assert set(products) == {"informed"}


def test_the_files_and_documents_are_as_the_tool_writes_them() -> None:
    tool = runpy.run_path(str(REPOSITORY / "tools" / "model_medians.py"))
    shipped = [load_parameter_set(name) for name in shipped_parameter_sets()]
    assert tool["write_medians"](tool["medians_of"](shipped), write=False) == []
    moved = [replace(one, draws=frozen(one.draws * 1.01)) if one.name == "eltrombopag-itp-emax" else one for one in shipped]
    stale = tool["write_medians"](tool["medians_of"](moved), write=False)
    assert stale == ["docs/explanation/patient-models.md", "src/thrombokit/agonists/models/eltrombopag-itp-emax.toml"]


def test_the_tool_leaves_all_other_lines_alone() -> None:
    tool = runpy.run_path(str(REPOSITORY / "tools" / "model_medians.py"))
    text = model_path("hetrombopag-itp").read_text(encoding="utf-8")
    new = tool["with_medians"](text, (ModelMedian(kind=Kind.SHARE, name="RESPONSE", value=0.7, source="told"),), file="a.toml")
    changed = [line for line, other in zip(new.splitlines(), text.splitlines(), strict=True) if line != other]
    assert changed == [
        '  {name = "RESPONSE", shares = [0.7, 0.3], labels = ["responder", "non-responder"], tier = "calibrated", source = "told"},'
    ]
    with pytest.raises(SystemExit, match=r"a\.toml: 0 lines for theta SLOPE, expected one"):
        tool["with_medians"](text, (ModelMedian(kind=Kind.THETA, name="SLOPE", value=0.7, source="told"),), file="a.toml")


@pytest.mark.parametrize("name", CALIBRATED_MODELS)
def test_the_sets_do_not_hang_on_the_medians(name: str) -> None:
    """Whatever the files hold of what is freed, the calibration starts from the same model; the hash in every set is of that."""
    model = load_model(name)
    other = replace(
        model.with_theta({"SLOPE": 9.0, "TRANSFER": 7.0}),
        omega=tuple(replace(b, matrix=frozen(np.array([[3.0]]))) if b.names == ("ETA_SLOPE",) else b for b in model.omega),
        mixtures=tuple(replace(m, shares=(0.5, 0.5)) if m.name == "RESPONSE" else m for m in model.mixtures),
    )
    assert other.hash != model.hash
    assert starting_point(other).hash == starting_point(model).hash
    assert starting_point(model.with_theta({"LIFE_SHORT": 2.0})).hash != starting_point(model).hash
    assert {load_parameter_set(one).inputs[f"models/{name}"] for one in shipped_parameter_sets()} == {starting_point(model).hash}


def steady_drive(dose_mg: float, halflife_h: float, gamma: float) -> float:
    """Mean drive over the 60th day of daily doses."""
    drive = np.empty(240)
    mean_drive(dose_mg, 60, halflife_h, gamma, 6.0, drive)
    return float(drive[-4:].mean())


def test_one_half_life_at_every_dose_is_what_the_note_says_it_is() -> None:
    """At the medians below 0.3 % of the mean drive; over the draws within what the note of hetrombopag-itp says of a count."""
    theta = load_model("hetrombopag-itp").theta_values()
    halflife, gamma = theta["HALFLIFE"], theta["GAMMA"]
    for dose, said in ((2.5, 0.2), (3.75, 0.1), (5.0, 0.0), (7.5, -0.1)):
        change = steady_drive(dose, halflife_at(dose, halflife), gamma) / steady_drive(dose, halflife, gamma) - 1.0
        assert 100.0 * change == pytest.approx(said, abs=0.05)
    changes: list[float] = []
    for one in posterior("hetrombopag-itp"):
        for draw in (one.draw(k) for k in range(one.n)):
            gain = draw["theta.THETA"] * draw["theta.TRANSFER"] * KIN_HEALTHY * 24.0 * theta["LIFE_SHORT"]
            h, g = draw["theta.HALFLIFE"], draw["theta.GAMMA"]
            one_for_all, rising = (15.3 + gain * steady_drive(2.5, h_at, g) for h_at in (h, halflife_at(2.5, h)))
            changes.append(100.0 * (rising / one_for_all - 1.0))
    assert np.percentile(changes, (5, 95)) == pytest.approx([-0.6, 2.6], abs=0.06)
