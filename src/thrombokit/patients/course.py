"""One individual on the way through time: amounts, infusions that run, what is planned, and the time since the last dose.

The state moves from break point to break point: arrivals, ends of infusions, switches, resets, changes of record values, visits. What is
read between them never moves it.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from thrombokit.errors import SimulationError
from thrombokit.numerics.arrays import Array
from thrombokit.patients.compiled_model import CompiledModel
from thrombokit.patients.dose_cycle import cycle_legs, overlap
from thrombokit.patients.gamma_inputs import clear_arrivals, note_arrival
from thrombokit.patients.movers import Mover
from thrombokit.patients.schedule import Action, ActionKind, Dose, Schedule
from thrombokit.patients.steady_state import constant_state, periodic_state, run_legs

_NO_TIMES = np.empty(0)


class Course:
    """The state of one individual at `time`.

    `amounts` (n_compartments,), `r` (n_record,) the record values in force, `phase` 0 before and 1 after the switch of absorption.
    """

    def __init__(self, compiled: CompiledModel, mover: Mover, *, start: float) -> None:
        self.compiled, self.mover = compiled, mover
        self.time, self.last_dose = start, start
        self.amounts = np.zeros(len(compiled.compartments))
        self.r = np.zeros(compiled.n_record)
        self.schedule = Schedule()
        self.phase = 0.0
        self._infusions: dict[int, Dose] = {}
        self._inflow = np.zeros(self.amounts.size)
        self._arrivals = 0
        self._absorption_began = -math.inf

    def set_record(self, inputs: Array, time: float) -> None:
        """Evaluate the record values from `inputs` (n_inputs,) at `time`; they hold from now on."""
        self.compiled.fill_record(inputs, time, self.r)
        self.mover.set_record(self.r)

    def begin(self) -> None:
        """Amounts as the model's [initial] has them; nothing runs, nothing is planned."""
        self.schedule.clear()
        self._set_infusions({})
        self.phase, self.last_dose, self._absorption_began = 0.0, self.time, -math.inf
        if self.compiled.gamma_inputs.size:
            clear_arrivals(self.r, self.compiled.gamma_inputs)
        self.amounts[:] = 0.0
        self.compiled.fill_initial(self.r, self.amounts)

    def advance(self, time: float, times: Array = _NO_TIMES) -> Array:
        """Move to `time`; the amounts at the sorted `times` (k,) on the way, (k, n_compartments)."""
        states = np.empty((times.size, self.amounts.size))
        self.mover.advance(
            self.time, max(time, self.time), self.time - self.last_dose, self.phase, self.amounts, self._inflow, times, states
        )
        self.time = max(time, self.time)
        return states

    def output(self, time: float, amounts: Array, r: Array, out: Array) -> None:
        """Fill `out` (n_outputs,) with the outputs at `time` from `amounts` under the record values `r`."""
        self.compiled.output(time, time - self.last_dose, amounts, r, out)

    def give(self, dose: Dose) -> None:
        """A dose whose nominal time is now; it arrives at once or after its lag, and its repeats are planned."""
        self.last_dose = self.time
        self._send(dose, self.time)
        self.schedule.add_repeats(dose, self.time)

    def act(self) -> None:
        """Do the soonest planned action, whose time this is."""
        action = self.schedule.pop()
        if action.kind is ActionKind.NOMINAL:
            self.last_dose = action.nominal_time
            self._send(action.dose, action.nominal_time)
            self.schedule.add_repeats(action.dose, action.nominal_time - action.repeat * action.dose.interval, after=action.repeat)
        elif action.kind is ActionKind.ARRIVE:
            self._arrive(action.dose, action.nominal_time)
        elif action.kind is ActionKind.END:
            self._set_infusions({number: dose for number, dose in self._infusions.items() if number != action.arrival})
        elif action.arrival == self._arrivals:  # a later arrival begins absorption anew
            self.phase = 1.0

    def reach_steady_state(self, dose: Dose, *, add: bool) -> None:
        """Amounts as after endless doses like `dose`, whose record this is; `add`: on top of what is there (SS 2), else instead (SS 1)."""
        kept = self.amounts.copy()
        if not add:
            self.schedule.clear()
            self._set_infusions({})
            self._absorption_began = -math.inf
        if self.compiled.gamma_inputs.size:
            raise SimulationError("a steady state needs a transit chain of a whole number of steps")
        initial = np.zeros(self.amounts.size)
        self.compiled.fill_initial(self.r, initial)
        if dose.interval <= 0.0:
            self.amounts[:] = constant_state(self.mover, dose.compartment, dose.rate, initial)
        else:
            self._enter_cycle(dose, initial)
        if add:
            self.amounts += kept
        self.last_dose = self.time

    def _enter_cycle(self, dose: Dose, initial: Array) -> None:
        """Into the endless series at the nominal time of one of its doses: amounts, running infusions, lagged doses on their way."""
        switch = self._switch_after(dose)
        x = periodic_state(self.mover, dose, switch_after=switch, start=initial)
        since = math.fmod(dose.interval - math.fmod(dose.lag, dose.interval), dose.interval)
        if since > 0.0:
            run_legs(self.mover, cycle_legs(dose, switch, since), dose.compartment, x)
        self.amounts[:] = x
        arrived = 0 if dose.lag == 0.0 else math.ceil(dose.lag / dose.interval - 1e-12)
        for number in range(arrived, -1, -1):
            due = self.time + dose.lag - number * dose.interval
            if number * dose.interval < dose.lag * (1.0 - 1e-12):  # given, or being given now, and still on its way
                self.schedule.add(
                    Action(time=due, kind=ActionKind.ARRIVE, dose=replace(dose, additional=0), nominal_time=due - dose.lag)
                )
        latest = self.time - since >= self._absorption_began  # of this series and other doses, the last arrival began absorption
        if latest and not math.isnan(switch):
            self._begin_phase(dose, switch, since)
        self._resume_infusions(dose, since)

    def _resume_infusions(self, dose: Dose, since: float) -> None:
        if not dose.is_infusion:
            return
        whole, rest = overlap(dose)
        for number in range(whole + (1 if rest > since else 0)):
            remaining = dose.duration - since - number * dose.interval
            if remaining > 1e-12 * dose.interval:
                self._run_infusion(dose, self.time + remaining)

    def _send(self, dose: Dose, nominal_time: float) -> None:
        if dose.lag > 0.0:
            self.schedule.add_arrival(dose, nominal_time)
        else:
            self._arrive(dose, nominal_time)

    def _arrive(self, dose: Dose, nominal_time: float) -> None:
        if not math.isnan(dose.switch_delay):
            self._begin_phase(dose, self._switch_after(dose), 0.0)
        if dose.is_infusion:
            self._run_infusion(dose, self.time + dose.duration)
            return
        self.amounts[dose.compartment] += dose.amount
        if self.compiled.gamma_inputs.size:
            noted = note_arrival(self.r, self.compiled.gamma_inputs, dose.compartment, self.time, dose.amount)
            self.mover.set_record(self.r)
            if not noted:
                raise SimulationError("too many doses are on their way through one transit chain: give it a whole number of steps")

    def _switch_after(self, dose: Dose) -> float:
        """From the arrival to the switch: the delay, less the lag where the delay counts from the record."""
        return max(dose.switch_delay - dose.lag, 0.0) if self.compiled.switch_from_record else dose.switch_delay

    def _begin_phase(self, dose: Dose, switch_after: float, since: float) -> None:
        """First phase of absorption, or the second where the switch is due; the arrival that began it is `since` ago."""
        self._arrivals += 1
        self._absorption_began = self.time - since
        remaining = switch_after - since
        self.phase = 0.0 if remaining > 0.0 else 1.0
        if remaining > 0.0:
            due = self.time + remaining
            self.schedule.add(Action(time=due, kind=ActionKind.SWITCH, dose=dose, nominal_time=due, arrival=self._arrivals))

    def _run_infusion(self, dose: Dose, end: float) -> None:
        number = max(self._infusions, default=-1) + 1
        self._set_infusions({**self._infusions, number: dose})
        self.schedule.add(Action(time=end, kind=ActionKind.END, dose=dose, nominal_time=end, arrival=number))

    def _set_infusions(self, infusions: dict[int, Dose]) -> None:
        self._infusions = infusions
        self._inflow[:] = 0.0
        for dose in infusions.values():
            self._inflow[dose.compartment] += dose.rate
