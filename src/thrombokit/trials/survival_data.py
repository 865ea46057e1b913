"""Times to an event as the tests need them: one row a subject, with its cause, arm and stratum as codes, and the rows that fell out.

A cause of 0 is censored, 1 the event of interest, 2 and above what competes with it (rescue, drop-out). Times that differ by rounding
alone are made equal here, once, so that every number downstream sees the same ties.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from thrombokit.errors import Fault, InputError, raise_all
from thrombokit.numerics.arrays import Array, BoolArray, FrozenArrays, IntArray, frozen
from thrombokit.numerics.near_ties import merge_near_ties

ALL = "all"
"""Name of the one arm, or the one stratum, of data that have none."""


@dataclass(frozen=True, kw_only=True)
class DroppedRow:
    """A row that could not be used: its number in the file, why, and whether only the stratified tests had to do without it."""

    row: int
    reason: str
    tests_only: bool = False

    def to_dict(self) -> dict[str, int | str]:
        """Keys `row`, `reason`, `left_out_of`."""
        return {"row": self.row, "reason": self.reason, "left_out_of": "stratified tests" if self.tests_only else "everything"}


@dataclass(frozen=True, kw_only=True)
class EventCoding:
    """Which values of the event column meant what; `rule` says why."""

    rule: str
    event: str
    competing: tuple[str, ...] = ()
    censored: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, str | list[str]]:
        """Keys `rule`, `event`, `competing`, `censored`."""
        return {"rule": self.rule, "event": self.event, "competing": list(self.competing), "censored": list(self.censored)}


@dataclass(frozen=True, kw_only=True, eq=False)
class SurvivalData(FrozenArrays):
    """Subjects under observation.

    `time` (n,) in the file's unit, never negative; `cause` (n,) 0 = censored, k = `causes[k - 1]`; `arm` (n,) indexes `arms`,
    `stratum` (n,) indexes `strata`, -1 where it is not known: such a subject is in the curves but in no stratified test.
    `n_merged_times` counts distinct times that were joined to another within rounding; `time_name` is what the file calls the times.
    """

    time: Array
    cause: IntArray
    arm: IntArray
    stratum: IntArray
    causes: tuple[str, ...]
    arms: tuple[str, ...]
    strata: tuple[str, ...]
    dropped: tuple[DroppedRow, ...]
    coding: EventCoding
    n_merged_times: int
    time_name: str

    @property
    def event(self) -> BoolArray:
        """Whether the event of interest was seen, shape (n,)."""
        return self.cause == 1

    @property
    def is_stratified(self) -> bool:
        """Whether there is more than the one stratum that holds all."""
        return self.strata != (ALL,)

    @property
    def known_strata(self) -> SurvivalData:
        """The subjects whose stratum is known: those that a test can use."""
        known = self.stratum >= 0
        if known.all():
            return self
        return replace(
            self, time=frozen(self.time[known]), cause=frozen(self.cause[known], np.int64), arm=frozen(self.arm[known], np.int64),
            stratum=frozen(self.stratum[known], np.int64),
        )  # fmt: skip


def survival_data(
    *, time: Array, cause: IntArray, arm: IntArray | None = None, arms: Sequence[str] = (ALL,), stratum: IntArray | None = None,
    strata: Sequence[str] = (ALL,), causes: Sequence[str] = ("event",), dropped: Sequence[DroppedRow] = (),
    coding: EventCoding | None = None, time_name: str = "time",
) -> SurvivalData:  # fmt: skip
    """Checked arrays with near-ties merged.

    Parameters
    ----------
    time : array of shape (n,), finite and not negative
        From the start of observation to the event or to the last moment without it.
    cause : array of shape (n,)
        0 = censored, k = the k-th of `causes`.
    arm, stratum : array of shape (n,), optional
        Codes into `arms` and `strata`, stratum -1 where it is not known; without them all subjects are in the first.
    causes, arms, strata : sequence of str
        Names; the first cause is the event of interest.
    dropped : sequence of DroppedRow
        Rows left out before, with reasons.
    coding : EventCoding, optional
        What the file's values meant.
    time_name : str
        What the times are called.

    Raises
    ------
    InputError
        If there is no subject, an array has another length, a time is negative or not finite, or a code has no name.
    """
    n = time.size
    arm = np.zeros(n, np.int64) if arm is None else arm
    stratum = np.zeros(n, np.int64) if stratum is None else stratum
    codes = {"cause": (cause, 0, len(causes)), "arm": (arm, 0, len(arms) - 1), "stratum": (stratum, -1, len(strata) - 1)}
    raise_all(_faults(time, codes), InputError)
    merged, n_merged = merge_near_ties(np.asarray(time, np.float64))
    return SurvivalData(
        time=frozen(merged), cause=frozen(cause, np.int64), arm=frozen(arm, np.int64), stratum=frozen(stratum, np.int64),
        causes=tuple(causes), arms=tuple(arms), strata=tuple(strata), dropped=tuple(dropped),
        coding=coding or EventCoding(rule="given as codes", event=causes[0], competing=tuple(causes[1:])), n_merged_times=n_merged,
        time_name=time_name,
    )  # fmt: skip


def _faults(time: Array, codes: dict[str, tuple[IntArray, int, int]]) -> list[Fault]:
    if time.ndim != 1 or time.size == 0:
        return [
            Fault(place="time", found=f"an array of shape {time.shape}", expected="one time for each subject", cure="Give some.")
        ]
    faults: list[Fault] = []
    wrong = np.flatnonzero(~np.isfinite(time) | (time < 0.0))
    if wrong.size:
        faults.append(
            Fault(place=f"time of subject {wrong[0] + 1}", found=f"{time[wrong[0]]:g} ({wrong.size} like it)",
                  expected="a finite time, 0 or more", cure="Leave such subjects out and say why.")
        )  # fmt: skip
    for name, (values, lowest, highest) in codes.items():
        if values.shape != time.shape:
            faults.append(Fault(place=name, found=f"shape {values.shape}", expected=f"shape {time.shape}, as the times",
                                cure="Give one for each subject."))  # fmt: skip
        elif values.min() < lowest or values.max() > highest:
            faults.append(Fault(place=name, found=f"codes from {values.min()} to {values.max()}", expected=f"{lowest} to {highest}",
                                cure="Name every code."))  # fmt: skip
    return faults
