"""Single-stain controls: what each must fulfil before a spillover matrix is taken from it.

A control teaches nothing about its dye when the dye is too dim, when its events lie at the top of the scale, when another detector sees more of it
than its own, when it was acquired at other voltages than the unstained tube, or when the wrong file was named. Each of these is a fault here,
and all of them come at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from thrombokit.cells.off_scale import is_at_top
from thrombokit.cells.sample import Channel, Sample
from thrombokit.errors import Fault, InputError
from thrombokit.numerics.arrays import Array, BoolArray, FrozenArrays

FEWEST_EVENTS = 200
"""Below this the median of a bright peak (CV 50 %) is uncertain by more than 4 %."""

MOST_AT_TOP = 0.01
"""Share of events in the last channel of a detector from which its signal counts as cut off."""

DIM_QUANTILE = 0.995
"""Events above this quantile of the unstained tube are bright: what an FMO threshold would call positive."""

SEPARATION = 3.0
"""The stain's median must stand this many spreads (84th less 50th percentile) of the unstained tube above its median."""

DNA_DYE = re.compile(r"\b(PI|DNA|DAPI|DRAQ5|FxCycle|Vybrant|Hoechst)\b|propidium|hoechst|dyecycle", re.IGNORECASE)
UNSTAINED = "unstained"


@dataclass(frozen=True, kw_only=True, eq=False)
class StainedEvents(FrozenArrays):
    """Decoded events of one control in the channels of the matrix.

    `values` has shape (n_events, n_channels); `at_top`, shape (n_events, n_channels), says which lie in the last channel of a detector.
    `own` is the column of the control's own dye (-1: the unstained tube).
    """

    name: str
    channel: str
    own: int
    values: Array
    at_top: BoolArray

    @property
    def place(self) -> str:
        """How messages name it."""
        return f"{self.name} (unstained)" if self.own < 0 else f"{self.name} (single stain of {self.channel})"


def gather_controls(
    stains: Mapping[str, Sample], unstained: Sample, channels: tuple[str, ...], gated: Mapping[str, BoolArray]
) -> tuple[tuple[StainedEvents, ...], StainedEvents]:
    """Decoded events of every control, once names, amplifiers, voltages and numbers are known to be in order.

    Parameters
    ----------
    stains : channel name -> Sample
    unstained : Sample
    channels : tuple of str
        Channels of the matrix, in order.
    gated : channel name (or "unstained") -> bool array of shape (n_events,)
        Which events of a control to use; all where it is not named.

    Raises
    ------
    InputError
        With every fault of every control.
    """
    tubes = {UNSTAINED: unstained, **{channel: stains[channel] for channel in channels if channel in stains}}
    faults = list(_name_faults(stains, channels, gated))
    for key, sample in tubes.items():
        faults.extend(_channel_faults(key, sample, channels))
        faults.extend(_gate_faults(key, sample, gated.get(key)))
    if not faults:
        for key, sample in tubes.items():
            faults.extend(_setting_faults(key, sample, unstained, channels))
    if faults:
        raise InputError(faults)
    gathered = {key: _events_of(key, sample, channels, gated.get(key)) for key, sample in tubes.items()}
    for events in gathered.values():
        faults.extend(_number_faults(events))
    if faults:
        raise InputError(faults)
    return tuple(gathered[channel] for channel in channels), gathered[UNSTAINED]


def check_controls(
    stains: tuple[StainedEvents, ...], unstained: StainedEvents, channels: tuple[str, ...], *, gate_bright: bool
) -> None:
    """Refuse controls that are cut off at the top, too dim, or brightest in a detector that is not theirs.

    `gate_bright`: the bright events of a control are used, not all of them, so only they must be bright and enough.

    Raises
    ------
    InputError
        With every fault of every control.
    """
    faults = [fault for control in (*stains, unstained) for fault in _top_faults(control, channels)]
    for control in stains:
        dim = _dim_fault(control, unstained, gate_bright=gate_bright)
        faults.extend([dim] if dim else _wrong_channel_faults(control, unstained, channels, gate_bright=gate_bright))
    if faults:
        raise InputError(faults)


