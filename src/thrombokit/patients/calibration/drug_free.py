"""Step 2: how counts move without a drug, from the placebo arms of three trials.

A patient's log count fluctuates about his own level (AR(1): SD, correlation time); low counts bring rescue (hazard below a threshold, an effect on
the count, a duration); a few remit for good. The placebo arms say something about the fluctuation and next to nothing about rescue: prior
and posterior of each are kept beside each other.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from thrombokit.evidence.scenarios import CalibrationRow, OutcomeKind, calibration_rows
from thrombokit.numerics.arrays import Array, FrozenArrays, IntArray
from thrombokit.numerics.importance_resampling import WeightedDraws, weigh
from thrombokit.numerics.streams import stream
from thrombokit.patients.calibration.arm_likelihood import log_mean_binomial, log_mean_share_and_median, share_below
from thrombokit.patients.calibration.observed_arm import RESPONSE_1E9_PER_L, DrugFree, drug_free_of, observe
from thrombokit.patients.calibration.particles import Particles
from thrombokit.patients.calibration.virtual_patients import VirtualPatients, draw_patients, own_levels, remitted

ROWS = ("V5/placebo", "V6/placebo", "V7/placebo")
DRUG_FREE_NAMES = (
    "observation.log_sd", "observation.correlation_time_d", "rescue.threshold_1e9_per_L", "rescue.hazard_per_d", "rescue.added_1e9_per_L",
    "rescue.duration_d", "remission.share", "trial.after_rescue", "trial.raise_visits",
)  # fmt: skip
PRIOR_WORDS = {
    "observation.log_sd": "uniform, 0.05 to 0.65",
    "observation.correlation_time_d": "log-uniform, 1 to 60 d",
    "rescue.threshold_1e9_per_L": "10, 20 or 30e9/L",
    "rescue.hazard_per_d": "log-uniform, 0.0005 to 0.1 /d",
    "rescue.added_1e9_per_L": "log-uniform, 20 to 200e9/L",
    "rescue.duration_d": "log-uniform, 7 to 35 d",
    "remission.share": "Beta(1, 40)",
    "trial.after_rescue": "0 as measured, 1 failure for 28 days",
    "trial.raise_visits": "0 every 4 weeks, 1 every 2 weeks after week 6",
}


def log_uniform(rng: np.random.Generator, low: float, high: float, n: int) -> Array:
    """`n` draws, uniform in the logarithm."""
    return np.exp(rng.uniform(math.log(low), math.log(high), n))


def draw_drug_free_prior(seed: int, n: int) -> Particles:
    """`n` draws of the prior; what the trials do not say is drawn with equal chances."""
    rng = stream(seed, "calibration", "drug-free", "prior")
    columns = (
        rng.uniform(0.05, 0.65, n), log_uniform(rng, 1.0, 60.0, n), rng.choice(np.array([10.0, 20.0, 30.0]), n),
        log_uniform(rng, 5e-4, 0.1, n), log_uniform(rng, 20.0, 200.0, n), log_uniform(rng, 7.0, 35.0, n), rng.beta(1.0, 40.0, n),
        rng.integers(0, 2, n).astype(np.float64), rng.integers(0, 2, n).astype(np.float64),
    )  # fmt: skip
    return Particles.of(dict(zip(DRUG_FREE_NAMES, columns, strict=True)))


@dataclass(frozen=True, kw_only=True, eq=False)
class ArmScore(FrozenArrays):
    """One published number beside the simulation: `log_likelihood` and `share` (of responders, or below a median) of each draw, (n,)."""

    label: str
    published: str
    k: int
    n: int
    log_likelihood: Array
    share: Array
    is_median: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Step:
    """One step of a chain: its draws, their weights, and what each arm said."""

    name: str
    draws: Particles
    weighted: WeightedDraws
    arms: tuple[ArmScore, ...]

    def weighed_at(self, places: IntArray) -> WeightedDraws:
        """Some of the draws, weighed among themselves by what their arms said."""
        return weigh(np.sum([arm.log_likelihood[places] for arm in self.arms], axis=0))


@dataclass(frozen=True, kw_only=True, eq=False)
class _PlaceboArm(FrozenArrays):
    row: CalibrationRow
    visits: tuple[Array, ...]
    patients: tuple[VirtualPatients, ...]


def fit_drug_free(seed: int, *, n_draws: int, n_patients: int, progress: Callable[[str], None]) -> Step:
    """Prior draws of the drug-free model, weighed by the three placebo arms."""
    draws = draw_drug_free_prior(seed, n_draws)
    return weigh_drug_free(draws, seed, n_patients=n_patients, progress=progress)


def weigh_drug_free(draws: Particles, seed: int, *, n_patients: int, progress: Callable[[str], None]) -> Step:
    """The given draws, weighed with `n_patients` simulated candidates an arm."""
    progress(f"drug-free: {draws.n} draws")
    arms = [_placebo_arm(row, seed, n_patients) for row in calibration_rows(*ROWS)]
    logs, shares = np.empty((len(arms), draws.n)), np.empty((len(arms) + 1, draws.n))
    for j in range(draws.n):
        draw = dict(zip(draws.names, draws.values[j].tolist(), strict=True))
        moves = drug_free_of(draw)
        for a, arm in enumerate(arms):
            logs[a, j], told = _placebo_log_likelihood(arm, moves, int(draw["trial.raise_visits"]))
            shares[a, j] = told[0]
            if len(told) > 1:
                shares[-1, j] = told[1]
    scores = [_score(arm.row, logs[a], shares[a]) for a, arm in enumerate(arms)]
    scores.append(_median_score(arms[0].row, shares[-1]))
    return Step(name="drug-free", draws=draws, weighted=weigh(logs.sum(axis=0)), arms=tuple(scores))


def _placebo_arm(row: CalibrationRow, seed: int, n_patients: int) -> _PlaceboArm:
    visits = tuple(np.array(choice, dtype=np.float64) for choice in row.scenario.design["visits_d"].choices)
    patients = tuple(draw_patients(seed, f"{row.row}/placebo/{v.size}", n_patients, v.size) for v in visits)
    return _PlaceboArm(row=row, visits=visits, patients=patients)


def _placebo_log_likelihood(arm: _PlaceboArm, moves: DrugFree, schedule: int) -> tuple[float, tuple[float, ...]]:
    choice = schedule if len(arm.visits) > 1 else 0
    visits_d, patients = arm.visits[choice], arm.patients[choice]
    levels = np.repeat(own_levels(patients, moves.log_sd)[:, None], visits_d.size, axis=1)
    seen = observe(patients, remitted(patients, levels, visits_d, moves.remission_share), visits_d, moves)
    kinds = {outcome.kind: outcome for outcome in arm.row.outcomes}
    if OutcomeKind.RESPONDERS_ONCE_TO_400 in kinds:
        share = seen.share_once()
        return log_mean_binomial(kinds[OutcomeKind.RESPONDERS_ONCE_TO_400].result.choices, share), (share,)
    counts = kinds[OutcomeKind.RESPONDERS].result.choices
    counted = seen.counted(visits_d.size - 1)
    share = 1.0 - share_below(counted, RESPONSE_1E9_PER_L)
    if OutcomeKind.MEDIAN not in kinds:
        return log_mean_binomial(counts, share), (share,)
    median = kinds[OutcomeKind.MEDIAN].result.value
    below = share_below(counted, median)
    return log_mean_share_and_median(counts, median, RESPONSE_1E9_PER_L, counted), (share, below)


def _score(row: CalibrationRow, logs: Array, shares: Array) -> ArmScore:
    (k, n), name = row.outcomes[0].result.choices[0], f"{row.row}, {row.arm.name}"
    return ArmScore(label=name, published=f"{k} of {n}", k=k, n=n, log_likelihood=logs, share=shares)


def _median_score(row: CalibrationRow, below: Array) -> ArmScore:
    outcome = next(outcome for outcome in row.outcomes if outcome.kind is OutcomeKind.MEDIAN)
    n = row.outcomes[0].result.choices[0][1]
    return ArmScore(label=f"{row.row}, {row.arm.name}, median", published=f"{outcome.result.value:g}e9/L", k=0, n=n,
                    log_likelihood=np.zeros(below.size), share=below, is_median=True)  # fmt: skip
