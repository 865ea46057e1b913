"""The YAML file of a PEtab problem: which files belong to it, and whether it is a kind that is read here (PEtab 1, one SBML model)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from thrombokit.domain.toml_faults import did_you_mean
from thrombokit.errors import Fault, FileFormatError, MissingExtraError

try:
    import yaml  # pyright: ignore[reportMissingModuleSource]
except ImportError:  # the extra is not installed
    yaml: Any = None

MOST_BYTES = 1_000_000
_PARTS = ("sbml_files", "condition_files", "measurement_files", "observable_files")
_TOP = ("format_version", "parameter_file", "problems", "extensions", "name", "description", "id")
_PASSED_OVER = ("visualization_files",)
_REFUSED = {
    "mapping_files": ("mapping tables", "Name the model's entities in the tables directly."),
    "model_files": ("models of PEtab 2", "Save the problem as PEtab 1 with sbml_files."),
    "experiment_files": ("experiment tables of PEtab 2", "Save the problem as PEtab 1."),
    "parameter_files": ("parameter_files of PEtab 2", "Save the problem as PEtab 1 with parameter_file."),
}


@dataclass(frozen=True, kw_only=True)
class PetabFiles:
    """The files of one problem, as paths."""

    model: Path
    parameters: tuple[Path, ...]
    conditions: tuple[Path, ...]
    measurements: tuple[Path, ...]
    observables: tuple[Path, ...]


def read_petab_yaml(path: Path) -> PetabFiles:
    """The files a problem names.

    Parameters
    ----------
    path : path
        The problem's .yaml file; the names in it are relative to its folder.

    Raises
    ------
    FileFormatError
        If it is no PEtab 1 problem with one SBML model; what is not supported is named, every fault in one pass.
    MissingExtraError
        If PyYAML is not installed.
    """
    document = _document(path)
    faults: list[Fault] = []
    _check_version(path.name, document, faults)
    problem = _only_problem(path.name, document, faults)
    _check_keys(path.name, document, problem, faults)
    parameters = _names(path.name, document, "parameter_file", faults)
    parts = {key: _names(path.name, problem, key, faults) for key in _PARTS} if problem is not None else {}
    models = parts.get("sbml_files", ())
    if len(models) > 1:
        faults.append(_fault(path.name, "sbml_files", f"{len(models)} models: {', '.join(models)}", "one model",
                             "Several models in one problem are not supported: write one problem for each."))  # fmt: skip
    if faults:
        raise FileFormatError(faults)

    def at(names: tuple[str, ...]) -> tuple[Path, ...]:
        return tuple(path.parent / name for name in names)

    return PetabFiles(
        model=at(models)[0], parameters=at(parameters), conditions=at(parts["condition_files"]),
        measurements=at(parts["measurement_files"]), observables=at(parts["observable_files"]),
    )  # fmt: skip


def _fault(file: str, key: str, found: str, expected: str, cure: str) -> Fault:
    return Fault(place=f"{file}, {key}" if key else file, found=found, expected=expected, cure=cure)


def _document(path: Path) -> Mapping[str, Any]:
    if yaml is None:
        raise MissingExtraError('Reading PEtab problems needs PyYAML, which is not installed: pip install "thrombokit[signalling]"')
    expected, found = "the YAML file of a PEtab problem", ""
    cure = "Choose the problem's .yaml file."
    document: Any = None
    try:
        if path.stat().st_size > MOST_BYTES:
            found = f"{path.stat().st_size} bytes"
        else:
            document = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        found, cure = error.strerror or str(error), "Check the path, and that you may read the file."
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        found = f"text that is no YAML ({' '.join(str(error).split())[:200]})"
    if not found and not isinstance(document, dict):
        found = "YAML without keys" if document is not None else "an empty file"
    if found:
        raise FileFormatError(_fault(path.name, "", found, expected, cure))
    return {str(key): value for key, value in dict[Any, Any](document or {}).items()}


def _check_version(file: str, document: Mapping[str, Any], faults: list[Fault]) -> None:
    version = document.get("format_version")
    if version is None:
        faults.append(_fault(file, "format_version", "nothing", "1", "Write format_version: 1."))
    elif str(version).strip().split(".")[0] != "1" or isinstance(version, bool):
        faults.append(_fault(file, "format_version", f"version {version}", "version 1",
                             "PEtab 2 is not supported: save the problem as PEtab 1."))  # fmt: skip


def _only_problem(file: str, document: Mapping[str, Any], faults: list[Fault]) -> Mapping[str, Any] | None:
    problems = document.get("problems")
    if "problems" not in document and str(document.get("format_version")).startswith("2"):
        return None
    if not isinstance(problems, list) or not problems or not all(isinstance(one, dict) for one in problems):
        faults.append(
            _fault(file, "problems", "no list of files", "one entry with sbml_files, condition_files ...", "Add the entry.")
        )
        return None
    if len(problems) > 1:
        faults.append(_fault(file, "problems", f"{len(problems)} entries", "one entry",
                             "Several problems in one file are not supported: write one file for each."))  # fmt: skip
    return {str(key): value for key, value in problems[0].items()}


def _check_keys(file: str, document: Mapping[str, Any], problem: Mapping[str, Any] | None, faults: list[Fault]) -> None:
    for where, keys, known in (
        ("", document, _TOP),
        ("problems[0].", problem or {}, (*_PARTS, *_PASSED_OVER)),
    ):
        for key, value in keys.items():
            if key in _REFUSED and value:
                what, cure = _REFUSED[key]
                faults.append(_fault(file, where + key, what, "PEtab 1 with one SBML model", f"They are not supported. {cure}"))
            elif key == "extensions" and value:
                names = ", ".join(str(name) for name in value)
                faults.append(_fault(file, key, names, "no extensions", "Extensions of PEtab are not supported: remove them."))
            elif key not in (*known, *_REFUSED):
                cure = did_you_mean(key, known, otherwise="Remove the key.")
                faults.append(_fault(file, where + key, "an unknown key", f"one of {', '.join(known)}", cure))


def _names(file: str, mapping: Mapping[str, Any], key: str, faults: list[Fault]) -> tuple[str, ...]:
    value = mapping.get(key)
    names: list[Any] = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    if not names or not all(isinstance(name, str) and name for name in names):
        found = "nothing" if value is None or value == [] else f"{value!r}"
        faults.append(_fault(file, key, found[:100], "one or more file names", "Name the file, relative to the YAML file."))
        return ()
    return tuple(str(name) for name in names)
