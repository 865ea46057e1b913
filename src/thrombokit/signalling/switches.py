"""Where a model changes its mind: times at which conditions on the time switch, and whether it has conditions at all.

A solver that takes long steps can pass over a short pulse without noticing it. Times that conditions name ("time >= 24") are therefore
made points of every simulation, and in models with any condition a step is held below a share of the run.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from thrombokit.numerics.arrays import Array
from thrombokit.signalling.expression import Call, Expression, calls_in, names_in, nodes_of
from thrombokit.signalling.formulas import evaluate_formula
from thrombokit.signalling.network import Network
from thrombokit.signalling.regulation import through_rules

_RELATIONS = frozenset(("eq", "neq", "gt", "lt", "geq", "leq"))
_SUDDEN = _RELATIONS | {"piecewise", "floor", "ceiling", "rem", "quotient", "factorial"}
_SAME = 1e-12


@dataclass(frozen=True, kw_only=True)
class Switches:
    """What can switch in a model.

    `differences` are left minus right sides of conditions in which the time is compared with values that stay; `names` those values.
    """

    has_any: bool
    differences: tuple[Expression, ...]
    names: tuple[str, ...]

    def times(self, value_of: Callable[[str], float]) -> list[float]:
        """Times at which a condition switches, with values as `value_of(id)` says; in rising order."""
        values = {name: value_of(name) for name in self.names}
        found = (_zero_crossing(one, {name: values[name] for name in names_in(one)}) for one in self.differences)
        return sorted({time for time in found if time is not None})


def switches_of(network: Network) -> Switches:
    """What can switch in a network."""
    formulas = [through_rules(network, one) for one in network.formulas]
    differences: list[Expression] = []
    for formula in formulas:
        for node in nodes_of(formula):
            if isinstance(node, Call) and node.function in _RELATIONS:
                pairs = zip(node.arguments, node.arguments[1:], strict=False)
                differences.extend(Call("minus", pair) for pair in pairs)
    timed = tuple(dict.fromkeys(one for one in differences if _is_timed(network, one)))
    return Switches(
        has_any=bool(network.events) or any(calls_in(formula) & _SUDDEN for formula in formulas),
        differences=timed,
        names=tuple(sorted({name for one in timed for name in names_in(one)})),
    )


def _is_timed(network: Network, difference: Expression) -> bool:
    """Whether it compares the time with values that change at most by hand."""
    if "time" not in calls_in(difference) or "rateOf" in calls_in(difference):
        return False
    known = {*network.parameter_by_id, *network.compartment_by_id}
    return all(name in known and not network.can_change(name) for name in names_in(difference))


def _zero_crossing(difference: Expression, values: dict[str, float]) -> float | None:
    """The time at which a difference that goes straight with time is zero; None where it bends or has no such time."""
    at_0, at_1, at_3 = (evaluate_formula(difference, values, time=time) for time in (0.0, 1.0, 3.0))
    slope = at_1 - at_0
    if not math.isfinite(at_3) or slope == 0.0 or abs(at_3 - at_0 - 3.0 * slope) > 1e-9 * (abs(at_3) + abs(at_0)):
        return None
    time = -at_0 / slope
    return time if math.isfinite(time) and time >= 0.0 else None


def snapped(times: list[float], points: Array) -> list[float]:
    """The switching times strictly within a simulation; one that all but falls on a point to report is that point.

    Parameters
    ----------
    times : list of float, rising
    points : array of shape (n,), rising
        Present time first.
    """
    inside: dict[float, None] = {}
    for time in times:
        nearest = float(points[np.abs(points - time).argmin()])
        at = nearest if abs(nearest - time) <= _SAME * abs(time) else time
        if points[0] < at < points[-1]:
            inside[at] = None
    return list(inside)
