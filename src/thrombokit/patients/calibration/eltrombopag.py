"""Step 3: eltrombopag in ITP, under four structures of equal weight: first V3 (healthy rises), then V5 (shares and medians) from its survivors.

Three free parameters a structure: SLOPE (what a concentration does in healthy people), TRANSFER (how much of it carries to ITP) and SPREAD (SD
of the log effect between patients); the share of non-responders comes with its prior Beta(19, 81). Platelet life, plasma and maturation are
fixed from elsewhere. What moves counts without a drug comes from step 2, draw by draw.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from thrombokit.evidence.scenarios import OutcomeKind, calibration_rows
from thrombokit.numerics.arrays import Array, IntArray
from thrombokit.numerics.importance_resampling import resample, weigh
from thrombokit.numerics.streams import stream
from thrombokit.patients.calibration.arm_likelihood import log_mean_share_and_median, share_below
from thrombokit.patients.calibration.drug_free import ArmScore, Step, log_uniform
from thrombokit.patients.calibration.eltrombopag_arms import HealthyArm, PatientArm, healthy_arm, model_of, patient_arm
from thrombokit.patients.calibration.latent_counts import Structure, linear_counts, saturable_counts
from thrombokit.patients.calibration.observed_arm import ASSAY, RESPONSE_1E9_PER_L, drug_free_of, observe
from thrombokit.patients.calibration.particles import Particles
from thrombokit.patients.calibration.virtual_patients import own_levels, remitted
from thrombokit.patients.model import PatientModel

PATIENT_ROWS = ("V5/30 mg", "V5/50 mg", "V5/75 mg")
ELTROMBOPAG_NAMES = ("slope", "transfer", "spread", "non_responders")
PRIOR_WORDS = {
    "slope": "log-uniform, 0.05 to 4 mL/ug",
    "transfer": "log-uniform, 0.2 to 20",
    "spread": "log-normal, median 0.536, log SD 0.4",
    "non_responders": "Beta(19, 81)",
}
STOP_ABOVE_1E9_PER_L = 200.0


def draw_eltrombopag_prior(seed: int, structure: Structure, n: int) -> Particles:
    """`n` prior draws of one structure; `trial.*` are things the articles do not say."""
    rng = stream(seed, "calibration", "eltrombopag", structure.value, "prior")
    return Particles.of({
        "slope": log_uniform(rng, 0.05, 4.0, n), "transfer": log_uniform(rng, 0.2, 20.0, n),
        "spread": 0.536 * np.exp(0.4 * rng.standard_normal(n)), "non_responders": rng.beta(19.0, 81.0, n),
        "trial.healthy_visits": rng.integers(0, 2, n).astype(np.float64), "trial.healthy_n": rng.integers(0, 3, n).astype(np.float64),
        "trial.stopping": rng.integers(0, 2, n).astype(np.float64),
    })  # fmt: skip


def fit_eltrombopag(
    models: Mapping[str, PatientModel],
    structure: Structure,
    drug_free: Particles,
    seed: int,
    *,
    n_draws: int,
    n_patients: int,
    progress: Callable[[str], None],
) -> tuple[Step, Step]:
    """Both stages of one structure; `drug_free` are retained draws of step 2 (any number), taken in turn."""
    rng = stream(seed, "calibration", "eltrombopag", structure.value, "chain")
    prior = draw_eltrombopag_prior(seed, structure, n_draws)
    prior = prior.joined({name: drug_free.column(name)[rng.integers(0, drug_free.n, n_draws)] for name in drug_free.names})
    model = models[model_of(structure)]
    first = weigh_healthy(prior, structure, model, seed, n_patients=n_patients)
    survivors = prior.take(resample(first.weighted.weights, n_draws, float(rng.random())))
    fresh = {name: survivors.column(name)[rng.permutation(n_draws)] for name in ("transfer", "non_responders", "trial.stopping")}
    return first, weigh_patients(survivors.joined(fresh), structure, model, seed, n_patients=n_patients, progress=progress)


def weigh_healthy(draws: Particles, structure: Structure, model: PatientModel, seed: int, *, n_patients: int) -> Step:
    """Draws weighed by V3: the mean of the subjects' largest rises in each arm, normal with its own simulated error."""
    arms = [healthy_arm(row, model, seed, n_patients) for row in calibration_rows("V3")]
    logs, means = np.empty((len(arms), draws.n)), np.empty((len(arms), draws.n))
    for j in range(draws.n):
        draw = dict(zip(draws.names, draws.values[j].tolist(), strict=True))
        for a, arm in enumerate(arms):
            logs[a, j], means[a, j] = _healthy_log_likelihood(arm, draw)
    scores = tuple(
        ArmScore(
            label=f"V3, {arm.row.arm.name}, rise", published=f"{_rise(arm):g} %", k=0, n=0, log_likelihood=logs[a], share=means[a]
        )
        for a, arm in enumerate(arms)
    )
    return Step(name=f"eltrombopag, {structure.value}: V3", draws=draws, weighted=weigh(logs.sum(axis=0)), arms=scores)


