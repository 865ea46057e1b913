"""Two readings of one model compared: what libroadrunner computes at a state, and what our own equations give there."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from thrombokit.errors import Fault, FileFormatError, raise_all
from thrombokit.signalling.dependencies import Quantity
from thrombokit.signalling.network import Network
from thrombokit.signalling.rate_equations import RateEquations
from thrombokit.signalling.start_values import StartValues

_TOLD = 6


def compare_readings(solver: Any, equations: RateEquations, start: StartValues, *, time: float, agreement: float) -> None:
    """Refuse a model whose values, rates or derivatives differ between the two readings.

    Parameters
    ----------
    solver : roadrunner.RoadRunner
        At the moment to compare.
    equations : RateEquations
    start : StartValues
        For what does not change, and what the solver does not report.
    time : float
    agreement : float
        Largest relative difference allowed.

    Raises
    ------
    FileFormatError
        Naming the quantities that differ.
    """
    network = equations.network
    now = start.with_values(dict(_present(solver, network)))
    state = np.array([now.of(quantity) for quantity in equations.state])
    ours = equations.values(time, state, now)
    differing = [
        (name, theirs, ours[quantity])
        for name, quantity, theirs in _reported(solver, network, equations)
        if quantity in ours and _differ(theirs, ours[quantity], agreement)
    ]
    raise_all(
        (
            Fault(
                place=f"{network.source}, {name} at time {time:g}", found=f"{theirs:.12g} by libroadrunner, {value:.12g} by our reading",
                expected="two readings of the model that agree",
                cure="The model uses SBML in a way one of the two does not understand: simulate it with another tool.",
            )
            for name, theirs, value in differing[:_TOLD]
        ),
        FileFormatError,
    )  # fmt: skip


def _present(solver: Any, network: Network) -> Iterator[tuple[Quantity, float]]:
    """What the solver holds and formulas do not give."""
    for id in (*network.parameter_by_id, *network.compartment_by_id, *network.stoichiometry_by_id):
        if id not in network.assignment_rules and network.can_change(id):
            yield ("value", id), float(solver.getValue(id))
    for species in network.species:
        if species.id not in network.assignment_rules:
            yield ("amount", species.id), float(solver.getValue(species.id))
            if species.id in network.rate_rules:
                name = species.id if species.substance_only else f"[{species.id}]"
                yield ("value", species.id), float(solver.getValue(name))


def _reported(solver: Any, network: Network, equations: RateEquations) -> Iterator[tuple[str, Quantity, float]]:
    """What the solver computes from its state."""
    for species in network.species:
        size_known = network.compartment_by_id[species.compartment].size is not None or network.can_change(species.compartment)
        if not species.substance_only and size_known:
            yield f"[{species.id}]", ("value", species.id), float(solver.getValue(f"[{species.id}]"))
    for id in (*network.parameter_by_id, *network.compartment_by_id):
        yield id, ("value", id), float(solver.getValue(id))
    for id in network.reaction_by_id:
        yield f"the rate of {id}", ("value", id), float(solver.getValue(id))
    changes = np.asarray(solver.getRatesOfChange()).tolist()
    rates = {solver.model.getStateVectorId(at): change for at, change in enumerate(changes)}
    for kind, id in equations.state:
        if kind == "amount" and id in rates:
            yield f"the change of {id}", ("flow", id), rates[id]
        elif id in rates and id not in network.species_by_id:
            yield f"the change of {id}", ("change", id), rates[id]


def _differ(a: float, b: float, agreement: float) -> bool:
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) != math.isnan(b)
    return a != b and not abs(a - b) <= agreement * max(abs(a), abs(b), 1e-300)
