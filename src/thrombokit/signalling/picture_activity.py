"""Activity as colour: what a picture shows of a network at one time of one treatment.

Of a molecule with several forms each form shows its share of the molecule, counted in amounts. A molecule of one form shows its level
relative to the highest it reaches in the runs compared, an agonist the share of its site that it takes. What else is held constant has no
colour.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from thrombokit.drawing.network import Box, NetworkPicture
from thrombokit.errors import Fault, InputError
from thrombokit.signalling.diagram import network_picture
from thrombokit.signalling.fates import Activity
from thrombokit.signalling.molecules import find_molecules
from thrombokit.signalling.network import Network
from thrombokit.signalling.regulation import network_edges

SCALE_WORDS = "share of the molecule in this form; of molecules with one form, share of the highest level in the runs compared"
SITE_WORDS = f"{SCALE_WORDS}; of agonists, share of their site taken"
OTHER_CELLS = "A fitted rate is calibrated on EPO-R or other cells, as named; on TPO-R it may differ."
"""What stands on every picture of the built-in model."""


def activity_values(network: Network, levels: Mapping[str, float], highest: Mapping[str, float]) -> dict[str, float]:
    """Colour of each species, 0 to 1.

    Parameters
    ----------
    network : Network
    levels : dict of str to float
        Concentration of each species that changes; one unit for all, such as nM.
    highest : dict of str to float
        Highest concentration of each, for molecules of one form.

    Returns
    -------
    dict of str to float
        Species without a level, and those whose molecule is absent, are left out.
    """
    molecules = find_molecules(network, network_edges(network))
    values: dict[str, float] = {}
    for forms in molecules.forms:
        known = [id for id in forms if id in levels and np.isfinite(levels[id])]
        if len(forms) > 1:
            amounts = {id: max(levels[id], 0.0) * _size(network, id) for id in known}
            whole = sum(amounts.values())
            values |= {id: amount / whole for id, amount in amounts.items()} if whole > 0.0 else {}
        elif known and highest.get(known[0], 0.0) > 0.0:
            values[known[0]] = min(max(levels[known[0]] / highest[known[0]], 0.0), 1.0)
    return values


def with_activity(picture: NetworkPicture, values: Mapping[str, float], *, title: str, caption: Sequence[str]) -> NetworkPicture:
    """The picture in colour, with a title and sentences below.

    Parameters
    ----------
    picture : NetworkPicture
    values : dict of str to float
        Of `activity_values`.
    title : str
        What is shown: agonist, dose, time.
    caption : sequence of str
        Share of assumed rates, where the others come from.
    """
    boxes: tuple[Box, ...] = tuple(replace(box, value=values.get(box.id)) for box in picture.boxes)
    words = SITE_WORDS if any(box.is_fixed and box.value is not None for box in boxes) else SCALE_WORDS
    return replace(picture, boxes=boxes, title=title, caption=tuple(caption), scale_words=words)


def activity_picture(
    network: Network, activity: Activity, *, time_h: float, compared: Sequence[Activity], treatment: str, caption: Sequence[str]
) -> NetworkPicture:
    """The network with the activity of one treatment at one time as colour.

    Parameters
    ----------
    network : Network
    activity : Activity
        Of the treatment, nM over hours.
    time_h : float
        Levels are taken on the straight line between simulated times.
    compared : sequence of Activity
        Runs that tell how high each level can get; the treatment's own is among them or is added.
    treatment : str
        In words, for the title.
    caption : sequence of str

    Raises
    ------
    InputError
        If the time lies outside the run.
    """
    end = float(activity.time_h[-1])
    if not 0.0 <= time_h <= end:
        raise InputError(Fault(place="signalling picture, time", found=f"{time_h:g} h", expected=f"0 to {end:g} h",
                               cure="Choose a time within the simulation."))  # fmt: skip
    levels = {id: float(np.interp(time_h, activity.time_h, values)) for id, values in activity.levels_nM.items()}
    highest = {id: max(float(one[id].max()) for one in (activity, *compared)) for id in activity.levels_nM}
    title = f"{treatment}, {time_words(time_h)}"
    before = int(np.searchsorted(activity.time_h, time_h, side="right")) - 1
    sites = {id: float(shares[before]) for id, shares in activity.sites_taken.items()}
    return with_activity(network_picture(network), activity_values(network, levels, highest) | sites, title=title, caption=caption)


def plain_picture(network: Network, *, title: str = "", caption: Sequence[str] = ()) -> NetworkPicture:
    """The network without colours."""
    picture = network_picture(network)
    return replace(picture, title=title or picture.title, caption=tuple(caption))


def time_words(time_h: float) -> str:
    """ "10 min", or "24 h" from two hours on."""
    return f"{time_h:g} h" if time_h >= 2.0 else f"{60.0 * time_h:.3g} min"


def _size(network: Network, id: str) -> float:
    """Size of the compartment of a species; 1 where the model leaves it open."""
    species = network.species_by_id.get(id)
    size = network.compartment_by_id[species.compartment].size if species else None
    return 1.0 if size is None else size
