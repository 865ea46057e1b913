"""A trial's platelet counts as endpoints need them: who is in which arm, what happened to them, and every count with its day.

Day 0 is the day of the first dose; week w is day 7 w. A count of day 0 or before was taken before the first dose. Counts are sorted by subject
and day, in 1e9/L; what could not be used was left out before and is listed with its reason.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from thrombokit.errors import Fault, InputError, raise_all
from thrombokit.numerics.arrays import Array, BoolArray, FrozenArrays, IntArray, frozen

MOST_TOLD = 5
HIGHEST_COUNT_1e9_per_L = 10_000.0
"""Above this a number is a count in another unit, not a patient."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One subject: `arm` as randomised, `factors` (stratum, sex ...), and what happened, in days from the first dose.

    `completed` is None where it is not known; `stop_day` is the day of the last dose; `dropout_reason` is "" for those who did not drop out.
    """

    name: str
    arm: str
    factors: Mapping[str, str] = field(default_factory=dict[str, str])
    treated: bool = True
    completed: bool | None = None
    dropout_day: float | None = None
    dropout_reason: str = ""
    stop_day: float | None = None
    rescue_days: tuple[float, ...] = ()

    @property
    def dropped_out(self) -> bool:
        """Whether the subject left before the end, its day known or not."""
        return self.dropout_day is not None or bool(self.dropout_reason)


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """Rows left out for one reason, with the first few places."""

    reason: str
    n: int
    first_places: tuple[str, ...]

    def to_dict(self) -> dict[str, object]:
        """Keys `reason`, `n`, `first`."""
        return {"reason": self.reason, "n": self.n, "first": list(self.first_places)}


@dataclass(frozen=True, kw_only=True, eq=False)
class TrialData(FrozenArrays):
    """Subjects (s) and counts (n,): `subject` indexes `subjects`, `day` from the first dose, `scheduled` tells planned visits from others.

    `inputs` holds the SHA-256 of each file by its name. `notes` are sentences about how the data were read.
    """

    arms: tuple[str, ...]
    subjects: tuple[Subject, ...]
    subject: IntArray
    day: Array
    count_1e9_per_L: Array
    scheduled: BoolArray
    left_out: tuple[LeftOut, ...] = ()
    inputs: Mapping[str, str] = field(default_factory=dict[str, str])
    notes: tuple[str, ...] = ()

    @property
    def arm(self) -> IntArray:
        """Index into `arms` of each subject, shape (s,)."""
        place = {name: k for k, name in enumerate(self.arms)}
        return np.array([place[subject.arm] for subject in self.subjects], dtype=np.int64)

    @property
    def treated(self) -> BoolArray:
        """Who had a dose, shape (s,)."""
        return np.array([subject.treated for subject in self.subjects], dtype=np.bool_)

    def counts_of(self, k: int) -> slice:
        """Where the counts of subject `k` lie."""
        return slice(int(np.searchsorted(self.subject, k)), int(np.searchsorted(self.subject, k, side="right")))


def trial_data(
    subjects: Sequence[Subject], *, subject: Sequence[int], day: Sequence[float], count_1e9_per_L: Sequence[float],
    scheduled: Sequence[bool] | None = None, arms: Sequence[str] = (), left_out: Sequence[LeftOut] = (),
    inputs: Mapping[str, str] | None = None, notes: Sequence[str] = (),
) -> TrialData:  # fmt: skip
    """Checked and sorted data of a trial.

    Parameters
    ----------
    subjects : sequence of Subject
        Each name once.
    subject, day, count_1e9_per_L, scheduled : sequences of length n
        The counts in any order: index into `subjects`, day from the first dose, count, whether of a planned visit (all, by default).
    arms : sequence of str
        The arms' order; by default that of the subjects.
    left_out, inputs, notes
        What the reader of the files has to say.

    Raises
    ------
    InputError
        With every subject named twice or without an arm, count that is no count, and index without a subject.
    """
    columns = {
        "subject": subject,
        "day": day,
        "count": count_1e9_per_L,
        "scheduled": [True] * len(subject) if scheduled is None else scheduled,
    }
    order = tuple(dict.fromkeys([*arms, *(one.arm for one in subjects)]))
    raise_all([*_subject_faults(subjects, arms), *_count_faults(subjects, columns)], InputError)
    where, when = np.asarray(subject, np.int64), np.asarray(day, np.float64)
    rank = np.lexsort((np.arange(where.size), when, where))
    return TrialData(
        arms=order, subjects=tuple(subjects), subject=frozen(where[rank], np.int64), day=frozen(when[rank]),
        count_1e9_per_L=frozen(np.asarray(count_1e9_per_L, np.float64)[rank]), scheduled=frozen(np.asarray(columns["scheduled"],
            np.bool_)[rank], np.bool_),
        left_out=tuple(left_out), inputs=dict(inputs or {}), notes=tuple(notes),
    )  # fmt: skip


def first_rescue_day(data: TrialData) -> Array:
    """Day of each subject's first rescue, infinite where there was none, shape (s,)."""
    return np.array([min(one.rescue_days, default=math.inf) for one in data.subjects])


