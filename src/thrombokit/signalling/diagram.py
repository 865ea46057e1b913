"""The picture of a network, drawn from the network alone: a box for every species, a dot for every reaction, a line for every edge.

Nothing is placed or joined by hand, so that the picture cannot disagree with the model: the lines are `network_edges`, one for one.
"""

from __future__ import annotations

from collections.abc import Mapping

from thrombokit.drawing.edge_routes import route_lines
from thrombokit.drawing.network import Box, Line, LineKind, NetworkPicture
from thrombokit.errors import Fault, raise_all
from thrombokit.signalling.molecules import Molecules, drawn_ids, find_molecules, targets_of
from thrombokit.signalling.network import Network
from thrombokit.signalling.placement import place_boxes
from thrombokit.signalling.reaction_places import ReactionPlaces, place_reactions
from thrombokit.signalling.regulation import Edge, EdgeKind, network_edges

LINE_LETTERS = 15
MOST_SPECIES = 150
"""Of a larger network no picture on a page can be read."""
PICTURES_KEPT = 8
_PICTURES: dict[str, NetworkPicture] = {}
"""The last pictures, by the model's text: a picture depends on nothing else, and finding the ways takes a second."""


def network_picture(network: Network) -> NetworkPicture:
    """Every species, reaction and edge of a network, with their places.

    Parameters
    ----------
    network : Network

    Returns
    -------
    NetworkPicture
        Without colours; `signalling.activity.with_activity` adds them.

    Raises
    ------
    InputError
        If there is nothing to draw, or more than a page can show.
    """
    known = _PICTURES.get(network.sbml)
    if known is None:
        raise_all(_faults(network))
        while len(_PICTURES) >= PICTURES_KEPT:
            _PICTURES.pop(next(iter(_PICTURES)))
        known = _PICTURES[network.sbml] = _drawn(network)
    return known


def _drawn(network: Network) -> NetworkPicture:
    edges = network_edges(network)
    molecules = find_molecules(network, edges)
    placement = place_boxes(network, molecules)
    reactions = place_reactions(network, edges, placement.centres)
    boxes = tuple(_box(network, id, placement.centres[id]) for id in drawn_ids(network))
    picture = NetworkPicture(
        title=network.label, width=placement.width, height=placement.height, boxes=boxes, dots=reactions.dots,
        lines=tuple(_line(network, edge, molecules, reactions) for edge in edges), regions=placement.regions, lanes=placement.lanes,
    )  # fmt: skip
    return route_lines(picture)


def _faults(network: Network) -> list[Fault]:
    count = len(network.species)
    if 0 < count <= MOST_SPECIES:
        return []
    return [Fault(place=network.source, found=f"{count} species" if count else "a model without species",
                  expected=f"1 to {MOST_SPECIES} species for a picture", cure="Draw a part of the model.")]  # fmt: skip


def _box(network: Network, id: str, centre: tuple[float, float]) -> Box:
    species = network.species_by_id.get(id)
    label = species.label if species else (network.parameter_by_id[id].label if id in network.parameter_by_id else id)
    accessions = ", ".join(species.uniprot) if species else ""
    return Box(
        id=id, lines=broken(label), x=centre[0], y=centre[1], note=f"{label} ({id})" + (f"; UniProt {accessions}" if accessions else ""),
        is_fixed=bool(species and (species.boundary or species.constant)),
    )  # fmt: skip


def _line(network: Network, edge: Edge, molecules: Molecules, reactions: ReactionPlaces) -> Line:
    port = reactions.ports.get((edge.source, edge.target)) if edge.kind is EdgeKind.REGULATION else None
    both = edge.kind is EdgeKind.CONSUMPTION and network.reaction_by_id[edge.target].reversible
    return Line(
        source=edge.source, target=edge.target, kind=LineKind(edge.kind.value), sign=edge.sign, has_two_heads=both,
        is_feedback=_is_feedback(network, edge, molecules), path=reactions.paths.get((edge.source, edge.target, edge.kind), ()),
        port=port[0] if port else None, heading=port[1] if port else None,
    )  # fmt: skip


def _is_feedback(network: Network, edge: Edge, molecules: Molecules) -> bool:
    if edge.kind in (EdgeKind.PRODUCTION, EdgeKind.CONSUMPTION):
        return False
    number: Mapping[str, int] = molecules.molecule_of
    return any((number[edge.source], number[target]) in molecules.feedback for target in targets_of(network, edge))


def broken(label: str, letters: int = LINE_LETTERS) -> tuple[str, ...]:
    """A label on one line, or on two about as long as each other; what is longer still is cut."""
    words = label.split()
    if len(label) > letters and len(words) > 1:
        cuts = [(" ".join(words[:at]), " ".join(words[at:])) for at in range(1, len(words))]
        lines = min(cuts, key=lambda pair: max(map(len, pair)))
    else:
        lines = (label,)
    return tuple(line if len(line) <= letters + 1 else f"{line[:letters]}\u2026" for line in lines)
