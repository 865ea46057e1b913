"""One individual of an event table run from the first record to the last.

Every stretch between two break points is travelled once; the records on it that only observe are read off on the way. A break point is
a dose record, a reset, a planned action, a change of record values, or a visit of a titration. So no observation, and no absence of one,
moves the state.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from thrombokit.numerics.arrays import Array, IntArray
from thrombokit.patients.bound_events import BoundEvents
from thrombokit.patients.course import Course
from thrombokit.patients.dosing import record_dose
from thrombokit.patients.event_table import DOSE, RESET, RESET_AND_DOSE
from thrombokit.patients.model import CovariateRule
from thrombokit.patients.movers import Mover

SAME_TIME = 1e-12
"""Times nearer than this, relative to their size (or to 1), are the same: 3 x 0.1 lands on 0.3."""


class Visits(Protocol):
    """Doses that a rule decides on, seen from a run: when something is next due, and doing it."""

    def next_time(self) -> float:
        """Time of the next visit or titrated dose; infinite when there is none."""
        ...

    def act(self, course: Course) -> None:
        """Do what is due at `course.time`: one visit, or one dose."""
        ...


@dataclass(frozen=True, kw_only=True, eq=False)
class Records:
    """The records `start` to `stop` of a table, those of one individual.

    `r` (n, n_record) are their record values, `group` (n,) counts how often these have changed.
    """

    bound: BoundEvents
    start: int
    stop: int
    r: Array
    group: IntArray


def records_of(bound: BoundEvents, start: int, stop: int) -> Records:
    """Evaluate the record values of one individual's records."""
    r = np.zeros((stop - start, bound.compiled.n_record))
    inputs = np.array(bound.inputs[start:stop])
    for k in range(stop - start):
        bound.compiled.fill_record(inputs[k], float(bound.events.time[start + k]), r[k])
    same = (r[1:] == r[:-1]) | (np.isnan(r[1:]) & np.isnan(r[:-1]))
    group = np.concatenate([[0], np.cumsum(~same.all(axis=1))]).astype(np.int64)
    return Records(bound=bound, start=start, stop=stop, r=r, group=group)


def run_individual(records: Records, mover: Mover, out: Array, visits: Visits | None = None) -> Course:
    """Run one individual; fill `out` (n, n_outputs) with the outputs at each record, after what the record does.

    Raises
    ------
    SimulationError
        If a solver could not finish, or a steady state does not exist.
    """
    return EventRun(records, mover, out, visits).to_the_end()


class EventRun:
    """One individual under way: the course so far, the next record, and which record values are in force."""

    def __init__(self, records: Records, mover: Mover, out: Array, visits: Visits | None) -> None:
        self.records, self.out, self.visits = records, out, visits
        self.events = records.bound.events
        self.time = self.events.time
        self.backward = records.bound.model.covariates is CovariateRule.NEXT_CARRIED_BACKWARD
        first = float(self.time[records.start])
        self.course = Course(records.bound.compiled, mover, start=min(first, visits.next_time()) if visits else first)
        self.k = records.start
        self.group = -1

    def to_the_end(self) -> Course:
        """Run to the last record."""
        self._take_values()
        self.course.begin()
        while self.k < self.records.stop:
            due = self._due()
            end = self._end_of_reading(due)
            if end > self.k:
                self._read(end, due)
            elif self._values_changed() and self.backward:
                self._take_values()
            elif reached(due, float(self.time[self.k])):
                self._act(due)
            elif self._values_changed():
                self.course.advance(float(self.time[self.k]))
                self._take_values()
            else:
                self._do_record()
        return self.course

    def _due(self) -> float:
        return min(self.course.schedule.next_time(), self.visits.next_time() if self.visits else np.inf)

    def _values_changed(self) -> bool:
        return bool(self.records.group[self.k - self.records.start] != self.group)

    def _take_values(self) -> None:
        """From now on the record values are those of the next record."""
        self.group = int(self.records.group[self.k - self.records.start])
        self.course.set_record(np.array(self.records.bound.inputs[self.k]), float(self.time[self.k]))

    def _end_of_reading(self, due: float) -> int:
        """One past the last record that only observes, under the values in force and before anything is due."""
        end, records = self.k, self.records
        while end < records.stop and self.events.evid[end] in (0, 2) and records.group[end - records.start] == self.group:
            if reached(due, float(self.time[end])):
                break
            end += 1
        return end

    def _read(self, end: int, due: float) -> None:
        """Read records `k` to `end` off on the way to the next break point."""
        start = self.records.start
        times = np.maximum(self.time[self.k : end], self.course.time)
        states = self.course.advance(self._next_break(end, due), np.ascontiguousarray(times))
        for place in range(self.k, end):
            self.course.output(float(self.time[place]), states[place - self.k], self.course.r, self.out[place - start])
        self.k = end

    def _next_break(self, end: int, due: float) -> float:
        """How far the values in force carry: to what is due, to the record `end`, or no further than the record before it."""
        last = float(self.time[end - 1])
        if end == self.records.stop or (self.backward and self.records.group[end - self.records.start] != self.group):
            return last
        following = float(self.time[end])
        return due if reached(due, following) else max(following, last)

    def _act(self, due: float) -> None:
        """Do what is due: what was planned first, then a visit or a titrated dose."""
        planned = self.course.schedule.next_time()
        if self.visits is None or reached(planned, due):
            self.course.advance(planned)
            self.course.act()
        else:
            self.course.advance(due)
            self.visits.act(self.course)

    def _do_record(self) -> None:
        """A dose or a reset, then the outputs at its record."""
        k, time = self.k, float(self.time[self.k])
        evid, steady = int(self.events.evid[k]), int(self.events.steady_state[k])
        if evid in (RESET, RESET_AND_DOSE):
            self.course.time = time  # time may fall at a reset
            self.course.begin()
        else:
            self.course.advance(time)
        if evid in (DOSE, RESET_AND_DOSE):
            dose = record_dose(self.records.bound, k, self.course.r)
            if steady:
                self.course.reach_steady_state(dose, add=steady == 2)
                self.course.schedule.add_repeats(dose, time)
            else:
                self.course.give(dose)
        self.course.output(time, self.course.amounts, self.course.r, self.out[k - self.records.start])
        self.k += 1


def reached(due: float, time: float) -> bool:
    """Whether what is due at `due` happens no later than `time`."""
    return due <= time + SAME_TIME * max(1.0, abs(time))
