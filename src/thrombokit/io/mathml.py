"""MathML, as SBML Level 3 Version 2 uses it, becomes formulas.

Functions that the model defines are written out where they are called. What SBML allows and no formula here can mean (delay,
distributions, functions of a package) is refused by name.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from thrombokit.io.xml_tree import Element
from thrombokit.numerics.expression_tree import substitute
from thrombokit.signalling.expression import FUNCTIONS, Call, Expression, Name, Number

MATHML = "http://www.w3.org/1998/Math/MathML"
AVOGADRO = 6.02214179e23
"""The value SBML Level 3 defines for csymbol avogadro (CODATA 2006)."""
_CONSTANTS = {"true": 1.0, "false": 0.0, "notanumber": math.nan, "pi": math.pi, "infinity": math.inf, "exponentiale": math.e}
_SYMBOLS = "http://www.sbml.org/sbml/symbols/"
_ANY, _ONE, _TWO, _SOME = (0, math.inf), (1, 1), (2, 2), (1, math.inf)
_COUNTS = {
    "plus": _ANY, "times": _ANY, "and": _ANY, "or": _ANY, "xor": _ANY, "minus": (1, 2), "divide": _TWO, "power": _TWO, "implies": _TWO,
    "rem": _TWO, "quotient": _TWO, "neq": _TWO, "eq": _SOME, "gt": _SOME, "lt": _SOME, "geq": _SOME, "leq": _SOME, "min": _SOME,
    "max": _SOME,
}  # fmt: skip
_EMPTY = {"plus": 0.0, "times": 1.0, "and": 1.0, "or": 0.0, "xor": 0.0}


@dataclass(frozen=True, kw_only=True)
class Definition:
    """A function of the model: its arguments and what it stands for."""

    arguments: tuple[str, ...]
    body: Expression


@dataclass(kw_only=True)
class Formulas:
    """Reads formulas; `note_fault(place, found, expected, cure)` is told what cannot be read."""

    note_fault: Callable[[str, str, str, str], None]
    definitions: dict[str, Definition] = field(default_factory=dict[str, Definition])
    pending: dict[str, Element] = field(default_factory=dict[str, Element])

    def define(self, functions: list[tuple[str, Element]]) -> None:
        """The functions a model defines, in any order: each may call others, none may call itself by whatever way."""
        self.pending.update(functions)
        for id, _ in functions:
            self._define(id)

    def read(self, element: Element, place: str, local: Mapping[str, str] | None = None) -> Expression:
        """The formula of a <math> element; `local` renames ids (a reaction's own parameters). A fault leaves nan in its place."""
        inner = [child for child in element.children if child.name not in ("annotation", "annotation-xml")]
        if len(inner) != 1:
            return self._fault(place, f"<math> with {len(inner)} formulas", "one formula", "Correct the file.")
        return self._node(inner[0], place, local or {})

    def _define(self, id: str) -> None:
        element = self.pending.pop(id, None)
        outer = [] if element is None else [child for child in element.children if child.name == "math"]
        lambdas = [child for one in outer for child in one.children if child.name == "lambda"]
        if not lambdas or not lambdas[0].children or lambdas[0].children[-1].name == "bvar":
            return
        *bound, body = lambdas[0].children
        arguments = tuple("".join(child.text for child in one.children).strip() for one in bound)
        self.definitions[id] = Definition(arguments=arguments, body=self._node(body, f"function {id}", {}))

    def _fault(self, place: str, found: str, expected: str, cure: str) -> Number:
        self.note_fault(place, found, expected, cure)
        return Number(math.nan)

    def _node(self, element: Element, place: str, local: Mapping[str, str]) -> Expression:
        name = element.name
        if name == "cn":
            return self._number(element, place)
        if name == "ci":
            id = element.text.strip()
            return Name(local.get(id, id))
        if name in _CONSTANTS:
            return Number(_CONSTANTS[name])
        if name == "csymbol":
            return self._symbol(element, place)
        if name == "piecewise":
            return self._piecewise(element, place, local)
        if name == "apply" and element.children:
            return self._apply(element, place, local)
        if name == "semantics" and element.children:
            return self._node(element.children[0], place, local)
        return self._fault(place, f"<{name}> in a formula", "MathML of SBML Level 3", "Remove it, or write it in another way.")

    def _number(self, element: Element, place: str) -> Expression:
        kind = element.attributes.get(("", "type"), "real")
        words = [element.text.strip()]
        if any(child.name == "sep" for child in element.children):
            words = element.text.split()
        try:
            if kind == "e-notation":
                return Number(float(f"{words[0]}e{int(words[1])}"))
            if kind == "rational":
                return Number(float(words[0]) / float(words[1]))
            return Number(float(words[0]))
        except (ValueError, IndexError, ZeroDivisionError):
            return self._fault(place, f'the number "{element.text.strip()}" ({kind})', "a number", "Correct the file.")

    def _symbol(self, element: Element, place: str) -> Expression:
        url = element.attributes.get(("", "definitionURL"), "")
        if url == _SYMBOLS + "time":
            return Call("time")
        if url == _SYMBOLS + "avogadro":
            return Number(AVOGADRO)
        return self._unsupported(url, place)

    def _unsupported(self, url: str, place: str) -> Number:
        name = url.rsplit("/", 1)[-1] or "csymbol"
        kind = "a delay differential equation" if name == "delay" else f"the symbol {name}"
        cure = "Models with delayed values cannot be simulated here; a chain of intermediate species is the usual stand-in."
        return self._fault(
            place, kind, "formulas of time, names and numbers", cure if name == "delay" else "Write it in another way."
        )

    def _piecewise(self, element: Element, place: str, local: Mapping[str, str]) -> Expression:
        parts: list[Expression] = []
        for child in (one for one in element.children if one.name == "piece"):
            if len(child.children) != 2:
                return self._fault(
                    place, f"a <piece> of {len(child.children)} parts", "a value and a condition", "Correct the file."
                )
            parts.extend(self._node(part, place, local) for part in child.children)
        last = [one for one in element.children if one.name == "otherwise"]
        if last and last[0].children:
            parts.append(self._node(last[0].children[0], place, local))
        return Call("piecewise", tuple(parts)) if parts else Number(math.nan)

    def _apply(self, element: Element, place: str, local: Mapping[str, str]) -> Expression:
        head, *rest = element.children
        qualifier = None
        if rest and rest[0].name in ("degree", "logbase"):
            qualifier, rest = self._node(rest[0].children[0], place, local), rest[1:]
        arguments = tuple(self._node(one, place, local) for one in rest)
        if head.name == "ci":
            return self._called(head.text.strip(), arguments, place)
        if head.name == "csymbol":
            return self._rate_of(head, arguments, place)
        if head.name in ("root", "log") and len(arguments) == 1:
            usual = Number(2.0) if head.name == "root" else Number(10.0)
            return Call(head.name, (qualifier or usual, *arguments))
        low, high = _COUNTS.get(head.name, _ONE)
        if head.name not in FUNCTIONS or head.name in ("root", "log", "time", "rateOf") or not low <= len(arguments) <= high:
            found = f"{head.name} of {len(arguments)} arguments"
            return self._fault(
                place, found, "functions of SBML Level 3 with as many arguments as they take", "Correct the formula."
            )
        if not arguments:
            return Number(_EMPTY[head.name])
        return arguments[0] if head.name in ("plus", "times") and len(arguments) == 1 else Call(head.name, arguments)

    def _rate_of(self, head: Element, arguments: tuple[Expression, ...], place: str) -> Expression:
        url = head.attributes.get(("", "definitionURL"), "")
        if url == _SYMBOLS + "rateOf" and len(arguments) == 1 and isinstance(arguments[0], Name):
            return Call("rateOf", arguments)
        return self._unsupported(url, place)

    def _called(self, id: str, arguments: tuple[Expression, ...], place: str) -> Expression:
        self._define(id)
        known = self.definitions.get(id)
        if known is None:
            found = f"the function {id}, whose definition is missing, empty or calls itself"
            return self._fault(place, found, "a defined function", "Define it in the model.")
        if len(arguments) != len(known.arguments):
            found = f"{id} of {len(arguments)} arguments"
            return self._fault(place, found, f"{len(known.arguments)} arguments", "Correct the formula.")
        return substitute(known.body, dict(zip(known.arguments, arguments, strict=True)))
