"""The record values r of a compiled model: what is constant over a parameter interval, computed once for it.

First come the [record] entries in the order of the file; then hidden ones: dose settings, starts, and every part of a continuous
expression that does not move (CL/V in CL/V*central). A part within a branch of `if` stays where it is: it may have no value where the
branch is not taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from thrombokit.patients.expanded import ExpandedModel
from thrombokit.patients.expressions import Call, Expression, Name, Number, expression_text, names_in
from thrombokit.patients.structure import Equations


class RecordValues:
    """Grows while code is generated; `steps` are (place, expression) in the order of computation."""

    def __init__(self, record_names: Iterable[str], model: ExpandedModel, equations: Equations) -> None:
        self.equations = equations
        self.labels: list[str] = list(record_names)
        self.place: dict[str, int] = {name: number for number, name in enumerate(self.labels)}
        self.steps: list[tuple[int, Expression]] = [(self.place[name], entry.expression) for name, entry in model.record.items()]
        self.hidden: dict[Expression, Name] = {}
        for name, expression in equations.values.items():
            if not equations.moves_with[name]:
                self._add(name, name, expression)

    def _add(self, name: str, label: str, expression: Expression) -> Name:
        self.place[name] = len(self.labels)
        self.steps.append((len(self.labels), expression))
        self.labels.append(label)
        return Name(name)

    def keep(self, expression: Expression, *, label: str | None = None) -> Name:
        """The name under which r holds a constant expression; the same for the same expression.

        A `label` says what a person calls it, and gives it a place of its own.
        """
        if label is not None:
            return self._add(f"@{label}", label, expression)
        if isinstance(expression, Name) and expression.id in self.place:
            return expression
        if expression not in self.hidden:
            text = expression_text(expression)
            self.hidden[expression] = self._add(f"@r{len(self.labels)}", text, expression)
        return self.hidden[expression]

    def lifted(self, expression: Expression, *, names_only: bool = False) -> Expression:
        """The expression with its constant parts replaced by names of r; `names_only` within branches of `if`."""
        if isinstance(expression, Number):
            return expression
        is_constant = not self.equations.leaves_of(expression)
        if isinstance(expression, Name):
            return self.keep(expression) if is_constant else expression
        if is_constant and not names_only and names_in(expression) and expression.function != "neg":
            return self.keep(expression)
        if expression.function == "if":
            condition, *branches = expression.arguments
            kept = (self.lifted(condition, names_only=names_only), *(self.lifted(branch, names_only=True) for branch in branches))
            return Call("if", kept)
        return Call(expression.function, tuple(self.lifted(argument, names_only=names_only) for argument in expression.arguments))

    def lifted_all(self, expressions: Mapping[str, Expression]) -> dict[str, Expression]:
        """`lifted` of each."""
        return {name: self.lifted(expression) for name, expression in expressions.items()}
