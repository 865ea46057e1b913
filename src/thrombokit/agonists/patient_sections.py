"""The [pk] and [pd] tables of an agonist file: how patients take the compound, and which models and titration rules are its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from thrombokit.agonists.library import is_file_name, is_shipped_model, is_shipped_rule, shipped_models, shipped_rules
from thrombokit.domain.agonist import AgonistModel, Covers
from thrombokit.domain.toml_faults import did_you_mean
from thrombokit.domain.toml_table import TableReader

EXAMPLE_FILE = 'file = "mine-itp.toml"'


@dataclass(frozen=True, kw_only=True, slots=True)
class PatientSections:
    """What [pk] and [pd] say together."""

    route: str | None
    food: str | None
    models: tuple[AgonistModel, ...]


def read_patient_sections(top: TableReader, *, folder: Path | None) -> PatientSections:
    """Both tables as a value; faults are noted by their reader.

    Parameters
    ----------
    top : TableReader
        The agonist file; [pk] with keys `route`, `food` and tables [[pk.model]], [pd] with tables [[pd.model]], each with keys
        `population`, `file`, `rules`, `of_record`, `note`.
    folder : Path or None
        Where the agonist file stands; None for those shipped.
    """
    pk, pd = top.table("pk"), top.table("pd")
    route = pk.text("route", expected='how patients take it, such as "oral"') if pk else None
    food = pk.text("food", expected="what a meal does, in words") if pk else None
    tables = [(table, covers) for section, covers in ((pk, Covers.PLASMA), (pd, Covers.PLATELETS)) if section
              for table in section.tables("model")]  # fmt: skip
    models = [model for table, covers in tables if (model := _model(table, covers=covers, folder=folder)) is not None]
    for section in (pk, pd):
        if section:
            section.close()
    _one_of_record(top, models)
    return PatientSections(route=route, food=food, models=tuple(models))


def _model(table: TableReader, *, covers: Covers, folder: Path | None) -> AgonistModel | None:
    population = table.text("population", expected="whom the model describes", example='population = "itp"')
    file = table.text("file", expected="a model file, or the name of a shipped model", example=EXAMPLE_FILE)
    rules = table.texts("rules", expected="a list of titration files, or names of shipped rules")
    note = table.text("note", expected="a sentence")
    of_record = _yes_or_no(table, "of_record", default=True)
    table.close()
    if file is not None:
        _check_name(table, "file", file, folder=folder, shipped=is_shipped_model(file), known=shipped_models())
    for rule in rules:
        _check_name(table, "rules", rule, folder=folder, shipped=is_shipped_rule(rule), known=shipped_rules())
    if population is None or file is None:
        return None
    return AgonistModel(population=population, covers=covers, file=file, rules=rules, of_record=of_record, note=note, folder=folder)


def _yes_or_no(table: TableReader, key: str, *, default: bool) -> bool:
    value = table.flag(key, expected="true or false")
    return default if value is None else value


def _check_name(table: TableReader, key: str, text: str, *, folder: Path | None, shipped: bool, known: tuple[str, ...]) -> None:
    """Note a fault where a name is neither shipped nor a file that exists."""
    if is_file_name(text):
        if not ((folder or Path()) / text).is_file():
            expected = "a file; paths are relative to the agonist file"
            table.fault(
                key, found=f'"{text}", which is no file', expected=expected, cure="Correct the path, or put the file there."
            )
    elif not shipped:
        otherwise = "Give the path of a file of your own, which ends in .toml."
        expected = f"a path that ends in .toml, or a shipped one: {', '.join(known)}"
        table.fault(key, found=f'the name "{text}"', expected=expected, cure=did_you_mean(text, list(known), otherwise=otherwise))


def _one_of_record(top: TableReader, models: list[AgonistModel]) -> None:
    """Note a fault where two models of the same reach claim one population."""
    seen: set[tuple[str, Covers]] = set()
    for model in models:
        claim = (model.population.casefold(), model.covers)
        if model.of_record and claim in seen:
            section = "pk" if model.covers is Covers.PLASMA else "pd"
            top.fault(
                section,
                found=f'two models of record for "{model.population}"',
                expected="one for each population",
                cure="Write of_record = false in all but one.",
            )
        if model.of_record:
            seen.add(claim)
