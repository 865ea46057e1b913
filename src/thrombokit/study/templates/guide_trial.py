"""A synthetic trial in ITP: placebo and two doses, weekly counts, rescue, drop-out, missed and unscheduled visits. Nobody was treated.

Each subject has a baseline, a lasting level that the dose moves or does not (one in six never responds), a rise over about two weeks, and counts that
swing about it. A low count may be rescued, which lifts counts for ten days; some leave, some miss visits, after the last dose counts fall back.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from thrombokit.numerics.streams import stream

ARMS: dict[str, float] = {"placebo": 0.0, "2.5 mg": 1.5, "5 mg": 1.9}
"""Arm -> rise of the logarithm of the count in those who respond."""
LAST_WEEK, FOLLOW_UP_WEEKS = 8, (10, 12)
NON_RESPONDERS = 1.0 / 6.0
SWING_SD, RISE_D, FALL_D = 0.45, 9.0, 5.0
RESCUE_BELOW_1e9_per_L, RESCUE_CHANCE, RESCUE_RISE, RESCUE_D = 12.0, 0.25, 1.3, 10.0
DROPOUT_PER_WEEK, MISSED, UNSCHEDULED = 0.015, 0.05, 0.06
REASONS = ("adverse event", "withdrew consent", "lack of effect")
README = """# A synthetic trial

Written by thrombokit, measured by nobody: `counts.csv` (subject, day from the first dose, count in 10^9/L, scheduled or not) and `subjects.csv` (arm,
sex, earlier splenectomy, rescue days, drop-out, last dose) of three arms over eight weeks and two later visits.
Analyse it with `thrombokit trials analyse counts.csv --subjects subjects.csv --estimands hetrombopag-phase3 --out results`.
"""


@dataclass(frozen=True, kw_only=True)
class SyntheticTrial:
    """`counts`: subject, day, count, unit, scheduled; `subjects`: one row each, arm and what happened."""

    counts: pl.DataFrame
    subjects: pl.DataFrame


@dataclass(frozen=True, kw_only=True)
class _Course:
    """One subject's rows and end."""

    rows: list[tuple[float, float, int]]
    rescues: list[float]
    dropout_d: float | None
    reason: str
    stop_d: float


def synthetic_trial(seed: int, *, per_arm: int = 40) -> SyntheticTrial:
    """Counts and subjects of `per_arm` synthetic subjects in each arm; the same seed gives the same trial."""
    counts: dict[str, list[str | float | int]] = {"subject": [], "day": [], "count": [], "unit": [], "scheduled": []}
    people: list[dict[str, str | float | int | None]] = []
    for arm, rise in ARMS.items():
        for k in range(per_arm):
            name = f"S{len(people) + 1:03d}"
            rng = stream(seed, "synthetic trial", arm, k)
            sex, splenectomy = ("F", "M")[int(rng.random() < 0.4)], ("no", "yes")[int(rng.random() < 0.2)]
            course = _course(rng, 0.0 if rng.random() < NON_RESPONDERS else rise)
            for day, count, scheduled in course.rows:
                for column, value in zip(counts, (name, day, count, "10^9/L", scheduled), strict=True):
                    counts[column].append(value)
            people.append({
                "subject": name, "arm": arm, "sex": sex, "splenectomy": splenectomy, "treated": 1, "completed": int(course.dropout_d is None),
                "dropout_day": course.dropout_d, "dropout_reason": course.reason or None, "stop_day": course.stop_d,
                "rescue_days": "; ".join(f"{d:g}" for d in course.rescues) or None,
            })  # fmt: skip
    return SyntheticTrial(counts=pl.DataFrame(counts), subjects=pl.DataFrame(people, infer_schema_length=None))


def write_synthetic_trial(folder: Path, seed: int, *, per_arm: int = 40) -> tuple[Path, Path]:
    """counts.csv, subjects.csv and a README that says what they are, into a folder that exists; the paths of the two tables."""
    trial = synthetic_trial(seed, per_arm=per_arm)
    counts, subjects = folder / "counts.csv", folder / "subjects.csv"
    trial.counts.write_csv(counts)
    trial.subjects.write_csv(subjects)
    (folder / "README.md").write_text(README, encoding="utf-8")
    return counts, subjects


def _course(rng: np.random.Generator, rise: float) -> _Course:
    """What one subject goes through, week by week."""
    baseline = math.log(15.0) + 0.45 * rng.standard_normal()
    leaves = [week for week in range(1, LAST_WEEK + 1) if rng.random() < DROPOUT_PER_WEEK]
    dropout_d = float(7 * leaves[0] - 3) if leaves else None
    reason = str(rng.choice(REASONS)) if leaves else ""
    stop_d = dropout_d if dropout_d is not None else 7.0 * LAST_WEEK
    rows: list[tuple[float, float, int]] = [(float(-rng.integers(1, 8)), _count(rng, baseline), 1), (0.0, _count(rng, baseline), 1)]
    rescues: list[float] = []
    for week in (*range(1, LAST_WEEK + 1), *FOLLOW_UP_WEEKS):
        day = float(7 * week + rng.integers(-1, 2))
        if (dropout_d is not None and day > dropout_d) or rng.random() < MISSED:
            continue
        count = _count(
            rng, baseline + _effect(rise, day, stop_d) + (RESCUE_RISE if rescues and day - rescues[-1] < RESCUE_D else 0.0)
        )
        rows.append((day, count, 1))
        if count < RESCUE_BELOW_1e9_per_L and rng.random() < RESCUE_CHANCE:
            rescues.append(day)
        if rng.random() < UNSCHEDULED:
            rows.append((day + 2.0, _count(rng, baseline + _effect(rise, day + 2.0, stop_d)), 0))
    return _Course(rows=rows, rescues=rescues, dropout_d=dropout_d, reason=reason, stop_d=stop_d)


def _effect(rise: float, day: float, stop_d: float) -> float:
    """Rise of the logarithm: on towards the level during treatment, back after it."""
    if day <= stop_d:
        return rise * (1.0 - math.exp(-day / RISE_D))
    return rise * (1.0 - math.exp(-stop_d / RISE_D)) * math.exp(-(day - stop_d) / FALL_D)


def _count(rng: np.random.Generator, log_level: float) -> float:
    return float(round(math.exp(log_level + SWING_SD * rng.standard_normal())))
