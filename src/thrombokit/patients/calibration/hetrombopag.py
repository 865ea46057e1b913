"""Step 4: hetrombopag by a virtual effect site, on the disease of steps 2 and 3: first V8 (healthy rises), then V9 (shares in patients).

Free: THETA (drive of 5 mg a day), GAMMA (power of the dose), IIV (SD of the log drive between patients), HALFLIFE (at 5 mg). TRANSFER is
eltrombopag's times a log-normal factor. V9 is fitted under two readings, as two models of prior weight 1/2 each that no fit ever reweighs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from thrombokit.evidence.scenarios import CalibrationRow, OutcomeKind, calibration_rows
from thrombokit.numerics.arrays import Array, FrozenArrays
from thrombokit.numerics.importance_resampling import resample, weigh
from thrombokit.numerics.streams import stream
from thrombokit.patients.calibration.arm_likelihood import log_mean_binomial, share_below
from thrombokit.patients.calibration.drug_free import ArmScore, Step, log_uniform
from thrombokit.patients.calibration.effect_site import (
    HALFLIFE_RANGE_H,
    STRETCH_H,
    chain_counts,
    chain_inflow,
    halflife_at,
    mean_drive,
    reading_matrix,
)
from thrombokit.patients.calibration.eltrombopag_arms import HEALTHY_LIFE_D
from thrombokit.patients.calibration.latent_counts import KIN_HEALTHY, Structure, linear_counts, saturable_counts
from thrombokit.patients.calibration.observed_arm import RESPONSE_1E9_PER_L, drug_free_of, observe
from thrombokit.patients.calibration.particles import Particles
from thrombokit.patients.calibration.virtual_patients import VirtualPatients, draw_patients, own_levels, remitted

HETROMBOPAG_NAMES = ("theta", "gamma", "iiv", "halflife_h")
PRIOR_WORDS = {
    "theta": "log-uniform, 0.1 to 20",
    "gamma": "uniform, 0.2 to 2",
    "iiv": "log-normal, median 0.582 (63.5 % on CL/F), log SD 0.3",
    "halflife_h": "log-uniform, 12 to 40 h at 5 mg",
}
SHARED_DRIFT_SD_POINTS = 4.0
HEALTHY_COUNT_CV = 0.0923
TRANSFER_FACTOR_SD = 0.5
SATURABLE_STEP_H = 12.0
"""Step of the counts with saturable removal: within half a percent of steps of 6 h."""


class Reading(StrEnum):
    """How the first trial in patients is read: dosing stopped after 14 days, or went on to the count on day 28."""

    STOPPED = "stopped-day-14"
    DOSED = "dosed-to-day-28"

    @property
    def n_doses(self) -> int:
        """Daily doses before the count."""
        return 14 if self is Reading.STOPPED else 28


@dataclass(frozen=True, kw_only=True, eq=False)
class _FirstPatientArm(FrozenArrays):
    """One arm of V9; `weights` (m x n, n_stretches) turns a drive into counts at the visits, `inflow` (n_stretches + 1,) of the chain."""

    row: CalibrationRow
    patients: VirtualPatients
    visits_d: Array
    weights: Array
    inflow: Array


def draw_hetrombopag_prior(
    seed: int, disease: Particles, n: int, name: str, transfer_factor_sd: float = TRANSFER_FACTOR_SD
) -> Particles:
    """`n` draws: hetrombopag's own parameters beside draws of the disease (any number, taken at random)."""
    rng = stream(seed, "calibration", "hetrombopag", name, "prior")
    joint = disease.take(rng.integers(0, disease.n, n))
    return joint.joined({
        "theta": log_uniform(rng, 0.1, 20.0, n), "gamma": rng.uniform(0.2, 2.0, n),
        "iiv": 0.582 * np.exp(0.3 * rng.standard_normal(n)), "halflife_h": log_uniform(rng, *HALFLIFE_RANGE_H, n),
        "transfer": joint.column("transfer") * np.exp(transfer_factor_sd * rng.standard_normal(n)),
        "trial.day_of_rise": rng.integers(0, 2, n).astype(np.float64),
        "trial.after_rescue_v9": rng.integers(0, 2, n).astype(np.float64),
    })  # fmt: skip


