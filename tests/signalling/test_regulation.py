"""Edges of a network, and the signs read from its rates."""

from __future__ import annotations

from pathlib import Path

from thrombokit import load_network
from thrombokit.io.sbml import parse_sbml
from thrombokit.signalling.antimony_source import sbml_of_antimony
from thrombokit.signalling.network import Network
from thrombokit.signalling.regulation import Edge, EdgeKind, network_edges


def network_of(text: str) -> Network:
    return parse_sbml(sbml_of_antimony(f"model m\n{text}\nend\n", source="m.ant"), place="m.ant")


def signs(network: Network) -> dict[tuple[str, str], int]:
    return {(edge.source, edge.target): edge.sign for edge in network_edges(network) if edge.kind == EdgeKind.REGULATION}


def test_reactants_products_and_regulators() -> None:
    network = network_of("compartment c=1; species A in c, B in c, E in c; A=1; B=0; E=2; J: 2 A -> B; k*E*A^2*c; k=1")
    assert network_edges(network) == (
        Edge(source="A", target="J", kind=EdgeKind.CONSUMPTION), Edge(source="E", target="J", kind=EdgeKind.REGULATION, sign=1),
        Edge(source="J", target="B", kind=EdgeKind.PRODUCTION),
    )  # fmt: skip


def test_inhibitors_activators_and_those_that_are_both() -> None:
    species = "compartment c=1; species A in c, I in c, X in c, N in c; A=1; I=1; X=1; N=1;"
    found = signs(network_of(f"{species} J: A -> ; A*X*N*exp(-N)/(1 + I)*c"))
    assert found == {("I", "J"): -1, ("X", "J"): 1, ("N", "J"): 0}


def test_signs_go_through_rules_and_reach_the_species_behind_them() -> None:
    network = network_of(
        "compartment c=1; species A in c, L in c, S in c; A=1; L=1; S=0.2; occupied := L/(0.5 + L); brake := 1/(1 + S); drive := occupied*brake; "
        "J: A -> ; drive*A*c"
    )
    assert signs(network) == {("L", "J"): 1, ("S", "J"): -1}


def test_a_product_that_slows_its_own_making_is_a_regulator_unless_the_reaction_is_reversible() -> None:
    feedback = "compartment c=1; species A in c; A=1; J: {} A; (1/(1 + A))*c"
    assert signs(network_of(feedback.format("=>"))) == {("A", "J"): -1}
    assert signs(network_of(feedback.format("->"))) == {}


def test_a_declared_modifier_without_effect_has_no_sign() -> None:
    network = network_of("compartment c=1; species A in c, M in c; A=1; M=1; J: A -> ; 0.1*A*c")
    text = network.sbml.replace(
        "<kineticLaw>", '<listOfModifiers><modifierSpeciesReference species="M"/></listOfModifiers><kineticLaw>'
    )
    assert signs(parse_sbml(text, place="m.xml")) == {("M", "J"): 0}


def test_rate_rules_and_assigned_species_have_edges_of_their_own() -> None:
    network = network_of("compartment c=1; species A in c, T in c; A=1; T := 2*A; x = 0; x' = 1/(1 + A)")
    kinds = {(edge.source, edge.target): (edge.kind, edge.sign) for edge in network_edges(network)}
    assert kinds == {("A", "x"): (EdgeKind.RATE_RULE, -1), ("A", "T"): (EdgeKind.ASSIGNMENT, 1)}


def test_the_feedback_of_kholodenkos_cascade_is_an_inhibition(reference_data: Path) -> None:
    network = load_network(reference_data / "models" / "biomodels" / "BIOMD0000000010.xml")
    assert signs(network) == {
        ("MAPK_PP", "J0"): -1,
        ("MKKK_P", "J2"): 1,
        ("MKKK_P", "J3"): 1,
        ("MKK_PP", "J6"): 1,
        ("MKK_PP", "J7"): 1,
    }
    assert len(network_edges(network)) == 5 + sum(len(r.reactants) + len(r.products) for r in network.reactions)
    assert {species.id: species.uniprot for species in network.species}["MAPK_PP"] == ("P26696",)


def test_socs3_slows_activation_of_the_receptor_in_bachmanns_model(reference_data: Path) -> None:
    network = load_network(reference_data / "models" / "petab_benchmark" / "Bachmann_MSB2011" / "model_Bachmann_MSB2011.xml")
    found = signs(network)
    assert {sign for (source, _), sign in found.items() if source == "SOCS3"} == {-1}
    assert {sign for (source, _), sign in found.items() if source == "SHP1Act"} == {1}


def test_every_species_of_the_built_in_model_has_an_edge_and_a_uniprot_id_or_is_an_input() -> None:
    network = load_network()
    joined = {end for edge in network_edges(network) for end in (edge.source, edge.target)}
    assert {species.id for species in network.species} - joined == set()
    assert 0 not in signs(network).values()