def baseline_1e9_per_L(data: TrialData) -> Array:
    """Each subject's last count before the first dose (day 0 or earlier), NaN where there is none, shape (s,).

    Of several on the last such day, the last in the file.
    """
    baseline = np.full(len(data.subjects), math.nan)
    before = data.day <= 0.0
    baseline[data.subject[before]] = data.count_1e9_per_L[before]  # sorted by day, so the last one stays
    return baseline


def factor_words(data: TrialData, names: Sequence[str]) -> list[str]:
    """The stratum of each subject: its words of these factors, joined.

    Raises
    ------
    InputError
        With every factor that nobody has, and every subject that lacks one.
    """
    faults: list[Fault] = []
    known = sorted({name for one in data.subjects for name in one.factors})
    for name in names:
        lacking = [one.name for one in data.subjects if not one.factors.get(name)]
        if len(lacking) == len(data.subjects):
            faults.append(Fault(place=f'strata "{name}"', found="no subject that has it", expected=f"one of {', '.join(known) or 'no factor at all'}",
                                cure="Name a column of the subjects' table."))  # fmt: skip
        elif lacking:
            told = ", ".join(lacking[:MOST_TOLD])
            faults.append(Fault(place=f'strata "{name}"', found=f"{len(lacking)} subject(s) without it ({told})", expected="one for each subject",
                                cure="Fill it in; a subject without a stratum would be lost in silence."))  # fmt: skip
    raise_all(faults, InputError)
    return [" / ".join(one.factors[name] for name in names) for one in data.subjects]


def _subject_faults(subjects: Sequence[Subject], arms: Sequence[str]) -> list[Fault]:
    if not subjects:
        return [Fault(place="subjects", found="none", expected="at least one", cure="Check the table of subjects.")]
    faults: list[Fault] = []
    seen: set[str] = set()
    for one in subjects:
        if one.name in seen:
            faults.append(
                Fault(place=f"subject {one.name}", found="it twice", expected="each subject once", cure="Delete one of the rows.")
            )
        if not one.arm:
            faults.append(
                Fault(place=f"subject {one.name}", found="no arm", expected="the arm of randomisation", cure="Fill it in.")
            )
        elif arms and one.arm not in arms:
            faults.append(
                Fault(
                    place=f"subject {one.name}",
                    found=f'arm "{one.arm}"',
                    expected=f"one of {', '.join(arms)}",
                    cure="Correct the arm.",
                )
            )
        if any(not math.isfinite(d) for d in (*one.rescue_days, one.dropout_day or 0.0, one.stop_day or 0.0)):
            faults.append(
                Fault(
                    place=f"subject {one.name}",
                    found="a day that is not finite",
                    expected="days from the first dose",
                    cure="Correct it.",
                )
            )
        seen.add(one.name)
    return faults


def _count_faults(subjects: Sequence[Subject], columns: Mapping[str, Sequence[float]]) -> list[Fault]:
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        return [
            Fault(
                place="counts",
                found=f"columns of {lengths}",
                expected="columns of one length",
                cure="Give one of each for every count.",
            )
        ]
    faults: list[Fault] = []
    for k, (where, day, count) in enumerate(zip(columns["subject"], columns["day"], columns["count"], strict=True), 1):
        if not 0 <= where < len(subjects):
            faults.append(
                Fault(place=f"count {k}", found=f"subject {where}", expected=f"0 to {len(subjects) - 1}", cure="Correct the index.")
            )
        if not math.isfinite(day):
            faults.append(
                Fault(place=f"count {k}", found=f"day {day}", expected="a finite day", cure="Leave the count out, and say why.")
            )
        if not 0.0 <= count <= HIGHEST_COUNT_1e9_per_L:
            faults.append(Fault(place=f"count {k}", found=f"{count:g}e9/L", expected=f"a platelet count in 1e9/L, 0 to {HIGHEST_COUNT_1e9_per_L:g}",
                                cure="Check the unit: 50000 /uL are 50e9/L."))  # fmt: skip
    return faults
