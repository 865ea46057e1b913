"""FlowJo's .mtx: a spillover matrix as XML, read and written.

`spilloverMatrix` holds the detectors (`parameters`), and for each dye a `spillover` with one `coefficient` a detector. Names are matched
without their name spaces, which differ between versions of FlowJo.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterator
from xml.sax.saxutils import quoteattr

import numpy as np

from thrombokit.cells.spillover import Spillover
from thrombokit.errors import Fault, FileFormatError
from thrombokit.io.xml_tree import Element, parse_xml

_SPACE = "http://www.isac-net.org/std/Gating-ML/v2.0"
CURE = "Export the matrix from FlowJo again."
MOST_SHOWN = 20


def looks_like_xml(data: bytes) -> bool:
    """Whether a file begins as XML does."""
    head = data.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").replace(b"\x00", b"")[:2]
    return (head[:1] == b"<" and head[1:2].isalpha()) or head in (b"<?", b"<!")


def spillover_from_xml(data: bytes, place: str, *, name: str | None = None) -> Spillover:
    """The spillover matrix of an XML document.

    Parameters
    ----------
    data : bytes
    place : str
        The file, for messages.
    name : str, optional
        Which one, where there are several.

    Raises
    ------
    FileFormatError
        If there is none, or several and none was named, or one that is spectral or lacks coefficients; with the line.
    """
    found = list(_matrices(parse_xml(data, place)))
    names = [attribute(element, "name") or attribute(element, "id") for element in found]
    if name is not None:
        found = [element for element, its in zip(found, names, strict=True) if its == name]
    if len(found) != 1:
        said = f"{len(found)} spillover matrices" + (f" named {name!r}" if name is not None else "")
        cure = f"Say which: {', '.join(names)}." if names else "Check that this is a .mtx file of FlowJo."
        raise FileFormatError(Fault(place=place, found=said, expected="one", cure=cure))
    return spillover_from_element(found[0], place)


def spillover_from_element(element: Element, place: str) -> Spillover:
    """The matrix of one `spilloverMatrix` element; raises FileFormatError with all that is wrong with it."""
    faults: list[Fault] = []
    where = f"{place}:{element.line}"
    if attribute(element, "spectral") not in ("", "0"):
        fault = Fault(place=where, found="a spectral matrix", expected="a spillover matrix, square",
                      cure="Unmix in the cytometer's software and export the unmixed events.")  # fmt: skip
        raise FileFormatError(fault)
    names = tuple(attribute(p, "name") for group in _named(element, "parameters") for p in _named(group, "parameter"))
    rows = list(_named(element, "spillover"))
    dyes = [attribute(row, "parameter") for row in rows]
    if not names or sorted(dyes) != sorted(names):
        expected = f"one for each of {', '.join(names) or 'its parameters'}"
        fault = Fault(place=where, found=f"rows for {', '.join(dyes) or 'no dye'}", expected=expected, cure=CURE)
        raise FileFormatError(fault)
    matrix = np.zeros((len(names), len(names)))
    for row in rows:
        _fill(matrix[dyes.index(attribute(row, "parameter"))], row, names, place, faults)
    if faults:
        raise FileFormatError(faults[:MOST_SHOWN])
    order = [dyes.index(name) for name in names]
    return Spillover(
        channels=names, matrix=matrix[order], source=f"{place}, matrix {attribute(element, 'name') or 'without a name'}"
    )


def _fill(line: np.ndarray, row: Element, names: tuple[str, ...], place: str, faults: list[Fault]) -> None:
    seen: set[str] = set()
    dye = attribute(row, "parameter")
    for coefficient in _named(row, "coefficient"):
        detector, said = attribute(coefficient, "parameter"), attribute(coefficient, "value")
        where = f"{place}:{coefficient.line}, {dye} into {detector}"
        if detector not in names or detector in seen:
            found = "a detector twice" if detector in seen else f"the detector {detector!r}"
            faults.append(Fault(place=where, found=found, expected=f"each once of {', '.join(names)}", cure=CURE))
            continue
        seen.add(detector)
        value = _number(said)
        if value is None:
            faults.append(Fault(place=where, found=repr(said), expected="a number", cure=CURE))
        else:
            line[names.index(detector)] = value
    missing = [name for name in names if name not in seen]
    if missing:
        faults.append(
            Fault(
                place=f"{place}:{row.line}, {dye}",
                found=f"no coefficient for {', '.join(missing)}",
                expected="one a detector",
                cure=CURE,
            )
        )


def spillover_as_xml(spillover: Spillover) -> str:
    """The matrix as the text of a .mtx file; the same matrix gives the same text.

    Raises
    ------
    FileFormatError
        If a channel's name holds a character that XML has no place for.
    """
    wrong = [name for name in spillover.channels if any(ord(letter) < 32 for letter in name)]
    if wrong:
        faults = [Fault(place=f"channel {name!r}", found="a control character", expected="a name that XML can hold", cure="Write the matrix as CSV.")
                  for name in wrong]  # fmt: skip
        raise FileFormatError(faults)
    names = [quoteattr(name) for name in spillover.channels]
    lines = [f"    <data-type:parameter data-type:name={name} userProvidedCompInfix={quoteattr('Comp-' + plain)} />"
             for name, plain in zip(names, spillover.channels, strict=True)]  # fmt: skip
    rows: list[str] = []
    for name, values in zip(names, spillover.matrix.tolist(), strict=True):
        rows.append(f"   <transforms:spillover data-type:parameter={name} >")
        rows += [
            f'    <transforms:coefficient data-type:parameter={other} transforms:value="{float(value)!r}" />'
            for other, value in zip(names, values, strict=True)
        ]
        rows.append("   </transforms:spillover>")
    identity = uuid.uuid5(uuid.NAMESPACE_OID, "\n".join(rows))
    heading = (
        f'  <transforms:spilloverMatrix spectral="0" prefix="Comp-" name={quoteattr(" ".join(spillover.source.split()))} editable="1" '
        f'color="#c0c0c0" version="FlowJo-10.8.1" status="FINALIZED" transforms:id="{identity}" suffix="" >'
    )
    spaces = " ".join(
        f'xmlns:{short}="{_SPACE}/{long}"'
        for short, long in (("gating", "gating"), ("transforms", "transformations"), ("data-type", "datatypes"))
    )
    return "\n".join(
        ['<?xml version="1.0" encoding="UTF-8"?>', f"<gating:gatingML {spaces} >", heading, "   <data-type:parameters>", *lines,
         "   </data-type:parameters>", *rows, "  </transforms:spilloverMatrix>", "</gating:gatingML>", ""]
    )  # fmt: skip


def attribute(element: Element, name: str) -> str:
    """An attribute by its name alone, in whatever name space; "" where there is none."""
    return next((value.strip() for (_, key), value in element.attributes.items() if key == name), "")


def _named(element: Element, name: str) -> Iterator[Element]:
    return (child for child in element.children if child.name == name)


def _matrices(element: Element) -> Iterator[Element]:
    if element.name == "spilloverMatrix":
        yield element
    for child in element.children:
        yield from _matrices(child)


def _number(said: str) -> float | None:
    try:
        value = float(said)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