def _rise(arm: HealthyArm) -> float:
    return float(arm.row.arm.outcome(OutcomeKind.LARGEST_RISE).result.value)


def _healthy_log_likelihood(arm: HealthyArm, draw: Mapping[str, float]) -> tuple[float, float]:
    """Log density of the published mean largest rise (%), and the probability of a lower one."""
    days = arm.visits[int(draw["trial.healthy_visits"])]
    n = arm.row.arm.n.choices[int(draw["trial.healthy_n"])]
    gain = draw["slope"] * np.exp(draw["spread"] * arm.patients.effect)
    errors = ASSAY.proportional_sd * arm.patients.normals[:, :, 0]
    counts = (1.0 + gain[:, None] * arm.rise[:, days.astype(np.int64)]) * (1.0 + errors[:, 1 : days.size + 1])
    largest = 100.0 * (counts.max(axis=1) / (1.0 + errors[:, 0]) - 1.0)
    mean, sd = float(largest.mean()), math.hypot(float(largest.std()) / math.sqrt(n), 0.3)
    z = (_rise(arm) - mean) / sd
    return -0.5 * z * z - math.log(sd), 0.5 * math.erfc(-z / math.sqrt(2.0))


def weigh_patients(
    draws: Particles, structure: Structure, model: PatientModel, seed: int, *, n_patients: int, progress: Callable[[str], None]
) -> Step:
    """Draws weighed by the active arms of V5: share of responders and median together."""
    progress(f"eltrombopag, {structure.value}: {draws.n} draws")
    arms = [patient_arm(row, model, seed, n_patients) for row in calibration_rows(*PATIENT_ROWS)]
    logs, shares, below = (np.empty((len(arms), draws.n)) for _ in range(3))
    for j in range(draws.n):
        draw = dict(zip(draws.names, draws.values[j].tolist(), strict=True))
        for a, arm in enumerate(arms):
            logs[a, j], shares[a, j], below[a, j] = _patient_log_likelihood(arm, structure, draw)
    scores: list[ArmScore] = []
    for a, arm in enumerate(arms):
        (k, n), median = arm.row.outcomes[0].result.choices[0], float(arm.row.arm.outcome(OutcomeKind.MEDIAN).result.value)
        label = f"V5, {arm.row.arm.name}"
        scores.append(ArmScore(label=label, published=f"{k} of {n}", k=k, n=n, log_likelihood=logs[a], share=shares[a]))
        scores.append(ArmScore(label=f"{label}, median", published=f"{median:g}e9/L", k=0, n=n, log_likelihood=np.zeros(draws.n),
                               share=below[a], is_median=True))  # fmt: skip
    return Step(name=f"eltrombopag, {structure.value}: V5", draws=draws, weighted=weigh(logs.sum(axis=0)), arms=tuple(scores))


def _patient_log_likelihood(arm: PatientArm, structure: Structure, draw: Mapping[str, float]) -> tuple[float, float, float]:
    moves, patients, visits_d = drug_free_of(draw), arm.patients, arm.visits_d
    levels = own_levels(patients, moves.log_sd)
    responds = patients.class_rank >= draw["non_responders"]
    gain = draw["slope"] * draw["transfer"] * np.exp(draw["spread"] * patients.effect) * responds
    seen = observe(
        patients, remitted(patients, _counts(arm, structure, levels, gain, -1), visits_d, moves.remission_share), visits_d, moves
    )
    if draw["trial.stopping"] > 0.0:
        high = seen.measured[:, 1:-1] > STOP_ABOVE_1E9_PER_L
        stops = np.where(high.any(axis=1), high.argmax(axis=1), visits_d.size - 2)
        latent = _counts(arm, structure, levels, gain, stops)
        seen = observe(patients, remitted(patients, latent, visits_d, moves.remission_share), visits_d, moves)
    counted = seen.counted(visits_d.size - 1)
    median = float(arm.row.arm.outcome(OutcomeKind.MEDIAN).result.value)
    counts = arm.row.outcomes[0].result.choices
    log_likelihood = log_mean_share_and_median(counts, median, RESPONSE_1E9_PER_L, counted)
    return log_likelihood, 1.0 - share_below(counted, RESPONSE_1E9_PER_L), share_below(counted, median)


def _counts(arm: PatientArm, structure: Structure, levels: Array, gain: Array, stops: int | IntArray) -> Array:
    """Latent counts (m, n) at the visits; `stops` is the visit after which no dose came, one for all or each patient's."""
    everyone, ended = np.arange(levels.size), np.broadcast_to(np.asarray(stops, dtype=np.int64), levels.shape)
    days = arm.visits_d.astype(np.int64)
    if structure is not Structure.SATURABLE:
        response = arm.counts[ended, everyone][:, days]
        return linear_counts(structure, levels, arm.patients.life_d, gain, response)
    out = np.empty((levels.size, days.size))
    saturable_counts(
        levels, arm.patients.life_d, gain, np.ascontiguousarray(arm.inflow[ended, everyone]), 24.0, days.astype(np.float64), out
    )
    return out
