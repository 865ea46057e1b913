"""The model files and titration rules that thrombokit ships: where they are, by name.

A name such as "eltrombopag-itp" is the file's name without .toml. The files are data: nothing here reads them.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path

from thrombokit.domain.agonist import AgonistModel
from thrombokit.domain.toml_faults import did_you_mean
from thrombokit.errors import Fault, SpecError

MODELS, RULES = "models", "rules"


def shipped_models() -> tuple[str, ...]:
    """Names of the patient models that thrombokit ships, in alphabetical order."""
    return tuple(_shipped(MODELS))


def shipped_rules() -> tuple[str, ...]:
    """Names of the titration rules that thrombokit ships, in alphabetical order."""
    return tuple(_shipped(RULES))


def model_path(name: str) -> Path:
    """Where the file of a shipped patient model is.

    Raises
    ------
    SpecError
        If thrombokit ships no model of that name.
    """
    return _path(MODELS, name, what="patient model", schema="thrombokit-model/1")


def rule_path(name: str) -> Path:
    """Where the file of a shipped titration rule is.

    Raises
    ------
    SpecError
        If thrombokit ships no rule of that name.
    """
    return _path(RULES, name, what="titration rule", schema="thrombokit-titration/1")


def model_path_of(model: AgonistModel) -> Path:
    """Where the model file of one of an agonist's models is; one beside a user's agonist file need not exist."""
    return _beside(model.file, model.folder) or model_path(model.file)


def rule_path_of(model: AgonistModel) -> Path | None:
    """Where the first rule of one of an agonist's models is, or None where it has none."""
    if model.rule is None:
        return None
    return _beside(model.rule, model.folder) or rule_path(model.rule)


def is_shipped_model(name: str) -> bool:
    """Whether thrombokit ships a patient model of that name."""
    return name in _shipped(MODELS)


def is_shipped_rule(name: str) -> bool:
    """Whether thrombokit ships a titration rule of that name."""
    return name in _shipped(RULES)


def is_file_name(text: str) -> bool:
    """Whether a text names a file of one's own rather than a shipped one."""
    return text.casefold().endswith(".toml") or bool(set(text) & {"/", "\\"})


def _beside(text: str, folder: Path | None) -> Path | None:
    return (folder or Path()) / text if is_file_name(text) else None


def _path(kind: str, name: str, *, what: str, schema: str) -> Path:
    found = _shipped(kind).get(name.strip().casefold())
    if found is not None:
        return found
    otherwise = f'Write a file of your own ("{schema}") and give its path, which ends in .toml.'
    expected = f"a {what} that thrombokit ships: {', '.join(_shipped(kind))}"
    cure = did_you_mean(name, list(_shipped(kind)), otherwise=otherwise)
    raise SpecError(Fault(place=what, found=f'the name "{name}"', expected=expected, cure=cure))


@cache
def _shipped(kind: str) -> dict[str, Path]:
    folder = Path(str(files("thrombokit.agonists"))) / kind
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}
