"""From the counts of a model to those of a trial's visits: fluctuation, rescue and assay, for doses that no count changes.

For fixed doses the model's counts at all visits are known before anything is observed, so this layer stands apart from the engines. Cohorts with
a titration do the same step by step in their own kernels.
"""

from __future__ import annotations

import math

from thrombokit.numerics.arrays import Array
from thrombokit.numerics.jit import kernel
from thrombokit.patients.fluctuation import assayed, next_fluctuation
from thrombokit.patients.rescue import rescue_happens, rescued_count


@kernel
def observe_counts(
    times_d: Array, latent: Array, normals: Array, uniforms: Array, observation: Array, rescue: Array,
    true: Array, measured: Array, since_rescue_d: Array,
) -> None:  # fmt: skip
    """Observe the counts of many patients at the visits of a trial.

    At a visit the count in the blood is latent x exp(fluctuation), with what earlier rescues do; the assay reads it; then the reading decides
    about rescue for the time since the visit before, given right after the sample and seen from the next visit on.

    Parameters
    ----------
    times_d : array of shape (n_visits,)
        Days of the visits, rising.
    latent : array of shape (n_patients, n_visits)
        Counts of the model, 1e9/L.
    normals : array of shape (n_patients, n_visits, 3)
        Standard normal draws: fluctuation, then two for the assay.
    uniforms : array of shape (n_patients, n_visits)
        Draws from [0, 1) that decide about rescue.
    observation : array of shape (OBSERVATION_SIZE,)
        From `observation_program`.
    rescue : array of shape (RESCUE_SIZE,)
        From `rescue_program`.
    true, measured : arrays of shape (n_patients, n_visits)
        Filled: the count in the blood and the reading, 1e9/L.
    since_rescue_d : array of shape (n_patients, n_visits)
        Filled: days since the last rescue once the visit has decided (0: rescued at this visit; inf: never).
    """
    log_sd, correlation_time_d = observation[0], observation[1]
    for i in range(latent.shape[0]):
        phi, rescued_d = 0.0, -math.inf
        for k in range(times_d.size):
            elapsed_d = times_d[k] - times_d[k - 1] if k > 0 else 0.0
            normal = normals[i, k, 0]
            phi = next_fluctuation(phi, elapsed_d, normal, log_sd, correlation_time_d) if k > 0 else log_sd * normal
            count = rescued_count(rescue, latent[i, k] * math.exp(phi), times_d[k] - rescued_d)
            read = assayed(count, normals[i, k, 1], normals[i, k, 2], observation[2], observation[3], observation[4])
            if rescue_happens(rescue, read, elapsed_d, times_d[k] - rescued_d, uniforms[i, k]):
                rescued_d = times_d[k]
            true[i, k], measured[i, k], since_rescue_d[i, k] = count, read, times_d[k] - rescued_d
