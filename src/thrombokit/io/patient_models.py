"""Model files (thrombokit-model/1) -> `PatientModel`: every fault of a file in one pass, each with line, key path and cure."""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import files
from os import PathLike
from pathlib import Path

from thrombokit.domain.toml_faults import did_you_mean
from thrombokit.domain.toml_table import TableReader
from thrombokit.domain.toml_text import TomlDocument, parse_toml, read_toml
from thrombokit.errors import Fault, SpecError, raise_all
from thrombokit.io.model_entries import NAME, read_doses, read_entries, read_flows, read_name, read_pieces
from thrombokit.io.model_numbers import read_random, read_residual, read_theta
from thrombokit.patients.expanded import column_title
from thrombokit.patients.expansion import entries_with_time, expand
from thrombokit.patients.model import MODEL_SCHEMA, CovariateRule, PatientModel, Units

_COLUMNS_OF_OUR_OWN = ("id", "time")


def load_model(name_or_path: str | PathLike[str]) -> PatientModel:
    """A patient model, by the name of a shipped one or from a file.

    Parameters
    ----------
    name_or_path : str or path
        The name of a model that thrombokit ships, or a TOML file. A text that names no shipped model is taken as a file when it ends in
        .toml or holds a slash.

    Returns
    -------
    PatientModel

    Raises
    ------
    SpecError
        If there is no such model, or the file is wrong; with every fault of the file.
    """
    if isinstance(name_or_path, str) and NAME.fullmatch(name_or_path.replace("-", "_")):
        shipped = files("thrombokit.agonists").joinpath("models", f"{name_or_path}.toml")
        if shipped.is_file():
            return parse_model(shipped.read_text(encoding="utf-8"), file=f"{name_or_path}.toml")
        if not Path(name_or_path).exists():
            raise SpecError(_no_such_model(name_or_path))
    return _model(read_toml(Path(name_or_path)))


def shipped_models() -> tuple[str, ...]:
    """Names of the models that thrombokit ships, in alphabetical order."""
    folder = files("thrombokit.agonists").joinpath("models")
    found = (
        [entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml")] if folder.is_dir() else []
    )
    return tuple(sorted(found))


def parse_model(text: str, *, file: str) -> PatientModel:
    """A patient model from the text of a file; `file` is the name that stands in places.

    Raises
    ------
    SpecError
        With every fault.
    """
    return _model(parse_toml(text, file=file))


def _no_such_model(name: str) -> Fault:
    known = shipped_models()
    cure = did_you_mean(name, known, otherwise="Name a model file with its ending, such as model.toml.")
    return Fault(place="model", found=f'the name "{name}"', expected=f"a shipped model: {', '.join(known) or 'none'}", cure=cure)


def _model(document: TomlDocument) -> PatientModel:
    faults = list(document.faults)
    top = TableReader(document.values, places=document.places, faults=faults)
    top.schema(MODEL_SCHEMA)
    omega, mixtures = read_random(top)
    output = read_entries(top, "output")
    model = PatientModel(
        file=document.places.file,
        units=_units(top),
        compartments=_compartments(top),
        output=output,
        title=top.text("title", expected="a title"),
        note=top.text("note", expected="a sentence"),
        default_dose=top.text("default_dose", expected="the name of a compartment"),
        default_observation=top.text("default_observation", expected="the name of a compartment"),
        covariates=top.choice("covariates", CovariateRule) or CovariateRule.NEXT_CARRIED_BACKWARD,
        theta=read_theta(top),
        record=read_entries(top, "record"),
        algebra=read_entries(top, "algebra"),
        flow=read_flows(top),
        pieces=read_pieces(top),
        dose=read_doses(top),
        ode=read_entries(top, "ode"),
        initial=read_entries(top, "initial"),
        omega=omega,
        mixtures=mixtures,
        residual=read_residual(top, output),
    )
    _require(top, model)
    top.close()
    if not model.compartments:
        raise_all(faults, SpecError)
    try:
        expanded = expand(model)
    except SpecError as error:
        raise SpecError(_told_once((*faults, *_with_lines(error.faults, document)))) from None
    raise_all(faults, SpecError)
    return replace(model, needed_columns=tuple(map(column_title, expanded.columns)), time_records=entries_with_time(expanded))


def _with_lines(faults: tuple[Fault, ...], document: TomlDocument) -> tuple[Fault, ...]:
    """Places without a line, "model.toml, theta.CL", get it."""
    start = f"{document.places.file}, "
    return tuple(
        replace(fault, place=document.places.place_of(fault.place.removeprefix(start))) if fault.place.startswith(start) else fault
        for fault in faults
    )


def _told_once(faults: tuple[Fault, ...]) -> tuple[Fault, ...]:
    return tuple(dict.fromkeys(faults))


def _units(top: TableReader) -> Units:
    table = top.table("units")
    if table is None:
        if "units" not in top.values:
            top.fault(
                "units",
                found='no key "units"',
                expected="labels of time, amount and concentration",
                cure='Add a line such as: units = {time = "h", amount = "mg", concentration = "ng/mL"}',
            )
        return Units(time="", amount="", concentration="")
    labels = {key: table.text(key, expected="a label", example=f'{key} = "{example}"') or "" for key, example in _UNITS.items()}
    table.close()
    return Units(**labels)


_UNITS = {"time": "h", "amount": "mg", "concentration": "ng/mL"}


def _compartments(top: TableReader) -> tuple[str, ...]:
    names = top.texts("compartments", expected="a list of names, in the order of CMT")
    if not names and "compartments" not in {fault.place.rpartition(", ")[2] for fault in top.faults}:
        cure = 'Add a line such as: compartments = ["depot", "central"]'
        top.fault("compartments", found="no compartments", expected="a list of names, in the order of CMT", cure=cure)
    return tuple(name for name in names if read_name(top, name, "compartments") is not None)


def _require(top: TableReader, model: PatientModel) -> None:
    """[output], and something that moves the compartments."""
    if not model.output and not top.values.get("output"):
        cure = 'Add a table such as: [output] CP = "central/V", on two lines.'
        top.fault("output", found="no [output]", expected="at least one output", cure=cure)
    for name in model.output:
        if name.casefold() in _COLUMNS_OF_OUR_OWN:
            cure = "Choose another name: results have columns ID and TIME of their own."
            top.faults.append(
                Fault(place=model.output[name].place, found=f'an output "{name}"', expected="another name", cure=cure)
            )
    twice = {name.casefold(): name for name in model.output}
    if len(twice) < len(model.output):
        for name, entry in model.output.items():
            if twice[name.casefold()] != name:
                cure = "Rename one of the two; capital and small letters are the same here."
                top.faults.append(
                    Fault(place=entry.place, found=f'"{name}" beside "{twice[name.casefold()]}"', expected="one", cure=cure)
                )
    if not any(top.values.get(section) for section in ("flow", "piece", "ode")):
        cure = 'Add a table such as: [flow] "central->out" = "CL/V", on two lines.'
        top.fault("flow", found="no [flow], [[piece]] or [ode]", expected="at least one of the three", cure=cure)
