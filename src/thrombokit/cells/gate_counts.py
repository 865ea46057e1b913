"""Events of each population, and their share of the parent with an interval.

The interval is that of counting events within one tube (Clopper-Pearson). It says nothing about other tubes or donors: n is donors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from thrombokit.cells.gates import GateTree, population_ids_of
from thrombokit.numerics.arrays import BoolArray
from thrombokit.numerics.binomial_intervals import clopper_pearson

INTERVAL_METHOD = "clopper_pearson"


@dataclass(frozen=True, kw_only=True)
class PopulationCount:
    """One population of one tube; shares are None where the parent holds no event. `parent` is empty for all events."""

    population: str
    parent: str
    events: int
    parent_events: int
    pct_of_parent: float | None
    pct_low: float | None
    pct_high: float | None

    def to_dict(self) -> dict[str, Any]:
        """The fields as a dictionary, in their order."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def sentence(self) -> str:
        """Count, share and interval in words."""
        said = f"{self.population}: {self.events} events"
        whole = self.parent or "all events"
        if self.pct_of_parent is None:
            return f"{said}; {whole} holds none"
        return f"{said}, {self.pct_of_parent:.2f} % of {whole} ({self.pct_low:.2f} to {self.pct_high:.2f} %)"


def count_populations(
    members: Mapping[str, BoolArray], gates: GateTree, n_events: int, *, confidence: float = 0.95
) -> tuple[PopulationCount, ...]:
    """Count every population of a tube.

    Parameters
    ----------
    members : dict of bool arrays of shape (n_events,)
        What `apply_gates` gave.
    gates : GateTree
    n_events : int
        All events of the tube.
    confidence : float
        Of the intervals of the shares, between 0 and 1.

    Returns
    -------
    tuple of PopulationCount
        One a population, in the order of the tree.
    """
    found = {name: int(member.sum()) for name, member in members.items()}
    parents = {name: gate.parent or "" for gate in gates.gates for name in population_ids_of(gate)}
    return tuple(_count(name, parent, found, n_events, confidence) for name, parent in parents.items())


def _count(name: str, parent: str, found: dict[str, int], n_events: int, confidence: float) -> PopulationCount:
    count, whole = found[name], found[parent] if parent else n_events
    if whole == 0:
        share = low = high = None
    else:
        share = 100.0 * count / whole
        low, high = (100.0 * end for end in clopper_pearson(count, whole, confidence=confidence))
    return PopulationCount(
        population=name, parent=parent, events=count, parent_events=whole, pct_of_parent=share, pct_low=low, pct_high=high
    )