def bright_events(control: StainedEvents, unstained: StainedEvents) -> BoolArray:
    """Which events of a control lie above nearly all of the unstained ones in its own channel; shape (n_events,)."""
    return control.values[:, control.own] > np.quantile(unstained.values[:, control.own], DIM_QUANTILE)


def _name_faults(stains: Mapping[str, Sample], channels: tuple[str, ...], gated: Mapping[str, BoolArray]) -> Iterator[Fault]:
    if not channels:
        yield Fault(place="single stains", found="none", expected="one single-stain control for each channel of the matrix",
                    cure="Name them: channel and file.")  # fmt: skip
    for name in sorted({name for name in channels if channels.count(name) > 1}):
        yield Fault(place="channels", found=f"{name!r} twice", expected="each channel once", cure="Leave one of them out.")
    for name in dict.fromkeys(channels):
        if name not in stains:
            yield Fault(
                place=f"channel {name}", found="no single stain", expected=f"one of: {', '.join(stains) or 'none given'}",
                cure="Add the control, or leave the channel out of the matrix.",
            )  # fmt: skip
    for name in gated:
        if name != UNSTAINED and name not in stains:
            yield Fault(place=f"gated, {name!r}", found="no control of that name", expected=f'a stain\'s channel or "{UNSTAINED}"',
                        cure="Correct the name.")  # fmt: skip


def _place(key: str, sample: Sample) -> str:
    return f"{sample.name} (unstained)" if key == UNSTAINED else f"{sample.name} (single stain of {key})"


def _channel_faults(key: str, sample: Sample, channels: tuple[str, ...]) -> Iterator[Fault]:
    for name in dict.fromkeys(channels):
        count = sample.channel_names.count(name)
        if count != 1:
            yield Fault(
                place=_place(key, sample), found=f"{count} channels named {name!r}", expected=f"one; it has {', '.join(sample.channel_names)}",
                cure="Name channels as in $PnN, and acquire all controls with the same settings.",
            )  # fmt: skip


def _gate_faults(key: str, sample: Sample, keep: BoolArray | None) -> Iterator[Fault]:
    if keep is not None and (np.shape(keep) != (sample.n_events,) or np.asarray(keep).dtype != np.bool_):
        yield Fault(
            place=_place(key, sample), found=f"gated of shape {np.shape(keep)}, type {np.asarray(keep).dtype}",
            expected=f"one true or false for each of {sample.n_events} events", cure="Gate the same file that is given as the control.",
        )  # fmt: skip


def _setting_faults(key: str, sample: Sample, unstained: Sample, channels: tuple[str, ...]) -> Iterator[Fault]:
    """A dye for DNA on a logarithmic amplifier; amplifiers and voltages that differ from the unstained tube's."""
    for name in channels:
        channel, other = _channel(sample, name), _channel(unstained, name)
        if not channel.is_linear and DNA_DYE.search(f"{channel.label} {channel.name}"):
            yield Fault(
                place=f"{_place(key, sample)}, channel {name}",
                found=f"{channel.label or name} on a logarithmic amplifier of {channel.decades:g} decades",
                expected="DNA content on a linear scale only",
                cure="Acquire DNA with a linear amplifier, or leave the channel out of the matrix.",
            )  # fmt: skip
        if key == UNSTAINED:
            continue
        for what, here, there in _settings(sample, channel, unstained, other):
            if here != there:
                yield Fault(
                    place=f"{_place(key, sample)}, channel {name}", found=f"{what} {here}", expected=f"{there}, as in {unstained.name}",
                    cure="Acquire the controls again with the settings of the samples; spillover depends on them.",
                )  # fmt: skip


def _settings(sample: Sample, channel: Channel, other: Sample, its: Channel) -> Iterator[tuple[str, object, object]]:
    yield "decades", channel.decades, its.decades
    yield "gain", channel.gain, its.gain
    here, there = _voltage(sample, channel), _voltage(other, its)
    if here is not None and there is not None:
        yield "a detector voltage of", here, there


def _voltage(sample: Sample, channel: Channel) -> float | None:
    said = sample.keywords.get(f"$P{sample.channels.index(channel) + 1}V", "").strip()
    try:
        return float(said)
    except ValueError:
        return None


