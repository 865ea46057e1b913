"""What of a model is linear in what: the reason why one model may be advanced exactly and another only step by step.

An expression is taken apart into coefficients x compartments + rest. From that follow two sets of compartments:

- the *linear block*: each derivative is linear in the block, with coefficients constant over a parameter interval, and hears nothing else
  (as a rule the pharmacokinetics);
- the *linear response*: all other compartments, if each derivative is linear in them with constant coefficients, and the rest hears only
  the block, not the time (as a rule production, maturation and life of the cells, driven by the concentration).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from thrombokit.patients.expanded import PHASE, ExpandedModel
from thrombokit.patients.expressions import ONE, ZERO, Call, Expression, Name, minus, names_in, negative, over, plus, times
from thrombokit.patients.model import CONTINUOUS_TIME, TIME_AFTER_DOSE

_TIMES = frozenset((CONTINUOUS_TIME, TIME_AFTER_DOSE))


@dataclass(frozen=True, kw_only=True, slots=True)
class LinearForm:
    """sum of coefficient x compartment, plus rest; only coefficients that are not zero by themselves."""

    coefficients: Mapping[str, Expression]
    rest: Expression


@dataclass(frozen=True, kw_only=True, eq=False)
class Equations:
    """d/dt of every compartment as an expression; each flow is computed once, under a name of its own among `values`.

    `values` are [algebra] entries and flows, in an order in which each reads only earlier ones. `jumping` are compartments that a gamma
    input moves besides: their derivative is not the expression alone.
    """

    derivatives: Mapping[str, Expression]
    values: Mapping[str, Expression]
    jumping: frozenset[str]

    @cached_property
    def moves_with(self) -> dict[str, frozenset[str]]:
        """What each of `values` depends on in the end: compartments, T, TAD and the phase; empty for a constant one."""
        found: dict[str, frozenset[str]] = {}
        for name, expression in self.values.items():
            found[name] = frozenset().union(*(self._leaves(read, found) for read in names_in(expression)))
        return found

    def leaves_of(self, expression: Expression) -> frozenset[str]:
        """Compartments, T, TAD and the phase that an expression depends on, directly or through `values`."""
        return frozenset().union(*(self._leaves(name, self.moves_with) for name in names_in(expression)))

    def _leaves(self, name: str, known: Mapping[str, frozenset[str]]) -> frozenset[str]:
        if name in known:
            return known[name]
        return frozenset((name,)) if name in self.derivatives or name in _TIMES or name == PHASE else frozenset()

    def linear_form(self, expression: Expression, over_names: frozenset[str]) -> LinearForm | None:
        """The expression as a linear form in the compartments `over_names`; None where it is none with constant coefficients.

        The rest may hold anything but those compartments.
        """
        return _Decomposition(self, over_names).of(expression)


@dataclass(frozen=True, kw_only=True, eq=False)
class Structure:
    """The two sets, in the order of the compartments, and the forms that show it."""

    equations: Equations
    block: tuple[str, ...]
    response: tuple[str, ...]
    forms: Mapping[str, LinearForm]

    @property
    def is_linear(self) -> bool:
        """Whether the block is all there is."""
        return len(self.block) == len(self.equations.derivatives)

    @property
    def driven(self) -> tuple[str, ...]:
        """Compartments of the response whose drive is not always 0."""
        return tuple(name for name in self.response if self.forms[name].rest != ZERO)

    @property
    def heard(self) -> tuple[str, ...]:
        """Compartments of the block that the drive depends on."""
        leaves = {leaf for name in self.driven for leaf in self.equations.leaves_of(self.forms[name].rest)}
        return tuple(name for name in self.block if name in leaves)


def equations_of(model: ExpandedModel) -> Equations:
    """The differential equations of a model, without doses and infusions."""
    derivatives: dict[str, Expression] = dict.fromkeys(model.compartments, ZERO)
    values = {name: entry.expression for name, entry in model.algebra.items()}
    for number, flow in enumerate(model.flows):
        name = f"@flow {number}"
        values[name] = times(flow.coefficient.expression, Name(flow.source))
        derivatives[flow.source] = minus(derivatives[flow.source], Name(name))
        if flow.target is not None:
            derivatives[flow.target] = plus(derivatives[flow.target], Name(name))
    for term in model.terms:
        derivatives[term.compartment] = plus(derivatives[term.compartment], term.entry.expression)
    jumping = frozenset(name for gamma in model.gamma_inputs for name in (gamma.source, gamma.target))
    return Equations(derivatives=derivatives, values=values, jumping=jumping)


def structure_of(equations: Equations) -> Structure:
    """The linear block (the largest there is) and the linear response."""
    everything = frozenset(equations.derivatives)
    forms: dict[str, LinearForm] = {}
    for name, derivative in equations.derivatives.items():
        form = equations.linear_form(derivative, everything)
        if form is not None and form.rest == ZERO and name not in equations.jumping:
            forms[name] = form
    while stray := [name for name, form in forms.items() if not forms.keys() >= form.coefficients.keys()]:
        for name in stray:
            del forms[name]
    others = tuple(name for name in equations.derivatives if name not in forms)
    answers = _response_forms(equations, frozenset(others)) if forms else {}
    return Structure(
        equations=equations,
        block=tuple(name for name in equations.derivatives if name in forms),
        response=others if answers else (),
        forms={**forms, **answers},
    )


def _response_forms(equations: Equations, others: frozenset[str]) -> dict[str, LinearForm]:
    """The forms of the other compartments in themselves; empty where one of them is none, or hears more than the block."""
    forms: dict[str, LinearForm] = {}
    for name in others:
        form = equations.linear_form(equations.derivatives[name], others)
        if form is None or name in equations.jumping or equations.leaves_of(form.rest) & (_TIMES | {PHASE}):
            return {}
        forms[name] = form
    return forms


class _Decomposition:
    """Takes expressions apart; each named value once."""

    def __init__(self, equations: Equations, over_names: frozenset[str]) -> None:
        self.equations = equations
        self.over = over_names
        self.known: dict[str, LinearForm | None] = {}

    def of(self, expression: Expression) -> LinearForm | None:
        if not self.equations.leaves_of(expression) & self.over:
            return LinearForm(coefficients={}, rest=expression)
        if isinstance(expression, Name):
            return self._of_name(expression.id)
        if not isinstance(expression, Call):
            return None
        function, arguments = expression.function, expression.arguments
        if function == "neg":
            return _mapped(self.of(arguments[0]), negative)
        if function in ("+", "-"):
            return _combined(self.of(arguments[0]), self.of(arguments[1]), plus if function == "+" else minus)
        if function == "*":
            if self._is_constant(arguments[0]):
                return _mapped(self.of(arguments[1]), lambda part: times(arguments[0], part))
            if self._is_constant(arguments[1]):
                return _mapped(self.of(arguments[0]), lambda part: times(part, arguments[1]))
        if function == "/" and self._is_constant(arguments[1]):
            return _mapped(self.of(arguments[0]), lambda part: over(part, arguments[1]))
        if function == "if" and self._is_constant(arguments[0]):
            return _combined(self.of(arguments[1]), self.of(arguments[2]), lambda a, b: _choice(arguments[0], a, b))
        return None

    def _of_name(self, name: str) -> LinearForm | None:
        if name in self.over:
            return LinearForm(coefficients={name: ONE}, rest=ZERO)
        if name not in self.known:
            self.known[name] = self.of(self.equations.values[name])
        return self.known[name]

    def _is_constant(self, expression: Expression) -> bool:
        return self.equations.leaves_of(expression) <= {PHASE}


def _choice(condition: Expression, first: Expression, second: Expression) -> Expression:
    return first if first == second else Call("if", (condition, first, second))


def _mapped(form: LinearForm | None, change: Callable[[Expression], Expression]) -> LinearForm | None:
    if form is None:
        return None
    return LinearForm(coefficients={name: change(part) for name, part in form.coefficients.items()}, rest=change(form.rest))


def _combined(
    first: LinearForm | None, second: LinearForm | None, join: Callable[[Expression, Expression], Expression]
) -> LinearForm | None:
    if first is None or second is None:
        return None
    names = dict.fromkeys((*first.coefficients, *second.coefficients))
    joined = {name: join(first.coefficients.get(name, ZERO), second.coefficients.get(name, ZERO)) for name in names}
    coefficients = {name: part for name, part in joined.items() if part != ZERO}
    return LinearForm(coefficients=coefficients, rest=join(first.rest, second.rest))
