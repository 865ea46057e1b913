"""MathML looked over before libsbml is given it: a formula with a part missing makes libsbml 5.21 end the whole process."""

from __future__ import annotations

from collections.abc import Iterator

from thrombokit.io.xml_tree import Element
from thrombokit.signalling.expression import FUNCTIONS

_LEAVES = frozenset(("cn", "ci", "csymbol", "true", "false", "notanumber", "pi", "infinity", "exponentiale"))
_QUALIFIERS = frozenset(("degree", "logbase"))
_ANY_NUMBER = frozenset(("plus", "times", "and", "or", "xor"))
_TWO = frozenset(("divide", "power", "implies", "rem", "quotient", "neq"))
_AT_LEAST_ONE = frozenset(("eq", "gt", "lt", "geq", "leq", "min", "max"))


def misshapen(math: Element) -> Iterator[tuple[int, str]]:
    """Lines and words of what is missing in, or foreign to, a <math> element: at most one a subtree."""
    parts = [child for child in math.children if child.name not in ("annotation", "annotation-xml")]
    if len(parts) > 1:
        yield math.line, f"<math> with {len(parts)} formulas"
    for part in parts:
        yield from _lambda(part) if part.name == "lambda" else _node(part)


def _lambda(element: Element) -> Iterator[tuple[int, str]]:
    for bound in (child for child in element.children if child.name == "bvar"):
        if len(bound.children) != 1 or bound.children[0].name != "ci" or not bound.children[0].text.strip():
            yield bound.line, "an argument of a function without a name"
    bodies = [child for child in element.children if child.name != "bvar"]
    if len(bodies) > 1:
        yield element.line, f"a function with {len(bodies)} formulas"
    for body in bodies:
        yield from _node(body)


def _node(element: Element) -> Iterator[tuple[int, str]]:
    if element.name in _LEAVES:
        yield from _leaf(element)
    elif element.name == "piecewise":
        yield from _piecewise(element)
    elif element.name == "semantics" and element.children:
        yield from _node(element.children[0])
    elif element.name == "apply" and element.children:
        yield from _apply(element)
    else:
        yield element.line, f"<{element.name}> {'without content' if element.name in ('apply', 'semantics') else 'in a formula'}"


def _leaf(element: Element) -> Iterator[tuple[int, str]]:
    if element.name in ("cn", "ci") and not element.text.strip():
        yield element.line, f"an empty <{element.name}>"
    elif any(child.name != "sep" for child in element.children):
        yield element.line, f"elements within <{element.name}>"


def _piecewise(element: Element) -> Iterator[tuple[int, str]]:
    for child in element.children:
        wanted = {"piece": 2, "otherwise": 1}.get(child.name)
        if wanted is None:
            yield child.line, f"<{child.name}> in <piecewise>"
        elif len(child.children) != wanted:
            yield child.line, f"<{child.name}> with {len(child.children)} formulas"
        else:
            for part in child.children:
                yield from _node(part)
    if sum(child.name == "otherwise" for child in element.children) > 1:
        yield element.line, "<piecewise> with more than one <otherwise>"


def _apply(element: Element) -> Iterator[tuple[int, str]]:
    head, *rest = element.children
    qualifiers = [child for child in rest if child.name in _QUALIFIERS]
    arguments = [child for child in rest if child.name not in _QUALIFIERS]
    if not _fits(head, arguments):
        yield element.line, f"{_called(head)} with {len(arguments)} arguments"
        return
    if any(len(one.children) != 1 for one in qualifiers) or len(qualifiers) > 1:
        yield element.line, f"{_called(head)} with an empty or second <degree> or <logbase>"
        return
    for part in (*(one.children[0] for one in qualifiers), *arguments):
        yield from _node(part)


def _called(head: Element) -> str:
    if head.name == "csymbol":
        return head.attributes.get(("", "definitionURL"), "csymbol").rsplit("/", 1)[-1]
    return head.text.strip() if head.name == "ci" else head.name


def _fits(head: Element, arguments: list[Element]) -> bool:
    """Whether a function is one SBML has, with as many arguments as it takes."""
    name, count = head.name, len(arguments)
    if name == "ci":
        return bool(head.text.strip())
    if name == "csymbol":
        return count == (2 if _called(head) == "delay" else 1)
    if name in _ANY_NUMBER:
        return True
    if name == "minus":
        return 1 <= count <= 2
    if name in _TWO:
        return count == 2
    if name in _AT_LEAST_ONE:
        return count >= 1
    return name in FUNCTIONS and count == 1
