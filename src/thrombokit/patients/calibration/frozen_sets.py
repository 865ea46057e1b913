"""The chain's last draws as parameter sets, in the words of the model files."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from thrombokit.domain.parameter_set import ParameterSet, rounded
from thrombokit.numerics.arrays import Array, frozen
from thrombokit.patients.calibration.latent_counts import Structure
from thrombokit.patients.calibration.particles import Particles
from thrombokit.patients.calibration.virtual_patients import level_variance

HETROMBOPAG_MODELS = {
    Structure.ABSOLUTE: "hetrombopag-itp",
    Structure.EMAX: "hetrombopag-itp",
    Structure.SATURABLE: "hetrombopag-itp-saturable",
    Structure.RELATIVE: "hetrombopag-itp-relative",
}
ELTROMBOPAG_MODELS = {
    Structure.ABSOLUTE: "eltrombopag-itp",
    Structure.EMAX: "eltrombopag-itp-emax",
    Structure.SATURABLE: "eltrombopag-itp-saturable",
    Structure.RELATIVE: "eltrombopag-itp-relative",
}
_SHARED = (
    "observation.log_sd", "observation.correlation_time_d", "rescue.threshold_1e9_per_L", "rescue.hazard_per_d", "rescue.added_1e9_per_L",
    "rescue.duration_d", "remission.share",
)  # fmt: skip


def drug_free_columns(draws: Particles) -> dict[str, Array]:
    """Columns of the drug-free set."""
    return {name: draws.column(name) for name in _SHARED}


def eltrombopag_columns(draws: Particles, structure: Structure) -> dict[str, Array]:
    """Columns of an eltrombopag set; relative production has no transfer of its own, its slope is the product."""
    slope, transfer = draws.column("slope"), draws.column("transfer")
    is_relative = structure is Structure.RELATIVE
    theta = {"theta.SLOPE": slope * transfer} if is_relative else {"theta.SLOPE": slope, "theta.TRANSFER": transfer}
    return {**theta, "omega.ETA_SLOPE": draws.column("spread") ** 2, **_disease(draws)}


def hetrombopag_columns(draws: Particles) -> dict[str, Array]:
    """Columns of a hetrombopag set; the drive varies by its own IIV and by the spread seen with eltrombopag."""
    theta = {f"theta.{to}": draws.column(name) for name, to in (("theta", "THETA"), ("gamma", "GAMMA"), ("halflife_h", "HALFLIFE"))}
    spread = draws.column("iiv") ** 2 + draws.column("spread") ** 2
    return {**theta, "theta.TRANSFER": draws.column("transfer"), "omega.ETA_DRIVE": spread, **_disease(draws)}


def frozen_set(
    words: Mapping[str, str],
    columns: Mapping[str, Array],
    *,
    seed: int,
    inputs: Mapping[str, str],
    account: Mapping[str, float | str],
) -> ParameterSet:
    """A set from its columns; `words` are its name, agonist, population, structure, reading, kind, model and version."""
    return ParameterSet(**words, seed=seed, columns=tuple(columns), draws=frozen(rounded(np.column_stack(list(columns.values())))),
                        inputs=inputs, account=account)  # fmt: skip


def _disease(draws: Particles) -> dict[str, Array]:
    level = np.array([level_variance(sd) for sd in draws.column("observation.log_sd").tolist()])
    return {"omega.ETA_BASE": level, "share.RESPONSE": 1.0 - draws.column("non_responders"), **drug_free_columns(draws)}
