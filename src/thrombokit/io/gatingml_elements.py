"""Elements of a Gating-ML file taken apart: attributes, numbers and children; what is not understood is refused by name, never ignored."""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from itertools import islice

from thrombokit.errors import Fault, FileFormatError, InputError
from thrombokit.io.xml_tree import Element

_ROOT = "http://www.isac-net.org/std/Gating-ML/v2.0/"
GATING, TRANSFORMS, DATA_TYPE = f"{_ROOT}gating", f"{_ROOT}transformations", f"{_ROOT}datatypes"
PREFIXES = {GATING: "gating:", TRANSFORMS: "transforms:", DATA_TYPE: "data-type:", "": ""}
SAYS_NOTHING = ("http://www.w3.org/2001/XMLSchema-instance", "http://www.w3.org/XML/1998/namespace")
"""Namespaces whose attributes do not change what a file means."""

MOST_FAULTS, MOST_NAMES = 200, 20
"""How many faults are told one by one, and how many names in one of them."""

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_TRUE_FALSE = {"true": True, "1": True, "false": False, "0": False}
_EXPORT_AGAIN = "Correct the file, or export it again."


@dataclass(kw_only=True)
class GatingFile:
    """A file being read: its name for messages, and the faults found so far."""

    name: str
    faults: list[Fault] = field(default_factory=list[Fault])
    n_faults: int = 0

    def fault(self, element: Element, about: str, found: str, expected: str, cure: str = _EXPORT_AGAIN) -> None:
        """Note a fault at an element; `about` names the gate, matrix or transformation, or is empty."""
        self.fault_at(element.line, about, Fault(place="", found=found, expected=expected, cure=cure))

    def fault_at(self, line: int | None, about: str, fault: Fault) -> None:
        """Note a fault found elsewhere, in the line where it belongs."""
        self.n_faults += 1
        if self.n_faults <= MOST_FAULTS:
            place = self.name + (f":{line}" if line is not None else "") + (f", {about}" if about else "")
            self.faults.append(Fault(place=place, found=fault.found, expected=fault.expected, cure=fault.cure))

    def adopt(self, element: Element, about: str, error: InputError) -> None:
        """Note the faults that a value found in itself."""
        for fault in error.faults:
            self.fault(element, about, fault.found, fault.expected, fault.cure)

    def refuse(self) -> None:
        """Raise all faults, if there are any; beyond `MOST_FAULTS` they are only counted."""
        if self.n_faults > MOST_FAULTS:
            rest = f"{self.n_faults - MOST_FAULTS} more faults"
            self.faults.append(
                Fault(place=self.name, found=rest, expected="none", cure="Correct these first, or export the file again.")
            )
        if self.faults:
            raise FileFormatError(self.faults)


def some_of(names: Collection[str]) -> str:
    """The first few names, and how many more there are."""
    listed = list(islice(names, MOST_NAMES))
    more = f" and {len(names) - len(listed)} more" if len(names) > len(listed) else ""
    return (", ".join(listed) + more) or "none is defined"


def called(element: Element) -> str:
    """The element's name with the usual prefix."""
    return PREFIXES.get(element.namespace, f"{{{element.namespace}}}") + element.name


def is_named(element: Element, namespace: str, name: str) -> bool:
    """Whether it is that element."""
    return element.namespace == namespace and element.name == name


def children_of(element: Element, namespace: str, name: str) -> list[Element]:
    """Its children of one name, in order."""
    return [child for child in element.children if is_named(child, namespace, name)]


def check(
    file: GatingFile, element: Element, about: str, *, attributes: Collection[str] = (), children: Collection[tuple[str, str]] = ()
) -> None:
    """Note every attribute and child that is not among those named; `custom_info` and `name` say nothing that matters here."""
    for namespace, name in element.attributes:
        if namespace in SAYS_NOTHING or (namespace in PREFIXES and name in (*attributes, "name")):
            continue
        shown = PREFIXES.get(namespace, f"{{{namespace}}}") + name
        known = ", ".join(attributes) or "none"
        file.fault(element, about, f"attribute {shown} of {called(element)}, which is not understood", f"attributes: {known}")
    for child in element.children:
        if is_named(child, DATA_TYPE, "custom_info") or (child.namespace, child.name) in children:
            continue
        known = ", ".join(PREFIXES[namespace] + name for namespace, name in children) or "none"
        found = f"element <{called(child)}> in {called(element)}, which is not understood"
        file.fault(child, about, found, f"elements: {known}", "Remove it, or draw the gate with what Gating-ML 2.0 offers.")


def text_attribute(file: GatingFile, element: Element, about: str, namespace: str, name: str, *, needed: bool = True) -> str | None:
    """An attribute, with the standard's prefix or with none; None (and a fault, if it is needed) where it is absent or empty."""
    given = {element.attributes[key] for key in ((namespace, name), ("", name)) if key in element.attributes}
    if len(given) > 1:
        file.fault(element, about, f"two different attributes {name}", "one")
    if not given or given == {""}:
        if needed or given:
            file.fault(element, about, f"no {PREFIXES[namespace]}{name} in {called(element)}", "that attribute")
        return None
    return sorted(given)[0]


def number_attribute(
    file: GatingFile, element: Element, about: str, namespace: str, name: str, *, needed: bool = True
) -> float | None:
    """An attribute as a finite number; None where it is absent, or (with a fault) where it is no number."""
    text = text_attribute(file, element, about, namespace, name, needed=needed)
    return None if text is None else number(file, element, about, f"{PREFIXES[namespace]}{name}", text)


def number(file: GatingFile, element: Element, about: str, what: str, text: str) -> float | None:
    """Text as a finite number, or None with a fault."""
    bare = text.strip()
    value = float(bare) if _NUMBER.fullmatch(bare) else math.nan
    if math.isfinite(value):
        return value
    file.fault(
        element, about, f"{what} = {text!r}", "a finite number", "Correct the number; leave a bound away where a range is open."
    )
    return None


def truth_attribute(file: GatingFile, element: Element, about: str, namespace: str, name: str) -> bool:
    """An attribute that is true or false; false where it is absent."""
    text = text_attribute(file, element, about, namespace, name, needed=False)
    if text is not None and text.strip() not in _TRUE_FALSE:
        file.fault(element, about, f"{PREFIXES[namespace]}{name} = {text!r}", "true or false")
    return _TRUE_FALSE.get((text or "false").strip(), False)


def values_of(file: GatingFile, element: Element, about: str, child: str) -> list[float]:
    """The `data-type:value` of each child of that name in the gating namespace; those that are no numbers are left out (with a fault)."""
    check(file, element, about, children=[(GATING, child)])
    found: list[float] = []
    for one in children_of(element, GATING, child):
        check(file, one, about, attributes=["value"])
        value = number_attribute(file, one, about, DATA_TYPE, "value")
        if value is not None:
            found.append(value)
    return found
