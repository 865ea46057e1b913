"""Events joined to a model: compartments named, covariates filled in, random effects drawn; one row of model inputs for each record."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thrombokit.domain.toml_faults import did_you_mean
from thrombokit.errors import Fault, InputError, raise_all
from thrombokit.numerics.arrays import Array, FrozenArrays, IntArray, frozen
from thrombokit.patients.compiled_model import CompiledModel, compile_model
from thrombokit.patients.event_columns import MOST_TOLD
from thrombokit.patients.event_table import DURATION_FROM_MODEL, RATE_FROM_MODEL, EventTable, id_text
from thrombokit.patients.model import CovariateRule, PatientModel
from thrombokit.patients.random_effects import draw_effects

_RATE, _DURATION = 2, 3
_MODELLED = {RATE_FROM_MODEL: (_RATE, "rate"), DURATION_FROM_MODEL: (_DURATION, "duration")}


@dataclass(frozen=True, kw_only=True, eq=False)
class BoundEvents(FrozenArrays):
    """Events ready to run through one compiled model.

    `inputs` (n_records, n_inputs) are the model's inputs at each record, `compartment` (n_records,) where a dose goes, counted from 0.
    """

    model: PatientModel
    compiled: CompiledModel
    events: EventTable
    inputs: Array
    compartment: IntArray
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "inputs", frozen(self.inputs))
        object.__setattr__(self, "compartment", frozen(self.compartment, np.int64))


def bind_events(model: PatientModel, events: EventTable, *, seed: int | None = None) -> BoundEvents:
    """Join events to a model; without a seed every random effect is 0 and each patient is of the model's largest class.

    Raises
    ------
    InputError
        Columns the model needs and the data lacks, text or gaps where it needs numbers, compartments it does not have, rates it does not
        give: all in one pass.
    """
    raise_all(_column_faults(model, events))
    compiled = compile_model(model, columns=events.columns)
    faults: list[Fault] = []
    inputs = np.tile(compiled.default_inputs(), (len(events), 1))
    notes: list[str] = []
    for column in compiled.columns:
        values = events.values[:, events.columns.index(column.upper())]
        inputs[:, compiled.input_index(column)] = _filled(values, column.upper(), model, events, faults, notes)
    occasions = [block.occasion_column.upper() for block in model.omega if block.occasion_column]
    numbered = {
        column: _filled(events.values[:, events.columns.index(column)], column, model, events, faults, notes)
        for column in dict.fromkeys(occasions)
    }
    faults += _compartment_faults(model, compiled, events)
    compartment = np.where(events.compartment > 0, events.compartment - 1, default_compartment(model, compiled))
    compartment = np.minimum(compartment, len(compiled.compartments) - 1)
    faults += _rate_faults(compiled, events, compartment)
    raise_all(faults)
    if not compiled.is_linear and (events.steady_state == 2).any():
        notes.append(
            "SS 2 adds amounts, as NONMEM does; in a model that is not linear, such as this one, drug effects do not add up."
        )
    if seed is not None:
        draw_effects(model, compiled, events, inputs, occasions=numbered, seed=seed)
    return BoundEvents(model=model, compiled=compiled, events=events, inputs=inputs, compartment=compartment, notes=tuple(notes))


def default_compartment(model: PatientModel, compiled: CompiledModel) -> int:
    """Where a dose without CMT goes, counted from 0: the model's `default_dose`, else the compartment called depot, else the first."""
    if model.default_dose is not None:
        return compiled.compartment_index(model.default_dose)
    folded = [name.casefold() for name in compiled.compartments]
    return folded.index("depot") if "depot" in folded else 0


def _column_faults(model: PatientModel, events: EventTable) -> list[Fault]:
    occasions = [block.occasion_column for block in model.omega if block.occasion_column]
    needed = list(dict.fromkeys(name.upper() for name in (*model.needed_columns, *occasions) if name.upper() != "TIME"))
    faults: list[Fault] = []
    for name in needed:
        if name not in events.columns:
            others = [
                column for column in (*events.columns, *model.theta, *model.record, *model.algebra) if column not in ("ID", "TIME")
            ]
            cure = did_you_mean(name, others, otherwise=f"Add the column {name}, or define {name} in the model.")
            faults.append(Fault(place=f"{events.source}, row 1", found=f"no column {name}", cure=cure,
                                expected=f"the columns that {model.file} reads: {', '.join(needed)}"))  # fmt: skip
        elif name in events.texts:
            row, text = events.texts[name]
            faults.append(Fault(place=f"{events.source}, row {row}, column {events.header(name)}", found=f'the text "{text}"',
                                expected=f"a number, since {model.file} reads {name}", cure="Code the words as numbers."))  # fmt: skip
    return faults


