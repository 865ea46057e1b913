"""A network as an SBGN map in SBGN-ML 0.3, Process Description, with the places of our own picture.

Process Description, because a reaction network is one: species are entity pools, reactions are processes. Activity Flow would drop the forms of
a molecule (ERK beside ERK-P) and with them most of the model. The map has what `network_edges` has: a consumption or production arc for each
participant, and for each regulator stimulation, inhibition or (where the sign depends on the state) modulation. What is made from nothing or
lost comes from, or goes to, the empty set. A variable that a rule gives stands behind an omitted process. Identifiers ride along as RDF. Rates,
events and sizes have no place in such a map: keep the SBML beside it.

References
----------
Le Novère N et al. (2009) The Systems Biology Graphical Notation. Nat Biotechnol 27:735-741, doi:10.1038/nbt.1558.
Bergmann FT et al. (2020) SBGN Markup Language version 0.3. J Integr Bioinform 17:20200016, doi:10.1515/jib-2020-0016.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element, SubElement, indent, register_namespace, tostring

from thrombokit.drawing.network import BOX_HEIGHT, BOX_WIDTH, Dot, Line, LineKind, NetworkPicture
from thrombokit.io.sbgn_entities import entity_class
from thrombokit.signalling.diagram import network_picture
from thrombokit.signalling.network import Described, Network

SBGN = "http://sbgn.org/libsbgn/0.3"
VERSION = "http://identifiers.org/combine.specifications/sbgn.pd.level-1.version-1.3"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
QUALIFIERS = {"bqbiol": "http://biomodels.net/biology-qualifiers/", "bqmodel": "http://biomodels.net/model-qualifiers/"}
XHTML = "http://www.w3.org/1999/xhtml"
PROCESS, PORT, EMPTY, AWAY = 6.0, 5.0, 6.0, 11.0
"""Sides of a process and of the empty set, distance of a port and of the empty set from the middle of a process; picture units."""
STEERS = {1: "stimulation", -1: "inhibition", 0: "modulation"}
_RULES = (LineKind.RATE_RULE, LineKind.ASSIGNMENT)
Place = tuple[float, float]


def sbgn_text(network: Network, picture: NetworkPicture | None = None) -> str:
    """SBGN-ML of a network.

    Parameters
    ----------
    network : Network
    picture : NetworkPicture, optional
        Of that network, for the places; made where it is not given.

    Returns
    -------
    str
        The same network gives the same text.

    Raises
    ------
    InputError
        If there is nothing to draw, or more than a page can show (as of `network_picture`).
    """
    for prefix, namespace in (("rdf", RDF), *QUALIFIERS.items(), ("xhtml", XHTML)):
        register_namespace(prefix, namespace)
    drawing = _Map(network, picture or network_picture(network))
    document = Element("sbgn", {"xmlns": SBGN})
    document.append(drawing.element())
    indent(document, " ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(document, encoding="unicode") + "\n"


@dataclass
class _Map:
    """One map while it is written; `ahead` is the way a process runs, a unit vector by its id."""

    network: Network
    picture: NetworkPicture
    ahead: dict[str, Place] = field(default_factory=dict[str, Place])
    places: dict[str, Place] = field(default_factory=dict[str, Place])
    arcs: list[Element] = field(default_factory=list[Element])

    def element(self) -> Element:
        found = Element("map", {"id": "map.1", "language": "process description", "version": VERSION})
        _add_notes(found, self._sentences())
        size = {"x": "0", "y": "0", "w": f"{self.picture.width:g}", "h": f"{self.picture.height:g}"}
        SubElement(found, "bbox", size)
        found.extend([*self._compartments(), *self._entities(), *self._processes(), *self._rules()])
        for line in self.picture.lines:
            self._draw(line)
        found.extend(self.arcs)
        return found

    def _sentences(self) -> list[str]:
        network = self.network
        counts = f"{len(network.species)} species, {len(network.reactions)} reactions"
        said = [
            self.picture.title or network.label,
            *self.picture.caption,
            f"Drawn from the model itself: {counts}.",
            "Rates stand in the SBML.",
        ]
        if network.events:
            said.append(f"{len(network.events)} events of the model have no counterpart in this notation and are not drawn.")
        return list(dict.fromkeys(said))

    def _compartments(self) -> list[Element]:
        return [
            _glyph(region.id, "compartment", region.left, region.top, region.width, region.height, label=region.label,
                   of=self.network.compartment_by_id.get(region.id), order=at)
            for at, region in enumerate(self.picture.regions)
        ]  # fmt: skip

    def _entities(self) -> list[Element]:
        drawn = {region.id for region in self.picture.regions}
        glyphs: list[Element] = []
        for box in self.picture.boxes:
            species = self.network.species_by_id.get(box.id)
            inside = species.compartment if species is not None and species.compartment in drawn else ""
            described = species or self.network.parameter_by_id.get(box.id)
            label = described.label if described is not None else box.id
            kind = entity_class(species) if species is not None else "unspecified entity"
            glyphs.append(_glyph(box.id, kind, box.left, box.top, BOX_WIDTH, BOX_HEIGHT, label=label, of=described, inside=inside))
        return glyphs

    def _processes(self) -> list[Element]:
        glyphs: list[Element] = []
        for dot in self.picture.dots:
            reaction = self.network.reaction_by_id[dot.id]
            glyphs.append(self._process(dot, "process"))
            if not reaction.reactants:
                glyphs.append(self._empty(dot.id, f"{dot.id}.source", -1.0))
            if not reaction.products:
                glyphs.append(self._empty(dot.id, f"{dot.id}.sink", 1.0))
        return glyphs

    def _rules(self) -> list[Element]:
        """An omitted process from the empty set to each variable that a rule gives, for its regulators to end at."""
        glyphs: list[Element] = []
        boxes = {box.id: box for box in self.picture.boxes}
        for id in dict.fromkeys(line.target for line in self.picture.lines if line.kind in _RULES):
            name, box = f"{id}.rule", boxes[id]
            dot = Dot(id=name, x=box.x, y=box.top - 20.0, note=f"rule of {id}")
            self.ahead[name] = (0.0, 1.0)
            glyphs.extend([self._process(dot, "omitted process"), self._empty(name, f"{name}.source", -1.0)])
            self._arc("production", f"{name}.2", id, (self._port(name, 1.0), (box.x, box.top)))
        return glyphs

    def _process(self, dot: Dot, kind: str) -> Element:
        self.places[dot.id] = (dot.x, dot.y)
        if dot.id not in self.ahead:
            self.ahead[dot.id] = _way(dot, self.picture.lines)
        half = PROCESS / 2
        glyph = _glyph(dot.id, kind, dot.x - half, dot.y - half, PROCESS, PROCESS)
        if self.ahead[dot.id][0] == 0.0:
            glyph.set("orientation", "vertical")
        for number, sign in ((1, -1.0), (2, 1.0)):
            x, y = self._port(dot.id, sign)
            SubElement(glyph, "port", {"id": f"{dot.id}.{number}", "x": f"{x:g}", "y": f"{y:g}"})
        return glyph

    def _empty(self, process: str, id: str, sign: float) -> Element:
        """The empty set before (-1) or behind (1) a process, joined to it."""
        (x, y), (dx, dy) = self.places[process], self.ahead[process]
        at = (x + sign * AWAY * dx, y + sign * AWAY * dy)
        near = (at[0] - sign * EMPTY / 2 * dx, at[1] - sign * EMPTY / 2 * dy)
        if sign < 0.0:
            self._arc("consumption", id, f"{process}.1", (near, self._port(process, sign)))
        else:
            self._arc("production", f"{process}.2", id, (self._port(process, sign), near))
        return _glyph(id, "source and sink", at[0] - EMPTY / 2, at[1] - EMPTY / 2, EMPTY, EMPTY)

    def _port(self, process: str, sign: float) -> Place:
        (x, y), (dx, dy) = self.places[process], self.ahead[process]
        return x + sign * PORT * dx, y + sign * PORT * dy

    def _draw(self, line: Line) -> None:
        """The arc of one edge; of a reversible reaction both sides are productions, as the notation wants it."""
        if line.kind is LineKind.CONSUMPTION and line.has_two_heads:
            path = tuple(reversed(line.path))
            self._arc("production", f"{line.target}.1", line.source, _from_port(path, self._port(line.target, -1.0)))
        elif line.kind is LineKind.CONSUMPTION:
            self._arc("consumption", line.source, f"{line.target}.1", _to_port(line.path, self._port(line.target, -1.0)))
        elif line.kind is LineKind.PRODUCTION:
            self._arc("production", f"{line.source}.2", line.target, _from_port(line.path, self._port(line.source, 1.0)))
        elif line.kind is LineKind.REGULATION:
            self._arc(STEERS[line.sign], line.source, line.target, line.path)
        else:
            process = f"{line.target}.rule"
            self._arc(STEERS[line.sign], line.source, process, (line.path[0], self.places[process]))

    def _arc(self, kind: str, source: str, target: str, path: tuple[Place, ...]) -> None:
        arc = Element("arc", {"id": f"arc.{len(self.arcs) + 1}", "class": kind, "source": source, "target": target})
        names = ["start", *["next"] * (len(path) - 2), "end"]
        for name, (x, y) in zip(names, path, strict=True):
            SubElement(arc, name, {"x": f"{x:g}", "y": f"{y:g}"})
        self.arcs.append(arc)


def _to_port(path: tuple[Place, ...], port: Place) -> tuple[Place, ...]:
    """A path of level and upright stretches that ends at a port beside its old end: the last stretch is moved along."""
    (x0, y0), (x1, _) = path[-2:]
    before = (port[0], y0) if x0 == x1 else (x0, port[1])
    return (*path[:-2], before, port)


def _from_port(path: tuple[Place, ...], port: Place) -> tuple[Place, ...]:
    return tuple(reversed(_to_port(tuple(reversed(path)), port)))


def _way(dot: Dot, lines: tuple[Line, ...]) -> Place:
    """The direction a reaction runs in: along its first product's line, else its first reactant's, up, down or sideways."""
    for line in lines:
        if line.kind is LineKind.PRODUCTION and line.source == dot.id:
            (x0, y0), (x1, y1) = line.path[:2]
            return _straight(x1 - x0, y1 - y0)
    for line in lines:
        if line.kind is LineKind.CONSUMPTION and line.target == dot.id:
            (x0, y0), (x1, y1) = line.path[-2:]
            return _straight(x1 - x0, y1 - y0)
    return (1.0, 0.0)


def _straight(dx: float, dy: float) -> Place:
    return (math.copysign(1.0, dx), 0.0) if abs(dx) >= abs(dy) else (0.0, math.copysign(1.0, dy))


def _glyph(
    id: str, kind: str, x: float, y: float, width: float, height: float, *, label: str = "", of: Described | None = None, inside: str = "",
    order: int | None = None,
) -> Element:  # fmt: skip
    glyph = Element("glyph", {"id": id, "class": kind})
    if inside:
        glyph.set("compartmentRef", inside)
    if order is not None:
        glyph.set("compartmentOrder", f"{order}")
    if of is not None and of.annotations:
        _add_links(glyph, of)
    if label:
        SubElement(glyph, "label", {"text": label})
    SubElement(glyph, "bbox", {"x": f"{x:g}", "y": f"{y:g}", "w": f"{width:g}", "h": f"{height:g}"})
    return glyph


def _add_notes(parent: Element, sentences: list[str]) -> None:
    body = SubElement(SubElement(parent, "notes"), f"{{{XHTML}}}body")
    for sentence in sentences:
        SubElement(body, f"{{{XHTML}}}p").text = sentence


def _add_links(glyph: Element, of: Described) -> None:
    """Links to outside resources, qualifier by qualifier, as RDF."""
    about = SubElement(SubElement(SubElement(glyph, "extension"), "annotation"), f"{{{RDF}}}RDF")
    description = SubElement(about, f"{{{RDF}}}Description", {f"{{{RDF}}}about": f"#{of.id}"})
    for qualifier in dict.fromkeys(link.qualifier for link in of.annotations):
        prefix, _, name = qualifier.partition(":")
        if prefix in QUALIFIERS and name:
            bag = SubElement(SubElement(description, f"{{{QUALIFIERS[prefix]}}}{name}"), f"{{{RDF}}}Bag")
            for link in of.annotations:
                if link.qualifier == qualifier:
                    SubElement(bag, f"{{{RDF}}}li", {f"{{{RDF}}}resource": link.resource})
