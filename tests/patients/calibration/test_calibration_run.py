"""A small calibration from end to end: same seed same bytes, frozen sets that fit their models, a page that tells it all."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from thrombokit.agonists.parameter_sets import load_parameter_set, shipped_parameter_sets
from thrombokit.domain.parameter_set import parameter_set_text, read_parameter_set
from thrombokit.errors import FileFormatError, InputError, SimulationError, SpecError
from thrombokit.io.patient_models import load_model
from thrombokit.patients.calibration.figures import calibration_figures
from thrombokit.patients.calibration.frozen_draw import apply_draw, fluctuation_of, rescue_of
from thrombokit.patients.calibration.hetrombopag import Reading
from thrombokit.patients.calibration.latent_counts import Structure
from thrombokit.patients.calibration.page import calibration_page
from thrombokit.patients.calibration.particles import Particles
from thrombokit.patients.calibration.run import CALIBRATED_MODELS, LEAST_EFFECTIVE, CalibrationResult, Effort, run_calibration
from thrombokit.patients.calibration.starting_point import starting_point
from thrombokit.patients.calibration.virtual_patients import BASELINE_LOG_VARIANCE, level_variance

TINY = Effort(n_draws=60, n_patients=60, n_retained=20, n_doubled=20, n_sensitivity=20)
REPOSITORY = Path(__file__).resolve().parents[3]


def small_run(seed: int) -> CalibrationResult:
    models = {name: load_model(name) for name in CALIBRATED_MODELS}
    return run_calibration(models, seed=seed, version="0.0.0", effort=TINY, structures=(Structure.RELATIVE,))


@pytest.fixture(scope="module")
def small() -> CalibrationResult:
    return small_run(3)


def test_same_seed_same_bytes(small: CalibrationResult) -> None:
    again = small_run(3)
    assert [parameter_set_text(s) for s in again.sets] == [parameter_set_text(s) for s in small.sets]
    assert calibration_page(again) == calibration_page(small)


def test_too_few_effective_draws_are_said(small: CalibrationResult) -> None:
    """60 draws cannot do: the account says so, and so does the page."""
    assert {account.verdict for account in small.accounts} != {"enough draws"}
    for account in small.accounts:
        assert (account.least >= LEAST_EFFECTIVE and account.n_retained >= 200) == (account.verdict == "enough draws")
    assert "too few effective draws" in calibration_page(small)


def test_hetrombopag_sets_carry_every_step_of_their_chain(small: CalibrationResult) -> None:
    by_chain = {account.chain: account for account in small.accounts}
    assert [len(by_chain[name].steps) for name in by_chain] == [1, 3, 3, 5, 5]
    for reading in Reading:
        account = by_chain[f"hetrombopag-itp-relative-{reading.value}"]
        assert account.least <= by_chain["eltrombopag-itp-relative"].least


def test_page_and_sets_cannot_disagree(small: CalibrationResult) -> None:
    page = calibration_page(small, freezes=[("0.0.0", "3", "abc", "a test")])
    assert all(s.sha256 in page and s.name in page for s in small.sets)
    assert "| 0.0.0 | 3 | `abc` | a test |" in page
    for check in small.checks:
        assert (
            f"| {check.chain} | {check.arm} | {check.published} | {check.predicted:.3f} | {check.p:.3f} | {check.verdict} |" in page
        )
    assert set(calibration_figures(small)) == {"calibration-informed", "calibration-checks"}


def test_draws_go_into_the_model_they_name(small: CalibrationResult) -> None:
    for parameters in small.sets[1:]:
        model = load_model(parameters.model)
        drawn = apply_draw(model, parameters, 3)
        told = parameters.draw(3)
        assert drawn.structure_hash == model.structure_hash
        for name, value in told.items():
            kind, _, rest = name.partition(".")
            if kind == "theta":
                assert drawn.theta[rest].value == value
            if kind == "omega":
                assert next(b for b in drawn.omega if b.names == (rest,)).matrix[0, 0] == value
            if kind == "share":
                mixture = next(m for m in drawn.mixtures if m.name == rest)
                assert mixture.shares == (value, 1.0 - value)
        assert fluctuation_of(parameters, 3).log_sd == told["observation.log_sd"]
        assert rescue_of(parameters, 3).hazard_per_d == told["rescue.hazard_per_d"]
        assert told["omega.ETA_BASE"] == pytest.approx(level_variance(told["observation.log_sd"]), rel=1e-5)


def test_a_set_in_a_model_without_its_places_is_refused(small: CalibrationResult) -> None:
    with pytest.raises(SpecError) as caught:
        apply_draw(load_model("eltrombopag-itp"), small.sets[-1], 0)
    told = str(caught.value)
    assert "theta.GAMMA" in told
    assert "omega.ETA_DRIVE" in told
    assert "expected the model hetrombopag-itp-relative" in told


def test_a_changed_set_is_refused(small: CalibrationResult) -> None:
    text = parameter_set_text(small.sets[1])
    assert read_parameter_set(text, file="set.json").sha256 == small.sets[1].sha256
    told = json.loads(text)
    told["draws"][4][0] *= 1.01
    with pytest.raises(FileFormatError, match=r"set.json, sha256: found content with the hash .* calibrate anew"):
        read_parameter_set(json.dumps(told), file="set.json")
    with pytest.raises(FileFormatError, match=r"set.json, draws, row 2: found not \d+ values"):
        read_parameter_set(json.dumps({**told, "draws": [told["draws"][0], [1.0]]}), file="set.json")
    with pytest.raises(FileFormatError, match=r'set.json, schema: found None; expected "thrombokit-parameter-set/1"'):
        read_parameter_set("{}", file="set.json")
    with pytest.raises(FileFormatError, match=r"set.json:1: found .*; expected JSON"):
        read_parameter_set("draws", file="set.json")
    del told["seed"], told["account"]
    with pytest.raises(FileFormatError, match=r"set.json, seed: found nothing(.|\n)*set.json, account: found nothing"):
        read_parameter_set(json.dumps(told), file="set.json")


def test_particles_say_what_they_hold() -> None:
    draws = Particles.of({"a": np.arange(3.0), "b": np.ones(3)})
    assert draws.joined({"a": np.zeros(3), "c": np.ones(3)}).names == ("a", "b", "c")
    with pytest.raises(SimulationError, match=r'found "d"; expected a, b'):
        draws.column("d")


def test_fluctuation_takes_from_the_spread_of_levels() -> None:
    assert level_variance(0.3) + 0.3**2 == pytest.approx(BASELINE_LOG_VARIANCE)
    assert level_variance(0.8) == 0.05


def test_shipped_sets_are_as_frozen() -> None:
    """Each opens (its hash holds), fits its model, and is named on the page with its hash."""
    names = shipped_parameter_sets()
    structures = [s.value for s in Structure]
    expected = {
        "itp-drug-free",
        *(f"eltrombopag-itp-{s}" for s in structures),
        *(f"hetrombopag-itp-{s}-prior-only" for s in structures),
    }
    expected |= {f"hetrombopag-itp-{s}-{r.value}" for s in structures for r in Reading}
    assert set(names) == expected
    page = (REPOSITORY / "docs" / "explanation" / "calibration.md").read_text(encoding="utf-8")
    for name in names:
        parameters = load_parameter_set(name)
        assert parameters.n >= 200
        assert np.isfinite(parameters.draws).all()
        assert parameters.sha256 in page
        if parameters.model:
            apply_draw(load_model(parameters.model), parameters, 0)
        if parameters.kind == "posterior":
            assert float(parameters.account["least along the chain"]) >= LEAST_EFFECTIVE
            assert parameters.account["verdict"] == "enough draws"


def test_shipped_sets_were_fitted_to_the_scenarios_as_they_are() -> None:
    from_files = {
        f"scenarios/{path.name}": hashlib.sha256(path.read_text(encoding="utf-8").encode()).hexdigest()
        for path in (REPOSITORY / "src" / "thrombokit" / "evidence" / "scenarios").glob("*.toml")
    }
    inputs = load_parameter_set("itp-drug-free").inputs
    scenarios = {name: value for name, value in inputs.items() if name.startswith("scenarios/")}
    assert scenarios
    assert not any("phase" in name for name in scenarios)
    assert scenarios == {name: from_files[name] for name in scenarios}
    for name in CALIBRATED_MODELS:
        assert inputs[f"models/{name}"] == starting_point(load_model(name)).hash


def test_an_unknown_set_is_named() -> None:
    with pytest.raises(InputError, match=r'found "itp-drug-fre"; .*Did you mean "itp-drug-free"'):
        load_parameter_set("itp-drug-fre")


@pytest.mark.long
def test_one_structure_again_gives_the_shipped_bytes() -> None:
    """The whole chain of one structure, both readings, computed afresh."""
    shipped = load_parameter_set("itp-drug-free")
    models = {name: load_model(name) for name in CALIBRATED_MODELS}
    again = run_calibration(models, seed=shipped.seed, version=shipped.version, structures=(Structure.ABSOLUTE,))
    assert len(again.sets) == 5
    for parameters in again.sets:
        assert parameter_set_text(parameters) == parameter_set_text(load_parameter_set(parameters.name))
