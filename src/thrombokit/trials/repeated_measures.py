"""Repeated measurements of a trial as columns: who, which arm, which visit, what was measured, and covariates.

Rows that lack something are counted by reason and left out before anything is computed; what the model cannot be fitted to is a fault that
names the rows. Visits are ordered as numbers where they are numbers, otherwise by their words with numbers in them read as numbers ("week 2"
before "week 10"), unless the order is given.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from thrombokit.errors import Fault, InputError, raise_all
from thrombokit.numerics.arrays import Array, BoolArray, FrozenArrays, IntArray, TextArray, frozen

MOST_TOLD = 5
"""Rows named one by one in a fault."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Covariate(FrozenArrays):
    """One covariate over the rows (n,): `values` as numbers (NaN where missing), or `words` ("" where missing)."""

    name: str
    values: Array | None = None
    words: TextArray | None = None

    def missing(self) -> BoolArray:
        """Which rows lack it."""
        if self.values is not None:
            return np.isnan(self.values)
        return (
            np.array([not word for word in self.words], dtype=np.bool_) if self.words is not None else np.zeros(0, dtype=np.bool_)
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class RepeatedMeasures(FrozenArrays):
    """Rows (n,) of a table: `subject`, `visit`, `arm` words ("" where missing), `response` (NaN where missing), `places` for messages."""

    file: str
    subject: TextArray
    visit: TextArray
    arm: TextArray
    response: Array
    covariates: tuple[Covariate, ...] = ()
    places: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class DroppedRows:
    """Rows left out for one reason."""

    reason: str
    n: int
    first_places: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class AnalysisRows(FrozenArrays):
    """Complete rows (n,), coded: `subject`, `visit`, `arm` as numbers into the names; covariates as columns of `extra` (n, c).

    `extra_means` (c,) is what least-squares means hold the columns at: the mean of a number, the even share of a category.
    """

    subjects: tuple[str, ...]
    visits: tuple[str, ...]
    arms: tuple[str, ...]
    subject: IntArray
    visit: IntArray
    arm: IntArray
    response: Array
    extra: Array
    extra_names: tuple[str, ...]
    extra_means: Array
    dropped: tuple[DroppedRows, ...]


def analysis_rows(data: RepeatedMeasures, *, reference: str, visit_order: Sequence[str] = ()) -> AnalysisRows:
    """Rows that can be analysed; faults for what cannot be meant.

    Parameters
    ----------
    data : RepeatedMeasures
    reference : str
        The arm that the others are compared with; it comes first.
    visit_order : sequence of str
        The visits in their order; by default as numbers, or by words with numbers.

    Raises
    ------
    InputError
        A subject in two arms, twice at a visit, an unknown reference arm or visit, a cell of arm and visit without a row, a covariate that
        adds nothing or repeats others.
    """
    keep, dropped = _complete(data)
    faults = [*_twice(data, keep), *_two_arms(data, keep)]
    arms = _arms(data, keep, reference, faults)
    visits = _visits(data, keep, visit_order, faults)
    raise_all(faults, InputError)
    subjects = sorted({str(s) for s in data.subject[keep]})
    coded = {
        "subject": _coded(data.subject[keep], subjects),
        "visit": _coded(data.visit[keep], visits),
        "arm": _coded(data.arm[keep], arms),
    }
    raise_all(_empty_cells(data.file, coded["arm"], coded["visit"], arms, visits), InputError)
    extra, names, means = _extra(data, keep)
    return AnalysisRows(subjects=tuple(subjects), visits=tuple(visits), arms=tuple(arms), response=frozen(data.response[keep]),
                        extra=extra, extra_names=names, extra_means=means, dropped=dropped, **coded)  # fmt: skip


def _complete(data: RepeatedMeasures) -> tuple[IntArray, tuple[DroppedRows, ...]]:
    """Rows that lack nothing, and the others by the first reason that applies."""
    lacks = [
        (f"no {what}", np.array([not word for word in words], dtype=np.bool_))
        for what, words in (("subject", data.subject), ("visit", data.visit), ("arm", data.arm))
    ]
    lacks.append(("no response", ~np.isfinite(data.response)))
    lacks += [(f"no {covariate.name}", covariate.missing()) for covariate in data.covariates]
    left, dropped = np.ones(data.response.size, dtype=np.bool_), list[DroppedRows]()
    for reason, lacking in lacks:
        rows = np.flatnonzero(left & lacking)
        if rows.size:
            dropped.append(
                DroppedRows(reason=reason, n=int(rows.size), first_places=tuple(data.places[i] for i in rows[:MOST_TOLD]))
            )
        left &= ~lacking
    return np.flatnonzero(left), tuple(dropped)


def _twice(data: RepeatedMeasures, keep: IntArray) -> list[Fault]:
    first: dict[tuple[str, str], int] = {}
    faults: list[Fault] = []
    for row in keep:
        key = (str(data.subject[row]), str(data.visit[row]))
        if key in first:
            faults.append(Fault(place=data.places[row], found=f"subject {key[0]} at visit {key[1]} again, after {data.places[first[key]]}",
                                expected="one row a subject and visit", cure="Keep the row the protocol's visit window chooses."))  # fmt: skip
        first.setdefault(key, int(row))
    return faults


def _two_arms(data: RepeatedMeasures, keep: IntArray) -> list[Fault]:
    arm_of: dict[str, str] = {}
    faults: list[Fault] = []
    for row in keep:
        subject, arm = str(data.subject[row]), str(data.arm[row])
        if arm_of.setdefault(subject, arm) != arm:
            faults.append(Fault(place=data.places[row], found=f'subject {subject} in arm "{arm}", above in "{arm_of[subject]}"',
                                expected="one arm a subject", cure="Correct the arm; analyse by the arm of randomisation."))  # fmt: skip
    return faults


def _arms(data: RepeatedMeasures, keep: IntArray, reference: str, faults: list[Fault]) -> list[str]:
    arms = sorted({str(a) for a in data.arm[keep]}, key=_natural)
    if reference not in arms:
        faults.append(Fault(place=data.file, found=f'no arm "{reference}" among {", ".join(arms) or "no arms"}',
                            expected="the reference arm", cure="Name one of these."))  # fmt: skip
        return arms
    if len(arms) < 2:
        faults.append(Fault(place=data.file, found=f'one arm, "{reference}"', expected="two arms or more",
                            cure="Check the column of arms; there is nothing to compare."))  # fmt: skip
    return [reference, *(arm for arm in arms if arm != reference)]


def _visits(data: RepeatedMeasures, keep: IntArray, order: Sequence[str], faults: list[Fault]) -> list[str]:
    found = sorted({str(v) for v in data.visit[keep]}, key=_natural)
    if not order:
        return found
    unknown, forgotten = [v for v in order if v not in found], [v for v in found if v not in order]
    if unknown or forgotten or len(set(order)) < len(order):
        said = f"visits {', '.join(found)} in the data, order {', '.join(order)}"
        faults.append(Fault(place=data.file, found=said, expected="each visit of the data once", cure="List exactly these visits."))
        return found
    return list(order)


def _natural(word: str) -> tuple[tuple[int, float, str], ...]:
    """Words compared with the numbers in them as numbers; "-7" is a number, "week-2" is not."""
    try:
        return ((0, float(word), ""),)
    except ValueError:
        parts = re.split(r"(\d+(?:\.\d+)?)", word.casefold())
        return tuple((1, float(part), "") if k % 2 else (2, 0.0, part) for k, part in enumerate(parts) if part)


def _coded(words: TextArray, names: Sequence[str]) -> IntArray:
    place = {name: k for k, name in enumerate(names)}
    return frozen([place[str(word)] for word in words], np.int64)


def _empty_cells(file: str, arm: IntArray, visit: IntArray, arms: Sequence[str], visits: Sequence[str]) -> list[Fault]:
    seen = Counter(zip(arm.tolist(), visit.tolist(), strict=True))
    return [
        Fault(place=file, found=f'no response of arm "{arms[a]}" at visit {visits[v]}', expected="each arm seen at each visit",
              cure="Leave the visit out, or check how arms and visits are spelt.")
        for a in range(len(arms)) for v in range(len(visits)) if not seen[a, v]
    ]  # fmt: skip


def _extra(data: RepeatedMeasures, keep: IntArray) -> tuple[Array, tuple[str, ...], Array]:
    """Covariates as columns: a number as it is, a category as one column for each level after the first."""
    columns, names, means, faults = list[Array](), list[str](), list[float](), list[Fault]()
    for covariate in data.covariates:
        if covariate.values is not None:
            columns.append(covariate.values[keep])
            names.append(covariate.name)
            means.append(float(np.mean(covariate.values[keep])))
            constant = bool(np.ptp(covariate.values[keep]) == 0.0)
        else:
            words = (covariate.words if covariate.words is not None else np.array([], dtype=object))[keep]
            levels = sorted({str(w) for w in words}, key=_natural)
            for level in levels[1:]:
                columns.append((words == level).astype(np.float64))
                names.append(f"{covariate.name} = {level}")
                means.append(1.0 / len(levels))
            constant = len(levels) < 2
        if constant:
            faults.append(Fault(place=data.file, found=f"the same {covariate.name} in every row", expected="a covariate that varies",
                                cure=f"Leave {covariate.name} out."))  # fmt: skip
    raise_all(faults, InputError)
    extra = np.stack(columns, axis=1) if columns else np.zeros((keep.size, 0))
    return frozen(extra), tuple(names), frozen(means)
