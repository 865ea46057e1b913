"""One simulated arm as the trial saw it: latent counts -> fluctuation, assay, rescue -> who was admitted and who counts as a responder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from thrombokit.numerics.arrays import Array, BoolArray, FrozenArrays
from thrombokit.patients.calibration.virtual_patients import VirtualPatients, admitted
from thrombokit.patients.fluctuation import Fluctuation, observation_program
from thrombokit.patients.model import Residual
from thrombokit.patients.observed_counts import observe_counts
from thrombokit.patients.rescue import Rescue, rescue_program

ASSAY = Residual(proportional_sd=0.093)
"""Error of a platelet count, as in the ITP model files."""
RESPONSE_1E9_PER_L, HIGHEST_RESPONSE_1E9_PER_L = 50.0, 400.0
AS_MEASURED, FAILURE = 0, 1
"""How a count after rescue is read: as measured, or as a failure for 28 days."""
EXCLUSION_D = 28.0
RESCUE_ONSET_D, RESCUE_APART_D = 2.0, 7.0
"""A rescue takes 2 days to its full effect and is not repeated within a week (assumed)."""


@dataclass(frozen=True, kw_only=True)
class DrugFree:
    """What moves counts without a drug, of one draw: see `drug_free.PRIORS`."""

    observation: Array
    rescue: Array
    log_sd: float
    remission_share: float
    after_rescue: int


def drug_free_of(draw: Mapping[str, float]) -> DrugFree:
    """From one draw by name."""
    rescue = Rescue(
        threshold_1e9_per_L=draw["rescue.threshold_1e9_per_L"], hazard_per_d=draw["rescue.hazard_per_d"],
        added_1e9_per_L=draw["rescue.added_1e9_per_L"], duration_d=max(draw["rescue.duration_d"], RESCUE_ONSET_D),
        onset_d=RESCUE_ONSET_D, apart_d=RESCUE_APART_D, exclusion_d=EXCLUSION_D,
    )  # fmt: skip
    moves = Fluctuation(log_sd=draw["observation.log_sd"], correlation_time_d=draw["observation.correlation_time_d"])
    return DrugFree(observation=observation_program(moves, ASSAY), rescue=rescue_program(rescue), log_sd=draw["observation.log_sd"],
                    remission_share=draw["remission.share"], after_rescue=int(draw["trial.after_rescue"]))  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class ObservedArm(FrozenArrays):
    """Measured counts (m, n) at the visits, who is admitted (m,), and where a count is not to be counted as a response (m, n)."""

    measured: Array
    enters: BoolArray
    barred: BoolArray

    def log_counts(self, visit: int) -> Array:
        """Logs of the admitted patients' counts at one visit."""
        return np.asarray(np.log(np.maximum(self.measured[self.enters, visit], 0.1)))

    def counted(self, visit: int) -> Array:
        """The same with those after rescue as very low, where that is how they are read."""
        counts = np.where(self.barred[self.enters, visit], 1.0, self.measured[self.enters, visit])
        return np.asarray(np.log(np.maximum(counts, 0.1)))

    def share_once(self) -> float:
        """Share of the admitted with a count of 50 to 400e9/L at some visit after the first, halves added so that it is never 0 or 1."""
        counts = self.measured[self.enters, 1:]
        good = (counts >= RESPONSE_1E9_PER_L) & (counts <= HIGHEST_RESPONSE_1E9_PER_L) & ~self.barred[self.enters, 1:]
        return (float(np.count_nonzero(good.any(axis=1))) + 0.5) / (good.shape[0] + 1.0)


def observe(patients: VirtualPatients, latent: Array, visits_d: Array, drug_free: DrugFree) -> ObservedArm:
    """The arm as seen; latent (m, n) in 1e9/L at `visits_d` (n,)."""
    true, measured, since = (np.empty_like(latent) for _ in range(3))
    latent = np.ascontiguousarray(latent)
    observe_counts(
        visits_d, latent, patients.normals, patients.uniforms, drug_free.observation, drug_free.rescue, true, measured, since
    )
    barred = np.zeros(latent.shape, np.bool_)
    if drug_free.after_rescue == FAILURE:
        barred[:, 1:] = since[:, :-1] + np.diff(visits_d)[None, :] <= EXCLUSION_D
    return ObservedArm(measured=measured, enters=admitted(measured), barred=barred)
