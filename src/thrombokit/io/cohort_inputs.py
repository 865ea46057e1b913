"""What a cohort is run with, by name: the model of an agonist, its own rule or another, a dose in words. Read here, run elsewhere."""

from __future__ import annotations

from pathlib import Path

from thrombokit.agonists.library import model_path_of, rule_path_of, shipped_models
from thrombokit.agonists.load import load_agonist
from thrombokit.domain.agonist import Agonist, AgonistModel, Covers
from thrombokit.domain.toml_text import read_toml
from thrombokit.errors import Fault, SpecError, raise_all
from thrombokit.io.patient_models import MODEL_SCHEMA, load_model
from thrombokit.io.titrations import load_titration
from thrombokit.patients.fixed_dose import FixedDose
from thrombokit.patients.model import PatientModel
from thrombokit.patients.regimen import PER_KG, parse_dose_line
from thrombokit.patients.titration import Titration
from thrombokit.quantities import DOSE_UNITS_mg, dose_unit

DEFAULT_REGIMEN, PLACEBO = "default", "placebo"
"""The agonist's own rule; a dose of 0 every day."""
_PLACE = "cohort, regimen"
WEEK_h, JUST_AFTER_h = 168.0, 1e-6

AgonistLike = Agonist | PatientModel | str | Path
RegimenLike = Titration | FixedDose | str | Path


def cohort_model(agonist: AgonistLike, population: str) -> tuple[PatientModel, str | Path | None]:
    """The model of an agonist in a population, and the rule that goes with it, where there is one.

    Parameters
    ----------
    agonist : Agonist, PatientModel, name or path
        As in `simulate_cohort`.
    population : str
        Such as "itp".

    Raises
    ------
    InputError
        If there is no such agonist or file, or no model of it that reaches the platelets of that population.
    """
    if isinstance(agonist, PatientModel):
        return agonist, None
    if not isinstance(agonist, Agonist) and names_a_model(agonist):
        return load_model(agonist), _rule_of_model(str(agonist))
    known = agonist if isinstance(agonist, Agonist) else load_agonist(agonist)
    found = known.model_for(population)
    if found is None or found.covers is Covers.PLASMA:
        raise SpecError(_no_model(known, population, found))
    return load_model(model_path_of(found)), rule_path_of(found)


def names_a_model(agonist: AgonistLike) -> bool:
    """Whether this is a model, the name of a shipped one, or the path of a model file; otherwise it is an agonist."""
    if isinstance(agonist, PatientModel | Agonist):
        return isinstance(agonist, PatientModel)
    if str(agonist) in shipped_models():
        return True
    path = Path(agonist)
    return path.suffix.casefold() == ".toml" and path.is_file() and read_toml(path).values.get("schema") == MODEL_SCHEMA


def _rule_of_model(name: str) -> Path | None:
    """The rule that a shipped agonist names beside a model that was asked for by its own name."""
    agonist = name.split("-")[0]
    models: tuple[AgonistModel, ...] = load_agonist(agonist).models if name in shipped_models() else ()
    found = next((model for model in models if model.file == name), None)
    return rule_path_of(found) if found is not None else None


def _no_model(agonist: Agonist, population: str, found: AgonistModel | None) -> Fault:
    known = sorted({model.population for model in agonist.models if model.of_record and model.covers is not Covers.PLASMA})
    what = "a model of plasma alone" if found is not None else "no model"
    return Fault(
        place=f"{agonist.name}, population {population}", found=what,
        expected=f"a model that reaches the platelets; there is one for {', '.join(known)}" if known else "a model of platelet counts",
        cure="Take another population (Cohort(population=...)), or a model file of your own.",
    )  # fmt: skip


def cohort_regimen(regimen: RegimenLike, model: PatientModel, rule_file: str | Path | None) -> Titration | FixedDose:
    """A regimen for that model.

    Parameters
    ----------
    regimen : str, path, Titration or FixedDose
        As in `simulate_cohort`.
    model : PatientModel
    rule_file : str, path or None
        What "default" means.

    Raises
    ------
    InputError
        If there is no such rule or file, or a dose in words does not fit the model.
    """
    if isinstance(regimen, Titration | FixedDose):
        return regimen
    if regimen == DEFAULT_REGIMEN:
        if rule_file is None:
            raise SpecError(
                Fault(place=_PLACE, found=f'"{DEFAULT_REGIMEN}" for {model.file}, which has no rule of its own',
                      expected="a rule or a dose", cure='Name a rule, a titration file, or a dose such as "50 mg once daily".')
            )  # fmt: skip
        return load_titration(rule_file)
    if regimen == PLACEBO:
        return FixedDose(amount=0.0)
    if isinstance(regimen, str) and " " in regimen.strip() and not regimen.casefold().endswith(".toml"):
        return _dose_in_words(regimen, model)
    return load_titration(regimen)


def _dose_in_words(text: str, model: PatientModel) -> FixedDose:
    """ "50 mg once daily until day 27" in the model's unit of amount."""
    line = parse_dose_line(text, place=_PLACE)
    mass, per_kg = line.unit.removesuffix(PER_KG), line.unit.endswith(PER_KG)
    of_model = model.units.amount.replace(" ", "").casefold()
    known = dose_unit(of_model.removesuffix(PER_KG))
    faults: list[Fault] = []
    if known is None or per_kg != of_model.endswith(PER_KG):
        faults.append(Fault(place=_PLACE, found=f"a dose in {line.unit} for amounts in {model.units.amount} ({model.file})",
                            expected=f"a dose in {model.units.amount}", cure="Write the dose so; patients differ in weight."))  # fmt: skip
    if line.fed:
        faults.append(Fault(place=_PLACE, found="a dose with food", expected="food among the covariates of the cohort",
                            cure='Leave it out here, and say Cohort(covariates={"FED": 1.0}).'))  # fmt: skip
    raise_all(faults, SpecError)
    amount = line.amount * float(DOSE_UNITS_mg[mass] / DOSE_UNITS_mg[str(known)])
    last_h = line.until_h if line.every_h > 0.0 else line.from_h
    return FixedDose(
        amount=amount, every_h=line.every_h or WEEK_h, first_h=line.from_h, until_h=last_h + JUST_AFTER_h, compartment=line.compartment,
        rate=amount / line.infusion_h if line.infusion_h > 0.0 else 0.0,
    )  # fmt: skip
