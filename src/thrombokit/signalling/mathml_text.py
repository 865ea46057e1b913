"""Formulas written as MathML, the way SBML Level 3 Version 2 has them."""

from __future__ import annotations

import math
from xml.etree.ElementTree import Element, SubElement

from thrombokit.signalling.expression import Call, Expression, Name, Number

MATHML = "http://www.w3.org/1998/Math/MathML"
_SYMBOLS = "http://www.sbml.org/sbml/symbols/"
_QUALIFIED = {"root": "degree", "log": "logbase"}


def math_element(expression: Expression) -> Element:
    """A <math> element that holds the formula."""
    element = Element(f"{{{MATHML}}}math")
    element.append(_node(expression))
    return element


def _node(expression: Expression) -> Element:
    if isinstance(expression, Number):
        return _number(expression.value)
    if isinstance(expression, Name):
        return _text("ci", expression.id)
    if expression.function == "time":
        return _symbol("time")
    if expression.function == "piecewise":
        return _piecewise(expression)
    apply = Element(f"{{{MATHML}}}apply")
    apply.append(_symbol("rateOf") if expression.function == "rateOf" else Element(f"{{{MATHML}}}{expression.function}"))
    arguments = list(expression.arguments)
    if expression.function in _QUALIFIED:
        SubElement(apply, f"{{{MATHML}}}{_QUALIFIED[expression.function]}").append(_node(arguments.pop(0)))
    apply.extend(_node(argument) for argument in arguments)
    return apply


def _piecewise(expression: Call) -> Element:
    element = Element(f"{{{MATHML}}}piecewise")
    parts = expression.arguments
    for at in range(0, len(parts) - 1, 2):
        piece = SubElement(element, f"{{{MATHML}}}piece")
        piece.extend((_node(parts[at]), _node(parts[at + 1])))
    if len(parts) % 2:
        SubElement(element, f"{{{MATHML}}}otherwise").append(_node(parts[-1]))
    return element


def _number(value: float) -> Element:
    if math.isnan(value):
        return Element(f"{{{MATHML}}}notanumber")
    if math.isinf(value):
        infinity = Element(f"{{{MATHML}}}infinity")
        return infinity if value > 0.0 else _negative(infinity)
    mantissa, _, exponent = repr(value).partition("e")
    if not exponent:
        return _text("cn", mantissa)
    element = _text("cn", f"{mantissa} ")
    element.set("type", "e-notation")
    SubElement(element, f"{{{MATHML}}}sep").tail = f" {exponent}"
    return element


def _negative(inner: Element) -> Element:
    apply = Element(f"{{{MATHML}}}apply")
    apply.extend((Element(f"{{{MATHML}}}minus"), inner))
    return apply


def _text(tag: str, text: str) -> Element:
    element = Element(f"{{{MATHML}}}{tag}")
    element.text = text
    return element


def _symbol(name: str) -> Element:
    element = _text("csymbol", name)
    element.set("encoding", "text")
    element.set("definitionURL", _SYMBOLS + name)
    return element
