"""Transformations and spectrum matrices of a Gating-ML file become scales, ratios and matrices."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from thrombokit.cells.gates import FILE_MATRIX, UNCOMPENSATED
from thrombokit.cells.scales import AsinhScale, HyperlogScale, LinearScale, LogicleScale, LogScale, Ratio, Scale
from thrombokit.cells.spectrum import SpectrumMatrix, fluorochromes_of
from thrombokit.cells.spillover import Spillover
from thrombokit.errors import InputError
from thrombokit.io.gatingml_elements import (
    DATA_TYPE,
    TRANSFORMS,
    GatingFile,
    check,
    children_of,
    number_attribute,
    text_attribute,
    truth_attribute,
)
from thrombokit.io.xml_tree import Element

COMPENSATED = "Comp-"
"""Put before a channel's name where a fluorochrome of its own is not named, as is the custom."""

_SCALES: dict[str, tuple[Callable[..., Scale], str]] = {
    "flin": (LinearScale, "TA"),
    "flog": (LogScale, "TM"),
    "fasinh": (AsinhScale, "TMA"),
    "logicle": (LogicleScale, "TWMA"),
    "hyperlog": (HyperlogScale, "TWMA"),
}


def read_transformation(file: GatingFile, element: Element) -> tuple[str, Scale | Ratio | None]:
    """The id of a transformation and what it is; None (with a fault) if it cannot be understood."""
    id = text_attribute(file, element, "", TRANSFORMS, "id") or ""
    about = f"transformation {id}"
    kinds = [(TRANSFORMS, name) for name in (*_SCALES, "fratio")]
    check(file, element, about, attributes=["id", "boundMin", "boundMax"], children=kinds)
    found = [child for child in element.children if (child.namespace, child.name) in kinds]
    bounds = {
        name: number_attribute(file, element, about, TRANSFORMS, said, needed=False)
        for name, said in (("bound_min", "boundMin"), ("bound_max", "boundMax"))
    }
    if len(found) != 1:
        file.fault(
            element, about, f"{len(found)} transformations of a kind that is known", "one of " + ", ".join(k for _, k in kinds)
        )
        return id, None
    if found[0].name == "fratio":
        if any(value is not None for value in bounds.values()):
            file.fault(
                element, about, "boundMin or boundMax of a ratio", "a ratio without them", "Bound the scale of the ratio instead."
            )
        return id, _read_ratio(file, found[0], about)
    kind, letters = _SCALES[found[0].name]
    check(file, found[0], about, attributes=letters)
    values = {letter.lower(): number_attribute(file, found[0], about, TRANSFORMS, letter) for letter in letters}
    if None in values.values():
        return id, None
    try:
        return id, kind(**values, **bounds)
    except InputError as error:
        file.adopt(found[0], about, error)
        return id, None


def _read_ratio(file: GatingFile, element: Element, about: str) -> Ratio | None:
    check(file, element, about, attributes="ABC", children=[(DATA_TYPE, "fcs-dimension")])
    letters = [number_attribute(file, element, about, TRANSFORMS, letter) for letter in "ABC"]
    names = _names(file, element, about)
    if len(names) != 2:
        file.fault(element, about, f"a ratio of {len(names)} channels", "two data-type:fcs-dimension elements")
        return None
    a, b, c = letters
    if a is None or b is None or c is None:
        return None
    return Ratio(numerator=names[0], denominator=names[1], a=a, b=b, c=c)


def written_names(matrix: Spillover | SpectrumMatrix, *, prefixed: bool) -> dict[str, str]:
    """The name that a file gives to each fluorochrome, by our name for it."""
    return {name: COMPENSATED + name if prefixed else name for name in fluorochromes_of(matrix)}


def read_matrix(file: GatingFile, element: Element) -> tuple[str, Spillover | SpectrumMatrix | None, dict[str, str]]:
    """The id of a spectrum matrix, the matrix, and our name for each fluorochrome by the file's; None (with a fault) if it cannot be used.

    A square one whose fluorochromes are named as their detectors, with or without "Comp-" before them, is a `Spillover`.
    """
    id = text_attribute(file, element, "", TRANSFORMS, "id") or ""
    about = f"matrix {id}"
    check(
        file, element, about, attributes=["id", "matrix-inverted-already"],
        children=[(TRANSFORMS, name) for name in ("fluorochromes", "detectors", "spectrum")],
    )  # fmt: skip
    if id in (FILE_MATRIX, UNCOMPENSATED):
        file.fault(element, about, f'the id "{id}"', "an id that has no meaning of its own", "Rename the matrix.")
    inverted = truth_attribute(file, element, about, TRANSFORMS, "matrix-inverted-already")
    fluorochromes, detectors = (_named_list(file, element, about, name) for name in ("fluorochromes", "detectors"))
    rows = [_coefficients(file, row, about) for row in children_of(element, TRANSFORMS, "spectrum")]
    if not rows or len({len(row) for row in rows}) != 1:
        lengths = ", ".join(str(len(row)) for row in rows) or "none"
        file.fault(element, about, f"rows of {lengths} coefficients", f"{len(fluorochromes)} rows of {len(detectors)}")
        return id, None, {}
    source = f"{file.name}:{element.line}, matrix {id}"
    values = np.array(rows)
    prefixed = fluorochromes == tuple(COMPENSATED + name for name in detectors)
    try:
        if not inverted and (prefixed or fluorochromes == detectors):
            matrix = Spillover(channels=detectors, matrix=values, source=source)
        else:
            matrix = SpectrumMatrix(
                fluorochromes=fluorochromes, detectors=detectors, matrix=values, source=source, inverted=inverted
            )
    except InputError as error:
        file.adopt(element, about, error)
        return id, None, {}
    is_spillover = isinstance(matrix, Spillover)
    return id, matrix, {said: name for name, said in written_names(matrix, prefixed=prefixed and is_spillover).items()}


def _named_list(file: GatingFile, element: Element, about: str, name: str) -> tuple[str, ...]:
    lists = children_of(element, TRANSFORMS, name)
    if len(lists) != 1:
        file.fault(element, about, f"{len(lists)} lists transforms:{name}", "one")
        return ()
    check(file, lists[0], about, children=[(DATA_TYPE, "fcs-dimension")])
    return _names(file, lists[0], about)


def _names(file: GatingFile, element: Element, about: str) -> tuple[str, ...]:
    found: list[str] = []
    for child in children_of(element, DATA_TYPE, "fcs-dimension"):
        check(file, child, about)
        found.append(text_attribute(file, child, about, DATA_TYPE, "name") or "")
    return tuple(found)


def _coefficients(file: GatingFile, row: Element, about: str) -> list[float]:
    check(file, row, about, children=[(TRANSFORMS, "coefficient")])
    values: list[float] = []
    for child in children_of(row, TRANSFORMS, "coefficient"):
        check(file, child, about, attributes=["value"])
        value = number_attribute(file, child, about, TRANSFORMS, "value")
        if value is not None:
            values.append(value)
    return values
