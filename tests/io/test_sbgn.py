"""SBGN-ML: ids, ends, compartments and ports as the schema wants them, and the edges of the model, neither more nor less."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from xml.etree.ElementTree import Element, fromstring

import pytest

from thrombokit.errors import InputError
from thrombokit.io.models import load_network
from thrombokit.io.sbgn import SBGN, STEERS, sbgn_text
from thrombokit.io.sbgn_entities import entity_class
from thrombokit.io.sbml import parse_sbml
from thrombokit.signalling.antimony_source import sbml_of_antimony
from thrombokit.signalling.network import Annotation, Network, Species
from thrombokit.signalling.regulation import network_edges

ENTITIES = {"unspecified entity", "simple chemical", "macromolecule", "nucleic acid feature", "complex"}
PROCESSES = {"process", "omitted process"}
OTHERS = [
    "models/biomodels/BIOMD0000000009.xml", "models/biomodels/BIOMD0000000010.xml", "models/biomodels/BIOMD0000000271.xml",
    "models/petab_benchmark/Boehm_JProteomeRes2014/model_Boehm_JProteomeRes2014.xml",
]  # fmt: skip
Edge = tuple[str, str, str, int]


def tag(name: str) -> str:
    return f"{{{SBGN}}}{name}"


def small(text: str) -> Network:
    return parse_sbml(sbml_of_antimony(f"model m\n{text}\nend\n", source="m.ant"), place="m.ant")


def parts(text: str) -> tuple[dict[str, Element], list[Element], dict[str, str]]:
    """Glyphs by id, arcs, and the glyph of each port."""
    drawing = fromstring(text.encode()).find(tag("map"))
    assert drawing is not None
    glyphs = {glyph.attrib["id"]: glyph for glyph in drawing.iter(tag("glyph"))}
    ports = {port.attrib["id"]: id for id, glyph in glyphs.items() for port in glyph.iter(tag("port"))}
    return glyphs, list(drawing.iter(tag("arc"))), ports


def arc_edges(glyphs: Mapping[str, Element], arcs: list[Element], ports: Mapping[str, str]) -> list[Edge]:
    """The edges of the model that the map's arcs say: those to and from the empty set aside, and a rule's process as its variable."""
    signs = {kind: sign for sign, kind in STEERS.items()}
    found: list[Edge] = []
    for arc in arcs:
        kind, ends = arc.attrib["class"], (arc.attrib["source"], arc.attrib["target"])
        source, target = (ports.get(end, end) for end in ends)
        if "source and sink" in (glyphs[source].attrib["class"], glyphs[target].attrib["class"]):
            continue
        if glyphs[source].attrib["class"] == "omitted process":
            continue
        if glyphs[target].attrib["class"] == "omitted process":
            found.append((source, target.removesuffix(".rule"), "rule", signs[kind]))
        elif kind == "production" and ends[0].endswith(".1"):
            found.append((target, source, "consumption", 1))
        else:
            found.append((source, target, "regulation" if kind in signs else kind, signs.get(kind, 1)))
    return sorted(found)


def model_edges(network: Network) -> list[Edge]:
    kinds = {"rate_rule": "rule", "assignment": "rule"}
    return sorted(
        (edge.source, edge.target, kinds.get(edge.kind.value, edge.kind.value), edge.sign) for edge in network_edges(network)
    )


def check_structure(text: str) -> None:
    """What the schema and the rules of Process Description ask of every map."""
    glyphs, arcs, ports = parts(text)
    ids = [*glyphs, *ports, *(arc.attrib["id"] for arc in arcs), "map.1"]
    assert len(set(ids)) == len(ids), "ids are unique"
    for glyph in glyphs.values():
        assert glyph.attrib["class"] in ENTITIES | PROCESSES | {"compartment", "source and sink"}
        assert glyph.find(tag("bbox")) is not None
        inside = glyph.attrib.get("compartmentRef")
        assert inside is None or glyphs[inside].attrib["class"] == "compartment"
        assert len(glyph.findall(tag("port"))) == (2 if glyph.attrib["class"] in PROCESSES else 0)
    for arc in arcs:
        source, target = arc.attrib["source"], arc.attrib["target"]
        assert source in glyphs or source in ports
        assert target in glyphs or target in ports
        assert next(iter(arc)).tag == tag("start")
        assert [child.tag for child in arc][-1] == tag("end")
        if arc.attrib["class"] == "consumption":
            assert target.endswith(".1")
            assert target in ports
        elif arc.attrib["class"] == "production":
            assert source in ports
        else:
            assert glyphs[target].attrib["class"] in PROCESSES, "regulators end at a process"
            assert glyphs[source].attrib["class"] in ENTITIES
    for id, glyph in glyphs.items():
        if glyph.attrib["class"] in PROCESSES:
            touching = [arc for arc in arcs if {ports.get(arc.attrib["source"]), ports.get(arc.attrib["target"])} & {id}]
            assert len(touching) >= 2, f"{id} has something on either side"


def test_the_built_in_model() -> None:
    network = load_network()
    text = sbgn_text(network)
    check_structure(text)
    assert arc_edges(*parts(text)) == model_edges(network)
    glyphs, _, _ = parts(text)
    assert {id for id, glyph in glyphs.items() if glyph.attrib["class"] in ENTITIES} == set(network.species_by_id)
    assert {id for id, glyph in glyphs.items() if glyph.attrib["class"] == "process"} == set(network.reaction_by_id)
    assert all(glyphs[one.id].attrib["compartmentRef"] == one.compartment for one in network.species)
    kinds = {id: glyphs[id].attrib["class"] for id in ("Mpl", "CIS_mRNA", "SOS", "TM_agonist", "PIP3", "STAT5")}
    assert kinds == {"Mpl": "macromolecule", "CIS_mRNA": "nucleic acid feature", "SOS": "complex", "TM_agonist": "simple chemical",
                     "PIP3": "complex", "STAT5": "macromolecule"}  # fmt: skip
    assert "http://identifiers.org/uniprot/P40238" in text
    assert text == sbgn_text(network)


@pytest.mark.parametrize("file", OTHERS)
def test_models_of_others(reference_data: Path, file: str) -> None:
    network = load_network(reference_data / file)
    text = sbgn_text(network)
    check_structure(text)
    assert arc_edges(*parts(text)) == model_edges(network)


def test_reversible_reactions_rules_and_signs_that_depend() -> None:
    network = small(
        "species A, B, C, $I; A = 1; B = 2; C = 0; I = 1; J: A -> B; (A - B)*(1 + I); K: -> C; A*(2 - A); x = 0; x' = A - C; "
        "at (time > 5): A = 2"
    )
    text = sbgn_text(network)
    check_structure(text)
    assert arc_edges(*parts(text)) == model_edges(network)
    glyphs, arcs, _ = parts(text)
    assert {arc.attrib["class"] for arc in arcs if arc.attrib["target"] == "K"} == {"modulation"}
    assert glyphs["x.rule"].attrib["class"] == "omitted process"
    assert "1 events of the model have no counterpart" in text


def test_names_of_a_model_cannot_break_the_map() -> None:
    network = small('species A in c; compartment c = 1; A is "<script> & \\"A\\""; A = 1; J: A -> ; A')
    check_structure(sbgn_text(network))


def test_nothing_to_draw_is_told() -> None:
    with pytest.raises(InputError, match="a model without species"):
        sbgn_text(small("k = 1"))


@pytest.mark.parametrize(
    ("term", "links", "expected"),
    [
        ("SBO:0000247", [("bqbiol:is", "http://identifiers.org/uniprot/P40238")], "simple chemical"),
        ("", [("bqbiol:is", "urn:miriam:uniprot:P40238")], "macromolecule"),
        ("", [("bqbiol:isPartOf", "http://identifiers.org/uniprot/P40238")], "unspecified entity"),
        ("", [("bqbiol:hasVersion", "https://identifiers.org/CHEBI:16618")], "simple chemical"),
        ("", [("bqbiol:hasPart", "urn:a"), ("bqbiol:hasPart", "urn:b")], "complex"),
        ("", [("bqbiol:encodes", "urn:a")], "nucleic acid feature"),
        ("SBO:0000999", [], "unspecified entity"),
    ],
)
def test_kinds_of_entities(term: str, links: list[tuple[str, str]], expected: str) -> None:
    annotations = tuple(Annotation(qualifier=qualifier, resource=resource) for qualifier, resource in links)
    assert entity_class(Species(id="S", compartment="c", sbo_term=term, annotations=annotations)) == expected