def fit_hetrombopag(
    disease: Particles,
    structure: Structure,
    reading: Reading,
    seed: int,
    *,
    n_draws: int,
    n_patients: int,
    progress: Callable[[str], None],
    transfer_factor_sd: float = TRANSFER_FACTOR_SD,
) -> tuple[Step, Step]:
    """Both stages for one structure and one reading; `disease` are retained draws of step 3 under that structure."""
    name = f"{structure.value}/{reading.value}"
    rng = stream(seed, "calibration", "hetrombopag", name, "chain")
    prior = draw_hetrombopag_prior(seed, disease, 4 * n_draws, name, transfer_factor_sd)
    first = weigh_single_dose(prior, f"hetrombopag, {name}: V8")
    survivors = prior.take(resample(first.weighted.weights, n_draws, float(rng.random())))
    second = weigh_first_patients(survivors, structure, reading, seed,
                                  n_patients=n_patients, progress=progress)  # fmt: skip
    return first, second


def weigh_single_dose(draws: Particles, name: str) -> Step:
    """Draws weighed by V8: three mean rises of the same 15 people, with a drift that all three share."""
    rows = calibration_rows("V8")
    rises = np.array([float(row.arm.outcome(OutcomeKind.MEAN_RISE).result.value) for row in rows])
    n = float(rows[0].arm.n.value)
    own = 100.0 * HEALTHY_COUNT_CV * math.sqrt(2.0 / n)
    covariance = np.eye(rises.size) * own**2 + SHARED_DRIFT_SD_POINTS**2
    expected = single_dose_rises(draws, rows)
    off = rises[None, :] - expected
    logs = -0.5 * np.einsum("ij,jk,ik->i", off, np.linalg.inv(covariance), off)
    scores = tuple(_rise_score(row, off[:, a], math.sqrt(covariance[a, a]), rises[a]) for a, row in enumerate(rows))
    return Step(name=name, draws=draws, weighted=weigh(logs), arms=scores)


def _rise_score(row: CalibrationRow, off: Array, sd: float, rise: float) -> ArmScore:
    lower = np.array([0.5 * math.erfc(-x / (sd * math.sqrt(2.0))) for x in off])
    return ArmScore(
        label=f"V8, {row.arm.name}, rise", published=f"{rise:g} %", k=0, n=0, log_likelihood=np.zeros(off.size), share=lower
    )


def single_dose_rises(draws: Particles, rows: tuple[CalibrationRow, ...]) -> Array:
    """Mean rise (%) on the day of the count after one dose with each arm's effective share of it, shape (n_draws, n_arms)."""
    days = [float(choice[0]) for choice in rows[0].scenario.design["visits_d"].choices]
    n_stretches = round(24.0 * max(days) / STRETCH_H)
    counts = chain_counts(np.array([HEALTHY_LIFE_D]), n_stretches)
    per_day = [reading_matrix(counts, np.array([24.0 * day]), n_stretches)[0, 0] / (24.0 * HEALTHY_LIFE_D) for day in days]
    columns = {name: draws.column(name) for name in (*HETROMBOPAG_NAMES, "trial.day_of_rise")}
    out, drive = np.empty((draws.n, len(rows))), np.empty(n_stretches)
    for j in range(draws.n):
        weights = per_day[int(columns["trial.day_of_rise"][j])]
        typical = 100.0 * columns["theta"][j] * math.exp(0.5 * columns["iiv"][j] ** 2)
        for a, row in enumerate(rows):
            dose = float(row.arm.dose_mg.value)
            share = float(row.arm.outcome(OutcomeKind.EFFECTIVE_SHARE).result.value)
            mean_drive(dose * share, 1, halflife_at(dose, columns["halflife_h"][j]), columns["gamma"][j], STRETCH_H, drive)
            out[j, a] = typical * float(weights @ drive)
    return out


