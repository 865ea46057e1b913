"""Which pathway a species of a network belongs to, and how deep in the cell it lies, read from the model's own annotations.

A species is known by its UniProt accessions, a compartment by its Gene Ontology term; neither by its id, so that any annotated model finds
its lanes. What is not annotated has no pathway, and lies in the cytoplasm.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum

from thrombokit.signalling.network import Compartment, Species


class Pathway(StrEnum):
    """The three lanes of a picture, from left to right."""

    MAPK = "MAPK/ERK"
    JAK_STAT = "JAK-STAT"
    PI3K = "PI3K/AKT"


class Depth(IntEnum):
    """Where a compartment lies, from the outside in."""

    OUTSIDE = 0
    MEMBRANE = 1
    VESICLE = 2
    CYTOPLASM = 3
    NUCLEUS = 4


_ACCESSIONS = {
    Pathway.JAK_STAT: "O60674 Q62120 P42229 P51692 P42230 P42232 P40763 P42224 Q9NSE2 O14543",
    Pathway.MAPK: "Q07889 P62993 P29353 P01111 P01112 P01116 P04049 P15056 Q02750 P36507 P28482 P27361 Q16828",
    Pathway.PI3K: "P31749 P31751 O15530 P60484 P42345 Q8N122 P42336 P27986 P62753",
}
"""JAK2, STAT5A/B, STAT3, STAT1, CIS, SOCS3; SOS1, GRB2, SHC1, RAS, RAF, MEK, ERK, DUSP6; AKT, PDK1, PTEN, mTOR, RAPTOR, PI3K, S6."""
_PATHWAY_OF = {accession: pathway for pathway, listed in _ACCESSIONS.items() for accession in listed.split()}
_TERMS = {
    "GO:0005576": Depth.OUTSIDE, "GO:0005615": Depth.OUTSIDE, "GO:0005886": Depth.MEMBRANE, "GO:0005768": Depth.VESICLE,
    "GO:0005737": Depth.CYTOPLASM, "GO:0005829": Depth.CYTOPLASM, "GO:0005634": Depth.NUCLEUS, "GO:0005654": Depth.NUCLEUS,
}  # fmt: skip
_WORDS = {
    "extracell": Depth.OUTSIDE, "medium": Depth.OUTSIDE, "membrane": Depth.MEMBRANE, "surface": Depth.MEMBRANE,
    "endosom": Depth.VESICLE, "vesicle": Depth.VESICLE, "nuc": Depth.NUCLEUS,
}  # fmt: skip


def pathway_of(species: Species) -> Pathway | None:
    """The pathway most of its UniProt accessions belong to, the first of several; None where none is known."""
    found = [_PATHWAY_OF[accession] for accession in species.uniprot if accession in _PATHWAY_OF]
    return max(found, key=found.count) if found else None


def depth_of(compartment: Compartment) -> Depth:
    """By its Gene Ontology term, else by a word in its name, else the cytoplasm."""
    for link in compartment.annotations:
        for term, depth in _TERMS.items():
            if link.resource.replace("%3A", ":").endswith(term):
                return depth
    said = f"{compartment.name} {compartment.id}".casefold()
    return next((depth for word, depth in _WORDS.items() if word in said), Depth.CYTOPLASM)
