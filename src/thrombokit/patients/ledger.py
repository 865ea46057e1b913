"""The ledger of a titration: one row for every decision, holds and keeps included, with its reason."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from thrombokit.numerics.arrays import Array, FrozenArrays, IntArray, frozen
from thrombokit.patients.titration import Titration
from thrombokit.patients.titration_state import REASONS, Reason

ROW_WIDTH = 9
"""Numbers of one decision: patient, time (h), count, dose before, dose after, rule (from 0; -1 none), reason, distance, threshold."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Ledger(FrozenArrays):
    """Every decision of a titrated run, in the order of patients and time.

    Arrays of shape (n_decisions,). `patient` is the ID (a number); `time_h` hours from the start; `count` as measured; doses in the model's
    amount unit, 0 while held or stopped; `rule` counts from 0, -1 where none matched; `reason` are `Reason` codes; `distance` is how far the count
    was from the nearest threshold that was looked at, `threshold` that threshold. `conditions` are the rules' own words.
    """

    patient: Array
    time_h: Array
    count: Array
    dose_before: Array
    dose_after: Array
    rule: IntArray
    reason: IntArray
    distance: Array
    threshold: Array
    conditions: tuple[str, ...]

    def __len__(self) -> int:
        return self.patient.size

    def table(self) -> pl.DataFrame:
        """One row per decision: ID, TIME (h), VISIT_VALUE, AMT_BEFORE, AMT_AFTER, RULE (from 1, null where none matched), REASON."""
        whole = bool(np.all(self.patient == np.floor(self.patient)))
        rules: list[int | None] = [int(rule) + 1 if rule >= 0 else None for rule in self.rule]
        return pl.DataFrame(
            {
                "ID": pl.Series(self.patient).cast(pl.Int64) if whole else self.patient,
                "TIME": self.time_h, "VISIT_VALUE": self.count, "AMT_BEFORE": self.dose_before,
                "AMT_AFTER": self.dose_after, "RULE": pl.Series(rules, dtype=pl.Int64),
                "REASON": pl.Series([self._words(k) for k in range(len(self))], dtype=pl.String),
            }
        )  # fmt: skip

    def near_ties(self, relative_error: float) -> Ledger:
        """Decisions whose count lies within the engine's stated error of a threshold: there the engine does not decide, rounding does.

        Parameters
        ----------
        relative_error : float
            Stated error of a count beside the count itself, such as 2e-5.
        """
        near = self.distance <= relative_error * np.maximum(np.abs(self.count), np.abs(self.threshold))
        return self._picked(np.flatnonzero(near))

    def of_patient(self, patient: float) -> Ledger:
        """The decisions of one patient."""
        return self._picked(np.flatnonzero(self.patient == patient))

    def changes(self) -> Ledger:
        """The decisions that changed the dose."""
        return self._picked(np.flatnonzero(self.dose_before != self.dose_after))

    def summary(self) -> str:
        """A few plain sentences."""
        if not len(self):
            return "No decision was taken."
        counted = np.bincount(self.reason, minlength=len(Reason))
        told = ", ".join(f"{int(counted[reason])} {REASONS[reason]}" for reason in Reason if counted[reason])
        patients = np.unique(self.patient).size
        return f"{len(self)} decisions in {patients} patients: {told}."

    def _words(self, k: int) -> str:
        words, rule = REASONS[Reason(int(self.reason[k]))], int(self.rule[k])
        return f"{words} ({self.conditions[rule]})" if rule >= 0 else words

    def _picked(self, rows: IntArray) -> Ledger:
        return Ledger(
            patient=frozen(self.patient[rows]), time_h=frozen(self.time_h[rows]), count=frozen(self.count[rows]),
            dose_before=frozen(self.dose_before[rows]), dose_after=frozen(self.dose_after[rows]),
            rule=frozen(self.rule[rows], np.int64), reason=frozen(self.reason[rows], np.int64), distance=frozen(self.distance[rows]),
            threshold=frozen(self.threshold[rows]), conditions=self.conditions,
        )  # fmt: skip


def ledger_from_rows(rows: Array | Sequence[Sequence[float]], titration: Titration) -> Ledger:
    """A ledger from numbers as the decision machine gives them.

    Parameters
    ----------
    rows : array of shape (n_decisions, ROW_WIDTH)
        Patient, time (h), count, dose before, dose after, rule (from 0, -1 none), reason code, distance, threshold.
    titration : Titration
        The rule that decided.
    """
    numbers = np.asarray(rows, dtype=np.float64).reshape(-1, ROW_WIDTH)
    return Ledger(
        patient=frozen(numbers[:, 0]), time_h=frozen(numbers[:, 1]), count=frozen(numbers[:, 2]), dose_before=frozen(numbers[:, 3]),
        dose_after=frozen(numbers[:, 4]), rule=frozen(numbers[:, 5], np.int64), reason=frozen(numbers[:, 6], np.int64),
        distance=frozen(numbers[:, 7]), threshold=frozen(numbers[:, 8]), conditions=_conditions(titration),
    )  # fmt: skip


def join_ledgers(ledgers: Iterable[Ledger]) -> Ledger:
    """Ledgers of one rule, one after the other.

    Raises
    ------
    ValueError
        If there is none.
    """
    parts = list(ledgers)
    if not parts:
        raise ValueError("no ledger to join")
    names = ("patient", "time_h", "count", "dose_before", "dose_after", "rule", "reason", "distance", "threshold")
    joined = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    return Ledger(**{name: frozen(values, values.dtype) for name, values in joined.items()}, conditions=parts[0].conditions)  # pyright: ignore[reportArgumentType]


def _conditions(titration: Titration) -> tuple[str, ...]:
    """What each rule says, in the ledger's words: the condition, and for a hold when it ends."""
    return tuple(f"{rule.when.text}, resume {rule.resume.when.text}" if rule.resume else rule.when.text for rule in titration.rules)
