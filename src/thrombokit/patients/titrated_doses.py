"""A titration at work on one individual of an event table: visits read the signal, the rule decides, doses follow.

At one time the visit comes before the dose, and both before the records of the table. The measurement error of a visit has a stream of its
own, so that no output row, and no other visit, changes what is measured.
"""

from __future__ import annotations

import math

import numpy as np

from thrombokit.domain.toml_faults import did_you_mean
from thrombokit.errors import Fault, SimulationError, SpecError, raise_all
from thrombokit.numerics.arrays import Array
from thrombokit.numerics.streams import stream
from thrombokit.patients.bound_events import BoundEvents
from thrombokit.patients.compiled_model import CompiledModel
from thrombokit.patients.course import Course
from thrombokit.patients.dosing import resolve_dose, switch_delay
from thrombokit.patients.event_run import reached
from thrombokit.patients.model import Residual
from thrombokit.patients.random_effects import STAGE, measured
from thrombokit.patients.titration import Signal, Titration
from thrombokit.patients.titration_program import titration_program
from thrombokit.patients.titration_state import (
    AFTER,
    BEFORE,
    DECISION_SIZE,
    DISTANCE,
    RULE,
    THRESHOLD,
    Reason,
    decide,
    next_dose_h,
    next_visit_h,
    start_state,
    state_size,
    take_dose,
)

HOURS = ("h", "hour", "hours", "hr", "hrs")


def check_titration(titration: Titration, compiled: CompiledModel) -> None:
    """Refuse a titration whose signal or compartment the model lacks, or a model whose time is not in hours.

    Raises
    ------
    SpecError
        All of it in one pass.
    """
    model = compiled.model
    faults: list[Fault] = []
    for word, name, known in (
        ("signal", titration.signal, compiled.outputs), ("dose.compartment", titration.dose_compartment, compiled.compartments),
    ):  # fmt: skip
        if name.casefold() not in (one.casefold() for one in known):
            faults.append(Fault(place=f"{titration.file}, {word}", found=f'"{name}"', expected=f"one of {', '.join(known)} of {model.file}",
                                cure=did_you_mean(name, known, otherwise="Correct the name.")))  # fmt: skip
    if model.units.time.strip().casefold() not in HOURS:
        faults.append(Fault(place=f"{model.file}, units.time", found=f'"{model.units.time}"', expected='"h", since a titration counts in hours',
                            cure="Write the model and the data in hours."))  # fmt: skip
    raise_all(faults, SpecError)


class TitratedDoses:
    """Visits and doses of one individual; `ledger_rows` grows with each decision, one array (ROW_WIDTH,) each."""

    def __init__(self, titration: Titration, bound: BoundEvents, *, key: str, id_number: float, seed: int | None) -> None:
        self.titration, self.bound, self.id_number = titration, bound, id_number
        self.program = titration_program(titration)
        self.state = np.zeros(state_size(self.program))
        start_state(self.program, self.state)
        self.signal = bound.compiled.output_index(titration.signal)
        self.compartment = bound.compiled.compartment_index(titration.dose_compartment)
        self.residual = _residual_of(titration, bound) if seed is not None else None
        self.errors = stream(seed, STAGE, key, "visits") if seed is not None else None
        self.ledger_rows: list[Array] = []

    def next_time(self) -> float:
        """Time of the next visit or dose."""
        return min(float(next_visit_h(self.state)), float(next_dose_h(self.state)))

    def act(self, course: Course) -> None:
        """The visit that is due at `course.time`, or else the dose."""
        if reached(float(next_visit_h(self.state)), course.time):
            self._visit(course)
        else:
            self._dose(course)

    def _visit(self, course: Course) -> None:
        time_h = float(next_visit_h(self.state))
        outputs = np.empty(len(self.bound.compiled.outputs))
        course.output(course.time, course.amounts, course.r, outputs)
        value = self._measured(float(outputs[self.signal]))
        decision = np.zeros(DECISION_SIZE)
        reason = int(decide(self.program, self.state, time_h, value, decision))
        if reason == Reason.NOT_FINITE or not math.isfinite(value):
            raise SimulationError(f"the signal {self.titration.signal} is no finite number at the visit at {time_h:g} h")
        row = (
            self.id_number,
            time_h,
            value,
            decision[BEFORE],
            decision[AFTER],
            decision[RULE],
            float(reason),
            decision[DISTANCE],
            decision[THRESHOLD],
        )
        self.ledger_rows.append(np.array(row))

    def _dose(self, course: Course) -> None:
        amount = float(take_dose(self.program, self.state))
        compiled, model = self.bound.compiled, self.bound.model
        delay = switch_delay(model, compiled, self.compartment, course.r)
        dose = resolve_dose(
            compiled, course.r, compartment=self.compartment, amount=amount, rate=float(self.titration.rate), switch_delay=delay
        )
        course.give(dose)

    def _measured(self, latent: float) -> float:
        if self.residual is None or self.errors is None:
            return latent
        found = float(measured(np.array([latent]), self.errors.standard_normal((1, 2)), self.residual)[0])
        return max(found, 0.0) if latent >= 0.0 else found  # an assay reads no count below 0


def _residual_of(titration: Titration, bound: BoundEvents) -> Residual | None:
    if titration.observed_with is not Signal.RESIDUAL:
        return None
    folded = {name.casefold(): residual for name, residual in bound.model.residual.items()}
    return folded.get(titration.signal.casefold())
