"""Gating-ML 2.0 files become gates.

The whole of the standard is read: rectangles, polygons, ellipsoids, quadrants and Boolean gates, their parents, all its transformations, ratios
and spectrum matrices. Vendors' additions inside `custom_info` are skipped, as the standard says; anything else that is not understood
is refused, with its line, as a gate half understood would be a wrong number.

References
----------
Spidlen J, ISAC Data Standards Task Force, Brinkman RR (2015) Gating-ML 2.0. Cytometry A 87:683-687, doi:10.1002/cyto.a.22690.
"""

from __future__ import annotations

from pathlib import Path

from thrombokit.cells.gates import Gate, GateTree
from thrombokit.errors import InputError
from thrombokit.io.gatingml_elements import GATING, TRANSFORMS, GatingFile, called, check, children_of, is_named
from thrombokit.io.gatingml_gates import GATE_ELEMENTS, Definitions, read_gate
from thrombokit.io.gatingml_names import restore_names
from thrombokit.io.gatingml_transforms import read_matrix, read_transformation
from thrombokit.io.xml_tree import Element, parse_xml, read_xml_file

WHAT = "a Gating-ML 2.0 file"


def read_gatingml(path: str | Path) -> GateTree:
    """Read the gates of a file.

    Parameters
    ----------
    path : path
        A Gating-ML 2.0 file.

    Returns
    -------
    GateTree
        Gates in the order of the file, and the matrices they name.

    Raises
    ------
    FileFormatError
        With every fault of the file: line, gate, what was found, what was expected and the cure.
    """
    path = Path(path)
    return parse_gatingml(read_xml_file(path, what=WHAT), place=path.name)


def parse_gatingml(data: bytes, *, place: str) -> GateTree:
    """The gates of a file's bytes; `place` names the file in messages. Raises as `read_gatingml` does."""
    file = GatingFile(name=place)
    root = parse_xml(data, place)
    restore_names(root)
    _check_root(file, root)
    known = _definitions(file, root)
    gates: list[Gate] = []
    lines: dict[str, int] = {}
    for child in root.children:
        if child.namespace == GATING and child.name in GATE_ELEMENTS:
            lines.setdefault(child.attributes.get((GATING, "id"), child.attributes.get(("", "id"), "")), child.line)
            gate = read_gate(file, child, known)
            if gate is not None:
                gates.append(gate)
    tree = _tree(file, gates, known, lines)
    file.refuse()
    assert tree is not None
    return tree


def _check_root(file: GatingFile, root: Element) -> None:
    if is_named(root, GATING, "Gating-ML"):
        gates = [(GATING, name) for name in GATE_ELEMENTS]
        check(file, root, "", children=[*gates, (TRANSFORMS, "transformation"), (TRANSFORMS, "spectrumMatrix")])
        return
    cure = "Choose the file that holds the gates."
    if root.name == "Workspace":
        cure = "This looks like a FlowJo workspace: export its gates as Gating-ML 2.0, or import the workspace."
    elif "Gating-ML" in root.namespace:
        cure = "Convert the file to version 2.0: earlier versions define their gates in another way."
    file.fault(root, "", f"the root element <{called(root)}>", f"<gating:Gating-ML> of {GATING}", cure)
    file.refuse()


def _definitions(file: GatingFile, root: Element) -> Definitions:
    known = Definitions(transformations={}, matrices={}, names={})
    for element in children_of(root, TRANSFORMS, "transformation"):
        id, found = read_transformation(file, element)
        if id in known.transformations:
            file.fault(element, f"transformation {id}", "an id used more than once", "ids that are unique", "Rename one of them.")
        known.transformations.setdefault(id, found)
    for element in children_of(root, TRANSFORMS, "spectrumMatrix"):
        id, matrix, names = read_matrix(file, element)
        if id in known.matrices:
            file.fault(element, f"matrix {id}", "an id used more than once", "ids that are unique", "Rename one of them.")
        known.matrices.setdefault(id, matrix)
        known.names.setdefault(id, names)
    return known


def _tree(file: GatingFile, gates: list[Gate], known: Definitions, lines: dict[str, int]) -> GateTree | None:
    """The tree, or None with its faults noted, each with the line of its gate.

    References to gates and matrices that could not be read are not told again.
    """
    unread = {*lines} - {gate.id for gate in gates} | {name for name, matrix in known.matrices.items() if matrix is None}
    told = {f'{what} "{name}"' for what in ("a reference to", "the compensation") for name in unread}
    try:
        usable = {name: matrix for name, matrix in known.matrices.items() if matrix is not None}
        return GateTree(gates=tuple(gates), matrices=usable, source=file.name)
    except InputError as error:
        for fault in error.faults:
            if fault.found not in told:
                id = fault.place.removeprefix(f"{file.name}, gate ")
                file.fault_at(lines.get(id), f"gate {id}" if id in lines else "", fault)
        return None
