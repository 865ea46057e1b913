"""The picture of a reaction model as a file: SVG, PNG or PDF, with or without the activity at one dose and time as colour; or an SBGN map."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from thrombokit.agonists.load import load_agonist
from thrombokit.drawing.network import NetworkPicture
from thrombokit.drawing.network_svg import network_pdf, network_png, network_svg
from thrombokit.errors import Fault, raise_all
from thrombokit.io.models import BUILT_IN, load_network
from thrombokit.io.petab_fits import make_fit_folder
from thrombokit.io.sbgn import sbgn_text
from thrombokit.io.tpor import simulate_signalling
from thrombokit.io.whole_files import replace_file
from thrombokit.quantities import concentration_nM
from thrombokit.signalling.antimony_source import tpor_rates
from thrombokit.signalling.fates import Activity
from thrombokit.signalling.network import Network
from thrombokit.signalling.picture_activity import OTHER_CELLS, activity_picture, activity_values, plain_picture, with_activity
from thrombokit.signalling.roadrunner_model import load_session
from thrombokit.signalling.treatments import Treatment

TITLE = "TPO-R signalling"
ENDINGS = (".svg", ".png", ".pdf")
MAP_ENDING = ".sbgn"
POINTS = 201
LONGEST_H = 24.0 * 14
_TIME = re.compile(r"\s*([0-9]*\.?[0-9]+(?:[eE][+-]?\d+)?)\s*(s|min|h|d)\s*$")
_HOURS = {"s": 1 / 3600, "min": 1 / 60, "h": 1.0, "d": 24.0}


def draw_network(
    source: str | Path = BUILT_IN, *, agonist: str | None = None, dose: str | None = None, at: str | None = None,
    cell_system: str = "32D-MPL", settings: Mapping[str, float] | None = None,
) -> NetworkPicture:  # fmt: skip
    """The picture of a model, drawn from the model alone.

    Parameters
    ----------
    source : path or str
        As of `load_network`; "tpor" is the built-in model.
    agonist, dose : str, optional
        Of the built-in model: a name or an agonist file, and "10 nM" or "100 ng/mL".
    at : str, optional
        The moment to show in colour: "10 min" (built-in model), or a number in the model's own unit of time.
    cell_system : str
        Of the built-in model.
    settings : dict of str to float, optional
        Of any other model: values in place of the file's.

    Returns
    -------
    NetworkPicture
        Every line has a path; `drawing.network_svg` makes SVG, PNG or PDF of it.

    Raises
    ------
    InputError
        With everything that does not belong together, or is unknown.
    """
    built_in = str(source) == BUILT_IN
    raise_all(_faults(built_in, agonist, dose, at, settings))
    network = load_network(source)
    if not built_in:
        return _any_model(network, at, settings or {})
    counts = drawn_sentence(network)
    if agonist is None or dose is None or at is None:
        return plain_picture(network, title=TITLE, caption=(counts, tpor_rates().caption(), OTHER_CELLS))
    time_h = _hours(at)
    known = load_agonist(agonist)
    mass = known.molar_mass_g_per_mol
    dose_nM = concentration_nM(dose, None, place="--dose", molar_mass_g_per_mol=mass)
    wanted = Treatment(agonists_nM={known.name: dose_nM})
    control = simulate_signalling([Treatment(agonists_nM={"rhTPO": 1.43}), wanted], cell_system=cell_system, hours=max(24.0, time_h),
                                  agonists=[known])  # fmt: skip
    return activity_picture(
        network, control.activities[1], time_h=time_h, compared=control.activities, caption=(counts, control.caption, OTHER_CELLS),
        treatment=f"{TITLE}: {known.name} {dose_nM:.4g} nM, {control.cell_system}",
    )  # fmt: skip


def save_network(
    path: Path, source: str | Path = BUILT_IN, *, agonist: str | None = None, dose: str | None = None, at: str | None = None,
    cell_system: str = "32D-MPL",
) -> NetworkPicture:  # fmt: skip
    """Draw a model (see `draw_network`) and write it as its file's name says: a picture, or with .sbgn an SBGN map, which has no colours.

    The name is checked before anything is drawn.
    """
    is_map = path.suffix.casefold() == MAP_ENDING
    raise_all([] if is_map else picture_ending_faults(path, others=(MAP_ENDING,)))
    picture = draw_network(source, agonist=agonist, dose=dose, at=at, cell_system=cell_system)
    if is_map:
        make_fit_folder(path.parent)
        replace_file(path, sbgn_text(load_network(source), picture).encode("utf-8"))
    else:
        write_picture(picture, path)
    return picture


def write_picture(picture: NetworkPicture, path: Path) -> Path:
    """Write a picture as its file's ending says: .svg, .png or .pdf.

    Raises
    ------
    InputError
        If the ending is another one.
    """
    raise_all(picture_ending_faults(path))
    ending = path.suffix.casefold()
    made = network_svg(picture).encode() if ending == ".svg" else network_png(picture) if ending == ".png" else network_pdf(picture)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(made)
    return path


def picture_ending_faults(path: Path, *, others: tuple[str, ...] = ()) -> list[Fault]:
    """Why a picture cannot be written under that name; `others` are endings to be told besides."""
    if path.suffix.casefold() in ENDINGS:
        return []
    *first, last = ENDINGS
    besides = "".join(f", or {ending}" for ending in others)
    expected = f"a name that ends in {', '.join(first)} or {last}{besides}"
    return [Fault(place="--out", found=f'"{path.name}"', expected=expected, cure="Change its ending.")]


def drawn_sentence(network: Network) -> str:
    """What the picture holds, as a sentence."""
    return f"Drawn from the model itself: {len(network.species)} species, {len(network.reactions)} reactions."


def _any_model(network: Network, at: str | None, settings: Mapping[str, float]) -> NetworkPicture:
    title, counts = network.label, drawn_sentence(network)
    if at is None:
        return plain_picture(network, title=title, caption=(counts,))
    moment = float(at)
    ids = [one.id for one in network.species if not one.boundary and not one.constant]
    session = load_session(network)
    session.start(settings)
    times = np.linspace(0.0, moment, POINTS) if moment > 0.0 else np.zeros(1)
    levels = np.atleast_2d(session.run(times, [f"[{id}]" for id in ids]))
    activity = Activity(time_h=times, levels_nM={id: levels[:, column] for column, id in enumerate(ids)})
    last = {id: float(values[-1]) for id, values in activity.levels_nM.items()}
    highest = {id: float(values.max()) for id, values in activity.levels_nM.items()}
    values = activity_values(network, last, highest)
    unit = f" {network.time_unit}" if network.time_unit not in ("", "time") else ""
    said = "".join(f", {name} = {value:g}" for name, value in settings.items())
    return with_activity(plain_picture(network), values, title=f"{title}, time {moment:g}{unit}{said}", caption=(counts,))


def _faults(
    built_in: bool, agonist: str | None, dose: str | None, at: str | None, settings: Mapping[str, float] | None
) -> list[Fault]:
    faults: list[Fault] = []
    given = [name for name, value in (("--agonist", agonist), ("--dose", dose), ("--at", at)) if value is not None]
    if built_in and 0 < len(given) < 3:
        faults.append(Fault(place=", ".join(given), found="some of agonist, dose and time", expected="all three, or none",
                            cure='Give --agonist hetrombopag --dose "10 nM" --at "10 min".'))  # fmt: skip
    if built_in and settings:
        faults.append(Fault(place="--set", found=", ".join(settings), expected="nothing beside the built-in model",
                            cure="Save the model as a file, and draw the file."))  # fmt: skip
    if not built_in and (agonist is not None or dose is not None):
        faults.append(Fault(place="--agonist, --dose", found="an agonist beside a model of your own", expected="the built-in model",
                            cure="Set the model's own inputs with --set."))  # fmt: skip
    if not built_in and at is not None and not _is_time(at):
        faults.append(
            Fault(place="--at", found=f'"{at}"', expected="a number of 0 or more, in the model's unit of time", cure="Correct it.")
        )
    if built_in and at is not None and (_hours(at) < 0.0):
        faults.append(Fault(place="--at", found=f'"{at}"', expected=f'a time such as "10 min", at most {LONGEST_H / 24:g} d',
                            cure="Use s, min, h or d."))  # fmt: skip
    return faults


def _is_time(text: str) -> bool:
    try:
        value = float(text)
    except ValueError:
        return False
    return math.isfinite(value) and value >= 0.0


def _hours(text: str) -> float:
    """Hours of "10 min"; -1 where it is no such time."""
    matched = _TIME.match(text)
    hours = float(matched[1]) * _HOURS[matched[2]] if matched else -1.0
    return hours if hours <= LONGEST_H else -1.0
