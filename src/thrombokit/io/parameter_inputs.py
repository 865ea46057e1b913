"""Frozen parameter sets by name, with the models they were fitted with: "calibrated", one set, or several of equal weight."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from thrombokit.agonists.load import load_agonist
from thrombokit.agonists.parameter_sets import load_parameter_set, shipped_parameter_sets
from thrombokit.domain.agonist import Agonist
from thrombokit.domain.parameter_set import ParameterSet
from thrombokit.errors import Fault, InputError, SpecError, raise_all
from thrombokit.io.cohort_inputs import AgonistLike, cohort_model, names_a_model
from thrombokit.io.patient_models import load_model
from thrombokit.patients.calibration.frozen_draw import apply_draw
from thrombokit.patients.drawn_cohort import DrawnModel
from thrombokit.patients.model import PatientModel

CALIBRATED = "calibrated"
"""All posterior sets of the model at hand: for hetrombopag's model of record both readings of its first trial in patients."""
POSTERIOR = "posterior"

ParametersLike = str | ParameterSet | Sequence[str | ParameterSet]


def drawn_models(
    agonist: AgonistLike, parameters: ParametersLike, population: str
) -> tuple[tuple[DrawnModel, ...], str | Path | None]:
    """Sets with their models, and the rule that goes with the agonist.

    Parameters
    ----------
    agonist : Agonist, PatientModel, name or path
        As in `simulate_cohort`. An agonist takes each set with that set's own model; a model takes sets that were fitted with it.
    parameters : str, ParameterSet, or several of them
        "calibrated", or names of frozen sets (`shipped_parameter_sets()`).
    population : str

    Raises
    ------
    InputError
        Every set that does not exist or does not belong to agonist, model or population, in one pass.
    """
    model, rule = cohort_model(agonist, population)
    if isinstance(parameters, str) and parameters.casefold() == CALIBRATED:
        return calibrated_models(model), rule
    asked = [parameters] if isinstance(parameters, str | ParameterSet) else list(parameters)
    faults: list[Fault] = []
    found: list[DrawnModel] = []
    for one in asked:
        try:
            found.append(drawn_model(agonist, model, one, population))
        except InputError as error:
            faults += error.faults
    if not asked:
        faults.append(Fault(place="parameters", found="no set", expected='"calibrated", or names of frozen sets', cure="Name one."))
    raise_all(faults, SpecError)
    return tuple(found), rule


def one_drawn_model(agonist: AgonistLike, parameters: ParametersLike, population: str) -> tuple[DrawnModel, str | Path | None]:
    """The one set that a single draw is taken from.

    Raises
    ------
    InputError
        As `drawn_models`; also if there are several sets.
    """
    models, rule = drawn_models(agonist, parameters, population)
    if len(models) != 1:
        names = ", ".join(one.parameters.name for one in models)
        raise SpecError(Fault(place="parameters", found=f"{len(models)} sets for a single draw", expected="the name of one set",
                              cure=f"Name one ({names}), or take many draws."))  # fmt: skip
    return models[0], rule


def calibrated_models(model: PatientModel) -> tuple[DrawnModel, ...]:
    """The posterior sets that were fitted with a model, in alphabetical order.

    Raises
    ------
    SpecError
        If there is none; names the models that have some.
    """
    sets = [load_parameter_set(name) for name in shipped_parameter_sets()]
    posterior = [one for one in sets if one.kind == POSTERIOR and one.model]
    found = tuple(DrawnModel(parameters=one, model=model) for one in posterior if _was_fitted_with(one, model))
    if not found:
        known = ", ".join(dict.fromkeys(one.model for one in posterior))
        raise SpecError(Fault(place=f"{model.file}, parameters", found="no frozen set that was fitted with it",
                              expected=f"one of {known}, as shipped", cure="Leave parameters out: the file's own values hold."))  # fmt: skip
    return found


def drawn_model(agonist: AgonistLike, model: PatientModel, named: str | ParameterSet, population: str) -> DrawnModel:
    """One set with its model.

    Parameters
    ----------
    agonist : Agonist, PatientModel, name or path
    model : PatientModel
        Of that agonist in that population.
    named : str or ParameterSet
    population : str

    Raises
    ------
    InputError
        If there is no such set, or it does not belong to agonist, model or population.
    """
    parameters = load_parameter_set(named) if isinstance(named, str) else named
    place = f"parameter set {parameters.name}"
    if not parameters.model:
        raise SpecError(Fault(place=place, found="a set without a model: it holds what moves counts without a drug", expected="a set of a drug",
                              cure="Name another; shipped_parameter_sets() lists them."))  # fmt: skip
    if parameters.population.casefold() != population.casefold():
        raise SpecError(Fault(place=place, found=f'a cohort of "{population}"', expected=f'"{parameters.population}", whom it was fitted to',
                              cure="Take that population, or leave the set out."))  # fmt: skip
    if names_a_model(agonist):
        if not _was_fitted_with(parameters, model):
            raise SpecError(Fault(place=place, found=f"the model {model.file}", expected=f"{parameters.model}, with which it was fitted",
                                  cure="Take that model, or a set of this one."))  # fmt: skip
        return DrawnModel(parameters=parameters, model=model)
    name = agonist.name if isinstance(agonist, Agonist) else load_agonist(str(agonist)).name
    if name.casefold() != parameters.agonist.casefold():
        raise SpecError(Fault(place=place, found=f"the agonist {name}", expected=parameters.agonist,
                              cure="Take that agonist, or a set of this one."))  # fmt: skip
    return DrawnModel(parameters=parameters, model=load_model(parameters.model))


def _was_fitted_with(parameters: ParameterSet, model: PatientModel) -> bool:
    """Whether a draw makes of this model what it makes of the shipped one: they differ in calibrated values alone."""
    shipped = load_model(parameters.model)
    if shipped.structure_hash != model.structure_hash:
        return False
    return apply_draw(model, parameters, 0).hash == apply_draw(shipped, parameters, 0).hash
