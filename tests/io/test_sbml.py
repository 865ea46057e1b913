"""SBML read: what is refused and in which words, what is kept, and that damage never gives anything else."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from thrombokit import check_sbml, load_network, simulate_model
from thrombokit.errors import FileFormatError, MissingExtraError, ThrombokitError
from thrombokit.io import sbml
from thrombokit.io.sbml import parse_sbml
from thrombokit.signalling.antimony_source import sbml_of_antimony
from thrombokit.signalling.network import Annotation, Species
from thrombokit.signalling.regulation import network_edges

MATH = 'xmlns="http://www.w3.org/1998/Math/MathML"'
TEXT = sbml_of_antimony(
    "model m\ncompartment c=1; species A in c, B in c; A=1; B=0; k=0.5; J: A -> B; k*A*c; at 1 after (time > 2): A = 3\nend\n",
    source="m",
)


def replaced(old: str, new: str) -> str:
    assert old in TEXT, f"the model no longer holds {old!r}"
    return TEXT.replace(old, new, 1)


REFUSED = {
    "delay": (
        replaced("<ci> k </ci>", '<apply><csymbol encoding="text" definitionURL="http://www.sbml.org/sbml/symbols/delay"> delay </csymbol>'
                 "<ci> k </ci><cn> 1 </cn></apply>"),
        ("m.xml, reaction J", "a delay differential equation", "chain of intermediate species"),
    ),
    "algebraic rule": (
        replaced("<listOfReactions>", f"<listOfRules><algebraicRule><math {MATH}><ci> A </ci></math></algebraicRule></listOfRules><listOfReactions>"),
        ("m.xml:", "an algebraic rule", "assignment rule"),
    ),
    "fast reaction": (
        replaced("level3/version2", "level3/version1").replace('version="2"', 'version="1"').replace('id="J"', 'id="J" fast="true"'),
        ("m.xml:", 'the fast reaction "J"', "large rate"),
    ),
    "package": (
        replaced("<sbml ", '<sbml xmlns:comp="http://www.sbml.org/sbml/level3/version1/comp/version1" comp:required="true" '),
        ("m.xml:", 'the SBML package "comp"', "flattened"),
    ),
    "formula without its parts": (replaced("<ci> k </ci>", "<apply></apply>"), ("m.xml:", "<apply> without content", "Correct the formula")),
    "function of too many": (
        replaced("<ci> k </ci>", "<apply><exp/><ci> k </ci><ci> k </ci></apply>"), ("m.xml:", "exp with 2 arguments", "Correct the formula"),
    ),
    "unknown id": (replaced("<ci> k </ci>", "<ci> kk </ci>"), ("m.xml:", "kk", "Correct the model")),
    "unknown compartment": (replaced('compartment="c"', 'compartment="d"'), ("m.xml:", "'d'", "Correct the model")),
    "no SBML": ("<html/>", ("m.xml:1", "the root element <html>", "an SBML model")),
    "no XML": ("model m end", ("m.xml:1", "well-formed XML", "Export the file again")),
    "entities": ('<!DOCTYPE x [<!ENTITY a "b">]><x/>', ("m.xml:1", "document type declaration", "Remove")),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_simulated_right_is_refused_by_name(name: str) -> None:
    text, words = REFUSED[name]
    with pytest.raises(FileFormatError) as caught:
        parse_sbml(text, place="m.xml")
    told = [str(fault) for fault in caught.value.faults]
    assert any(all(word in fault for word in words) for fault in told), told


def test_faults_of_one_kind_come_together() -> None:
    text = replaced("<ci> k </ci>", "<apply></apply>").replace("<cn> 2 </cn>", "<cn></cn>").replace("> 2 <", "><")
    with pytest.raises(FileFormatError) as caught:
        parse_sbml(text, place="m.xml")
    assert len(caught.value.faults) >= 2


def test_without_libsbml_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sbml, "libsbml", None)
    with pytest.raises(MissingExtraError, match=r'pip install "thrombokit\[signalling\]"'):
        parse_sbml(TEXT)


def test_a_file_that_is_not_there_is_told() -> None:
    with pytest.raises(FileFormatError, match=r"nowhere\.xml"):
        load_network("nowhere.xml")


def test_antimony_files_are_models_too(tmp_path: Path) -> None:
    path = tmp_path / "small.ant"
    path.write_text("model small\nk = 2; x = 1; x' = k\nend\n", encoding="utf-8")
    network = load_network(path)
    assert (network.id, network.source, list(network.rate_rules)) == ("small", "small.ant", ["x"])
    path.write_bytes(b"\xff\xfe\x00k")
    with pytest.raises(FileFormatError, match=r"small.ant: found bytes that are no text \(at 0\)"):
        load_network(path)
    path.write_text("model small\nk = = 2\nend\n", encoding="utf-8")
    with pytest.raises(FileFormatError, match=r"small\.ant: found text antimony cannot read"):
        load_network(path)


def test_all_parts_of_a_model_are_kept() -> None:
    network = parse_sbml(TEXT, place="m.xml")
    assert [(s.id, s.compartment, s.initial_concentration) for s in network.species] == [("A", "c", 1.0), ("B", "c", 0.0)]
    assert network.moved_by_reactions == {"A", "B"}
    (event,) = network.events
    assert (list(event.assignments), event.delay is not None, event.initial_value) == (["A"], True, True)
    assert network.set_by_events == {"A"}
    assert network.can_change("A")
    assert not network.can_change("k")


def test_uniprot_ids_are_found_in_every_way_they_are_written() -> None:
    resources = ("urn:miriam:uniprot:P40238", "http://identifiers.org/uniprot/O60674", "https://identifiers.org/uniprot:P42229",
                 "uniprot:A0A024R161", "https://identifiers.org/go/GO:0008349", "urn:miriam:uniprot:P40238")  # fmt: skip
    species = Species(id="S", compartment="c", annotations=tuple(Annotation(qualifier="bqbiol:is", resource=r) for r in resources))
    assert species.uniprot == ("P40238", "O60674", "P42229", "A0A024R161")


def test_levels_and_versions_mean_the_same(reference_data: Path) -> None:
    network = load_network(reference_data / "models" / "biomodels" / "BIOMD0000000010.xml")  # Level 2 Version 4
    assert 'level="3" version="2"' in network.sbml
    assert {p.id: p.value for p in network.reaction_by_id["J0"].local_parameters} == {
        "J0.V1": 2.5,
        "J0.Ki": 9.0,
        "J0.n": 1.0,
        "J0.K1": 10.0,
    }
    assert parse_sbml(network.sbml, place=network.source).reactions == network.reactions


def test_an_undeclared_modifier_is_no_reason_to_refuse() -> None:
    text = sbml_of_antimony("model m\ncompartment c=1; species A in c, E in c; A=1; E=2; J: A -> ; E*A*c\nend\n", source="m")
    without = re.sub(r"<listOfModifiers>.*?</listOfModifiers>", "", text, flags=re.DOTALL)
    assert without != text
    assert any(finding.number == 21121 for finding in check_sbml(without))
    assert parse_sbml(without).reactions[0].modifiers == ()


def test_the_built_in_model_has_no_fault_of_consistency_or_units() -> None:
    assert check_sbml(load_network().sbml, units=True) == []


def test_a_unit_that_does_not_fit_is_found() -> None:
    text = load_network().sbml
    wrong = re.sub(r'(<parameter [^>]*id="[^"]+"[^>]*units=")[^"]+(")', r"\1dimensionless\2", text, count=3)
    assert wrong != text
    findings = check_sbml(wrong, units=True)
    assert findings
    assert {finding.category for finding in findings} == {"SBML unit consistency"}
    assert check_sbml(wrong, units=False) == []


def test_damaged_models_are_read_or_refused_and_nothing_else(reference_data: Path) -> None:
    folder = reference_data / "models" / "sbml_test_suite"
    texts = [
        (folder / case / f"{case}-sbml-l3v2.xml").read_bytes() for case in ("00437", "01507", "00976", "01720", "01673", "01262")
    ]
    rng, read = random.Random(20), 0
    for _ in range(500):
        try:
            parse_sbml(damaged(rng, bytearray(rng.choice(texts))), place="damaged.xml")
            read += 1
        except ThrombokitError:
            continue
    assert 20 < read < 300


@pytest.mark.long
def test_damaged_models_that_can_be_read_are_simulated_or_refused(
    reference_data: Path, print_figure: Callable[[str], None]
) -> None:
    folder = reference_data / "models" / "sbml_test_suite"
    texts = [
        (folder / case / f"{case}-sbml-l3v2.xml").read_bytes() for case in ("00437", "01507", "00976", "01720", "01673", "01772")
    ]
    rng, ends = random.Random(21), Counter[str]()
    for _ in range(1000):
        try:
            network = parse_sbml(damaged(rng, bytearray(rng.choice(texts))), place="damaged.xml")
            network_edges(network)
            values = simulate_model(network, end=2.0, points=3).values
            ends["simulated"] += int(values.shape[0] == 3)
        except ThrombokitError as error:
            ends[type(error).__name__] += 1
    print_figure(f"1000 damaged models: {dict(ends)}")
    assert sum(ends.values()) == 1000
    assert ends["simulated"] > 50


def damaged(rng: random.Random, text: bytearray) -> bytes:
    """Bytes changed, the end cut off, a value or an element replaced, lost or doubled."""
    kind = rng.randrange(4)
    if kind == 0:
        for _ in range(rng.randint(1, 4)):
            text[rng.randrange(len(text))] = rng.randrange(256)
        return bytes(text)
    if kind == 1:
        return bytes(text[: rng.randrange(len(text))])
    pattern = rb'"([^"]*)"' if kind == 2 else rb"<\w+[^<>]*/>|<ci>[^<]*</ci>|<cn[^<]*</cn>"
    found = list(re.finditer(pattern, bytes(text)))
    one, other = rng.choice(found), rng.choice(found)
    words = [b"NaN", b"-1", b"1e400", b"", b"true", other.group(1)] if kind == 2 else [b"", one.group(0) * 2, other.group(0)]
    group = 1 if kind == 2 else 0
    text[one.start(group) : one.end(group)] = rng.choice(words)
    return bytes(text)
