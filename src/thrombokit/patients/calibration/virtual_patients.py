"""The virtual patients of one trial: the same random numbers for every draw of the parameters.

With common random numbers two draws differ by their parameters alone, and what does not depend on the parameters (plasma, the chain of
precursors, how long platelets live) is computed once. Patients are admitted as in the trial: by their measured count at day 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from thrombokit.numerics.arrays import Array, BoolArray, FrozenArrays, frozen
from thrombokit.numerics.stratified_draws import stratified_normals, stratified_uniforms
from thrombokit.numerics.streams import stream

ENTRY_BELOW_1E9_PER_L = 30.0
BASELINE_MEDIAN_1E9_PER_L = 15.3
BASELINE_LOG_VARIANCE = 0.53
"""Of measured counts before admission: those below 30e9/L then have a median of 13, and 34 % are below 10 (Mei 2021, Table 1)."""
LEAST_LEVEL_VARIANCE = 0.05
"""Of patients' own levels: what fluctuation leaves of BASELINE_LOG_VARIANCE is never less."""
LIFE_MEDIANS_D = (1.20, 3.15)
LIFE_LOG_SD = 0.7543
LOW_PRODUCTION_SPREAD = 0.688
SHORT_LIFE_SHARE = 0.58
"""Platelet life in two groups from isotopes, never fitted: Louwes 1999, doi:10.1016/s0002-9343(99)00054-6, as in the model files."""
LONGEST_LIFE_D = 205.0 / 24.0
"""Nobody's platelets live longer than healthy ones: Harker 2000, Blood 95(8):2514."""
REMISSION_COUNT_1E9_PER_L = 150.0
REMISSION_WITHIN_D = 182.0
"""A persistent remission (assumed) brings the level to 150e9/L on a day of the first half year."""


@dataclass(frozen=True, kw_only=True, eq=False)
class VirtualPatients(FrozenArrays):
    """Random numbers of m candidates for one trial with n visits.

    `level` and `effect`: normal, of a patient's own level and of what the drug does in him; `life_d` of his platelets; `class_rank`,
    `remission_rank`: uniform, below a share for those of a class; `remission_d` the day of a remission; `normals` (m, n, 3) and
    `uniforms` (m, n) for fluctuation, assay and rescue; `etas` (m, 6) further normal numbers, for the plasma model.
    """

    level: Array
    effect: Array
    life_d: Array
    class_rank: Array
    remission_rank: Array
    remission_d: Array
    normals: Array
    uniforms: Array
    etas: Array

    @property
    def n(self) -> int:
        """How many candidates."""
        return self.level.size


def draw_patients(seed: int, trial: str, n: int, n_visits: int) -> VirtualPatients:
    """`n` candidates of a trial with `n_visits` visits."""
    rng = stream(seed, "calibration", trial, n)
    normals, uniforms = stratified_normals(rng, n, 9), stratified_uniforms(rng, n, 4)
    is_short = uniforms[:, 0] < SHORT_LIFE_SHARE
    short = LIFE_MEDIANS_D[0] * np.exp(LIFE_LOG_SD * normals[:, 2])
    low = LIFE_MEDIANS_D[1] * np.exp(LIFE_LOG_SD * LOW_PRODUCTION_SPREAD * normals[:, 2])
    observed = stratified_normals(rng, n, 3 * n_visits).reshape(n, n_visits, 3)
    return VirtualPatients(
        level=frozen(normals[:, 0]), effect=frozen(normals[:, 1]), life_d=frozen(np.where(is_short, short, low)),
        class_rank=frozen(uniforms[:, 1]), remission_rank=frozen(uniforms[:, 2]), remission_d=frozen(uniforms[:, 3] * REMISSION_WITHIN_D),
        normals=np.ascontiguousarray(observed), uniforms=stratified_uniforms(rng, n, n_visits), etas=frozen(normals[:, 3:9]),
    )  # fmt: skip


def level_variance(log_sd: float) -> float:
    """Variance of patients' own levels (log) that, with the fluctuation, gives the published spread of measured counts."""
    return max(BASELINE_LOG_VARIANCE - log_sd**2, LEAST_LEVEL_VARIANCE)


def own_levels(patients: VirtualPatients, log_sd: float) -> Array:
    """Each candidate's own level without treatment, 1e9/L."""
    return BASELINE_MEDIAN_1E9_PER_L * np.exp(math.sqrt(level_variance(log_sd)) * patients.level)


def remitted(patients: VirtualPatients, latent: Array, visits_d: Array, share: float) -> Array:
    """The counts (m, n) with the level of remission from the day of it on, in a `share` of the candidates."""
    comes = (patients.remission_rank < share)[:, None] & (visits_d[None, :] >= patients.remission_d[:, None])
    return np.where(comes, np.maximum(latent, REMISSION_COUNT_1E9_PER_L), latent)


def admitted(measured: Array) -> BoolArray:
    """Who enters: measured (m, n) below 30e9/L at the first visit."""
    return measured[:, 0] < ENTRY_BELOW_1E9_PER_L
