"""Conditions on time in what moves a model: `T > 100`, `TAD <= 2`, the kink of `min(T, 24)`.

An adaptive solver looks at a model only at the times of its steps, and at rest its steps grow: a window of two hours in a quiet year would be
stepped over, and nobody would hear of it. So every time at which a condition may change its answer is a break point. For that it has to be
known beforehand: the two sides may differ by a sum of T, TAD and values that do not change between records, each times such a value.
What cannot be located so is refused. A condition that a compartment decides (`central > 5`, `central > T`) is found by the steps alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations, product
from typing import NamedTuple

from thrombokit.errors import Fault, SpecError, raise_all
from thrombokit.patients.expanded import PHASE, ExpandedModel
from thrombokit.patients.expressions import (
    COMPARISONS,
    ONE,
    ZERO,
    Call,
    Expression,
    Name,
    expression_text,
    minus,
    names_in,
    negative,
    nodes_of,
    over,
    plus,
    times,
)  # fmt: skip
from thrombokit.patients.model import CONTINUOUS_TIME, TIME_AFTER_DOSE, Entry
from thrombokit.patients.structure import Equations

MOST_FORMS = 64
"""Ways in which the branches of one condition may combine; more of them are refused."""
_TIMES = frozenset((CONTINUOUS_TIME, TIME_AFTER_DOSE))


class TimeCondition(NamedTuple):
    """Something may change where `time` x T + `after_dose` x TAD + `rest` passes through 0; the three hold between two records."""

    time: Expression
    after_dose: Expression
    rest: Expression

    @property
    def moves(self) -> bool:
        """Whether T or TAD stands in it at all."""
        return self.time != ZERO or self.after_dose != ZERO


def time_conditions_of(model: ExpandedModel, equations: Equations) -> tuple[TimeCondition, ...]:
    """The conditions on time that the derivatives of a model hear, each once; there may be more than ever change anything.

    Comparisons, conditions of `if`, and the kinks of `min` and `max` count, in flows, pieces, [ode] and the [algebra] that these read.

    Raises
    ------
    SpecError
        Every condition whose time cannot be known beforehand, with its place in the model file.
    """
    reader = _Reader(equations)
    found: dict[TimeCondition, None] = {}
    faults: list[Fault] = []
    for entry in _moving_entries(model, equations):
        for node, first, second in _comparisons(entry.expression):
            located = reader.located(node, first, second)
            if isinstance(located, _Refusal):
                faults.append(_fault(entry, node, located))
            else:
                found.update(dict.fromkeys(located))
    raise_all(faults, SpecError)
    return tuple(found)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Refusal:
    """Why a condition cannot be located."""

    found: str
    expected: str
    cure: str


_MIXED = _Refusal(
    found="which mixes time and compartments on one side",
    expected="compartments alone on one side, or none at all",
    cure="Write it with the compartments on one side and T or TAD on the other, as in central > 2*T.",
)
_NOT_LOCATED = _Refusal(
    found="whose time cannot be known beforehand",
    expected="T and TAD only times, plus or minus values that hold between two records, or a solver may step over what it switches",
    cure="Write T or TAD alone on one side and a value on the other, as in T > 100, and a bend as if(T < 100, ..., ...).",
)

_BOTH = _Refusal(
    found="which weighs T against TAD",
    expected="T alone or TAD alone: T - TAD, the time of the last dose, never moves between doses, and rounding would decide where it is equal",
    cure="Write T or TAD alone on one side and a value on the other, as in T > 100; or have a data column say it.",
)


def _fault(entry: Entry, node: Call, refusal: _Refusal) -> Fault:
    found = f'the condition "{expression_text(node)}", {refusal.found}'
    return Fault(place=entry.place, found=found, expected=refusal.expected, cure=refusal.cure)


def _moving_entries(model: ExpandedModel, equations: Equations) -> Iterator[Entry]:
    """What the derivatives hear, in the order of the file."""
    entries = [*(flow.coefficient for flow in model.flows), *(term.entry for term in model.terms)]
    heard: set[str] = set()
    waiting = [name for entry in entries for name in names_in(entry.expression)]
    while waiting:
        name = waiting.pop()
        if name in model.algebra and name not in heard:
            heard.add(name)
            waiting.extend(names_in(equations.values[name]))
    yield from (entry for name, entry in model.algebra.items() if name in heard)
    yield from entries


def _comparisons(expression: Expression) -> Iterator[tuple[Call, Expression, Expression]]:
    """Every pair of sides that something hangs on, with the node they stand in; `if(x, ...)` asks whether x is 0."""
    for node in nodes_of(expression):
        if not isinstance(node, Call):
            continue
        if node.function in COMPARISONS:
            yield node, node.arguments[0], node.arguments[1]
        elif node.function in ("min", "max"):
            yield from ((node, first, second) for first, second in combinations(node.arguments, 2))
        elif node.function == "if" and not _is_comparison(node.arguments[0]):
            yield node, node.arguments[0], ZERO


def _is_comparison(expression: Expression) -> bool:
    return isinstance(expression, Call) and expression.function in COMPARISONS


class _Reader:
    """Takes conditions apart; each named value once."""

    def __init__(self, equations: Equations) -> None:
        self.equations = equations
        self.bare_of_values: dict[str, frozenset[str]] = {}
        self.forms_of_values: dict[str, tuple[TimeCondition, ...] | None] = {}

    def located(self, node: Call, first: Expression, second: Expression) -> tuple[TimeCondition, ...] | _Refusal:
        """Where the two sides may be equal; nothing where time does not decide, or a compartment does."""
        leaves = (self.bare(first), self.bare(second))
        if not (leaves[0] | leaves[1]) & _TIMES:
            return ()
        if (leaves[0] | leaves[1]) & self.equations.derivatives.keys():
            mixed = any(side & _TIMES and side & self.equations.derivatives.keys() for side in leaves)
            return _MIXED if mixed and node.function not in ("min", "max") else ()
        forms = self.forms(minus(first, second))
        if forms is None:
            return _NOT_LOCATED
        both = any(form.time != ZERO and form.after_dose != ZERO for form in forms)
        return _BOTH if both and node.function not in ("min", "max") else tuple(form for form in forms if form.moves)

    def bare(self, expression: Expression) -> frozenset[str]:
        """T, TAD and compartments that the value follows without a step: those within a comparison or a condition are left out."""
        if isinstance(expression, Name):
            name = expression.id
            if name not in self.equations.values:
                return frozenset((name,)) & (_TIMES | self.equations.derivatives.keys())
            if name not in self.bare_of_values:
                self.bare_of_values[name] = self.bare(self.equations.values[name])
            return self.bare_of_values[name]
        if not isinstance(expression, Call) or _is_comparison(expression):
            return frozenset()
        arguments = expression.arguments[1:] if expression.function == "if" else expression.arguments
        return frozenset().union(*(self.bare(argument) for argument in arguments))

    def forms(self, expression: Expression) -> tuple[TimeCondition, ...] | None:
        """What the expression may be, branch by branch, as linear forms in T and TAD; None where it is no such thing, or too many."""
        if not self.equations.leaves_of(expression):
            return (TimeCondition(ZERO, ZERO, expression),)
        if isinstance(expression, Name):
            return self._of_name(expression.id)
        if not isinstance(expression, Call):
            return None
        function, arguments = expression.function, expression.arguments
        if function in COMPARISONS:
            return (TimeCondition(ZERO, ZERO, ZERO), TimeCondition(ZERO, ZERO, ONE))
        parts = [self.forms(argument) for argument in (arguments[1:] if function == "if" else arguments)]
        known = [part for part in parts if part is not None]
        if len(known) < len(parts):
            return None
        if function in ("if", "min", "max"):
            return _few(form for part in known for form in part)
        joined = [_joined(function, one) for one in product(*known)] if _ways(known) <= MOST_FORMS else [None]
        whole = [form for form in joined if form is not None]
        return _few(whole) if len(whole) == len(joined) else None

    def _of_name(self, name: str) -> tuple[TimeCondition, ...] | None:
        fixed: Mapping[str, tuple[TimeCondition, ...]] = {
            CONTINUOUS_TIME: (TimeCondition(ONE, ZERO, ZERO),),
            TIME_AFTER_DOSE: (TimeCondition(ZERO, ONE, ZERO),),
            PHASE: (TimeCondition(ZERO, ZERO, ZERO), TimeCondition(ZERO, ZERO, ONE)),
        }
        if name in fixed:
            return fixed[name]
        if name in self.equations.derivatives:
            return None
        if name not in self.forms_of_values:
            self.forms_of_values[name] = self.forms(self.equations.values[name])
        return self.forms_of_values[name]


def _ways(parts: Iterable[tuple[TimeCondition, ...]]) -> int:
    ways = 1
    for part in parts:
        ways *= len(part)
    return ways


def _few(forms: Iterable[TimeCondition]) -> tuple[TimeCondition, ...] | None:
    """Each once; None where they are too many."""
    different = tuple(dict.fromkeys(forms))
    return different if len(different) <= MOST_FORMS else None


def _joined(function: str, parts: tuple[TimeCondition, ...]) -> TimeCondition | None:
    """A function of linear forms where it is a linear form again."""
    first, last = parts[0], parts[-1]
    if function == "neg":
        return TimeCondition(*(negative(part) for part in first))
    if function in ("+", "-"):
        join = plus if function == "+" else minus
        return TimeCondition(*(join(one, other) for one, other in zip(first, last, strict=True)))
    if function == "*" and not first.moves:
        return TimeCondition(*(times(first.rest, part) for part in last))
    if function == "*" and not last.moves:
        return TimeCondition(*(times(part, last.rest) for part in first))
    if function == "/" and not last.moves:
        return TimeCondition(*(over(part, last.rest) for part in first))
    if any(part.moves for part in parts):
        return None
    return TimeCondition(ZERO, ZERO, Call(function, tuple(part.rest for part in parts)))
