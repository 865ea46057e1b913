"""[pk] and [pd] of an agonist file: which models and rules are a compound's own, and what is told of a wrong one."""

from __future__ import annotations

from pathlib import Path

import pytest

from thrombokit.agonists.library import model_path, model_path_of, rule_path, rule_path_of, shipped_models, shipped_rules
from thrombokit.agonists.load import load_agonist, shipped_agonists
from thrombokit.domain.agonist import Covers
from thrombokit.errors import SpecError

HEAD = 'schema = "thrombokit-agonist/1"\nname = "mine"\nclass = "small molecule"\n'


def _write(folder: Path, text: str) -> Path:
    file = folder / "mine.toml"
    file.write_text(HEAD + text, encoding="utf-8")
    return file


def _faults(folder: Path, text: str) -> str:
    with pytest.raises(SpecError) as caught:
        load_agonist(_write(folder, text))
    return "\n".join(str(fault) for fault in caught.value.faults)


def test_every_shipped_model_and_rule_belongs_to_an_agonist() -> None:
    agonists = [load_agonist(name) for name in shipped_agonists()]
    assert {model.file for agonist in agonists for model in agonist.models} == set(shipped_models())
    assert {rule for agonist in agonists for model in agonist.models for rule in model.rules} == set(shipped_rules())
    assert all(agonist.route and agonist.models for agonist in agonists)


@pytest.mark.parametrize("name", ["eltrombopag", "hetrombopag", "romiplostim"])
def test_itp_model_of_record_comes_with_a_rule(name: str) -> None:
    model = load_agonist(name).model_for("ITP")
    assert model is not None
    assert (model.covers, model.file) == (Covers.PLATELETS, f"{name}-itp")
    assert model_path_of(model) == model_path(model.file)
    assert model.rule is not None
    assert rule_path_of(model) == rule_path(model.rule)
    assert rule_path(model.rule).is_file()


def test_alternative_is_named_as_such() -> None:
    """Other responses of eltrombopag and hetrombopag and another clearance of TPO are there for the asking, never by default."""
    alternatives = [model for name in shipped_agonists() for model in load_agonist(name).models if not model.of_record]
    responses = {f"eltrombopag-itp-{form}" for form in ("relative", "emax", "saturable")}
    assert {model.file for model in alternatives} == {
        *responses,
        *(f"hetrombopag-itp-{form}" for form in ("relative", "saturable", "tmdd")),
        "rhtpo-healthy-megakaryocytes",
    }
    assert all("not the model of record" in model_path(model.file).read_text(encoding="utf-8").casefold() for model in alternatives)
    record = load_agonist("hetrombopag").model_for("itp")
    assert record is not None
    assert record.file == "hetrombopag-itp"


def test_avatrombopag_has_plasma_only() -> None:
    avatrombopag = load_agonist("avatrombopag")
    healthy = avatrombopag.model_for("healthy")
    assert healthy is not None
    assert (healthy.covers, healthy.rule, rule_path_of(healthy)) == (Covers.PLASMA, None, None)
    assert avatrombopag.model_for("itp") is None


def test_platelets_before_plasma_of_one_population(tmp_path: Path) -> None:
    sections = (
        '[[pk.model]]\npopulation = "x"\nfile = "avatrombopag-healthy"\n[[pd.model]]\npopulation = "X"\nfile = "eltrombopag-itp"\n'
    )
    model = load_agonist(_write(tmp_path, sections)).model_for(" x ")
    assert model is not None
    assert model.file == "eltrombopag-itp"


def test_own_files_stand_beside_the_agonist_file(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    for name in ("models/mine-itp.toml", "careful.toml"):
        (tmp_path / name).write_text("", encoding="utf-8")
    text = '[[pd.model]]\npopulation = "itp"\nfile = "models/mine-itp.toml"\nrules = ["careful.toml", "eltrombopag-us"]\n'
    model = load_agonist(_write(tmp_path, text)).model_for("itp")
    assert model is not None
    assert model_path_of(model) == tmp_path / "models" / "mine-itp.toml"
    assert rule_path_of(model) == tmp_path / "careful.toml"


def test_all_faults_of_both_sections(tmp_path: Path) -> None:
    text = """\
[pk]
route = 1
meal = "none"

[[pd.model]]
file = "eltrombopak-itp"
rules = ["eltrombopag-usa", "absent.toml"]
of_record = "yes"

[[pd.model]]
population = "itp"
"""
    told = _faults(tmp_path, text)
    assert "mine.toml:5, pk.route: found the number 1" in told
    assert 'pk.meal: found the unknown key "meal"' in told
    assert 'pd.model[1].population: found no key "population"; expected whom the model describes' in told
    assert 'pd.model[1].file: found the name "eltrombopak-itp"; expected a path that ends in .toml, or a shipped one: ' in told
    assert 'Did you mean "eltrombopag-itp"?' in told
    assert 'Did you mean "eltrombopag-us"?' in told
    assert (
        'pd.model[1].rules: found "absent.toml", which is no file; expected a file; paths are relative to the agonist file' in told
    )
    assert 'pd.model[1].of_record: found the text "yes"; expected true or false' in told
    assert "Write true or false, without quotes." in told
    assert 'pd.model[2].file: found no key "file"' in told
    assert told.count("\n") == 7


def test_one_model_of_record_a_population(tmp_path: Path) -> None:
    twice = (
        '[[pd.model]]\npopulation = "itp"\nfile = "eltrombopag-itp"\n[[pd.model]]\npopulation = "ITP"\nfile = "hetrombopag-itp"\n'
    )
    told = _faults(tmp_path, twice)
    assert 'pd: found two models of record for "ITP"; expected one for each population. Write of_record = false' in told
    assert load_agonist(_write(tmp_path, twice + "of_record = false\n")).models[1].of_record is False


def test_unknown_names_of_models_and_rules() -> None:
    with pytest.raises(SpecError, match=r'patient model: found the name "romiplostim-it".*Did you mean "romiplostim-itp"\?'):
        model_path("romiplostim-it")
    with pytest.raises(
        SpecError, match=r'titration rule: found the name "weekly"; .*Write a file of your own \("thrombokit-titration/1"\)'
    ):
        rule_path("weekly")
