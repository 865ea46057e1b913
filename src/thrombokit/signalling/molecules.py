"""The molecules of a network and their order: which species are forms of one another, what comes before what, and what feeds back.

Species that a reaction turns into one another, one for one, are forms of one molecule. A molecule comes one layer below the last that acts
on it. Where molecules act on each other in a ring, the way back is called feedback: it leads to one that is as near to the ring's
entrance, or nearer.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from thrombokit.signalling.network import Network
from thrombokit.signalling.regulation import Edge, EdgeKind


@dataclass(frozen=True, kw_only=True)
class Molecules:
    """Molecules of a network, numbered from 0 in the order of the file.

    `forms` are the species ids of each, `molecule_of` the number of a species, `acts_on` pairs (from, to), `feedback` those of the pairs
    that close a ring, `layer` the layer of each molecule.
    """

    forms: tuple[tuple[str, ...], ...]
    molecule_of: Mapping[str, int]
    acts_on: frozenset[tuple[int, int]]
    feedback: frozenset[tuple[int, int]]
    layer: tuple[int, ...]

    def before(self, molecule: int) -> list[int]:
        """Molecules that act on this one, feedback aside."""
        return sorted(a for a, b in self.acts_on - self.feedback if b == molecule)

    def after(self, molecule: int) -> list[int]:
        """Molecules that this one acts on, feedback aside."""
        return sorted(b for a, b in self.acts_on - self.feedback if a == molecule)


def find_molecules(network: Network, edges: Iterable[Edge]) -> Molecules:
    """Forms, order and feedback of a network.

    Parameters
    ----------
    network : Network
    edges : iterable of Edge
        Of `network_edges`.
    """
    ids = drawn_ids(network)
    molecule_of = _joined(network, ids)
    forms: dict[int, list[str]] = {}
    for id in ids:
        forms.setdefault(molecule_of[id], []).append(id)
    acts = frozenset(_acts_on(network, tuple(edges), molecule_of))
    feedback = frozenset(_feedback(acts, len(forms)))
    layer = _layers(acts - feedback, len(forms))
    return Molecules(
        forms=tuple(tuple(listed) for listed in forms.values()), molecule_of=molecule_of, acts_on=acts, feedback=feedback,
        layer=tuple(_beside_target(acts - feedback, layer)),
    )  # fmt: skip


def drawn_ids(network: Network) -> tuple[str, ...]:
    """What has a box in the picture: species, and other variables that a rate rule moves."""
    others = [id for id in network.rate_rules if id not in network.species_by_id]
    return (*network.species_by_id, *others)


def targets_of(network: Network, edge: Edge, *, regulated: bool = True) -> tuple[str, ...]:
    """The species an edge acts on: the products of its reaction, or the reactants where nothing is produced; a rule's variable."""
    if edge.target not in network.reaction_by_id:
        return (edge.target,)
    reaction = network.reaction_by_id[edge.target]
    products = tuple(dict.fromkeys(one.species for one in reaction.products))
    return products or (tuple(dict.fromkeys(one.species for one in reaction.reactants)) if regulated else ())


def _joined(network: Network, ids: tuple[str, ...]) -> dict[str, int]:
    root = {id: id for id in ids}

    def top(id: str) -> str:
        while root[id] != id:
            id = root[id]
        return id

    place = {id: at for at, id in enumerate(ids)}
    for reaction in network.reactions:
        ends = [*dict.fromkeys(one.species for one in reaction.reactants), *dict.fromkeys(one.species for one in reaction.products)]
        if len(ends) == 2 and ends[0] != ends[1] and reaction.reactants and reaction.products:
            first, second = sorted((top(ends[0]), top(ends[1])), key=place.__getitem__)
            root[second] = first
    numbers: dict[str, int] = {}
    return {id: numbers.setdefault(top(id), len(numbers)) for id in ids}


def _acts_on(network: Network, edges: tuple[Edge, ...], molecule_of: Mapping[str, int]) -> Iterable[tuple[int, int]]:
    for edge in edges:
        if edge.kind is EdgeKind.PRODUCTION:
            continue
        for target in targets_of(network, edge, regulated=edge.kind is not EdgeKind.CONSUMPTION):
            pair = molecule_of[edge.source], molecule_of[target]
            if pair[0] != pair[1]:
                yield pair


def _feedback(acts: frozenset[tuple[int, int]], count: int) -> Iterable[tuple[int, int]]:
    if not acts:
        return
    start, end = np.array(sorted(acts)).T
    graph = coo_array((np.ones(start.size), (start, end)), shape=(count, count))
    ring_of = connected_components(graph, directed=True, connection="strong")[1].tolist()
    for ring in sorted(set(ring_of)):
        within = sorted((a, b) for a, b in acts if ring_of[a] == ring_of[b] == ring)
        if within:
            entrances = sorted({b for a, b in acts if ring_of[b] == ring != ring_of[a]}) or [min(a for a, _ in within)]
            distance = _distances(within, entrances)
            yield from ((a, b) for a, b in within if distance[b] <= distance[a])


def _distances(pairs: list[tuple[int, int]], entrances: list[int]) -> dict[int, int]:
    distance = dict.fromkeys(entrances, 0)
    waiting = deque(entrances)
    while waiting:
        at = waiting.popleft()
        for a, b in pairs:
            if a == at and b not in distance:
                distance[b] = distance[at] + 1
                waiting.append(b)
    return distance


def _layers(forward: frozenset[tuple[int, int]], count: int) -> list[int]:
    """Length of the longest way to each molecule; the pairs hold no ring."""
    layer = [0] * count
    for _ in range(count):
        moved = False
        for a, b in forward:
            if layer[b] < layer[a] + 1:
                layer[b], moved = layer[a] + 1, True
        if not moved:
            break
    return layer


def _beside_target(forward: frozenset[tuple[int, int]], layer: list[int]) -> list[int]:
    """Molecules that nothing acts on stand beside the first that they act on, not far above it; starts of everything stay at the top."""
    acted_on = {b for _, b in forward}
    first = {a: min(layer[b] for c, b in forward if c == a) for a, _ in forward}
    return [max(first[at] if first.get(at, 0) > 1 else own, own) if at not in acted_on else own for at, own in enumerate(layer)]