def _channel(sample: Sample, name: str) -> Channel:
    return sample.channels[sample.channel_names.index(name)]


def _events_of(key: str, sample: Sample, channels: tuple[str, ...], keep: BoolArray | None) -> StainedEvents:
    index = [sample.channel_names.index(name) for name in channels]
    rows = slice(None) if keep is None else np.asarray(keep)
    values = np.asarray(sample.events("decoded")[rows][:, index], dtype=np.float64)
    stored = sample.stored[rows]
    at_top = np.column_stack([is_at_top(stored[:, column], sample.channels[column]) for column in index])
    return StainedEvents(
        name=sample.name, channel=key, own=-1 if key == UNSTAINED else channels.index(key), values=values, at_top=at_top
    )


def _number_faults(control: StainedEvents) -> Iterator[Fault]:
    n = control.values.shape[0]
    if n < FEWEST_EVENTS:
        yield Fault(place=control.place, found=f"{n} events", expected=f"at least {FEWEST_EVENTS}",
                    cure="Acquire more events, or use a wider gate on the control.")  # fmt: skip
    wrong = int((~np.isfinite(control.values)).any(axis=1).sum())
    if wrong:
        yield Fault(place=control.place, found=f"{wrong} events with a value that is not finite", expected="finite numbers",
                    cure="Export the file again, or gate these events out.")  # fmt: skip


def _top_faults(control: StainedEvents, channels: tuple[str, ...]) -> Iterator[Fault]:
    for name, share, count in zip(channels, control.at_top.mean(axis=0), control.at_top.sum(axis=0), strict=True):
        if share > MOST_AT_TOP:
            yield Fault(
                place=f"{control.place}, channel {name}",
                found=f"{int(count)} of {control.at_top.shape[0]} events ({100.0 * share:.1f} %) at the top of the scale",
                expected=f"at most {100.0 * MOST_AT_TOP:g} %",
                cure=f"Lower the voltage of {name} and acquire all controls again, or gate these events out.",
            )  # fmt: skip


def _dim_fault(control: StainedEvents, unstained: StainedEvents, *, gate_bright: bool) -> Fault | None:
    ours, theirs = control.values[:, control.own], unstained.values[:, control.own]
    middle, upper = np.quantile(theirs, (0.5, 0.84))
    if gate_bright:
        count = int(bright_events(control, unstained).sum())
        share = count / ours.size
        if count >= FEWEST_EVENTS and share >= 4.0 * (1.0 - DIM_QUANTILE):
            return None
        return Fault(
            place=control.place,
            found=f"{count} events ({100.0 * share:.1f} %) brighter in {control.channel} than {100.0 * DIM_QUANTILE:g} % of the unstained",
            expected=f"at least {FEWEST_EVENTS}, and {400.0 * (1.0 - DIM_QUANTILE):g} % of the tube",
            cure="Check that the dye was added and the right file named; use beads or a brighter antibody in that colour.",
        )  # fmt: skip
    if np.median(ours) - middle > SEPARATION * (upper - middle):
        return None
    return Fault(
        place=control.place, found=f"a single stain too dim: median {np.median(ours):.4g} in {control.channel}, unstained {middle:.4g}",
        expected=f"at least {SEPARATION:g} spreads of the unstained tube above its median, {middle + SEPARATION * (upper - middle):.4g}",
        cure='Gate the control to its stained events, use statistic "grouped_slope" where only some cells stain, or stain brighter.',
    )  # fmt: skip


def _wrong_channel_faults(
    control: StainedEvents, unstained: StainedEvents, channels: tuple[str, ...], *, gate_bright: bool
) -> Iterator[Fault]:
    used = control.values[bright_events(control, unstained)] if gate_bright else control.values
    rise = np.median(used, axis=0) - np.median(unstained.values, axis=0)
    brightest = int(np.argmax(rise))
    if brightest != control.own:
        yield Fault(
            place=control.place,
            found=f"more light in {channels[brightest]} ({rise[brightest]:.4g}) than in {control.channel} ({rise[control.own]:.4g})",
            expected=f"the brightest detector to be {control.channel}",
            cure="Check which file belongs to which channel; if it is right, raise the voltage of the dye's own detector.",
        )  # fmt: skip
