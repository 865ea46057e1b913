"""One draw of a frozen set, put into a patient model: thetas, variances and shares change, the equations do not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from thrombokit.domain.parameter_set import ParameterSet
from thrombokit.errors import Fault, SpecError, raise_all
from thrombokit.numerics.arrays import frozen
from thrombokit.patients.calibration.observed_arm import EXCLUSION_D, RESCUE_APART_D, RESCUE_ONSET_D
from thrombokit.patients.calibration.virtual_patients import REMISSION_COUNT_1E9_PER_L, REMISSION_WITHIN_D
from thrombokit.patients.fluctuation import Fluctuation
from thrombokit.patients.model import PatientModel
from thrombokit.patients.remission import Remission
from thrombokit.patients.rescue import Rescue


def apply_draw(model: PatientModel, parameters: ParameterSet, index: int) -> PatientModel:
    """The model with one joint draw of a set.

    Raises
    ------
    SpecError
        For every column that the model has no place for: a set belongs to the model it names.
    """
    draw = parameters.draw(index)
    theta = {name.removeprefix("theta."): value for name, value in draw.items() if name.startswith("theta.")}
    omega = {name.removeprefix("omega."): value for name, value in draw.items() if name.startswith("omega.")}
    share = {name.removeprefix("share."): value for name, value in draw.items() if name.startswith("share.")}
    single = {block.names[0] for block in model.omega if len(block.names) == 1}
    unknown = [*(f"theta.{n}" for n in theta if n not in model.theta), *(f"omega.{n}" for n in omega if n not in single),
               *(f"share.{n}" for n in share if n not in {mixture.name for mixture in model.mixtures})]  # fmt: skip
    raise_all([
        Fault(place=f"parameter set {parameters.name}, column {name}", found=f"no such value in {model.file}",
              expected=f"the model {parameters.model}", cure="Use the set with the model it was fitted with.")
        for name in unknown
    ], SpecError)  # fmt: skip
    blocks = tuple(replace(b, matrix=frozen(np.array([[omega[b.names[0]]]]))) if b.names[0] in omega else b for b in model.omega)
    mixtures = tuple(replace(m, shares=(share[m.name], 1.0 - share[m.name])) if m.name in share else m for m in model.mixtures)
    return replace(model.with_theta(theta), omega=blocks, mixtures=mixtures)


def fluctuation_of(parameters: ParameterSet, index: int) -> Fluctuation:
    """How counts fluctuate in one draw."""
    draw = parameters.draw(index)
    return Fluctuation(log_sd=draw["observation.log_sd"], correlation_time_d=draw["observation.correlation_time_d"])


def rescue_of(parameters: ParameterSet, index: int) -> Rescue:
    """Rescue in one draw; its onset, and how soon it may be repeated, are as in the fit."""
    draw = parameters.draw(index)
    return Rescue(
        threshold_1e9_per_L=draw["rescue.threshold_1e9_per_L"], hazard_per_d=draw["rescue.hazard_per_d"],
        added_1e9_per_L=draw["rescue.added_1e9_per_L"], duration_d=max(draw["rescue.duration_d"], RESCUE_ONSET_D),
        onset_d=RESCUE_ONSET_D, apart_d=RESCUE_APART_D, exclusion_d=EXCLUSION_D,
    )  # fmt: skip


def remission_of(parameters: ParameterSet, index: int) -> Remission:
    """The class of lasting remission in one draw; its count and its days are as in the fit."""
    share = parameters.draw(index)["remission.share"]
    return Remission(share=share, count_1e9_per_L=REMISSION_COUNT_1E9_PER_L, within_d=REMISSION_WITHIN_D)
