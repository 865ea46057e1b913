"""The source of a model's kernels: a few small functions, generated from its expressions.

See `signatures.py` for their arguments. Names of the file do not occur: compartments are x[0], record values r[0], inputs inputs[0].
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from thrombokit.patients.expanded import PHASE, ExpandedModel
from thrombokit.patients.expansion import dose_entries
from thrombokit.patients.expression_code import SMALLER_AND_LARGER, value_code
from thrombokit.patients.expressions import Expression, names_in
from thrombokit.patients.gamma_inputs import SLOTS
from thrombokit.patients.model import CONTINUOUS_TIME, TIME, TIME_AFTER_DOSE
from thrombokit.patients.panel_code import panel_source
from thrombokit.patients.record_values import RecordValues
from thrombokit.patients.structure import Structure
from thrombokit.patients.time_conditions import TimeCondition, time_conditions_of
from thrombokit.patients.trial_code import MOST_STATES, trial_source

_HEADER = '''"""Kernels of one patient model, generated; form 1."""

import math

import numba
from numpy import uint64 as U

from thrombokit.patients import signatures
from thrombokit.patients.gamma_inputs import gamma_rate

'''
_TRIAL_HEADER = '''"""The trial step of one patient model, generated; form 4."""

import math

import numba

from thrombokit.numerics.linear_modes import MODE_ANCHOR, MODE_READ
from thrombokit.patients import signatures

'''
_DECORATOR = '@numba.njit(signatures.{signature}, cache=CACHE, error_model="numpy")\n'


@dataclass(frozen=True, kw_only=True, eq=False)
class ModelCode:
    """The source, and where things stand in r.

    `trials` are sources of their own, compiled only where asked for: the model's trial step for the whole right-hand side ("ode") and for
    what is left beside the exactly known drug ("exact-pk"); none where it would be too long.
    `dose_places[compartment][key]`, `switch_place` (-1: none), `gamma_places` (compartment, start, n, rate) and `condition_places` (factor of T,
    factor of TAD, rest) are places in r; `labels` names the record values; `n_record` is the length of r with the doses under way.
    """

    source: str
    trials: Mapping[str, str]
    labels: tuple[str, ...]
    dose_places: Mapping[str, Mapping[str, int]]
    switch_place: int
    gamma_places: tuple[tuple[int, int, int, int], ...]
    condition_places: tuple[tuple[int, ...], ...]
    n_record: int


def generate(model: ExpandedModel, structure: Structure, *, record_names: Sequence[str], inputs: Mapping[str, int]) -> ModelCode:
    """The kernels of a model.

    Parameters
    ----------
    model : ExpandedModel
    structure : Structure
    record_names : sequence of str
        [record] entries in the order of the file.
    inputs : dict of str to int
        Place of every theta, random effect, mixture and data column, as the model spells it.

    Raises
    ------
    SpecError
        See `time_conditions_of`.
    """
    conditions = time_conditions_of(model, structure.equations)
    values = RecordValues(record_names, model, structure.equations)
    doses = {
        name: {
            key: values.place[values.keep(entry.expression, label=f"[dose.{name}] {key}").id]
            for key, entry in dose_entries(settings)
        }
        for name, settings in model.dose.items()
    }
    switch = values.place[values.keep(model.switch.expression, label="switch").id] if model.switch is not None else -1
    starts = {name: values.keep(entry.expression, label=f"[initial] {name}").id for name, entry in model.initial.items()}
    gammas = [
        (model.compartments.index(gamma.source), model.compartments.index(gamma.target),
         values.place[values.keep(gamma.n.expression, label="n of the transit piece").id],
         values.place[values.keep(gamma.rate.expression, label="rate of the transit piece").id])
        for gamma in model.gamma_inputs
    ]  # fmt: skip
    condition_places = _condition_places(conditions, values)
    writer = _Writer(model, structure, values, inputs)
    moving = [
        writer.derivative("derivative", model.compartments, gammas),
        writer.derivative("rest_derivative", [name for name in model.compartments if name not in structure.block], gammas),
        writer.flow_matrix(),
        writer.panels(),
        writer.outputs(),
        writer.initial(starts),
    ]
    trials = writer.trials() if not gammas else {}
    source = "\n\n\n".join((_HEADER + SMALLER_AND_LARGER, writer.record(), *moving)) + "\n"
    n_values = len(values.labels)
    for number in range(len(gammas)):
        source = source.replace(_history(number), str(n_values + number * SLOTS))
    return ModelCode(
        source=source,
        trials=trials,
        labels=tuple(values.labels),
        dose_places=doses,
        switch_place=switch,
        gamma_places=tuple((gamma[0], n_values + number * SLOTS, gamma[2], gamma[3]) for number, gamma in enumerate(gammas)),
        condition_places=condition_places,
        n_record=n_values + len(gammas) * SLOTS,
    )


def _condition_places(conditions: Sequence[TimeCondition], values: RecordValues) -> tuple[tuple[int, ...], ...]:
    """Each part of a condition has a place of its own: it may have no value where a branch that is not taken asks for it."""
    return tuple(
        tuple(
            values.place[values.keep(part, label=f"condition {number}, {word}").id]
            for word, part in zip(("factor of T", "factor of TAD", "rest"), condition, strict=True)
        )
        for number, condition in enumerate(conditions, 1)
    )


def _history(number: int) -> str:
    """Stands for the start of a stretch of r until the number of record values is known."""
    return f"@history{number}@"


def _function(signature: str, head: str, lines: Sequence[str]) -> str:
    return _DECORATOR.format(signature=signature) + f"def {head}:\n" + "\n".join(f"    {line}" for line in lines or ("pass",))


class _Writer:
    """Writes one function after the other; the record values it needs are added to `values` on the way."""

    def __init__(self, model: ExpandedModel, structure: Structure, values: RecordValues, inputs: Mapping[str, int]) -> None:
        self.model = model
        self.structure = structure
        self.values = values
        self.inputs = inputs
        equations = structure.equations
        self.moving = values.lifted_all({name: e for name, e in equations.values.items() if equations.moves_with[name]})
        self.local = {name: f"v{number}" for number, name in enumerate(self.moving)}
        self.fixed = {CONTINUOUS_TIME: "t", TIME_AFTER_DOSE: "tad", PHASE: "phase"}
        self.x = {name: f"x[{number}]" for number, name in enumerate(model.compartments)}

    def record(self) -> str:
        """Written last of all in time, since the others add to it, though it stands first."""
        lines = [f"r[{place}] = {value_code(expression, self._record_place)}" for place, expression in self.values.steps]
        return _function("RECORD", "fill_record(inputs, time, r)", lines)

    def initial(self, starts: Mapping[str, str]) -> str:
        values = {name: f"r[{self.values.place[place]}]" for name, place in starts.items()}
        lines = [f"x[{number}] = {values.get(name, '0.0')}" for number, name in enumerate(self.model.compartments)]
        return _function("INITIAL", "fill_initial(r, x)", lines)

    def derivative(self, function: str, rows: Sequence[str], gammas: Sequence[tuple[int, int, int, int]]) -> str:
        derivatives = self.structure.equations.derivatives
        expressions = {name: self.values.lifted(derivatives[name]) for name in rows}
        number_of = {name: number for number, name in enumerate(self.model.compartments)}
        lines = self._locals(expressions.values(), self.x)
        lines += [f"d{number_of[name]} = {self._code(expression, self.x)}" for name, expression in expressions.items()]
        for number, (source, target, n, rate) in enumerate(gammas):
            lines.append(f"q = gamma_rate(t, r, {_history(number)}, r[{n}], r[{rate}])")
            lines += [f"d{source} -= q", f"d{target} += q"]
        lines += [f"dx[{number_of[name]}] = d{number_of[name]}" for name in rows]
        return _function("DERIVATIVE", f"{function}(t, tad, phase, x, r, dx)", lines)

    def trials(self) -> dict[str, str]:
        """Trial steps by engine."""
        everything, block = self.model.compartments, self.structure.block
        rest = [name for name in everything if name not in block]
        sources = {"ode": self._trial(everything, ()), "exact-pk": self._trial(rest, block)}
        return {engine: source for engine, source in sources.items() if source}

    def _trial(self, moving: Sequence[str], block: Sequence[str]) -> str:
        if not 0 < len(moving) <= MOST_STATES:
            return ""
        number_of = {name: number for number, name in enumerate(self.model.compartments)}
        derivatives = [self.values.lifted(self.structure.equations.derivatives[name]) for name in moving]
        x = {name: f"x{number}" for name, number in number_of.items()}
        values = self._locals(derivatives, x)
        leaves = {
            leaf for name in moving for leaf in self.structure.equations.leaves_of(self.structure.equations.derivatives[name])
        }
        source = trial_source(
            n=len(number_of), moving=[number_of[name] for name in moving], values=values, block=[number_of[name] for name in block],
            slopes=[self._code(derivative, x) for derivative in derivatives],
            heard=[number_of[name] for name in block if name in leaves],
        )  # fmt: skip
        return f"{_TRIAL_HEADER}{SMALLER_AND_LARGER}\n\n\n{source}\n"

    def flow_matrix(self) -> str:
        number_of = {name: number for number, name in enumerate(self.model.compartments)}
        lines = ["for i in range(A.shape[0]):", "    for j in range(A.shape[1]):", "        A[i, j] = 0.0"]
        coefficients = {
            (number_of[row], number_of[column]): self.values.lifted(coefficient)
            for row, form in self.structure.forms.items()
            for column, coefficient in form.coefficients.items()
        }
        lines += self._locals(coefficients.values(), self.x)
        lines += [f"A[{i}, {j}] = {self._code(coefficient, self.x)}" for (i, j), coefficient in coefficients.items()]
        return _function("FLOW_MATRIX", "flow_matrix(phase, r, A)", lines)

    def panels(self) -> str:
        """The drive of the linear response, for the quadrature engine."""
        block, forms = self.structure.block, self.structure.forms
        rests = [self.values.lifted(forms[name].rest) for name in self.structure.driven]
        x = {name: f"x{number}" for number, name in enumerate(block)}
        return panel_source(
            n_block=len(block), n_response=len(self.structure.response), values=self._locals(rests, x),
            reads=[block.index(name) for name in self.structure.heard], drives=[self._code(rest, x) for rest in rests],
        )  # fmt: skip

    def outputs(self) -> str:
        expressions = [self.values.lifted(entry.expression) for entry in self.model.output.values()]
        lines = self._locals(expressions, self.x)
        lines += [f"out[{number}] = {self._code(expression, self.x)}" for number, expression in enumerate(expressions)]
        return _function("OUTPUT", "output(t, tad, x, r, out)", lines)

    def _locals(self, expressions: Iterable[Expression], x: Mapping[str, str]) -> list[str]:
        needed: set[str] = set()
        waiting = [name for expression in expressions for name in names_in(expression)]
        while waiting:
            name = waiting.pop()
            if name in self.moving and name not in needed:
                needed.add(name)
                waiting.extend(names_in(self.moving[name]))
        return [f"{self.local[name]} = {self._code(e, x)}" for name, e in self.moving.items() if name in needed]

    def _code(self, expression: Expression, x: Mapping[str, str]) -> str:
        return value_code(expression, lambda name: self._place(name, x))

    def _place(self, name: str, x: Mapping[str, str]) -> str:
        if name in x:
            return x[name]
        if name in self.local:
            return self.local[name]
        return self.fixed[name] if name in self.fixed else f"r[{self.values.place[name]}]"

    def _record_place(self, name: str) -> str:
        if name in self.values.place:
            return f"r[{self.values.place[name]}]"
        return "time" if name == TIME else f"inputs[{self.inputs[name]}]"
