"""What a simulation can be asked to report, and the words for what it cannot.

"time"; of a species "S" its amount and "[S]" its concentration, exactly so also for species with only substance units; parameters,
compartments and stoichiometries by id; a reaction by id, its rate.
"""

from __future__ import annotations

from collections.abc import Iterable

from thrombokit.domain.toml_faults import did_you_mean
from thrombokit.errors import Fault
from thrombokit.signalling.network import Network


def selectable(network: Network) -> tuple[str, ...]:
    """Every id that can be reported, "time" first; concentrations ("[S]") besides."""
    return (
        "time", *network.species_by_id, *network.parameter_by_id, *network.compartment_by_id, *network.reaction_by_id,
        *network.stoichiometry_by_id,
    )  # fmt: skip


def usual_selections(network: Network) -> tuple[str, ...]:
    """What is reported when nothing is asked for: the time, every species' amount, and the parameters and compartments that change."""
    others = [id for id in (*network.parameter_by_id, *network.compartment_by_id) if network.can_change(id)]
    return ("time", *network.species_by_id, *others)


def selection_faults(network: Network, selections: Iterable[str]) -> list[Fault]:
    """Why some of the selections cannot be reported."""
    known = set(selectable(network))
    faults: list[Fault] = []
    seen: set[str] = set()
    for selection in selections:
        place = f'{network.source}, selection "{selection}"'
        inner = selection[1:-1] if selection.startswith("[") and selection.endswith("]") else None
        if selection in seen:
            cure = "Leave the second one out."
            faults.append(Fault(place=place, found="the same more than once", expected="each selection once", cure=cure))
        elif inner is not None and inner not in network.species_by_id:
            cure = did_you_mean(inner, network.species_by_id, otherwise="Square brackets ask for the concentration of a species.")
            faults.append(Fault(place=place, found=f'no species "{inner}"', expected="a species of the model", cure=cure))
        elif inner is None and selection not in known:
            ids = [id for id in selectable(network) if id != "time"]
            listed = f"The model has {', '.join(ids[:12])}{' ...' if len(ids) > 12 else ''}."
            cure = did_you_mean(selection, selectable(network), otherwise=listed)
            expected = "time, a species, [species], a parameter, a compartment or a reaction"
            faults.append(Fault(place=place, found="an unknown id", expected=expected, cure=cure))
        seen.add(selection)
    return faults