def weigh_first_patients(
    draws: Particles, structure: Structure, reading: Reading, seed: int, *, n_patients: int, progress: Callable[[str], None]
) -> Step:
    """Draws weighed by V9 under one reading: binomial shares of three small arms."""
    name = f"hetrombopag, {structure.value}/{reading.value}: V9"
    progress(f"{name}: {draws.n} draws")
    arms = [_first_patient_arm(row, seed, n_patients) for row in calibration_rows("V9")]
    logs, shares = np.empty((len(arms), draws.n)), np.empty((len(arms), draws.n))
    for j in range(draws.n):
        draw = dict(zip(draws.names, draws.values[j].tolist(), strict=True))
        for a, arm in enumerate(arms):
            shares[a, j] = _share_above(arm, structure, reading, draw)
            logs[a, j] = log_mean_binomial(arm.row.outcomes[0].result.choices, shares[a, j])
    scores: list[ArmScore] = []
    for a, arm in enumerate(arms):
        k, n = arm.row.outcomes[0].result.value
        scores.append(
            ArmScore(label=f"V9, {arm.row.arm.name}", published=f"{k} of {n}", k=k, n=n, log_likelihood=logs[a], share=shares[a])
        )
    return Step(name=name, draws=draws, weighted=weigh(logs.sum(axis=0)), arms=tuple(scores))


def _first_patient_arm(row: CalibrationRow, seed: int, n_patients: int) -> _FirstPatientArm:
    visits_d = np.array(row.scenario.design["visits_d"].value, dtype=np.float64)
    patients = draw_patients(seed, f"V9/{row.arm.name}", n_patients, visits_d.size)
    n_stretches = round(24.0 * float(visits_d[-1]) / STRETCH_H)
    weights = reading_matrix(chain_counts(patients.life_d, n_stretches), 24.0 * visits_d, n_stretches)
    return _FirstPatientArm(row=row, patients=patients, visits_d=visits_d, weights=weights.reshape(-1, n_stretches),
                            inflow=chain_inflow(n_stretches))  # fmt: skip


def _share_above(arm: _FirstPatientArm, structure: Structure, reading: Reading, draw: Mapping[str, float]) -> float:
    moves = drug_free_of({**draw, "trial.after_rescue": draw["trial.after_rescue_v9"]})
    patients, visits_d, dose = arm.patients, arm.visits_d, float(arm.row.arm.dose_mg.value)
    levels = own_levels(patients, moves.log_sd)
    spread = math.hypot(draw["iiv"], draw["spread"])
    gain = draw["theta"] * draw["transfer"] * np.exp(spread * patients.effect) * (patients.class_rank >= draw["non_responders"])
    drive = np.empty(arm.weights.shape[1])
    mean_drive(dose, reading.n_doses, halflife_at(dose, draw["halflife_h"]), draw["gamma"], STRETCH_H, drive)
    latent = _counts(arm, structure, levels, gain, KIN_HEALTHY * drive)
    seen = observe(patients, remitted(patients, latent, visits_d, moves.remission_share), visits_d, moves)
    return 1.0 - share_below(seen.counted(visits_d.size - 1), RESPONSE_1E9_PER_L)


def _counts(arm: _FirstPatientArm, structure: Structure, levels: Array, gain: Array, production: Array) -> Array:
    """Latent counts (m, n) at the visits from what a gain of 1 adds to production in each stretch (1e9/L/h)."""
    n = arm.visits_d.size
    if structure is not Structure.SATURABLE:
        response = (arm.weights @ production).reshape(-1, n)
        return linear_counts(structure, levels, arm.patients.life_d, gain, response)
    inflow = np.convolve(production, arm.inflow)[: production.size + 1]
    out = np.empty((levels.size, n))
    coarser = inflow[:: round(SATURABLE_STEP_H / STRETCH_H)]
    reads = arm.visits_d * (24.0 / SATURABLE_STEP_H)
    saturable_counts(levels, arm.patients.life_d, gain, np.ascontiguousarray(coarser[None, :]), SATURABLE_STEP_H, reads, out)
    return out
