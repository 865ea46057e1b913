"""What the strategy takes from one tube: time quality, and the kept events' signals in the channels that gates look at.

Scatter and DNA are decoded, markers and the live/dead dye compensated, as the gates will see them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from thrombokit.cells.drift import TimeQuality, TimeSettings, check_time
from thrombokit.cells.sample import Sample
from thrombokit.cells.spillover import Spillover, remove_spillover
from thrombokit.cells.tubes import DNA, VIABILITY, Panel, Tube
from thrombokit.errors import Fault
from thrombokit.numerics.arrays import Array, FrozenArrays, frozen


@dataclass(frozen=True, kw_only=True, eq=False)
class TubeLook(FrozenArrays):
    """Time quality of a tube, and its kept events: `values` of shape (n_events, n_channels), columns named by `channels`."""

    quality: TimeQuality
    channels: tuple[str, ...]
    values: Array
    n_events: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", frozen(self.values))


def beside(channel: str, ending: str, sample: Sample) -> str | None:
    """The height or width that belongs to an area channel (FSC-A -> FSC-H), if it was recorded."""
    name = channel.removesuffix("-A") + ending
    return name if channel.endswith("-A") and name in sample.channel_names else None


def gate_channels(panel: Panel, sample: Sample) -> tuple[str, ...]:
    """Channels that gates may look at, as the tube has them: scatter areas and heights, DNA area and height, then markers and viability."""
    scatter = (panel.fsc_area, panel.fsc_height, panel.ssc_area, beside(panel.ssc_area, "-H", sample))
    dna = (panel.channels[DNA], beside(panel.channels[DNA], "-H", sample)) if DNA in panel.channels else ()
    stains = (panel.channels[m] for m in (*panel.surface_markers, VIABILITY) if m in panel.channels)
    return tuple(dict.fromkeys(c for c in (*scatter, *dna, *stains) if c and c in sample.channel_names))


def compensated_events(sample: Sample, spillover: Spillover | None) -> Array:
    """Compensated events, shape (n_events, n_channels): by the matrix given, else by the file's own."""
    if spillover is None:
        return np.asarray(sample.events("compensated"))
    return remove_spillover(np.asarray(sample.events("decoded")), sample.channel_names, spillover)


def look_at_tube(tube: Tube, settings: TimeSettings, spillover: Spillover | None, most_events: int | None) -> TubeLook:
    """Check a tube over time and take its kept events.

    Parameters
    ----------
    tube : Tube
    settings : TimeSettings
    spillover : Spillover, optional
        In place of the file's own.
    most_events : int, optional
        At most so many of the kept events, evenly over the tube.
    """
    sample, panel = tube.sample, tube.panel
    names = sample.channel_names
    decoded = np.asarray(sample.events("decoded"))
    time = decoded[:, names.index(panel.time)].astype(np.float64) if panel.time in names else None
    watched = _watched(panel, sample)
    signals = decoded[:, [names.index(c) for c in watched]].astype(np.float64)
    finite = np.isfinite(signals).all(axis=1) & (np.isfinite(time) if time is not None else True)
    quality = check_time(
        time[finite] if time is not None else None, signals[finite], watched, settings, seconds_per_unit=_seconds_per_unit(sample)
    )
    rows = finite
    if quality.kept and time is not None:
        rows = finite & np.logical_or.reduce([(time >= low) & (time < high) for low, high in quality.kept])
    index = np.flatnonzero(rows)
    if most_events is not None and index.size > most_events:
        index = index[np.linspace(0, index.size - 1, most_events).astype(np.int64)]
    channels = gate_channels(panel, sample)
    values = np.empty((index.size, len(channels)))
    stains = {panel.channels[m] for m in (*panel.surface_markers, VIABILITY) if m in panel.channels}
    compensated = compensated_events(sample, spillover)
    for j, channel in enumerate(channels):
        source = compensated if channel in stains else decoded
        values[:, j] = source[index, names.index(channel)]
    return TubeLook(quality=quality, channels=channels, values=values, n_events=sample.n_events)


def _watched(panel: Panel, sample: Sample) -> tuple[str, ...]:
    """Areas of scatter and of every stain: what time is checked on."""
    wanted = (panel.fsc_area, panel.ssc_area, *panel.channels.values())
    return tuple(dict.fromkeys(c for c in wanted if c in sample.channel_names))


def _seconds_per_unit(sample: Sample) -> float | None:
    """$TIMESTEP, where it is a positive number."""
    try:
        step = float(sample.keywords.get("$TIMESTEP", ""))
    except ValueError:
        return None
    return step if np.isfinite(step) and step > 0 else None


def faults_of(tubes: Sequence[Tube], spillover: Spillover | None) -> list[Fault]:
    """What keeps tubes from being analysed: names given twice, channels that a file lacks, matrices that cannot be used."""
    faults: list[Fault] = []
    names = [tube.name for tube in tubes]
    for name in sorted({name for name in names if names.count(name) > 1}):
        faults.append(Fault(place=f"tube {name}", found=f"{names.count(name)} tubes of that name", expected="names that are unique",
                            cure="Rename them in the sample sheet."))  # fmt: skip
    for tube in tubes:
        has = ", ".join(tube.sample.channel_names)
        wanted = {"forward scatter": tube.panel.fsc_area, "side scatter": tube.panel.ssc_area, **tube.panel.channels}
        for what, channel in wanted.items():
            if channel not in tube.sample.channel_names:
                place = f"tube {tube.name}, panel {tube.panel.name}, {what}"
                faults.append(Fault(place=place, found=f"no channel {channel!r} in {tube.sample.name}", expected=f"one of {has}",
                                    cure="Correct the panel's channel."))  # fmt: skip
        if spillover is None:
            faults += tube.sample.spillover_faults
        elif lacking := [channel for channel in spillover.channels if channel not in tube.sample.channel_names]:
            found = f"channels that {tube.sample.name} lacks: {', '.join(lacking)}"
            faults.append(Fault(place=f"tube {tube.name}, {spillover.source}", found=found, expected=f"channels among {has}",
                                cure="Take the matrix of this panel."))  # fmt: skip
    return faults
