"""Where libroadrunner keeps each value of a model, found once when it is loaded."""

from __future__ import annotations

import math
from typing import Any

from thrombokit.signalling.changes import stoichiometry_varies
from thrombokit.signalling.dependencies import Quantity
from thrombokit.signalling.network import Network
from thrombokit.signalling.solver_text import STARTED, WATCHED
from thrombokit.signalling.start_values import StartValues


class SolverPlaces:
    """The quantities that are set when a model starts, in the solver's order."""

    def __init__(self, model: Any, network: Network) -> None:
        self.network = network
        fixed = network.assignment_rules
        ruled = set(network.rate_rules)
        self.compartments = self._indexed(model.getCompartmentIds(), "value", set(fixed) | ruled)
        self.parameters = self._indexed(model.getGlobalParameterIds(), "value", set(fixed) | ruled)
        self.floating = self._indexed(model.getFloatingSpeciesIds(), "amount", set(fixed) | ruled)
        self.by_name = [(id, self._quantity(id)) for id in network.rate_rules]
        boundary = [id for id in model.getBoundarySpeciesIds() if id not in fixed and id not in ruled]
        self.by_name.extend((id, ("amount", id)) for id in boundary)
        varying = [id for id in network.stoichiometry_by_id if stoichiometry_varies(network, id) and id not in fixed]
        self.by_name.extend((id, ("value", id)) for id in varying if id not in ruled)
        self.has_flag = STARTED in model.getGlobalParameterIds()

    def _quantity(self, id: str) -> Quantity:
        return ("amount" if id in self.network.species_by_id else "value", id)

    @staticmethod
    def _indexed(ids: list[str], kind: str, left_out: set[str]) -> tuple[list[int], list[Quantity]]:
        chosen = [(at, (kind, id)) for at, id in enumerate(ids) if id not in left_out and id not in (STARTED, WATCHED)]
        return [at for at, _ in chosen], [quantity for _, quantity in chosen]

    def fill(self, model: Any, values: StartValues) -> None:
        """Set every value; amounts last, as they do not follow from the others."""
        for (at, quantities), set_values in (
            (self.compartments, model.setCompartmentVolumes), (self.parameters, model.setGlobalParameterValues),
            (self.floating, model.setFloatingSpeciesAmounts),
        ):  # fmt: skip
            if at:
                set_values(at, [values.of(quantity) for quantity in quantities])
        for id, quantity in self.by_name:
            model[id] = values.of(quantity)
        if self.has_flag:
            model[STARTED] = 1.0

    def smallest_scale(self, values: StartValues) -> float:
        """The smallest of the state's values that is not zero at the start, within twelve powers of ten of the largest; else 1."""
        quantities = (*self.floating[1], *(quantity for _, quantity in self.by_name))
        sizes = [size for quantity in quantities if 0.0 < (size := abs(values.of(quantity))) < math.inf]
        return max(min(sizes), 1e-12 * max(sizes)) if sizes else 1.0
