"""A patient model ready to run: its kernels, what stands where in their arrays, and which engine its structure allows.

All kernels have the types of `signatures.py`, so that a solver compiled once takes any model. Arrays must be float64, C-contiguous and
writeable. A steady order of calls: `fill_record` when the inputs or the time of the record change, `fill_initial` at the start, then
the rest.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np

from thrombokit.domain.toml_faults import did_you_mean
from thrombokit.errors import Fault, SpecError, raise_all
from thrombokit.numerics.arrays import Array, IntArray, frozen
from thrombokit.numerics.driven_derivative import Trial
from thrombokit.numerics.generated_code import load_generated
from thrombokit.patients.expanded import ExpandedModel, column_title
from thrombokit.patients.expansion import expand
from thrombokit.patients.expressions import names_in
from thrombokit.patients.model import Entry, PatientModel
from thrombokit.patients.model_code import ModelCode, generate
from thrombokit.patients.structure import Structure, equations_of, structure_of

EngineName = Literal["exact", "quadrature", "exact-pk", "ode"]
Kind = Literal["input", "record", "initial", "compartment", "output"]
_DOSE_KEYS = ("lag", "F", "rate", "duration")


@dataclass(frozen=True, kw_only=True, eq=False)
class CompiledModel:
    """A model compiled for data with certain columns.

    Attributes
    ----------
    compartments, inputs, record_names, outputs : tuple of str
        What stands where in x, inputs, r and out. `inputs`: theta, random effects, mixtures, then the `columns` it reads, spelt as the data
        spells them. `record_names`: [record] entries, then hidden values, then the places for doses under way (gamma inputs).
    n_record : int
        Length of r. Make r once for each patient, as zeros: `fill_record` leaves the doses under way alone.
    fill_record(inputs, time, r), fill_initial(r, x), output(t, tad, x, r, out)
    derivative(t, tad, phase, x, r, dx), rest_derivative(t, tad, phase, x, r, dx)
        d/dt without infusions; `rest_derivative` fills only the rows outside the linear block. `phase` is 0 before the switch of dual
        absorption and 1 after it.
    flow_matrix(phase, r, A)
        Rows of the linear block in the columns of the block, rows of the linear response in the columns of the response; 0 elsewhere.
    driven_panels(store, r, amounts, ...)
        What drives the linear response besides itself, at the nodes of panels, summed with their weights; see `panel_code`.
    forcing_reads, forcing_drives : int64 arrays
        Rows of the block that this drive depends on, and rows of the response whose drive is not always 0.
    dose_index : int64 array of shape (n_compartments, 4)
        Places in r of lag, F, rate and duration; -1: not given (0, 1, none, none).
    switch_index : int
        Place in r of the time to the switch of dual absorption, or -1. `switch_from_record`: counted from the record, not the arrival.
    linear_block, linear_response : int64 arrays
        See `structure.py`. `is_linear`: the block is everything.
    engine : str
        The best engine the structure allows.
    trial_sources : dict of str to str
        By engine; see `trial`.
    time_conditions : int64 array of shape (n, 3)
        Places in r of the factor of T, the factor of TAD and the rest of each condition on time that the derivatives hear; where the sum passes
        through 0 there has to be a break point (see `time_conditions.py`, `stretches.py`).
    gamma_inputs : int64 array of shape (n, 4)
        For `gamma_inputs.note_arrival`; no rows as a rule.
    """

    model: PatientModel
    expanded: ExpandedModel
    structure: Structure
    compartments: tuple[str, ...]
    inputs: tuple[str, ...]
    columns: tuple[str, ...]
    record_names: tuple[str, ...]
    outputs: tuple[str, ...]
    n_record: int
    fill_record: Callable[[Array, float, Array], None]
    fill_initial: Callable[[Array, Array], None]
    derivative: Callable[[float, float, float, Array, Array, Array], None]
    rest_derivative: Callable[[float, float, float, Array, Array, Array], None]
    flow_matrix: Callable[[float, Array, Array], None]
    driven_panels: Callable[..., None]
    output: Callable[[float, float, Array, Array, Array], None]
    dose_index: IntArray
    switch_index: int
    switch_from_record: bool
    linear_block: IntArray
    linear_response: IntArray
    is_linear: bool
    engine: EngineName
    gamma_inputs: IntArray
    time_conditions: IntArray
    forcing_reads: IntArray
    forcing_drives: IntArray
    trial_sources: Mapping[str, str]

    def __reduce__(self) -> tuple[Callable[..., CompiledModel], tuple[PatientModel, tuple[str, ...]]]:
        """Other processes compile (or find) the kernels for themselves."""
        return compile_model, (self.model, self.columns)

    def has_trial(self, engine: str) -> bool:
        """Whether the model has a trial step of its own for the engine "exact-pk" or "ode"."""
        return engine in self.trial_sources

    def trial(self, engine: str) -> Trial:
        """That step (see `trial_code`), compiled when it is asked for the first time: some seconds, later some milliseconds."""
        module: Any = load_generated(self.trial_sources[engine])
        step: Trial = module.trial
        return step

    def default_inputs(self, values: Mapping[str, float] | None = None) -> Array:
        """Inputs, shape (n_inputs,), of a typical patient: theta as in the file, random effects 0, the largest class of each mixture.

        `values` (names in any case) go before; a data column that is not among them is nan.

        Raises
        ------
        SpecError
            If `values` has a name that is no input.
        """
        given = {self.inputs[self.input_index(name)].casefold(): value for name, value in (values or {}).items()}
        typical: dict[str, float] = {**self.model.theta_values(), **dict.fromkeys(self.model.eta_names, 0.0)}
        typical.update({mixture.name: float(mixture.typical_class) for mixture in self.model.mixtures})
        return np.array([given.get(name.casefold(), typical.get(name, math.nan)) for name in self.inputs], dtype=np.float64)

    def input_index(self, name: str) -> int:
        """Place in inputs of a name, in any case."""
        return _place(self.inputs, name, "an input")

    def record_index(self, name: str) -> int:
        """Place in r of a [record] entry, in any case."""
        return _place(self.record_names, name, "a record value")

    def compartment_index(self, name: str) -> int:
        """Place in x of a compartment, in any case."""
        return _place(self.compartments, name, "a compartment")

    def output_index(self, name: str) -> int:
        """Place in out of an output, in any case."""
        return _place(self.outputs, name, "an output")

    def non_finite(self, kind: Kind, values: Array) -> tuple[str, ...]:
        """Names of the values that are nan or infinite. Ask for inputs first: a comparison with nan does not hold, and hides it.

        Of record values, `rate` and `duration` of doses are passed over: they are used only where a dose asks for them, and checked there. So are
        the parts of conditions on time: a branch that is not taken may ask for them.
        """
        names = {"input": self.inputs, "record": self.record_names, "output": self.outputs}.get(kind, self.compartments)
        wrong = [names[place] for place in np.flatnonzero(~np.isfinite(values[: len(names)]))]
        used_elsewhere = (*self.dose_index[:, 2:].ravel(), *self.time_conditions.ravel())
        passed_over = {self.record_names[place] for place in used_elsewhere if place >= 0} if kind == "record" else set[str]()
        return tuple(name for name in wrong if name not in passed_over)


@lru_cache(maxsize=32)
def _compiled(model: PatientModel, columns: tuple[str, ...]) -> CompiledModel:
    expanded = expand(model)
    used = _used_columns(model, expanded, columns)
    structure = structure_of(equations_of(expanded))
    own = (*model.theta, *model.eta_names, *(mixture.name for mixture in model.mixtures))
    places = {name: place for place, name in enumerate((*own, *used))}
    code = generate(expanded, structure, record_names=tuple(model.record), inputs=places)
    module: Any = load_generated(code.source)
    block, response = (_places_of(names, expanded.compartments) for names in (structure.block, structure.response))
    return CompiledModel(
        model=model, expanded=expanded, structure=structure, compartments=expanded.compartments, inputs=(*own, *used.values()),
        columns=tuple(used.values()), record_names=code.labels, outputs=tuple(expanded.output), n_record=code.n_record,
        fill_record=module.fill_record, fill_initial=module.fill_initial, derivative=module.derivative,
        rest_derivative=module.rest_derivative, flow_matrix=module.flow_matrix, driven_panels=module.driven_panels, output=module.output,
        dose_index=_dose_index(code, expanded), switch_index=code.switch_place, switch_from_record=expanded.switch_from_record,
        linear_block=block, linear_response=response, is_linear=structure.is_linear, engine=_engine(structure),
        gamma_inputs=frozen(np.array(code.gamma_places, dtype=np.int64).reshape(-1, 4), dtype=np.int64),
        time_conditions=frozen(np.array(code.condition_places, dtype=np.int64).reshape(-1, 3), dtype=np.int64),
        forcing_reads=_places_of(structure.heard, structure.block),
        forcing_drives=_places_of(structure.driven, structure.response), trial_sources=code.trials,
    )  # fmt: skip


def compile_model(model: PatientModel, columns: Sequence[str] = ()) -> CompiledModel:
    """A model's kernels, compiled for data with the given columns (numbers only).

    The first time some seconds; later, also in another process, some milliseconds.

    Parameters
    ----------
    model : PatientModel
    columns : sequence of str
        Column headers of the data; case does not matter. TIME is no column: it is always there.

    Raises
    ------
    SpecError
        If the model reads names that neither it nor the data has, or has conditions on time that cannot be located; all of them, each with its
        place in the model file.
    """
    return _compiled(model, tuple(columns))


def _used_columns(model: PatientModel, expanded: ExpandedModel, columns: tuple[str, ...]) -> dict[str, str]:
    """Name in the model -> header in the data, for the columns the model reads."""
    headers = {column.casefold(): column for column in reversed(columns)}
    known = (*expanded.compartments, *model.theta, *model.eta_names, *model.record, *model.algebra, *columns)
    faults: list[Fault] = []
    for name in expanded.columns:
        title = column_title(name)
        if title.casefold() not in headers:
            place = next((entry.place for entry in _entries(expanded) if name in names_in(entry.expression)), model.file)
            otherwise = "Add the column to the data, or define the name in the model."
            cure = did_you_mean(title, (word for word in known if not word.startswith("@")), otherwise=otherwise)
            listed = ", ".join(columns) or "none were given"
            expected = f"a name that the model defines, or a column of the data ({listed})"
            faults.append(Fault(place=place, found=f'the unknown name "{title}"', expected=expected, cure=cure))
    raise_all(faults, SpecError)
    return {name: headers[column_title(name).casefold()] for name in expanded.columns}


def _entries(expanded: ExpandedModel) -> Iterable[Entry]:
    yield from expanded.record.values()
    yield from expanded.algebra.values()
    yield from (flow.coefficient for flow in expanded.flows)
    yield from (term.entry for term in expanded.terms)
    for settings in expanded.dose.values():
        yield from (entry for entry in (settings.lag, settings.F, settings.rate, settings.duration) if entry is not None)
    yield from expanded.initial.values()
    yield from expanded.output.values()
    yield from (entry for gamma in expanded.gamma_inputs for entry in (gamma.n, gamma.rate))
    if expanded.switch is not None:
        yield expanded.switch


def _dose_index(code: ModelCode, expanded: ExpandedModel) -> IntArray:
    places = [[code.dose_places.get(name, {}).get(key, -1) for key in _DOSE_KEYS] for name in expanded.compartments]
    return frozen(np.array(places, dtype=np.int64).reshape(-1, 4), dtype=np.int64)


def _places_of(names: Sequence[str], among: Sequence[str]) -> IntArray:
    return frozen(np.array([among.index(name) for name in names], dtype=np.int64), dtype=np.int64)


def _engine(structure: Structure) -> EngineName:
    if structure.is_linear:
        return "exact"
    if structure.response:
        return "quadrature"
    moves = any(form.coefficients for name, form in structure.forms.items() if name in structure.block)
    return "exact-pk" if moves else "ode"


def _place(names: tuple[str, ...], name: str, kind: str) -> int:
    folded = [known.casefold() for known in names]
    if name.casefold() not in folded:
        cure = did_you_mean(name, names, otherwise="Correct the name.")
        raise SpecError(Fault(place=kind, found=f'"{name}"', expected=f"one of {', '.join(names)}", cure=cure))
    return folded.index(name.casefold())
