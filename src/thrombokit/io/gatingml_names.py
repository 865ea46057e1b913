"""Ids as XML wants them, and back: letters, digits, "_", "-" and ".", no digit first, each once in the whole file.

Populations are called "CD34+CD41-"; the standard's ids cannot be. Where a name is no XML id, or is there twice (the dividers of two gates),
another is written, and the name itself stands in a `custom_info` at the head of the file, which other readers skip and ours takes back.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from xml.etree.ElementTree import Element as WrittenElement
from xml.etree.ElementTree import SubElement

from thrombokit.cells.gates import GateTree, QuadrantGate, population_ids_of
from thrombokit.io.gatingml_elements import DATA_TYPE, GATING, TRANSFORMS, children_of, is_named
from thrombokit.io.xml_tree import Element

OWN = "urn:thrombokit:names"
_ID = re.compile(r"[^\W\d][\w.\-]*")
_NAMING = (
    (GATING, "id"),
    (GATING, "parent_id"),
    (GATING, "ref"),
    (GATING, "divider_ref"),
    (GATING, "compensation-ref"),
    (TRANSFORMS, "id"),
)


@dataclass(frozen=True, kw_only=True)
class WrittenIds:
    """The id a file uses for each name; dividers belong to their gate, all else (gate "") to the file."""

    ids: dict[tuple[str, str], str]

    def of(self, name: str, *, gate: str = "") -> str:
        """The id of a name; a name that has none (a reserved compensation) is itself."""
        return self.ids.get((gate, name), name)


def written_ids(tree: GateTree) -> WrittenIds:
    """Ids for the populations, gates, matrices and dividers of a tree."""
    names = [("", name) for gate in tree.gates for name in dict.fromkeys((*population_ids_of(gate), gate.id))]
    names += [("", name) for name in tree.matrices]
    names += [(gate.id, d.id) for gate in tree.gates if isinstance(gate, QuadrantGate) for d in gate.dividers]
    ids: dict[tuple[str, str], str] = {}
    taken: set[str] = set()
    for key in names:
        if _ID.fullmatch(key[1]) and key[1] not in taken:
            ids[key] = key[1]
            taken.add(key[1])
    for key in names:
        if key not in ids:
            stem = re.sub(r"[^\w.\-]", "_", key[1].replace("+", "pos"))
            stem = stem if _ID.fullmatch(stem) else f"_{stem}"
            ids[key] = next(id for id in (stem, *(f"{stem}_{n}" for n in range(2, len(names) + 2))) if id not in taken)
            taken.add(ids[key])
    return WrittenIds(ids=ids)


def names_element(written: WrittenIds) -> WrittenElement | None:
    """The `custom_info` with the names that are not their own ids; None if there are none."""
    other = [(id, name) for (_, name), id in written.ids.items() if id != name]
    if not other:
        return None
    element = WrittenElement(f"{{{DATA_TYPE}}}custom_info")
    for id, name in other:
        SubElement(element, f"{{{OWN}}}name", {"id": id, "means": name})
    return element


def restore_names(root: Element) -> None:
    """Put the names of such a `custom_info`, if there is one, in the place of their ids, everywhere in the file."""
    means = {
        child.attributes["", "id"]: child.attributes["", "means"]
        for info in children_of(root, DATA_TYPE, "custom_info")
        for child in info.children
        if is_named(child, OWN, "name") and {("", "id"), ("", "means")} <= set(child.attributes)
    }
    waiting = [root] if means else []
    while waiting:
        element = waiting.pop()
        for key in _NAMING:
            if element.attributes.get(key) in means:
                element.attributes[key] = means[element.attributes[key]]
        waiting.extend(element.children)
