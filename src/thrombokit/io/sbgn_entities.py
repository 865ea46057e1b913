"""Which kind of SBGN entity a species is: told by its Systems Biology Ontology term, else by what its annotations link to."""

from __future__ import annotations

from thrombokit.signalling.network import Species

_BY_TERM = {
    "SBO:0000245": "macromolecule", "SBO:0000252": "macromolecule", "SBO:0000247": "simple chemical", "SBO:0000253": "complex",
    "SBO:0000296": "complex", "SBO:0000297": "complex", "SBO:0000243": "nucleic acid feature", "SBO:0000250": "nucleic acid feature",
    "SBO:0000251": "nucleic acid feature", "SBO:0000278": "nucleic acid feature", "SBO:0000354": "nucleic acid feature",
}  # fmt: skip
_CHEMICALS = ("chebi", "drugbank", "kegg.compound", "pubchem", "chembl.compound")
_ITSELF = ("bqbiol:is", "bqbiol:isVersionOf", "bqbiol:hasVersion")
"""Qualifiers that say what a species is, and not what it belongs to."""


def entity_class(species: Species) -> str:
    """The SBGN class of a species; "unspecified entity" where nothing tells.

    Parameters
    ----------
    species : Species

    Returns
    -------
    str
        A product of translation is a macromolecule, what encodes one a nucleic acid feature, what has two or more parts a complex.
    """
    if species.sbo_term in _BY_TERM:
        return _BY_TERM[species.sbo_term]
    links = [(link.qualifier, link.resource.casefold()) for link in species.annotations]
    if any(qualifier == "bqbiol:encodes" for qualifier, _ in links):
        return "nucleic acid feature"
    if sum(qualifier == "bqbiol:hasPart" for qualifier, _ in links) > 1:
        return "complex"
    itself = [resource for qualifier, resource in links if qualifier in _ITSELF]
    if any("uniprot" in resource for resource in itself):
        return "macromolecule"
    if any(name in resource for resource in itself for name in _CHEMICALS):
        return "simple chemical"
    return "unspecified entity"