def _filled(values: Array, column: str, model: PatientModel, events: EventTable, faults: list[Fault], notes: list[str]) -> Array:
    """A covariate without gaps: the next value under nocb (the last one at the end), the last value under locf."""
    gaps = np.isnan(values)
    if not gaps.any():
        return values
    first = events.first_records[:-1]
    untold = first[gaps[first]]
    for k in untold[:MOST_TOLD]:
        faults.append(Fault(place=events.place(int(k), column), found=f"no value at the first record of ID {id_text(float(events.id[k]))}",
                            expected=f"a number, since {model.file} reads {column}", cure="Fill in the value."))  # fmt: skip
    if untold.size > MOST_TOLD:
        faults.append(Fault(place=f"{events.place(int(untold[MOST_TOLD]))} and after, column {events.header(column)}",
                            found=f"{untold.size - MOST_TOLD} more like these", expected="a value at each first record",
                            cure="Fill in the values."))  # fmt: skip
    last = np.maximum.accumulate(np.where(gaps, -1, np.arange(values.size)))
    following = np.minimum.accumulate(np.where(gaps, values.size, np.arange(values.size))[::-1])[::-1]
    stop = events.first_records[1:][events.individual]
    backward = model.covariates is CovariateRule.NEXT_CARRIED_BACKWARD
    source = np.where(following < stop, following, last) if backward else last
    whence = "the next value" if backward else "the last value"
    notes.append(f"{column} is missing in {int(gaps.sum())} records; {whence} was taken ({model.covariates.value}).")
    return values[np.clip(source, 0, values.size - 1)]


def _compartment_faults(model: PatientModel, compiled: CompiledModel, events: EventTable) -> list[Fault]:
    n = len(compiled.compartments)
    beyond = np.flatnonzero(events.compartment > np.where(events.is_dose, n, n + 1))
    named = ", ".join(f"{k + 1} = {name}" for k, name in enumerate(compiled.compartments[:12])) + (", ..." if n > 12 else "")
    faults = [
        Fault(place=events.place(int(k), "CMT"), found=f"compartment {events.compartment[k]}", cure="Correct CMT, or the model's compartments.",
              expected=f"a compartment of {model.file}: {named}")
        for k in beyond[:MOST_TOLD]
    ]  # fmt: skip
    if beyond.size > MOST_TOLD:
        faults.append(Fault(place=f"{events.place(int(beyond[MOST_TOLD]))} and after, column {events.header('CMT')}",
                            found=f"{beyond.size - MOST_TOLD} more like these", expected=f"1 to {n}", cure="Correct CMT."))  # fmt: skip
    return faults


def _rate_faults(compiled: CompiledModel, events: EventTable, compartment: IntArray) -> list[Fault]:
    faults: list[Fault] = []
    for code, (place, word) in _MODELLED.items():
        asks = np.flatnonzero(events.is_dose & (events.rate == code) & (compiled.dose_index[compartment, place] < 0))
        for k in asks[:MOST_TOLD]:
            name = compiled.compartments[compartment[k]]
            cure = f"Add {word} to [dose.{name}], or give RATE in the data."
            expected = f"a {word} in [dose.{name}] of the model"
            faults.append(Fault(place=events.place(int(k), "RATE"), found=f"RATE {code:g}", expected=expected, cure=cure))
    if compiled.gamma_inputs.size:
        faults += _history_faults(compiled, events, compartment)
    return faults


def _history_faults(compiled: CompiledModel, events: EventTable, compartment: IntArray) -> list[Fault]:
    takes = np.isin(compartment, compiled.gamma_inputs[:, 0].astype(np.int64))
    wrong = np.flatnonzero(events.is_dose & takes & ((events.rate != 0) | (events.steady_state > 0)))
    return [
        Fault(place=events.place(int(k)), found="an infusion or a steady state into a transit chain of a broken number of steps",
              expected="doses at once there", cure="Write the number of transit steps, n, as a whole number in the model.")
        for k in wrong[:MOST_TOLD]
    ]  # fmt: skip


def refuse_for_titration(model: PatientModel, events: EventTable) -> None:
    """Refuse what would let the output grid change a dose, or time run backwards under a titration.

    Raises
    ------
    InputError
        If [record] entries use TIME, or times fall at a reset.
    """
    faults = [
        Fault(place=f"{model.file}, {name}", found="TIME in a value of the record, in a titrated run",
              expected="values that do not change from one output to the next, or the output times would change doses",
              cure="Write it in [algebra] with T, the time that runs on.")
        for name in model.time_records
    ]  # fmt: skip
    same = np.concatenate([[False], events.individual[1:] == events.individual[:-1]])
    falls = np.flatnonzero(same & (np.diff(events.time, prepend=events.time[:1]) < 0))
    faults += [
        Fault(place=events.place(int(k), "TIME"), found="a time that falls at a reset, in a titrated run", expected="times that rise",
              cure="Give the part after the reset an ID of its own.")
        for k in falls[:MOST_TOLD]
    ]  # fmt: skip
    raise_all(faults, InputError)
